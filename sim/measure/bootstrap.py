"""How sure the metrics of records are: their weeks are drawn again, in blocks."""

import numpy as np
import numpy.typing as npt

from sim.metrics.arrays import FloatArray, IntArray

FEWEST_WEEKS = 10
"""Below, there are too few blocks to tell how much the weeks differ."""

_RESAMPLES = 400
_SEED = 19940601

Counts = npt.NDArray[np.intp]


def block_length(n_weeks: int) -> float:
    """Return the mean length of a block in weeks, n^(1/3).

    That is the order at which the error of the bootstrap of a mean is least (Künsch 1989; Politis
    and White 2004, Econometric Reviews 23(1)).
    """
    return max(float(np.cbrt(n_weeks)), 1.0)


def drawn_weeks(n_weeks: int) -> Counts:
    """Return how often each week is drawn, (resamples, weeks): the stationary bootstrap.

    Blocks begin at any week, last a geometric number of weeks, and go around the end (Politis and
    Romano 1994, Journal of the American Statistical Association 89(428)).

    Args:
        n_weeks: how many weeks there are.
    """
    rng = np.random.default_rng(_SEED)
    starts = rng.integers(0, n_weeks, (_RESAMPLES, n_weeks))
    begins = rng.random((_RESAMPLES, n_weeks)) < 1.0 / block_length(n_weeks)
    begins[:, 0] = True
    # Where a block does not begin, the week after the last one is drawn.
    place = np.arange(n_weeks)
    last = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    weeks = (np.take_along_axis(starts, last, axis=1) + place - last) % n_weeks
    rows = np.repeat(np.arange(_RESAMPLES), n_weeks)
    counts = np.zeros((_RESAMPLES, n_weeks), dtype=np.intp)
    np.add.at(counts, (rows, weeks.ravel()), 1)
    return counts


def weeks_of(times_h: FloatArray, window: tuple[float, float]) -> IntArray:
    """Return in which week of the window each time is; the last one may be shorter, or a bit longer.

    Args:
        times_h: inside of the window.
        window: start and end, in hours.
    """
    weeks = n_weeks(window)
    return np.minimum(((times_h - window[0]) // 168.0).astype(np.intp), weeks - 1)


def n_weeks(window: tuple[float, float]) -> int:
    """Return of how many weeks a window is made."""
    return max(round((window[1] - window[0]) / 168.0), 1)


def ends(values: FloatArray, confidence: float = 0.95) -> tuple[float, float]:
    """Return the ends of the interval of resampled values by their percentiles; NaN if some are."""
    if np.isnan(values).mean() > 0.05:
        return np.nan, np.nan
    low, high = np.nanquantile(values, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    return float(low), float(high)
