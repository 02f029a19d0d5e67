"""Replays: a replication of a sweep simulated again, and compared with what the sweep has."""

import numpy as np
import pyarrow.parquet as pq

from sim.scenario.errors import ScenarioError
from sim.scenario.variants import Variants

from .run import Run, simulate_unchecked
from .store import ResultsError
from .sweep_record import Made
from .sweep_table import stored_metrics


def replay(
    variants: Variants, table: pq.ParquetFile, made: Made | None, point: int, replication: int
) -> tuple[Run, str]:
    """Simulate a replication of a sweep again.

    Args:
        variants: the scenarios of the points.
        table: the replications that the sweep has.
        made: how the sweep was made; None if that is not known.
        point: which point.
        replication: which of its replications.

    Returns:
        The run, and in words how its metrics differ from those of the sweep; empty if they do not.

    Raises:
        ResultsError: the scenario of the point is not valid.
    """
    try:
        scenario = variants.scenario(point)
    except ScenarioError as error:
        raise ResultsError(f"the scenario of point {point} is not valid: {error}") from None
    run = simulate_unchecked(scenario, scenario.seed, replication)
    now, then = run.metrics(), stored_metrics(table, point, replication)
    # A population has what its teams would answer as well, which a run does not.
    both = [name for name in then.index if name in now.index]
    different = [name for name in both if not np.array_equal(now[name], then[name], equal_nan=True)]
    if both and not different:
        return run, ""
    what = f"{len(different)} of {len(both)} metrics of point {point}, replication {replication},"
    changes = made.changes() if made is not None else ["the model may have changed since"]
    why = "; ".join(changes) or "the model is the same, so this machine calculates differently"
    return run, f"{what} are not those of the sweep: {why}"
