"""The return of a roadmap: words and table of the J-curve; its picture is in `payback_figures`."""

import math

import numpy as np

from sim.document.document import Column, Group, Row, Table
from sim.experiment.intervals import FEWEST_TO_JUDGE, FloatArray, estimate, interval
from sim.experiment.payback import BreakEven, Payback
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_WEEK
from sim.metrics import catalogue, rolling_metrics
from sim.metrics.catalogue import Quantity
from sim.metrics.series import ROLLING
from sim.report.units import (
    format_difference,
    format_number,
    format_value,
    format_weeks,
)

ROLLING_WEEKS = 12
"""Width of the window over which the metrics are taken."""


TITLE = "With the roadmap, against the same organization without it"


def money_of(payback: Payback) -> Quantity:
    """Return what an amount of money is that was spent in all."""
    currency = payback.invested.scenario.cost.currency
    return Quantity(dimension="money", currency=currency, lowest=-math.inf)


def in_words(payback: Payback) -> str:
    """Return in a sentence or two what the roadmap costs and when it has paid for itself."""
    cumulated = payback.cumulated()
    if np.isnan(cumulated).all():
        return "Without prices nobody can say whether the roadmap pays."
    if len(cumulated) < FEWEST_TO_JUDGE:
        few = "a single replication" if len(cumulated) == 1 else f"{len(cumulated)} replications"
        return (
            f"With {few} nobody can say whether the roadmap pays: {FEWEST_TO_JUDGE} are the "
            "fewest that can tell."
        )
    mean = cumulated.mean(axis=0)
    worst = int(np.argmax(mean))
    said = ""
    if mean[worst] > 0:
        said = (
            f"At its worst, in week {worst + 1}, the roadmap has cost "
            f"{format_value(money_of(payback), float(mean[worst]))} more than it has brought. "
        )
    return said + _break_even_in_words(payback.break_even(), cumulated.shape[1])


def _break_even_in_words(date: BreakEven, horizon_weeks: int) -> str:
    early = ""
    if math.isfinite(date.earliest) and date.earliest < date.week:
        early = f"; at the earliest in week {format_number(date.earliest, 0)}"
    if math.isfinite(date.week):
        return (
            f"It has paid for itself from week {format_number(date.week, 0)} on, when the 95 % "
            f"interval of the sum leaves zero for good{early}."
        )
    if early:
        return (
            f"Whether it has paid for itself by the end, week {horizon_weeks}, cannot be told "
            f"from chance{early}."
        )
    return f"It has not paid for itself by the end, week {horizon_weeks}."


def payback_table(payback: Payback) -> Table:
    """Return how the metrics differ from those of the same organization without the roadmap."""
    columns = [Column("metric")]
    for name, first, last in periods(payback):
        columns.append(Column(name, format_weeks(first, last - 1), is_number=True))
    rows = [Row([label, *cells]) for label, cells in period_rows(payback)]
    caption = "Paired differences with 95 % intervals; times are means."
    return Table(columns, [Group(rows)], caption=caption)


def period_rows(payback: Payback) -> list[tuple[str, list[str]]]:
    """Return how the metrics differ in each of the :func:`periods`: with the roadmap - without.

    Returns:
        A row per metric: its name, and a paired difference with its interval for each period.
    """
    rows = []
    for name in ROLLING:
        cells = []
        for _, first, last in periods(payback):
            with_it, without = (
                _over(study, name, first, last) for study in (payback.invested, payback.waited)
            )
            estimates = estimate((with_it - without)[:, np.newaxis])
            low, high = interval(estimates, 0.95)
            cells.append(
                format_difference(
                    catalogue.metric(name),
                    mean_of_known(without),
                    float(estimates.mean[0]),
                    float(low[0]),
                    float(high[0]),
                )
            )
        rows.append((catalogue.metric(name).label, cells))
    return rows


def _over(study: Study, metric: str, first: int, last: int) -> FloatArray:
    """Return a metric over the weeks from ``first`` to before ``last``, by replication."""
    until = study.weekly[study.weekly["week"] < last]
    rolled = rolling_metrics(until, len(study.first.tables["services"]), last - first)
    values: FloatArray = rolled.loc[rolled["week"] == last - 1, metric].to_numpy(np.float64)
    return values


def mean_of_known(values: FloatArray) -> float:
    """Return the mean of the values that are known; NaN, without a warning, if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def periods(payback: Payback) -> list[tuple[str, int, int]]:
    """Return the periods of a roadmap as (name, first week, week after the last)."""
    dates = payback.investments
    horizon = payback.invested.scenario.horizon_weeks
    start = int(dates["started_at"].min() // HOURS_PER_WEEK)
    learned = dates["learned_at"].max()
    if dates["learned_at"].isna().any() or learned >= horizon * HOURS_PER_WEEK:
        return [("building and learning", start, horizon)]
    end = math.ceil(learned / HOURS_PER_WEEK)
    spans = [("building and learning", start, end), ("afterwards", end, horizon)]
    return [(name, first, last) for name, first, last in spans if first < last]
