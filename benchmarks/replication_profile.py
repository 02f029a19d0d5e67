"""Where a replication of the default organization spends its time, by part of the program.

    python benchmarks/replication_profile.py [replications]

It looks as often as the system's timer allows, at most a thousand times per second of CPU time,
where the program is. Time in NumPy, SimPy or the
compiled kernel counts as that of the part that called it; the loop of the compiled kernel, as
the model's.
"""

import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import sim
from sim import kernel

PARTS = {
    "kernel/draws.py": "draws",
    "world/randomness.py": "draws",
    "scenario/distributions.py": "draws",
    "kernel/events.py": "events",
    "world/clock.py": "events",
    "world/people.py": "people and calendars",
    "world/calendar.py": "people and calendars",
    "kernel/hours.py": "people and calendars",
    "world/pipeline.py": "pipeline",
    "log/tables.py": "log",
    "kernel/columns.py": "log",
    "world": "other mechanisms",
    "metrics": "metrics",
    "experiment/workload.py": "estimate of the size",
}
SIM = Path(sim.__file__).parent


def part(frame: FrameType | None) -> str:
    """Return the part of the program that a stack is in."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if "simpy" in path.parts:
            return "events"
        if path.is_relative_to(SIM):
            inside = path.relative_to(SIM)
            if frame.f_code.co_name.startswith("to_frame"):
                return "frames"
            for name in (str(inside), inside.parts[0]):
                if name in PARTS:
                    return PARTS[name]
        frame = frame.f_back
    return "other"


def main() -> None:
    """Print a table of shares."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    scenario = sim.load()
    sim.simulate(scenario, seed=1).metrics()
    seen: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: seen.update([part(frame)]))
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    for replication in range(replications):
        sim.simulate(scenario, seed=1, replication=replication).metrics()
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(
        f"{'compiled kernel' if kernel.COMPILED else 'kernel in Python'}, {seen.total()} samples\n"
    )
    print("| part | share |\n|---|---|")
    for name, count in seen.most_common():
        print(f"| {name} | {count / seen.total():.1%} |")


if __name__ == "__main__":
    main()
