"""Independent replications of one scenario, in parallel, and the intervals they support."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sim.log import Records
from sim.metrics import weekly_series
from sim.metrics.restore import Restored, together
from sim.scenario.organization import Scenario
from sim.scenario.variants import with_settings

from .parallel import observe_all
from .pooled import summary_of
from .resources import demand, refuse_too_large
from .run import Run


@dataclass(frozen=True)
class Study:
    """Replications of one scenario.

    Attributes:
        scenario: what was simulated.
        seed: root of all random numbers.
        runs: a row per replication: its number and its metrics.
        weekly: a row per replication and week: what happened when, warm-up included.
        first: replication 0 with its event tables.
        restored: the incidents restored in all of them, over which medians are taken; None if only
            the metrics are known.
    """

    scenario: Scenario
    seed: int
    runs: pd.DataFrame
    weekly: pd.DataFrame
    first: Run
    restored: Restored | None = None

    @property
    def records(self) -> Records:
        """The event tables of :attr:`first`, with their window and currency."""
        return self.first.records

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return mean, ci_low, ci_high and n of each metric over the replications.

        A median over incidents is that of the incidents of all replications together, see
        :mod:`sim.experiment.pooled`.

        Args:
            confidence: probability with which an interval covers the true mean.

        Raises:
            ValueError: the confidence is not between 0 and 1.
        """
        if confidence == 0.95:
            return self._summary.copy()
        return summary_of(self.runs, self.restored, confidence)

    @cached_property
    def _summary(self) -> pd.DataFrame:
        """The summary that reports ask for dozens of times."""
        return summary_of(self.runs, self.restored, 0.95)


def replicate(
    scenario: Scenario,
    replications: int | None = None,
    seed: int | None = None,
    n_jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Study:
    """Simulate independent replications of ``scenario``.

    The result does not depend on ``n_jobs``.

    Args:
        scenario: what :func:`sim.load` returned.
        replications: how many; by default the scenario's.
        seed: root of all random numbers; by default the scenario's.
        n_jobs: parallel processes; -1 uses one per core; by default the scenario's.
        progress: called with the number of replications done, each time one is.

    Raises:
        ScenarioError: a number is not allowed, or the tables would not fit into memory and
            `allow_large` is not set.
    """
    settings = with_settings(scenario, replications=replications, seed=seed, n_jobs=n_jobs)
    wanted = demand([(scenario, settings.replications)], settings.n_jobs, keeps_weeks=True)
    refuse_too_large(wanted, scenario.allow_large)
    numbers = range(settings.replications)
    observed = observe_all(
        [(scenario, number) for number in numbers],
        settings.seed,
        _observe,
        settings.n_jobs,
        progress,
    )
    metrics, weekly, restored, kept = zip(*observed, strict=True)
    first = kept[0]
    assert first is not None
    runs = pd.DataFrame(metrics, index=numbers)
    runs.insert(0, "replication", list(numbers))
    by_week: pd.DataFrame = pd.concat(weekly, keys=numbers, names=["replication"])
    incidents = together(restored)
    return Study(scenario, settings.seed, runs, by_week.reset_index(), first, incidents)


def _observe(run: Run) -> tuple[pd.Series, pd.DataFrame, Restored, Run | None]:
    """Keep what a study needs of a replication; of the first one, everything."""
    weeks = weekly_series(run.tables, run.scenario.horizon_weeks)
    kept = run if run.replication == 0 else None
    return run.metrics(), weeks, run.restored(), kept
