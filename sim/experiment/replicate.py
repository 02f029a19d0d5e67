"""Independent replications of one scenario, in parallel, and the intervals they support."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sim.log import Records
from sim.metrics import weekly_series
from sim.scenario.organization import Scenario

from .intervals import summarize
from .parallel import observe_all
from .resources import demand, refuse_too_large
from .run import Run, checked_seed


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
        """What reports ask for dozens of times."""
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
        n_jobs: parallel processes, -1 for one a core; by default the scenario's.
        progress: called with the number of replications done, each time one is.

    Raises:
        ScenarioError: it would not fit into memory, and `allow_large` is not set.
        ValueError: there are no replications or no processes, or the seed is negative.
    """
    replications = checked_replications(scenario, replications)
    seed = checked_seed(scenario, seed)
    n_jobs = checked_jobs(scenario, n_jobs)
    wanted = demand([(scenario, replications)], n_jobs, keeps_weeks=True)
    refuse_too_large(wanted, scenario.allow_large)
    numbers = range(replications)
    observed = observe_all(
        [(scenario, number) for number in numbers], seed, _observe, n_jobs, progress
    )
    metrics, weekly, kept = zip(*observed, strict=True)
    first = kept[0]
    assert first is not None
    runs = pd.DataFrame(metrics, index=numbers)
    runs.insert(0, "replication", list(numbers))
    by_week: pd.DataFrame = pd.concat(weekly, keys=numbers, names=["replication"])
    return Study(scenario, seed, runs, by_week.reset_index(), first)


def checked_replications(scenario: Scenario, replications: int | None) -> int:
    """Return ``replications``, or those of ``scenario`` without such a number.

    Raises:
        ValueError: there are none.
    """
    if replications is not None and replications < 1:
        raise ValueError(f"replications is {replications}; at least 1 is needed")
    return scenario.replications if replications is None else replications


def checked_jobs(scenario: Scenario, n_jobs: int | None) -> int:
    """Return ``n_jobs``, or that of ``scenario`` without such a number.

    Raises:
        ValueError: it is no number of processes.
    """
    if n_jobs is not None and n_jobs < 1 and n_jobs != -1:
        raise ValueError(f"n_jobs is {n_jobs}; give a number of processes, or -1 for one per core")
    return scenario.n_jobs if n_jobs is None else n_jobs


def _observe(run: Run) -> tuple[pd.Series, pd.DataFrame, Run | None]:
    """Keep what a study needs of a replication; of the first one, everything."""
    weeks = weekly_series(run.tables, run.scenario.horizon_weeks)
    return run.metrics(), weeks, run if run.replication == 0 else None
