"""Many replications at once, of one scenario or of several, in worker processes."""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from typing import Any, TypeVar

from sim.scenario.organization import Scenario

from .engines import EngineError, cores, engine
from .run import Run, simulate_unchecked

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
        n_jobs: parallel processes; -1 uses one per core.
        progress: called with the number of replications done, each time one is.
    """
    work = [(scenario, seed, number, observe) for scenario, number in replications]
    return in_parallel(_observe, work, n_jobs, progress)


def _observe(
    scenario: Scenario, seed: int, replication: int, observe: Callable[[Run], Result]
) -> Result:
    return observe(simulate_unchecked(scenario, seed, replication))


def in_parallel(
    function: Callable[..., Result],
    work: Sequence[tuple[Any, ...]],
    n_jobs: int,
    progress: Progress | None = None,
) -> list[Result]:
    """Return what ``function`` makes of each tuple of arguments in ``work``, in their order.

    With one process, or one piece of work, nothing is started, and the work is done here.

    Raises:
        EngineError: a worker process died, or none could be started.
    """
    tell = progress or (lambda _: None)
    if workers_for(len(work), n_jobs) == 1:
        results = []
        for done, arguments in enumerate(work, start=1):
            results.append(function(*arguments))
            tell(done)
        return results
    with engine(n_jobs=n_jobs) as workers:
        futures = [workers.submit(function, *arguments) for arguments in work]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                tell(done)
        except BrokenExecutor:
            raise EngineError(
                "a worker process died: it was killed, ran out of memory or crashed"
            ) from None
        finally:
            for future in futures:
                future.cancel()
    return [future.result() for future in futures]


def workers_for(pieces: int, n_jobs: int) -> int:
    """Return how many processes do so many pieces of work; 1 if none is started for that.

    Not fewer for a few pieces: the pool of a process is kept, and to resize it takes longer.
    """
    return 1 if pieces == 1 else (cores() if n_jobs < 0 else n_jobs)
