"""The picture of the page: simulated values beside published ones."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sim.document.picture import Picture
from sim.experiment.intervals import FloatArray
from sim.hours import HOURS_PER_DAY
from sim.report.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION

from .agreement import Simulated, quantity_in, simulated
from .clusters import CLUSTERS, cluster_range
from .entries import DoraMetric
from .load import SurveyTables
from .observe import DAYS, MINUTES
from .population import (
    FAMILIES,
    LARGE_FIRM,
    MICROSOFT,
    PRESETS_IN,
    Simulation,
    over_population,
    presets,
    weights,
)
from .published import Answers, LognormalFit
from .readings import IN_FIGURES, read
from .results import Results
from .rows import SurveyRow

_SHADES = dict(zip(CLUSTERS, ("#cfe3f2", "#e4eef6", "#f6f1e3", "#ecdcc0"), strict=True))
_FAMILY_STYLES = {"Google": ("s", GREEN, 7, "left"), "Microsoft": ("o", PURPLE, -7, "right")}
_MARKS = {"agrees": ("o", BLUE), "undecided": ("o", "white"), "disagrees": ("X", VERMILION)}


def validation_picture(
    results: Results, rows: Sequence[SurveyRow], tables: SurveyTables
) -> Picture:
    """Return the picture of the page."""
    return Picture(
        "validation",
        _validation_figure(results, rows, tables),
        "How close do they come?",
        "Simulated values and published ones, each with the mark or line of the legend; bars are "
        "95 % intervals over replications.",
        "Times to deploy, presets, restore times and shares, simulated beside published.",
    )


def _validation_figure(results: Results, rows: Sequence[SurveyRow], tables: SurveyTables) -> Figure:
    """Draw times to deploy, presets over the clusters, restore times, and shares.

    Marks and line styles repeat the colours, so that the figure can be read in black and white.
    """
    figure = Figure(figsize=(11.0, 9.0), dpi=150, layout="constrained", facecolor="white")
    (deploy, presets), (restore, shares) = figure.subplots(2, 2)
    _deploy(results, tables.distributions.answers["time_to_deploy"], deploy)
    _presets(results, tables, presets)
    _restore(results, tables.distributions.lognormal_fits["restore_minutes"], restore)
    _shares(rows, shares)
    for ax in (deploy, presets, restore, shares):
        ax.tick_params(labelsize=7.5)
        for spine in ("top", "right"):
            ax.spines[spine].set_visible(False)
    return figure


def _deploy(results: Results, published: Answers, ax: Axes) -> None:
    """Draw the cumulative distribution of the time to deploy."""
    for place, level in enumerate(MICROSOFT):
        curves = results.curve("deployed", weights({level: 1.0}))
        grey = str(0.35 + 0.1 * place)
        ax.plot(DAYS, np.nanmean(curves, axis=0), color=grey, linewidth=0.8, linestyle=":")
        height = 0.6 + 0.06 * place  # the highest two are as good as one line
        at = int(np.searchsorted(np.nanmean(curves, axis=0), height))
        ax.annotate(
            level.rpartition("_")[2],
            (DAYS[min(at, DAYS.size - 1)], height),
            fontsize=7,
            color=grey,
            ha="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    models = np.nanmean(results.curve("deployed", weights()), axis=0)
    ax.plot(DAYS, models, color=ORANGE, linestyle="--", label="simulated: single models")
    teams = np.nanmean(over_population(lambda cell: _teams(results, cell), weights()), axis=0)
    ax.plot(DAYS, teams, color=BLUE, linewidth=2.0, label="simulated: usual time of a team")
    edges = np.array(published.edges_h) / HOURS_PER_DAY
    ax.plot(
        edges,
        published.cumulative[:-1],
        "D",
        color=VERMILION,
        label="Algorithmia 2020, of those who know",
    )
    ax.set(xlim=(0.0, 90.0), ylim=(0.0, 1.02))
    ax.set_xlabel("days from commit to production", fontsize=8)
    ax.set_title("Time to deploy a model, cumulative share", fontsize=10, loc="left")
    ax.text(89.0, 0.22, "dotted: Microsoft's levels", fontsize=7, ha="right", color="0.35")
    ax.legend(fontsize=7, frameon=False, loc="lower right")


def _teams(results: Results, cell: Simulation) -> FloatArray:
    rows = []
    for observation in results.observations[cell]:
        days = np.sort(observation.teams["time_to_deploy_h"].dropna().to_numpy()) / HOURS_PER_DAY
        shares = np.searchsorted(days, DAYS, side="right") / max(days.size, 1)
        rows.append(shares if days.size else np.full(DAYS.size, np.nan))
    return np.array(rows)


def _presets(results: Results, tables: SurveyTables, ax: Axes) -> None:
    """Draw lead time and change failure rate of the presets over the clusters of 2019."""
    lead, failures = "lead_time_h", "change_failure_rate"
    for cluster, shade in _SHADES.items():
        left, right = (h / HOURS_PER_DAY for h in cluster_range(lead, cluster))
        bottom, top = (100 * share for share in cluster_range(failures, cluster))
        left = max(left, 0.3)
        ax.add_patch(Rectangle((left, bottom), right - left, top - bottom, color=shade, zorder=0))
        ax.text(math.sqrt(left * right), top + 0.7, cluster, fontsize=7, ha="center", color="0.4")
    for family, levels in FAMILIES.items():
        marker, colour, aside, align = _FAMILY_STYLES[family]
        points = []
        for level in levels:
            x = _of_preset(results, level, tables.metrics[lead])
            y = _of_preset(results, level, tables.metrics[failures])
            points.append((x.mean, y.mean))
            ax.plot([x.low, x.high], [y.mean] * 2, color=colour, linewidth=0.8)
            ax.plot([x.mean] * 2, [y.low, y.high], color=colour, linewidth=0.8)
            ax.annotate(
                level.rpartition("_")[2],
                (x.mean, y.mean),
                textcoords="offset points",
                xytext=(aside, -3),
                ha=align,
                fontsize=8,
                color=colour,
            )
        ax.plot(*zip(*points, strict=True), marker, color=colour, label=f"{family}'s levels")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([1.0, 7.0, 30.4, 182.6]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: {1: "1 day", 7: "1 week", 30: "1 month"}.get(int(x), "6 months"))
    )
    ax.set(xlim=(0.3, 185.0), ylim=(0.0, 65.0))
    ax.set_xlabel("lead time", fontsize=8)
    ax.set_ylabel("change failure rate, %", fontsize=8)
    ax.set_title("Maturity presets over the clusters of DORA 2019", fontsize=10, loc="left")
    ax.legend(fontsize=7, frameon=False, loc="upper left")


def _of_preset(results: Results, level: str, metric: DoraMetric) -> Simulated:
    values = read(metric.reads, results, presets(level).weights)
    return simulated(values / IN_FIGURES[metric.unit], quantity_in(metric.unit))


def _restore(results: Results, fit: LognormalFit, ax: Axes) -> None:
    firm = np.nanmean(results.curve("restored", {Simulation(*LARGE_FIRM): 1.0}), axis=0)
    population = np.nanmean(results.curve("restored", weights()), axis=0)
    ax.plot(
        MINUTES,
        fit.cumulative(MINUTES),
        color=VERMILION,
        linestyle="-.",
        label="lognormal fit, company B",
    )
    ax.plot(MINUTES, firm, color=BLUE, linewidth=2.0, label=f"simulated: {' at '.join(LARGE_FIRM)}")
    ax.plot(MINUTES, population, color=ORANGE, linestyle="--", label="simulated: population")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([1.0, 10.0, 60.0, 360.0, 1440.0, 10080.0]))
    ax.xaxis.set_minor_locator(NullLocator())
    names = {1: "1 min", 10: "10 min", 60: "1 h", 360: "6 h", 1440: "1 day", 10080: "1 week"}
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: names.get(int(x), "")))
    ax.set(ylim=(0.0, 1.02))
    ax.set_title("Infrastructure incidents restored, cumulative share", fontsize=10, loc="left")
    ax.legend(fontsize=7, frameon=False, loc="lower right")


def _shares(rows: Sequence[SurveyRow], ax: Axes) -> None:
    """Draw judged shares beside the ranges that agree."""
    shown = [
        row
        for row in rows
        if row.definition.unit == "%"
        and row.accepted
        and row.verdict in _MARKS
        and row.definition.place.name != PRESETS_IN
    ]
    for place, row in enumerate(shown):
        for low, high in row.accepted:
            ax.plot([low, high], [place] * 2, color="#bbbbbb", linewidth=7, solid_capstyle="butt")
        marker, face = _MARKS[row.verdict]
        edge = BLACK if face == "white" else face
        ax.plot([row.value.low, row.value.high], [place] * 2, color=edge, linewidth=1.2)
        ax.plot([row.value.mean], [place], marker, markerfacecolor=face, markeredgecolor=edge)
    ax.set_yticks(range(len(shown)), [textwrap.fill(row.definition.quantity, 26) for row in shown])
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(0.0, 100.0)
    ax.set_xlabel("%; grey: agrees with the published share", fontsize=8)
    ax.set_title("Shares", fontsize=10, loc="left")
