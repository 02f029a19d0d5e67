"""Incidents over time: a picture of the phases that each goes through.

It takes public tables and an ``Axes``, draws into it and returns it.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator

from sim.hours import HOURS_PER_DAY
from sim.log import Records, Tables
from sim.metrics.arrays import Window, inside, reals, table
from sim.metrics.catalogue import DURATION
from sim.metrics.restore import restore_times
from sim.report.content import RESTORE_COMPONENTS, instability
from sim.report.evidence import Evidence, of_replication, with_source
from sim.report.palette import (
    INK,
    Picture,
    entitle,
    explain,
    fill_patch,
    new_figure,
    say_no_data,
    stack_bars,
    tidy,
    write_after,
)
from sim.report.units import count_noun, format_number, format_percent, format_value, unit_for
from sim.words import readable


def restored_incidents(tables: Tables, window: Window) -> pd.DataFrame:
    """Return the incidents restored in the window, those that took longest first.

    Args:
        tables: Event tables, of which `incidents` is read.
        window: Start and end of the observed time, in hours.

    Returns:
        Rows of the table of incidents with `restore_h`, the hours from the start of degradation to
        restored service.
    """
    incidents = table(tables, "incidents")
    took = reals(incidents, "restored_at") - reals(incidents, "started_at")
    known = inside(reals(incidents, "restored_at"), window) & ~np.isnan(took)
    restored = incidents[known].assign(restore_h=took[known])
    return restored.sort_values("restore_h", ascending=False, kind="stable")


def incident_phases(restored: pd.DataFrame) -> pd.DataFrame:
    """Return how long restored incidents spent in each phase.

    Args:
        restored: Rows of the table of incidents.

    Returns:
        The rows with the hours of their phases: `detect_h`, `respond_h`, `diagnose_h`, `remedy_h`.

    Raises:
        AbsentError: The time of a phase is absent.
    """
    table({"incidents": restored}, "incidents", "detected_at", "responded_at", "diagnosed_at")
    # The phases of a single incident are its means: one place knows what a missing time means.
    phases = [
        restore_times({"incidents": restored.iloc[[row]]}, (-np.inf, np.inf))
        for row in range(len(restored))
    ]
    hours = {
        part.column: np.array([times[part.metric.name] for times in phases], dtype=np.float64)
        for part in RESTORE_COMPONENTS
    }
    return restored.assign(**hours)


def plot_incidents(records: Records, ax: Axes, count: int = 12) -> Axes:
    """Draw the incidents that took longest to restore, a row each, phase by phase.

    The longest ones are shown, as that is where restore time goes; the title says how much of it
    these are.

    Args:
        records: Records, of which the table `incidents` is read.
        ax: Where to draw.
        count: How many incidents.
    """
    every = restored_incidents(records.tables, records.window)
    shown = incident_phases(every.head(count))
    if shown.empty:
        say_no_data(ax)
        return ax
    rows = np.arange(len(shown))
    ends = stack_bars(shown, [part.column for part in RESTORE_COMPONENTS], ax, height=0.66)
    longest = float(ends.max())
    unit = unit_for(DURATION, longest)
    texts = [f"{format_number(float(took) / unit.size)} {unit.name}" for took in ends]
    write_after(ends, texts, ax, fontsize=9)
    names = ["\n".join(_name(incident)) for incident in shown.to_dict("records")]
    ax.set_yticks(rows, names, fontsize=9)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0.0, 1.18 * longest if longest > 0.0 else 1.0)
    tidy(ax, "x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    _count_days(longest, ax)
    whole = float(every["restore_h"].sum())
    share = float(shown["restore_h"].sum()) / whole if whole > 0.0 else 1.0
    ax.set_title(
        f"the {len(shown)} longest of {count_noun(len(every), 'incident')}: "
        f"{format_percent(share)} of all hours until restored",
        loc="left",
        fontsize=10,
        color=INK,
    )
    explain([fill_patch(part.column, part.label) for part in RESTORE_COMPONENTS], ax)
    return ax


def _count_days(longest_h: float, ax: Axes) -> None:
    """Let hours have ticks at whole days, if there are some."""
    days = longest_h / HOURS_PER_DAY
    if days < 2.0:
        ax.xaxis.set_major_locator(MaxNLocator(8))
        ax.set_xlabel("hours since the start of degradation", fontsize=10)
        return
    every = next(step for step in (1, 2, 7, 14, 28, 84, 364, 10**6) if days / step <= 9)
    ax.xaxis.set_major_locator(MultipleLocator(HOURS_PER_DAY * every))
    each = "day" if every == 1 else count_noun(every, "day")
    ax.set_xlabel(f"hours since the start of degradation, a line every {each}", fontsize=10)


def _name(incident: Mapping[Hashable, Any]) -> list[str]:
    """Return cause and remedy, and where it happened, as far as somebody recorded them."""
    cause, trigger, remedy, service = (
        readable(str(incident.get(name, ""))) for name in ("cause", "trigger", "remedy", "service")
    )
    what = f"{cause} ({trigger})" if cause and trigger else cause or trigger
    what += f" → {remedy}" if remedy else ""
    return [line for line in (what, service) if line] or ["incident"]


INCIDENTS = 12
"""Incidents in the picture of a study."""


def incidents_picture(evidence: Evidence) -> Picture:
    """Return the picture of the incidents that took longest to restore."""
    records = evidence.records
    shown = incident_phases(restored_incidents(records.tables, records.window).head(INCIDENTS))
    figure, (ax,) = new_figure(10.0, 1.6 + 0.4 * max(len(shown), 4))
    plot_incidents(records, ax, INCIDENTS)
    question = "Where did the longest incidents spend their time?"
    caption = (
        "From the start of degradation to restored service, with cause, what brought it about, and "
        "remedy."
    )
    caption = with_source(caption, evidence)
    title = f"The longest incidents, phase by phase{of_replication(evidence)}"
    title = entitle(figure, title, instability(evidence), no_data=shown.empty)
    if shown.empty:
        return Picture(figure, question, caption, title)
    told = []
    for _, incident in shown.iterrows():
        phases = {part.label: float(incident[part.column]) for part in RESTORE_COMPONENTS}
        longest = max(phases, key=lambda label: phases[label])
        took = format_value(DURATION, float(incident["restore_h"]))
        named = readable(str(incident.get("cause", ""))) or "incident"
        told.append(f"{named} {took}, longest phase {longest}")
    alt = f"Stacked bars of hours, one bar per incident: {'; '.join(told)}."
    return Picture(figure, question, caption, alt)
