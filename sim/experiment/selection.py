"""The best of many points: how sure the choice is, and where further replications help it most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import chdtri

from sim.metrics.restore import POOLED, Restored
from sim.scenario.errors import nearest

from .intervals import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

FEWEST_KNOWN = 3
"""Values of each metric that a point needs to be judged: there is a variance, if a rough one."""

_DRAWS = 4_000
"""Of all means, from what is known about them; a probability has a standard error <= 0.008."""
_FEW_DRAWS = 200
"""For the variance of a median, which only says where replications go."""
_SEED_OF_VARIANCES = 1

_DRAWN_AT_ONCE = 2_000_000
"""How many numbers, so that the draws need little memory however many points there are."""

_PAID_FOR_CHOOSING = 2.5
"""By which the probability of a wrong choice is multiplied, see :func:`select`."""
_SMALLEST_DISTANCE = 1e-6
"""In standard deviations: what is nearer counts as this far, so that no share is infinite."""

_ROUNDING = 1e-9
"""Relative difference up to which two draws are equal."""
_SHORTEST_H = 1e-3
"""Medians are drawn by their logarithms; shorter ones count as this long."""
_LARGEST_LOGARITHM = 50.0
"""Of a drawn median over that of the incidents: more is no median that anybody would choose."""


@dataclass(frozen=True)
class Goal:
    """Which point is the best.

    Attributes:
        metric: the one whose mean decides.
        largest: the best has the largest mean, else the smallest.
        at_most: limits that the mean of a metric must not be above.
        at_least: limits that the mean of a metric must not be below.
        indifference: a point that is worse than the best by no more than this is as good.
        relative: the indifference is a share of the best mean, and of each limit, which may be
            missed by that much; else it has the unit of the metric, and limits are exact.
    """

    metric: str
    largest: bool = False
    at_most: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    indifference: float = 0.0
    relative: bool = False

    @property
    def metrics(self) -> list[str]:
        """The metrics that it is about, each once."""
        return list(dict.fromkeys([self.metric, *self.at_most, *self.at_least]))

    @property
    def tolerances(self) -> FloatArray:
        """By how much each limit may be missed, (limits,)."""
        limits = np.array([*self.at_most.values(), *self.at_least.values()], dtype=np.float64)
        return np.abs(limits) * (self.indifference if self.relative else 0.0)

    @property
    def columns(self) -> list[int]:
        """Which of the metrics is the goal's, and which that of each limit."""
        return [self.metrics.index(name) for name in (self.metric, *self.at_most, *self.at_least)]

    def turned(self, means: FloatArray) -> FloatArray:
        """Return means, (..., metrics), so that less is better, and what is beyond limits above 0.

        Returns:
            (..., 1 + limits): what decides, and the excess over each limit.
        """
        limits = [0.0, *self.at_most.values(), *self.at_least.values()]
        signs = [-1.0 if self.largest else 1.0] + [1.0] * len(self.at_most)
        signs += [-1.0] * len(self.at_least)
        turned: FloatArray = np.array(signs) * (means[..., self.columns] - np.array(limits))
        return turned

    def allowance(self, best: float | FloatArray) -> FloatArray:
        """Return by how much a point may be worse than the best one, given means of that."""
        sizes = np.abs(best) if self.relative else np.ones_like(best)
        return self.indifference * np.where(np.isfinite(best), sizes, 0.0)


@dataclass(frozen=True)
class Selection:
    """The choice among the points, and how sure it is.

    Attributes:
        best: the point with the best mean among those whose means keep within all limits; None if
            none does.
        probability: with which this choice is right, see :func:`select`. NaN if no point can be
            judged.
        table: a row per point (index `point`): `mean` of the goal's metric, `feasible_probability`
            (of being within all limits), `best_probability` (of being as good as the best one),
            and `n`, the number of values of the metric that has the fewest. These probabilities do
            not account for the choice.
    """

    best: int | None
    probability: float
    table: pd.DataFrame


def select(
    runs: pd.DataFrame,
    goal: Goal,
    seed: int,
    looks: int = 1,
    incidents: Mapping[int, Restored] | None = None,
) -> Selection:
    """Return which point is best, and with what probability this is right.

    A choice is right if the true mean of the chosen point is within the goal's indifference of the
    best true mean among the points that truly keep within all limits, and misses no limit by more
    than its tolerance. That no point keeps within the limits is right if none truly does.

    The probability comes from a Bayesian bootstrap (Rubin 1981, *The Bayesian bootstrap*, Annals of
    Statistics 9(1)): replications get random weights, the same for all points and metrics, and all
    means are taken with them. So what points with common random numbers share, and what metrics
    share, is in the draws too, and so is how skewed they are. A median over incidents is drawn
    as such, from the incidents of whole replications. For a few replications the weighted means
    lie too close together; their deviations are widened to the variance of a mean, and then as
    Student's distribution is wider than the normal. Medians are widened as logarithms.

    The probability of a wrong choice is 2.5 times that of the draws. This pays for the choice
    having been made because the values looked best: of two points that hardly differ, the draws
    call the one that looks better right with 75 % on average, where 50 % is true, which a factor of
    2 mends, as in a two-sided test. If they differ by just more than an indifference of half a
    standard error, it takes 2.6. Clear cases pay little. `benchmarks/selection_calibration.py`
    measures what is promised against what is right.

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
        incidents: by point, those of its replications, which are numbered from 0 on. Of points
            without them the medians of replications are averaged, as other metrics are.

    Raises:
        ValueError: `runs` has no such metric.
    """
    known = _Known.of(runs, goal, incidents or {})
    judged = known.judged
    best = known.best
    rng = np.random.default_rng(seed)
    feasible_draws = np.zeros(np.count_nonzero(judged))
    right_draws = np.zeros_like(feasible_draws)
    none_draws = 0
    for means in _draws(known, rng):
        drawn = goal.turned(means)
        feasible = np.asarray((drawn[:, :, 1:] <= 0.0).all(axis=2))
        tolerable = np.asarray((drawn[:, :, 1:] <= goal.tolerances).all(axis=2))
        within = np.where(feasible, drawn[:, :, 0], np.inf)
        lowest = within.min(axis=1, initial=np.inf, keepdims=True)
        rounding = _ROUNDING * np.abs(np.where(np.isfinite(lowest), lowest, 0.0))
        as_good = drawn[:, :, 0] <= lowest + goal.allowance(lowest) + rounding
        feasible_draws += feasible.sum(axis=0)
        right_draws += (tolerable & as_good).sum(axis=0)
        none_draws += int((~feasible.any(axis=1)).sum())
    table = pd.DataFrame(
        {
            "mean": known.mean[:, known.metrics.index(goal.metric)],
            "feasible_probability": np.nan,
            "best_probability": np.nan,
            "n": known.n.min(axis=1),
        },
        index=pd.Index(known.points, name="point"),
    )
    table.loc[judged, "feasible_probability"] = feasible_draws / _DRAWS
    table.loc[judged, "best_probability"] = right_draws / _DRAWS
    if not right_draws.size:
        return Selection(None, np.nan, table)
    if best is None:
        chosen, right = None, none_draws / _DRAWS
    else:
        chosen, right = int(known.points[best]), float(table["best_probability"].iloc[best])
    return Selection(chosen, max(0.0, 1.0 - _PAID_FOR_CHOOSING * looks * (1.0 - right)), table)


def next_replications(
    runs: pd.DataFrame,
    goal: Goal,
    budget: int,
    incidents: Mapping[int, Restored] | None = None,
) -> dict[int, int]:
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
        incidents: as for :func:`select`.

    Returns:
        The further replications of those points that get any. None at all if nothing is left to
        decide: no point can be judged, or all variances are 0.

    Raises:
        ValueError: `runs` has no such metric.
    """
    known = _Known.of(runs, goal, incidents or {})
    asked = known.judged
    if not asked.any():
        return {}
    if known.best is not None:
        asked &= ~known.same_as(known.best)
        asked[known.best] = True
    means = goal.turned(known.mean)
    variances = known.variance[:, goal.columns]
    best = np.nan if known.best is None else means[known.best, 0]
    further = allocate(
        means[asked, 0],
        variances[asked, 0],
        known.runs[asked],
        budget,
        means[asked, 1:],
        variances[asked, 1:],
        float(goal.allowance(best)),
        goal.tolerances,
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
    indifference: float = 0.0,
    tolerances: FloatArray | None = None,
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

    What is worse by no more than the indifference need not be told from the best: a point that
    looks worse by d would make the choice wrong only if it were better by more than that, so d and
    the indifference together count; so do the room that the best one has within a limit and the
    tolerance of that.

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
        indifference: by how much the chosen point may be worse than the best.
        tolerances: by how much it may be beyond each limit, (limits,).

    Returns:
        Further replications, (points,); their sum is the budget, or 0 if no variance is above 0.
    """
    none = np.empty((means.size, 0))
    excess = none if excess is None else excess
    excess_variances = none if excess_variances is None else excess_variances
    beyond = excess > 0.0
    room = excess if tolerances is None else np.where(beyond, excess, excess - tolerances)
    to_see = _replications_to_see(room, excess_variances, excess_variances)
    # What it takes to rule a point out by its excess.
    share = np.where(beyond, to_see, np.inf).min(axis=1, initial=np.inf)
    within = ~beyond.any(axis=1)
    if not within.any():
        return _shared(share, n, budget, int(np.argmax(share)))
    best = int(np.argmin(np.where(within, means, np.inf)))
    distance = means - means[best]
    by_mean = _replications_to_see(distance + indifference, variances, variances + variances[best])
    # One that is out of bounds and looks better can be ruled out by its excess only.
    by_mean[~within & (distance + indifference <= 0.0)] = np.inf
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
    """What is known of the points: of each the metrics of the goal, and what is limited.

    Attributes:
        goal: what is looked for.
        metrics: those of the goal, each once.
        points: their numbers, ascending.
        values: (metrics, points, replications), NaN where unknown.
        incidents: of the points, of metrics that are medians over incidents.
        runs: number of replications of each point.
        n, mean, variance: number of known values, their mean (or the median of the incidents), and
            the variance of a replication; (points, metrics).
    """

    goal: Goal
    metrics: list[str]
    points: IntArray
    values: FloatArray
    incidents: Mapping[int, Restored]
    runs: IntArray
    n: IntArray
    mean: FloatArray
    variance: FloatArray

    @classmethod
    def of(cls, runs: pd.DataFrame, goal: Goal, incidents: Mapping[int, Restored]) -> Self:
        """Return the known values of the goal's metrics."""
        there = [str(name) for name in runs.columns if name not in ("point", "replication")]
        metrics = goal.metrics
        for name in metrics:
            if name not in there:
                raise ValueError(f"unknown metric '{name}'; {nearest(name, there)}")
        points, row = np.unique(runs["point"].to_numpy(), return_inverse=True)
        replications, column = np.unique(runs["replication"].to_numpy(), return_inverse=True)
        values = np.full((len(metrics), points.size, replications.size), np.nan)
        for place, name in enumerate(metrics):
            values[place, row, column] = runs[name].to_numpy(dtype=np.float64, na_value=np.nan)
        known = ~np.isnan(values)
        n = known.sum(axis=2)
        sums = np.where(known, values, 0.0).sum(axis=2)
        mean = np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n > 0)
        squares = (np.where(known, values - mean[:, :, np.newaxis], 0.0) ** 2).sum(axis=2)
        variance = np.divide(squares, n - 1, out=np.full(sums.shape, np.nan), where=n > 1)
        weights = _weights(np.random.default_rng(_SEED_OF_VARIANCES), _FEW_DRAWS, values.shape[2])
        for metric, place, restored in _pooled(metrics, points, incidents):
            hours, replication = _incidents_of(restored, metrics[metric])
            if n[metric, place] >= FEWEST_KNOWN:
                mean[metric, place] = np.median(hours)
                drawn = _medians(hours, replication, weights)
                variance[metric, place] = drawn.var() * (n[metric, place] + 1.0)
        of_points = np.bincount(row)
        return cls(goal, metrics, points, values, incidents, of_points, n.T, mean.T, variance.T)

    @property
    def judged(self) -> BoolArray:
        """Which points can be judged, since each metric is known often enough."""
        return np.asarray((self.n >= FEWEST_KNOWN).all(axis=1))

    @property
    def best(self) -> int | None:
        """Place of the point with the best mean among those within the limits."""
        means = self.goal.turned(self.mean)
        within = self.judged & (means[:, 1:] <= 0.0).all(axis=1)
        return int(np.argmin(np.where(within, means[:, 0], np.inf))) if within.any() else None

    def same_as(self, place: int) -> BoolArray:
        """Return which points have exactly the values of one in all replications of both."""
        own = self.values[:, [place]]
        equal = (self.values == own) | np.isnan(self.values) | np.isnan(own)
        both = (~np.isnan(self.values) & ~np.isnan(own)).all(axis=0).sum(axis=1)
        return np.asarray(equal.all(axis=(0, 2)) & (both >= FEWEST_KNOWN))


def _draws(known: _Known, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Yield draws of the means of the points that can be judged, (draws, points, metrics)."""
    judged = known.judged
    n, mean = known.n[judged], known.mean[judged]
    values = known.values[:, judged]
    is_known = ~np.isnan(values)
    deviations = np.where(is_known, values - mean.T[:, :, np.newaxis], 0.0).swapaxes(1, 2)
    counted = is_known.astype(np.float64).swapaxes(1, 2)
    pooled = list(_pooled(known.metrics, known.points[judged], known.incidents))
    medians = [
        (metric, place, *_incidents_of(restored, known.metrics[metric]))
        for metric, place, restored in pooled
    ]
    # The weights make the variance of a mean s² / (n + 1), of values over n.
    wider = np.sqrt((n + 1.0) / (n - 1.0))
    # Student's distribution is noise over the root of a chi-squared number of n - 1 degrees of
    # freedom; where n differs, that number has the same rank in its distribution.
    degrees, which = np.unique(n - 1.0, return_inverse=True)
    replications = values.shape[2]
    at_once = max(1, min(_DRAWS, _DRAWN_AT_ONCE // max(replications, n.size, 1)))
    for start in range(0, _DRAWS, at_once):
        size = min(at_once, _DRAWS - start)
        weights = _weights(rng, size, replications)
        rank = rng.random((size, 1))
        stretch = np.sqrt(degrees / chdtri(degrees, rank))[:, which.reshape(n.shape)] * wider
        noise = np.stack(
            [
                weights @ sums / (weights @ count)
                for sums, count in zip(deviations, counted, strict=True)
            ],
            axis=2,
        )
        drawn = mean + noise * stretch
        for metric, place, hours, replication in medians:
            here = np.maximum(_medians(hours, replication, weights), _SHORTEST_H)
            middle = max(mean[place, metric], _SHORTEST_H)
            ratio = np.log(here / middle) * stretch[:, place, metric]
            drawn[:, place, metric] = middle * np.exp(np.minimum(ratio, _LARGEST_LOGARITHM))
        yield drawn


def _weights(rng: np.random.Generator, draws: int, replications: int) -> FloatArray:
    return rng.standard_exponential((draws, replications))


def _pooled(
    metrics: Sequence[str], points: IntArray, incidents: Mapping[int, Restored]
) -> Iterator[tuple[int, int, Restored]]:
    """Yield places of metrics and points of which there are incidents, and these."""
    for metric, name in enumerate(metrics):
        if name in POOLED:
            for place, point in enumerate(points):
                if int(point) in incidents:
                    yield metric, place, incidents[int(point)]


def _incidents_of(restored: Restored, metric: str) -> tuple[FloatArray, IntArray]:
    """Return the incidents of a metric, the shortest first, and their replications."""
    counted = np.flatnonzero(POOLED[metric](restored))
    order = counted[np.argsort(restored.hours[counted], kind="stable")]
    return restored.hours[order], restored.replication[order]


def _medians(hours: FloatArray, replication: IntArray, weights: FloatArray) -> FloatArray:
    """Return the median over sorted incidents, for each weighting of the replications, (draws,).

    Between the incidents whose weights meet in the middle it is interpolated, so that with equal
    weights it is the median as everybody knows it.
    """
    # By incident and replication, how many incidents are shorter, with half of the incident itself.
    shorter = np.zeros((hours.size, weights.shape[1]))
    shorter[np.arange(hours.size), replication] = 1.0
    own = 0.5 * shorter
    shorter = shorter.cumsum(axis=0)
    middle = 0.5 * (weights @ shorter[-1])
    shorter -= own

    def beyond(incident: IntArray) -> FloatArray:
        """Return how far an incident of each draw lies beyond the middle of the weights."""
        found: FloatArray = np.einsum("dr,dr->d", weights, shorter[incident]) - middle
        return found

    # The first incident beyond the middle, of all draws at once by bisection.
    first, last = np.zeros(len(weights), np.intp), np.full(len(weights), hours.size - 1)
    while (first < last).any():
        between = (first + last) // 2
        is_beyond = beyond(between) >= 0.0
        last = np.where(is_beyond, between, last)
        first = np.where(is_beyond, first, np.minimum(between + 1, last))
    before = np.maximum(first - 1, 0)
    low, high = beyond(before), beyond(first)
    share = np.divide(-low, high - low, out=np.ones_like(low), where=high > low)
    medians: FloatArray = hours[before] + np.clip(share, 0.0, 1.0) * (hours[first] - hours[before])
    return medians
