"""Paired comparisons: scenarios that meet the same luck, and their differences to the first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sim.metrics import catalogue
from sim.metrics.restore import Restored, together
from sim.scenario.errors import nearest
from sim.scenario.organization import Scenario
from sim.scenario.variants import with_settings

from .holm import Adjustment, family_of_tests
from .intervals import FloatArray, check_confidence, estimate
from .mix import Split, columns_of, split_metric
from .parallel import observe_all
from .pooled import summary_of, with_contributions
from .resources import demand, refuse_too_large
from .run import Run
from .showing import Showing


@dataclass(frozen=True, repr=False)
class Comparison(Showing):
    """Scenarios simulated with common random numbers.

    Attributes:
        scenarios: what was simulated, by the name of its arm; differences are to the first.
        seed: root of all random numbers.
        runs: a row per arm and replication: `arm`, `replication` and the metrics. What only one
            arm has, such as the utilization of a role, is NaN in the others.
        restored: by arm, the incidents restored in its replications, over which medians are taken;
            None if only the metrics are known.
    """

    scenarios: Mapping[str, Scenario]
    seed: int
    runs: pd.DataFrame
    restored: Mapping[str, Restored] | None = None

    def summary(self, arm: str, confidence: float = 0.95) -> pd.DataFrame:
        """Return what :meth:`sim.Study.summary` does, of one arm."""
        runs = self.runs[self.runs["arm"] == arm].drop(columns="arm")
        return summary_of(runs, None if self.restored is None else self.restored[arm], confidence)

    def differences(
        self,
        confidence: float = 0.95,
        metrics: Sequence[str] | None = None,
        adjust: Adjustment = "holm",
        reference: str | None = None,
    ) -> pd.DataFrame:
        """Return how the metrics of the other arms differ from those of the first.

        Replication k of one arm is paired with replication k of the other; the interval is
        Student's for the mean of these differences. A median over incidents is that of all
        replications together, and the differences are of what each contributes to it
        (:func:`sim.experiment.pooled.contributions`). All rows of the answer are one family of
        tests (of no difference), so the fewer metrics are asked for, the less the adjustment costs.

        Args:
            confidence: of the intervals; 1 - confidence is the probability of any wrong claim of a
                difference that is put up with.
            metrics: which ones; by default all, also those of which nothing is expected.
            adjust: ``"holm"``, see :mod:`sim.experiment.holm` for what its intervals promise;
                ``"none"``.
            reference: the arm that takes the place of the first; by default the first.

        Returns:
            A row per arm but the first and metric (index `arm`, `metric`). `mean_first`, `mean` and
            `difference` (mean - mean_first) over the pairs in which both are known, of which there
            are `n`; `ci_low`, `ci_high` and `p_value` for this row alone; `adjusted_low`,
            `adjusted_high` and `adjusted_p_value` in view of all rows. NaN for n < 2.

        Raises:
            ValueError: a metric, an arm or an adjustment is unknown, or the confidence not between
                0 and 1.
        """
        check_confidence(confidence)
        known = self._metrics
        names = list(known) if metrics is None else list(metrics)
        for name in names:
            if name not in known:
                raise ValueError(f"unknown metric '{name}'; {nearest(name, known)}")
        first = next(iter(self.scenarios)) if reference is None else reference
        if first not in self.scenarios:
            raise ValueError(f"there is no arm '{first}'; {nearest(first, list(self.scenarios))}")
        others = [arm for arm in self.scenarios if arm != first]
        # A column for each row of the answer: the metrics of one arm after the other.
        of_first = np.tile(self._values(first, names), len(others))
        of_other = np.hstack([self._values(arm, names) for arm in others])
        differences = of_other - of_first
        paired = ~np.isnan(differences)
        return pd.DataFrame(
            {
                "mean_first": estimate(np.where(paired, of_first, np.nan)).mean,
                "mean": estimate(np.where(paired, of_other, np.nan)).mean,
                **family_of_tests(estimate(differences), confidence, adjust),
            },
            index=pd.MultiIndex.from_product([others, names], names=["arm", "metric"]),
        )

    def split(self, arm: str, metric: str, confidence: float = 0.95) -> Split | None:
        """Split the difference of an arm's mean to that of the first, see :mod:`.mix`.

        Args:
            arm: the other one.
            metric: a mean that the catalogue gives groups: `lead_time_mean_h` by kind of change,
                `time_to_restore_mean_h` by cause.
            confidence: of the intervals.

        Returns:
            None if the runs lack the metrics of the groups.

        Raises:
            ValueError: the metric has no groups.
        """
        of = catalogue.metric(metric)
        if not of.groups:
            raise ValueError(f"the metric '{metric}' has no groups")
        columns = columns_of(of)
        if not set(columns) <= self._metrics.keys():
            return None
        first = self._values(next(iter(self.scenarios)), columns)
        other = self._values(arm, columns)
        n = min(len(first), len(other))
        return split_metric(of, first[:n], other[:n], confidence)

    def _values(self, arm: str, names: Sequence[str]) -> FloatArray:
        """Return the metrics of an arm, (replications, metrics)."""
        return self._by_arm[arm][:, [self._metrics[name] for name in names]]

    @cached_property
    def _metrics(self) -> dict[str, int]:
        """The names of the metrics, and their places among them."""
        names = [str(name) for name in self.runs.columns if name not in ("arm", "replication")]
        return {name: place for place, name in enumerate(names)}

    @cached_property
    def _by_arm(self) -> dict[str, FloatArray]:
        """All metrics of each arm, (replications, metrics): a page asks for some of them often.

        Of a median over incidents, what each replication contributes to it.
        """
        runs = self.runs.sort_values("replication", kind="stable")
        values = runs[list(self._metrics)].to_numpy(dtype=np.float64)
        arms = runs["arm"].to_numpy()
        return {
            arm: with_contributions(
                values[arms == arm],
                list(self._metrics),
                None if self.restored is None else self.restored[arm],
            )
            for arm in self.scenarios
        }


def compare(
    scenarios: Mapping[str, Scenario],
    replications: int | None = None,
    seed: int | None = None,
    n_jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Simulate several scenarios with common random numbers and compare the others to the first.

    Replication k of every scenario draws from the same streams, so that what differs between them
    is what the scenarios make of the same luck, and differences are known better than the metrics
    themselves. The result does not depend on ``n_jobs``.

    Args:
        scenarios: at least two, by the name of their arm, the reference first.
        replications: how many of each; by default those of the first scenario.
        seed: root of all random numbers; by default that of the first scenario.
        n_jobs: parallel processes; -1 uses one per core; by default those of the first scenario.
        progress: called with the number of replications done, over all arms, each time one is.

    Raises:
        ScenarioError: a number is not allowed, or the runs would not fit into memory and
            `allow_large` is not set.
        ValueError: there are fewer than two scenarios.
    """
    if len(scenarios) < 2:
        raise ValueError("a comparison needs at least two scenarios")
    first = next(iter(scenarios.values()))
    settings = with_settings(first, replications=replications, seed=seed, n_jobs=n_jobs)
    each = [(scenario, settings.replications) for scenario in scenarios.values()]
    wanted = demand(each, settings.n_jobs)
    refuse_too_large(wanted, all(scenario.allow_large for scenario in scenarios.values()))
    work = [(arm, number) for arm in scenarios for number in range(settings.replications)]
    observed = observe_all(
        [(scenarios[arm], number) for arm, number in work],
        settings.seed,
        _observe,
        settings.n_jobs,
        progress,
    )
    runs = pd.DataFrame([metrics for metrics, _ in observed], index=range(len(work)))
    runs.insert(0, "arm", [arm for arm, _ in work])
    runs.insert(1, "replication", [number for _, number in work])
    restored = {
        arm: together(
            [each for (of, _), (_, each) in zip(work, observed, strict=True) if of == arm]
        )
        for arm in scenarios
    }
    return Comparison(dict(scenarios), settings.seed, runs, restored)


def _observe(run: Run) -> "tuple[pd.Series[float], Restored]":
    return run.metrics(), run.restored()
