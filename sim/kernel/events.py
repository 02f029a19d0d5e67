"""Events and their order: SimPy's environment with time on the grid of :mod:`.ticks`.

SimPy lets an event be scheduled only after a delay. :class:`Environment` overrides its public
``schedule`` and ``run``, which means to touch its queue (``_queue``, ``_eid``, ``_now``). An event
that is scheduled without ``succeed`` needs its outcome set (``_ok``, ``_value``). All of that is
here, and in ``compiled_events.pyx``, which does the same in compiled code.
"""

from heapq import heappop, heappush
from types import MethodType
from typing import Any

import simpy
from simpy.events import NORMAL, URGENT, Event, EventPriority

from .ticks import LAST_H, TICKS_PER_H, snap


class Occurrence(Event):
    """An event that will succeed for certain: all that is open is when it happens.

    Args:
        env: the simulation.
        value: what those who wait for it get.
    """

    def __init__(self, env: "Environment", value: Any = None) -> None:
        # As simpy.Timeout does, set all attributes here: there are very many such events.
        self.env = env
        self.callbacks = []
        self._ok = True
        self._value = value


class Environment(simpy.Environment):
    """SimPy's environment, with time on the grid, from 0.

    Args:
        look_again: number of the event at which ``_look`` is called first.

    Attributes:
        now: the time in hours.
    """

    now: float = 0.0

    def __init__(self, look_again: int) -> None:
        super().__init__(0.0)
        self._look_again = look_again
        for name, kind in (("process", simpy.Process), ("timeout", simpy.Timeout)):
            # SimPy does it for its own class only; without it, each use makes a bound method.
            setattr(self, name, MethodType(kind, self))

    def _look(self, number: int, waiting: int) -> int:
        """Look how the simulation goes, when event ``number`` is scheduled.

        Args:
            number: how many events have been scheduled before.
            waiting: how many are in the schedule.

        Returns:
            the number of the event at which to look again.
        """
        raise NotImplementedError

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0.0) -> None:
        """Schedule ``event`` for the instant that is nearest to ``delay`` hours from now."""
        at = self._now
        if delay:
            at += delay
            if at < LAST_H:  # as snap does, without the call: there are very many events
                at = round(at * TICKS_PER_H) / TICKS_PER_H
        number = next(self._eid)
        if number >= self._look_again:
            self._look_again = self._look(number, len(self._queue))
        heappush(self._queue, (at, priority, number, event))

    def schedule_at(self, event: Event, at: float, priority: EventPriority = NORMAL) -> None:
        """Schedule ``event`` for ``at``, which is an instant of the clock."""
        if at < self._now:
            raise ValueError(f"{at} h is over; it is {self._now} h")
        number = next(self._eid)
        if number >= self._look_again:
            self._look_again = self._look(number, len(self._queue))
        heappush(self._queue, (at, priority, number, event))

    def at(self, when: float, value: Any = None, priority: EventPriority = NORMAL) -> Event:
        """Return an event that happens at the instant nearest to ``when``, not before now."""
        event = Occurrence(self, value)
        self.schedule_at(event, snap(when), priority)
        return event

    def run(self, until: float | Event | None = None) -> Any:
        """Let events happen until a time or an event, or until there are none.

        Args:
            until: a time after now; what is scheduled for it happens later. Or an event, the value
                of which is returned.

        Raises:
            ValueError: the time is not after now.
            RuntimeError: the event cannot happen any more.
        """
        stop: Event | None = None
        if isinstance(until, Event):
            stop = until
        elif until is not None:
            if until <= self.now:
                raise ValueError(f"until ({until}) must be later than now ({self.now})")
            stop = Occurrence(self)
            self.schedule_at(stop, snap(until), URGENT)
        queue = self._queue
        while queue and (stop is None or stop.callbacks is not None):
            # What SimPy's step does, in one place: there are very many events.
            at, _, _, event = heappop(queue)
            self._now = self.now = at
            callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
            for callback in callbacks:
                callback(event)
            if not event._ok and not event.defused:
                failure = type(event._value)(*event._value.args)
                raise failure from event._value
        if stop is None:
            return None
        if stop.callbacks is not None:
            raise RuntimeError(f"nothing is scheduled any more that could end in {stop}")
        return stop.value
