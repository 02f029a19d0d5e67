"""Openings of boards and release windows, against a search over all hours."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.scenario.organization import DAYS, Window
from sim.world.calendar import WEEK_H
from sim.world.windows import Timetable

EXAMPLES = settings(derandomize=True, phases=[Phase.generate], deadline=None)

WINDOWS = st.builds(
    Window,
    every_weeks=st.integers(1, 5),
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(tuple),
    hour=st.integers(0, 95).map(lambda quarters: quarters / 4),
)
TIMES = st.one_of(
    st.floats(0, 12 * WEEK_H), st.integers(0, 4 * 2016).map(lambda quarters: quarters / 4)
)


def search(window: Window, at: float) -> float:
    """Return the first opening at or after ``at`` by looking at every day."""
    day = 0
    while True:
        opening = 24.0 * day + window.hour
        in_turn = day // 7 % window.every_weeks == 0
        if in_turn and DAYS[day % 7] in window.days and opening >= at:
            return opening
        day += 1


@EXAMPLES
@given(WINDOWS, TIMES)
def test_next_opening(window: Window, at: float) -> None:
    assert Timetable(window).next_opening(at) == search(window, at)


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (0.0, 58.0),  # Wednesday 10:00
        (58.0, 58.0),  # whoever comes as it opens still gets in
        (58.001, 58.0 + 336.0),  # every second week only
        (336.0, 394.0),
        (52 * 336.0 + 58.0, 52 * 336.0 + 58.0),
    ],
)
def test_every_second_wednesday(at: float, opening: float) -> None:
    timetable = Timetable(Window(every_weeks=2, days=("wed",), hour=10))
    assert timetable.next_opening(at) == opening


def test_order_of_days_does_not_matter() -> None:
    timetable = Timetable(Window(days=("fri", "mon", "fri"), hour=9))
    assert [timetable.next_opening(at) for at in (0.0, 9.5, 106.0)] == [9.0, 105.0, 177.0]
