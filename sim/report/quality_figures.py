"""The quality of a model over time: a picture of decay, and of what people do about it.

It takes public tables and an ``Axes``, draws into it and returns it.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sim.document.picture import Picture
from sim.hours import HOURS_PER_WEEK
from sim.log import Records, Tables
from sim.metrics.arrays import (
    FloatArray,
    Window,
    flags,
    inside,
    known,
    matches,
    reals,
    service_names,
    table,
)
from sim.report.content import instability
from sim.report.evidence import Evidence, of_replication, with_source
from sim.report.palette import (
    BLACK,
    BLUE,
    INK,
    ORANGE,
    VERMILION,
    entitle,
    explain,
    new_figure,
    say_no_data,
    tidy,
)
from sim.report.pictures import draws
from sim.report.units import count_noun, format_given, format_percent
from sim.scenario.errors import nearest


def quality_course(tables: Tables, service: str, window: Window) -> pd.DataFrame:
    """Return the quality of a service's live model, piece by piece.

    The table of quality has a row wherever quality bends or jumps, and one a week in between. A
    model only decays, so up to a row a week later quality falls in a straight line; up to any other
    row it goes on falling as fast as it did, and then jumps.

    Args:
        tables: Event tables, of which `quality` is read.
        service: Name of the service.
        window: Start and end of the observed time, in hours.

    Returns:
        A row per piece, in the order of time: `start` and `stop` in hours, `quality_start`,
        `quality_stop`, `objective`, and `below`, whether it lies below the objective.
    """
    rows = table(tables, "quality", "at")
    if rows.empty:
        columns = ["start", "stop", "quality_start", "quality_stop", "objective", "below"]
        return pd.DataFrame(columns=columns, dtype=np.float64).astype({"below": bool})
    rows = rows[matches(rows, "service", service)].sort_values("at", kind="stable")
    at, quality = reals(rows, "at"), reals(rows, "quality")
    next_at = np.append(at[1:], max(window[1], at[-1])) if at.size else at
    next_quality = np.append(quality[1:], np.nan)[: at.size]
    slope = _decay(next_at - at, next_quality - quality, reals(rows, "model_data_from"))
    start, stop = np.fmax(at, window[0]), np.fmin(next_at, window[1])
    pieces = pd.DataFrame(
        {
            "start": start,
            "stop": stop,
            "quality_start": np.fmax(quality + slope * (start - at), 0.0),
            "quality_stop": np.fmax(quality + slope * (stop - at), 0.0),
            "objective": reals(rows, "slo"),
            "below": flags(rows, "below"),
        }
    )
    return pieces[pieces["stop"] > pieces["start"]].reset_index(drop=True)


def _decay(hours: FloatArray, change: FloatArray, model: FloatArray) -> FloatArray:
    """Return how fast quality changes after each row, per hour: never upwards."""
    gradual = np.isclose(hours, HOURS_PER_WEEK, rtol=0.0, atol=1e-6) & (change <= 0.0)
    gradual[:-1] &= model[1:] == model[:-1]
    known = pd.Series(np.where(gradual, change / np.where(hours > 0.0, hours, 1.0), np.nan))
    # As fast as the same model did before, else after, else as models of this service do.
    of_model = known.groupby(model)
    slope = of_model.ffill().fillna(of_model.bfill()).fillna(known.median()).fillna(0.0)
    hourly: FloatArray = np.asarray(slope, dtype=np.float64)
    return hourly


def new_models(tables: Tables, service: str, window: Window) -> FloatArray:
    """Return when deployments of a service brought a newer model, in hours.

    Args:
        tables: Event tables, of which `deployments` is read.
        service: Name of the service.
        window: Start and end of the observed time, in hours.
    """
    deployments = table(tables, "deployments", "deployed_at")
    if deployments.empty:
        return np.array([])
    own = deployments[matches(deployments, "service", service)].sort_values("deployed_at")
    deployed_at, data_from = reals(own, "deployed_at"), reals(own, "model_data_from")
    before = np.fmax.accumulate(np.append(0.0, data_from))[:-1]
    brought: FloatArray = deployed_at[(data_from > before) & inside(deployed_at, window)]
    return brought


def hours_below(course: pd.DataFrame) -> float:
    """Return how long quality lies below the objective in a course, in hours."""
    below = course[course["below"]]
    return float((below["stop"] - below["start"]).sum())


def plot_quality(records: Records, service: str, ax: Axes) -> Axes:
    """Draw the quality of one service's live model over time, and what happened to it.

    The curve falls as the model decays, and more steeply while a bad model or bad data are served.
    Triangles are deployments of newer models; hatched is the time below the objective; bars at the
    bottom are incidents, with their cause, from the start of degradation until service is restored.

    Args:
        records: Records, of which the tables `quality`, `deployments` and `incidents` are read.
        service: Name of the service.
        ax: Where to draw.

    Raises:
        ValueError: There are services, but none of this name.
    """
    tables, window = records.tables, records.window
    nothing: FloatArray = np.array([])
    nobody: list[str] = []
    services = known(lambda: [str(name) for name in service_names(tables)], nobody)
    if services and service not in services:
        raise ValueError(f"unknown service '{service}'; {nearest(service, services)}")
    course = quality_course(tables, service, window)
    if course.empty:
        say_no_data(ax)
        return ax
    weeks = course[["start", "stop"]].to_numpy(dtype=np.float64).ravel() / HOURS_PER_WEEK
    quality = course[["quality_start", "quality_stop"]].to_numpy(dtype=np.float64).ravel()
    objective = np.repeat(course["objective"].to_numpy(dtype=np.float64), 2)
    below = np.repeat(course["below"].to_numpy(dtype=bool), 2)
    ax.plot(weeks, quality, color=BLUE, linewidth=1.8, zorder=4)
    ax.plot(weeks, objective, color=INK, linewidth=1.2, linestyle=(0, (5, 2)), zorder=3)
    ax.fill_between(
        weeks,
        quality,
        objective,
        where=below.tolist(),
        facecolor="#f5c9a8",
        edgecolor=VERMILION,
        hatch="////",
        linewidth=0.0,
        zorder=2,
    )
    worse = course[course["below"]]
    # On the line, where minutes are seen as well.
    ax.hlines(
        worse["objective"],
        worse["start"] / HOURS_PER_WEEK,
        worse["stop"] / HOURS_PER_WEEK,
        color=VERMILION,
        linewidth=5.0,
        capstyle="projecting",
        zorder=3,
    )
    deployed = known(lambda: new_models(tables, service, window), nothing) / HOURS_PER_WEEK
    # Where it lands: the last point of the curve at or before this time is the new quality.
    landing = quality[np.clip(np.searchsorted(weeks, deployed, side="right") - 1, 0, None)]
    ax.plot(deployed, landing, "^", color="white", markeredgecolor=BLACK, markersize=6.5, zorder=5)
    low, high = min(quality.min(), objective.min()), max(quality.max(), objective.max())
    room = max(high - low, 0.02)
    ax.set_ylim(low - 0.32 * room, high + 0.08 * room)
    ax.set_xlim(window[0] / HOURS_PER_WEEK, window[1] / HOURS_PER_WEEK)
    causes = known(lambda: _mark_incidents(tables, service, window, ax), nobody)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("week", fontsize=10)
    ax.set_ylabel("quality of the live model (0 to 1)", fontsize=10)
    tidy(ax)
    share = hours_below(course) / float((course["stop"] - course["start"]).sum())
    ax.set_title(service, loc="left", fontsize=11, color=INK)
    ax.set_title(
        f"below its objective {format_percent(share)} of the time",
        loc="right",
        fontsize=10,
        color=INK,
    )
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=BLUE, linewidth=1.8, label="quality"),
        Line2D(
            [],
            [],
            color=INK,
            linestyle=(0, (5, 2)),
            label=f"objective, {format_given(objective[-1], 3)}",
        ),
        Patch(facecolor="#f5c9a8", edgecolor=VERMILION, hatch="////", label="below the objective"),
        Line2D(
            [],
            [],
            marker="^",
            color="white",
            markeredgecolor=BLACK,
            linestyle="",
            label="newer model deployed",
        ),
    ]
    if causes:
        handles.append(Patch(facecolor=ORANGE, edgecolor=INK, hatch="...", label="incident"))
    explain(handles, ax)
    return ax


def _mark_incidents(tables: Tables, service: str, window: Window, ax: Axes) -> list[str]:
    """Draw incidents along the bottom, with their causes where there is room; return the causes."""
    incidents = table(tables, "incidents", "cause", "started_at", "restored_at")
    if incidents.empty:
        return []
    own = incidents[matches(incidents, "service", service)].sort_values("started_at")
    # What is not restored yet lasts until the end.
    restored_at = np.fmin(reals(own, "restored_at"), window[1])
    started_at = np.fmax(reals(own, "started_at"), window[0])
    across = ax.get_xaxis_transform()
    per_letter = 0.0085 * (window[1] - window[0])
    free_from, shown = window[0], []
    for cause, start, stop in zip(own["cause"], started_at, restored_at, strict=True):
        if stop <= start:
            continue
        shown.append(str(cause))
        ax.axvspan(
            start / HOURS_PER_WEEK,
            stop / HOURS_PER_WEEK,
            ymin=0.015,
            ymax=0.075,
            facecolor=ORANGE,
            edgecolor=INK,
            hatch="...",
            linewidth=0.8,
            zorder=4,
        )
        if start >= free_from and start + per_letter * len(str(cause)) <= window[1]:
            ax.text(
                start / HOURS_PER_WEEK,
                0.09,
                str(cause),
                transform=across,
                va="bottom",
                fontsize=8,
                color=INK,
            )
            free_from = start + per_letter * (len(str(cause)) + 1)
    return shown


@draws(section="How good the models are", place=1)
def quality_picture(evidence: Evidence, service: str = "") -> Picture:
    """Return the picture of the quality of a service, or of that below its objective longest."""
    records = evidence.records
    tables, window = records.tables, records.window
    courses = {
        str(service): quality_course(tables, str(service), window)
        for service in service_names(tables)
    }
    which = (
        f"Of {count_noun(len(courses), 'service')} the one that was below its objective longest."
    )
    if service:
        which = f"Of {service}."
    else:
        service = max(courses, key=lambda name: hours_below(courses[name]), default="")
    course = courses.get(service, pd.DataFrame())
    figure, (ax,) = new_figure(10.0, 4.2)
    plot_quality(records, service, ax)
    question = "How good is the model in production?"
    caption = f"{which} Bars at the bottom are incidents, until service is restored."
    caption = with_source(caption, evidence)
    title = f"Quality of a model over time{of_replication(evidence)}"
    title = entitle(figure, title, instability(evidence), no_data=course.empty)
    if course.empty:
        return Picture("quality", figure, question, caption, title)
    quality = course[["quality_start", "quality_stop"]]
    share = hours_below(course) / float((course["stop"] - course["start"]).sum())
    newer = known(lambda: new_models(tables, service, window).size, 0)
    alt = (
        f"Quality of {service}, between {format_given(quality.min().min(), 3)} and "
        f"{format_given(quality.max().max(), 3)}, "
        f"with an objective of {format_given(course['objective'].iloc[-1], 3)}: below it "
        f"{format_percent(share)} of the time. {count_noun(newer, 'deployment')} of newer models."
    )
    return Picture("quality", figure, question, caption, alt)
