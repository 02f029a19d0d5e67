"""The best of many points: how sure the choice is, and where further replications help it most."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import chdtri

from sim.scenario.errors import nearest

from .intervals import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

FEWEST_KNOWN = 3
"""Values of each metric that a point needs to be judged: there is a variance, if a rough one."""

_DRAWS = 10_000
"""Of all means, from what is known about them; a probability has a standard error <= 0.005."""

_DRAWN_AT_ONCE = 2_000_000
"""How many numbers, so that the draws need little memory however many points there are."""

_SMALLEST_DISTANCE = 1e-6
"""In standard deviations: what is nearer counts as this far, so that no share is infinite."""

_ROUNDING = 1e-9
"""Relative difference up to which two draws are equal."""


@dataclass(frozen=True)
class Goal:
    """Which point is the best, and how sure that is.

    Attributes:
        metric: the one whose mean decides.
        largest: the best has the largest mean, else the smallest.
        at_most: limits that the mean of a metric must not be above.
        at_least: limits that the mean of a metric must not be below.
    """

    metric: str
    largest: bool = False
    at_most: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Selection:
    """The choice among the points, and how sure it is.

    Attributes:
        best: the point with the best mean among those whose means keep within all limits; None if
            none does.
        probability: with which this choice is right, rather too low than too high: that the point
            really is the best of those within the limits, or that really none is within them. NaN
            if no point can be judged.
        table: a row per point (index `point`): `mean` of the goal's metric, `feasible_probability`
            (of being within all limits), `best_probability` (of being within them, and no other
            such point better), and `n`, the number of values of the metric that has the fewest.
            These probabilities do not account for the choice, see :func:`select`.
    """

    best: int | None
    probability: float
    table: pd.DataFrame


def select(runs: pd.DataFrame, goal: Goal, seed: int, looks: int = 1) -> Selection:
    """Return which point is best, and with what probability this is right.

    The means of all points and metrics are drawn from their posterior (normal values, flat prior):
    what was observed, plus noise of Student's distribution with its standard error. The noise is a
    random combination of how the replications deviate from their mean, and the weights of the
    replications are the same for all points and metrics. So what points with common random numbers
    share, and what metrics share, is in the draws too; the difference of two points with the same
    replications is known as well as by the paired t test.

    The probability of a wrong choice is twice that of the posterior. This pays for the choice
    having been made because the values looked best: of two points that hardly differ, the posterior
    calls the one that looks better right with 75 % on average, where 50 % is true. With the factor,
    as in a two-sided test, even such points are promised what they keep, and clear cases pay
    little. Where several points have the same values, either choice is right.

    All this holds however the replications were shared out, as long as their number was decided
    beforehand. A search that looks again and again, and stops once the probability is large enough,
    finds the moments in which it is too large; with ``looks`` the probability of a wrong choice is
    multiplied by their number as well, and covers all of them (Bonferroni).

    A point for which a metric of the goal is known in fewer than 3 replications (such as the lead
    time where nothing gets deployed) cannot be judged or chosen; its probabilities are NaN.
    Otherwise the mean of a metric is over the replications in which it is known.

    Args:
        runs: a row per point and replication: `point`, `replication` and the metrics.
        goal: what the best point is.
        seed: of the draws.
        looks: how often at most the probability is looked at to decide whether to stop.

    Raises:
        ValueError: `runs` has no such metric.
    """
    known = _Known.of(runs, goal)
    judged = known.judged
    best = known.best
    rng = np.random.default_rng(seed)
    feasible_draws = np.zeros(np.count_nonzero(judged))
    best_draws = np.zeros_like(feasible_draws)
    none_draws = 0
    for drawn in _draws(known, rng):
        feasible = np.asarray((drawn[:, :, 1:] <= 0.0).all(axis=2))
        means = np.where(feasible, drawn[:, :, 0], np.inf)
        lowest = means.min(axis=1, initial=np.inf, keepdims=True)
        tolerance = _ROUNDING * np.abs(np.where(np.isfinite(lowest), lowest, 0.0))
        feasible_draws += feasible.sum(axis=0)
        best_draws += (feasible & (means <= lowest + tolerance)).sum(axis=0)
        none_draws += int((~feasible.any(axis=1)).sum())
    table = pd.DataFrame(
        {
            "mean": (-1.0 if goal.largest else 1.0) * known.mean[:, 0],
            "feasible_probability": np.nan,
            "best_probability": np.nan,
            "n": known.n.min(axis=1),
        },
        index=pd.Index(known.points, name="point"),
    )
    table.loc[judged, "feasible_probability"] = feasible_draws / _DRAWS
    table.loc[judged, "best_probability"] = best_draws / _DRAWS
    if not best_draws.size:
        return Selection(None, np.nan, table)
    if best is None:
        chosen, right = None, none_draws / _DRAWS
    else:
        chosen, right = int(known.points[best]), float(table["best_probability"].iloc[best])
    return Selection(chosen, max(0.0, 1.0 - 2.0 * looks * (1.0 - right)), table)


def next_replications(runs: pd.DataFrame, goal: Goal, budget: int) -> dict[int, int]:
    """Return how many further replications each point should get.

    They go where :func:`allocate` says. A point that cannot be judged after its first replications
    gets no more, nor does one whose values are exactly those of the best so far, since nothing can
    be learned from it. With a budget of a few replications a point at a time, and looking again in
    between, the budget goes farthest.

    Args:
        runs: a row per point and replication so far: `point`, `replication` and the metrics. Every
            point needs its first replications (about ten) before.
        goal: what the best point is.
        budget: further replications in all.

    Returns:
        The further replications of those points that get any. None at all if nothing is left to
        decide: no point can be judged, or all variances are 0.

    Raises:
        ValueError: `runs` has no such metric.
    """
    known = _Known.of(runs, goal)
    asked = known.judged
    if not asked.any():
        return {}
    if known.best is not None:
        asked &= ~known.same_as(known.best)
        asked[known.best] = True
    further = allocate(
        known.mean[asked, 0],
        known.variance[asked, 0],
        known.runs[asked],
        budget,
        known.mean[asked, 1:],
        known.variance[asked, 1:],
    )
    numbers = known.points[asked]
    return {int(numbers[place]): int(further[place]) for place in np.flatnonzero(further)}


def allocate(
    means: FloatArray,
    variances: FloatArray,
    n: IntArray,
    budget: int,
    excess: FloatArray | None = None,
    excess_variances: FloatArray | None = None,
) -> IntArray:
    """Return how many further replications each point gets, to find the one with the least mean.

    It is the optimal computing budget allocation of Chen, Lin, Yücesan and Chick (2000, Discrete
    Event Dynamic Systems 10(3)): a point that is worse by d and has the variance s² gets a share in
    proportion to s² / d², and the best one its s times the root of the sum of share² / s² of the
    others. With limits it follows Lee, Pujowidianto, Li, Chen and Yap (2012, IEEE Transactions on
    Automatic Control 57(11)): a point out of bounds is ruled out by its mean or by its clearest
    excess, whichever takes fewer replications, s² / excess²; the best one gets at least what it
    takes to see it within its closest limit. Where no point is within the limits, shares go by the
    excess alone.

    Shares are of all replications, past ones included. A point that has more than its share gets
    none, and the others less.

    Args:
        means: the smaller, the better; (points,).
        variances: of a replication; (points,).
        n: replications so far; (points,).
        budget: further replications in all.
        excess: by how much the mean of each limited metric is beyond its limit, at most 0 within;
            (points, limits).
        excess_variances: of a replication of these metrics.

    Returns:
        Further replications, (points,); their sum is the budget, or 0 if no variance is above 0.
    """
    none = np.empty((means.size, 0))
    excess = none if excess is None else excess
    excess_variances = none if excess_variances is None else excess_variances
    to_see = _replications_to_see(excess, excess_variances, excess_variances)
    beyond = excess > 0.0
    # What it takes to rule a point out by its excess.
    share = np.where(beyond, to_see, np.inf).min(axis=1, initial=np.inf)
    within = ~beyond.any(axis=1)
    if not within.any():
        return _shared(share, n, budget, int(np.argmax(share)))
    best = int(np.argmin(np.where(within, means, np.inf)))
    distance = means - means[best]
    by_mean = _replications_to_see(distance, variances, variances + variances[best])
    # One that is out of bounds and looks better can be ruled out by its excess only.
    by_mean[~within & (distance < 0.0)] = np.inf
    ruled_out_by_mean = by_mean <= share
    ruled_out_by_mean[best] = False
    share = np.minimum(share, by_mean)
    # share² / s², with s = 0 where nothing is needed.
    squares = np.divide(share**2, variances, out=np.zeros_like(share), where=variances > 0.0)
    for_means = np.sqrt(variances[best] * squares[ruled_out_by_mean].sum())
    share[best] = max(for_means, to_see[best].max(initial=0.0))
    return _shared(share, n, budget, best)


def _replications_to_see(
    distance: FloatArray, variance: FloatArray, scale: FloatArray
) -> FloatArray:
    """Return variance / distance², in proportion to the replications that tell it from 0."""
    smallest = _SMALLEST_DISTANCE**2 * scale
    return np.divide(
        variance,
        np.maximum(distance**2, smallest),
        out=np.zeros_like(variance),
        where=variance > 0.0,
    )


def _shared(share: FloatArray, n: IntArray, budget: int, first: int) -> IntArray:
    """Share out all replications, past ones included, in proportion; whole numbers.

    What rounding down leaves over goes to the point ``first``, as in the paper, but if that has its
    share already, to those that lost most.
    """
    further = np.zeros(n.size, dtype=np.intp)
    if not share.any():
        return further
    total = float(n.sum() + budget)
    open_ = share > 0.0
    while True:
        left = total - n[~open_].sum()
        wanted = np.where(open_, left * share / share[open_].sum(), n)
        too_many = open_ & (wanted < n)
        if not too_many.any():
            break
        open_ &= ~too_many
    more = np.where(open_, wanted - n, 0.0)
    further += np.floor(more).astype(np.intp)
    over = budget - int(further.sum())
    if open_[first]:
        further[first] += over
    else:
        further[np.argsort(further - more, kind="stable")[:over]] += 1
    return further


@dataclass(frozen=True)
class _Known:
    """The replications, turned so that the smaller mean is better and limits lie at 0.

    Attributes:
        points: their numbers, ascending.
        values: (points, replications, metrics), NaN where unknown. The first metric decides, the
            others are limited, and beyond their limit above 0.
        runs: number of replications of each point.
        n, mean, variance: number of known values, their mean and variance; (points, metrics).
    """

    points: IntArray
    values: FloatArray
    runs: IntArray
    n: IntArray
    mean: FloatArray
    variance: FloatArray

    @classmethod
    def of(cls, runs: pd.DataFrame, goal: Goal) -> "_Known":
        """Return the known values of the goal's metrics."""
        columns = [(goal.metric, -1.0 if goal.largest else 1.0, 0.0)]
        columns += [(metric, 1.0, limit) for metric, limit in goal.at_most.items()]
        columns += [(metric, -1.0, limit) for metric, limit in goal.at_least.items()]
        metrics = [str(name) for name in runs.columns if name not in ("point", "replication")]
        for name, _, _ in columns:
            if name not in metrics:
                raise ValueError(f"unknown metric '{name}'; {nearest(name, metrics)}")
        points, row = np.unique(runs["point"].to_numpy(), return_inverse=True)
        replications, column = np.unique(runs["replication"].to_numpy(), return_inverse=True)
        values = np.full((points.size, replications.size, len(columns)), np.nan)
        for place, (name, sign, limit) in enumerate(columns):
            observed = runs[name].to_numpy(dtype=np.float64, na_value=np.nan)
            values[row, column, place] = sign * (observed - limit)
        known = ~np.isnan(values)
        n = known.sum(axis=1)
        sums = np.where(known, values, 0.0).sum(axis=1)
        mean = np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n > 0)
        squares = (np.where(known, values - mean[:, np.newaxis], 0.0) ** 2).sum(axis=1)
        variance = np.divide(squares, n - 1, out=np.full(sums.shape, np.nan), where=n > 1)
        return cls(points, values, np.bincount(row), n, mean, variance)

    @property
    def judged(self) -> BoolArray:
        """Which points can be judged, since each metric is known often enough."""
        return np.asarray((self.n >= FEWEST_KNOWN).all(axis=1))

    @property
    def best(self) -> int | None:
        """Place of the point with the best mean among those within the limits."""
        within = self.judged & (self.mean[:, 1:] <= 0.0).all(axis=1)
        return int(np.argmin(np.where(within, self.mean[:, 0], np.inf))) if within.any() else None

    def same_as(self, place: int) -> BoolArray:
        """Return which points have exactly the values of one in all replications of both."""
        own = self.values[place]
        equal = (self.values == own) | np.isnan(self.values) | np.isnan(own)
        both = (~np.isnan(self.values) & ~np.isnan(own)).all(axis=2).sum(axis=1)
        return np.asarray(equal.all(axis=(1, 2)) & (both >= FEWEST_KNOWN))


def _draws(known: _Known, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Yield draws of the means of the points that can be judged, (draws, points, metrics)."""
    judged = known.judged
    n, mean = known.n[judged], known.mean[judged]
    deviations = np.nan_to_num(known.values[judged] - mean[:, np.newaxis])
    deviations /= np.sqrt(n * (n - 1.0))[:, np.newaxis]
    # (replications, points * metrics)
    deviations = deviations.swapaxes(0, 1).reshape(known.values.shape[1], -1)
    # Student's distribution is normal noise over the root of a chi-squared number of n - 1 degrees
    # of freedom; where n differs, that number has the same rank in its distribution.
    degrees, which = np.unique(n - 1.0, return_inverse=True)
    at_once = max(1, min(_DRAWS, _DRAWN_AT_ONCE // max(deviations.size, n.size, 1)))
    for start in range(0, _DRAWS, at_once):
        size = min(at_once, _DRAWS - start)
        noise = (rng.standard_normal((size, deviations.shape[0])) @ deviations).reshape(
            size, *n.shape
        )
        rank = rng.random((size, 1))
        stretch = np.sqrt(degrees / chdtri(degrees, rank))[:, which.reshape(n.shape)]
        yield mean + noise * stretch
