"""The hours of people by purpose."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.log import Tables
from sim.metrics.arrays import (
    AbsentError,
    FloatArray,
    IntArray,
    Window,
    flags,
    inside,
    known,
    label_positions,
    labels,
    overlap,
    reals,
    table,
)
from sim.metrics.catalogue import Metric, measures

EFFORTS = {
    "delivery": "delivery",
    "incident_work": "incident work",
    "toil": "toil",
    "investment": "investment",
}
"""The purposes of people's work; see :func:`effort_by_activity`."""

_PURPOSES = {
    "incident": "incident_work",
    "remediation": "incident_work",
    "toil": "toil",
    "investment": "investment",
}


def stint_hours(work: pd.DataFrame, capacity: pd.DataFrame | None, window: Window) -> FloatArray:
    """Return the focused hours of each stint that fall into the window.

    A stint that crosses an edge of the window is cut in proportion to the working time of its pool,
    so that nights take nothing of it. In proportion to elapsed time are cut the stints of somebody
    on call, around the clock, and those for whose time the table of capacity has nothing: of a pool
    that is not there, or outside its hours. A stint that is not over goes on for as long as the
    pool has capacity; if that is not known, until the window's end.

    Args:
        work: The table of stints.
        capacity: The table of capacity; None if it is absent.
        window: Start and end of the observed time, in hours.

    Returns:
        Hours, (stints,).

    Raises:
        AbsentError: A stint has to be cut, and the table of capacity is absent.
    """
    start, stop = reals(work, "started_at"), reals(work, "finished_at")
    effort_h = np.nan_to_num(reals(work, "effort_h"))
    on_call = flags(work, "around_the_clock")
    end = np.where(on_call, start + effort_h, window[1])  # on call an hour of work takes an hour
    end = np.where(np.isnan(stop), end, stop)
    elapsed = end - start
    inside_share = np.divide(
        overlap(start, end, window),
        elapsed,
        out=inside(start, window).astype(np.float64),
        where=elapsed > 0.0,
    )
    begins_inside = start >= window[0]
    whole = begins_inside & (stop <= window[1])
    seen = (start < window[1]) & ~(stop <= window[0])
    cut = np.flatnonzero(seen & ~whole & ~on_call)
    if cut.size and capacity is None:
        raise AbsentError("a stint crosses an edge of the window; the table 'capacity' is absent")
    if cut.size and capacity is not None and len(capacity) > 0:
        share = _share_of_working_time(work.iloc[cut], capacity, window)
        inside_share[cut] = np.where(np.isnan(share), inside_share[cut], share)
    hours: FloatArray = inside_share * effort_h
    return hours


def _share_of_working_time(
    work: pd.DataFrame, capacity: pd.DataFrame, window: Window
) -> FloatArray:
    """Return which share of the working time of each stint lies in the window, NaN if it has none.

    Args:
        work: Stints; one that is not over goes on until the end of its pool's capacity.
        capacity: As for :func:`stint_hours`.
        window: As for :func:`stint_hours`.
    """
    start, stop = reals(work, "started_at"), reals(work, "finished_at")
    stop = np.where(np.isnan(stop), np.inf, stop)
    times = np.stack(
        [start, stop, np.maximum(start, window[0]), np.minimum(stop, window[1])], axis=1
    )
    pools = labels(work, "pool")
    pool = label_positions(work, "pool", pools)
    pool_of_row = label_positions(capacity, "pool", pools)
    opens, closes = reals(capacity, "opens_at"), reals(capacity, "closes_at")
    available_h = reals(capacity, "available_h")
    share = np.full(start.size, np.nan)
    order = np.lexsort((opens, pool_of_row))
    edges = np.searchsorted(pool_of_row[order], np.arange(len(pools) + 1))
    for number, (first, last) in enumerate(pairwise(edges)):
        if first == last:
            continue
        rows, own = order[first:last], np.flatnonzero(pool == number)
        before = np.append(0.0, np.cumsum(available_h[rows]))
        of = np.maximum(np.searchsorted(opens[rows], times[own], side="right") - 1, 0)
        part = (times[own] - opens[rows][of]) / (closes[rows] - opens[rows])[of]
        worked = before[of] + np.clip(part, 0.0, 1.0) * available_h[rows][of]
        total = worked[:, 1] - worked[:, 0]
        within = worked[:, 3] - worked[:, 2]
        share[own] = np.divide(within, total, out=np.full(own.size, np.nan), where=total > 0.0)
    return share


def available_hours(capacity: pd.DataFrame, window: Window) -> FloatArray:
    """Return the available hours of each stretch of working time that fall into the window."""
    opens, closes = reals(capacity, "opens_at"), reals(capacity, "closes_at")
    observed = overlap(opens, closes, window) / (closes - opens)
    hours: FloatArray = observed * reals(capacity, "available_h")
    return hours


def _hours_of_people(name: str, label: str, meaning: str, **properties: Any) -> Metric:
    return Metric(
        name=f"{name}_h_per_week",
        label=label,
        meaning=meaning,
        topic="people and machines",
        dimension="quantity",
        unit="h per week",
        part_kind="effort",
        **properties,
    )


@measures(
    *(
        _hours_of_people(
            name,
            f"people's time for {label}",
            f"focused hours of people that go into {label}",
            part_label=label,
            prominence="detail" if name == "investment" else "supplement",
        )
        for name, label in EFFORTS.items()
    ),
    _hours_of_people(
        "idle",
        "idle time",
        "available hours of people without work",
        part_label="idle",
        # On-call work takes from idle time what it adds to nothing.
        lowest=-math.inf,
    ),
    _hours_of_people(
        "capacity",
        "capacity",
        "focused hours that people can work",
        parts=tuple(f"{name}_h_per_week" for name in (*EFFORTS, "idle")),
    ),
)
def effort_by_activity(tables: Tables, window: Window) -> dict[str, float]:
    """Return the focused hours of people per week, by what they went into.

    `incident_work` is response, diagnosis and repair, and work on the expedited changes that remedy
    an incident; `toil` is repairing automation; `investment` is work on practices that are being
    introduced; `delivery` is all other work: exploring, writing, and the steps that changes go
    through. `idle` is what is left of the available hours, so that the five add up to `capacity`.
    Work of somebody on call outside working hours takes from `idle` and adds nothing to `capacity`.

    Args:
        tables: Event tables, of which `work` and `capacity` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        `<name>_h_per_week`; NaN for what rests on a table that is absent.
    """

    def worked() -> FloatArray:
        work = table(tables, "work")
        return _by_purpose(_purposes(work), stint_hours(work, tables.get("capacity"), window))

    def available() -> float:
        capacity = table(tables, "capacity")
        return float(available_hours(capacity, window)[flags(capacity, "people")].sum())

    by_purpose = known(worked, np.full(len(EFFORTS), np.nan))
    return _per_week(by_purpose, known(available, np.nan), window)


def effort_by_role(tables: Tables, window: Window) -> pd.DataFrame:
    """Return the same for each role.

    Args:
        tables: Event tables, of which `work` and `capacity` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        A row per role that has people in the table of capacity, in its order; columns as the names
        of :func:`effort_by_activity`.
    """
    work, capacity = table(tables, "work"), table(tables, "capacity")
    capacity = capacity[flags(capacity, "people")]
    roles = labels(capacity, "resource")
    role_of_stint = label_positions(work, "role", roles)
    purpose, hours = _purposes(work), stint_hours(work, capacity, window)
    available_h = available_hours(capacity, window)
    role = label_positions(capacity, "resource", roles)
    rows = []
    for number in range(len(roles)):
        own = role_of_stint == number
        by_purpose = _by_purpose(purpose[own], hours[own])
        rows.append(_per_week(by_purpose, float(available_h[role == number].sum()), window))
    return pd.DataFrame(rows, index=roles.rename("role"))


def _purposes(work: pd.DataFrame) -> IntArray:
    """Return what each stint is for, as a position in EFFORTS."""
    names = labels(work, "activity")
    # The extra one at the end is what a stint without an activity picks.
    purposes = [list(EFFORTS).index(_PURPOSES.get(name, "delivery")) for name in [*names, None]]
    return np.array(purposes, dtype=np.intp)[label_positions(work, "activity", names)]


def _by_purpose(purpose: IntArray, hours: FloatArray) -> FloatArray:
    return np.bincount(purpose, hours, minlength=len(EFFORTS)).astype(np.float64)


def _per_week(by_purpose: FloatArray, available_h: float, window: Window) -> dict[str, float]:
    weeks = (window[1] - window[0]) / HOURS_PER_WEEK
    hours = dict(zip(EFFORTS, by_purpose, strict=True))
    idle_h = available_h - by_purpose.sum()
    if abs(idle_h) < 1e-9 * available_h:  # the rounding of two sums
        idle_h = 0.0
    hours |= {"idle": idle_h, "capacity": available_h}
    return {f"{name}_h_per_week": float(value / weeks) for name, value in hours.items()}
