"""Pictures of changes on their way: how many there are at each stage, and what some of them met.

Each function takes public tables and an ``Axes``, draws into it and returns it.
"""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

from sim.experiment.replicate import Study
from sim.log import Tables
from sim.metrics.arrays import HOURS_PER_DAY, HOURS_PER_WEEK, FloatArray, Window, inside, reals
from sim.report.content import LEAD_TIME_COMPONENTS, instability, step_name
from sim.report.palette import (
    BLACK,
    FILLS,
    GREEN,
    INK,
    SKY,
    Picture,
    entitle,
    explain,
    fill_patch,
    new_figure,
    say_no_data,
    tidy,
)
from sim.report.units import NO_DATA, count_noun, format_number, format_value, unit_for
from sim.scenario.organization import DAYS, WorkingHours

# --- how many there are at each stage -----------------------------------------------------------


def cumulative_flow(tables: Tables, window: Window) -> pd.DataFrame:
    """Return how many changes had been started, committed and ended, whenever that changes.

    Counting begins with the window: what had ended before is left out, so the first row has
    nothing ended, and everything in progress started. A change that is given up before its commit
    no longer counts as started, which is why `started` may fall; `started` - `ended` is therefore
    the number of changes in progress at any time, and `committed` - `ended` those in the pipeline.

    Args:
        tables: Event tables, of which `changes` is read.
        window: Start and end of the observed time, in hours.

    Returns:
        Index `at`, hours, from the start of the window to its end; columns `started`, `committed`
        and `ended` (deployed, or given up after the commit).
    """
    changes = tables["changes"]
    deployed_at, ended_at = reals(changes, "deployed_at"), reals(changes, "ended_at")
    # Where nobody wrote down an earlier time, the stage before took none.
    committed_at = np.fmin(reals(changes, "committed_at"), deployed_at)
    committed_at = np.where(np.isnan(committed_at), deployed_at, committed_at)
    started_at = np.fmin(reals(changes, "started_at"), committed_at)
    was_committed = ~np.isnan(committed_at)
    given_up_at = np.where(was_committed, np.nan, ended_at)
    done_at = np.where(was_committed, ended_at, np.nan)

    times = np.concatenate([started_at, committed_at, given_up_at, done_at])
    at = np.unique([*window, *times[inside(times, window)]])

    def until_now(when: FloatArray) -> FloatArray:
        known = np.sort(when[~np.isnan(when)])
        return np.searchsorted(known, at, side="right").astype(np.float64)

    done = until_now(done_at)
    counts = {
        "started": until_now(started_at) - until_now(given_up_at),
        "committed": until_now(committed_at),
        "ended": done,
    }
    frame = pd.DataFrame(counts, index=pd.Index(at, name="at"))
    return frame.sub(done[0])


def plot_cumulative_flow(tables: Tables, window: Window, ax: Axes) -> Axes:
    """Draw how many changes were started, committed and deployed up to each time.

    The bands between the curves are work in progress by stage: their height is how much there is,
    their width how long it takes. A window of some weeks shows more than one of years, in which
    the bands are lines.

    Args:
        tables: Event tables, of which `changes` is read.
        window: Start and end of the drawn time, in hours.
        ax: Where to draw.
    """
    flow = cumulative_flow(tables, window)
    if not flow.to_numpy().any():
        say_no_data(ax)
        return ax
    weeks = flow.index.to_numpy(np.float64) / HOURS_PER_WEEK
    stages = (
        ("explored and written", "started", "committed", GREEN, "", "white"),
        ("in the pipeline", "committed", "ended", SKY, "///", INK),
        ("deployed", "ended", None, "#ececec", "", "white"),
    )
    handles: list[Patch] = []
    for label, top, bottom, colour, hatch, edge in stages:
        below = flow[bottom].to_numpy() if bottom else np.zeros(len(flow))
        ax.fill_between(
            weeks,
            below,
            flow[top].to_numpy(),
            step="post",
            facecolor=colour,
            hatch=hatch,
            edgecolor=edge,
            linewidth=0.0,
        )
        handles.append(Patch(facecolor=colour, hatch=hatch, edgecolor=edge, label=label))
    for name in ("started", "committed", "ended"):
        ax.step(weeks, flow[name], where="post", color=INK, linewidth=1.2)
    _mark_gaps(flow, ax)
    ax.set_xlim(weeks[0], weeks[-1])
    ax.set_ylim(0.0, 1.08 * float(flow["started"].max()))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("week", fontsize=10)
    ax.set_ylabel("changes since the first week shown", fontsize=10)
    tidy(ax)
    ax.legend(
        handles=handles,
        loc="upper left",
        fontsize=9.5,
        handlelength=2.8,
        handleheight=1.4,
        framealpha=1.0,
        edgecolor="white",
    )
    return ax


def _mark_gaps(flow: pd.DataFrame, ax: Axes) -> None:
    """Show what the height and the width of the bands are, each at one place."""
    start, end = float(flow.index[0]), float(flow.index[-1])
    at = start + 0.72 * (end - start)
    now = flow.iloc[int(flow.index.searchsorted(at, side="right")) - 1]
    in_progress = float(now["started"] - now["ended"])
    if in_progress > 0.0:
        week = at / HOURS_PER_WEEK
        _arrow(ax, (week, now["ended"]), (week, now["started"]))
        _below(ax, (week, now["ended"]), f"{count_noun(in_progress, 'change')} in progress")
    # As far along the committed curve as leaves room for the time it takes.
    early = flow.iloc[int(flow.index.searchsorted(start + 0.3 * (end - start), side="right")) - 1]
    level = float(early["committed"])
    reached = flow["ended"] >= level
    if level > 0.0 and reached.any():
        committed = flow.index[int((flow["committed"] >= level).to_numpy().argmax())]
        deployed = flow.index[int(reached.to_numpy().argmax())]
        if deployed > committed:
            left, right = committed / HOURS_PER_WEEK, deployed / HOURS_PER_WEEK
            _arrow(ax, (left, level), (right, level))
            hours = format_value("lead_time_h", deployed - committed)
            _below(ax, (right, level), f"about {hours} from\ncommit to deployment")


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "<->",
            "color": BLACK,
            "linewidth": 1.6,
            "shrinkA": 0.0,
            "shrinkB": 0.0,
        },
        zorder=5,
    )


def _below(ax: Axes, where: tuple[float, float], text: str) -> None:
    # To the right of and below a rising curve there is room.
    ax.annotate(
        text,
        where,
        xytext=(7, -5),
        textcoords="offset points",
        va="top",
        fontsize=9.5,
        color=INK,
        bbox={"facecolor": "#ececec", "edgecolor": "none", "pad": 1.0},
        zorder=6,
    )


FLOW_WEEKS = 12
"""Weeks of the picture of a study: of more, work in progress would be a line."""


def cumulative_flow_picture(study: Study) -> Picture:
    """Return the picture of the cumulative flow over the last weeks of a study."""
    run = study.first
    start, end = run.window
    window = (max(start, end - FLOW_WEEKS * HOURS_PER_WEEK), end)
    question = "How much is under way?"
    caption = (
        "The height of a band is work in progress, its width the time it takes. Of the last "
        f"{count_noun((end - window[0]) / HOURS_PER_WEEK, 'week')} of replication "
        f"{run.replication}, whose tables are kept."
    )
    title = f"Cumulative flow of changes (replication {run.replication})"
    figure, (ax,) = new_figure(10.0, 4.6)
    plot_cumulative_flow(run.tables, window, ax)
    flow = cumulative_flow(run.tables, window)
    if not flow.to_numpy().any():
        title = f"{title}: {NO_DATA}"
        entitle(figure, title, instability(study))
        return Picture(figure, question, caption, title)
    entitle(figure, title, instability(study))
    first, last = flow.iloc[0], flow.iloc[-1]
    alt = (
        f"Three rising curves: {count_noun(last['started'] - first['started'], 'change')} started "
        f"and kept, {format_number(last['committed'] - first['committed'], 0)} committed and "
        f"{format_number(last['ended'], 0)} deployed or given up after the commit in "
        f"{count_noun((end - window[0]) / HOURS_PER_WEEK, 'week')}. In progress at the beginning: "
        f"{format_number(first['started'], 0)}, of which {format_number(first['committed'], 0)} in "
        f"the pipeline; at the end {format_number(last['started'] - last['ended'], 0)}, of which "
        f"{format_number(last['committed'] - last['ended'], 0)}."
    )
    return Picture(figure, question, caption, alt)


# --- what some of them met ----------------------------------------------------------------------

GANTT_CHANGES = 8
"""Changes in the picture of a study."""

_CLOSED = "#e2e2e2"
_SAME_TIME_H = 1e-6
_BAR = 0.25
"""Half the height of the bar of a change, of which a row has 1."""


def open_stretches(hours: WorkingHours, start: float, end: float) -> list[tuple[float, float]]:
    """Return the stretches of working hours between two times, in hours since a Monday 00:00."""
    if hours.always:
        return [(start, end)]
    working = {DAYS.index(day) for day in hours.days}
    days = range(math.floor(start / HOURS_PER_DAY), math.ceil(end / HOURS_PER_DAY))
    stretches = [
        (
            max(start, HOURS_PER_DAY * day + hours.opens),
            min(end, HOURS_PER_DAY * day + hours.closes),
        )
        for day in days
        if day % len(DAYS) in working
    ]
    return [(begin, stop) for begin, stop in stretches if begin < stop]


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
    changes = tables["changes"]
    known = inside(reals(changes, "deployed_at"), window)
    known &= ~np.isnan(reals(changes, "committed_at"))
    delivered = changes[known].sort_values("committed_at", kind="stable")
    count = min(count, len(delivered))
    if count == 0:
        return delivered
    committed_at, deployed_at = reals(delivered, "committed_at"), reals(delivered, "deployed_at")
    runs = np.lib.stride_tricks.sliding_window_view(deployed_at, count)
    took = runs.max(axis=1) - committed_at[: len(runs)]
    first = int(np.argsort(took, kind="stable")[(took.size - 1) // 2])
    return delivered.iloc[first : first + count]


def gantt_segments(steps: pd.DataFrame, changes: pd.DataFrame, hours: WorkingHours) -> pd.DataFrame:
    """Return what happened to changes between commit and deployment, stretch by stretch.

    The table of steps says how long an execution waited and was worked on. Here work of people is
    put into the working hours before it was done, the rest of that time (nights, weekends,
    meetings, queues) is waiting for people; if it does not fit into them, because somebody was on
    call, it is put right before it was done.

    Args:
        steps: The table of steps.
        changes: Rows of the table of changes, all with `committed_at` and `deployed_at`.
        hours: Working hours of the people.

    Returns:
        A row per stretch: `change_id`, `step`, `part` (a column of the table of steps), `start` and
        `stop` in hours, `rework`. Those of a step add up to the time it took, by part to the hours
        in the table.
    """
    rows = []
    between = changes.set_index("change_id")[["committed_at", "deployed_at"]]
    own = steps[steps["change_id"].isin(between.index)].sort_values("queued_at", kind="stable")
    for step in own.to_dict("records"):
        committed_at, deployed_at = between.loc[step["change_id"]]
        if (
            step["queued_at"] < committed_at - _SAME_TIME_H
            or step["finished_at"] > deployed_at + _SAME_TIME_H
        ):
            continue
        about = {name: step[name] for name in ("change_id", "step", "rework")}
        for part, start, stop in _stretches(step, hours):
            rows.append(about | {"part": part, "start": start, "stop": stop})
    columns = ["change_id", "step", "rework", "part", "start", "stop"]
    return pd.DataFrame(rows, columns=columns)


def _stretches(step: Mapping[Hashable, Any], hours: WorkingHours) -> list[tuple[str, float, float]]:
    """Return the parts of one execution of a step in the order in which it lived them."""
    lasting = {
        part: 0.0 if math.isnan(step[part]) else step[part]
        for part in ("handoff_h", "window_h", "people_h", "effort_h", "compute_h", "run_h")
    }
    now = step["queued_at"]
    stretches = []
    for part in ("handoff_h", "window_h"):
        stretches.append((part, now, now + lasting[part]))
        now += lasting[part]
    done = now + lasting["people_h"] + lasting["effort_h"]
    for start, stop in _worked(now, done, lasting["effort_h"], hours):
        stretches += [("people_h", now, start), ("effort_h", start, stop)]
        now = stop
    stretches.append(("people_h", now, done))
    now = done
    for part in ("compute_h", "run_h"):
        stretches.append((part, now, now + lasting[part]))
        now += lasting[part]
    return [(part, start, stop) for part, start, stop in stretches if stop > start]


def _worked(
    start: float, end: float, effort_h: float, hours: WorkingHours
) -> list[tuple[float, float]]:
    """Return when work was done that ended at ``end``; meetings come first on each day."""
    found = []
    left = effort_h
    for begin, stop in reversed(open_stretches(hours, start, end)):
        if left <= _SAME_TIME_H:
            break
        taken = min(left, hours.focus * (stop - begin))
        found.append((stop - taken, stop))
        left -= taken
    if left > _SAME_TIME_H:
        return [(end - effort_h, end)]
    return found[::-1]


def plot_gantt(
    tables: Tables, window: Window, ax: Axes, working_hours: WorkingHours, count: int = 8
) -> Axes:
    """Draw some consecutive changes on their way from commit to production, a row each.

    Each row is coloured by what happens: work, machines running, and waiting by cause. A thin bar
    below it is rework, steps begun after something had sent the change back. Nights and weekends
    are grey. See :func:`gantt_changes` for which changes are shown.

    Args:
        tables: Event tables, of which `changes` and `steps` are read.
        window: Start and end of the observed time, in hours.
        ax: Where to draw.
        working_hours: Working hours, such as `scenario.working_hours`.
        count: How many changes.
    """
    changes = gantt_changes(tables, window, count)
    if changes.empty:
        say_no_data(ax)
        return ax
    segments = gantt_segments(tables["steps"], changes, working_hours)
    start, end = float(changes["committed_at"].min()), float(changes["deployed_at"].max())
    # Room at the right for the lead time of the last one.
    start, end = start - 0.01 * (end - start), end + 0.16 * (end - start)
    _shade_closed(working_hours, start, end, ax)
    took_h = changes["deployed_at"] - changes["committed_at"]
    unit = unit_for("lead_time_h", float(took_h.median()))
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
    handles.append(Patch(facecolor=_CLOSED, label="nights and weekends"))
    handles.append(Line2D([], [], marker="D", color=BLACK, linestyle="", label="in production"))
    explain(handles, ax)
    return ax


def _shade_closed(hours: WorkingHours, start: float, end: float, ax: Axes) -> None:
    now = start
    for begin, stop in [*open_stretches(hours, start, end), (end, end)]:
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
    ax.set_xlabel("days of simulated time, from commit to production", fontsize=10)


def _day_name(day: int, every_day: bool) -> str:
    week = f"week {day // len(DAYS)}"
    name = DAYS[day % len(DAYS)].capitalize()
    return f"{name}\n{week}" if day % len(DAYS) == 0 or not every_day else name


def gantt_picture(study: Study) -> Picture:
    """Return the picture of some changes of a study on their way to production."""
    run = study.first
    changes = gantt_changes(run.tables, run.window, GANTT_CHANGES)
    figure, (ax,) = new_figure(10.0, 1.6 + 0.46 * max(len(changes), 3))
    plot_gantt(run.tables, run.window, ax, study.scenario.working_hours, GANTT_CHANGES)
    question = "What do changes meet on their way?"
    caption = (
        "Changes committed one after the other, from commit to production; of all such stretches, "
        "one that took a median time. Work is drawn in the working hours before it was done. Of "
        f"replication {run.replication}, whose tables are kept."
    )
    title = f"Changes on their way to production (replication {run.replication})"
    if changes.empty:
        title = f"{title}: {NO_DATA}"
    entitle(figure, title, instability(study))
    if changes.empty:
        return Picture(figure, question, caption, title)
    told = "; ".join(
        f"{change['kind']} {change['change_id']} of {change['service']} "
        + format_value("lead_time_h", change["deployed_at"] - change["committed_at"])
        for change in changes.to_dict("records")
    )
    alt = f"A row per change, with its work and waits, and nights and weekends shaded: {told}."
    return Picture(figure, question, caption, alt)
