"""Main effects: how far each axis of a sweep moves a metric on its own, and which one does most."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from sim.metrics.catalogue import Quantity

from .axes import Axis, places_on_grid
from .intervals import FloatArray, Means, estimate, interval, mean_of

_MOST_LEVELS = 20
"""Of an axis with listed numbers in a sample; with more of them a line is fitted."""


class MainEffect(NamedTuple):
    """The difference between the two values of an axis at which the metric is farthest apart.

    The metric is averaged over the other axes.
    """

    axis: int
    """Its place among the axes."""
    start: object
    """The value that comes first among those of the axis."""
    end: object
    at_start: float
    at_end: float
    low: float
    """Of the interval of the difference, at_end - at_start; NaN where it is unknown."""
    high: float
    may_be_largest: bool
    """Whether it cannot be told from the largest."""

    @property
    def difference(self) -> float:
        """By how much more the metric is at the end."""
        return self.at_end - self.at_start

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0.0 or self.high < 0.0


class _Contrast(NamedTuple):
    """An effect before it is known how sure it is."""

    axis: int
    start: object
    end: object
    at_start: float
    at_end: float
    parts: FloatArray
    """What estimates it: of a grid each replication's difference, of a sample weights of
    coefficients."""
    choices: int
    """The pairs of values that it was chosen from."""


def main_effects(
    design: str,
    axes: Sequence[Axis],
    points: pd.DataFrame,
    values: FloatArray,
    confidence: float = 0.95,
) -> list[MainEffect]:
    """Return the main effects of a metric, the largest first; none for designs that have none.

    Of a grid, the effect in a replication is that over all combinations of the other axes, which
    meet the same luck; the replications are the sample, and the interval is Student's. Of a sample
    (`random`, `lhs`, `adaptive`) it is that of a linear model of the means of the points,
    with a coefficient for each listed value and a line over the ranks of numbers, so that words and
    numbers count alike, in the unit of the metric; the points are the sample, and the standard
    error is HC3 (MacKinnon and White 1985, Journal of Econometrics 29(3)), which holds though the
    model is not exact.

    Intervals are Bonferroni's over all pairs of values of all axes, since the farthest are chosen.
    An effect may be the largest unless its size, replication by replication or in the model, is
    clearly below that of the largest found, with Bonferroni's adjustment for the other axes.

    Args:
        design: which one.
        axes: all axes of the sweep.
        points: the values of the axes' keys, a row per point.
        values: of the metric, (points, replications), NaN where unknown.
        confidence: of the intervals.
    """
    if design == "grid":
        contrasts = _on_grid(axes, points, values)
    elif design in ("random", "lhs", "adaptive"):
        return _of_sample(axes, points, values, confidence)
    else:
        return []
    contrasts = _largest_first(contrasts)
    if not contrasts:
        return []
    alpha = 1.0 - confidence
    sizes = [np.sign(each.at_end - each.at_start) * each.parts for each in contrasts]
    ends = _ends(np.array([each.parts for each in contrasts]), alpha / _choices(contrasts))
    behind = np.full(len(contrasts), -np.inf)
    if len(contrasts) > 1:
        lead = np.array([sizes[0] - size for size in sizes[1:]])
        behind[1:] = _ends(lead, alpha / len(lead))[0]
    return _told(contrasts, ends, behind)


def level_means(
    axes: Sequence[Axis],
    points: pd.DataFrame,
    values: FloatArray,
    number: int,
    quantity: Quantity,
) -> Means:
    """Return the means of a metric of a grid at each value of an axis, over all of the others.

    Args:
        axes: all axes of the sweep.
        points: the values of the axes' keys, a row per point.
        values: of the metric, (points, replications), NaN where unknown.
        number: which axis.
        quantity: what the metric is.
    """
    levels = _levels(axes, points, values, number)
    return mean_of(levels.T, [quantity] * len(levels), 0.95)


def _levels(
    axes: Sequence[Axis], points: pd.DataFrame, values: FloatArray, number: int
) -> FloatArray:
    """Return the mean at each value of an axis in each replication, (values, replications).

    A combination of the others that has no data at some value is left out at all of them, so that
    only like is compared with like; a value without any data is NaN, and the others are compared.
    """
    replications = values.shape[1]
    grid = np.full((*(len(axis.listed or ()) for axis in axes), replications), np.nan)
    grid[places_on_grid(axes, points)] = values
    grid = np.moveaxis(grid, number, 0)
    grid = grid.reshape(len(grid), -1, replications)
    is_there = ~np.isnan(grid)
    without = ~is_there.any(axis=(1, 2))
    whole = is_there[~without].all(axis=0)
    n = whole.sum(axis=0)
    sums = np.where(whole, grid, 0.0).sum(axis=1)
    found: FloatArray = np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n > 0)
    found[without] = np.nan
    return found


def _on_grid(axes: Sequence[Axis], points: pd.DataFrame, values: FloatArray) -> list[_Contrast]:
    found = []
    for number, axis in enumerate(axes):
        levels = _levels(axes, points, values, number)
        has_data = np.flatnonzero(~np.isnan(levels).all(axis=1))
        listed = [(axis.listed or ())[place] for place in has_data]
        levels = levels[has_data]
        known = ~np.isnan(levels).any(axis=0)
        if len(listed) < 2 or not known.any():
            continue
        means = levels[:, known].mean(axis=1)
        start, end = sorted((int(means.argmin()), int(means.argmax())))
        found.append(
            _Contrast(
                number,
                listed[start],
                listed[end],
                float(means[start]),
                float(means[end]),
                levels[end] - levels[start],
                len(listed) * (len(listed) - 1) // 2,
            )
        )
    return found


def _ends(parts: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Return Student's intervals of the means of rows."""
    return interval(estimate(parts.T), 1.0 - alpha)


def _of_sample(
    axes: Sequence[Axis], points: pd.DataFrame, values: FloatArray, confidence: float
) -> list[MainEffect]:
    n = (~np.isnan(values)).sum(axis=1)
    known = np.flatnonzero(n > 0)
    if not known.size:
        return []
    means = np.nansum(values[known], axis=1) / n[known]
    blocks: list[tuple[int, list[object], FloatArray]] = []
    for number, axis in enumerate(axes):
        column = points[axis.key].iloc[known]
        there, codes = _codes(axis, column)
        if len(there) > 1:
            blocks.append((number, there, codes))
    design = np.column_stack([np.ones(len(known)), *(block for _, _, block in blocks)])
    degrees = len(known) - design.shape[1]
    # With fewer than two points for each coefficient, a few points decide on all of it.
    if not blocks or degrees < design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        return []
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ means
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    residuals = (means - design @ coefficients) / np.maximum(1.0 - leverage, 1e-9)
    half = inverse @ design.T * residuals
    covariance = half @ half.T
    contrasts, first = [], 1
    for number, there, block in blocks:
        own = slice(first, first + block.shape[1])
        first = own.stop
        # Of words, the first value is the one without a column. Of numbers, the ends of the line.
        levels = np.append(0.0, coefficients[own])
        start, end = sorted((int(levels.argmin()), int(levels.argmax())))
        weights = np.zeros(design.shape[1])
        for place, weight in ((start, -1.0), (end, 1.0)):
            if place:
                weights[own.start + place - 1] += weight
        level = float(means.mean() - block.mean(axis=0) @ coefficients[own])
        contrasts.append(
            _Contrast(
                number,
                there[start],
                there[end],
                level + float(levels[start]),
                level + float(levels[end]),
                weights,
                len(levels) * (len(levels) - 1) // 2,
            )
        )
    contrasts = _largest_first(contrasts)
    if not contrasts:
        return []
    alpha = 1.0 - confidence

    def ends(weights: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
        difference = weights @ coefficients
        error = np.sqrt(np.einsum("ij,jk,ik->i", weights, covariance, weights))
        width = stdtrit(float(degrees), 1.0 - alpha / 2.0) * error
        return difference - width, difference + width

    weights = np.array([each.parts for each in contrasts])
    signs = np.sign([each.at_end - each.at_start for each in contrasts])
    sizes = signs[:, np.newaxis] * weights
    behind = np.full(len(contrasts), -np.inf)
    if len(contrasts) > 1:
        behind[1:] = ends(sizes[0] - sizes[1:], alpha / (len(contrasts) - 1))[0]
    return _told(contrasts, ends(weights, alpha / _choices(contrasts)), behind)


def _codes(axis: Axis, column: pd.Series) -> tuple[list[object], FloatArray]:
    """Return the values of an axis that effects are between, and its columns of the model."""
    is_number = all(
        isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
        for value in column
    )
    there = list(dict.fromkeys(column))
    if is_number and (axis.listed is None or len(there) > _MOST_LEVELS):
        ranks = column.astype(float).rank().to_numpy()
        spread = np.ptp(ranks)
        places = (ranks - ranks.min()) / spread if spread else np.zeros(len(ranks))
        return [column.min(), column.max()] if spread else [], places[:, np.newaxis]
    order = [value for value in axis.listed or there if value in there]
    columns = [(column == value).to_numpy(dtype=np.float64) for value in order[1:]]
    return order, np.column_stack(columns) if columns else np.empty((len(column), 0))


def _largest_first(contrasts: Sequence[_Contrast]) -> list[_Contrast]:
    moved = [each for each in contrasts if each.at_end != each.at_start]
    return sorted(moved, key=lambda each: -abs(each.at_end - each.at_start))


def _choices(contrasts: Sequence[_Contrast]) -> int:
    return sum(each.choices for each in contrasts)


def _told(
    contrasts: Sequence[_Contrast], ends: tuple[FloatArray, FloatArray], behind: FloatArray
) -> list[MainEffect]:
    return [
        MainEffect(
            each.axis,
            each.start,
            each.end,
            each.at_start,
            each.at_end,
            float(ends[0][place]),
            float(ends[1][place]),
            not behind[place] > 0.0,
        )
        for place, each in enumerate(contrasts)
    ]
