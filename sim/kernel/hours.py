"""Working hours: exact arithmetic between elapsed time and focused effort.

Time is hours since Monday 00:00 of week 0. Nothing ticks: the week repeats, so every question is
answered by counting whole weeks and looking inside one, in whole microseconds (see :mod:`.ticks`),
so that no answer contradicts another at an opening or a closing. ``compiled_hours.pyx`` does the
same in compiled code.
"""

from bisect import bisect_left, bisect_right
from math import inf

from sim.hours import HOURS_PER_WEEK

from .ticks import to_hours, to_ticks

WEEK_TICKS = to_ticks(HOURS_PER_WEEK)
"""A week in ticks of the clock."""


class Hours:
    """When focused work gets done.

    Args:
        opens: when each working day of a week begins, in ticks since Monday, in order.
        closes: when each of them ends; not after the next one begins.
        focus: share of that time that is left for focused work.
        always: work never stops, whatever the days say.
    """

    def __init__(self, opens: list[int], closes: list[int], focus: float, always: bool) -> None:
        self.always = always
        self.focus = focus
        self._opens = opens
        self._closes = closes
        self._before = [0]
        """Working ticks of the week before each day, and of the whole week."""
        for begin, end in zip(opens, closes, strict=True):
            self._before.append(self._before[-1] + end - begin)
        self._weekly = WEEK_TICKS if always else self._before[-1]

    def is_open(self, at: float) -> bool:
        """Return whether ``at`` lies in working hours (opening included, closing not)."""
        if self.always:
            return True
        inside = to_ticks(at) % WEEK_TICKS
        index = bisect_right(self._opens, inside) - 1
        return index >= 0 and inside < self._closes[index]

    def opens_at(self, at: float) -> bool:
        """Return whether working hours begin at ``at``."""
        return not self.always and to_ticks(at) % WEEK_TICKS in self._opens

    def next_opening(self, at: float) -> float:
        """Return the first opening strictly after ``at``; infinity if it never closes."""
        if self.always:
            return inf
        week, inside = divmod(to_ticks(at), WEEK_TICKS)
        index = bisect_right(self._opens, inside)
        if index == len(self._opens):
            week, index = week + 1, 0
        return to_hours(week * WEEK_TICKS + self._opens[index])

    def finish(self, start: float, effort: float) -> float:
        """Return when ``effort`` hours of focused work begun at ``start`` are done.

        It is the earliest time at which :meth:`worked` since ``start`` reaches ``effort``, to the
        nearest microsecond of work; no effort takes no time.
        """
        needed = to_ticks(effort / self.focus)
        if needed <= 0:
            return start
        if self.always:
            return to_hours(to_ticks(start) + needed)
        week, inside = divmod(to_ticks(start), WEEK_TICKS)
        weeks, needed = divmod(self._since_monday(inside) + needed, self._weekly)
        if needed == 0:  # done with the last working hour of the week before
            weeks, needed = weeks - 1, self._weekly
        index = bisect_left(self._before, needed) - 1
        return to_hours(
            (week + weeks) * WEEK_TICKS + self._opens[index] + needed - self._before[index]
        )

    def worked(self, start: float, end: float) -> float:
        """Return the hours of focused work that fit between ``start`` and ``end``."""
        return to_hours(self._until(to_ticks(end)) - self._until(to_ticks(start))) * self.focus

    def _until(self, at: int) -> int:
        """Return the working ticks from the first Monday to ``at``."""
        if self.always:
            return at
        week, inside = divmod(at, WEEK_TICKS)
        return week * self._weekly + self._since_monday(inside)

    def _since_monday(self, inside: int) -> int:
        index = bisect_right(self._opens, inside) - 1
        if index < 0:
            return 0
        return self._before[index] + min(inside, self._closes[index]) - self._opens[index]
