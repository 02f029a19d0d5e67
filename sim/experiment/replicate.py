"""Independent replications of one scenario, in parallel, and the intervals they support."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import joblib
import pandas as pd

from sim.metrics import weekly_series
from sim.scenario.organization import Scenario

from .intervals import summarize
from .run import Run, simulate


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

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return mean, ci_low, ci_high and n of each metric over the replications."""
        return summarize(self.runs, confidence)


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
    """
    replications = scenario.replications if replications is None else replications
    seed = scenario.seed if seed is None else seed
    n_jobs = scenario.n_jobs if n_jobs is None else n_jobs
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    with _workers_ignore_interrupts():
        outcomes = parallel(
            joblib.delayed(_observe)(scenario, seed, number) for number in range(replications)
        )
    metrics: dict[int, pd.Series] = {}
    weekly: dict[int, pd.DataFrame] = {}
    first: Run | None = None
    for number, values, weeks, run in outcomes:
        metrics[number], weekly[number] = values, weeks
        first = run or first
        if progress is not None:
            progress(len(metrics))
    assert first is not None
    numbers = range(replications)
    runs = pd.DataFrame([metrics[number] for number in numbers], index=numbers)
    runs.insert(0, "replication", list(numbers))
    by_week = pd.concat([weekly[number] for number in numbers], keys=numbers, names=["replication"])
    return Study(scenario, seed, runs, by_week.reset_index(), first)


@contextmanager
def _workers_ignore_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C while worker processes are started, which inherit that for good.

    A terminal sends it to all processes, and each worker would print a traceback. It is for the
    parent to stop them.
    """
    if threading.current_thread() is not threading.main_thread():  # may not handle signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _observe(
    scenario: Scenario, seed: int, replication: int
) -> tuple[int, pd.Series, pd.DataFrame, Run | None]:
    """Simulate one replication and keep what a study needs; of the first one, everything."""
    run = simulate(scenario, seed, replication)
    weeks = weekly_series(run.tables, scenario.horizon_weeks)
    return replication, run.metrics(), weeks, run if replication == 0 else None
