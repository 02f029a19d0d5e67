"""Openings of boards and release windows, against a search over all days in microseconds."""

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from small_organization import simulate

from sim.hours import HOURS_PER_WEEK as WEEK_H
from sim.kernel.ticks import snap, to_hours, to_ticks
from sim.scenario.organization import DAYS, Window
from sim.world.calendar import DAY_TICKS
from sim.world.windows import Timetable

EXAMPLES = settings(derandomize=True, phases=[Phase.explicit, Phase.generate], deadline=None)

WINDOWS = st.builds(
    Window,
    every_weeks=st.integers(1, 52),
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(tuple),
    hour=st.one_of(
        st.integers(0, 24 * 60 - 1).map(lambda minutes: minutes / 60),
        st.integers(0, 239).map(lambda tenths: tenths / 10),
        st.floats(0, 23.99),
    ),
)


@st.composite
def window_and_time(draw: st.DrawFn) -> tuple[Window, float]:
    """Return a window and an instant, which often is an opening or next to it."""
    window = draw(WINDOWS)
    day = draw(st.integers(0, 7 * 1000))
    if draw(st.booleans()):
        return window, snap(24.0 * day + draw(st.floats(0, 24)))
    near = DAY_TICKS * day + to_ticks(window.hour) + draw(st.sampled_from([-1, 0, 1]))
    return window, to_hours(max(0, near))


def search(window: Window, at: float) -> float:
    """Return the first opening at or after ``at`` by looking at every day."""
    day = int(at // 24) - 1
    while True:
        opening = DAY_TICKS * day + to_ticks(window.hour)
        in_turn = day // 7 % window.every_weeks == 0
        if in_turn and DAYS[day % 7] in window.days and opening >= to_ticks(at):
            return to_hours(opening)
        day += 1


@settings(EXAMPLES, max_examples=300)
@given(window_and_time())
@example((Window(hour=14.1), snap(2 * 24 + 14.1)))
@example((Window(hour=14.1), snap(5000 * WEEK_H + 2 * 24 + 14.1)))
def test_next_opening(drawn: tuple[Window, float]) -> None:
    window, at = drawn
    opening = Timetable(window).next_opening(at)
    assert opening == search(window, at)
    assert opening >= at
    assert Timetable(window).next_opening(opening) == opening  # who is there then gets in


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


def test_a_board_and_a_release_at_the_same_time_in_tenths_of_an_hour() -> None:
    """A change every 168 h from Monday 00:00 on, the board and the release on Wednesday 14:06."""
    window = {"days": ["wed"], "hour": 14.1}
    run = simulate(
        weeks=12,
        changes={"feature": {"author": "ml_engineer", "arrivals": "open", "interarrival_h": 168}},
        pipeline={
            "steps": {
                "approve": {"role": "ml_engineer", "window": window},
                "deploy": {"effect": "deploys", "window": window},
            }
        },
    )
    lead_time_h = (run.changes["deployed_at"] - run.changes["committed_at"]).dropna()
    assert len(lead_time_h) == 11
    assert lead_time_h.to_numpy() == pytest.approx(48 + 14.1, abs=1e-9)
