"""The picture of the bill: cost over time by what it is for.

Each plot takes a plain frame and an ``Axes``, draws into it and returns it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from sim.document.picture import Picture
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_WEEK
from sim.metrics.catalogue import metric
from sim.metrics.cost import HEADS, bills
from sim.report.content import instability, is_priced, metric_of
from sim.report.evidence import Evidence, of_replication, with_source
from sim.report.palette import BLACK, FILLS, entitle, explain, fill_patch, new_figure, say_no_data
from sim.report.pictures import draws
from sim.report.units import (
    NO_DATA,
    count_noun,
    format_number,
    format_percent,
    format_value,
    percent_of,
    unit_for,
)

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


@draws(section="What it costs", place=1)
def _cost_picture(evidence: Evidence) -> Picture | None:
    if not is_priced(evidence):
        return None
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
        return Picture("cost", figure, question, caption, f"{title}: {NO_DATA}")
    plot_cost(bill, edges, observed, records.currency, ax)
    ax.set_xlabel("week", fontsize=10)
    total = bill[list(HEADS)].sum(axis="columns")
    parts = ", ".join(
        f"{HEADS[head]} {percent_of(bill[head].sum(), total.sum())}" for head in HEADS
    )
    least, most = (
        format_value(metric_of(evidence, "cost_per_week"), float(end))
        for end in (total.min(), total.max())
    )
    alt = (
        f"Stacked bars of the cost over {count_noun(end - begin, 'week')}, between {least} and "
        f"{most}; in all {parts}."
    )
    return Picture("cost", figure, question, caption, alt)
