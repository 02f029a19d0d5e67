"""Sweeps made by hand: what a report on a sweep needs, with numbers whose story is known."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

import sim
from sim.experiment.axes import Axis, Interval
from sim.experiment.holm import family_of_tests
from sim.experiment.intervals import estimate, interval
from sim.experiment.main_effects import main_effects
from sim.experiment.mix import Split
from sim.experiment.sweep_record import Made
from sim.metrics.catalogue import headlines
from sim.scenario.organization import Scenario

BASE = sim.load("replications=20")
METRICS = (*headlines(), "cost_per_week")


@dataclass(frozen=True)
class Failure:
    """A point that could not be simulated."""

    point: int
    overrides: str
    error: str


@dataclass(frozen=True)
class FakeSweep:
    """What the report reads of a sweep; `values` is (points, replications, metrics)."""

    axes: tuple[Axis, ...]
    points: pd.DataFrame
    values: np.ndarray
    design: str = "grid"
    baseline: int = 0
    indices: pd.DataFrame | None = None
    selection: object = None
    precision: pd.DataFrame | None = None
    answer: object = None
    failures: Sequence[Failure] = ()
    skipped: Sequence[Failure] = ()
    n_unstable: int = 0
    seed: int = 7
    splits: Mapping[tuple[int, str], Split] = field(default_factory=dict)
    base: Scenario = field(default_factory=lambda: BASE)
    made: Made | None = None
    remarks: Sequence[str] = ()

    @property
    def replications(self):
        """Return how many each point has."""
        return np.full(len(self.points), self.values.shape[1])

    @property
    def metrics(self):
        """Return the names of the metrics."""
        return list(METRICS)

    def metric_values(self, metric):
        """Return a metric of all replications, NaN where a point failed."""
        values = self.values[:, :, METRICS.index(metric)].copy()
        values[[failure.point for failure in self.failures]] = np.nan
        return values

    def main_effects(self, metric):
        """Return the main effects of the axes."""
        return main_effects(self.design, self.axes, self.points, self.metric_values(metric))

    @property
    def shown(self):
        """Return the metrics that are shown."""
        return list(METRICS) if np.nanmax(self.values[:, :, -1], initial=0.0) > 0 else headlines()

    def summary(self, metrics=None):
        """Return mean and interval of each point and metric."""
        frames = []
        for number, metric in enumerate(METRICS):
            if metrics is not None and metric not in metrics:
                continue
            estimates = estimate(self.values[:, :, number].T)
            low, high = interval(estimates, 0.95)
            frames.append(
                self.points.reset_index().assign(
                    metric=metric, mean=estimates.mean, ci_low=low, ci_high=high, n=estimates.n
                )
            )
        # Failed points have no rows.
        failed = [failure.point for failure in self.failures]
        frame = pd.concat(frames).sort_values("point", kind="stable")
        return frame[~frame["point"].isin(failed)]

    def effects(self):
        """Return paired differences to the baseline, one family of Holm."""
        others = [n for n in range(len(self.points)) if n != self.baseline]
        differences = (self.values[others] - self.values[self.baseline])[:, :, : len(self.shown)]
        estimates = estimate(differences.transpose(1, 0, 2).reshape(self.values.shape[1], -1))
        where = pd.MultiIndex.from_product([others, self.shown], names=["point", "metric"])
        frame = pd.DataFrame(family_of_tests(estimates, 0.95), index=where)
        return frame.reset_index().merge(self.points.reset_index(), on="point")

    def split(self, point, metric):
        """Return what is mix at a point, None if nobody knows."""
        return self.splits.get((point, metric))

    def sensitivity(self):
        """Return the table of indices."""
        return self.indices


def response(points: pd.DataFrame, replications: int, seed: int = 1) -> np.ndarray:
    """Return metrics that follow the first two columns, the other columns a little.

    All points share the luck of their replications. Words count by their order.
    """
    rng = np.random.default_rng(seed)
    numbers = np.column_stack(
        [
            points[key].to_numpy(dtype=float) / max(points[key].max(), 1.0)
            if pd.api.types.is_numeric_dtype(points[key])
            else pd.factorize(points[key])[0] / max(points[key].nunique() - 1, 1)
            for key in points
        ]
    )
    first = numbers[:, 0]
    second = numbers[:, 1] if numbers.shape[1] > 1 else np.full(len(points), 0.3)
    rest = numbers[:, 2:].mean(axis=1) if numbers.shape[1] > 2 else np.full(len(points), 0.5)
    luck = rng.normal(0.0, 1.0, (1, replications, 5))
    own = rng.normal(0.0, 1.0, (len(points), replications, 5))
    noise = np.exp(0.06 * luck + 0.04 * own)
    means = np.stack(
        [
            0.10 + 0.25 * first * (0.5 + 0.5 * second) + 0.03 * rest,
            290.0 * np.exp(-1.4 * first - 0.5 * first * second) + 20.0 * (1 - rest),
            0.30 - 0.02 * first - 0.16 * second,
            36.0 - 1.0 * first - 9.0 * second - 2 * rest,
            95e3 + 9e3 * first + 14e3 * second**2 + 2e3 * rest,
        ],
        axis=-1,
    )
    return means[:, None, :] * noise


def grid(replications: int = 20, **axes: Sequence[object]) -> FakeSweep:
    """Return a grid over some keys; two underscores stand for the slash of a group."""
    keys = [key.replace("__", "/") for key in axes]
    points = pd.DataFrame(list(itertools.product(*axes.values())), columns=keys)
    points.index.name = "point"
    return FakeSweep(
        tuple(Axis(key, tuple(values)) for key, values in zip(keys, axes.values(), strict=True)),
        points,
        response(points, replications),
    )


def sample(design: str, number: int, keys: Sequence[str], replications: int = 10) -> FakeSweep:
    """Return a sampled design over intervals from 0 to 1."""
    rng = np.random.default_rng(3)
    points = pd.DataFrame(rng.uniform(size=(number, len(keys))), columns=list(keys))
    points.index.name = "point"
    axes = tuple(Axis(key, Interval(0.0, 1.0)) for key in keys)
    indices = None
    strength = np.array([0.7, 0.3, 0.04, 0.01, 0.0, 0.0])[: len(keys)]
    where = pd.MultiIndex.from_product([headlines(), keys], names=["metric", "key"])
    size = np.repeat([0.2, 200.0, 0.15, 12.0], len(keys)) if design == "morris" else 1.0
    both = np.tile(strength, len(headlines())) * size
    if design == "sobol":
        indices = pd.DataFrame(
            {
                "first": 0.8 * both,
                "first_low": 0.7 * both,
                "first_high": 0.9 * both,
                "total": both,
                "total_low": 0.85 * both - 0.01,
                "total_high": 1.15 * both + 0.01,
            },
            index=where,
        )
    if design == "morris":
        sign = np.tile([1.0, -1.0, 0.3, 0.0, 0.0, 0.0][: len(keys)], len(headlines()))
        indices = pd.DataFrame(
            {
                "mu_star": both,
                "mu_star_low": 0.8 * both,
                "mu_star_high": 1.2 * both,
                "mu": sign * both,
                "sigma": 0.3 * both,
            },
            index=where,
        )
    return FakeSweep(axes, points, response(points, replications), design, indices=indices)


def without(sweep: FakeSweep, metric: str) -> FakeSweep:
    """Return the sweep with a metric that is NaN everywhere."""
    values = sweep.values.copy()
    values[:, :, METRICS.index(metric)] = np.nan
    return replace(sweep, values=values)


def with_failure(sweep: FakeSweep, point: int) -> FakeSweep:
    """Return the sweep with a point that could not be simulated."""
    values = sweep.values.copy()
    values[point] = np.nan
    failure = Failure(point, "automation=0.5", "MemoryError: <no> more memory & none to come")
    return replace(sweep, values=values, failures=[failure])
