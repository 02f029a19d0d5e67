"""The findings as a picture: a forest plot."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from sim.document.picture import Picture
from sim.report.palette import BLACK, BLUE, ORANGE, VERMILION, new_figure
from sim.report.units import MINUS, format_number, format_weeks

from .content import sentences
from .judge import Finding
from .table import contrast_in_words

# Marker and colour say the same, so that the plot can be read in black and white.
_MARKS = {
    "supported": ("o", BLUE, BLUE),
    "not supported": ("o", "white", BLACK),
    "contradicted": ("X", VERMILION, VERMILION),
    "reported": ("D", ORANGE, BLACK),
}


def claims_picture(findings: Sequence[Finding], title: str, replications: int) -> Picture:
    """Return the picture of the claims.

    Args:
        findings: what :func:`sim.claims.judge.run_trials` returned.
        title: what stands above the drawing.
        replications: of each arm.
    """
    said = " ".join(sentences(findings, replications))
    return Picture(
        "claims",
        forest_plot(findings, title),
        "Which way did they come out?",
        "The difference of each expectation with its interval, as a share of the larger side; the "
        "grey bar is the margin of what does not matter. Marks of another shape did not come out "
        "as expected.",
        f"A row per expectation with its difference and interval. {said}",
    )


def forest_plot(findings: Sequence[Finding], title: str) -> Figure:
    """Draw the difference of every finding with its interval.

    Differences are shares of the larger of the two sides of the contrast, so that those of
    different metrics, and from zero, fit on one axis: -100 % is "all of it is gone".

    Args:
        findings: what :func:`sim.claims.judge.run_trials` returned.
        title: what the figure is about.
    """
    shown = [f for f in findings if not f.expectation.break_even and _scale(f) > 0.0]
    figure, (ax,) = new_figure(9.0, 1.6 + 0.215 * len(shown))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    labels = []
    for row, finding in enumerate(shown):
        scale = _scale(finding)
        marker, face, edge = _MARKS[finding.verdict]
        if not math.isnan(finding.margin):
            width = finding.margin / scale
            ax.plot([-width, width], [row, row], color="#bbbbbb", linewidth=6, zorder=1)
        if not math.isnan(finding.ci_low):
            ends = [max(-1.5, min(1.5, e / scale)) for e in (finding.ci_low, finding.ci_high)]
            ax.plot(ends, [row, row], color=edge, linewidth=1.4, zorder=2)
        ax.plot(
            [finding.difference / scale],
            [row],
            marker,
            markerfacecolor=face,
            markeredgecolor=edge,
            markersize=6,
            zorder=3,
        )
        labels.append(_label(finding))
    ax.set_yticks(range(len(shown)), labels, fontsize=7.5)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(-1.25, 1.25)
    ax.axvline(0.0, color=BLACK, linewidth=0.8, zorder=0)
    # A faint line wherever the next claim begins.
    for row in range(1, len(shown)):
        if shown[row].claim is not shown[row - 1].claim:
            ax.axhline(row - 0.5, color="#dddddd", linewidth=0.6, zorder=0)
    ax.xaxis.set_major_formatter(
        FuncFormatter(
            lambda share, _: f"{format_number(100 * share, 0, signed=True)} %" if share else "0"
        )
    )
    ax.set_xlabel(
        "difference, as a share of the larger side; 95 % interval adjusted by Holm", size=9
    )
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0)
    for spine in ("top", "right", "left"):
        ax.spines[spine].set_visible(False)
    handles = [
        Line2D([], [], marker=marker, linestyle="-", color=edge, markerfacecolor=face, label=name)
        for name, (marker, face, edge) in _MARKS.items()
        if any(finding.verdict == name for finding in shown)
    ]
    if any(not math.isnan(finding.margin) for finding in shown):
        handles.append(Line2D([], [], color="#bbbbbb", linewidth=6, label="margin"))
    figure.legend(handles=handles, loc="outside lower right", ncols=5, fontsize=8, frameon=False)
    return figure


def _scale(finding: Finding) -> float:
    scale = max(abs(finding.low), abs(finding.high))
    return 0.0 if math.isnan(scale) else scale


def _label(finding: Finding) -> str:
    expectation = finding.expectation
    text = f"{finding.claim.id}  {finding.metric.label}"
    if expectation.weeks is not None:
        text += f", {format_weeks(expectation.weeks[0], expectation.weeks[1] - 1)}"
    if finding.claim.arms is not None:
        words = contrast_in_words(expectation)
        text += f", {words}" if len(words) <= 34 else ", several arms"
    sign = "" if expectation.sign == "report" else f"  ({expectation.sign})"
    return text + sign.replace("-", MINUS)
