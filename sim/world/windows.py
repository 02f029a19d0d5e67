"""Fixed times at which approval boards meet and releases go out."""

from sim.scenario.organization import DAYS, Window

from .calendar import WEEK_H


class Timetable:
    """The openings of a window, for ever.

    Args:
        window: when it opens.
    """

    def __init__(self, window: Window) -> None:
        self._period = window.every_weeks * WEEK_H
        self._offsets = sorted(24.0 * DAYS.index(day) + window.hour for day in set(window.days))

    def next_opening(self, at: float) -> float:
        """Return the first opening at or after ``at``."""
        period, inside = divmod(at, self._period)
        for offset in self._offsets:
            if offset >= inside:
                return period * self._period + offset
        return (period + 1) * self._period + self._offsets[0]
