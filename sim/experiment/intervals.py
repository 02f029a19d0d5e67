"""Confidence intervals over replications."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr, stdtrit

FloatArray = npt.NDArray[np.float64]


class Estimates(NamedTuple):
    """Means over replications, and what their intervals are made of; an entry per quantity."""

    mean: FloatArray
    """NaN for n = 0."""
    standard_error: FloatArray
    """Standard deviation / √n; NaN for n < 2."""
    n: npt.NDArray[np.intp]
    """The number of replications that have a value."""


def estimate(values: FloatArray) -> Estimates:
    """Return the means of ``values``, (replications, quantities), without what is NaN."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    mean = np.divide(
        np.where(known, values, 0.0).sum(axis=0), n, out=np.full(n.size, np.nan), where=n > 0
    )
    squares = (np.where(known, values - mean, 0.0) ** 2).sum(axis=0)
    variance = np.divide(squares, n - 1, out=np.full(n.size, np.nan), where=n > 1)
    return Estimates(mean, np.sqrt(variance / np.maximum(n, 1)), n)


def interval(estimates: Estimates, confidence: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of Student's intervals, with one confidence for all or one for each.

    The interval is mean ± t * s / √n, with the t quantile of n - 1 degrees of freedom.
    """
    # For n < 2 there are no degrees of freedom, and the quantile is NaN.
    quantile = stdtrit(estimates.n - 1.0, 0.5 + np.asarray(confidence) / 2.0)
    half_width = quantile * estimates.standard_error
    return estimates.mean - half_width, estimates.mean + half_width


def p_value(estimates: Estimates, value: float | FloatArray = 0.0) -> FloatArray:
    """Return the p-value of Student's two-sided test against ``value``.

    It is the smallest alpha for which the interval with confidence 1 - alpha leaves ``value`` out;
    NaN for n < 2. Where all replications agree, there is no doubt: 1 if they say ``value``, else 0.
    """
    distance = np.abs(estimates.mean - value)
    t = np.divide(
        distance,
        estimates.standard_error,
        out=np.where(distance > 0.0, np.inf, 0.0),
        where=estimates.standard_error > 0.0,
    )
    p = 2.0 * stdtr(np.maximum(estimates.n - 1.0, 1.0), -t)
    return np.where(estimates.n > 1, p, np.nan)


def check_confidence(confidence: float) -> None:
    """Raise a ValueError unless ``confidence`` is between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"the confidence has to be between 0 and 1, not {confidence}")


def summarize(runs: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return the mean of each metric over replications, with its confidence interval.

    The interval is Student's. Replications are independent, so it holds for their means as long as
    these are about normal, which they are for all but the rarest events.

    Args:
        runs: A row per replication; every numeric column but `replication` is a metric. A
            replication without a value (NaN) is left out of that metric, and n says so.
        confidence: Probability with which the interval covers the true mean, between 0 and 1.

    Returns:
        A row per metric (index `metric`) with the columns `mean`, `ci_low`, `ci_high` and `n`; the
        interval is NaN for n < 2, the mean too for n = 0.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    metrics = runs.drop(columns="replication", errors="ignore").select_dtypes(["number", "bool"])
    estimates = estimate(metrics.to_numpy(dtype=np.float64, na_value=np.nan))
    low, high = interval(estimates, confidence)
    return pd.DataFrame(
        {"mean": estimates.mean, "ci_low": low, "ci_high": high, "n": estimates.n},
        index=metrics.columns.rename("metric"),
    )
