"""Calendars: the working hours of a role."""

from collections.abc import Iterator

from sim.hours import HOURS_PER_DAY
from sim.kernel import Hours
from sim.kernel.hours import WEEK_TICKS
from sim.kernel.ticks import to_hours, to_ticks
from sim.scenario.organization import DAYS, WorkingHours

DAY_TICKS = to_ticks(HOURS_PER_DAY)
"""A day in ticks of the clock."""


class Calendar(Hours):
    """When focused work gets done, and how much.

    Args:
        hours: working hours of a role.
    """

    def __init__(self, hours: WorkingHours) -> None:
        starts = sorted(DAY_TICKS * DAYS.index(day) for day in set(hours.days))
        opens, closes = to_ticks(hours.opens), to_ticks(hours.closes)
        self._days = [(start + opens, start + closes) for start in starts]
        weekly = WEEK_TICKS if hours.always else (closes - opens) * len(starts)
        self.weekly = to_hours(weekly) * hours.focus
        """Effort hours that fit into a week."""
        super().__init__(
            [opens for opens, _ in self._days],
            [closes for _, closes in self._days],
            hours.focus,
            hours.always,
        )

    def stretches(self, start: float, end: float) -> Iterator[tuple[float, float, float]]:
        """Yield each stretch of working time between ``start`` and ``end``.

        It is (when it opens, when it closes, hours of focused work that fit into it). If it never
        closes, there is one.
        """
        first, last = to_ticks(start), to_ticks(end)
        if self.always:
            if first < last:
                yield start, end, to_hours(last - first) * self.focus
            return
        for monday in range(first - first % WEEK_TICKS, last, WEEK_TICKS):
            for opens, closes in self._days:
                begin, stop = max(first, monday + opens), min(last, monday + closes)
                if begin < stop:
                    yield to_hours(begin), to_hours(stop), to_hours(stop - begin) * self.focus
