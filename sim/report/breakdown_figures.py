"""Pictures of where lead time, restore time and people's time go, in stacked bars.

Each plot takes a plain frame and an ``Axes``, draws into it and returns it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.document.picture import Picture
from sim.metrics.arrays import FloatArray
from sim.metrics.catalogue import DURATION
from sim.report.content import (
    EFFORT_COMPONENTS,
    LEAD_TIME_COMPONENTS,
    RESTORE_COMPONENTS,
    Component,
    instability,
    roles_in_order,
    step_name,
)
from sim.report.evidence import Evidence, breakdown, of_all
from sim.report.palette import (
    INK,
    entitle,
    explain,
    fill_patch,
    new_figure,
    say_no_data,
    stack_bars,
    write_after,
)
from sim.report.pictures import draws
from sim.report.units import (
    NO_DATA,
    count_noun,
    decimals_for,
    format_number,
    format_percent,
    format_value,
    percent_of,
)
from sim.words import readable


def plot_lead_time(waiting: pd.DataFrame, ax: Axes) -> Axes:
    """Draw where lead time goes, by pipeline step and cause: a value-stream map.

    It is a waterfall: each step begins where the one above it ends, so the last ends at the mean
    lead time.

    Args:
        waiting: The frame of :func:`sim.metrics.waiting_by_step`: mean hours per deployed change.
        ax: Where to draw.
    """
    names = [step_name(step) for step in waiting.index]
    by_part = waiting.sum()
    total = float(by_part.sum())
    labels = [
        f"{part.label}, {format_percent(by_part[part.column] / total)}" if total else part.label
        for part in LEAD_TIME_COMPONENTS
    ]
    begin = np.append(0.0, waiting.sum(axis="columns").cumsum())[:-1]
    _stacked_bars(waiting, names, LEAD_TIME_COMPONENTS, labels, ax, begin=begin)
    ax.set_xlabel("mean hours per deployed change, since commit", fontsize=10)
    return ax


def plot_restore_time(by_cause: pd.DataFrame, ax: Axes) -> Axes:
    """Draw where restore time goes, by cause of the incident and phase.

    Args:
        by_cause: The frame of :func:`sim.metrics.restore.restore_time_by_cause`.
        ax: Where to draw.
    """
    names = [
        f"{cause}\n({count_noun(count, 'incident')})"
        for cause, count in by_cause["incidents"].items()
    ]
    labels = [part.label for part in RESTORE_COMPONENTS]
    _stacked_bars(by_cause, names, RESTORE_COMPONENTS, labels, ax)
    ax.set_xlabel("mean hours per restored incident", fontsize=10)
    return ax


def _stacked_bars(
    frame: pd.DataFrame,
    names: Sequence[str],
    parts: Sequence[Component],
    labels: Sequence[str],
    ax: Axes,
    unit: str = "h",
    begin: FloatArray | None = None,
) -> None:
    """Draw a bar per row of the frame, first on top, stacked from the columns of the parts.

    Bars begin at zero, or for a waterfall each where ``begin`` says.
    """
    if frame.empty:
        say_no_data(ax)
        return
    columns = [part.column for part in parts]
    rows = np.arange(len(frame))
    ends = stack_bars(frame, columns, ax, height=0.74, begin=begin)
    totals = frame[columns].sum(axis="columns").to_numpy(dtype=float)
    decimals = decimals_for(float(totals.max()))
    if begin is not None:
        for above, end in enumerate(ends[:-1]):
            ax.plot(
                [end, end], [above, above + 1], color=INK, linewidth=0.8, linestyle=":", zorder=0
            )
    texts = [f"{format_number(float(total), decimals)} {unit}" for total in totals]
    write_after(ends, texts, ax, fontsize=9.5)
    ax.set_yticks(rows, names, fontsize=10)
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.12 * float(ends.max()) if ends.max() > 0.0 else 1.0)
    ax.xaxis.grid(True, color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    for spine in ("right", "top", "left"):
        ax.spines[spine].set_visible(False)
    explain([fill_patch(*both) for both in zip(columns, labels, strict=True)], ax)


@draws(section="Where lead time goes", place=1)
def _lead_time_picture(evidence: Evidence) -> Picture:
    waiting = breakdown(evidence, "steps")
    figure, (ax,) = new_figure(10.0, 1.8 + 0.36 * max(len(waiting), 4))
    plot_lead_time(waiting, ax)
    by_part = waiting.sum()
    total = float(by_part.sum())
    title = f"Lead time by step and cause: {format_value(DURATION, total)} on average"
    if waiting.empty:
        title = f"Lead time by step and cause: {NO_DATA}"
    entitle(figure, title, instability(evidence))
    question = "Where does lead time go?"
    caption = (
        "A value-stream map: the steps from top to bottom as a change goes through them, each from "
        "where the one before ends. Solid is work, hatched is waiting."
    )
    caption += of_all(evidence)
    if waiting.empty:
        return Picture("lead_time", figure, question, caption, title)
    causes = ", ".join(
        f"{part.label} {percent_of(by_part[part.column], total)}" for part in LEAD_TIME_COMPONENTS
    )
    longest = waiting.sum(axis="columns").nlargest(3)
    steps = ", ".join(
        f"{step_name(step)} {format_value(DURATION, hours)}" for step, hours in longest.items()
    )
    alt = (
        f"Waterfall of mean hours per deployed change, one bar per pipeline step; in all "
        f"{format_value(DURATION, total)}: {causes}. Longest steps: {steps}."
    )
    return Picture("lead_time", figure, question, caption, alt)


@draws(section="Where restore time goes", place=1)
def _restore_picture(evidence: Evidence) -> Picture:
    by_cause = breakdown(evidence, "causes")
    figure, (ax,) = new_figure(10.0, 1.8 + 0.5 * max(len(by_cause), 3))
    plot_restore_time(by_cause, ax)
    title = "Time to restore by cause and phase"
    title = entitle(figure, title, instability(evidence), no_data=by_cause.empty)
    question = "Where does restore time go?"
    caption = (
        "From the start of degradation to restored service; a remedy that goes through the "
        "pipeline waits there as well."
    )
    caption += of_all(evidence)
    if by_cause.empty:
        return Picture("restore_time", figure, question, caption, title)
    told = []
    for cause, row in by_cause.iterrows():
        phases = row[[part.column for part in RESTORE_COMPONENTS]]
        longest = RESTORE_COMPONENTS[int(phases.to_numpy().argmax())]
        told.append(
            f"{cause} {format_value(DURATION, float(phases.sum()))}, longest phase {longest.label}"
        )
    alt = (
        "Stacked bars of mean hours per restored incident, one bar per cause of incident: "
        f"{'; '.join(told)}."
    )
    return Picture("restore_time", figure, question, caption, alt)


def plot_effort(by_role: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what people's time goes into, by role, in percent of the hours they have.

    Args:
        by_role: The frame of :func:`sim.metrics.effort.effort_by_role`: hours per week.
        ax: Where to draw.
    """
    *work, _ = EFFORT_COMPONENTS  # all but idle time, which is what the bars leave free
    capacity_h = by_role["capacity_h_per_week"]
    percent = 100 * by_role[[part.column for part in work]].div(capacity_h, axis="index")
    names = [
        f"{readable(str(role))}\n({format_number(hours)} h per week)"
        for role, hours in capacity_h.items()
    ]
    whole_h = float(capacity_h.sum())
    labels = [f"{part.label}, {percent_of(by_role[part.column].sum(), whole_h)}" for part in work]
    _stacked_bars(percent, names, work, labels, ax, unit="%")
    ax.axvline(100.0, color=INK, linewidth=1.0, linestyle=":")
    ax.set_xlim(right=max(ax.get_xlim()[1], 102.0))
    ax.set_xlabel("percent of the available hours; the rest is idle", fontsize=10)
    return ax


@draws(section="Where people's time goes", place=1)
def _effort_picture(evidence: Evidence) -> Picture:
    question = "Where does people's time go?"
    caption = (
        "Of the hours without meetings. Incident work is response, diagnosis, repair and "
        "remediation; toil is the repair of automation; investment is work on new practices."
    )
    caption += of_all(evidence)
    title = "People's time by role"
    by_role = breakdown(evidence, "effort")
    by_role = by_role.loc[roles_in_order(evidence, by_role.index)]
    figure, (ax,) = new_figure(10.0, 1.8 + 0.5 * max(len(by_role), 3))
    if by_role.empty:
        say_no_data(ax)
        title = entitle(figure, title, instability(evidence), no_data=True)
        return Picture("effort", figure, question, caption, title)
    plot_effort(by_role, ax)
    entitle(figure, title, instability(evidence))
    told = []
    for role, row in by_role.iterrows():
        whole_h = float(row["capacity_h_per_week"])
        parts = ", ".join(
            f"{part.label} {percent_of(row[part.column], whole_h)}"
            for part in EFFORT_COMPONENTS
            if row[part.column] != 0.0
        )
        told.append(f"{readable(str(role))}: {parts}")
    alt = f"Stacked bars of the share of available hours, one bar per role. {'; '.join(told)}."
    return Picture("effort", figure, question, caption, alt)
