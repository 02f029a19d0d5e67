"""The picture of a population: how many organizations and teams give which answer."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.document.picture import Picture
from sim.metrics.answers import ANSWERS, YEAR
from sim.report.palette import BLUE, INK, SKY, entitle, tidy
from sim.report.population_content import population_sentences, shares
from sim.report.sweep_content import Findings, instability, label_of
from sim.report.sweep_panels import panel_grid, say_no_data
from sim.report.units import count_noun
from sim.words import capitalized

_HEIGHT = 0.38


def plot_shares(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw shares of organizations and teams as bars, and published ones as marks over them.

    Args:
        frame: a row per answer, the best first; columns `answer`, `organizations`, `low`, `high`,
            `teams`, `published`, as shares.
        ax: where to draw.
    """
    if frame["organizations"].isna().all():
        say_no_data(ax)
        return ax
    rows = np.arange(len(frame))
    percent = 100.0 * frame[["organizations", "low", "high", "teams", "published"]]
    ax.barh(
        rows - _HEIGHT / 2,
        percent["organizations"],
        _HEIGHT,
        color=BLUE,
        label="simulated organizations",
    )
    if percent["teams"].notna().any():
        ax.barh(
            rows + _HEIGHT / 2,
            percent["teams"],
            _HEIGHT,
            facecolor=SKY,
            edgecolor="white",
            hatch="///",
            label="their teams",
        )
    ax.hlines(rows - _HEIGHT / 2, percent["low"], percent["high"], color=INK, linewidth=1.2)
    if percent["published"].notna().any():
        ax.plot(
            percent["published"],
            rows,
            "D",
            color="white",
            markeredgecolor=INK,
            markersize=6.5,
            zorder=4,
            label=f"respondents of DORA {YEAR}",
        )
    ax.set_yticks(rows, frame["answer"], fontsize=9)
    ax.invert_yaxis()
    ax.set_xlim(left=0.0)
    tidy(ax, "x")
    return ax


def population_picture(found: Findings) -> Picture:
    """Return the shares of all answers, with a panel for each metric."""
    figure, panels = panel_grid(11.0, 7.2, 2, 2)
    every = [ax for row in panels for ax in row]
    for metric, ax in zip(ANSWERS, every, strict=True):
        plot_shares(shares(found, metric), ax)
        ax.set_title(capitalized(label_of(metric)), loc="left", fontsize=10.5, color=INK)
    for ax in panels[-1]:
        ax.set_xlabel("% of those who answer", fontsize=9.5)
    handles, labels = every[1].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    count = count_noun(len(found.numbers), "simulated organization")
    entitle(figure, f"{count} beside the answers of DORA {YEAR}", instability(found))
    caption = (
        "Each bar is the share of those who give an answer; lines are 95 % intervals. Respondents "
        "answered about software of all kinds; nothing was fitted to their answers."
    )
    return Picture(
        "population",
        figure,
        "How are the four metrics spread?",
        caption,
        "Bars of shares by answer for each of the four metrics. "
        + " ".join(population_sentences(found)),
    )
