"""The length of the warm-up: the beginning of a series that is left out."""

import numpy as np
import numpy.typing as npt
import pandas as pd

_BATCH = 5


def mser5(series: npt.ArrayLike) -> int:
    """Return how many observations to delete at the beginning, by the rule MSER-5.

    The observations are averaged in batches of five, and batches are deleted so that the standard
    error of the mean of what remains is smallest: over d, the sum of squared deviations of the
    batches after the d-th from their mean ÷ their number². At most half of the batches can be
    deleted: an optimum near the end rests on a few batches that happen to be alike, and a
    truncation point at the half says that the series is too short for its transient.

    Sources: White, "An effective truncation heuristic for bias reduction in simulation output",
    Simulation 69 (1997); White, Cobb and Spratt, "A comparison of five steady-state truncation
    heuristics for simulation", Winter Simulation Conference (2000), for the batches of five.

    Args:
        series: Observations in the order of time, (observations,). A missing one (NaN) is left out
            of its batch. An incomplete batch at the end is ignored.

    Returns:
        A multiple of five; 0 if fewer than two batches remain to be compared.
    """
    values = np.asarray(series, dtype=np.float64)
    n_batches = values.size // _BATCH
    batches = values[: n_batches * _BATCH].reshape(n_batches, _BATCH)
    sizes = (~np.isnan(batches)).sum(axis=1)
    known = sizes > 0
    if known.sum() < 2:
        return 0
    means = np.nansum(batches, axis=1) / np.maximum(sizes, 1)
    # The sums of squares are differences; centred on the end of the series they keep their digits.
    means = np.where(known, means - means[known][-1], 0.0)
    # Each over the batches from the d-th to the last.
    number, total, squares = (
        np.cumsum(part[::-1])[::-1] for part in (known.astype(np.float64), means, means**2)
    )
    statistic = np.full(n_batches, np.inf)
    comparable = number >= 2
    spread = squares[comparable] - total[comparable] ** 2 / number[comparable]
    statistic[comparable] = np.maximum(spread, 0.0) / number[comparable] ** 2
    return _BATCH * int(np.argmin(statistic[: n_batches // 2 + 1]))


def welch(weekly: pd.DataFrame, half_width: int, value: str = "value") -> pd.DataFrame:
    """Return Welch's moving average of a weekly series over replications.

    The mean over the replications of each week is smoothed over the week and `half_width` weeks to
    both sides, in the first weeks over as many as there are before it. Where the smoothed curve
    becomes flat, the warm-up is over. Source: Welch (1983), as in Law, Simulation Modeling and
    Analysis, section 9.5.1.

    Args:
        weekly: A row per replication and week, with the columns `replication`, `week` and `value`.
        half_width: Weeks to each side, at least 0. The more, the smoother.
        value: Column to smooth. A replication without a value in some week (NaN) is left out of
            that week's mean, a week without any value out of the moving average.

    Returns:
        A row per week (index `week`) with the columns `mean`, over replications, and
        `moving_average`; the latter is NaN in the last `half_width` weeks.

    Raises:
        ValueError: The half-width is negative.
    """
    if half_width < 0:
        raise ValueError(f"the half-width has to be at least 0, not {half_width}")
    by_week = weekly.groupby("week")[value].mean()
    means = by_week.to_numpy(dtype=np.float64)
    n_weeks = means.size
    known = ~np.isnan(means)
    sums = np.cumsum(np.append(0.0, np.where(known, means, 0.0)))
    numbers = np.cumsum(np.append(0, known))
    week = np.arange(n_weeks)
    reach = np.minimum(week, half_width)
    first, stop = week - reach, np.minimum(week + reach + 1, n_weeks)
    number = np.where(week < n_weeks - half_width, numbers[stop] - numbers[first], 0)
    average = np.divide(
        sums[stop] - sums[first], number, out=np.full(n_weeks, np.nan), where=number > 0
    )
    return pd.DataFrame({"mean": by_week, "moving_average": average})
