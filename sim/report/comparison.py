"""What a comparison of two organizations says, in plain sentences: what changed, and why.

The four metrics are taken apart into what they are made of (lead time into work and waits,
failures into their causes, restoring into its phases, deployments into kinds of change), so that
each sentence names the mechanism through which a metric moved. All of it is derived from the
paired differences of the comparison.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from sim.experiment.compare import Comparison
from sim.report.content import (
    CAUSES,
    DORA_METRICS,
    LEAD_TIME_COMPONENTS,
    listed,
)
from sim.report.units import (
    decimals_for,
    dimension,
    format_number,
    format_percent,
    readable,
    unit_for,
    value_in_words,
)

Verdict = Literal["more", "less", "unclear", "same", "unknown"]

_SHOWN_SHARE = 0.05
"""Parts that moved by less than this share of the largest move go without words."""

_SHOWN_UTILIZATION = 0.01


class _Question(NamedTuple):
    """A metric, and the metrics that add up to it."""

    metric: str
    name: str
    more: str
    less: str
    without: str
    """Why it may have no value."""
    parts: Mapping[str, str]


_QUESTIONS = (
    _Question(
        "deployment_frequency",
        "The deployment frequency of a service",
        "more",
        "less",
        "nothing was deployed",
        {
            "deployment_frequency_feature": "features",
            "deployment_frequency_improvement": "improvements",
            "deployment_frequency_retrain": "retrainings",
            "deployment_frequency_fix": "fixes",
        },
    ),
    _Question(
        "lead_time_mean_h",
        "Mean lead time",
        "longer",
        "shorter",
        "nothing was deployed",
        {f"lead_time_{part.name}_h": part.label for part in LEAD_TIME_COMPONENTS},
    ),
    _Question(
        "change_failure_rate",
        "The change failure rate",
        "higher",
        "lower",
        "nothing was deployed",
        {f"change_failure_rate_{cause}": name for cause, name in CAUSES.items()},
    ),
    _Question(
        "time_to_restore_mean_h",
        "Mean time to restore",
        "longer",
        "shorter",
        "nothing had to be restored",
        {
            "detect_mean_h": "until noticed",
            "respond_mean_h": "until somebody starts",
            "diagnose_mean_h": "diagnosis",
            "remedy_mean_h": "remedy",
        },
    ),
)


class Difference(NamedTuple):
    """A paired difference of two arms with its interval; NaN where nothing is known."""

    metric: str
    first: float
    other: float
    difference: float
    low: float
    high: float

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
    """How one of the four metrics differs between two arms, and what the difference is made of."""

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
    metrics = dict.fromkeys([*DORA_METRICS, *(question.metric for question in _QUESTIONS)])
    return {row.metric: row for row in differences(comparison, arm, list(metrics))}


def explain(comparison: Comparison, arm: str) -> list[Explanation]:
    """Return what moved the four metrics between the first arm and another, a sentence each.

    A difference is called clear if its 95 % interval, Holm-adjusted among those of
    :func:`headline_differences`, leaves zero out; a part of it, among the parts of its metric. A
    single pair of replications has no interval: the sentence tells what moved in it, and says so.

    Args:
        comparison: of at least two arms.
        arm: the one to explain.
    """
    totals = headline_differences(comparison, arm)
    return [_explain(question, totals[question.metric], comparison, arm) for question in _QUESTIONS]


def busier_and_less_busy(comparison: Comparison, arm: str) -> str:
    """Return whose utilization moved most in another arm, as a sentence; empty if nobody's did.

    Queues grow steeply with utilization: this is where a shorter wait comes from.

    Args:
        comparison: of at least two arms.
        arm: the one to explain.
    """
    names = [str(name) for name in comparison.runs if str(name).startswith("utilization_")]
    moved = [
        row
        for row in differences(comparison, arm, names)
        if row.has_moved and abs(row.difference) >= _SHOWN_UTILIZATION
    ]
    told = [
        f"{readable(row.metric.removeprefix('utilization_'))} "
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


def _explain(
    question: _Question, total: Difference, comparison: Comparison, arm: str
) -> Explanation:
    metric = question.metric
    if math.isnan(total.difference):
        return Explanation(metric, "unknown", _unknown(question, comparison, arm))
    if total.difference == 0.0 and not total.high > total.low:
        return Explanation(metric, "same", f"{question.name} is the same.")
    parts = _parts(question, total, comparison, arm)
    level = f"({_level(metric, total.first)} → {_level(metric, total.other)})"
    if not total.has_moved:
        ends = [_signed(metric, end, total.first, total.low) for end in (total.low, total.high)]
        said = (
            f"{question.name} does not differ clearly {level}: the difference lies between "
            f"{ends[0]} and {ends[1]}{f'; {parts}' if parts else ''}."
        )
        return Explanation(metric, "unclear", said)
    verdict: Verdict = "more" if total.difference > 0.0 else "less"
    word = question.more if verdict == "more" else question.less
    amount = _amount(metric, total.difference, total.first, total.difference)
    once = "" if total.has_interval else ", in the only pair of replications so far"
    said = f"{question.name} is {amount} {word} {level}{once}{f': {parts}' if parts else ''}."
    return Explanation(metric, verdict, said)


def _unknown(question: _Question, comparison: Comparison, arm: str) -> str:
    runs = comparison.runs
    first = next(iter(comparison.scenarios))
    known = [
        bool(runs[question.metric][runs["arm"] == each].notna().any()) for each in (first, arm)
    ]
    where = {(False, False): "either", (False, True): "the first", (True, False): "the other"}
    place = where.get((known[0], known[1]))
    if place is None:
        return f"{question.name} cannot be compared: no pair of replications has it in both."
    return f"{question.name} cannot be compared: {question.without} in {place}."


def _parts(question: _Question, total: Difference, comparison: Comparison, arm: str) -> str:
    """Say which parts moved, the largest first."""
    rows = differences(comparison, arm, list(question.parts))
    moved = sorted((row for row in rows if row.has_moved), key=lambda row: -abs(row.difference))
    if not moved:
        return ""
    largest = abs(moved[0].difference)
    return listed(
        [
            f"{question.parts[row.metric]} "
            f"{_signed(question.metric, row.difference, total.first, largest)}"
            for row in moved
            if abs(row.difference) >= _SHOWN_SHARE * largest
        ]
    )


def _level(metric: str, value: float) -> str:
    return format_percent(value) if dimension(metric) == "share" else value_in_words(metric, value)


def _amount(metric: str, difference: float, level: float, largest: float) -> str:
    """Return the size of a difference.

    A rate is in the unit in which its level reads best, as in tables; a duration in that of the
    largest difference beside it.
    """
    size = abs(difference)
    if dimension(metric) == "share":
        return f"{format_number(100 * size, 1)} points"
    if dimension(metric) == "rate":
        unit = unit_for(metric, level)
        return f"{format_number(size / unit.size, 2)} a {unit.name.removeprefix('per ')}"
    unit = unit_for(metric, abs(largest))
    number = format_number(size / unit.size, min(1, decimals_for(size / unit.size)))
    return f"{number} {'hours' if unit.name == 'h' else unit.name}"


def _signed(metric: str, difference: float, level: float, largest: float) -> str:
    amount = _amount(metric, difference, level, largest)
    is_zero = not any(digit in amount for digit in "123456789")
    return amount if is_zero else f"{'-' if difference < 0 else '+'}{amount}"
