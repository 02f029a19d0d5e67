"""The tandem network written by hand in plain SimPy: what the library's overhead is measured by.

It does no more than the network needs: one process a customer, one resource a stage, draws in
blocks, rows appended as tuples and one frame at the end.
"""

from collections.abc import Generator, Iterator, Sequence

import numpy as np
import pandas as pd
import simpy

COLUMNS = ["change_id", "step", "queued_at", "started_at", "finished_at"]


def _exponential(rng: np.random.Generator, mean: float, block: int = 4096) -> Iterator[float]:
    while True:
        yield from rng.exponential(mean, block).tolist()


def simulate(
    mean_interarrival_h: float,
    mean_service_h: Sequence[float],
    horizon_h: float,
    seed: int,
) -> pd.DataFrame:
    """Simulate an open tandem network with Poisson arrivals and one exponential server a stage.

    Args:
        mean_interarrival_h: mean hours between two arrivals.
        mean_service_h: mean hours of service, one entry a stage.
        horizon_h: hours to simulate, starting empty.
        seed: root of the random streams, one for the arrivals and one a stage.

    Returns:
        One row per service finished by the horizon, in order of finishing, with the columns
        ``COLUMNS``; ``step`` counts stages from 0, times are hours.
    """
    rngs = [
        np.random.default_rng(child)
        for child in np.random.SeedSequence(seed).spawn(1 + len(mean_service_h))
    ]
    interarrivals = _exponential(rngs[0], mean_interarrival_h)
    services = [_exponential(rng, mean) for rng, mean in zip(rngs[1:], mean_service_h, strict=True)]
    env = simpy.Environment()
    servers = [simpy.Resource(env) for _ in mean_service_h]
    rows: list[tuple[int, int, float, float, float]] = []

    def change(change_id: int) -> Generator[simpy.Event, object, None]:
        for step, (server, service) in enumerate(zip(servers, services, strict=True)):
            queued_at = env.now
            with server.request() as request:
                yield request
                started_at = env.now
                yield env.timeout(next(service))
            rows.append((change_id, step, queued_at, started_at, env.now))

    def arrivals() -> Generator[simpy.Event, object, None]:
        change_id = 0
        while True:
            yield env.timeout(next(interarrivals))
            env.process(change(change_id))
            change_id += 1

    env.process(arrivals())
    env.run(until=horizon_h)
    return pd.DataFrame(rows, columns=COLUMNS)
