"""Pictures of a study or of records, one function per question.

Each function takes public tables and an ``Axes``, draws into it and returns it.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import partial

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_WEEK
from sim.log import Records
from sim.metrics.arrays import FloatArray, known
from sim.metrics.bands import dora_band, has_bands
from sim.metrics.catalogue import DURATION, headlines, metric
from sim.metrics.cost import HEADS, bills
from sim.metrics.effort import effort_by_role
from sim.metrics.flow import waiting_by_step
from sim.metrics.series import weekly_columns, weekly_series
from sim.metrics.warmup import welch
from sim.report.content import (
    DORA_YEAR,
    EFFORT_COMPONENTS,
    LEAD_TIME_COMPONENTS,
    RESTORE_COMPONENTS,
    SETTLING,
    Component,
    MetricRow,
    band_words,
    instability,
    is_priced,
    mean_and_interval,
    metric_of,
    metric_rows,
    restore_time_by_cause,
    step_name,
    suggested_warm_up,
)
from sim.report.evidence import Evidence, Observation, of_replication, with_source
from sim.report.flow_figures import cumulative_flow_picture
from sim.report.gantt_figures import gantt_picture
from sim.report.incident_figures import incidents_picture
from sim.report.palette import (
    BLACK,
    BLUE,
    FILLS,
    INK,
    SKY,
    VERMILION,
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
from sim.report.quality_figures import quality_picture
from sim.report.units import (
    NO_DATA,
    count_noun,
    decimals_for,
    format_number,
    format_percent,
    format_value,
    unit_for,
)
from sim.report.week_figures import week_picture
from sim.words import capitalized, readable


def study_pictures(study: Study) -> dict[str, Picture]:
    """Return the pictures of a study by name.

    They are `metrics`, `lead_time`, `gantt`, `cumulative_flow`, `restore_time`, `incidents`,
    `quality`, `effort`, `week`, `course`, and `cost` if there are prices. All but the metrics and
    their course are those of the first replication, the only one whose tables are kept.

    Args:
        study: The study.
    """
    pictures = {name: draw(study) for name, draw in _PICTURES.items()}
    pictures["course"] = _course_picture(study)
    if is_priced(study):
        pictures["cost"] = _cost_picture(study)
    return pictures


def records_pictures(records: Records) -> dict[str, Picture]:
    """Return the pictures of records by name: those of a study that there are data for.

    Args:
        records: The records.
    """
    observation = Observation(records)
    draw = {**_PICTURES, "course": _weeks_picture}
    if is_priced(observation):
        draw["cost"] = _cost_picture
    pictures = {}
    # Names are somebody else's: a dollar in them begins no formula.
    with mpl.rc_context({"text.parse_math": False}):
        for name, picture in draw.items():
            drawn = known(partial(picture, observation), None)
            if drawn is not None and not drawn.alt.endswith(NO_DATA):
                pictures[name] = drawn
    return pictures


# --- the metrics over the bands -----------------------------------------------------------------

_HOURS = {
    "1 min": 1 / 60,
    "10 min": 1 / 6,
    "1 h": 1.0,
    "6 h": 6.0,
    "1 day": 24.0,
    "1 week": 168.0,
    "1 month": 730.5,
    "6 months": 4383.0,
    "2 years": 17532.0,
}
_FREQUENCIES = {
    "every 2 years": 1 / 730.5,
    "every 6 months": 1 / 182.6,
    "monthly": 1 / 30.44,
    "weekly": 1 / 7,
    "daily": 1.0,
    "10 per day": 10.0,
    "100 per day": 100.0,
}
# What is shown at least, so that the bands give an orientation.
SHOWN_AT_LEAST = {
    "deployment_frequency": (1 / 365.0, 8.0),
    "lead_time_h": (4.0, 8766.0),
    "change_failure_rate": (0.0, 0.7),
    "time_to_restore_h": (0.25, 2000.0),
}
_BAND_SHADES = {
    "elite": "#cfe3f2",
    "high": "#e4eef6",
    "medium": "#f6f1e3",
    "low": "#ecdcc0",
    "below": "#d9c3a0",
}


def plot_metric(values: pd.Series, row: MetricRow, interval: tuple[float, float], ax: Axes) -> Axes:
    """Draw one of the four metrics over its DORA bands: where does the organization stand?

    Better is always to the right. The axis is logarithmic, except for the change failure rate.

    Args:
        values: The metric of every replication, in the unit of the metric; NaN is left out.
        row: The row of the table that belongs to it.
        interval: Interval of the mean over the replications; NaN if there is none.
        ax: Where to draw.
    """
    name = row.metric
    there = values.dropna().to_numpy(dtype=float)
    low, high = SHOWN_AT_LEAST[name]
    positive = there[there > 0.0]
    if positive.size:
        low = min(low, 0.7 * positive.min()) if low > 0.0 else low
        high = max(high, 1.4 * positive.max()) if low > 0.0 else max(high, 1.05 * positive.max())
    _scale(ax, name, low, high)
    _shade_bands(ax, name, low, high)

    # Spread over the height by the golden ratio: neighbours in the table stay apart.
    height = 0.18 + 0.34 * (np.arange(there.size) * 0.618034 % 1.0)
    ax.scatter(there, height, s=16, facecolor="white", edgecolor=INK, linewidth=0.8, zorder=3)
    if there.size:
        mean = float(there.mean())
        ends = [max(end, low) if not math.isnan(end) else mean for end in interval]
        ax.plot(ends, [0.74, 0.74], color=BLACK, linewidth=2.0, zorder=4)
        ax.plot(ends, [0.74, 0.74], "|", color=BLACK, markersize=10, markeredgewidth=2.0, zorder=4)
        ax.plot([mean], [0.74], "D", color=VERMILION, markeredgecolor=BLACK, markersize=6, zorder=5)
    said = row.estimate.value
    if row.estimate.interval:
        said += f"  [{row.estimate.interval}]"
    label = f"{capitalized(row.label)}: {metric(name).meaning}"
    ax.set_title(label, loc="left", fontsize=10, color=INK)
    ax.set_title(said, loc="right", fontsize=11, fontweight="bold", color=INK)
    ax.set_ylim(0.0, 1.3)
    ax.set_yticks([])
    ax.tick_params(labelsize=9, length=3)
    for spine in ("left", "right", "top"):
        ax.spines[spine].set_visible(False)
    return ax


def _scale(ax: Axes, name: str, low: float, high: float) -> None:
    of_metric = metric(name)
    if of_metric.dimension == "share":
        ax.set_xlim(high, low)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
        return
    ax.set_xscale("log")
    ax.set_xlim((low, high) if of_metric.better == "more" else (high, low))
    ticks = _FREQUENCIES if of_metric.dimension == "frequency" else _HOURS
    shown = {name: value for name, value in ticks.items() if low <= value <= high}
    ax.xaxis.set_major_locator(FixedLocator(list(shown.values())))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels(list(shown))


def band_segments(metric: str, low: float, high: float) -> list[tuple[str, float, float]]:
    """Return the stretches of an axis that lie in one DORA band: band, start, end, upwards.

    Args:
        metric: One of the four metrics.
        low: Start of the axis, in the unit of the metric.
        high: End of the axis.
    """
    # Read off the classifier, finely enough for a picture: it is the one place that knows edges.
    spaced = np.geomspace if low > 0.0 else np.linspace
    grid = spaced(low, high, 2001)
    bands = [dora_band(metric, float(value), DORA_YEAR) for value in grid]
    starts = [0, *(i for i in range(1, grid.size) if bands[i] != bands[i - 1])]
    ends = [*starts[1:], grid.size - 1]
    return [
        (bands[start], float(grid[start]), float(grid[end]))
        for start, end in zip(starts, ends, strict=True)
    ]


def _shade_bands(ax: Axes, metric: str, low: float, high: float) -> None:
    total = math.log(high / low) if low > 0.0 else high - low
    for band, start, end in band_segments(metric, low, high):
        # By the first word of "elite/high/medium" or "below low"; "between" has no shade: a hole.
        shade = _BAND_SHADES.get(re.split("[/ ]", band)[0])
        ax.axvspan(
            start,
            end,
            facecolor=shade or "white",
            edgecolor="#bbbbbb",
            hatch=None if shade else "//",
            linewidth=0.8,
            zorder=0,
        )
        share = (math.log(end / start) if low > 0.0 else end - start) / total
        if share > 0.05:
            middle = math.sqrt(start * end) if low > 0.0 else (start + end) / 2
            ax.text(
                middle,
                1.26,
                band if share > 0.012 * len(band) else band.replace(" ", "\n", 1),
                ha="center",
                va="top",
                fontsize=8.5,
                color="#444444",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0} if not shade else None,
            )


def _metrics_picture(evidence: Evidence) -> Picture:
    rows = metric_rows(evidence, [name for name in headlines() if has_bands(name, DORA_YEAR)])
    figure, axes = new_figure(10.0, 7.4, rows=len(rows))
    for row, ax in zip(rows, axes, strict=True):
        _, low, high = mean_and_interval(evidence, row.metric)
        plot_metric(evidence.runs[row.metric], row, (low, high), ax)
    title = f"The four metrics over DORA's {DORA_YEAR} bands"
    entitle(figure, title, instability(evidence))
    better = "better is to the right →"
    if isinstance(evidence, Study):
        replications = count_noun(len(evidence.runs), "replication")
        better = f"circles: {replications}; diamond and bar: mean with 95 % interval; {better}"
    figure.supxlabel(
        better,
        x=0.99,
        ha="right",
        fontsize=9.5,
        color=INK,
    )
    told = [
        f"{row.label} {row.estimate.value}"
        + (f" (95 % interval {row.estimate.interval})" if row.estimate.interval else "")
        + f", DORA band {band_words(row.bands)}"
        for row in rows
    ]
    alt = f"Four strips with DORA's {DORA_YEAR} bands, better to the right: {'; '.join(told)}."
    caption = (
        "Where DORA's clusters leave a hole between them, it is hatched; clusters that answered "
        "alike share a band."
    )
    if isinstance(evidence, Study):
        caption = f"Each circle is a replication. {caption}"
    elif all(row.estimate.value == NO_DATA for row in rows):
        alt = f"{title}: {NO_DATA}"
    return Picture(figure, "Where does the organization stand?", caption, alt)


# --- where the time goes ------------------------------------------------------------------------


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
        by_cause: The frame of :func:`sim.report.content.restore_time_by_cause`.
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


def _lead_time_picture(evidence: Evidence) -> Picture:
    waiting = waiting_by_step(evidence.records.tables, evidence.records.window)
    figure, (ax,) = new_figure(10.0, 1.8 + 0.36 * max(len(waiting), 4))
    plot_lead_time(waiting, ax)
    by_part = waiting.sum()
    total = float(by_part.sum())
    title = (
        f"Lead time by step and cause: {format_value(DURATION, total)} on average"
        f"{of_replication(evidence)}"
    )
    if waiting.empty:
        title = f"Lead time by step and cause: {NO_DATA}"
    entitle(figure, title, instability(evidence))
    question = "Where does lead time go?"
    caption = (
        "A value-stream map: the steps from top to bottom as a change goes through them, each from "
        "where the one before ends. Solid is work, hatched is waiting."
    )
    caption = with_source(caption, evidence)
    if waiting.empty:
        return Picture(figure, question, caption, title)
    causes = ", ".join(
        f"{part.label} {format_percent(by_part[part.column] / total)}"
        for part in LEAD_TIME_COMPONENTS
    )
    longest = waiting.sum(axis="columns").nlargest(3)
    steps = ", ".join(
        f"{step_name(step)} {format_value(DURATION, hours)}" for step, hours in longest.items()
    )
    alt = (
        f"Waterfall of mean hours per deployed change, one bar per pipeline step; in all "
        f"{format_value(DURATION, total)}: {causes}. Longest steps: {steps}."
    )
    return Picture(figure, question, caption, alt)


def _restore_picture(evidence: Evidence) -> Picture:
    by_cause = restore_time_by_cause(evidence.records.tables, evidence.records.window)
    figure, (ax,) = new_figure(10.0, 1.8 + 0.5 * max(len(by_cause), 3))
    plot_restore_time(by_cause, ax)
    title = f"Time to restore by cause and phase{of_replication(evidence)}"
    title = entitle(figure, title, instability(evidence), no_data=by_cause.empty)
    question = "Where does restore time go?"
    caption = (
        "From the start of degradation to restored service; a remedy that goes through the "
        "pipeline waits there as well."
    )
    caption = with_source(caption, evidence)
    if by_cause.empty:
        return Picture(figure, question, caption, title)
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
    return Picture(figure, question, caption, alt)


# --- people's time and the bill -----------------------------------------------------------------


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
    labels = [
        f"{part.label}, {format_percent(by_role[part.column].sum() / whole_h)}" for part in work
    ]
    _stacked_bars(percent, names, work, labels, ax, unit="%")
    ax.axvline(100.0, color=INK, linewidth=1.0, linestyle=":")
    ax.set_xlim(right=max(ax.get_xlim()[1], 102.0))
    ax.set_xlabel("percent of the available hours; the rest is idle", fontsize=10)
    return ax


COST_PERIOD_WEEKS = 4
"""Weeks that a bar of the bill stands for: single weeks are full of downtime by chance."""


def plot_cost(
    bill: pd.DataFrame, edges: Sequence[float], warmup_weeks: float, currency: str, ax: Axes
) -> Axes:
    """Draw what each period costs per week, stacked by head of the bill.

    Args:
        bill: A row per period, columns as in :data:`sim.metrics.cost.HEADS`: money per week.
        edges: Ends of the periods in weeks, one more than there are periods.
        warmup_weeks: The week with which the time begins that the metrics are taken over.
        currency: What it costs.
        ax: Where to draw.
    """
    begin, width = np.array(edges[:-1]), np.diff(edges)
    bottom = np.zeros(len(bill))
    for head in HEADS:
        fill = FILLS[head]
        money = bill[head].to_numpy(dtype=float)
        ax.bar(
            begin,
            money,
            width,
            bottom,
            align="edge",
            color=fill.colour,
            hatch=fill.hatch,
            edgecolor=fill.hatch_colour,
            linewidth=0.5,
        )
        bottom += money
    if warmup_weeks > edges[0]:
        ax.axvline(warmup_weeks, color=BLACK, linewidth=1.5, linestyle=":")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylabel(unit_for(metric("cost_per_week").priced_in(currency), 0.0).heading, fontsize=10)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda money, _: format_number(money)))
    ax.yaxis.grid(True, color="#e3e3e3", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=9)
    for spine in ("right", "top"):
        ax.spines[spine].set_visible(False)
    shares = bill[list(HEADS)].sum() / bill[list(HEADS)].to_numpy().sum()
    # The first stands at the bottom of the bars, and of the legend.
    labels = [f"{HEADS[head]}, {format_percent(shares[head])}" for head in HEADS]
    explain([fill_patch(*both) for both in zip([*HEADS][::-1], labels[::-1], strict=True)], ax)
    return ax


def _effort_picture(evidence: Evidence) -> Picture:
    question = "Where does people's time go?"
    caption = (
        "Of the hours without meetings. Incident work is response, diagnosis, repair and "
        "remediation; toil is the repair of automation; investment is work on new practices."
    )
    caption = with_source(caption, evidence)
    title = f"People's time by role{of_replication(evidence)}"
    by_role = effort_by_role(evidence.records.tables, evidence.records.window)
    figure, (ax,) = new_figure(10.0, 1.8 + 0.5 * max(len(by_role), 3))
    if by_role.empty:
        say_no_data(ax)
        title = entitle(figure, title, instability(evidence), no_data=True)
        return Picture(figure, question, caption, title)
    plot_effort(by_role, ax)
    entitle(figure, title, instability(evidence))
    told = []
    for role, row in by_role.iterrows():
        whole_h = float(row["capacity_h_per_week"])
        parts = ", ".join(
            f"{part.label} {format_percent(row[part.column] / whole_h)}"
            for part in EFFORT_COMPONENTS
            if row[part.column] != 0.0
        )
        told.append(f"{readable(str(role))}: {parts}")
    alt = f"Stacked bars of the share of available hours, one bar per role. {'; '.join(told)}."
    return Picture(figure, question, caption, alt)


def _cost_picture(evidence: Evidence) -> Picture:
    records = evidence.records
    observed, end = (edge / HOURS_PER_WEEK for edge in records.window)
    # The tables of a simulation begin with week 0, before it is observed.
    begin = 0.0 if isinstance(evidence, Study) else observed
    edges = [*np.arange(begin, end, COST_PERIOD_WEEKS).tolist(), end]
    amounts = bills(records.tables, HOURS_PER_WEEK * np.array(edges, dtype=np.float64))
    bill = pd.DataFrame(amounts).div(np.diff(edges), axis="index")
    figure, (ax,) = new_figure(10.0, 4.2)
    title = f"Cost over time, by head of the bill{of_replication(evidence)}"
    entitle(figure, title, instability(evidence))
    question = "What does it cost, and when?"
    caption = f"Each bar is the mean over {count_noun(COST_PERIOD_WEEKS, 'week')}"
    if isinstance(evidence, Study):
        caption += "; the dotted line is the end of the warm-up"
    caption = with_source(f"{caption}.", evidence)
    if bill[list(HEADS)].isna().to_numpy().any():
        say_no_data(ax)
        return Picture(figure, question, caption, f"{title}: {NO_DATA}")
    plot_cost(bill, edges, observed, records.currency, ax)
    ax.set_xlabel("week", fontsize=10)
    total = bill[list(HEADS)].sum(axis="columns")
    parts = ", ".join(
        f"{HEADS[head]} {format_percent(bill[head].sum() / total.sum())}" for head in HEADS
    )
    least, most = (
        format_value(metric_of(evidence, "cost_per_week"), float(end))
        for end in (total.min(), total.max())
    )
    alt = (
        f"Stacked bars of the cost over {count_noun(end - begin, 'week')}, between {least} and "
        f"{most}; in all {parts}."
    )
    return Picture(figure, question, caption, alt)


# --- the course over time -----------------------------------------------------------------------

_COURSES = (*SETTLING, "deployments")
WELCH_HALF_WIDTH = 4
"""Weeks to each side of Welch's moving average."""


def plot_course(weekly: pd.DataFrame, column: str, warmup_weeks: int, ax: Axes) -> Axes:
    """Draw the course of one quantity over the weeks: is the warm-up long enough?

    The mean over the replications, the middle 80 % of them as a band, Welch's moving average of
    the mean, the warm-up that is left out, and the truncation that MSER-5 suggests.

    Args:
        weekly: The weekly series of every replication: columns `replication`, `week`, `column`.
        column: What to draw, in its best unit; see :func:`sim.metrics.series.weekly_columns`.
        warmup_weeks: Weeks that are left out of the metrics.
        ax: Where to draw.
    """
    by_week = weekly.groupby("week")[column]
    course = welch(weekly, WELCH_HALF_WIDTH, column)
    mean = course["mean"]
    what = weekly_columns()[column]
    unit = unit_for(what, float(mean.mean()))
    title = f"{what.label}, {unit.name}" if unit.name else what.label
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    if mean.isna().all():
        say_no_data(ax)
        return ax
    middle = mean.index + 0.5
    low, high = by_week.quantile(0.1) / unit.size, by_week.quantile(0.9) / unit.size
    ax.axvspan(0, warmup_weeks, facecolor="#eeeeee", edgecolor="#bbbbbb", hatch="//", zorder=0)
    ax.fill_between(
        middle, low, high, color=SKY, alpha=0.35, linewidth=0, label="middle 80 % of replications"
    )
    ax.plot(middle, mean / unit.size, color=BLUE, linewidth=1.0, label="mean of replications")
    ax.plot(
        middle,
        course["moving_average"] / unit.size,
        color=BLACK,
        linewidth=2.0,
        linestyle=(0, (5, 1.5)),
        label=f"moving average, {2 * WELCH_HALF_WIDTH + 1} weeks (Welch)",
    )
    suggested = suggested_warm_up(weekly, column)
    ax.axvline(suggested, color=VERMILION, linewidth=1.5, linestyle=":")
    ax.set_title(
        f"dotted: MSER-5 would leave out {count_noun(suggested, 'week')}",
        loc="right",
        fontsize=9,
        color=INK,
    )
    ax.set_xlim(0, len(mean))
    ax.set_ylim(bottom=0)
    ax.grid(True, color="#e3e3e3", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=9)
    for spine in ("right", "top"):
        ax.spines[spine].set_visible(False)
    return ax


def _course_picture(study: Study) -> Picture:
    figure, axes = new_figure(10.0, 8.0, rows=len(_COURSES))
    warmup = study.scenario.warmup_weeks
    for column, ax in zip(_COURSES, axes, strict=True):
        plot_course(study.weekly, column, warmup, ax)
    axes[-1].set_xlabel("week (hatched: warm-up, left out of the metrics)", fontsize=10)
    entitle(figure, "From week to week", instability(study))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    means = study.weekly.groupby("week")[list(_COURSES)].mean().loc[warmup:].mean()
    told = ", ".join(
        f"{weekly_columns()[column].label} "
        f"{format_value(weekly_columns()[column], float(means[column]))}"
        for column in _COURSES
    )
    alt = (
        f"Three curves over {study.scenario.horizon_weeks} weeks, of which the first {warmup} are "
        f"warm-up. Means after it: {told}."
    )
    caption = (
        "The warm-up has to cover the climb at the beginning: the moving average should be level "
        "where the hatched area ends."
    )
    return Picture(figure, "Has it settled?", caption, alt)


def plot_weeks(weekly: pd.DataFrame, column: str, ax: Axes) -> Axes:
    """Draw the course of one quantity of an organization over the weeks, and its moving average.

    Args:
        weekly: The weekly series: a row per week (index `week`), with the column.
        column: What to draw, in its best unit; see :func:`sim.metrics.series.weekly_columns`.
        ax: Where to draw.
    """
    what = weekly_columns()[column]
    course = weekly[column]
    unit = unit_for(what, float(course.mean()))
    title = f"{what.label}, {unit.name}" if unit.name else what.label
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    width = 2 * WELCH_HALF_WIDTH + 1
    smooth = course.rolling(width, center=True).mean()
    middle = course.index + 0.5
    ax.plot(middle, course / unit.size, "o-", color=BLUE, linewidth=1.0, markersize=3, label="week")
    if smooth.notna().any():
        label = f"moving average, {width} weeks"
        ax.plot(middle, smooth / unit.size, color=BLACK, linewidth=2.0, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(course.index[0], course.index[-1] + 1)
    ax.set_ylim(bottom=0)
    tidy(ax)
    return ax


def _weeks_picture(evidence: Evidence) -> Picture:
    """Return the picture of the whole weeks of the window."""
    tables, (start, end) = evidence.records.tables, evidence.records.window
    first, stop = math.ceil(start / HOURS_PER_WEEK), math.floor(end / HOURS_PER_WEEK)
    weekly = weekly_series(tables, max(stop, 0)).iloc[first:]
    told_of = [column for column in _COURSES if weekly[column].notna().sum() > 1]
    title, question = "From week to week", "How has it developed?"
    rows = max(len(told_of), 1)
    figure, axes = new_figure(10.0, 0.8 + 2.4 * rows, rows=rows)
    caption = "A dot is a week; of a week without data there is none."
    if not told_of:
        title = entitle(figure, title, instability(evidence), no_data=True)
        return Picture(figure, question, caption, title)
    for column, ax in zip(told_of, axes, strict=True):
        plot_weeks(weekly, column, ax)
    axes[-1].set_xlabel("week", fontsize=10)
    entitle(figure, title, instability(evidence))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    told = ", ".join(
        f"{weekly_columns()[column].label} "
        f"{format_value(weekly_columns()[column], float(weekly[column].mean()))}"
        for column in told_of
    )
    alt = f"A curve over {count_noun(len(weekly), 'week')} for each of: {told} (means)."
    return Picture(figure, question, caption, alt)


_PICTURES: dict[str, Callable[[Evidence], Picture]] = {
    "metrics": _metrics_picture,
    "lead_time": _lead_time_picture,
    "gantt": gantt_picture,
    "cumulative_flow": cumulative_flow_picture,
    "restore_time": _restore_picture,
    "incidents": incidents_picture,
    "quality": quality_picture,
    "effort": _effort_picture,
    "week": week_picture,
}
"""What draws each picture that records suffice for, in their order."""
