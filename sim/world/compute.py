"""Compute: slots that run jobs around the clock, fixed or autoscaled; jobs fail and are retried.

Teams that have pools of their own can still help each other out, as far as their jobs are built the
standard way: a job of a service on the golden path runs on any idle slot of its cluster, a bespoke
one only where its stack is installed, in the pool of its team.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from math import log1p, nan

from simpy.events import Event

from sim.kernel import Occurrence
from sim.kernel.ticks import to_hours, to_ticks
from sim.log import NO_ID, EventLog
from sim.log.rows import JobOutcome
from sim.scenario.organization import ComputePoolSpec

from .clock import LAST, Clock

Luck = Callable[[], list[float]]
"""Gives the two uniforms that decide when and how the next run of a job is interrupted."""


class Job(Event):
    """A job for one slot; the event happens when it is done.

    Attributes:
        started_at: when it first got a slot; NaN before.
        held_h: hours for which it has held a slot, lost and repeated work included.
    """

    def __init__(
        self,
        env: Clock,
        run_h: float,
        priority: int,
        change_id: int,
        luck: Luck,
        anywhere: bool,
    ) -> None:
        super().__init__(env)
        self.run_h = run_h
        self.priority = priority
        self.change_id = change_id
        self.luck = luck
        self.anywhere = anywhere
        self.remaining_h = run_h
        self.queued_at = env.now
        self.started_at = nan
        self.held_h = 0.0
        self.sequence = 0


class _Occupation(Occurrence):
    """A job in a slot, until it is done or interrupted."""

    def __init__(self, env: Clock, job: Job, slot: int, outcome: JobOutcome) -> None:
        super().__init__(env)
        self.job = job
        self.slot = slot
        self.started_at = env.now
        self.outcome = outcome


class Cluster:
    """Pools of one kind of compute, and the jobs that wait for any of them."""

    def __init__(self) -> None:
        self.pools: list[ComputePool] = []
        self.waiting: list[tuple[int, int, Job]] = []
        self.numbers = count()
        """Numbers jobs in the order in which they are handed in, whichever pool they go to."""


class ComputePool:
    """Slots for jobs, given to the most urgent, first come first served among equals.

    Args:
        env: the simulation.
        log: where occupations of slots go.
        name: name of the pool in the log.
        resource: kind of compute.
        team: team it belongs to; empty if shared.
        spec: size, scaling and failures.
        provisioning: returns the delay in h until the k-th slot that is ordered is ready.
        cluster: the pools whose slots can take over jobs.
    """

    def __init__(
        self,
        env: Clock,
        log: EventLog,
        name: str,
        resource: str,
        team: str,
        spec: ComputePoolSpec,
        provisioning: Callable[[int], float],
        cluster: Cluster,
    ) -> None:
        self.name = name
        self.resource = resource
        self.team = team
        self.sizes = [(env.now, spec.slots)]
        """Size of the pool as (time from which it holds, slots)."""
        self._env = env
        self._log = log
        self._spec = spec
        self._provisioning = provisioning
        self._interruptions_per_h = spec.failures_per_h + spec.preemptions_per_h
        self._idle = list(range(spec.slots))
        self._idle_since: dict[int, float] = {}
        self._running: dict[int, _Occupation] = {}
        self._waiting: list[tuple[int, int, Job]] = []
        self._cluster = cluster
        cluster.pools.append(self)
        self._ordered = 0
        self._being_provisioned = 0
        self._slots_ever = spec.slots

    @property
    def slots(self) -> int:
        """Current number of slots."""
        return self.sizes[-1][1]

    def run(
        self, run_h: float, priority: int, change_id: int, luck: Luck, anywhere: bool = False
    ) -> Job:
        """Hand in a job of ``run_h`` hours and return it to wait for.

        Args:
            run_h: running time in h.
            priority: the less, the more urgent.
            change_id: whose job it is.
            luck: what decides about interruptions, run by run.
            anywhere: it runs on the slots of the other pools of the cluster too.
        """
        anywhere = anywhere and not self._spec.shared  # then there is nowhere else
        job = Job(self._env, run_h, priority, change_id, luck, anywhere)
        job.sequence = next(self._cluster.numbers)
        if self._idle:
            self._start(job)
            return job
        if anywhere:
            for pool in self._cluster.pools:
                if pool._idle:
                    pool._start(job)
                    return job
        self._wait(job)
        self._scale_up(anywhere)
        return job

    def adopt(self, spec: ComputePoolSpec) -> None:
        """From now on be as ``spec`` says; slots too many are given back once they are idle."""
        self._spec = spec
        self._interruptions_per_h = spec.failures_per_h + spec.preemptions_per_h
        while self.slots < spec.slots:
            self._grow()
        for slot in list(self._idle):
            self._start_next()
            if slot in self._idle:
                self._consider_release(slot)
        for *_, job in [*self._waiting, *self._cluster.waiting]:
            self._scale_up(job.anywhere)

    def take_waiting(self) -> list[Job]:
        """Take away and return the jobs that wait here, most urgent first."""
        jobs = [job for *_, job in sorted(self._waiting)]
        self._waiting.clear()
        return jobs

    def take_over(self, job: Job, anywhere: bool) -> None:
        """Let a job that waited for another pool wait here; :meth:`adopt` starts it."""
        job.anywhere = anywhere and not self._spec.shared
        self._wait(job)

    def flush(self) -> None:
        """Log what is unfinished or still waiting at the end of the simulation."""
        for occupation in self._running.values():
            self._log_job(occupation.job, occupation.slot, occupation.started_at, nan, "unfinished")
        waiting = list(self._waiting)
        if self._cluster.pools[0] is self:  # one of them speaks for all
            waiting += self._cluster.waiting
        for _, _, job in sorted(waiting):
            self._log_job(job, NO_ID, nan, nan, "waiting")

    def _wait(self, job: Job) -> None:
        queue = self._cluster.waiting if job.anywhere else self._waiting
        heappush(queue, (job.priority, job.sequence, job))

    def _next(self) -> Job | None:
        """Take the most urgent waiting job that may run here."""
        own, others = self._waiting, self._cluster.waiting
        if own and (not others or own[0] < others[0]):
            return heappop(own)[2]
        return heappop(others)[2] if others else None

    def _start_next(self) -> None:
        job = self._next()
        if job is not None:
            self._start(job)

    def _start(self, job: Job) -> None:
        slot = heappop(self._idle)
        if job.started_at != job.started_at:
            job.started_at = self._env.now
        self._idle_since.pop(slot, None)
        run_h = job.remaining_h
        outcome: JobOutcome = "finished"
        if self._interruptions_per_h > 0:
            when, which = job.luck()
            until_interruption_h = -log1p(-when) / self._interruptions_per_h
            if until_interruption_h < run_h:
                failed = which * self._interruptions_per_h < self._spec.failures_per_h
                run_h, outcome = until_interruption_h, "failed" if failed else "preempted"
        occupation = self._running[slot] = _Occupation(self._env, job, slot, outcome)
        assert occupation.callbacks is not None
        occupation.callbacks.append(self._end)
        self._env.schedule(occupation, delay=run_h)

    def _end(self, event: Event) -> None:
        assert isinstance(event, _Occupation)
        job = event.job
        now = self._env.now
        held_h = now - event.started_at
        job.held_h += held_h
        self._log_job(job, event.slot, event.started_at, now, event.outcome)
        del self._running[event.slot]
        heappush(self._idle, event.slot)
        if event.outcome == "finished":
            job.succeed()
        else:
            every = self._spec.checkpoint_every_h
            if every is not None:  # what was checkpointed since the start of this run is kept
                period = max(1, to_ticks(every))
                kept_h = to_hours(to_ticks(held_h) // period * period)
                job.remaining_h = max(0.0, job.remaining_h - kept_h)
            job.queued_at = now
            self._wait(job)
        if self.slots > (self._spec.max_slots or self._spec.slots):
            self._give_back(event.slot)  # there are fewer by now
            if self._spec.slots == 0 and self._spec.max_slots is None:
                self._close()
            return
        self._start_next()
        if event.slot in self._idle:  # an interrupted job may have gone on in another slot
            self._consider_release(event.slot)

    def _log_job(
        self, job: Job, slot: int, started_at: float, finished_at: float, outcome: JobOutcome
    ) -> None:
        pool = self.name
        self._log.jobs.append(
            (
                pool,
                self.resource,
                self.team,
                slot,
                job.change_id,
                job.queued_at,
                started_at,
                finished_at,
                outcome,
            )
        )

    def _scale_up(self, anywhere: bool) -> None:
        """Order a slot, for a job that waits, if more jobs wait than slots are coming.

        Slots that are coming to a pool are first of all for the jobs that cannot run elsewhere. A
        job that runs ``anywhere`` gets one in the first other pool that has room for it, if this
        pool has its most slots.
        """
        if len(self._waiting) > self._being_provisioned:
            self._order_slot()
        pools = self._cluster.pools
        spare = sum(max(0, pool._being_provisioned - len(pool._waiting)) for pool in pools)
        if len(self._cluster.waiting) > spare:
            for pool in (self, *pools) if anywhere else (self,):
                if pool._order_slot():
                    return

    def _order_slot(self) -> bool:
        """Order a slot, and return whether there was room for one."""
        if self.slots + self._being_provisioned >= (self._spec.max_slots or 0):
            return False
        self._being_provisioned += 1
        delay = self._provisioning(self._ordered)
        self._ordered += 1
        ready = self._env.timeout(delay)
        assert ready.callbacks is not None
        ready.callbacks.append(self._add_slot)
        return True

    def _add_slot(self, _: Event) -> None:
        self._being_provisioned -= 1
        self._grow()

    def _grow(self) -> None:
        self._resize(+1)
        slot = self._slots_ever
        self._slots_ever += 1
        heappush(self._idle, slot)
        self._start_next()
        if slot in self._idle:
            self._consider_release(slot)

    def _consider_release(self, slot: int) -> None:
        """Give an idle slot back after a while, unless it is used again or part of the minimum."""
        if self.slots <= self._spec.slots:
            return
        idle_since = self._idle_since[slot] = self._env.now

        def release(_: Event) -> None:
            unused = self._idle_since.get(slot) == idle_since
            if unused and self.slots > self._spec.slots:
                del self._idle_since[slot]
                self._give_back(slot)

        # Last, so that a job which comes at that instant still gets it.
        timer = self._env.at(idle_since + self._spec.release_after_h, priority=LAST)
        assert timer.callbacks is not None
        timer.callbacks.append(release)

    def _give_back(self, slot: int) -> None:
        self._idle.remove(slot)
        self._idle.sort()
        self._resize(-1)

    def _close(self) -> None:
        """Let jobs that were interrupted here go on wherever a slot is free first."""
        for job in self.take_waiting():
            job.anywhere = True
            self._wait(job)
        for pool in self._cluster.pools:
            if pool._idle:
                pool._start_next()

    def _resize(self, by: int) -> None:
        self.sizes.append((self._env.now, self.slots + by))

    def stretches(self, end: float) -> Iterator[tuple[float, float, float]]:
        """Yield each stretch of unchanged size up to ``end``: from, to, slot-hours available."""
        until = [since for since, _ in self.sizes[1:]] + [end]
        for (since, slots), stop in zip(self.sizes, until, strict=True):
            if since < stop:
                yield since, stop, slots * (stop - since)
