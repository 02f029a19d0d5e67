"""Results of a sweep: means, differences to the baseline, main effects, the best point."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from sim.metrics import catalogue
from sim.metrics.catalogue import headlines
from sim.metrics.restore import POOLED
from sim.scenario.errors import nearest
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants, of_a_table, shown

from .adaptive import Answer, answer, region_of
from .axes import Axis
from .designs import OWN_LUCK
from .holm import Adjustment, family_of_tests
from .intervals import Estimates, FloatArray, check_confidence
from .main_effects import MainEffect, main_effects
from .mix import Split, columns_of, split_metric
from .pareto import pareto_front
from .pooled import pooled_median
from .replay import replay
from .run import Run
from .scheduler import Failure
from .selection import Selection
from .sensitivity import sensitivity
from .showing import Showing
from .stopping import goal_of, selected, targets_of
from .store import ResultsError
from .sweep_arrays import dataset, long_table
from .sweep_record import Made
from .sweep_table import (
    INCIDENTS,
    by_point,
    paired_estimates,
    point_estimates,
    point_means,
    read_incidents,
    read_values,
    values_of,
)

if TYPE_CHECKING:
    import xarray as xr

IntArray = npt.NDArray[np.integer[Any]]

Reference = int | Mapping[str, object]
"""A point: its number, or values of keys that it has."""

COST = "cost_per_week"
"""The metric that the others are weighed against."""
_CONFIDENCE = 0.95


@dataclass(frozen=True, repr=False)
class Sweep(Showing):
    """The results of a sweep.

    Attributes:
        base: the scenario of the baseline, whose settings are those of the sweep.
        axes: what was varied.
        points: the values of the keys; a row per point (index `point`).
        baseline: the point that differences refer to.
        replications: how many each point has; 0 if it failed.
        failures: the points that could not be simulated.
        table: the replications, as Parquet.
        skipped: combinations that are no valid scenarios, and were left out.
        variants: the scenarios of the points; None if they are not known.
        made: how it was made; None if its folder does not say.
        remarks: what is missing in the folder that it was opened from.
    """

    base: Scenario
    axes: tuple[Axis, ...]
    points: pd.DataFrame
    baseline: int
    replications: IntArray
    failures: tuple[Failure, ...]
    table: pq.ParquetFile
    skipped: tuple[Failure, ...] = ()
    variants: Variants | None = None
    made: Made | None = None
    remarks: tuple[str, ...] = ()

    @property
    def design(self) -> str:
        """Which combinations of the values were looked at."""
        return self.base.design

    @property
    def seed(self) -> int:
        """Root of all random numbers."""
        return self.base.seed

    @property
    def runs(self) -> pd.DataFrame:
        """A row per point and replication: `point`, the swept keys, `replication`, the metrics."""
        names = [name for name in self.table.schema_arrow.names if name not in INCIDENTS]
        frame: pd.DataFrame = self.table.read(columns=names).to_pandas()
        return frame

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics."""
        names = list(map(str, self.table.schema_arrow.names))
        return [name for name in names[names.index("replication") + 1 :] if name not in INCIDENTS]

    @property
    def n_unstable(self) -> int:
        """The number of points with a replication whose work in progress kept growing."""
        if "unstable" not in self.metrics:
            return 0
        _, estimates = self._estimates(["unstable"])
        return int((estimates.mean > 0).sum())

    def summary(
        self, metrics: Sequence[str] | None = None, confidence: float = _CONFIDENCE
    ) -> pd.DataFrame:
        """Return the mean of each metric at each point, with its confidence interval.

        A median over incidents is that of the incidents of all replications of the point together,
        see :mod:`sim.experiment.pooled`.

        Args:
            metrics: which ones; by default all.
            confidence: probability with which an interval covers the true mean.

        Returns:
            A row per point and metric: `point`, the swept keys, `metric`, `mean`, `ci_low`,
            `ci_high` and `n`, the number of replications that have a value.

        Raises:
            ValueError: a metric is unknown, or the confidence is not between 0 and 1.
        """
        parts = list(self.summaries(metrics, confidence))
        if parts:
            return pd.concat(parts, ignore_index=True)
        nothing: dict[str, FloatArray | IntArray] = {
            name: np.empty(0) for name in ("mean", "ci_low", "ci_high", "n")
        }
        return self._framed(np.empty(0, np.int64), self._known(metrics), nothing)

    def summaries(
        self, metrics: Sequence[str] | None = None, confidence: float = _CONFIDENCE
    ) -> Iterator[pd.DataFrame]:
        """Yield :meth:`summary` in parts, some points at a time, for sweeps of any size."""
        check_confidence(confidence)
        names = self._known(metrics)
        for part in point_means(self.table, names, confidence):
            mean, low, high, number = part.means
            for place, name in enumerate(names):
                for row, restored in enumerate(part.restored if name in POOLED else ()):
                    if restored is not None:
                        n = int(part.replications[row])
                        pooled = pooled_median(restored, name, n, confidence)
                        mean[row, place], low[row, place], high[row, place] = pooled
                        number[row, place] = 0 if np.isnan(pooled.median) else n
            columns: dict[str, FloatArray | IntArray] = {
                "mean": mean.ravel(),
                "ci_low": low.ravel(),
                "ci_high": high.ravel(),
                "n": number.ravel(),
            }
            yield self._framed(part.points, names, columns)

    def effects(
        self,
        metrics: Sequence[str] | None = None,
        confidence: float = _CONFIDENCE,
        adjust: Adjustment = "holm",
        baseline: Reference | None = None,
        points: Sequence[Reference] | None = None,
    ) -> pd.DataFrame:
        """Return how the metrics of the other points differ from those of the baseline.

        Replications with the same number meet the same luck at all points, and are paired. All
        rows of the answer are one family of tests (of no difference).

        Args:
            metrics: which ones; by default :attr:`shown`.
            confidence: of the intervals.
            adjust: as for :meth:`sim.Comparison.differences`.
            baseline: what the others are compared to, see :meth:`number_of`; by default the
                baseline of the sweep.
            points: which others; by default all. The fewer, the less the adjustment costs.

        Returns:
            A row per point but the baseline, and metric: `point`, the swept keys, `metric`,
            `mean_baseline`, `mean`, `difference`, `ci_low`, `ci_high`, `p_value`, `adjusted_low`,
            `adjusted_high`, `adjusted_p_value` and `n`. None if the baseline failed.

        Raises:
            ValueError: a metric or an adjustment is unknown, or the confidence not between 0 and 1;
                there is no such point, or points do not share their luck.
        """
        check_confidence(confidence)
        names = self._headlines() if metrics is None else self._known(metrics)
        number = self.baseline if baseline is None else self._reference(baseline)
        wanted = None if points is None else {self.number_of(point) for point in points}
        reference = values_of(self.table, number, names)
        rows = [
            row
            for row in paired_estimates(self.table, names, reference)
            if len(reference) and row[0] != number and (wanted is None or row[0] in wanted)
        ]
        others = np.array([row[0] for row in rows], dtype=np.int64)
        empty: FloatArray = np.empty(0)
        means = [np.concatenate([empty, *(row[side] for row in rows)]) for side in (1, 2)]
        of_rows = [row[3] for row in rows]
        flat = Estimates(
            np.concatenate([empty, *(each.mean for each in of_rows)]),
            np.concatenate([empty, *(each.standard_error for each in of_rows)]),
            np.concatenate([np.empty(0, np.intp), *(each.n for each in of_rows)]),
        )
        return self._framed(
            others,
            names,
            {
                "mean_baseline": means[0],
                "mean": means[1],
                **family_of_tests(flat, confidence, adjust),
            },
        )

    def split(self, point: int, metric: str, confidence: float = _CONFIDENCE) -> Split | None:
        """Split the difference of a mean at a point to that at the baseline.

        Args and returns as for :meth:`sim.Comparison.split`; None also if one of them failed.
        """
        of = catalogue.metric(metric)
        if not of.groups:
            raise ValueError(f"the metric '{metric}' has no groups")
        columns = columns_of(of)
        if not set(columns) <= set(self.metrics):
            return None
        first, other = (values_of(self.table, each, columns) for each in (self.baseline, point))
        n = min(len(first), len(other))
        return split_metric(of, first[:n], other[:n], confidence) if n else None

    def metric_values(self, metric: str) -> FloatArray:
        """Return a metric of the replications that all points have, (points, replications).

        NaN where it is unknown and at points that failed. Of a median over incidents, it is what
        the replication contributes to it.

        Raises:
            ValueError: the metric is unknown.
        """
        (name,) = self._known([metric])
        there = self.replications[self.replications > 0]
        common = int(there.min()) if there.size else 0
        return by_point(self.table, name, len(self.points), common)

    def main_effects(self, metric: str, confidence: float = _CONFIDENCE) -> list[MainEffect]:
        """Return how far each key moves a metric on its own, the one that does most first.

        Args:
            metric: which one.
            confidence: of the intervals.

        Returns:
            What :func:`sim.experiment.main_effects.main_effects` returns; nothing for the designs
            `zip`, `sobol` and `morris`.

        Raises:
            ValueError: the metric is unknown, or the confidence not between 0 and 1.
        """
        check_confidence(confidence)
        return main_effects(
            self.design, self.axes, self.points, self.metric_values(metric), confidence
        )

    def sensitivity(self, metrics: Sequence[str] | None = None) -> pd.DataFrame | None:
        """Return which key matters most for each metric.

        None unless the design is for that, and if every point failed.

        Args:
            metrics: which ones; by default :attr:`shown`.

        Returns:
            What :func:`sim.experiment.sensitivity.sensitivity` returns for the means of the points.
        """
        if self.base.design not in ("sobol", "morris"):
            return None
        names = self._headlines() if metrics is None else self._known(metrics)
        if not names:
            return None
        points, estimates = self._estimates(names)
        means = pd.DataFrame(estimates.mean, index=points, columns=names)
        return sensitivity(
            self.axes,
            self.base.design,
            self.base.samples,
            self.seed,
            means.reindex(range(len(self.points))),
        )

    @property
    def selection(self) -> Selection | None:
        """The best point, by the setting `select`; None without it, and if every point failed."""
        there = int((self.replications > 0).sum())
        if self.base.select is None or there == 0:
            return None
        wish = self.base.select
        names = goal_of(wish).metrics
        runs = self.table.read(columns=["point", "replication", *names]).to_pandas()
        return selected(wish, self.base, there, runs, read_incidents(self.table, names))

    @property
    def precision(self) -> pd.DataFrame | None:
        """How precise the points are, against the setting `precision`; None without it.

        Returns:
            A row per point (but the baseline, if differences are meant) and metric: `point`, the
            swept keys, `metric`, `mean` (or difference), `half_width` (half of what lies between
            the ends of its 95 % interval), `target` (how large that may be), `reached`, and `n`.
        """
        spec = self.base.precision
        if spec is None or not self.metrics:
            return None
        targets = {target.metric: target for target in targets_of(spec)}
        rows = (
            self.summary(list(targets))
            if spec.of == "points"
            else self.effects(list(targets)).rename(columns={"mean": "_", "difference": "mean"})
        )
        half_width = (rows["ci_high"] - rows["ci_low"]) / 2.0
        target = [
            targets[metric].allowed(mean)
            for metric, mean in zip(rows["metric"], rows["mean"], strict=True)
        ]
        keys = [axis.key for axis in self.axes]
        return rows[["point", *keys, "metric", "mean"]].assign(
            half_width=half_width, target=target, reached=half_width <= target, n=rows["n"]
        )

    @property
    def answer(self) -> Answer | None:
        """What an adaptive sweep answers; None for other designs, and if every point failed."""
        spec = self.base.adaptive
        if self.design != "adaptive" or spec is None or not self.metrics:
            return None
        there = [name for name in spec.metrics if name in self.metrics]
        runs = read_values(self.table, there)
        runs = runs.reindex(columns=["point", *spec.metrics])
        of_points = {int(str(point)): rows for point, rows in runs.groupby("point")}
        none = runs.iloc[:0]
        values = {
            name: [of_points.get(point, none)[name].to_numpy() for point in self.points.index]
            for name in spec.metrics
        }
        keys = [axis.key for axis in self.axes]
        points = list(self.points[keys].itertuples(index=False, name=None))
        return answer(spec, region_of(self.axes), points, values, self.seed)

    def pareto(self, metric: str, cost: str = COST, largest: bool | None = None) -> pd.DataFrame:
        """Return the points that no other point beats in both a metric and the cost.

        Args:
            metric: the metric.
            cost: what it is weighed against; the less of it the better.
            largest: more of the metric is better; by default as the catalogue of metrics says.

        Returns:
            A row per point on the front, from the cheapest on: `point`, the swept keys, and the
            means of both.
        """
        names = self._known([cost, metric])
        if largest is None:
            largest = catalogue.metric(metric).better == "more"
        points, estimates = self._estimates(names)
        front = pareto_front(estimates.mean, [False, largest])
        frame = pd.DataFrame(estimates.mean[front], columns=names)
        frame.insert(0, "point", points[front])
        for place, axis in enumerate(self.axes):
            frame.insert(1 + place, axis.key, self.points[axis.key].to_numpy()[points[front]])
        return frame.sort_values([cost, "point"], ignore_index=True)

    def number_of(self, point: Reference) -> int:
        """Return the number of a point.

        Args:
            point: its number, or values of keys that it has: ``{"automation": 0.5}`` is the first
                point with this automation.

        Raises:
            ValueError: there is no such point.
        """
        if isinstance(point, Mapping):
            for key in point:
                if key not in self.points:
                    raise ValueError(
                        f"'{key}' is not swept; {nearest(key, list(map(str, self.points)))}"
                    )
            wanted = {key: of_a_table(value) for key, value in point.items()}
            for number, values in zip(
                self.points.index, self.points[list(wanted)].itertuples(index=False), strict=True
            ):
                if all(map(_same, values, wanted.values())):
                    return int(number)
            named = " ".join(f"{key}={shown(value)}" for key, value in point.items())
            raise ValueError(f"no point has {named}")
        if not 0 <= point < len(self.points):
            raise ValueError(f"there is no point {point}; the last is {len(self.points) - 1}")
        return int(point)

    def with_baseline(self, point: Reference) -> Self:
        """Return this sweep with another point that differences, figures and reports refer to.

        Args:
            point: see :meth:`number_of`.

        Raises:
            ValueError: there is no such point, or points do not share their luck.
        """
        number = self._reference(point)
        base = self.base if self.variants is None else self.variants.scenario(number)
        # As Python's own numbers, which a scenario can write down.
        values = {axis.key: self.points[axis.key].tolist()[number] for axis in self.axes}
        return replace(self, baseline=number, base=base.model_copy(update={"baseline": values}))

    def long(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the replications in long format.

        Args:
            metrics: which ones; by default all.

        Returns:
            A row per point, replication and metric: `point`, the swept keys, `replication`,
            `metric` and `value`, which is NaN where a replication has no such metric.

        Raises:
            ValueError: a metric is unknown.
        """
        return long_table(self.table, list(map(str, self.points)), self._known(metrics))

    def to_xarray(self, metrics: Sequence[str] | None = None) -> "xr.Dataset":
        """Return the replications as arrays with named dimensions; needs the extra ``xarray``.

        Args:
            metrics: which ones; by default all.

        Returns:
            A variable per metric. The dimensions are the swept keys and `replication` if the points
            are all combinations of the values; otherwise `point` and `replication`, and the keys
            are coordinates of the points. NaN where there is no such replication or metric.

        Raises:
            ValueError: a metric is unknown.
            ImportError: xarray is not installed.
        """
        return dataset(
            self.table, self.points, [axis.key for axis in self.axes], self._known(metrics)
        )

    def replay(self, point: Reference, replication: int) -> Run:
        """Simulate one of the replications again, for its event tables.

        A warning says if its metrics are not those that the sweep has.

        Args:
            point: see :meth:`number_of`.
            replication: its number.

        Raises:
            ValueError: there is no such point or replication.
            ResultsError: the scenario of the point is not known or is not valid any more.
        """
        number = self.number_of(point)
        there = int(self.replications[number])
        if not 0 <= replication < there:
            last = f"the last is {there - 1}" if there else "it has none"
            raise ValueError(f"point {number} has no replication {replication}; {last}")
        if self.variants is None:
            raise ResultsError("the folder does not have the scenarios of the points")
        run, difference = replay(self.variants, self.table, self.made, number, replication)
        if difference:
            warnings.warn(difference, stacklevel=2)
        return run

    def label(self, point: int) -> str:
        """Return the overrides that make the scenario of a point."""
        return " ".join(f"{a.key}={shown(self.points[a.key].iloc[point])}" for a in self.axes)

    def _reference(self, point: Reference) -> int:
        """Return the number of a point that others are to be compared to."""
        if self.design in OWN_LUCK:
            raise ValueError(f"points of design={self.design} do not share their luck")
        return self.number_of(point)

    @cached_property
    def shown(self) -> list[str]:
        """The metrics that effects, figures and tables are about, by the setting `metrics`.

        By default those are the four of DORA, and cost if anything has a price.
        """
        if self.base.metrics:
            return list(dict.fromkeys(self.base.metrics))
        priced = COST in self.metrics and bool((self._estimates([COST])[1].mean > 0.0).any())
        return [*headlines(), *([COST] if priced else [])]

    def _headlines(self) -> list[str]:
        return [name for name in self.shown if name in self.metrics]

    def _known(self, metrics: Sequence[str] | None) -> list[str]:
        known = self.metrics
        if metrics is None:
            return known
        for name in metrics:
            if name not in known:
                raise ValueError(f"unknown metric '{name}'; {nearest(name, known)}")
        return list(metrics)

    def _estimates(self, metrics: Sequence[str]) -> tuple[IntArray, Estimates]:
        """Return the points that have replications, and their estimates, (points, metrics)."""
        parts = list(point_estimates(self.table, metrics))
        if not parts:
            nothing = np.empty((0, len(metrics)))
            return np.empty(0, np.int32), Estimates(nothing, nothing, nothing.astype(np.intp))
        return np.concatenate([points for points, _ in parts]), Estimates(
            np.vstack([each.mean for _, each in parts]),
            np.vstack([each.standard_error for _, each in parts]),
            np.vstack([each.n for _, each in parts]),
        )

    def _framed(
        self, points: IntArray, names: Sequence[str], columns: Mapping[str, FloatArray | IntArray]
    ) -> pd.DataFrame:
        """Return a frame with a row for each point and metric, and what they are in front."""
        places = np.repeat(points, len(names))
        frame = pd.DataFrame({"point": places})
        for axis in self.axes:
            frame[axis.key] = self.points[axis.key].to_numpy()[places]
        frame["metric"] = np.tile(np.array(names, dtype=object), len(points))
        for name, column in columns.items():
            frame[name] = column
        return frame


def _same(one: object, other: object) -> bool:
    """Return whether two values are the same: `true` is equal to 1, and is not the same."""
    booleans = [isinstance(value, bool | np.bool_) for value in (one, other)]
    return booleans[0] == booleans[1] and bool(one == other)
