"""Medians over incidents: those of all replications together, with intervals that hold.

A replication may have one incident or none. The mean of the medians of such replications is not the
median: of a skewed distribution it is far above it. So the incidents are pooled. They come in
clusters, one of each replication, and what is certain about them rests on the replications.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from sim.metrics.restore import POOLED, Restored

from .intervals import FEWEST_TO_JUDGE, FloatArray, summarize
from .store import Store

FEWEST = 10
"""Incidents, in all replications together, below which a median has no interval."""

_CONFIDENCE = 0.95
"""Of the interval whose width says how fast the share of shorter incidents grows at the median."""


class PooledMedian(NamedTuple):
    """The median over the incidents of all replications, with its interval."""

    median: float
    """NaN without incidents."""
    low: float
    """NaN for fewer than :data:`~.intervals.FEWEST_TO_JUDGE` replications or :data:`FEWEST`
    incidents."""
    high: float


def summary_of(runs: pd.DataFrame, restored: Restored | None, confidence: float) -> pd.DataFrame:
    """Return what :func:`~.intervals.summarize` does, with medians over pooled incidents.

    Args:
        runs: a row per replication.
        restored: their incidents; None where only the metrics are known: then a median over
            incidents is averaged like any other metric.
        confidence: of the intervals.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    summary = summarize(runs, confidence)
    if restored is not None:
        for metric in POOLED.keys() & set(summary.index):
            pooled = pooled_median(restored, metric, len(runs), confidence)
            n = 0 if np.isnan(pooled.median) else len(runs)
            summary.loc[metric] = [*pooled, n]
        summary["n"] = summary["n"].astype(np.intp)
    return summary


def with_contributions(
    values: FloatArray, metrics: Sequence[str], restored: Restored | None
) -> FloatArray:
    """Return the metrics of some replications, with what they contribute to pooled medians.

    Args:
        values: (replications, metrics).
        metrics: their names.
        restored: the incidents of these replications; None changes nothing.
    """
    if restored is None or not POOLED.keys() & set(metrics):
        return values
    values = values.copy()
    for place, metric in enumerate(metrics):
        if metric in POOLED:
            values[:, place] = contributions(restored, metric, len(values))
    return values


def contributed(store: Store, fingerprint: bytes, n: int, metrics: Sequence[str]) -> FloatArray:
    """Return the first ``n`` replications of a point as :func:`with_contributions` does.

    Raises:
        ResultsError: the store is damaged.
    """
    values, restored = store.replications(fingerprint, n, metrics)
    return with_contributions(values, metrics, restored)


class _Shares(NamedTuple):
    """What is known about the share of the incidents that are shorter than their median."""

    residuals: FloatArray
    """Of each replication, how many more are shorter than half of its own; their sum is 0."""
    standard_error: float


def pooled_median(restored: Restored, metric: str, n: int, confidence: float) -> PooledMedian:
    """Return the median over the incidents of ``n`` replications, with its interval.

    The interval has Woodruff's ends (1952, *Confidence intervals for medians and other position
    measures*, Journal of the American Statistical Association 47(260)): the share of incidents that
    are shorter than the median is 1/2, give or take Student's quantile times its standard error,
    and the incidents at both shares are the ends. The standard error is that of a ratio over
    clusters, the replications (Francisco and Fuller 1991, Annals of Statistics 19(1)); it is taken
    to be no smaller than if all incidents were independent, so that a few replications that happen
    to agree make no certainty.

    Args:
        restored: the incidents.
        metric: one of :data:`sim.metrics.restore.POOLED`.
        n: how many replications there are, those without incidents included.
        confidence: of the interval, between 0 and 1.
    """
    hours, replication = _of(restored, metric)
    if not hours.size:
        return PooledMedian(np.nan, np.nan, np.nan)
    middle = _quantile(hours, 0.5)
    if n < FEWEST_TO_JUDGE or hours.size < FEWEST:
        return PooledMedian(middle, np.nan, np.nan)
    low, high = _shares_at_ends(_shares(hours, replication, n), n, confidence)
    return PooledMedian(middle, _quantile(hours, low), _quantile(hours, high))


def contributions(restored: Restored, metric: str, n: int) -> FloatArray:
    """Return what each replication contributes to a pooled median: their mean is the median.

    A contribution is the median plus the influence of the replication on it, n / N times its
    residual over the density of the incidents at the median; the density is the share between the
    ends of the interval over its width (Francisco and Fuller 1991). So means, paired differences
    and tests over replications are those of the pooled median.

    Returns:
        Hours, (n,). A replication without incidents contributes the median itself. NaN for fewer
        than :data:`FEWEST` incidents, which nothing can be judged by, and of a single replication
        without any.
    """
    hours, replication = _of(restored, metric)
    if not hours.size or (n > 1 and hours.size < FEWEST):
        return np.full(n, np.nan)
    middle = _quantile(hours, 0.5)
    if n < 2:
        return np.full(n, middle)
    shares = _shares(hours, replication, n)
    low, high = _shares_at_ends(shares, n, _CONFIDENCE)
    width = _quantile(hours, high) - _quantile(hours, low)
    influence: FloatArray = -shares.residuals * n / hours.size * width / (high - low)
    return middle + influence


def _of(restored: Restored, metric: str) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Return the incidents of a metric, the shortest first, and their replications."""
    counted = np.flatnonzero(POOLED[metric](restored))
    order = counted[np.argsort(restored.hours[counted], kind="stable")]
    return restored.hours[order], restored.replication[order]


def _shares(hours: FloatArray, replication: npt.NDArray[np.intp], n: int) -> _Shares:
    middle = _quantile(hours, 0.5)
    shorter = 0.5 * (hours < middle) + 0.5 * (hours <= middle) - 0.5
    residuals = np.bincount(replication, weights=shorter, minlength=n)
    residuals = residuals - residuals.mean()
    of_clusters = np.sqrt(n / (n - 1) * (residuals**2).sum()) / hours.size
    return _Shares(residuals, max(float(of_clusters), 0.5 / float(np.sqrt(hours.size))))


def _shares_at_ends(shares: _Shares, n: int, confidence: float) -> tuple[float, float]:
    half_width = float(stdtrit(n - 1.0, 0.5 + confidence / 2.0)) * shares.standard_error
    return max(0.5 - half_width, 0.0), min(0.5 + half_width, 1.0)


def _quantile(hours: FloatArray, share: float) -> float:
    """Return a quantile of sorted hours by Hazen's rule, the 50 % one as a median always is.

    It is NumPy's, without what that does for arrays: a large sweep asks a million times.
    """
    place = min(max(share * hours.size - 0.5, 0.0), hours.size - 1.0)
    below = int(place)
    above = min(below + 1, hours.size - 1)
    lower, upper = float(hours[below]), float(hours[above])
    return lower + (place - below) * (upper - lower)
