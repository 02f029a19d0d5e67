"""When there are enough replications: the half-width of the interval is as small as promised."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from sim.metrics.restore import Restored

from .intervals import FloatArray, estimate, interval
from .pooled import summary_of

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

    def allowed(self, mean: float) -> float:
        """Return how large the half-width may be around a mean."""
        return self.half_width * (abs(mean) if self.relative else 1.0)


def is_enough(
    is_narrow: Callable[[int], bool], replications: int, first: int, look_ahead: int
) -> bool:
    """Return whether so many replications are enough.

    They are if the intervals are narrow enough after all of them, and have been for every smaller
    number from some n >= ``first`` on, where the look-ahead lies between that and all. Of more than
    100 replications it is more, in proportion (the method of Hoad, Robinson and Davies 2010,
    *Automated selection of the number of replications for a discrete-event simulation*, Journal of
    the Operational Research Society 61(11)). To stop when an interval happens to be narrow costs
    coverage, since it is narrow most easily when the replications so far look too much alike;
    ``first`` and the look-ahead are there to make that rare.

    Args:
        is_narrow: whether the intervals of the first so many replications are narrow enough.
        replications: how many there are.
        first: the smallest number that is looked at.
        look_ahead: for how many replications the intervals have to stay narrow, at least 0.
    """
    since = replications
    while since >= first and since + _ahead(since, look_ahead) > replications:
        since -= 1
    # The state with all of them first: it decides in most cases.
    return since >= first and all(map(is_narrow, range(replications, since - 1, -1)))


def _ahead(since: int, look_ahead: int) -> int:
    return math.floor(look_ahead * max(since / _LOOK_AHEAD_GROWS_FROM, 1.0))


def are_narrow(
    values: FloatArray,
    restored: Restored | None,
    targets: Sequence[Target],
    confidence: float,
    fewest: int,
    n: int,
) -> bool:
    """Return whether the intervals of the means of ``n`` replications are as narrow as asked.

    They are those that tables print, :func:`~.pooled.summary_of`: half of what lies between the
    ends counts.

    Args:
        values: (replications, targets); NaN where there is no value.
        restored: the incidents of the replications, if they are known.
        targets: a column each.
        confidence: of the intervals, between 0 and 1.
        fewest: known values without which a mean is not known.
        n: the number of replications.
    """
    if restored is not None and n < len(values):
        here = restored.replication < n
        restored = Restored(
            restored.hours[here],
            restored.cause[here],
            restored.by_deployment[here],
            restored.replication[here],
        )
    runs = pd.DataFrame(values[:n], columns=[target.metric for target in targets])
    summary = summary_of(runs, restored, confidence)
    mean, low, high = (summary[column].to_numpy() for column in ("mean", "ci_low", "ci_high"))
    return bool(summary["n"].min() >= fewest) and _reached(mean, low, high, targets)


def are_narrow_differences(
    differences: FloatArray, targets: Sequence[Target], confidence: float, fewest: int, n: int
) -> bool:
    """Return whether the intervals of ``n`` mean differences are as narrow as asked.

    Args:
        differences: (replications, targets), paired; NaN where there is none.
        targets: a column each.
        confidence: of the intervals, between 0 and 1.
        fewest: known differences without which a mean is not known.
        n: the number of replications.
    """
    known = estimate(differences[:n])
    low, high = interval(known, confidence)
    return bool(known.n.min() >= fewest) and _reached(known.mean, low, high, targets)


def _reached(
    mean: FloatArray, low: FloatArray, high: FloatArray, targets: Sequence[Target]
) -> bool:
    allowed = [target.allowed(each) for target, each in zip(targets, mean, strict=True)]
    # An interval that is unknown is not narrow.
    return bool(((high - low) / 2.0 <= np.array(allowed)).all())
