"""Many comparisons at once: p-values and intervals adjusted by the method of Holm (1979).

Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics
6(2). The m p-values are looked at from the smallest to the largest; the i-th is compared with
alpha / (m - i + 1), and the first that is larger ends it: this one and all after it are not
rejected. Whatever the dependence between the tests, and whichever null hypotheses are true, the
probability that any true one is rejected is at most alpha.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from .intervals import Estimates, FloatArray, interval, p_value

Adjustment = Literal["holm", "none"]


def family_of_tests(
    estimates: Estimates, confidence: float, adjust: Adjustment = "holm"
) -> dict[str, FloatArray | npt.NDArray[np.intp]]:
    """Return intervals and p-values of differences that are looked at together.

    Args:
        estimates: of the differences; all of them are one family of tests of no difference.
        confidence: of the intervals; 1 - confidence is the probability of any wrong claim of a
            difference that is put up with.
        adjust: the method, see :meth:`sim.Comparison.differences`.

    Returns:
        `difference`; `ci_low`, `ci_high` and `p_value` of each for itself; `adjusted_low`,
        `adjusted_high` and `adjusted_p_value` in view of all; `n`. NaN for n < 2.

    Raises:
        ValueError: the adjustment is unknown.
    """
    low, high = interval(estimates, confidence)
    p = p_value(estimates)
    level, adjusted_p = _adjusted(p, 1.0 - confidence, adjust)
    adjusted_low, adjusted_high = interval(estimates, 1.0 - level)
    return {
        "difference": estimates.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": p,
        "adjusted_low": adjusted_low,
        "adjusted_high": adjusted_high,
        "adjusted_p_value": adjusted_p,
        "n": estimates.n,
    }


def adjusted_p_values(p_values: FloatArray) -> FloatArray:
    """Return Holm's adjusted p-values: those that may be compared with alpha itself.

    Args:
        p_values: One for each test; NaN is no test and does not count.
    """
    adjusted = np.full(p_values.shape, np.nan)
    order = _order(p_values)
    if order.size:
        factors = np.arange(order.size, 0, -1)
        steps = np.maximum.accumulate(p_values[order] * factors)
        adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def levels(p_values: FloatArray, alpha: float) -> FloatArray:
    """Return the alpha of each test whose interval shows what Holm's method decides about it.

    The interval with confidence 1 - alpha / (m - i + 1) belongs to the i-th smallest p-value (Efird
    and Nielsen 2008, International Journal of Environmental Research and Public Health 5(5)); from
    the first test on that is not rejected, all get the confidence of that one, since the method
    stops there. So an interval leaves its null value out exactly if Holm's method rejects it, and
    the probability that any interval wrongly does so is at most ``alpha``.

    That is not joint coverage of all true values, for which every test would have to get
    ``alpha`` / m (Bonferroni). Compatible intervals that have it as well exist (Strassburger and
    Bretz 2008), but those of rejected hypotheses end at the null value and say nothing about the
    size of an effect.

    Args:
        p_values: One for each test; NaN is no test, and does not count.
        alpha: Probability of any wrong rejection that is put up with, between 0 and 1.
    """
    result = np.full(p_values.shape, alpha)
    order = _order(p_values)
    if order.size:
        thresholds = alpha / np.arange(order.size, 0, -1)
        kept = np.flatnonzero(p_values[order] > thresholds)
        if kept.size:
            thresholds[kept[0] :] = thresholds[kept[0]]
        result[order] = thresholds
    return result


def _order(p_values: FloatArray) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """Return the places of the tests, from the smallest p-value to the largest."""
    order = np.argsort(p_values, kind="stable")
    return order[~np.isnan(p_values[order])]


def _adjusted(p: FloatArray, alpha: float, adjust: Adjustment) -> tuple[FloatArray, FloatArray]:
    """Return the level of each interval and the adjusted p-values."""
    if adjust == "holm":
        return levels(p, alpha), adjusted_p_values(p)
    if adjust == "none":
        return np.full(p.shape, alpha), p
    raise ValueError(f"unknown adjustment {adjust!r}; 'holm' or 'none'")
