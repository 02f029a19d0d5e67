"""The points that no other point beats in everything."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .intervals import FloatArray


def pareto_front(values: FloatArray, largest: Sequence[bool]) -> npt.NDArray[np.bool_]:
    """Return which points are on the Pareto front.

    A point is on it if no other one is at least as good in all objectives and better in one. So of
    points that are alike in everything all are on it or none.

    Args:
        values: (points, objectives). A point with an unknown value (NaN) is never on the front, and
            beats none.
        largest: of each objective, whether large values are good, else small ones.
    """
    costs = np.where(np.asarray(largest, dtype=bool), -values, values)
    known = np.flatnonzero(~np.isnan(costs).any(axis=1))
    # By the first objective, then by the second ...: what beats a point comes before it.
    order = known[np.lexsort(costs[known].T[::-1])]
    on_front = np.zeros(len(values), dtype=np.bool_)
    front = np.empty_like(costs)
    size = 0
    for point in order:
        cost = costs[point]
        rivals = front[:size]
        if not ((rivals <= cost).all(axis=1) & (rivals < cost).any(axis=1)).any():
            on_front[point] = True
            front[size] = cost
            size += 1
    return on_front
