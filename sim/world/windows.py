"""Fixed times at which approval boards meet and releases go out."""

from sim.kernel.hours import WEEK_TICKS
from sim.kernel.ticks import to_hours, to_ticks
from sim.scenario.organization import DAYS, Window

from .calendar import DAY_TICKS


class Timetable:
    """The openings of a window, for ever.

    Args:
        window: when it opens.
    """

    def __init__(self, window: Window) -> None:
        self._period = window.every_weeks * WEEK_TICKS
        hour = to_ticks(window.hour)
        self._offsets = sorted(DAY_TICKS * DAYS.index(day) + hour for day in set(window.days))

    def next_opening(self, at: float) -> float:
        """Return the first opening at or after ``at``, to the microsecond."""
        period, inside = divmod(to_ticks(at), self._period)
        for offset in self._offsets:
            if offset >= inside:
                return to_hours(period * self._period + offset)
        return to_hours((period + 1) * self._period + self._offsets[0])
