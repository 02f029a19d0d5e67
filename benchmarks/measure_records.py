"""How long records of a million deployments take: ``python benchmarks/measure_records.py FOLDER``.

Writes made-up CSV files into the folder (a deployment has one change, every tenth an incident),
measures them in a process of its own, and prints its seconds and its largest memory.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

_MEASURE = """
import resource, sys, time
from sim.measure.document import measured_document
from sim.measure.measured import Measured
import sim
begun = time.perf_counter()
records = sim.read(sys.argv[1])
read = time.perf_counter()
measured = Measured(records)
measured_document(measured, "Many")
seconds = time.perf_counter() - read
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"read {read - begun:.1f} s, measured {seconds:.1f} s, CPU "
      f"{time.process_time():.1f} s, {memory:.2f} GiB")
print(measured.summary().loc[["deployment_frequency", "lead_time_h", "change_failure_rate",
      "time_to_restore_h"], ["mean", "ci_low", "ci_high"]])
"""


def write(folder: Path, n: int) -> None:
    """Write records of ``n`` deployments in four years, of 200 services."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    start = np.datetime64("2022-01-03T00:00:00", "s")
    deployed = np.sort(rng.uniform(0.0, 4 * 365.0 * 86400.0, n)).astype("m8[s]")
    service = np.char.add("service-", rng.integers(0, 200, n).astype(str))
    names = np.char.add("deployment-", np.arange(n).astype(str))

    def written(since_start: np.ndarray) -> np.ndarray:
        return np.char.add(np.datetime_as_string(start + since_start), "Z")

    def seconds(mean_h: float, size: int) -> np.ndarray:
        return (rng.lognormal(np.log(mean_h), 1.0, size) * 3600.0).astype("m8[s]")

    deployments = {"deployment_id": names, "service": service, "deployed_at": written(deployed)}
    changes = {
        "change_id": np.char.add("change-", np.arange(n).astype(str)),
        "service": service,
        "committed_at": written(deployed - seconds(20.0, n)),
        "deployment_id": names,
    }
    failed = rng.choice(n, n // 10, replace=False)
    began = deployed[failed] + seconds(2.0, failed.size)
    incidents = {
        "incident_id": np.char.add("incident-", np.arange(failed.size).astype(str)),
        "service": service[failed],
        "started_at": written(began),
        "restored_at": written(began + seconds(3.0, failed.size)),
        "deployment_id": names[failed],
    }
    tables = {"deployments": deployments, "changes": changes, "incidents": incidents}
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(folder / f"{name}.csv", index=False)


def main() -> None:
    """Write, measure and print."""
    folder = Path(sys.argv[1])
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    write(folder, n)
    size = sum(path.stat().st_size for path in folder.glob("*.csv"))
    print(f"{n:,} deployments, {size / 1e6:,.0f} MB")
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", _MEASURE, str(folder)], check=True)
    print(f"with the start of Python {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
