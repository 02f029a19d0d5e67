"""The time and memory that an experiment needs, from the expected rows of its log.

The costs of a row are those of ``benchmarks/README.md``: 10 to 15 µs and 240 to 275 bytes of peak
memory in organizations of one to a hundred services over one to thirty years; rounded up here, as
metrics are computed from the rows, too.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

from .engines import cores
from .workload import workload

SECONDS_PER_ROW = 20e-6
SECONDS_PER_SILENT_EVENT = 10e-6
SECONDS_PER_SERVICE = 1e-3
SECONDS_PER_REPLICATION = 0.05
BYTES_PER_ROW = 300.0
BYTES_PER_PROCESS = 160e6
BYTES_PER_WEEK = 300.0
"""Of the weekly series that a study keeps of each replication."""
BYTES_ON_DISK = 2_000.0
"""Of a replication with its incidents, in both files of a sweep."""
BYTES_OF_A_REPORT = 3e6

_LONG_S = 60.0
_LARGE_BYTES = 1e9
_POINTS_LOOKED_AT = 8


@dataclass(frozen=True)
class Demand:
    """The needs of an experiment.

    Attributes:
        replications: how many there are in all.
        rows: expected rows of the log in the largest of them.
        source: the key of the scenario from which most of these come.
        processes: how many replications are simulated at a time.
        seconds: until all is done.
        events: what is expected to happen in the largest of them, with and without a row.
        bytes: memory at the peak, of all processes.
    """

    replications: int
    rows: float
    source: str
    processes: int
    seconds: float
    events: float
    bytes: float

    @property
    def is_large(self) -> bool:
        """Whether somebody who starts it wants to know beforehand."""
        return self.seconds > _LONG_S or self.bytes - self._of_programs > _LARGE_BYTES

    def __str__(self) -> str:
        many = "1 replication" if self.replications == 1 else f"{self.replications:,} replications"
        return (
            f"{many} of up to {_rounded(self.rows)} log rows: expected to take "
            f"{duration(self.seconds)} and {size(self.bytes)} of memory"
        )

    @property
    def bytes_on_disk(self) -> float:
        """Roughly what a sweep leaves: replications, once in the store and once in the table."""
        return BYTES_OF_A_REPORT + BYTES_ON_DISK * self.replications

    @property
    def _of_programs(self) -> float:
        return self.processes * BYTES_PER_PROCESS


def demand(
    work: Iterable[tuple[Scenario, float]], n_jobs: int, keeps_weeks: bool = False
) -> Demand:
    """Estimate what an experiment wants.

    Args:
        work: scenarios, and how many replications there are of each.
        n_jobs: parallel processes; -1 uses one per core.
        keeps_weeks: whether the weekly series of each replication, and one whole log, are kept.
    """
    total, seconds, events, weeks, rows, source = 0.0, 0.0, 0.0, 0.0, 0.0, ""
    for scenario, replications in work:
        expected = workload(scenario)
        each_s = (
            SECONDS_PER_REPLICATION
            + SECONDS_PER_ROW * expected.total_rows
            + SECONDS_PER_SILENT_EVENT * expected.silent
            + SECONDS_PER_SERVICE * expected.services
        )
        total += replications
        seconds += replications * each_s
        events = max(events, expected.total_rows + expected.silent)
        weeks += replications * scenario.horizon_weeks
        if expected.total_rows >= rows:
            rows, source = expected.total_rows, expected.main_source
    processes = max(1, min(cores() if n_jobs < 0 else n_jobs, round(total)))
    memory = processes * (BYTES_PER_PROCESS + BYTES_PER_ROW * rows)
    if keeps_weeks:
        memory += BYTES_PER_WEEK * weeks + BYTES_PER_ROW * rows
    return Demand(round(total), rows, source, processes, seconds / processes, events, memory)


def demand_of_sweep(variants: Variants, n_jobs: int) -> Demand:
    """Estimate what a sweep wants, from a few of its points; those that are not valid are left out.

    Raises:
        ScenarioError: none of them is valid.
    """
    size = len(variants)
    few = min(size, _POINTS_LOOKED_AT)
    work, problem = [], None
    for number in range(few):
        try:
            scenario = variants.scenario(number * (size - 1) // max(few - 1, 1))
        except ScenarioError as error:
            problem = problem or error
        else:
            asked = scenario.adaptive
            runs = scenario.replications * size if asked is None else asked.max_runs
            work.append((scenario, runs / few))
    if not work:
        assert problem is not None
        raise problem
    return demand(work, n_jobs)


def refuse_too_large(wanted: Demand, allowed: bool, memory: float | None = None) -> None:
    """Refuse an experiment that does not fit into memory, or makes too many events.

    Args:
        wanted: what it wants.
        allowed: `allow_large` of the scenario: run it nevertheless.
        memory: bytes that there are; by default those of this machine.

    Raises:
        ScenarioError: it does not fit.
    """
    from sim.world.context import MOST_EVENTS  # the model, with pandas; an estimate needs neither

    there = machine_memory() if memory is None else memory
    if allowed or (wanted.bytes <= there and wanted.events <= MOST_EVENTS):
        return
    if wanted.bytes > there:
        what = f"{_rounded(wanted.rows)} log rows per replication would take {size(wanted.bytes)} "
        what += f"of memory, of {size(there)}"
        if wanted.processes > 1:
            what += f", in {wanted.processes} processes"
    else:
        what = f"{_rounded(wanted.events)} events per replication would take very long "
        what += f"({duration(wanted.seconds)})"
    hint = f"reduce it{' or n_jobs' if wanted.processes > 1 else ''}, or simulate fewer weeks; "
    hint += "allow_large=true runs it all the same"
    raise ScenarioError([Problem(wanted.source, what, hint)])


def machine_memory() -> float:
    """Return the bytes of memory of this machine; infinity if the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return inf


def duration(seconds: float) -> str:
    """Return so many seconds in words."""
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{_rounded(seconds / length)} {unit}"
    return f"{_rounded(seconds)} s"


def size(of_bytes: float) -> str:
    """Return so many bytes in words."""
    unit, length = ("GB", 1e9) if of_bytes >= 1e9 else ("MB", 1e6)
    return f"{_rounded(of_bytes / length)} {unit}"


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.10g}" if number < 1e15 else f"{number:.1e}"
