"""The picture of the metrics against cost, with the Pareto front."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from sim.document.picture import Picture
from sim.experiment.pareto import pareto_front
from sim.experiment.sweep_results import COST
from sim.metrics import catalogue
from sim.report.palette import BLUE, INK, entitle, tidy
from sim.report.sweep_content import (
    Findings,
    instability,
    label_of,
    panel_title,
    point_label,
    title_of_labels,
)
from sim.report.sweep_panels import (
    INTERVALS,
    MOST_BARS,
    panel_by_metric,
    reaches,
    say_no_data,
    show_plain_numbers,
    shown_estimates,
    write_footnote,
)
from sim.report.units import NO_DATA
from sim.words import capitalized

_LONGEST_LABEL = 14
"""Letters up to which points of a front are labelled with their values."""


def plot_pareto(frame: pd.DataFrame, larger_is_better: bool, ax: Axes) -> Axes:
    """Draw a metric against cost, and the front of the points that none beats in both.

    Args:
        frame: a row per point; `cost`, `cost_low`, `cost_high`, `mean`, `ci_low`, `ci_high`,
            `front` (bool) and `label`.
        larger_is_better: whether more of the metric is better; less cost always is.
        ax: where to draw.
    """
    known = frame.dropna(subset=["cost", "mean"])
    if known.empty:
        say_no_data(ax)
        return ax
    beaten = known[~known["front"]]
    ax.scatter(
        beaten["cost"], beaten["mean"], s=16, facecolor="white", edgecolor="#999999", zorder=3
    )
    for rows, colour, width in ((beaten, "#c8c8c8", 0.7), (known[known["front"]], BLUE, 1.0)):
        if len(rows) <= MOST_BARS:
            ax.errorbar(
                rows["cost"],
                rows["mean"],
                xerr=reaches(rows, ("cost", "cost_low", "cost_high")),
                yerr=reaches(rows),
                fmt="none",
                ecolor=colour,
                elinewidth=width,
                zorder=2,
            )
    front = known[known["front"]].sort_values("cost")
    ax.step(
        front["cost"],
        front["mean"],
        where="post",
        color=BLUE,
        linewidth=1.2,
        marker="o",
        markersize=5,
        zorder=4,
    )
    ax.margins(0.12)
    ax.autoscale_view()
    _label_front(front, larger_is_better, ax)
    tidy(ax)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    show_plain_numbers(ax, "x")
    show_plain_numbers(ax, "y")
    return ax


def _label_front(front: pd.DataFrame, larger_is_better: bool, ax: Axes) -> None:
    """Write beside the points of the front, on the side where no point can be."""
    taken: list[Bbox] = []
    for label, cost, mean in zip(front["label"], front["cost"], front["mean"], strict=True):
        text = ax.annotate(
            str(label),
            (float(cost), float(mean)),
            ha="right",
            va="bottom" if larger_is_better else "top",
            textcoords="offset points",
            xytext=(-4, 4 if larger_is_better else -4),
            fontsize=8.5,
            color=INK,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        )
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def pareto_picture(found: Findings) -> Picture:
    """Return the metrics against cost."""
    figure, panels = panel_by_metric([metric for metric in found.shown if metric != COST])
    labels = [point_label(found, number) for number in found.numbers]
    named = title_of_labels(found)
    if max(map(len, labels)) > _LONGEST_LABEL:
        labels = [f"#{number}" for number in found.numbers]
        named = "numbers of the points, as in the tables"
    cost = shown_estimates(found, COST).set_axis(["cost", "cost_low", "cost_high"], axis="columns")
    told = []
    for metric, ax in panels.items():
        frame = pd.concat([cost, shown_estimates(found, metric)], axis="columns")
        larger = catalogue.metric(metric).better == "more"
        frame["front"] = pareto_front(
            frame[["cost", "mean"]].to_numpy(dtype=float), [False, larger]
        )
        frame["label"] = labels
        plot_pareto(frame, larger, ax)
        ax.set_title(panel_title(metric, found.units[metric]), loc="left", fontsize=11, color=INK)
        ax.set_xlabel(found.units[COST].heading, fontsize=10)
        best = frame[frame["front"]].sort_values("cost")["label"]
        told.append(f"{capitalized(label_of(metric))}: {'; '.join(best) or NO_DATA}.")
    entitle(figure, "Cost against each of the metrics", instability(found))
    write_footnote(figure, f"joined: Pareto front; labels: {named}; bars: 95 % intervals")
    caption = (
        "Joined points are the Pareto front: no other point is both cheaper and better, going by "
        f"the means. Labels are {named}; those that would cover others are left "
        "out. "
        f"Bars are {INTERVALS}."
    )
    alt = f"Pareto fronts of cost, the cheapest first. {' '.join(told)}"
    return Picture("pareto", figure, "What does better cost?", caption, alt)
