"""The rules by which a simulated value agrees with a published one, the same for all rows.

Surveys have their own wording, and people estimate. A published figure therefore says roughly where
a value lies; its digits do not count. The rules are not adjusted to the results.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, assert_never

import numpy as np

from sim.experiment.holm import levels
from sim.experiment.intervals import FloatArray, estimate, interval, mean_of, p_value
from sim.metrics.catalogue import NUMBER, Quantity

Verdict = Literal["agrees", "disagrees", "undecided", "open", "not judged", "no data"]

TIMES = 2.0
"""Durations and frequencies agree within this factor."""
ODDS = 1.5
"""Shares agree if their odds do within this factor: 40 % with 31 to 50 %, 12 % with 8 to 17 %."""
DISTANCE = 0.10
"""Distributions agree if their cumulative shares differ by at most this at every published edge."""
CONFIDENCE = 0.95


class Accepted(NamedTuple):
    """A range of values that agree with a published figure, ends included."""

    low: float
    high: float


class Simulated(NamedTuple):
    """A mean over replications, and its confidence interval."""

    mean: float
    low: float
    high: float


def simulated(values: FloatArray, quantity: Quantity = NUMBER) -> Simulated:
    """Return the mean over replications with its interval; NaN values are left out.

    Args:
        values: of the replications.
        quantity: what they are, so that no end is beyond what is possible.
    """
    found = mean_of(np.asarray(values, dtype=np.float64)[:, np.newaxis], [quantity], CONFIDENCE)
    return Simulated(float(found.mean[0]), float(found.low[0]), float(found.high[0]))


def quantity_in(unit: str) -> Quantity:
    """Return what a unit of the rows measures; without one it is a distance or correlation."""
    if unit == "%":
        return Quantity(dimension="quantity", unit=unit, highest=100.0)
    return Quantity(dimension="quantity", unit=unit) if unit else NUMBER


def as_ratio(logarithm: Simulated) -> Simulated:
    """Return the ratio of which ``logarithm`` is known; its interval may end at infinity."""
    with np.errstate(over="ignore"):  # of few replications intervals can be of any width
        return Simulated(*np.exp(logarithm).tolist())


def within_factor(value: float) -> Accepted:
    """Return the range that agrees with a published duration or frequency."""
    return Accepted(value / TIMES, value * TIMES)


def within_odds(share: float) -> Accepted:
    """Return the range that agrees with a published share; all are between 0 and 1."""
    odds = share / (1.0 - share)
    return Accepted(odds / ODDS / (1.0 + odds / ODDS), odds * ODDS / (1.0 + odds * ODDS))


class Within(NamedTuple):
    """The mean has to be in one of the ranges; clusters of a survey may leave holes."""

    ranges: tuple[Accepted, ...]


class Undivided(NamedTuple):
    """Ranges for a quantity of which only the least and the most are known.

    Attributes:
        ranges: values that agree.
        most: the most that the quantity can be; the simulated value is the least.
    """

    ranges: tuple[Accepted, ...]
    most: Simulated


class EitherWay(NamedTuple):
    """Ranges for a figure of which nobody knows how the source counted it.

    Attributes:
        ranges: values that agree.
        otherwise: the value if the figure is read the other way.
    """

    ranges: tuple[Accepted, ...]
    otherwise: Simulated


class Sign(NamedTuple):
    """The whole interval has to be on the published side of zero."""

    sign: Literal[1, -1]


class Order(NamedTuple):
    """A metric has to improve with the level of maturity; here is how it runs.

    Attributes:
        ends: by how much the highest level is better than the lowest, in the unit of the metric.
        worse: steps that are certainly for the worse, as (lower, higher) level.
        better: steps that are certainly for the better.
    """

    ends: Simulated
    worse: tuple[tuple[int, int], ...]
    better: tuple[tuple[int, int], ...]


Acceptance = Within | Undivided | EitherWay | Sign | Order | None


def verdict(value: Simulated, acceptance: Acceptance) -> Verdict:
    """Return whether a simulated value agrees.

    :class:`Within`: it agrees if the mean is inside a range, and disagrees if the whole interval is
    outside. If only part of the interval is inside, it is undecided: there are too few
    replications. Without an interval the mean decides.

    :class:`Undivided`: it disagrees if no possible value is accepted; otherwise it is not judged.

    :class:`EitherWay`: the verdict of both values if it is the same; otherwise it is open.

    :class:`Sign`: it agrees or disagrees if the whole interval is on one side of zero.

    :class:`Order`: it agrees if the highest level is certainly better than the lowest and no level
    is certainly worse than the one below it. It disagrees if a level is certainly worse than the
    one below it, or the highest than the lowest.

    Args:
        value: the simulated value.
        acceptance: what agrees with the published figure; None if the row is not judged.
    """
    match acceptance:
        case None:
            return "not judged"
        case Within(ranges):
            return _on_ranges(value, ranges)
        case Undivided(ranges, most):
            outside = all(value.low > high or most.high < low for low, high in ranges)
            return "disagrees" if outside else "not judged"
        case EitherWay(ranges, otherwise):
            one, other = _on_ranges(value, ranges), _on_ranges(otherwise, ranges)
            return one if one == other else "open"
        case Sign(sign):
            return _on_sign(value, sign)
        case Order(ends, worse):
            if worse or ends.high < 0.0:
                return "disagrees"
            return "agrees" if ends.low > 0.0 else "undecided"
        case _:
            assert_never(acceptance)


def _on_ranges(value: Simulated, ranges: Sequence[Accepted]) -> Verdict:
    if math.isnan(value.mean):
        return "no data"
    if any(low <= value.mean <= high for low, high in ranges):
        return "agrees"
    if any(value.low <= high and value.high >= low for low, high in ranges):
        return "undecided"
    return "disagrees"


def _on_sign(value: Simulated, sign: int) -> Verdict:
    if math.isnan(value.low):
        return "no data"
    if value.low > 0.0 or value.high < 0.0:
        return "agrees" if value.mean * sign > 0.0 else "disagrees"
    return "undecided"


def distance(shares: Sequence[float], published: Sequence[float]) -> float:
    """Return the largest difference between two cumulative distributions over the same bins.

    Both are scaled to a sum of one, because surveys leave out respondents who did not know.
    """
    ours, theirs = np.asarray(shares, dtype=float), np.asarray(published, dtype=float)
    if not ours.sum() > 0.0:
        return math.nan
    gaps = np.cumsum(ours) / ours.sum() - np.cumsum(theirs) / theirs.sum()
    return float(np.abs(gaps).max())


def orders(courses: Sequence[FloatArray]) -> list[Order]:
    """Return how metrics run over levels of maturity; all courses are one family of tests.

    Levels are compared replication by replication, under common random numbers. Holm's method
    (:func:`sim.experiment.holm.levels`) adjusts the intervals of all comparisons of all courses.
    The probability of any wrong "certainly" is at most 5 %.

    Args:
        courses: an array (replications, levels) for each metric and model of maturity, in which
            more is better; the levels go from the lowest to the highest.
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
        span = Simulated(float(mean[0]), float(low[0]), float(high[0]))
        result.append(Order(span, worse, better))
    return result
