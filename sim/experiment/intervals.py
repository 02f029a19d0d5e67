"""Confidence intervals over replications: of means of metrics, and of differences between them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit, stdtr, stdtrit

from sim.metrics import catalogue
from sim.metrics.catalogue import NUMBER, Quantity

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

FEWEST_TO_JUDGE = 3
"""Replications with a value, below which nothing is judged. Of two, Student's quantile is 12.7:
intervals of times to restore span a factor of a thousand, and hardly a difference is ever found."""

_SAME = 1e-9
"""Spread in terms of the mean, up to which replications agree but for rounding errors."""

_FARTHEST = 100.0
"""If an interval goes to more times the mean than this, it is as good as unknown."""


class Estimates(NamedTuple):
    """Means over replications, and what their intervals are made of; an entry per quantity."""

    mean: FloatArray
    """NaN for n = 0."""
    standard_error: FloatArray
    """Standard deviation / √n; NaN for n < 2."""
    n: IntArray
    """The number of replications that have a value."""


class Means(NamedTuple):
    """Means over replications with their intervals; an entry per quantity."""

    mean: FloatArray
    """NaN for n = 0."""
    low: FloatArray
    """NaN where the interval is unknown."""
    high: FloatArray
    n: IntArray


def estimate(values: FloatArray) -> Estimates:
    """Return the means of ``values``, (replications, quantities), without what is NaN."""
    return Estimates(*(each[0] for each in estimate_groups(values, [0])))


def estimate_groups(values: FloatArray, starts: Sequence[int] | IntArray) -> Estimates:
    """Return the means of groups of rows, such as those of the points of a sweep.

    Args:
        values: (rows, quantities).
        starts: where each group begins; no group is empty unless there is no row at all.

    Returns:
        Arrays (groups, quantities).
    """
    known = ~np.isnan(values)
    n = _sums(known, starts).astype(np.intp)
    total = _sums(np.where(known, values, 0.0), starts)
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = _sums(_offsets(values, mean, starts) ** 2, starts)
    variance = np.divide(squares, n - 1, out=np.full(n.shape, np.nan), where=n > 1)
    return Estimates(mean, np.sqrt(variance / np.maximum(n, 1)), n)


def _sums(values: npt.NDArray[np.generic], starts: Sequence[int] | IntArray) -> FloatArray:
    """Return the sums of groups of rows, (groups, columns)."""
    if not len(values):
        return np.zeros((len(starts), values.shape[1]))
    found: FloatArray = np.add.reduceat(values, starts, axis=0, dtype=np.float64)
    return found


def _offsets(values: FloatArray, mean: FloatArray, starts: Sequence[int] | IntArray) -> FloatArray:
    """Return how far each row is from the mean of its group; 0 where it is NaN."""
    rows = np.diff(np.append(starts, len(values)))
    distance: FloatArray = np.nan_to_num(values - np.repeat(mean, rows, axis=0))
    return distance


# --- differences ---------------------------------------------------------------------------------


def interval(estimates: Estimates, confidence: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of Student's intervals of differences, with one confidence or one for each.

    The interval is mean ± t * s / √n, with the t quantile of n - 1 degrees of freedom. If all
    replications agree, it is the values that :func:`p_value` does not reject: their common value
    alone, or all there are. The latter, and fewer than :data:`FEWEST_TO_JUDGE` replications, give
    NaN: the interval is unknown.
    """
    confidence = np.asarray(confidence)
    quantile = stdtrit(np.maximum(estimates.n - 1.0, 1.0), 0.5 + confidence / 2.0)
    tied = _agree(estimates)
    half_width = np.where(tied, 0.0, quantile * estimates.standard_error)
    judged = estimates.n >= FEWEST_TO_JUDGE
    judged &= ~tied | (_sign_test(estimates.n) <= 1.0 - confidence)
    half_width = np.where(judged, half_width, np.nan)
    return estimates.mean - half_width, estimates.mean + half_width


def p_value(estimates: Estimates, value: float | FloatArray = 0.0) -> FloatArray:
    """Return the p-value of Student's two-sided test of differences against ``value``.

    It is the smallest alpha for which the interval with confidence 1 - alpha leaves ``value`` out;
    NaN for fewer than :data:`FEWEST_TO_JUDGE` replications. If all of them agree, their spread is
    unknown rather than zero: Student's test knows nothing, and the sign test is taken, by which n
    differences on the same side of ``value`` have p = 2^(1 - n). It is 1 if they say ``value``.
    """
    distance = np.abs(estimates.mean - value)
    tied = _agree(estimates)
    t = np.divide(
        distance, estimates.standard_error, out=np.zeros_like(distance, np.float64), where=~tied
    )
    p = 2.0 * stdtr(np.maximum(estimates.n - 1.0, 1.0), -t)
    aside = distance > _SAME * np.abs(estimates.mean)
    p = np.where(tied, np.where(aside, _sign_test(estimates.n), 1.0), p)
    return np.where(estimates.n >= FEWEST_TO_JUDGE, p, np.nan)


def _agree(estimates: Estimates) -> npt.NDArray[np.bool_]:
    """Return where all replications have the same value but for rounding."""
    deviation = estimates.standard_error * np.sqrt(estimates.n)
    agree: npt.NDArray[np.bool_] = deviation <= _SAME * np.abs(estimates.mean)
    return agree


def _sign_test(n: IntArray) -> FloatArray:
    """Return the two-sided p-value of n differences that all have the same sign."""
    p: FloatArray = np.exp2(1.0 - n)
    return p


# --- means of metrics ----------------------------------------------------------------------------


def mean_of(values: FloatArray, quantities: Iterable[Quantity], confidence: float) -> Means:
    """Return the means of metrics over replications, with intervals; see :func:`means_of_groups`.

    Args:
        values: (replications, metrics); NaN where a replication has no value.
        quantities: what each metric is.
        confidence: of the intervals.
    """
    return Means(*(each[0] for each in means_of_groups(values, [0], quantities, confidence)))


def means_of_groups(
    values: FloatArray,
    starts: Sequence[int] | IntArray,
    quantities: Iterable[Quantity],
    confidence: float,
) -> Means:
    """Return the means of metrics over groups of replications, with intervals for skewed metrics.

    Student's interval misses the mean of what is skewed on one side: few replications have not seen
    the long tail. So the interval is made of two:

    - Student's on the scale on which the quantity has no ends: logarithms of what cannot be
      negative, logits of shares, else the quantity itself. Ends are g⁻¹(g(mean) ± t·g'(mean)·s/√n)
      by the delta method, with a relative error no smaller than that of the values' own logarithms
      (logits), as far as all are within the bounds, since these see a tail before s does.
    - on the side of the tail, if it goes farther, Hall's (1992, *On the removal of skewness by
      transformation*, Journal of the Royal Statistical Society B 54(1)), which corrects Student's t
      for the skewness of the sample by a monotone cubic.

    No end is beyond what the quantity can be. `benchmarks/coverage.py` says how often the interval
    covers the true mean.

    If all n replications agree on c, at most a share 1 - alpha^(1/n) of all replications does
    otherwise, with confidence 1 - alpha. This bounds the mean of a quantity that has both ends.

    Args:
        values: (rows, metrics); NaN where a replication has no value.
        starts: where each group begins; no group is empty unless there is no row at all.
        quantities: what each metric is.
        confidence: of the intervals.

    Returns:
        Arrays (groups, metrics). Intervals are NaN, that is unknown, for fewer than
        :data:`FEWEST_TO_JUDGE` values, for agreeing values of what is not bounded on both sides,
        and if they went to a hundred times the mean: of what has hardly ever happened.
    """
    kinds = list(quantities)
    lowest = np.array([kind.lowest for kind in kinds], dtype=np.float64)
    highest = np.array([kind.highest for kind in kinds], dtype=np.float64)
    found = estimate_groups(values, starts)
    n, mean, error = found.n, found.mean, found.standard_error
    quantile = stdtrit(np.maximum(n - 1.0, 1.0), 0.5 + confidence / 2.0)
    with np.errstate(all="ignore"):  # what comes of too few values is set to NaN below
        low, high = _without_ends(values, found, quantile, starts, np.array([lowest, highest]))
        skewness = _skewness(values, found, starts)
        ends = [mean - _without_skewness(t, skewness, n) * error for t in (quantile, -quantile)]
        low = np.where(skewness < 0.0, np.fmin(low, ends[0]), low)
        high = np.where(skewness > 0.0, np.fmax(high, ends[1]), high)
        tied = _agree(found)
        otherwise = 1.0 - (1.0 - confidence) ** (1.0 / n)
        low = np.where(tied, mean - otherwise * (mean - lowest), np.maximum(low, lowest))
        high = np.where(tied, mean + otherwise * (highest - mean), np.minimum(high, highest))
        known = (n >= FEWEST_TO_JUDGE) & np.isfinite(low) & np.isfinite(high)
        known &= ~np.isfinite(lowest) | np.isfinite(highest) | (high <= _FARTHEST * mean)
    return Means(mean, np.where(known, low, np.nan), np.where(known, high, np.nan), n)


def _without_ends(
    values: FloatArray,
    found: Estimates,
    quantile: FloatArray,
    starts: Sequence[int] | IntArray,
    bounds: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return Student's interval, taken on the scale on which each quantity has no ends."""
    half_width = quantile * found.standard_error
    low, high = found.mean - half_width, found.mean + half_width
    is_share = np.isfinite(bounds[0]) & np.isfinite(bounds[1])
    is_positive = np.isfinite(bounds[0]) & ~is_share
    for columns, to_scale, from_scale in ((is_positive, np.log, np.exp), (is_share, logit, expit)):
        if not columns.any():
            continue
        lowest = bounds[0, columns]
        width = np.where(is_positive, 1.0, bounds[1] - bounds[0])[columns]
        scaled = to_scale((values[:, columns] - lowest) / width)
        own = estimate_groups(np.where(np.isfinite(scaled), scaled, np.nan), starts)
        own_error = np.where(own.n == found.n[:, columns], own.standard_error, 0.0)
        mean = (found.mean[:, columns] - lowest) / width
        # The derivative of the logarithm, or of the logit.
        slope = 1.0 / (mean * np.where(is_share[columns], 1.0 - mean, 1.0))
        error = found.standard_error[:, columns] / width * slope
        half_width = quantile[:, columns] * np.fmax(error, own_error)
        low[:, columns] = lowest + width * from_scale(to_scale(mean) - half_width)
        high[:, columns] = lowest + width * from_scale(to_scale(mean) + half_width)
    return low, high


def _skewness(values: FloatArray, found: Estimates, starts: Sequence[int] | IntArray) -> FloatArray:
    cubes = _sums(_offsets(values, found.mean, starts) ** 3, starts) / found.n
    variance = found.standard_error**2 * (found.n - 1)
    return np.nan_to_num(cubes / variance**1.5)


def _without_skewness(t: FloatArray, skewness: FloatArray, n: IntArray) -> FloatArray:
    """Return the studentized mean that Hall's transformation makes ``t`` of: its inverse."""
    bend = skewness / (3.0 * np.sqrt(n))
    shifted = t - skewness / (6.0 * np.sqrt(n))
    bent = (np.cbrt(1.0 + 3.0 * bend * shifted) - 1.0) / bend
    return np.where(np.abs(bend) > 1e-9, bent, shifted)


def check_confidence(confidence: float) -> None:
    """Raise a ValueError unless ``confidence`` is between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"the confidence has to be between 0 and 1, not {confidence}")


def quantity_of(name: str) -> Quantity:
    """Return what a column of numbers is: as the catalogue of metrics says, or any number."""
    try:
        return catalogue.metric(name)
    except KeyError:
        return NUMBER


def summarize(runs: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return the mean of each metric over replications, with its confidence interval.

    Replications are independent; :func:`means_of_groups` says how the intervals are made.

    Args:
        runs: A row per replication; every numeric column but `replication` is a metric. A
            replication without a value (NaN) is left out of that metric, and n says so.
        confidence: Probability with which the interval covers the true mean, between 0 and 1.

    Returns:
        A row per metric (index `metric`) with the columns `mean`, `ci_low`, `ci_high` and `n`; the
        interval is NaN where it is unknown, the mean for n = 0.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    metrics = runs.drop(columns="replication", errors="ignore").select_dtypes(["number", "bool"])
    values = metrics.to_numpy(dtype=np.float64, na_value=np.nan)
    found = mean_of(values, map(quantity_of, map(str, metrics.columns)), confidence)
    return pd.DataFrame(
        {"mean": found.mean, "ci_low": found.low, "ci_high": found.high, "n": found.n},
        index=metrics.columns.rename("metric"),
    )
