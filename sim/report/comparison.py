"""Plain sentences on a comparison of two organizations: the changes and their causes.

The four metrics are taken apart into what they are made of (lead time into work and waits,
failures into their causes, restoring into its phases, deployments into kinds of change), so that
each sentence names the mechanism through which a metric moved. All of it is derived from the
paired differences of the comparison.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from sim.document.document import Tile, Tone
from sim.experiment.compare import Comparison
from sim.experiment.mix import split_median
from sim.experiment.pooled import FEWEST
from sim.metrics import catalogue
from sim.metrics.catalogue import Metric, divided, headlines
from sim.metrics.restore import POOLED
from sim.report.mix import median_split_in_words, split_in_words
from sim.report.units import (
    NO_DATA,
    UNKNOWN,
    Unit,
    change_in_words,
    difference_in,
    format_number,
    format_percent,
    unit_for,
    unit_of_change,
    value_in_words,
)
from sim.words import capitalized, listed

Verdict = Literal["more", "less", "unclear", "same", "unknown"]

_SHOWN_SHARE = 0.05
"""Parts that moved by less than this share of the largest move go without words."""

_SHOWN_UTILIZATION = 0.01

_ROUNDING = 1e-9
"""Differences smaller than this, relative to the metric, are none."""


# How a metric of each dimension differs, if it is more or less.
_WORDS = {"duration": ("longer", "shorter"), "frequency": ("more", "less")}


class Difference(NamedTuple):
    """A paired difference of two arms with its interval; NaN where nothing is known."""

    metric: str
    first: float
    other: float
    difference: float
    low: float
    high: float

    @property
    def is_none(self) -> bool:
        """Whether the arms are the same but for the rounding of sums."""
        rounding = _ROUNDING * max(abs(self.first), abs(self.other))
        ends = [end for end in (self.difference, self.low, self.high) if not math.isnan(end)]
        return bool(ends) and all(abs(end) <= rounding for end in ends)

    @property
    def has_interval(self) -> bool:
        """Whether at least two pairs of replications know it."""
        return not math.isnan(self.low)

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def has_moved(self) -> bool:
        """Whether it is clear or, without an interval, is not zero."""
        known = not math.isnan(self.difference)
        return self.is_clear or (known and not self.has_interval and self.difference != 0.0)


class Explanation(NamedTuple):
    """The difference of one of the four metrics between two arms, and the parts of it."""

    metric: str
    verdict: Verdict
    """``unclear`` if the interval of the difference holds zero, ``unknown`` without data."""
    sentence: str


def headline_differences(comparison: Comparison, arm: str) -> dict[str, Difference]:
    """Return the differences of what tables and sentences are about, by metric.

    They are one family of tests, so that a table of the four metrics and the sentences about their
    means never disagree on what is clear.

    Args:
        comparison: of at least two arms.
        arm: one of them, but not the first.
    """
    metrics = dict.fromkeys([*headlines(), *(metric.name for metric in divided())])
    return {row.metric: row for row in differences(comparison, arm, list(metrics))}


def difference_tile(of: Difference, unit: Unit | None = None) -> Tile:
    """Return a paired difference with its interval, the two levels, and whether it is better.

    Args:
        of: the difference.
        unit: in which it is shown; by default the one in which its first level reads best.
    """
    metric = catalogue.metric(of.metric)
    label = metric.label
    if math.isnan(of.difference):
        return Tile(label, NO_DATA, name=of.metric)
    unit = unit_for(metric, of.first) if unit is None else unit
    shown = difference_in(unit, of.difference, of.low, of.high)
    ends = " → ".join(format_number(level / unit.size) for level in (of.first, of.other))
    levels = unit.behind(ends)
    if of.is_none:
        return Tile(label, "the same", detail=levels, name=of.metric)
    return Tile(
        label,
        unit_of_change(unit).behind(shown.value),
        shown.interval or UNKNOWN,
        *verdict_of(metric, of),
        detail=levels,
        name=of.metric,
    )


def verdict_of(metric: Metric, of: Difference) -> tuple[str, Tone]:
    """Return whether a difference is for the better, and how that stands out."""
    if not of.has_interval:
        return "not judged", ""
    if not of.is_clear:
        return "no clear difference", ""
    if metric.better is None:
        return ("more" if of.difference > 0.0 else "less"), ""
    is_better = (of.difference > 0.0) == (metric.better == "more")
    return ("better", "good") if is_better else ("worse", "bad")


def explain(comparison: Comparison, arm: str) -> list[Explanation]:
    """Return what moved the four metrics between the first arm and another, in words.

    Of a mean over changes or incidents it is said, too, whether it differs by the mix of their
    kinds and causes or within them, where one of that is clear.

    A difference is called clear if its 95 % interval, Holm-adjusted among those of
    :func:`headline_differences`, leaves zero out; a part of it, among the parts of its metric. A
    single pair of replications has no interval: the sentence tells what moved in it, and says so.

    Args:
        comparison: of at least two arms.
        arm: the one to explain.
    """
    totals = headline_differences(comparison, arm)
    found = []
    for metric in divided():
        explanation = _explain(metric, totals[metric.name], comparison, arm)
        mix = _mix(metric, comparison, arm)
        found.append(explanation._replace(sentence=f"{explanation.sentence} {mix}".rstrip()))
    return found


def busier_and_less_busy(comparison: Comparison, arm: str) -> str:
    """Return whose utilization moved most in another arm, as a sentence; empty if nobody's did.

    Queues grow steeply with utilization: this is where a shorter wait comes from.

    Args:
        comparison: of at least two arms.
        arm: the one to explain.
    """
    members = catalogue.members("utilization_", comparison.runs.columns)
    moved = [
        row
        for row in differences(comparison, arm, [metric.name for metric in members])
        if row.has_moved and abs(row.difference) >= _SHOWN_UTILIZATION
    ]
    told = [
        f"{catalogue.metric(row.metric).name_as_part} "
        f"({format_percent(row.first)} → {format_percent(row.other)})"
        for row in sorted(moved, key=lambda row: -abs(row.difference))[:3]
    ]
    return f"Utilization changes most for {listed(told)}." if told else ""


def differences(comparison: Comparison, arm: str, metrics: Sequence[str]) -> list[Difference]:
    """Return the differences of an arm to the first, Holm-adjusted as one family of tests.

    Args:
        comparison: of at least two arms.
        arm: one of them, but not the first.
        metrics: which ones.
    """
    found = comparison.differences(metrics=metrics)
    found = found[found.index.get_level_values("arm") == arm]
    columns = ["mean_first", "mean", "difference", "adjusted_low", "adjusted_high"]
    values = found[columns].to_numpy(dtype=float).tolist()
    return [Difference(metric, *row) for metric, row in zip(metrics, values, strict=True)]


def _explain(metric: Metric, total: Difference, comparison: Comparison, arm: str) -> Explanation:
    name = capitalized(metric.label)
    if math.isnan(total.difference):
        return Explanation(metric.name, "unknown", _unknown(metric, name, comparison, arm))
    if total.is_none:
        return Explanation(metric.name, "same", f"{name} is the same.")
    parts = _parts(metric, total, comparison, arm)
    levels = [value_in_words(metric, level) for level in (total.first, total.other)]
    level = f"({' → '.join(levels)})"
    if not total.has_moved:
        ends = [
            change_in_words(metric, end, total.first, total.low, signed=True)
            for end in (total.low, total.high)
        ]
        said = (
            f"{name} does not differ clearly {level}: the difference lies between "
            f"{ends[0]} and {ends[1]}{f'; {parts}' if parts else ''}."
        )
        return Explanation(metric.name, "unclear", said)
    verdict: Verdict = "more" if total.difference > 0.0 else "less"
    word = _WORDS.get(metric.dimension, ("higher", "lower"))[verdict == "less"]
    amount = change_in_words(metric, total.difference, total.first, total.difference)
    once = "" if total.has_interval else ", in the only pair of replications so far"
    said = f"{name} is {amount} {word} {level}{once}{f': {parts}' if parts else ''}."
    return Explanation(metric.name, verdict, said)


def _mix(metric: Metric, comparison: Comparison, arm: str) -> str:
    """Say what is mix and what happens within the groups of a mean, and of the median beside it."""
    if not metric.groups:
        return ""
    said = split_in_words(metric, comparison.split(arm, metric.name))
    median = metric.name.replace("_mean_h", "_h")
    if not said or comparison.restored is None or median not in POOLED:
        return said
    first, other = (comparison.restored[each] for each in (next(iter(comparison.scenarios)), arm))
    if min(first.hours.size, other.hours.size) < FEWEST:
        return said
    of_median = catalogue.metric(median)
    told = median_split_in_words(of_median, split_median(first, other), metric.grouped_by)
    return f"{said} {told}".rstrip()


def _unknown(metric: Metric, name: str, comparison: Comparison, arm: str) -> str:
    runs = comparison.runs
    first = next(iter(comparison.scenarios))
    known = [bool(runs[metric.name][runs["arm"] == each].notna().any()) for each in (first, arm)]
    where = {(False, False): "either", (False, True): "the first", (True, False): "the other"}
    place = where.get((known[0], known[1]))
    if place is None:
        return f"{name} cannot be compared: no pair of replications has it in both."
    counted = f"no {catalogue.metric(metric.rests_on).label}" if metric.rests_on else "no data"
    return f"{name} cannot be compared: {counted} in {place}."


def _parts(metric: Metric, total: Difference, comparison: Comparison, arm: str) -> str:
    """Say which parts moved, the largest first."""
    rows = differences(comparison, arm, metric.parts)
    moved = sorted((row for row in rows if row.has_moved), key=lambda row: -abs(row.difference))
    if not moved:
        return ""
    largest = abs(moved[0].difference)
    return listed(
        [
            f"{catalogue.metric(row.metric).name_as_part} "
            f"{change_in_words(metric, row.difference, total.first, largest, signed=True)}"
            for row in moved
            if abs(row.difference) >= _SHOWN_SHARE * largest
        ]
    )
