"""When a simulated value agrees with a published one: the rules, the same for all rows.

A survey asks with words of its own, and people estimate; so a published figure is taken as the
place of a value and not as its digits. The rules are stated here once and are not adjusted to what
the simulation says.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from sim.experiment.holm import levels
from sim.experiment.intervals import FloatArray, estimate, interval, p_value

Verdict = Literal["agrees", "disagrees", "undecided", "not judged", "no data"]

TIMES = 2.0
"""Durations and frequencies agree within this factor."""
ODDS = 1.5
"""Shares agree if their odds do within this factor: 40 % with 31 to 50 %, 12 % with 8 to 17 %."""
DISTANCE = 0.10
"""Distributions agree if the cumulative shares differ by this at most, at every published edge."""
CONFIDENCE = 0.95


class Accepted(NamedTuple):
    """The values that agree with a published figure, ends included."""

    low: float
    high: float


class Simulated(NamedTuple):
    """A mean over replications with its interval."""

    mean: float
    low: float
    high: float


def simulated(values: FloatArray) -> Simulated:
    """Return the mean over replications, with Student's interval; NaN is left out."""
    estimated = estimate(np.asarray(values, dtype=np.float64)[:, np.newaxis])
    low, high = interval(estimated, CONFIDENCE)
    return Simulated(float(estimated.mean[0]), float(low[0]), float(high[0]))


def within_factor(value: float) -> Accepted:
    """Return what agrees with a published duration or frequency."""
    return Accepted(value / TIMES, value * TIMES)


def within_odds(share: float) -> Accepted:
    """Return what agrees with a published share, between 0 and 1."""
    odds = share / (1.0 - share)
    return Accepted(odds / ODDS / (1.0 + odds / ODDS), odds * ODDS / (1.0 + odds * ODDS))


def judge(value: Simulated, accepted: Sequence[Accepted]) -> Verdict:
    """Return whether a simulated value agrees.

    It agrees if the mean is accepted; it disagrees if the whole interval is not; if only a part of
    the interval is, there are too few replications to tell. Without an interval the mean decides.

    Args:
        value: what was simulated.
        accepted: the ranges that agree; between clusters of a survey there may be holes.
    """
    if math.isnan(value.mean):
        return "no data"
    if any(low <= value.mean <= high for low, high in accepted):
        return "agrees"
    if any(value.low <= high and value.high >= low for low, high in accepted):
        return "undecided"
    return "disagrees"


def judge_sign(value: Simulated, sign: int) -> Verdict:
    """Return whether a simulated value certainly has the published ``sign``, +1 or -1."""
    if math.isnan(value.low):
        return "no data"
    if value.low > 0.0 or value.high < 0.0:
        return "agrees" if value.mean * sign > 0.0 else "disagrees"
    return "undecided"


def distance(shares: Sequence[float], published: Sequence[float]) -> float:
    """Return the largest difference of two cumulative distributions over the same bins.

    The shares of each are scaled to a sum of one, as surveys leave out who did not know.
    """
    ours, theirs = np.asarray(shares, dtype=float), np.asarray(published, dtype=float)
    if not ours.sum() > 0.0:
        return math.nan
    gaps = np.cumsum(ours) / ours.sum() - np.cumsum(theirs) / theirs.sum()
    return float(np.abs(gaps).max())


class Order(NamedTuple):
    """How one metric runs over the levels of a model of maturity.

    Attributes:
        verdict: it agrees if the highest level is certainly better than the lowest and no level
            certainly worse than the one below it; it disagrees if a level is certainly worse than
            the one below it, or the highest than the lowest; else it is undecided.
        ends: by how much the highest level is better than the lowest, in the unit of the metric.
        worse: which steps up are certainly for the worse, as (lower, higher) level.
        better: which are certainly for the better.
    """

    verdict: Verdict
    ends: Simulated
    worse: tuple[tuple[int, int], ...]
    better: tuple[tuple[int, int], ...]


def orders(courses: Sequence[FloatArray]) -> list[Order]:
    """Judge the order of levels, for all courses as one family of tests.

    Levels are compared replication by replication, under common random numbers. The intervals of
    all comparisons of all courses are adjusted by Holm's method
    (:func:`sim.experiment.holm.levels`), so that the probability of any wrong "certainly" is at
    most 5 %.

    Args:
        courses: for each metric and model of maturity an array (replications, levels) in which
            more is better; levels from the lowest to the highest.
    """
    differences = [
        np.column_stack([course[:, -1] - course[:, 0], np.diff(course, axis=1)])
        for course in courses
    ]
    estimates = estimate(np.hstack(differences))
    ends = interval(estimates, 1.0 - levels(p_value(estimates), 1.0 - CONFIDENCE))
    result, first = [], 0
    for course in courses:
        here = slice(first, first + course.shape[1])
        first = here.stop
        mean, low, high = estimates.mean[here], ends[0][here], ends[1][here]
        steps = range(1, course.shape[1])
        worse = tuple((step - 1, step) for step in steps if high[step] < 0.0)
        better = tuple((step - 1, step) for step in steps if low[step] > 0.0)
        verdict: Verdict = "undecided"
        if worse or high[0] < 0.0:
            verdict = "disagrees"
        elif low[0] > 0.0:
            verdict = "agrees"
        span = Simulated(float(mean[0]), float(low[0]), float(high[0]))
        result.append(Order(verdict, span, worse, better))
    return result
