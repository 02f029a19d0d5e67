"""Pictures of the week: how busy people are at each hour.

It takes public tables and an ``Axes``, draws into it and returns it.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from sim.document.picture import Picture
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_DAY, HOURS_PER_WEEK
from sim.log import Records, Tables
from sim.metrics.arrays import (
    FloatArray,
    IntArray,
    Window,
    cut,
    flags,
    label_positions,
    labels,
    reals,
    table,
)
from sim.metrics.utilization import utilization
from sim.report.content import instability
from sim.report.evidence import Evidence, of_replication, with_source
from sim.report.palette import INK, entitle, new_figure, say_no_data
from sim.report.pictures import draws
from sim.report.units import format_percent
from sim.scenario.organization import DAYS
from sim.words import readable

_HOURS = int(HOURS_PER_WEEK)


def people_by_role(tables: Tables) -> "pd.Series[int]":
    """Return how many people of each role did anything, by role in the order of the table."""
    work = table(tables, "work", "person", "role", "pool")
    if work.empty:
        return pd.Series(dtype="int64")
    known = work[work["person"].notna()]
    people = known.drop_duplicates(["role", "pool", "person"])["role"].value_counts()
    return people.reindex(labels(work, "role"), fill_value=0)


def share_at_work(tables: Tables, window: Window) -> pd.DataFrame:
    """Return which share of the people of each role is at work in each hour of the week.

    A person who has a task is at work in working hours, short meetings in between included. A
    person on call is at work whenever there is something to do.

    Args:
        tables: Event tables, of which `work` and `capacity` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        A row per role, a column per hour of the week, 0 (Monday, 00:00 to 01:00) to 167; NaN for an
        hour that the window does not have. A role whose people never did anything has no row.
    """
    work = table(tables, "work", "started_at")
    if work.empty:
        return pd.DataFrame(columns=range(_HOURS), dtype=float).rename_axis("role")
    people = people_by_role(tables)
    people = people[people > 0]
    work = work[work["started_at"].notna()]
    stint, start, stop = _within_working_hours(work, table(tables, "capacity"), window[1])
    role = label_positions(work, "role", people.index)[stint]
    observed = _per_hour_of_week(np.array(window[:1]), np.array(window[1:]), window)
    shares = {}
    for number, (name, count) in enumerate(people.items()):
        hours = _per_hour_of_week(start[role == number], stop[role == number], window)
        shares[name] = np.divide(
            hours, count * observed, out=np.full(_HOURS, np.nan), where=observed > 0.0
        )
    frame = pd.DataFrame.from_dict(shares, orient="index", columns=range(_HOURS), dtype=float)
    return frame.rename_axis("role")


def _per_hour_of_week(start: FloatArray, stop: FloatArray, window: Window) -> FloatArray:
    """Return how much of the stretches falls into each hour of the week, in hours."""
    edges = np.arange(np.floor(window[0]), np.ceil(window[1]) + 1.0)
    start, stop = (np.clip(times, *window) for times in (start, stop))

    def since(times: FloatArray) -> FloatArray:
        """Return the hours since each of the times, up to each edge, all times together."""
        times = np.sort(times)
        before = np.searchsorted(times, edges)
        total: FloatArray = before * edges - np.append(0.0, np.cumsum(times))[before]
        return total

    # The difference of two sums: what is nothing may come out a little less.
    spent = np.diff(since(start) - since(stop)).clip(min=0.0)
    hour = edges[:-1].astype(np.intp) % _HOURS
    return np.bincount(hour, spent, minlength=_HOURS).astype(np.float64)


def _within_working_hours(
    work: pd.DataFrame, capacity: pd.DataFrame, end: float
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return row, start and stop of each piece of a stint that lies in working hours.

    Stints of somebody on call, and of a pool that has no working hours in the table of capacity,
    stay whole; one that is not over lasts until ``end``.
    """
    start, stop = reals(work, "started_at"), reals(work, "finished_at")
    stop = np.where(np.isnan(stop), end, stop)
    pools = labels(capacity, "pool")
    pool = label_positions(work, "pool", pools)
    pool_of_row = label_positions(capacity, "pool", pools)
    opens, closes = reals(capacity, "opens_at"), reals(capacity, "closes_at")
    pool[flags(work, "around_the_clock")] = -1
    rows = np.flatnonzero(pool < 0)
    pieces = [(rows, start[rows], stop[rows])]
    for number in range(len(pools)):
        rows, days = np.flatnonzero(pool == number), np.flatnonzero(pool_of_row == number)
        days = days[np.argsort(opens[days])]
        edges = np.stack([opens[days], closes[days]], axis=1).ravel()
        stint, period, _ = cut(start[rows], stop[rows], edges)
        is_open = period % 2 == 0
        row, period = rows[stint[is_open]], period[is_open]
        begin = np.maximum(start[row], edges[period])
        finish = np.minimum(stop[row], edges[period + 1])
        pieces.append((row, begin, finish))
    row, begin, finish = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return row, begin, finish


def plot_week(records: Records, ax: Axes, busy: Mapping[str, float] | None = None) -> Axes:
    """Draw how many of the people of each role are at work, hour by hour through the week.

    The darker, the more; at the right stands how busy the role is in all, as in the table of
    utilization. See :func:`share_at_work` for what counts.

    Args:
        records: Records, of which the tables `work` and `capacity` are read.
        ax: Where to draw.
        busy: Utilization by name of its metric, written beside the rows; by default that of the
            records.
    """
    tables, window = records.tables, records.window
    shares = share_at_work(tables, window)
    if shares.empty:
        say_no_data(ax)
        return ax
    beside = "utilization" if busy is None else "utilization,\nall replications"
    busy = utilization(tables, window) if busy is None else busy
    shares = shares.loc[sorted(shares.index, key=lambda role: -busy.get(f"utilization_{role}", 0))]
    mesh = ax.pcolormesh(
        np.arange(_HOURS + 1),
        np.arange(len(shares) + 1) - 0.5,
        shares.to_numpy(dtype=np.float64),
        cmap="Blues",
        vmin=0.0,
        vmax=1.0,
        # Without it some viewers show hairlines between the cells.
        edgecolors="face",
        linewidth=0.2,
        rasterized=True,
    )
    midnights = [HOURS_PER_DAY * day for day in range(len(DAYS) + 1)]
    for midnight in midnights[1:-1]:
        ax.axvline(midnight, color=INK, linewidth=0.7)
    for row in range(1, len(shares)):
        ax.axhline(row - 0.5, color="white", linewidth=3.0)
    people = people_by_role(tables)
    names = [
        f"{readable(str(role))}\n({people[role]} {'person' if people[role] == 1 else 'people'})"
        for role in shares.index
    ]
    ax.set_yticks(range(len(shares)), names, fontsize=10)
    ax.set_ylim(len(shares) - 0.5, -0.5)
    for row, role in enumerate(shares.index):
        if f"utilization_{role}" in busy:
            ax.annotate(
                format_percent(busy[f"utilization_{role}"]),
                (HOURS_PER_WEEK, row),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
                color=INK,
                annotation_clip=False,
            )
    ax.set_title(beside, loc="right", fontsize=9, color=INK)
    ax.xaxis.set_major_locator(FixedLocator(midnights))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda *_: ""))
    noons = [midnight + HOURS_PER_DAY / 2 for midnight in midnights[:-1]]
    ax.set_xticks(noons, [f"{day.capitalize()}\nnoon" for day in DAYS], minor=True, fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("hour of the week", fontsize=10)
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.08, aspect=14)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: format_percent(share)))
    bar.set_label("people of the role at work", fontsize=10)
    bar.outline.set_edgecolor(INK)
    return ax


@draws(section="How busy people and machines are", place=1)
def week_picture(evidence: Evidence) -> Picture:
    """Return the picture of how busy people are through the week."""
    records = evidence.records
    shares = share_at_work(records.tables, records.window)
    figure, (ax,) = new_figure(10.0, 1.5 + 0.5 * max(len(shares), 3))
    means = {str(name): float(mean) for name, mean in evidence.summary()["mean"].items()}
    plot_week(records, ax, means if isinstance(evidence, Study) else None)
    question = "When are people busy?"
    caption = (
        "The share of the people of each role who have work in hand, hour by hour, averaged over "
        "the weeks; work outside working hours is that of people on call."
    )
    caption = with_source(caption, evidence)
    title = f"People at work through the week{of_replication(evidence)}"
    title = entitle(figure, title, instability(evidence), no_data=shares.empty)
    if shares.empty:
        return Picture("week", figure, question, caption, title)
    told = []
    for role, of_role in shares.iterrows():
        hour = int(np.nanargmax(of_role.to_numpy(dtype=np.float64)))
        day, time = divmod(hour, int(HOURS_PER_DAY))
        told.append(
            f"{readable(str(role))} most on {DAYS[day].capitalize()} from {time}:00, "
            f"{format_percent(float(of_role[hour]))}"
        )
    alt = f"A heat map of the hours of the week, one row per role: {'; '.join(told)}."
    return Picture("week", figure, question, caption, alt)
