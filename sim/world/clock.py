"""The clock of a simulation, and a guard against a standstill.

Time is in hours, on a grid of microseconds (see :mod:`sim.kernel.ticks`).
"""

import inspect
from math import nan

from simpy.events import EventPriority

from sim.kernel import Environment

DEPARTURE = EventPriority(2)
"""Happens after all that arrives at the same instant."""
LAST = EventPriority(3)
"""Happens after everything else at the same instant: what ends then has ended."""

_PATIENCE = 500_000
_EVENTS_PER_WAITING_ONE = 10


class SimulationError(RuntimeError):
    """A simulation cannot go on; the message is one line that says where and why."""


class Clock(Environment):
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
        self._most_events = most_events
        self._error: SimulationError | None = None
        self._looked_at = nan
        self._patience = max(_PATIENCE, _EVENTS_PER_WAITING_ONE * people)
        super().__init__(self._next_look(0))

    def _look(self, number: int, waiting: int) -> int:
        """End a simulation that has made too many events, in all or at this instant."""
        if self._error is None:
            if self._most_events is not None and number >= self._most_events:
                self._error = SimulationError(
                    f"the simulation has made {number:,} events by {self._place()} and is stopped; "
                    "simulate fewer weeks or a smaller organization"
                )
            elif self.now == self._looked_at:
                self._error = SimulationError(
                    f"the clock stands still at {self._place()}: {self._patience:,} events have "
                    "happened at this instant; give what takes hardly any time a longer duration"
                )
        if self._error is not None:  # again, when SimPy schedules that the process has failed
            raise self._error
        self._looked_at = self.now
        self._patience = max(self._patience, _EVENTS_PER_WAITING_ONE * waiting)
        return self._next_look(number)

    def _next_look(self, number: int) -> int:
        later = number + self._patience
        return later if self._most_events is None else min(later, self._most_events)

    def _place(self) -> str:
        """Return where the simulation is: the time, and what is being done, if that is known."""
        place = f"{self.now:.6f} h"
        process = self.active_process
        if process is None:
            return place
        place += f" in '{process.name.strip('_').replace('_', ' ')}'"
        service = inspect.getgeneratorlocals(process._generator).get("service")
        return f"{place} of '{service.name}'" if service is not None else place
