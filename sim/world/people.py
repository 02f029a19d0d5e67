"""People: pools of a role that work by priority within their hours.

A pool gives a free person to the most urgent task, first come first served among equals. A task of
an interrupting class (by default an incident) takes a person off less urgent work at once; any
other more urgent task gets its person the next morning. Interrupted work resumes where it stopped.
Work that is done at an instant is done, whatever else happens then: nobody is interrupted at the
moment of finishing.

SimPy's own preemptive resource was rejected: it keeps waiting requests in a sorted list
(quadratic under overload), knows no calendar, and needs a process per piece of work.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from heapq import heappop, heappush
from math import inf, nan
from operator import attrgetter

from simpy.events import Event

from sim.kernel import Occurrence
from sim.kernel.ticks import snap
from sim.log import NO_ID, EventLog
from sim.log.rows import WorkOutcome
from sim.scenario.organization import WORK_CLASSES

from .calendar import Calendar
from .clock import LAST, Clock

(
    INCIDENT,
    REMEDIATION,
    RETRAINING,
    TOIL,
    INVESTMENT,
    FEATURE,
    EXPLORATION,
    IMPROVEMENT,
) = range(len(WORK_CLASSES))
"""Priorities, most urgent first."""
_LATE = attrgetter("priority", "sequence")


class Task(Occurrence):
    """A piece of work for one person; the event happens when it is done.

    It is scheduled for its end when somebody begins it. An interruption leaves it in SimPy's
    schedule without effect and hands its callbacks on to another event, for the end of the rest:
    one event per task instead of two, as interruptions are rare.

    Attributes:
        submitted_at: when it was handed to the pool.
        started_at: when somebody first began it; NaN before.
        ends_at: when the person who is at it will be done.
    """

    def __init__(
        self,
        env: Clock,
        effort_h: float,
        priority: int,
        sequence: int,
        change_id: int,
        incident_id: int,
        around_the_clock: bool,
    ) -> None:
        super().__init__(env)
        self.effort_h = self.remaining_h = effort_h
        self.priority = priority
        self.sequence = sequence
        self.change_id = change_id
        self.incident_id = incident_id
        self.around_the_clock = around_the_clock
        self.submitted_at = self.queued_at = env.now
        self.started_at = self.stint_from = self.ends_at = nan
        self.person = NO_ID
        self.rest: Event | None = None


class PeoplePool:
    """The people of one role in one team, or in a group that serves all teams.

    Args:
        env: the simulation.
        log: where stints go.
        name: name of the pool in the log.
        role: role of its people.
        team: team it belongs to; empty for a shared group.
        headcount: how many they are.
        calendar: when they work.
        interrupting: priorities that interrupt less urgent work at once.
    """

    def __init__(
        self,
        env: Clock,
        log: EventLog,
        name: str,
        role: str,
        team: str,
        headcount: int,
        calendar: Calendar,
        interrupting: Collection[int],
    ) -> None:
        self.name = name
        self.role = role
        self.team = team
        self.headcount = headcount
        self.calendar = calendar
        self._calendars = [(env.now, calendar)]
        self._env = env
        self._log = log
        self._interrupting = frozenset(interrupting)
        self._idle = list(range(headcount))
        self._running: dict[int, Task] = {}
        self._waiting: list[tuple[int, int, Task]] = []
        self._submitted = 0
        self._wake_at = nan

    def is_free(self) -> bool:
        """Return whether somebody would begin planned work at once."""
        return bool(self._idle) and not self._waiting and self.calendar.is_open(self._env.now)

    def work(
        self,
        effort_h: float,
        priority: int,
        change_id: int = NO_ID,
        incident_id: int = NO_ID,
        around_the_clock: bool = False,
        continues: Task | None = None,
    ) -> Task:
        """Hand in ``effort_h`` hours of focused work and return the task to wait for.

        Wait for it at once: an interruption takes along only those who are waiting by then.
        ``around_the_clock`` work is also begun, and done without regard to meetings, outside
        working hours: somebody on call handles an incident. What ``continues`` an earlier task has
        that one's place among equals.
        """
        task = Task(
            self._env,
            effort_h,
            priority,
            self._submitted if continues is None else continues.sequence,
            change_id,
            incident_id,
            around_the_clock,
        )
        self._submitted += 1
        assert task.callbacks is not None
        task.callbacks.append(partial(self._finish, task))
        # Somebody idle while others wait: it is opening time, and the turn of who came before.
        if self.is_free() or (self._idle and around_the_clock):
            self._start(task)
        else:
            heappush(self._waiting, (priority, task.sequence, task))
            self._make_room(task)
        return task

    def adopt(self, calendar: Calendar) -> None:
        """From now on work as ``calendar`` says; tasks that have begun go on under it."""
        for task in list(self._running.values()):
            if task.ends_at == self._env.now:
                self._complete(task)
            elif not task.around_the_clock:
                self._interrupt(task)
        self.calendar = calendar
        self._calendars.append((self._env.now, calendar))
        self._wake_at = nan
        self._start_waiting()

    def stretches(self, end: float) -> Iterator[tuple[float, float, float, float]]:
        """Yield each stretch of working time up to ``end``.

        It is (opens, closes, hours of focused work of all its people, hours they are paid for).
        """
        until = [since for since, _ in self._calendars[1:]] + [end]
        for (since, calendar), stop in zip(self._calendars, until, strict=True):
            for opens, closes, effort_h in calendar.stretches(since, stop):
                effort_h *= self.headcount
                yield opens, closes, effort_h, effort_h / calendar.focus

    def flush(self) -> None:
        """Log what is unfinished or still waiting at the end of the simulation."""
        for task in self._running.values():
            self._log_stint(task, self._done_in_stint(task), nan, "unfinished")
        for _, _, task in sorted(self._waiting):
            task.person, task.stint_from = NO_ID, nan
            self._log_stint(task, 0.0, nan, "waiting")

    def _start(self, task: Task) -> None:
        now = self._env.now
        task.person = heappop(self._idle)
        self._running[task.person] = task
        if task.started_at != task.started_at:
            task.started_at = now
        task.stint_from = now
        if task.around_the_clock:
            task.ends_at = snap(now + task.remaining_h)
        else:
            task.ends_at = self.calendar.finish(now, task.remaining_h)
        self._env.schedule_at(task.rest or task, task.ends_at)

    def _finish(self, task: Task, _: Event) -> None:
        if self._running.get(task.person) is task:  # or else it is complete already
            self._complete(task)
        if not self._waiting:
            return
        if task.priority in self._interrupting:
            # The process that waits for it may have more of the same urgency for the same person.
            soon = self._env.timeout(0)
            assert soon.callbacks is not None
            soon.callbacks.append(lambda _: self._start_waiting())
        else:
            self._start_waiting()

    def _complete(self, task: Task) -> None:
        """Let go of who is done with ``task`` now; its event may still be to come."""
        self._log_stint(task, task.remaining_h, self._env.now, "finished")
        self._release(task)

    def _interrupt(self, task: Task) -> None:
        done_h = self._done_in_stint(task)
        self._log_stint(task, done_h, self._env.now, "interrupted")
        self._release(task)
        scheduled = task.rest or task
        task.rest = Occurrence(self._env)
        task.rest.callbacks, scheduled.callbacks = scheduled.callbacks, []
        task.remaining_h -= done_h
        task.queued_at = self._env.now
        heappush(self._waiting, (task.priority, task.sequence, task))

    def _done_in_stint(self, task: Task) -> float:
        now = self._env.now
        if task.around_the_clock:
            return min(task.remaining_h, now - task.stint_from)
        return min(task.remaining_h, self.calendar.worked(task.stint_from, now))

    def _release(self, task: Task) -> None:
        del self._running[task.person]
        heappush(self._idle, task.person)

    def _log_stint(
        self, task: Task, effort_h: float, finished_at: float, outcome: WorkOutcome
    ) -> None:
        pool, activity, started_at = self.name, WORK_CLASSES[task.priority], task.stint_from
        self._log.work.append(
            (
                pool,
                self.role,
                self.team,
                task.person,
                activity,
                task.change_id,
                task.incident_id,
                task.queued_at,
                started_at,
                finished_at,
                effort_h,
                outcome,
                task.around_the_clock,
            )
        )

    def _start_waiting(self) -> None:
        """Give idle people the most urgent tasks that may be begun now."""
        is_open = self.calendar.is_open(self._env.now)
        while self._idle and self._waiting:
            if not (is_open or self._waiting[0][2].around_the_clock):
                self._wake_at_opening()
                return
            self._start(heappop(self._waiting)[2])

    def _make_room(self, task: Task) -> None:
        """Find a person for ``task``, which is waiting: now, or else the next morning."""
        if self._idle:
            self._start_waiting()
            return
        interrupts = task.priority in self._interrupting
        if self.calendar.always and not interrupts:
            return  # there is no next morning
        victim = _least_urgent(self._running.values())
        if victim is None or victim.priority <= task.priority:
            return
        if interrupts:
            self._free_somebody(victim)
        else:
            self._wake_at_opening()

    def _free_somebody(self, victim: Task) -> None:
        """Give the most urgent task a person: one who is done now, or else that of ``victim``."""
        now = self._env.now
        done = _least_urgent(task for task in self._running.values() if task.ends_at == now)
        if done is None:
            self._interrupt(victim)
        else:
            self._complete(done)
        self._start_waiting()

    def _wake_at_opening(self) -> None:
        now = self._env.now
        # What comes as the day begins need not wait for the next one.
        opening = now if self.calendar.opens_at(now) else self.calendar.next_opening(now)
        if opening == self._wake_at or opening == inf:
            return
        self._wake_at = opening
        wake = self._env.at(opening, self.calendar, LAST)
        assert wake.callbacks is not None
        wake.callbacks.append(self._open)

    def _open(self, wake: Event) -> None:
        """Begin the day: the most urgent tasks get the people."""
        if wake.value is not self.calendar:
            return  # by now it begins at another time
        self._wake_at = nan
        self._start_waiting()
        while self._waiting:
            victim = _least_urgent(self._running.values())
            if victim is None or victim.priority <= self._waiting[0][0]:
                return
            self._free_somebody(victim)


def _least_urgent(tasks: Iterable[Task]) -> Task | None:
    """Return the least urgent of ``tasks``; among equals the one handed in last."""
    return max(tasks, key=_LATE, default=None)
