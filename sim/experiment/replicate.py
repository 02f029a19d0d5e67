"""Independent replications of one scenario, in parallel, and the intervals they support."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from sim.log import Records
from sim.metrics import weekly_series
from sim.metrics.restore import Restored, together
from sim.scenario.organization import Scenario
from sim.scenario.variants import with_settings

from .breakdowns import Breakdowns
from .parallel import observe_all
from .pooled import summary_of
from .resources import demand, refuse_too_large
from .run import Run
from .showing import Showing


@dataclass(frozen=True, repr=False)
class Study(Showing):
    """Replications of one scenario.

    Attributes:
        scenario: what was simulated.
        seed: root of all random numbers.
        runs: a row per replication: its number and its metrics.
        weekly: a row per replication and week: what happened when, warm-up included.
        first: replication 0 with its event tables.
        restored: the incidents restored in all of them, over which medians are taken; None if only
            the metrics are known.
        breakdowns: where time goes by step, role and cause, over all of them; None if only the
            metrics are known.
    """

    scenario: Scenario
    seed: int
    runs: pd.DataFrame
    weekly: pd.DataFrame
    first: Run
    restored: Restored | None = None
    breakdowns: Breakdowns | None = None

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
        observe,
        settings.n_jobs,
        progress,
    )
    return study_of(scenario, settings.seed, observed)


class Observed(NamedTuple):
    """The part of a replication that a study keeps."""

    metrics: "pd.Series[float]"
    weekly: pd.DataFrame
    restored: Restored
    breakdowns: Breakdowns
    run: Run | None
    """Everything, of the first replication."""


def study_of(scenario: Scenario, seed: int, observed: Sequence[Observed]) -> Study:
    """Return the study of replications 0, 1, ... of a scenario, given in their order."""
    first = observed[0].run
    assert first is not None
    numbers = range(len(observed))
    runs = pd.DataFrame([each.metrics for each in observed], index=numbers)
    runs.insert(0, "replication", list(numbers))
    by_week: pd.DataFrame = pd.concat(
        [each.weekly for each in observed], keys=numbers, names=["replication"]
    )
    return Study(
        scenario,
        seed,
        runs,
        by_week.reset_index(),
        first,
        together([each.restored for each in observed]),
        Breakdowns.together([each.breakdowns for each in observed]),
    )


def observe(run: Run) -> Observed:
    """Keep what a study needs of a replication; of the first one, everything."""
    weeks = weekly_series(run.tables, run.scenario.horizon_weeks)
    kept = run if run.replication == 0 else None
    return Observed(run.metrics(), weeks, run.restored(), run.breakdowns, kept)
