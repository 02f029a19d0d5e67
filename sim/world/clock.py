"""The clock of a simulation: instants on a grid of microseconds, and a guard against a standstill.

Time is in hours, as a float. Hours that people write (8.4, 14.1, 8 h 20 min) are no binary
fractions, and sums of floats depend on their order, so that two ways to the same instant would
differ in the last digits. Every instant is therefore the float next to a whole number of
microseconds: two instants are equal if and only if their floats are, and differences of floats
decide nothing.

SimPy lets an event be scheduled only after a delay. :class:`Clock` overrides its public
``schedule``, which means to touch its queue (``_queue``, ``_eid``, ``_now``). An event that is
scheduled without ``succeed`` needs its outcome set (``_ok``, ``_value``). All of that is here.
"""

import inspect
from heapq import heappush
from math import nan
from typing import Any

import simpy
from simpy.events import NORMAL, Event, EventPriority

TICKS_PER_H = 3_600_000_000
"""Microseconds per hour."""
LAST_H = 2.0**20
"""Up to here, 6241 weeks, hours and ticks convert into each other without loss."""

DEPARTURE = EventPriority(2)
"""Happens after all that arrives at the same instant."""
LAST = EventPriority(3)
"""Happens after everything else at the same instant: what ends then has ended."""

_PATIENCE = 500_000
_EVENTS_PER_WAITING_ONE = 10


class SimulationError(RuntimeError):
    """A simulation cannot go on; the message is one line that says where and why."""


def to_ticks(hours: float) -> int:
    """Return the number of microseconds that is nearest to ``hours``."""
    return round(hours * TICKS_PER_H)


def to_hours(ticks: int) -> float:
    """Return the float that stands for a number of microseconds."""
    return ticks / TICKS_PER_H


def snap(hours: float) -> float:
    """Return the instant that is nearest to ``hours``; what is beyond ``LAST_H`` stays as it is."""
    return round(hours * TICKS_PER_H) / TICKS_PER_H if hours < LAST_H else hours


class Occurrence(Event):
    """An event that will succeed for certain: all that is open is when it happens.

    Args:
        env: the simulation.
        value: what those who wait for it get.
    """

    def __init__(self, env: "Clock", value: Any = None) -> None:
        # As simpy.Timeout does, set all attributes here: there are very many such events.
        self.env = env
        self.callbacks = []
        self._ok = True
        self._value = value
        self._defused = False


class Clock(simpy.Environment):
    """SimPy's environment, with time on the grid, from 0.

    It ends a simulation whose clock stands still. Every half a million events (or ten times as many
    as there are people, or were waiting when it looked, if that is more) it looks whether time has
    passed since. If not,
    the process that schedules an event gets a :class:`SimulationError`, which SimPy passes on to
    the caller of ``run``.

    Args:
        most_events: how many events the simulation may make; None for no limit.
        people: how many may begin to work at the same instant.
    """

    def __init__(self, most_events: int | None = None, people: int = 0) -> None:
        super().__init__(0.0)
        self._most_events = most_events
        self._error: SimulationError | None = None
        self._looked_at = nan
        self._patience = max(_PATIENCE, _EVENTS_PER_WAITING_ONE * people)
        self._look_again = self._patience
        if most_events is not None:
            self._look_again = min(self._look_again, most_events)

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0.0) -> None:
        """Schedule ``event`` for the instant that is nearest to ``delay`` hours from now."""
        at = self._now
        if delay:
            at += delay
            if at < LAST_H:  # as snap does, without the call: there are very many events
                at = round(at * TICKS_PER_H) / TICKS_PER_H
        number = next(self._eid)
        if number >= self._look_again:
            self._look(number)
        heappush(self._queue, (at, priority, number, event))

    def schedule_at(self, event: Event, at: float, priority: EventPriority = NORMAL) -> None:
        """Schedule ``event`` for ``at``, which is an instant of the clock."""
        if at < self._now:
            raise ValueError(f"{at} h is over; it is {self._now} h")
        number = next(self._eid)
        if number >= self._look_again:
            self._look(number)
        heappush(self._queue, (at, priority, number, event))

    def at(self, when: float, value: Any = None, priority: EventPriority = NORMAL) -> Event:
        """Return an event that happens at the instant nearest to ``when``, not before now."""
        event = Occurrence(self, value)
        self.schedule_at(event, snap(when), priority)
        return event

    def _look(self, number: int) -> None:
        """End a simulation that has made too many events, in all or at this instant."""
        if self._error is None:
            if self._most_events is not None and number >= self._most_events:
                self._error = SimulationError(
                    f"the simulation has made {number:,} events by {self._place()} and is stopped; "
                    "simulate fewer weeks or a smaller organization"
                )
            elif self._now == self._looked_at:
                self._error = SimulationError(
                    f"the clock stands still at {self._place()}: {self._patience:,} events have "
                    "happened at this instant; give what takes hardly any time a longer duration"
                )
        if self._error is not None:  # again, when SimPy schedules that the process has failed
            raise self._error
        self._looked_at = self._now
        self._patience = max(self._patience, _EVENTS_PER_WAITING_ONE * len(self._queue))
        self._look_again = number + self._patience
        if self._most_events is not None:
            self._look_again = min(self._look_again, self._most_events)

    def _place(self) -> str:
        """Return where the simulation is: the time, and what is being done, if that is known."""
        place = f"{self._now:.6f} h"
        process = self.active_process
        if process is None:
            return place
        place += f" in '{process.name.strip('_').replace('_', ' ')}'"
        service = inspect.getgeneratorlocals(process._generator).get("service")
        return f"{place} of '{service.name}'" if service is not None else place
