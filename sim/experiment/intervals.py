"""Confidence intervals over replications."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit


def summarize(runs: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return the mean of each metric over replications, with its confidence interval.

    The interval is Student's: mean ± t * s / √n, with the t quantile of n - 1 degrees of freedom.
    Replications are independent, so it holds for their means as long as these are about normal,
    which they are for all but the rarest events.

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
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"the confidence has to be between 0 and 1, not {confidence}")
    metrics = runs.drop(columns="replication", errors="ignore").select_dtypes(["number", "bool"])
    values = metrics.to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    mean = np.divide(
        np.where(known, values, 0.0).sum(axis=0), n, out=np.full(n.size, np.nan), where=n > 0
    )
    squares = (np.where(known, values - mean, 0.0) ** 2).sum(axis=0)
    # For n < 2 there are no degrees of freedom, and the quantile is NaN.
    quantile = stdtrit(n - 1.0, 0.5 + confidence / 2.0)
    half_width = quantile * np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))
    return pd.DataFrame(
        {"mean": mean, "ci_low": mean - half_width, "ci_high": mean + half_width, "n": n},
        index=metrics.columns.rename("metric"),
    )
