"""Weekly time series, for Welch plots and for looking at one run."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_DAY, HOURS_PER_WEEK
from sim.log import Tables
from sim.metrics.arrays import FloatArray, IntArray, flags, known, overlap, reals, stretches, table
from sim.metrics.catalogue import Metric, Topic, metric
from sim.metrics.cost import HEADS, bills
from sim.metrics.dora import charged_deployments, has_incident


def _count(name: str, meaning: str, topic: Topic) -> Metric:
    return Metric(
        name=name,
        label=name.replace("_", " "),
        meaning=meaning,
        topic=topic,
        dimension="quantity",
        unit="per week",
    )


@cache
def weekly_columns() -> dict[str, Metric]:
    """Return what the columns of :func:`weekly_series` are: what happened within a week.

    Some are called like a metric of the whole window, and are another mean.
    """
    columns = (
        _count("deployments", "successful production deployments", "deployment"),
        _count("failed_deployments", "of these, those that caused an incident, ever", "failure"),
        _count("changes_deployed", "changes that went to production", "deployment"),
        replace(metric("lead_time_mean_h"), name="lead_time_h"),
        replace(metric("lead_time_h"), name="lead_time_median_h", label="median lead time"),
        metric("work_in_progress"),
        _count("incidents", "incidents that started", "failure"),
        replace(_count("restored", "incidents restored", "restoring"), label="incidents restored"),
        replace(metric("time_to_restore_mean_h"), name="time_to_restore_h"),
        Metric(
            name="quality",
            label="quality of live models",
            meaning="mean quality over services and time",
            topic="service",
            dimension="quantity",
            highest=1.0,
        ),
        metric("share_below_objective"),
        replace(metric("net_cost_per_week"), name="net_cost"),
    )
    return {column.name: column for column in columns}


ROLLING = (
    "deployment_frequency",
    "lead_time_mean_h",
    "change_failure_rate",
    "time_to_restore_mean_h",
)
"""The metrics of the catalogue that :func:`rolling_metrics` gives over time."""


def weekly_series(tables: Tables, horizon_weeks: int) -> pd.DataFrame:
    """Return what happened in each week since the beginning of the tables, warm-up included.

    Args:
        tables: Event tables.
        horizon_weeks: Number of weeks, from week 0.

    Returns:
        A row per week (index `week`) with the columns of :func:`weekly_columns`: counts, hours,
        shares, and money. Quality and time below objective are means over services and time, each
        row of the table of quality holding until the service's next. Means and medians of nothing
        are NaN, and so are a cost without prices and all that needs a table or column that is
        absent.
    """

    def count(times: FloatArray, values: FloatArray | None = None) -> FloatArray:
        observed = (times >= 0.0) & (times < horizon_weeks * HOURS_PER_WEEK)
        if values is not None:
            observed &= ~np.isnan(values)
            values = values[observed]
        weeks = (times[observed] // HOURS_PER_WEEK).astype(np.intp)
        return np.bincount(weeks, values, minlength=horizon_weeks).astype(np.float64)

    def mean(times: FloatArray, values: FloatArray) -> FloatArray:
        known = np.where(np.isnan(values), np.nan, times)
        return _ratio(count(known, values), count(known))

    def times(name: str, column: str) -> FloatArray:
        return reals(table(tables, name), column)

    def failed_at() -> FloatArray:
        deployed_at = times("deployments", "deployed_at")
        return deployed_at[has_incident(charged_deployments(tables), deployed_at.size)]

    def lead_time() -> tuple[FloatArray, FloatArray]:
        deployed_at = times("changes", "deployed_at")
        return deployed_at, deployed_at - times("changes", "committed_at")

    def restore_time() -> tuple[FloatArray, FloatArray]:
        restored_at = times("incidents", "restored_at")
        return restored_at, restored_at - times("incidents", "started_at")

    def in_progress() -> FloatArray:
        started_at, ended_at = times("changes", "started_at"), times("changes", "ended_at")
        return _hours_by_week(started_at, ended_at, horizon_weeks) / HOURS_PER_WEEK

    def mean_level(column: str) -> FloatArray:
        order, start, stop = stretches(tables, "quality")
        quality = table(tables, "quality")
        read = flags(quality, column).astype(float) if column == "below" else reals(quality, column)
        level = read[order]
        start = np.where(np.isnan(level), np.nan, start)
        return _ratio(
            _hours_by_week(start, stop, horizon_weeks, level),
            _hours_by_week(start, stop, horizon_weeks),
        )

    def net_cost() -> FloatArray:
        edges = HOURS_PER_WEEK * np.arange(horizon_weeks + 1, dtype=np.float64)
        bill = bills(tables, edges)
        cost = sum((bill[head] for head in HEADS), np.zeros(horizon_weeks))
        return cost - bill["worth"]

    columns: dict[str, Callable[[], FloatArray]] = {
        "deployments": lambda: count(times("deployments", "deployed_at")),
        "failed_deployments": lambda: count(failed_at()),
        "changes_deployed": lambda: count(times("changes", "deployed_at")),
        "lead_time_h": lambda: mean(*lead_time()),
        "lead_time_median_h": lambda: _median_by_week(*lead_time(), horizon_weeks),
        "work_in_progress": in_progress,
        "incidents": lambda: count(times("incidents", "started_at")),
        "restored": lambda: count(times("incidents", "restored_at")),
        "time_to_restore_h": lambda: mean(*restore_time()),
        "quality": lambda: mean_level("quality"),
        "share_below_objective": lambda: mean_level("below"),
        "net_cost": net_cost,
    }
    nobody_knows = np.full(horizon_weeks, np.nan)
    return pd.DataFrame(
        {name: known(column, nobody_knows) for name, column in columns.items()},
        index=pd.RangeIndex(horizon_weeks, name="week"),
    )


def rolling_metrics(weekly: pd.DataFrame, n_services: int, weeks: int) -> pd.DataFrame:
    """Return the four metrics over the last so many weeks, as they develop.

    Args:
        weekly: A row per replication and week, as :func:`weekly_series` returns them for one, with
            a column `replication`.
        n_services: How many services the organization has.
        weeks: Width of the window that ends with each week.

    Returns:
        A row per replication and week, with the metrics of :data:`ROLLING`; NaN in the weeks
        before the first whole window, and where nothing was deployed or restored.
    """
    sums = weekly[["deployments", "failed_deployments", "changes_deployed", "restored"]].assign(
        lead_time=weekly["lead_time_h"].fillna(0.0) * weekly["changes_deployed"],
        restore_time=weekly["time_to_restore_h"].fillna(0.0) * weekly["restored"],
    )
    rolled = sums.groupby(weekly["replication"]).rolling(weeks).sum().droplevel(0)
    days = weeks * HOURS_PER_WEEK / HOURS_PER_DAY
    return weekly[["replication", "week"]].assign(
        deployment_frequency=rolled["deployments"] / (n_services * days),
        lead_time_mean_h=_quotient(rolled["lead_time"], rolled["changes_deployed"]),
        change_failure_rate=_quotient(rolled["failed_deployments"], rolled["deployments"]),
        time_to_restore_mean_h=_quotient(rolled["restore_time"], rolled["restored"]),
    )


def _quotient(part: "pd.Series[float]", whole: "pd.Series[float]") -> "pd.Series[float]":
    return part / whole.where(whole > 0.5)  # sums of counts, which rolling makes inexact


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    quotient = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0.0)
    return quotient


def _median_by_week(times: FloatArray, values: FloatArray, horizon_weeks: int) -> FloatArray:
    """Return the median of the values of each week, NaN of nothing."""
    known = (times >= 0.0) & (times < horizon_weeks * HOURS_PER_WEEK) & ~np.isnan(values)
    week, values = (times[known] // HOURS_PER_WEEK).astype(np.intp), values[known]
    # All weeks end to end, each in the order of its values: its middle is half way from its first.
    values = np.append(values[np.lexsort((values, week))], np.nan)
    number = np.bincount(week, minlength=horizon_weeks)
    first = np.cumsum(number) - number
    below = first + np.maximum(number - 1, 0) // 2
    median = (values[below] + values[first + number // 2]) / 2.0
    return np.where(number > 0, median, np.nan)


def _hours_by_week(
    start: FloatArray, stop: FloatArray, horizon_weeks: int, weight: FloatArray | None = None
) -> FloatArray:
    """Return the hours of all stretches, times their weights, that fall into each week."""
    horizon = horizon_weeks * HOURS_PER_WEEK
    seen = overlap(start, stop, (0.0, horizon)) > 0.0
    start = np.fmax(start[seen], 0.0)
    stop = np.fmin(stop[seen], horizon)
    weight = np.ones(start.size) if weight is None else weight[seen]
    first = (start // HOURS_PER_WEEK).astype(np.intp)
    last = (stop // HOURS_PER_WEEK).astype(np.intp)

    # Count the weeks from that of the start to the one before that of the stop as full ones, then
    # take off what lies before the start and add what lies in the week of the stop. One extra week
    # takes in the stops at the horizon.
    def by_week(week: IntArray, values: FloatArray) -> FloatArray:
        return np.bincount(week, values, minlength=horizon_weeks + 1).astype(np.float64)

    full = np.cumsum(by_week(first, weight) - by_week(last, weight)) * HOURS_PER_WEEK
    before = by_week(first, weight * (start - first * HOURS_PER_WEEK))
    after = by_week(last, weight * (stop - last * HOURS_PER_WEEK))
    # Rounding must not leave a week with less than nothing.
    return np.maximum(full - before + after, 0.0)[:horizon_weeks]
