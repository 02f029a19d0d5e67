"""How sweeps grow: with workers, with points, with rows.

python benchmarks/sweep_scaling.py [workers | memory | rows | engines]
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import sim
from sim.experiment.axes import Axis
from sim.experiment.engines import EngineName, engine
from sim.experiment.scheduler import observe
from sim.experiment.sweep import Nobody, design_variants, run_sweep
from sim.experiment.sweep_results import Sweep
from sim.scenario.organization import Scenario


def workers() -> None:
    """Print the time of the same sweep with one worker and with two, three times in turn."""
    base = sim.load()
    axes = {"automation": [0, 0.25, 0.5, 0.75, 1]}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for n_jobs in seconds:
            sim.sweep(base, {"automation": [0, 1]}, 1, n_jobs=n_jobs)  # the workers start
            start = time.perf_counter()
            sim.sweep(base, axes, replications=16, n_jobs=n_jobs)
            seconds[n_jobs].append(time.perf_counter() - start)
    for n_jobs, times in seconds.items():
        print(f"{n_jobs} workers: " + ", ".join(f"{each:.1f} s" for each in times))
    ratios = [one / two for one, two in zip(*seconds.values(), strict=True)]
    print(f"speed-up: median {np.median(ratios):.2f}, largest {max(ratios):.2f}")


def cheap(scenario: Scenario, seed: int, replication: int) -> Mapping[str, float]:
    """Return 76 numbers, as many as an organization has metrics, at no cost."""
    return {f"metric_{number}": float(replication + number) for number in range(76)}


def memory() -> None:
    """Print the peak memory of the parent by the number of points."""
    for points in (100, 1_000, 10_000, 40_000):
        code = f"import sweep_scaling; sweep_scaling.peak_of({points})"
        folder = Path(__file__).parent
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
        )
        print(done.stdout.strip())


def peak_of(points: int) -> None:
    """Run a sweep of so many points, two replications each, and print the peak memory."""
    data = sim.load("replications=2", "n_jobs=1").model_dump(mode="json", by_alias=True)
    axes = [Axis("automation", tuple(number / points for number in range(points)))]
    with tempfile.TemporaryDirectory() as folder:
        variants = design_variants(axes, lambda _: data)
        start = time.perf_counter()
        sweep = run_sweep(variants, axes, Path(folder), Nobody(), observe=cheap)
        for _ in sweep.summaries():
            pass
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    per_point = 1e3 * seconds / points
    print(f"{points:7,} points: peak {peak:.0f} MB, {per_point:.2f} ms a point")


def rows() -> None:
    """Print how long it takes to read and summarize a table of a million rows."""
    scenario = sim.load()
    names = list(observe(scenario, 1, 0))
    points, replications, group = 50_000, 20, 1_000
    rng = np.random.default_rng(1)
    schema = pa.schema(
        [("point", pa.int32()), ("automation", pa.float64()), ("replication", pa.int32())]
        + [(name, pa.float64()) for name in names]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "runs.parquet")
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for first in range(0, points, group):
                here = np.repeat(np.arange(first, first + group, dtype=np.int32), replications)
                numbers = np.tile(np.arange(replications, dtype=np.int32), group)
                metrics = [rng.normal(size=here.size) for _ in names]
                columns = [here, here / points, numbers, *metrics]
                writer.write_table(pa.table(columns, schema=schema))
        axes = (Axis("automation", tuple(number / points for number in range(points))),)
        table = pd.DataFrame({"automation": np.arange(points) / points})
        counts = np.full(points, replications)
        sweep = Sweep(scenario, axes, table, 0, counts, (), pq.ParquetFile(path))
        print(f"{points * replications:,} rows, {path.stat().st_size / 1e6:.0f} MB")
        start = time.perf_counter()
        sweep.summary(["lead_time_h", "deployment_frequency", "change_failure_rate"])
        print(f"summary of three metrics  {time.perf_counter() - start:.2f} s")
        start = time.perf_counter()
        for _ in sweep.summaries():
            pass
        print(f"summary of {len(names)} metrics   {time.perf_counter() - start:.2f} s")
        start = time.perf_counter()
        sweep.effects()
        print(f"effects of four metrics   {time.perf_counter() - start:.2f} s")
        start = time.perf_counter()
        sweep.runs  # noqa: B018
        print(f"all of it as a frame      {time.perf_counter() - start:.2f} s")


def engines() -> None:
    """Print what it costs to send an empty task and get the answer back."""
    names: tuple[EngineName, ...] = ("loky", "dask", "ray")
    for name in names:
        start = time.perf_counter()
        with engine(name, 2) as running:
            running.submit(int).result()
            begun = time.perf_counter() - start
            start = time.perf_counter()
            futures = [running.submit(int) for _ in range(1_000)]
            for future in futures:
                future.result()
            each = time.perf_counter() - start
        print(f"{name:5} first answer after {begun:.1f} s, then {each:.2f} ms a task")


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["workers", "memory", "rows", "engines"]
    for part in chosen:
        {"workers": workers, "memory": memory, "rows": rows, "engines": engines}[part]()
