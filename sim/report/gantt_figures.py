"""Picture of some changes on their way: what each of them met, nights and weekends visible."""

import math
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullFormatter

from sim.document.picture import Picture
from sim.hours import HOURS_PER_DAY
from sim.log import Records, Tables
from sim.metrics.arrays import FloatArray, Window, flags, inside, known, matches, reals, table
from sim.metrics.catalogue import DURATION
from sim.metrics.flow import PARTS
from sim.report.content import LEAD_TIME_COMPONENTS, instability, step_name
from sim.report.evidence import Evidence, of_replication, with_source
from sim.report.palette import (
    BLACK,
    FILLS,
    INK,
    entitle,
    explain,
    fill_patch,
    new_figure,
    say_no_data,
)
from sim.report.pictures import draws
from sim.report.units import format_number, format_value, unit_for
from sim.scenario.organization import DAYS

GANTT_CHANGES = 8
"""Changes in the picture of a study."""

_CLOSED = "#e2e2e2"
_SAME_TIME_H = 1e-6
_BAR = 0.25
"""Half the height of the bar of a change, of which a row has 1."""


def working_time(tables: Tables, role: str | None = None) -> pd.DataFrame:
    """Return when people of any pool work.

    Args:
        tables: Event tables, of which `capacity` is read.
        role: Only people of this role; by default of all.

    Returns:
        A row per stretch, in the order of time and without overlaps: `opens_at` and `closes_at` in
        hours, and `focus`, the share of the time that meetings leave.

    Raises:
        AbsentError: There is no such table, or it does not say that.
    """
    capacity = table(tables, "capacity", "resource", "people", "opens_at", "closes_at")
    frame = pd.DataFrame(
        {name: reals(capacity, name) for name in ("opens_at", "closes_at", "available_h", "paid_h")}
    )
    own = flags(capacity, "people")
    if role is not None:
        own = own & matches(capacity, "resource", role)
    frame = frame[own & (frame["closes_at"] > frame["opens_at"])].sort_values("opens_at")
    # A stretch that begins after all before it have ended begins a new one.
    starts = frame["opens_at"] > frame["closes_at"].cummax().shift(fill_value=-np.inf)
    merged = frame.groupby(starts.cumsum()).agg(
        {"opens_at": "min", "closes_at": "max", "available_h": "sum", "paid_h": "sum"}
    )
    focus = (merged["available_h"] / merged["paid_h"].where(merged["paid_h"] > 0.0)).fillna(1.0)
    return merged[["opens_at", "closes_at"]].assign(focus=focus).reset_index(drop=True)


def open_stretches(working: pd.DataFrame, start: float, end: float) -> pd.DataFrame:
    """Return the stretches of :func:`working_time` between two times, cut there."""
    seen = working[(working["closes_at"] > start) & (working["opens_at"] < end)]
    return seen.assign(
        opens_at=seen["opens_at"].clip(lower=start), closes_at=seen["closes_at"].clip(upper=end)
    )


def gantt_changes(tables: Tables, window: Window, count: int) -> pd.DataFrame:
    """Return some changes that were committed one after the other and deployed in the window.

    Of all such runs it is the one that took a median time from its first commit to its last
    deployment: neither a lucky nor an unlucky stretch.

    Args:
        tables: Event tables, of which `changes` is read.
        window: Start and end of the observed time, in hours.
        count: How many; fewer if there are no more.

    Returns:
        Their rows of the table of changes, by time of commit.
    """
    changes = table(tables, "changes", "change_id", "kind", "service")
    is_whole = inside(reals(changes, "deployed_at"), window)
    is_whole &= ~np.isnan(reals(changes, "committed_at"))
    if not is_whole.any():
        return changes[is_whole]
    delivered = changes[is_whole].sort_values("committed_at", kind="stable")
    count = min(count, len(delivered))
    committed_at, deployed_at = reals(delivered, "committed_at"), reals(delivered, "deployed_at")
    runs = np.lib.stride_tricks.sliding_window_view(deployed_at, count)
    took = runs.max(axis=1) - committed_at[: len(runs)]
    first = int(np.argsort(took, kind="stable")[(took.size - 1) // 2])
    return delivered.iloc[first : first + count]


def gantt_segments(tables: Tables, changes: pd.DataFrame) -> pd.DataFrame:
    """Return what happened to changes between commit and deployment, stretch by stretch.

    The table of steps says how long an execution waited and was worked on. Here work of people is
    put into the working hours of its role before it was done, the rest of that time (nights,
    weekends, meetings, queues) is waiting for people. If it does not fit into them, because
    somebody was on call, or if nobody knows them, it is put right before it was done.

    Args:
        tables: Event tables, of which `steps` and `capacity` are read.
        changes: Rows of the table of changes, all with `committed_at` and `deployed_at`.

    Returns:
        A row per stretch: `change_id`, `step`, `part` (a column of the table of steps), `start` and
        `stop` in hours, `rework`. Those of a step add up to the time it took, by part to the hours
        in the table.
    """
    rows = []
    steps = table(tables, "steps", "step", "rework", "queued_at", "finished_at", *PARTS[1:])
    between = changes.set_index("change_id")[["committed_at", "deployed_at"]]
    own = table({"steps": steps}, "steps", "change_id")
    if own.empty:
        return pd.DataFrame(columns=["change_id", "step", "rework", "part", "start", "stop"])
    own = own[own["change_id"].isin(between.index)].sort_values("queued_at", kind="stable")
    unknown = working_time({"capacity": pd.DataFrame()})
    roles = own["role"].unique() if "role" in own else [None]
    of_role = {role: known(partial(working_time, tables, role), unknown) for role in roles}
    for step in own.to_dict("records"):
        committed_at, deployed_at = between.loc[step["change_id"]]
        if (
            step["queued_at"] < committed_at - _SAME_TIME_H
            or step["finished_at"] > deployed_at + _SAME_TIME_H
        ):
            continue
        about = {name: step[name] for name in ("change_id", "step", "rework")}
        for part, start, stop in _stretches(step, of_role[step.get("role")]):
            rows.append(about | {"part": part, "start": start, "stop": stop})
    columns = ["change_id", "step", "rework", "part", "start", "stop"]
    return pd.DataFrame(rows, columns=columns)


def _stretches(
    step: Mapping[Hashable, Any], working: pd.DataFrame
) -> list[tuple[str, float, float]]:
    """Return the parts of one execution of a step in the order in which it lived them."""
    lasting = {part: step.get(part, 0.0) for part in PARTS}
    lasting = {part: 0.0 if math.isnan(hours) else hours for part, hours in lasting.items()}
    now = step["queued_at"]
    stretches = []
    for part in ("batch_h", "handoff_h", "window_h"):
        stretches.append((part, now, now + lasting[part]))
        now += lasting[part]
    done = now + lasting["people_h"] + lasting["effort_h"]
    for start, stop in _worked(now, done, lasting["effort_h"], working):
        stretches += [("people_h", now, start), ("effort_h", start, stop)]
        now = stop
    stretches.append(("people_h", now, done))
    now = done
    for part in ("compute_h", "run_h"):
        stretches.append((part, now, now + lasting[part]))
        now += lasting[part]
    return [(part, start, stop) for part, start, stop in stretches if stop > start]


def _worked(
    start: float, end: float, effort_h: float, working: pd.DataFrame
) -> list[tuple[float, float]]:
    """Return when work was done that ended at ``end``; meetings come first on each day."""
    found = []
    left = effort_h
    for _, begin, stop, focus in open_stretches(working, start, end).iloc[::-1].itertuples():
        if left <= _SAME_TIME_H:
            break
        taken = min(left, focus * (stop - begin))
        found.append((stop - taken, stop))
        left -= taken
    if left > _SAME_TIME_H:
        return [(end - effort_h, end)]
    return found[::-1]


def plot_gantt(records: Records, ax: Axes, count: int = 8) -> Axes:
    """Draw some consecutive changes on their way from commit to production, a row each.

    Each row is coloured by what happens: work, machines running, and waiting by cause. A thin bar
    below it is rework, steps begun after something had sent the change back. Nights and weekends
    are grey, if the table of capacity says when people work. See :func:`gantt_changes` for which
    changes are shown.

    Args:
        records: Records, of which the tables `changes`, `steps` and `capacity` are read.
        ax: Where to draw.
        count: How many changes.
    """
    tables = records.tables
    changes = gantt_changes(tables, records.window, count)
    if changes.empty:
        say_no_data(ax)
        return ax
    segments = gantt_segments(tables, changes)
    start, end = float(changes["committed_at"].min()), float(changes["deployed_at"].max())
    # Room at the right for the lead time of the last one.
    start, end = start - 0.01 * (end - start), end + 0.16 * (end - start)
    working = known(lambda: working_time(tables), pd.DataFrame())
    if not working.empty:
        _shade_closed(working, start, end, ax)
    took_h = changes["deployed_at"] - changes["committed_at"]
    unit = unit_for(DURATION, float(took_h.median()))
    row_of = {change: row for row, change in enumerate(changes["change_id"])}
    rows = segments["change_id"].map(row_of).to_numpy(dtype=float)
    for part, own in segments.groupby("part").groups.items():
        _bars(segments.loc[own], rows[segments.index.get_indexer(own)], str(part), 0.0, _BAR, ax)
    again = segments["rework"].to_numpy(dtype=bool)
    _bars(segments[again], rows[again], "rework_h", _BAR + 0.09, 0.06, ax)
    for change in changes.to_dict("records"):
        row = row_of[change["change_id"]]
        _name_steps(segments[segments["change_id"] == change["change_id"]], row, end - start, ax)
        took = (change["deployed_at"] - change["committed_at"]) / unit.size
        ax.plot([change["deployed_at"]], [row], "D", color=BLACK, markersize=4.5, zorder=6)
        ax.annotate(
            f"{format_number(took)} {unit.name}",
            (change["deployed_at"], row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
            zorder=5,
        )
    names = [f"{row.kind} {row.change_id}\n{row.service}" for row in changes.itertuples()]
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set_ylim(len(names) - 0.45, -0.6)
    ax.set_xlim(start, end)
    _name_days(start, end, ax)
    ax.tick_params(axis="y", length=0)
    for spine in ("right", "top", "left"):
        ax.spines[spine].set_visible(False)
    labels = {part.column: part.label for part in LEAD_TIME_COMPONENTS}
    labels["rework_h"] = "rework (below the row)"
    shown = [name for name in labels if name in set(segments["part"]) or name == "rework_h"]
    if not again.any():
        shown.remove("rework_h")
    handles: list[Patch | Line2D] = [fill_patch(name, labels[name]) for name in shown]
    if not working.empty:
        handles.append(Patch(facecolor=_CLOSED, label="nights and weekends"))
    handles.append(Line2D([], [], marker="D", color=BLACK, linestyle="", label="in production"))
    explain(handles, ax)
    return ax


def _shade_closed(working: pd.DataFrame, start: float, end: float, ax: Axes) -> None:
    now = start
    stretches = open_stretches(working, start, end)
    times = zip(stretches["opens_at"], stretches["closes_at"], strict=True)
    for begin, stop in [*times, (end, end)]:
        if begin > now:
            ax.axvspan(now, begin, facecolor=_CLOSED, linewidth=0.0, zorder=0)
        now = stop


def _bars(
    segments: pd.DataFrame, rows: FloatArray, name: str, below: float, half: float, ax: Axes
) -> None:
    fill = FILLS[name]
    start = segments["start"].to_numpy(dtype=float)
    ax.barh(
        rows + below,
        segments["stop"].to_numpy(dtype=float) - start,
        left=start,
        height=2 * half,
        color=fill.colour,
        hatch=fill.hatch,
        edgecolor=fill.hatch_colour,
        linewidth=0.0,
        zorder=3,
    )


def _name_steps(segments: pd.DataFrame, row: int, span: float, ax: Axes) -> None:
    """Separate the steps of a change, and write above those that are long enough what they are."""
    runs = (segments["step"] != segments["step"].shift()).cumsum()
    for _, step in segments.groupby(runs):
        start, stop = float(step["start"].iloc[0]), float(step["stop"].iloc[-1])
        if stop - start > 0.004 * span:
            ax.plot([start, start], [row - _BAR, row + _BAR], color=INK, linewidth=0.7, zorder=4)
        name = step_name(step["step"].iloc[0])
        if stop - start > 0.0125 * len(name) * span:
            ax.text(
                start,
                row - _BAR - 0.04,
                name,
                va="bottom",
                fontsize=7.5,
                color=INK,
                clip_on=True,
                zorder=4,
            )


_MOST_NAMED_DAYS = 12


def _name_days(start: float, end: float, ax: Axes) -> None:
    """Write the days below the axis, with the week below each Monday; Mondays only if many."""
    days = range(math.ceil(start / HOURS_PER_DAY), math.ceil(end / HOURS_PER_DAY))
    ax.xaxis.set_major_locator(FixedLocator([HOURS_PER_DAY * day for day in days]))
    ax.xaxis.set_major_formatter(NullFormatter())
    every_day = len(days) <= _MOST_NAMED_DAYS
    labels = {
        HOURS_PER_DAY * (day + (0.5 if every_day else 0.0)): _day_name(day, every_day)
        for day in days
        if every_day or day % len(DAYS) == 0
    }
    labels = {at: name for at, name in labels.items() if at < end}
    if every_day:
        ax.xaxis.set_minor_locator(FixedLocator(list(labels)))
        ax.set_xticks(list(labels), list(labels.values()), minor=True, fontsize=9)
        ax.tick_params(axis="x", which="minor", length=0)
    else:
        ax.set_xticks(list(labels), list(labels.values()), fontsize=9)
    ax.set_xlabel("days, from commit to production", fontsize=10)


def _day_name(day: int, every_day: bool) -> str:
    week = f"week {day // len(DAYS)}"
    name = DAYS[day % len(DAYS)].capitalize()
    return f"{name}\n{week}" if day % len(DAYS) == 0 or not every_day else name


@draws(section="Where lead time goes", place=2)
def gantt_picture(evidence: Evidence) -> Picture:
    """Return the picture of some changes on their way to production."""
    records = evidence.records
    changes = gantt_changes(records.tables, records.window, GANTT_CHANGES)
    figure, (ax,) = new_figure(10.0, 1.6 + 0.46 * max(len(changes), 3))
    plot_gantt(records, ax, GANTT_CHANGES)
    question = "What do changes meet on their way?"
    caption = (
        "Changes committed one after the other, from commit to production; of all such stretches, "
        "one that took a median time. Work is drawn in the working hours before it was done."
    )
    caption = with_source(caption, evidence)
    title = f"Changes on their way to production{of_replication(evidence)}"
    title = entitle(figure, title, instability(evidence), no_data=changes.empty)
    if changes.empty:
        return Picture("gantt", figure, question, caption, title)
    told = "; ".join(
        f"{change['kind']} {change['change_id']} of {change['service']} "
        + format_value(DURATION, change["deployed_at"] - change["committed_at"])
        for change in changes.to_dict("records")
    )
    alt = f"A row per change, with its work and waits, and nights and weekends shaded: {told}."
    return Picture("gantt", figure, question, caption, alt)
