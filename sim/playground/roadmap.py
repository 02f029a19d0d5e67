"""The tab *Roadmap*: what a practice that is introduced brings, and when it pays."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import pandas as pd
from matplotlib.figure import Figure

from sim.document.document import Paragraph
from sim.document.html import block_as_html
from sim.document.picture import Picture
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.metrics.series import ROLLING
from sim.report.payback import ROLLING_WEEKS, TITLE, in_words
from sim.report.payback_figures import plot_cumulated, plot_rolling
from sim.report.units import count_noun
from sim.scenario.organization import Scenario

from .laboratory import Laboratory, ObservedWeeks

_FEWEST = 2
"""Replications from which there is a picture."""
_GROWTH = 1.5
"""A picture comes when there are so many times more replications: to draw it takes a second."""
_Pair = tuple[ObservedWeeks, ObservedWeeks]


async def paybacks(
    scenario: Scenario, replications: int, laboratory: Laboratory
) -> AsyncGenerator[Payback]:
    """Yield what a roadmap brings, from more and more replications.

    Args:
        scenario: an organization with a roadmap.
        replications: how many there are in the end.
        laboratory: where they are simulated.

    Raises:
        RuntimeError: a simulation failed.
    """
    without = scenario.model_copy(update={"roadmap": ()})

    async def pair(number: int) -> _Pair:
        found = await asyncio.gather(
            *(laboratory.weeks(each, number, urgency=number) for each in (scenario, without))
        )
        return found[0], found[1]

    pairs = [asyncio.create_task(pair(number)) for number in range(replications)]
    try:
        done: list[_Pair] = []
        told = 0
        while len(done) < replications:
            done.append(await pairs[len(done)])
            while len(done) < replications and pairs[len(done)].done():
                done.append(pairs[len(done)].result())
            if len(done) == replications or len(done) >= max(_FEWEST, told * _GROWTH):
                told = len(done)
                invested, waited = zip(*done, strict=True)
                yield Payback(_study(scenario, invested), _study(without, waited))
    finally:
        for task in pairs:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*pairs, return_exceptions=True)


def _study(scenario: Scenario, observed: tuple[ObservedWeeks, ...]) -> Study:
    numbers = list(range(len(observed)))
    runs = pd.DataFrame([each.metrics for each in observed], index=numbers)
    runs.insert(0, "replication", numbers)
    weekly = pd.concat([each.weekly for each in observed], keys=numbers, names=["replication"])
    return Study(scenario, scenario.seed, runs, weekly.reset_index(), observed[0].run)


def roadmap_pieces(payback: Payback, wanted: int) -> dict[str, str]:
    """Return the HTML of each piece of the tab by the id of the place where it goes."""
    done = len(payback.invested.runs)
    of = f"{done} of {count_noun(wanted, 'replication')}"
    return {
        "progress": f"done: {of}" if done == wanted else f"getting sharper: {of}",
        "roadmap-answer": block_as_html(Paragraph(in_words(payback), tone="strong")),
        "roadmap-picture": block_as_html(j_curve(payback)),
    }


def j_curve(payback: Payback) -> Picture:
    """Return the cumulated cost and the metrics over time, beside each other to fit a window."""
    figure = Figure(figsize=(13.5, 5.0), dpi=100, layout="constrained", facecolor="white")
    left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1.0), squeeze=False)[0]
    large = left.subplots()
    plot_cumulated(payback, large)
    rolled = payback.rolling(ROLLING_WEEKS)
    small = right.subplots(2, 2, sharex=True).flat
    for metric, ax in zip(ROLLING, small, strict=True):
        plot_rolling(rolled, metric, ax)
    scenario = payback.invested.scenario
    start = scenario.roadmap[0].start_week
    for ax in figure.axes:
        ax.set_xlim(scenario.warmup_weeks, scenario.horizon_weeks)
        ax.axvline(start, color="#777777", linewidth=1.0, linestyle=":")
        ax.set_xlabel("week", fontsize=10)
    handles, labels = figure.axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=2, frameon=False)
    caption = (
        f"Both organizations meet the same luck. Bands are 95 % intervals of the mean; the metrics "
        f"are over the {ROLLING_WEEKS} weeks before. Dotted: work on the practice begins."
    )
    question = "What does it bring, and when?"
    return Picture("payback", figure, question, caption, in_words(payback), section=TITLE)
