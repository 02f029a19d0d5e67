"""Differences split into the mix of groups and what happens within them.

A mean over incidents rises if those of some cause take longer, and also if the quick ones get rare,
though nothing takes longer. Kitagawa (1955, *Components of a difference between two rates*, Journal
of the American Statistical Association 50(272)) splits the difference of two means without a rest.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.metrics.catalogue import Metric
from sim.metrics.restore import Restored

from .intervals import Estimates, FloatArray, estimate, interval


class Groups(NamedTuple):
    """What some replications say of each group, (replications, groups) each."""

    counts: FloatArray
    means: FloatArray
    """NaN where the count is 0."""


class Part(NamedTuple):
    """A part of a difference, with its interval; NaN for fewer than two replications."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0.0 or self.high < 0.0


class GroupPart(NamedTuple):
    """What one group does to a difference."""

    group: str
    share_first: float
    share_other: float
    mean_first: float
    """Of a group that only the other has, that of the other; and the other way round."""
    mean_other: float
    mix: float
    """What the change of its share does: positive too if what it has less of is below average."""
    within: float


class Split(NamedTuple):
    """The difference of a mean over all events together, other less first: mix + within."""

    first: float
    other: float
    mix: Part
    """What the shares of the groups do, with means as they are on average of the two."""
    within: Part
    """What the means of the groups do, with shares as they are on average of the two."""
    groups: tuple[GroupPart, ...]


def columns_of(metric: Metric) -> list[str]:
    """Return the metrics that a mean is split by: counts of its groups, then their means."""
    return [group.number for group in metric.groups] + [group.mean for group in metric.groups]


def split_metric(
    metric: Metric, first: FloatArray, other: FloatArray, confidence: float = 0.95
) -> Split:
    """Split the difference of a mean of the catalogue by its groups.

    Args:
        metric: one that has groups.
        first: its :func:`columns_of`, (replications, columns), of the one.
        other: of the other, replication k with the luck of replication k.
        confidence: of the intervals.
    """
    names = [group.mean for group in metric.groups]
    sides = [Groups(*np.hsplit(values, 2)) for values in (first, other)]
    return split(names, sides[0], sides[1], confidence)


class MedianSplit(NamedTuple):
    """The difference of two medians: other - first = mix + within."""

    first: float
    other: float
    mix: float
    """From the first to the first with the shares of the groups in the other."""
    within: float
    """From there to the other."""


def split(names: Sequence[str], first: Groups, other: Groups, confidence: float = 0.95) -> Split:
    """Split the difference of two means into the mix of groups and what happens within them.

    The means are over the events of all replications together, so that groups of which a
    replication has few count for what they are. A group that only one side has is mix: nothing can
    be said about it within. The intervals are Student's with the jackknife's standard error, which
    leaves out one pair of replications at a time (Tukey 1958).

    Args:
        names: of the groups.
        first: replications of the one.
        other: as many of the other, replication k with the luck of replication k.
        confidence: of the intervals.
    """
    sums = [
        (side.counts, np.where(side.counts > 0.0, side.counts * side.means, 0.0))
        for side in (first, other)
    ]
    whole = _kitagawa(*(each.sum(axis=0) for side in sums for each in side))
    parts = whole.mix.sum(), whole.within.sum()
    left_out = _kitagawa(*(each.sum(axis=0) - each for side in sums for each in side))
    estimates = [
        _jackknifed(float(value), each.sum(axis=-1))
        for value, each in zip(parts, (left_out.mix, left_out.within), strict=True)
    ]
    mix, within = (
        Part(float(each.mean[0]), *(float(end[0]) for end in interval(each, confidence)))
        for each in estimates
    )
    columns = np.stack([*whole.shares, *whole.means, whole.mix, whole.within], axis=-1).tolist()
    groups = tuple(GroupPart(name, *row) for name, row in zip(names, columns, strict=True))
    return Split(float(whole.overall[0]), float(whole.overall[1]), mix, within, groups)


class _Kitagawa(NamedTuple):
    """The split of each group, (..., groups); of two sides, where there are two."""

    shares: tuple[FloatArray, FloatArray]
    means: tuple[FloatArray, FloatArray]
    overall: tuple[FloatArray, FloatArray]
    mix: FloatArray
    within: FloatArray


def _kitagawa(
    count_first: FloatArray, sum_first: FloatArray, count_other: FloatArray, sum_other: FloatArray
) -> _Kitagawa:
    """Split a difference by group; NaN if one side has no events."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share_first = count_first / count_first.sum(axis=-1, keepdims=True)
        share_other = count_other / count_other.sum(axis=-1, keepdims=True)
        mean_first, mean_other = sum_first / count_first, sum_other / count_other
        overall_first = sum_first.sum(axis=-1) / count_first.sum(axis=-1)
        overall_other = sum_other.sum(axis=-1) / count_other.sum(axis=-1)
    mean_first = np.where(count_first > 0.0, mean_first, mean_other)
    mean_other = np.where(count_other > 0.0, mean_other, mean_first)
    # Shares add up to 1 on both sides, so that any level may be taken off the means.
    level = (overall_first + overall_other)[..., np.newaxis] / 2.0
    mix = (share_other - share_first) * ((mean_first + mean_other) / 2.0 - level)
    within = (mean_other - mean_first) * (share_first + share_other) / 2.0
    nobody = (count_first == 0.0) & (count_other == 0.0)
    known = ~np.isnan(level)
    return _Kitagawa(
        (share_first, share_other),
        (mean_first, mean_other),
        (overall_first, overall_other),
        np.where(nobody & known, 0.0, mix),
        np.where(nobody & known, 0.0, within),
    )


def _jackknifed(value: float, left_out: FloatArray) -> Estimates:
    """Return an estimate whose standard error is that of its pseudovalues."""
    n = left_out.size
    pseudovalues = n * value - (n - 1) * left_out
    spread = estimate(pseudovalues[:, np.newaxis])
    return Estimates(np.array([value]), spread.standard_error, spread.n)


def split_median(first: Restored, other: Restored) -> MedianSplit:
    """Split the difference of two medians over incidents into the mix of causes and the rest.

    In between is the median of the first if its causes had the shares that they have in the other:
    its incidents weighted so. Of a cause that the first does not have it has those of the other,
    so that this is mix. NaN if one of them has no incidents.

    Args:
        first: the incidents of all replications of the one.
        other: those of the other.
    """
    if not (first.hours.size and other.hours.size):
        return MedianSplit(np.nan, np.nan, np.nan, np.nan)
    causes = max(first.cause.max(), other.cause.max()) + 2
    here, there = (np.bincount(each.cause + 1, minlength=causes) for each in (first, other))
    borrowed = here[other.cause + 1] == 0
    hours = np.concatenate([first.hours, other.hours[borrowed]])
    weights = np.concatenate(
        [
            there[first.cause + 1] / here[first.cause + 1],
            np.ones(np.count_nonzero(borrowed)),
        ]
    )
    start, end = float(np.median(first.hours)), float(np.median(other.hours))
    between = _weighted_median(hours, weights)
    return MedianSplit(start, end, between - start, end - between)


def _weighted_median(hours: FloatArray, weights: FloatArray) -> float:
    """Return the median of weighted hours, of equal weights that of :func:`numpy.median`."""
    order = np.argsort(hours, kind="stable")
    hours, share = hours[order], np.cumsum(weights[order]) / weights.sum()
    lower = int(np.searchsorted(share, 0.5 - 1e-12))
    upper = int(np.searchsorted(share, 0.5 + 1e-12))
    return float(hours[lower] + hours[upper]) / 2.0
