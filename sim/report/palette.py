"""The common look of all pictures: colours, fills, and the frame around the drawing.

Colours are those of Okabe and Ito (2008), which the colour-blind can tell apart; hatches, markers
and labels carry the same information, so the pictures survive a black-and-white printer. Nothing
here uses the global state of pyplot, so pictures can be drawn anywhere, without a display.
"""

import io
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.report.units import NO_DATA

BLACK = "#000000"
ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, VERMILION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"

INK = "#222222"
"""Of letters and thin lines."""

GRID = "#e3e3e3"


class Fill(NamedTuple):
    """The fill of an area: colour and hatch say the same."""

    colour: str
    hatch: str = ""
    hatch_colour: str = "white"


FILLS = {
    "effort_h": Fill(GREEN),
    "run_h": Fill(SKY),
    "people_h": Fill(VERMILION, "///"),
    "compute_h": Fill(BLUE, "\\\\\\"),
    "window_h": Fill(ORANGE, "...", INK),
    "handoff_h": Fill(YELLOW, "xxx", INK),
    "batch_h": Fill("#b5651d", "oo"),
    "rework_h": Fill("#666666", "++"),
    "detect_h": Fill(ORANGE, "...", INK),
    "respond_h": Fill(YELLOW, "xxx", INK),
    "diagnose_h": Fill(SKY),
    "remedy_h": Fill(BLUE, "//"),
    "delivery_h_per_week": Fill(GREEN),
    "incident_work_h_per_week": Fill(VERMILION, "///"),
    "toil_h_per_week": Fill(YELLOW, "xxx", INK),
    "investment_h_per_week": Fill(SKY, "...", INK),
    "people": Fill(GREEN),
    "compute": Fill(SKY, "\\\\\\"),
    "tools": Fill(YELLOW, "xxx", INK),
    "downtime": Fill(VERMILION, "///"),
    "degraded": Fill(ORANGE, "...", INK),
}
"""By column of the tables that are drawn. Solid areas of a lead time are work, hatched ones are
waiting."""


class ShownFigure(Figure):
    """A figure that a notebook shows, also where nobody has imported Matplotlib's pyplot."""

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG, in the size of a page; IPython calls this."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=90)
        return file.getvalue()


def new_figure(width: float, height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure, in inches, with a column of axes."""
    figure = ShownFigure(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")
    axes = figure.subplots(rows, 1, squeeze=False)
    return figure, list(axes[:, 0])


def entitle(figure: Figure, title: str, flag: str = "", no_data: bool = False) -> str:
    """Put a title above a figure, and in the corner a flag, such as that it is unstable.

    Returns:
        The title, which says so if there are no data.
    """
    title = f"{title}: {NO_DATA}" if no_data else title
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=INK)
    if flag:
        figure.text(
            0.99, 0.995, flag, ha="right", va="top", fontsize=11, fontweight="bold", color=VERMILION
        )
    return title


def tidy(ax: Axes, grid: Literal["both", "x", "y"] = "both") -> None:
    """Take off what is not needed around a drawing, and put a faint grid behind it."""
    ax.grid(True, axis=grid, color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=9)
    for spine in ("right", "top"):
        ax.spines[spine].set_visible(False)


def fill_patch(name: str, label: str) -> Patch:
    """Return what stands for a fill in a legend."""
    fill = FILLS[name]
    return Patch(
        facecolor=fill.colour,
        hatch=fill.hatch,
        edgecolor=fill.hatch_colour,
        linewidth=0.5,
        label=label,
    )


def explain(handles: Sequence[Artist], ax: Axes) -> None:
    """Put a legend to the right of the axes."""
    ax.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        fontsize=9.5,
        frameon=False,
        handlelength=2.8,
        handleheight=1.6,
    )


def write_after(
    ends: npt.NDArray[np.float64], texts: Sequence[str], ax: Axes, fontsize: float
) -> None:
    """Write a text after the end of each horizontal bar; rows are at 0, 1, 2, ..."""
    for row, (end, text) in enumerate(zip(ends, texts, strict=True)):
        ax.annotate(
            text,
            (float(end), float(row)),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=fontsize,
            color=INK,
        )


def stack_bars(
    frame: pd.DataFrame,
    columns: Sequence[str],
    ax: Axes,
    height: float,
    begin: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Draw a horizontal bar per row, stacked from columns in their fills; return where they end.

    Args:
        frame: What is stacked, in the unit of the axis; rows are drawn at 0, 1, 2, ...
        columns: Which columns, from left to right; each has a fill in :data:`FILLS`.
        ax: Where to draw.
        height: Of a bar, where rows are 1 apart.
        begin: Where each bar begins; by default at 0.
    """
    rows = np.arange(len(frame))
    left = np.zeros(len(frame)) if begin is None else begin.copy()
    for column in columns:
        fill = FILLS[column]
        size = frame[column].to_numpy(dtype=np.float64)
        ax.barh(
            rows,
            size,
            left=left,
            height=height,
            color=fill.colour,
            hatch=fill.hatch,
            edgecolor=fill.hatch_colour,
            linewidth=0.5,
            zorder=2,
        )
        left += size
    return left


def say_no_data(ax: Axes) -> None:
    """Write into empty axes that there is nothing to draw."""
    ax.text(0.5, 0.5, NO_DATA, transform=ax.transAxes, ha="center", va="center", fontsize=14)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color("#bbbbbb")
