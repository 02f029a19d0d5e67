"""When there are enough replications: the half-width of the interval is as small as promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import stdtrit

from .intervals import FloatArray

_LOOK_AHEAD_GROWS_FROM = 100
"""Number of replications from which on the look-ahead is in proportion to it."""


@dataclass(frozen=True)
class Target:
    """How precisely a mean is to be known.

    Attributes:
        metric: of which the mean is meant.
        half_width: of its confidence interval, above 0.
        relative: the half-width is a share of the absolute mean, which suits means that are surely
            not 0; else it has the unit of the metric, which suits rates and differences.
    """

    metric: str
    half_width: float
    relative: bool

    @classmethod
    def of(cls, metric: str, half_width: float | str) -> Self:
        """Return the target that settings write as a number, or as a percentage such as ``5%``."""
        relative = isinstance(half_width, str)
        number = float(str(half_width).rstrip(" %")) / (100.0 if relative else 1.0)
        return cls(metric, number, relative)


def first_enough(
    values: FloatArray,
    targets: Sequence[Target],
    confidence: float,
    first: int,
    look_ahead: int,
) -> int | None:
    """Return after how many replications there are enough, or None if there are not yet.

    There are enough after n replications if the half-width of Student's interval of every target
    is small enough, and has been for every number of replications from some n' >= ``first`` on to
    n, where n - n' is the look-ahead. Of more than 100 replications it is more, in proportion
    (the method of Hoad, Robinson and Davies 2010, *Automated selection of the number of
    replications for a discrete-event simulation*, Journal of the Operational Research Society
    61(11)). To stop when the interval happens to be narrow costs coverage, since it is narrow most
    easily when the replications so far look too much alike; ``first`` and the look-ahead are there
    to make that rare. The answer depends on the values alone, not on how many there are at once.

    Args:
        values: (replications in their order, targets), of each target its metric, or the paired
            differences of it. A replication without a value (NaN) is left out of its target and
            counts among the n all the same.
        targets: what has to be known how precisely.
        confidence: of the intervals, between 0 and 1.
        first: the smallest number of known values of each target that is looked at, at least 2.
        look_ahead: for how many replications the half-width has to stay small enough, at least 0.
    """
    known = ~np.isnan(values)
    n = known.cumsum(axis=0)
    # Sums of squares lose no digits if the values are taken from about their mean.
    centre = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    offsets = np.where(known, values - centre, 0.0)
    counts = np.maximum(n, 2)
    mean = offsets.cumsum(axis=0) / counts
    variance = ((offsets**2).cumsum(axis=0) - counts * mean**2) / (counts - 1)
    half_width = stdtrit(counts - 1.0, 0.5 + confidence / 2.0) * np.sqrt(
        np.maximum(variance, 0.0) / counts
    )
    promised = np.array([target.half_width for target in targets])
    relative = np.array([target.relative for target in targets])
    allowed = promised * np.where(relative, np.abs(centre + mean), 1.0)
    narrow = ((n >= max(first, 2)) & (half_width <= allowed)).all(axis=1)
    replications = np.arange(1, narrow.size + 1)
    # Since when it has been narrow without a break: one after the last number that was not.
    since = np.maximum.accumulate(np.where(narrow, 0, replications)) + 1
    growth = np.maximum(since / _LOOK_AHEAD_GROWS_FROM, 1.0)
    enough = np.flatnonzero(narrow & (since + np.floor(look_ahead * growth) <= replications))
    return int(replications[enough[0]]) if enough.size else None
