"""Independent replications of one scenario, in parallel, and the intervals they support."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sim.log import Records
from sim.metrics import weekly_series
from sim.scenario.organization import Scenario
from sim.scenario.variants import with_settings

from .intervals import summarize
from .parallel import observe_all
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
    """

    scenario: Scenario
    seed: int
    runs: pd.DataFrame
    weekly: pd.DataFrame
    first: Run

    @property
    def records(self) -> Records:
        """The event tables of :attr:`first`, with their window and currency."""
        return self.first.records

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return mean, ci_low, ci_high and n of each metric over the replications.

        Args:
            confidence: probability with which an interval covers the true mean.

        Raises:
            ValueError: the confidence is not between 0 and 1.
        """
        if confidence == 0.95:
            return self._summary.copy()
        return summarize(self.runs, confidence)

    @cached_property
    def _summary(self) -> pd.DataFrame:
        """The summary that reports ask for dozens of times."""
        return summarize(self.runs)


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
    metrics, weekly, kept = zip(*observed, strict=True)
    first = kept[0]
    assert first is not None
    runs = pd.DataFrame(metrics, index=numbers)
    runs.insert(0, "replication", list(numbers))
    by_week: pd.DataFrame = pd.concat(weekly, keys=numbers, names=["replication"])
    return Study(scenario, settings.seed, runs, by_week.reset_index(), first)


def _observe(run: Run) -> tuple[pd.Series, pd.DataFrame, Run | None]:
    """Keep what a study needs of a replication; of the first one, everything."""
    weeks = weekly_series(run.tables, run.scenario.horizon_weeks)
    return run.metrics(), weeks, run if run.replication == 0 else None
