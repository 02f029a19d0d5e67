"""The laboratory of the playground: a few worker processes for any number of open pages.

Pages ask for single replications. As many run at a time as there are workers; the rest wait, those
with the lowest numbers first, so that a page that has no answer yet goes before one whose answer
gets sharper. A replication that no page wants any more is taken out of the queue, or stops within
a few simulated weeks. What was simulated once is remembered.
"""

import asyncio
import heapq
import itertools
import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from sim.experiment.fingerprint import scenario_digest
from sim.experiment.run import Run, simulate_unchecked
from sim.experiment.worker_processes import deferred_interrupts
from sim.metrics import weekly_series
from sim.metrics.flow import waiting_by_step
from sim.metrics.restore import Restored
from sim.scenario.organization import Scenario

from .abandoned import begin, raise_if_abandoned
from .watch import Stays, stays_of

_TRIES = 2
"""Attempts at a replication whose process is killed: another one may have been the cause."""
_REMEMBERED = 4000
"""Replications whose observation is kept, at about 10 kB each, 20 kB of weeks."""
_REMEMBERED_STAYS = 6
"""Of whole replications, at up to 12 MB each."""


class ObservedReplication(NamedTuple):
    """The results of a replication that a page shows."""

    metrics: "pd.Series[float]"
    waiting: pd.DataFrame
    """Of :func:`sim.metrics.flow.waiting_by_step`."""
    restored: Restored


class ObservedWeeks(NamedTuple):
    """What a roadmap needs of a replication."""

    metrics: "pd.Series[float]"
    weekly: pd.DataFrame
    """Of :func:`sim.metrics.weekly_series`."""
    run: Run
    """With the tables of services and investments only."""


Seen = TypeVar("Seen")
Look = Callable[[Scenario, int, int], Any]
"""Simulates a replication in a slot, and returns what there is to see."""


_Key = tuple[str, str, int]
"""Of an observation: what is looked at, the digest of the scenario, and the replication."""


class ClosedError(Exception):
    """The laboratory takes nothing more on."""


class Laboratory:
    """Simulates what pages ask for, with bounded work.

    Args:
        workers: number of processes.
    """

    def __init__(self, workers: int) -> None:
        # Not forked: this process has threads. One flag a slot tells its worker to give up.
        self._context = multiprocessing.get_context("spawn")
        self._abandoned = self._context.Array("b", workers)
        self._workers = workers
        self._pool = self._new_pool()
        self._free = list(range(workers))
        self._waiting: list[tuple[int, int, asyncio.Future[int]]] = []
        self._arrivals = itertools.count()
        self._known: OrderedDict[_Key, Any] = OrderedDict()
        self._running: dict[_Key, asyncio.Task[Any]] = {}
        self._wanted: dict[_Key, int] = {}
        self._stopped = False

    def warm_up(self) -> None:
        """Start the workers and let each import the model, so that the first answer is quick."""
        with deferred_interrupts():
            for _ in range(self._workers):
                self._pool.submit(_ready)

    def stop(self) -> None:
        """Take nothing more on, and let those who wait know."""
        self._stopped = True
        for task in list(self._running.values()):
            task.cancel()
        for _, _, turn in self._waiting:
            turn.cancel()
        for slot in range(self._workers):
            self._abandoned[slot] = True

    def close(self) -> None:
        """Stop all work and all workers."""
        for slot in range(self._workers):
            self._abandoned[slot] = True
        self._pool.shutdown(cancel_futures=True)

    @property
    def load(self) -> int:
        """The number of replications that run or wait."""
        return len(self._running)

    @property
    def idle(self) -> int:
        """The number of workers without work."""
        return len(self._free)

    def known(self, scenario: Scenario, replication: int) -> bool:
        """Return whether an observation is there already."""
        return _key(_observe, scenario, replication) in self._known

    async def observe(
        self, scenario: Scenario, replication: int, urgency: int
    ) -> ObservedReplication:
        """Return what there is to see of a replication, once it is simulated.

        A caller that is cancelled while waiting wants it no more; it is dropped if nobody else
        waits for it.

        Args:
            scenario: what to simulate, with its seed.
            replication: number of the replication.
            urgency: the lower, the sooner.

        Raises:
            RuntimeError: the simulation failed, or its process was killed.
            ClosedError: the laboratory was stopped meanwhile.
        """
        found: ObservedReplication = await self._look(_observe, scenario, replication, urgency)
        return found

    async def weeks(self, scenario: Scenario, replication: int, urgency: int) -> ObservedWeeks:
        """Return what happened week by week in a replication, as :meth:`observe` does.

        Raises:
            RuntimeError: the simulation failed, or its process was killed.
            ClosedError: the laboratory was stopped meanwhile.
        """
        found: ObservedWeeks = await self._look(_weeks, scenario, replication, urgency)
        return found

    async def stays(self, scenario: Scenario) -> Stays:
        """Return who is where when in replication 0, as :meth:`observe` does.

        Raises:
            RuntimeError: the simulation failed, or its process was killed.
            ClosedError: the laboratory was stopped meanwhile.
        """
        found: Stays = await self._look(_stays, scenario, 0, urgency=0)
        return found

    async def _look(self, look: Look, scenario: Scenario, replication: int, urgency: int) -> Any:
        if self._stopped:
            raise ClosedError
        key = _key(look, scenario, replication)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._work(look, scenario, replication, urgency))
            self._running[key] = task
            task.add_done_callback(lambda done: self._settle(key, done))
        self._wanted[key] = self._wanted.get(key, 0) + 1
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if self._stopped:
                raise ClosedError from None
            raise
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key]
                # Taken out here, so that who asks again before it has ended starts it anew.
                if not task.done() and self._running.get(key) is task:
                    del self._running[key]
                    task.cancel()

    def _settle(self, key: _Key, task: "asyncio.Task[Any]") -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if task.cancelled() or task.exception():
            return
        self._known[key] = task.result()
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        of_stays = [each for each in self._known if each[0] == _stays.__name__]
        for oldest in of_stays[:-_REMEMBERED_STAYS]:
            del self._known[oldest]

    async def _work(
        self,
        look: Callable[[Scenario, int, int], Seen],
        scenario: Scenario,
        replication: int,
        urgency: int,
    ) -> Seen:
        for _ in range(_TRIES):
            if self._stopped:  # also while the process was killed
                raise ClosedError
            with suppress(BrokenProcessPool):
                return await self._try(look, scenario, replication, urgency)
        raise RuntimeError("a process that simulates was killed, twice: out of memory?")

    async def _try(
        self,
        look: Callable[[Scenario, int, int], Seen],
        scenario: Scenario,
        replication: int,
        urgency: int,
    ) -> Seen:
        slot = await self._take_slot(urgency)
        self._abandoned[slot] = False
        pool = self._pool
        loop = asyncio.get_running_loop()
        try:
            with deferred_interrupts():
                work = pool.submit(look, scenario, replication, slot)
        except BrokenProcessPool:
            self._give_back(slot)
            self._replace(pool)
            raise
        # The slot is free when the worker has ended, not when the page has lost interest.
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give_back, slot))
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            self._abandoned[slot] = True
            raise
        except BrokenProcessPool:
            self._replace(pool)
            raise

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        if self._pool is broken:
            self._pool = self._new_pool()

    async def _take_slot(self, urgency: int) -> int:
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._arrivals), turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(turn.result())
            self._waiting = [waiting for waiting in self._waiting if waiting[2] is not turn]
            heapq.heapify(self._waiting)
            raise

    def _give_back(self, slot: int) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(slot)
                return
        self._free.append(slot)

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            self._context,
            initializer=begin,
            initargs=(self._abandoned, os.getpid()),
        )


def _key(look: Look, scenario: Scenario, replication: int) -> _Key:
    return look.__name__, scenario_digest(scenario), replication


def _ready() -> None:
    """Do nothing: a worker that has come here has imported the model."""


def _simulate(scenario: Scenario, replication: int, slot: int) -> Run:
    return simulate_unchecked(
        scenario, scenario.seed, replication, lambda _: raise_if_abandoned(slot)
    )


def _observe(scenario: Scenario, replication: int, slot: int) -> ObservedReplication:
    run = _simulate(scenario, replication, slot)
    return ObservedReplication(
        run.metrics(), waiting_by_step(run.tables, run.window), run.restored()
    )


def _weeks(scenario: Scenario, replication: int, slot: int) -> ObservedWeeks:
    run = _simulate(scenario, replication, slot)
    tables = {name: run.tables[name] for name in ("services", "investments")}
    weekly = weekly_series(run.tables, scenario.horizon_weeks)
    return ObservedWeeks(run.metrics(), weekly, replace(run, tables=tables))


def _stays(scenario: Scenario, replication: int, slot: int) -> Stays:
    run = _simulate(scenario, replication, slot)
    return stays_of(run.tables, run.window)
