"""Working hours: exact arithmetic between elapsed time and focused effort.

Time is hours since Monday 00:00 of week 0. Nothing ticks: the week repeats, so every question is
answered by counting whole weeks and looking inside one.
"""

from bisect import bisect_left, bisect_right
from math import inf

from sim.scenario.organization import DAYS, WorkingHours

WEEK_H = 168.0
_DAY_H = 24.0
_ROUNDING_H = 1e-9  # work that ends this close to a closing ends with it, not the next morning


class Calendar:
    """When focused work gets done, and how much.

    Args:
        hours: working hours of a role.
    """

    def __init__(self, hours: WorkingHours) -> None:
        self.always = hours.always
        self.focus = hours.focus
        starts = sorted(_DAY_H * DAYS.index(day) for day in set(hours.days))
        self._opens = [start + hours.opens for start in starts]
        self._closes = [start + hours.closes for start in starts]
        per_day = (hours.closes - hours.opens) * hours.focus
        self._before = [per_day * index for index in range(len(starts) + 1)]
        self.weekly = WEEK_H * hours.focus if hours.always else self._before[-1]
        """Effort hours that fit into a week."""

    def is_open(self, at: float) -> bool:
        """Return whether ``at`` lies in working hours (opening included, closing not)."""
        if self.always:
            return True
        hour = at % WEEK_H
        index = bisect_right(self._opens, hour) - 1
        return index >= 0 and hour < self._closes[index]

    def next_opening(self, at: float) -> float:
        """Return the first opening strictly after ``at``; infinity if it never closes."""
        if self.always:
            return inf
        week, hour = divmod(at, WEEK_H)
        index = bisect_right(self._opens, hour)
        if index == len(self._opens):
            return (week + 1) * WEEK_H + self._opens[0]
        return week * WEEK_H + self._opens[index]

    def finish(self, start: float, effort: float) -> float:
        """Return when ``effort`` hours of focused work begun at ``start`` are done.

        It is the earliest time at which :meth:`worked` since ``start`` reaches ``effort``; no
        effort takes no time.
        """
        if self.always:
            return start + effort / self.focus
        if effort <= 0:
            return start
        week, hour = divmod(start, WEEK_H)
        weeks, needed = divmod(self._since_monday(hour) + effort, self.weekly)
        if needed <= _ROUNDING_H:  # done with the last working hour of the week before
            weeks, needed = weeks - 1, self.weekly
        index = bisect_left(self._before, needed - _ROUNDING_H) - 1
        inside = self._opens[index] + (needed - self._before[index]) / self.focus
        return max(start, (week + weeks) * WEEK_H + min(inside, self._closes[index]))

    def worked(self, start: float, end: float) -> float:
        """Return the hours of focused work that fit between ``start`` and ``end``."""
        if self.always:
            return (end - start) * self.focus
        start_week, start_hour = divmod(start, WEEK_H)
        end_week, end_hour = divmod(end, WEEK_H)
        inside = self._since_monday(end_hour) - self._since_monday(start_hour)
        return (end_week - start_week) * self.weekly + inside

    def _since_monday(self, hour: float) -> float:
        index = bisect_right(self._opens, hour) - 1
        if index < 0:
            return 0.0
        worked_h = min(hour, self._closes[index]) - self._opens[index]
        return self._before[index] + worked_h * self.focus
