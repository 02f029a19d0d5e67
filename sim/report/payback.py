"""The return of a roadmap: words and table of the J-curve; its picture is in `payback_figures`."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from sim.document.document import (
    IN_TERMINAL,
    ON_PAPER,
    Caveat,
    Cell,
    Column,
    Group,
    Row,
    Table,
    Tile,
    Tiles,
)
from sim.experiment.intervals import FEWEST_TO_JUDGE
from sim.experiment.payback import WITH, BreakEven, Payback, Period, PeriodName
from sim.experiment.sweep_results import COST
from sim.metrics import catalogue
from sim.metrics.catalogue import Quantity, companions, headlines
from sim.report.comparison import (
    Difference,
    difference_tile,
    differences,
    headline_differences,
)
from sim.report.content import (
    caveats_of_what_happened,
    few_replications,
    is_priced,
    warm_up_caveats,
)
from sim.report.units import (
    NO_DATA,
    UNKNOWN,
    column_unit,
    difference_in,
    format_number,
    format_value,
    format_weeks,
    unit_of_change,
)
from sim.words import capitalized

ROLLING_WEEKS = 12
"""Width of the window over which the metrics are taken."""


TITLE = "With the roadmap, against the same organization without it"
PERIODS = "Before, while and after"


def money_of(payback: Payback) -> Quantity:
    """Return what an amount of money is that was spent in all."""
    currency = payback.invested.scenario.cost.currency
    return Quantity(dimension="money", currency=currency, lowest=-math.inf)


def in_words(payback: Payback) -> str:
    """Return in a sentence or two when the roadmap pays, and what it costs until then."""
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
    said = _break_even_in_words(payback.break_even(), cumulated.shape[1])
    if mean[worst] > 0:
        said += (
            f" At its worst, in week {worst}, it has cost "
            f"{format_value(money_of(payback), float(mean[worst]))} more than it has brought."
        )
    return said


def _break_even_in_words(date: BreakEven, horizon_weeks: int) -> str:
    early = ""
    if math.isfinite(date.earliest) and date.earliest < date.week:
        early = f"at the earliest in week {format_number(date.earliest, 0)}"
    if math.isfinite(date.week):
        careful = f" ({early})" if early else ""
        return f"The roadmap pays in week {format_number(date.week, 0)}{careful}."
    last = horizon_weeks - 1
    if early:
        unsure = f"Whether the roadmap pays by the end, week {last}, cannot be told from chance"
        return f"{unsure}; {early}."
    return f"The roadmap has not paid for itself by the end, week {last}."


def payback_tiles(payback: Payback) -> Tiles:
    """Return when the roadmap pays, and how the four metrics differ in its last period."""
    items = [_date_tile(payback)]
    if not payback.periods:
        return Tiles(items)
    period = payback.periods[-1]
    found = headline_differences(period.comparison, WITH)
    items += [difference_tile(found[name]) for name in headlines()]
    caption = (
        f"{capitalized(PERIOD_IN_WORDS[period.name])}, {weeks_in_words(period)}, against the same "
        "organization without it: paired differences, Holm-adjusted 95 % intervals."
    )
    return Tiles(items, caption)


def _date_tile(payback: Payback) -> Tile:
    cumulated = payback.cumulated()
    if np.isnan(cumulated).all() or len(cumulated) < FEWEST_TO_JUDGE:
        return Tile("it pays in", UNKNOWN)
    date = payback.break_even()
    early = math.isfinite(date.earliest) and date.earliest < date.week
    note = f"at the earliest {format_number(date.earliest, 0)}" if early else ""
    if math.isfinite(date.week):
        week = f"week {format_number(date.week, 0)}"
        return Tile("it pays in", week, note, "it pays", "good", name="break_even")
    last = cumulated.shape[1] - 1
    return Tile("it pays in", f"not by week {last}", note, name="break_even")


PERIOD_IN_WORDS: dict[PeriodName, str] = {
    "before": "before the roadmap",
    "while": "while the roadmap is introduced and learnt",
    "after": "after the roadmap",
}


def weeks_in_words(period: Period) -> str:
    """Return the weeks of a period, which may differ between replications."""
    first, last = period.weeks["first"], period.weeks["end"] - 1
    if first.nunique() == 1 and last.nunique() == 1:
        return format_weeks(int(first.iloc[0]), int(last.iloc[0]))
    begin, end = (
        str(values.min()) if values.nunique() == 1 else f"{values.min()}–{values.max()}"
        for values in (first, last)
    )
    return f"weeks {begin} to {end}"


def periods_in_words(payback: Payback) -> str:
    """Return in a line what the periods are, and which are empty."""
    there = {period.name: period for period in payback.periods}
    n = len(payback.invested.runs)
    told = []
    rules: tuple[tuple[PeriodName, str], ...] = (
        ("before", "from the warm-up to the start of the roadmap"),
        ("while", "until its last practice is adopted and learnt"),
        ("after", "the rest"),
    )
    for name, rule in rules:
        period = there.get(name)
        if period is None:
            told.append(f"{name}: {rule}, which here is no week")
            continue
        few = f", in {len(period.weeks)} of {n} replications" if len(period.weeks) < n else ""
        told.append(f"{name}: {rule} ({weeks_in_words(period)}{few})")
    return f"{capitalized('; '.join(told))}. Weeks are counted from 0."


def payback_table(payback: Payback, on_paper: bool) -> Table:
    """Return how the metrics differ from those of the same organization without the roadmap.

    Args:
        payback: the two organizations; with at least one period.
        on_paper: there is room for the levels beside the differences.
    """
    columns = [Column("metric", "unit")]
    for period in payback.periods:
        what, _, weeks = weeks_in_words(period).partition(" ")
        columns.append(Column(period.name, f"{what}\n{weeks}", is_number=True))
    priced = [COST, "net_cost_per_week"] if is_priced(payback.invested) else []
    groups = []
    for family in (None, [*companions(), *priced]):
        each = [
            headline_differences(period.comparison, WITH)
            if family is None
            else {row.metric: row for row in differences(period.comparison, WITH, family)}
            for period in payback.periods
        ]
        names = headlines() if family is None else family
        groups.append(Group([_row(name, payback, each, on_paper) for name in names]))
    caption = (
        "With the roadmap, against without it: paired differences, with 95 % intervals that are "
        "Holm-adjusted within each period and group of rows; bold where they leave out zero."
    )
    media = ON_PAPER if on_paper else IN_TERMINAL
    return Table(columns, groups, caption, media=media)


def _row(
    name: str, payback: Payback, periods: Sequence[Mapping[str, Difference]], on_paper: bool
) -> Row:
    of = catalogue.metric(name).priced_in(payback.invested.scenario.cost.currency)
    levels = [found[name].first for found in periods if not math.isnan(found[name].first)]
    unit = column_unit(of, levels[-1] if levels else 0.0)
    cells: list[Cell | str] = [Cell(of.label, unit_of_change(unit).heading)]
    for found in periods:
        row = found[name]
        if row.is_none:
            cells.append(Cell("the same", tone="dim"))
            continue
        shown = difference_in(unit, row.difference, row.low, row.high)
        note = shown.interval
        if shown.value != NO_DATA and not note:
            note = UNKNOWN
        if on_paper and shown.value != NO_DATA:
            ends = (format_number(level / unit.size) for level in (row.first, row.other))
            note = f"{note} · {' → '.join(ends)}"
        cells.append(Cell(shown.value, note, "strong" if row.is_clear else ""))
    return Row(cells, "headline" if of.prominence == "headline" else "", name=name)


def payback_caveats(payback: Payback) -> list[Caveat]:
    """Return what a reader has to know before believing what a roadmap brings.

    Whether the warm-up is long enough is judged by the organization without the roadmap: with it,
    the change itself looks like a warm-up.
    """
    n = len(payback.invested.runs)
    found = [*few_replications(n), *warm_up_caveats(payback.waited)]
    if payback.reported is not None:
        found += caveats_of_what_happened(payback.reported)
    return found
