"""Many replications at once, of one scenario or of several, in worker processes."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import joblib

from sim.scenario.organization import Scenario

from .run import Run, simulate

Result = TypeVar("Result")
Progress = Callable[[int], None]


def observe_all(
    replications: Sequence[tuple[Scenario, int]],
    seed: int,
    observe: Callable[[Run], Result],
    n_jobs: int,
    progress: Progress | None = None,
) -> list[Result]:
    """Simulate all ``replications`` and return what ``observe`` makes of each, in their order.

    The result does not depend on ``n_jobs``.

    Args:
        replications: scenario and number of each replication.
        seed: root of all random numbers.
        observe: called with each run, in its worker; what it returns has to travel back, so that
            it should be small. A function of a module, which workers can import.
        n_jobs: parallel processes, -1 for one a core.
        progress: called with the number of replications done, each time one is.
    """
    work = [(scenario, seed, number, observe) for scenario, number in replications]
    return in_parallel(_observe, work, n_jobs, progress)


def _observe(
    scenario: Scenario, seed: int, replication: int, observe: Callable[[Run], Result]
) -> Result:
    return observe(simulate(scenario, seed, replication))


def in_parallel(
    function: Callable[..., Result],
    work: Sequence[tuple[Any, ...]],
    n_jobs: int,
    progress: Progress | None = None,
) -> list[Result]:
    """Return what ``function`` makes of each tuple of arguments in ``work``, in their order."""
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    with _workers_ignore_interrupts():
        outcomes = parallel(
            joblib.delayed(_numbered)(place, function, arguments)
            for place, arguments in enumerate(work)
        )
    done: dict[int, Result] = {}
    for place, result in outcomes:
        done[place] = result
        if progress is not None:
            progress(len(done))
    return [done[place] for place in range(len(work))]


def _numbered(
    place: int, function: Callable[..., Result], arguments: tuple[Any, ...]
) -> tuple[int, Result]:
    return place, function(*arguments)


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
