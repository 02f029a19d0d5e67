"""The scheduler: runs the replications that a sweep still lacks, and survives those that fail."""

import math
import os
import queue
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from sim.metrics.restore import packed
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

from .engines import Engine
from .intervals import FloatArray
from .run import simulate_unchecked
from .store import Store
from .time_out import TimeOutError, time_out_after

RESTORED = "restored"
"""What an observation calls the incidents of its replication."""

Observe = Callable[[Scenario, int, int], Mapping[str, float | FloatArray]]
"""Simulates a replication: scenario, seed and number in, metrics by name out, and perhaps, under
:data:`RESTORED`, its incidents as :func:`sim.metrics.restore.packed` returns them."""

_CHUNK_S = 0.3
"""Replications of a point are sent together as long as they take less: sending has its price."""
_CHUNK_S_PER_WORKER = 0.006
"""On a large cluster chunks are longer, so that this process keeps up with what comes back."""
_LOOK_EVERY_S = 5.0
"""While nothing comes back, the engine is looked at now and then."""
_AHEAD = 2
"""Chunks given away for each worker, so that none has to wait for the next."""


@dataclass(frozen=True)
class Failure:
    """A point that could not be simulated.

    Attributes:
        point: its number.
        overrides: what makes its scenario.
        error: what happened, in a line.
        details: where it happened: a traceback, or nothing if a worker died.
    """

    point: int
    overrides: str
    error: str
    details: str


class Watcher(Protocol):
    """Somebody who looks on."""

    def checked(self, points: int, of: int) -> None:
        """So many points have been composed and checked."""

    def skipped(self, point: Failure) -> None:
        """A combination is no valid scenario, and is left out."""

    def begin(self, points: int, replications: int) -> None:
        """So many more are to be done."""

    def finished(self, replications: int, points: int) -> None:
        """Replications have been finished, and points with them."""

    def failed(self, failure: Failure) -> None:
        """A point has failed."""

    def narrowed(self, widths: str) -> None:
        """The intervals that an adaptive sweep narrows are this wide now."""

    def goes_on(self, words: str) -> None:
        """The folder has replications already; the words say what is left, and why."""


class StoppedError(Exception):
    """A limit is reached before a sweep is done; the message says which, and what is missing."""


class Limits(NamedTuple):
    """When a sweep begins nothing more.

    Attributes:
        ends_at: on the clock ``time.monotonic``.
        time_limit_h: the setting, for the message.
        fail_fast: whether it ends once a point has failed.
    """

    ends_at: float = math.inf
    time_limit_h: float = math.inf
    fail_fast: bool = False

    @classmethod
    def of(cls, settings: Scenario, begun: float) -> "Limits":
        """Return the limits of a sweep that has begun at a time of ``time.monotonic``."""
        limit_h = math.inf if settings.time_limit_h is None else settings.time_limit_h
        return cls(begun + 3600.0 * limit_h, limit_h, settings.fail_fast)


class _Chunk(NamedTuple):
    """Replications of a point that travel together."""

    point: int
    fingerprint: bytes
    replications: tuple[int, ...]


@dataclass(frozen=True)
class _Done:
    metrics: tuple[str, ...]
    values: FloatArray
    restored: list[FloatArray]
    seconds: float


@dataclass(frozen=True)
class _Raised:
    error: str
    details: str


def observe(scenario: Scenario, seed: int, replication: int) -> Mapping[str, float | FloatArray]:
    """Return the metrics of a replication, and its incidents."""
    run = simulate_unchecked(scenario, seed, replication)
    metrics = {str(name): float(value) for name, value in run.metrics().items()}
    return {**metrics, RESTORED: packed(run.restored())}


def _work(
    data: Mapping[str, Any], replications: Sequence[int], observe: Observe
) -> _Done | _Raised:
    """Simulate replications, in a worker; what goes wrong comes back in words."""
    start = time.perf_counter()
    try:
        scenario = Scenario.model_validate(data)
        rows = []
        for number in replications:
            with time_out_after(scenario.replication_timeout_s):
                rows.append(dict(observe(scenario, scenario.seed, number)))
    except TimeOutError:
        limit_s = f"{scenario.replication_timeout_s:g} s"
        what = f"replication {len(rows)} took longer than {limit_s} (replication_timeout_s)"
        return _Raised(what, traceback.format_exc())
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = " ".join(str(error).split()) or "no message"
        where = f"{os.path.basename(place.filename)}, line {place.lineno}"
        return _Raised(f"{type(error).__name__}: {what} ({where})", traceback.format_exc())
    restored = [np.asarray(row.pop(RESTORED)) for row in rows if RESTORED in row]
    values = np.array([list(row.values()) for row in rows], dtype=np.float64)
    return _Done(tuple(rows[0]), values, restored, time.perf_counter() - start)


class Scheduler:
    """Runs what is missing in a store.

    Args:
        variants: the scenarios of the points.
        fingerprints: of each point, with its seed.
        store: where finished replications are kept.
        engine: what runs them.
        watcher: is told about it.
        observe: what makes metrics of a scenario; a function of a module.
        limits: after which nothing more is begun.
    """

    def __init__(
        self,
        variants: Variants,
        fingerprints: Sequence[bytes],
        store: Store,
        engine: Engine,
        watcher: Watcher,
        observe: Observe = observe,
        limits: Limits | None = None,
    ) -> None:
        self._variants = variants
        self._fingerprints = fingerprints
        self._store = store
        self._engine = engine
        self._watcher = watcher
        self._observe = observe
        self._limits = limits or Limits()
        self.failures: dict[int, Failure] = {}
        """The points that failed, and are not tried again."""
        self._open: dict[int, int] = {}
        self._before: list[int] = []
        self._given_away: dict[bytes, int] = {}
        self._seconds = self._replications = 0.0

    def run(self, wanted: Sequence[int]) -> None:
        """Run the missing ones of the first so many replications of each point.

        Args:
            wanted: how many of each point.

        Raises:
            ResultsError: the store cannot be written.
            EngineError: nothing can be run any more.
            StoppedError: a limit is reached; what had been begun is finished and stored.
        """
        self._given_away.clear()
        chunks = self._missing(wanted)
        returned: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        on_the_way: dict[Future[Any], _Chunk] = {}
        try:
            while True:
                while len(on_the_way) < _AHEAD * self._engine.workers:
                    chunk = None if self._is_over() else next(chunks, None)
                    if chunk is None:
                        break
                    future = self._send(chunk)
                    on_the_way[future] = chunk
                    future.add_done_callback(returned.put)
                if not on_the_way:
                    if self._is_over() and (lacking := self._lacking(wanted)):
                        raise StoppedError(f"{self._reason()}; {lacking}")
                    self._before = list(wanted)
                    self._fail_alike()
                    return
                future = self._next(returned)
                chunk = on_the_way.pop(future)
                if isinstance(future.exception(), BrokenExecutor):
                    suspects = [chunk, *on_the_way.values()]
                    while on_the_way:  # all break together
                        finished = self._next(returned)
                        of = on_the_way.pop(finished)
                        if not isinstance(finished.exception(), BrokenExecutor):
                            suspects.remove(of)
                            self._receive(finished, of)
                    self._run_alone(suspects)
                else:
                    self._receive(future, chunk)
        finally:
            for future in on_the_way:
                future.cancel()

    def _is_over(self) -> bool:
        """Return whether nothing more may be begun."""
        failed = self._limits.fail_fast and bool(self.failures)
        return failed or time.monotonic() >= self._limits.ends_at

    def _reason(self) -> str:
        if self._limits.fail_fast and self.failures:
            return "stopped at the first failure (fail_fast=true)"
        return f"stopped after {self._limits.time_limit_h:g} h (time_limit_h)"

    def _lacking(self, wanted: Sequence[int]) -> str:
        """Return in words what is still missing; nothing if all is there."""
        replications = points = 0
        for point, number in enumerate(wanted):
            if point not in self.failures:
                there = self._store.finished(self._fingerprints[point])
                lacks = sum(replication not in there for replication in range(number))
                replications += lacks
                points += lacks > 0
        if not replications:
            return ""
        of = f"{sum(wanted):,} replications, at {points:,} of {len(wanted):,} points"
        return f"missing are {replications:,} of {of}"

    def _next(self, returned: "queue.SimpleQueue[Future[Any]]") -> Future[Any]:
        """Wait for a future, and return it if the engine can go on."""
        while True:
            try:
                future = returned.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._engine.check(None)
            else:
                self._engine.check(CancelledError() if future.cancelled() else future.exception())
                return future

    def _missing(self, wanted: Sequence[int]) -> Iterator[_Chunk]:
        for point, number in enumerate(wanted):
            if point in self.failures:
                continue
            fingerprint = self._fingerprints[point]
            # Points may be alike; what the first of them runs is there for the others.
            first = self._given_away.get(fingerprint, 0)
            finished = self._store.finished(fingerprint)
            missing = [k for k in range(first, number) if k not in finished]
            self._given_away[fingerprint] = max(first, number)
            # What an earlier round has told about is not told again.
            before = 0 if self._is_new(point) else self._before[point]
            told = number - len(missing) - before
            self._watcher.finished(told, 1 if self._is_new(point) and not missing else 0)
            self._open[point] = len(missing)
            while missing and point not in self.failures:
                size = self._chunk_size()
                here, missing = missing[:size], missing[size:]
                yield _Chunk(point, fingerprint, tuple(here))

    def _is_new(self, point: int) -> bool:
        return point >= len(self._before)

    def _chunk_size(self) -> int:
        if self._seconds == 0.0:
            return 1
        seconds = max(_CHUNK_S, _CHUNK_S_PER_WORKER * self._engine.workers)
        return max(1, int(seconds * self._replications / self._seconds))

    def _send(self, chunk: _Chunk) -> Future[Any]:
        # Plain data travels, and is validated in the worker, in no more time than a scenario takes.
        data = self._variants.data(chunk.point)
        return self._engine.submit(_work, data, chunk.replications, self._observe)

    def _run_alone(self, suspects: Sequence[_Chunk]) -> None:
        """Run again what was on its way when a worker died, one by one, to find who killed it."""
        for chunk in suspects:
            for replication in chunk.replications:
                if chunk.point in self.failures:
                    break
                alone = chunk._replace(replications=(replication,))
                back: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
                self._send(alone).add_done_callback(back.put)
                self._receive(self._next(back), alone)

    def _receive(self, future: Future[Any], chunk: _Chunk) -> None:
        error = future.exception()
        if error is not None:
            died = isinstance(error, BrokenExecutor)
            what = "it was killed, ran out of memory or crashed" if died else _in_a_line(error)
            self._fail(chunk.point, f"the worker process died: {what}", "")
            return
        outcome: _Done | _Raised = future.result()
        if isinstance(outcome, _Raised):
            self._fail(chunk.point, outcome.error, outcome.details)
            return
        self._store.put(
            chunk.fingerprint,
            chunk.replications,
            outcome.metrics,
            outcome.values,
            outcome.restored,
        )
        self._seconds += outcome.seconds
        self._replications += len(chunk.replications)
        self._open[chunk.point] -= len(chunk.replications)
        last = self._open[chunk.point] == 0
        if last:
            del self._open[chunk.point]
        self._watcher.finished(
            len(chunk.replications), 1 if last and self._is_new(chunk.point) else 0
        )

    def _fail_alike(self) -> None:
        """Let points fail that are like one that has failed, as nobody has run them."""
        failed = {self._fingerprints[point]: point for point in self.failures}
        if not failed:
            return
        for point, fingerprint in enumerate(self._fingerprints):
            if fingerprint in failed:
                failure = self.failures[failed[fingerprint]]
                self._fail(point, failure.error, failure.details)

    def _fail(self, point: int, error: str, details: str) -> None:
        if point in self.failures:
            return
        failure = Failure(point, self._variants.label(point), error, details)
        self.failures[point] = failure
        self._watcher.failed(failure)


def _in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
