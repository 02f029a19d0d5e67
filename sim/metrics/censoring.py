"""Medians of durations of which some are not over yet."""

import numpy as np

from sim.metrics.arrays import BoolArray, FloatArray


def kaplan_meier_median(
    durations: FloatArray, is_over: BoolArray, weights: FloatArray | None = None
) -> float:
    """Return the median of durations, some of which are known only to last longer than so far.

    It is the first time at which the survival curve of Kaplan and Meier (1958, Journal of the
    American Statistical Association 53(282)) is at most one half; where it stays at exactly one
    half for a while, the middle of that stretch, so that without anything open it is the median as
    always.

    Args:
        durations: until the end or, of what is not over, until now; in any unit.
        is_over: which ones have ended.
        weights: how often each counts; by default once.

    Returns:
        NaN if more than half of them last longer than all that have ended, or there are none.
    """
    # What ends as long as another one has been watched comes first: that one was still there.
    order = np.lexsort((~is_over, durations))
    times, over = durations[order], is_over[order]
    weight = np.ones(times.size) if weights is None else weights[order]
    return _median(times, over, weight)


def _median(times: FloatArray, over: BoolArray, weight: FloatArray) -> float:
    at_risk = weight[::-1].cumsum()[::-1]
    ended = np.where(over, weight, 0.0)
    # Ends at the same time are one step of the curve, and so are many small ones in a row.
    share = np.divide(ended, at_risk, out=np.zeros_like(ended), where=at_risk > 0.0)
    survival = np.cumprod(1.0 - share)
    tolerance = 1e-9
    below = np.flatnonzero((survival <= 0.5 + tolerance) & over & (weight > 0.0))
    if not below.size:
        return np.nan
    first = below[0]
    if survival[first] < 0.5 - tolerance:
        return float(times[first])
    later = np.flatnonzero((survival < 0.5 - tolerance) & over & (weight > 0.0))
    return float((times[first] + times[later[0]]) / 2.0) if later.size else float(times[first])
