"""Working hours: effort and elapsed time, against a second implementation that walks the days.

Openings, closings and times are drawn by the minute and as arbitrary floats. The second
implementation counts whole microseconds, so that both agree to the last digit.
"""

from math import inf

import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from sim.hours import HOURS_PER_WEEK as WEEK_H
from sim.kernel.ticks import snap, to_hours, to_ticks
from sim.scenario.organization import DAYS, WorkingHours
from sim.world.calendar import DAY_TICKS, Calendar

EXAMPLES = settings(derandomize=True, phases=[Phase.explicit, Phase.generate], deadline=None)
TICK_H = 1 / 3.6e9
TEN_YEARS_H = 520 * WEEK_H

OFFICE = WorkingHours()
WEEKENDS = WorkingHours(days=("sat", "sun"), opens=10, closes=14, focus=0.5)
ONE_HOUR = WorkingHours(opens=9, closes=10)
ONE_HOUR_A_WEEK = WorkingHours(days=("thu",), opens=22, closes=23, focus=0.1)
NIGHT = WorkingHours(days=DAYS, opens=0, closes=24)
SUNDAY = WorkingHours(days=("sun",), opens=23.5, closes=24)
BY_MINUTES = [WorkingHours(opens=opens, closes=17.1) for opens in (8.4, 8.2, 8.3333333333, 9.1)]
KNOWN = [OFFICE, WEEKENDS, ONE_HOUR, ONE_HOUR_A_WEEK, NIGHT, SUNDAY, *BY_MINUTES]

HOURS_OF_THE_DAY = st.one_of(
    st.integers(0, 24 * 60).map(lambda minutes: minutes / 60),
    st.integers(0, 24 * 10).map(lambda tenths: tenths / 10),
    st.integers(0, 24 * 60).map(lambda minutes: round(minutes / 60, 4)),
    st.floats(0, 24),
)


@st.composite
def working_hours(draw: st.DrawFn) -> WorkingHours:
    if draw(st.booleans()):
        hours = draw(st.sampled_from(KNOWN))
    else:
        opens, closes = sorted([draw(HOURS_OF_THE_DAY), draw(HOURS_OF_THE_DAY)])
        assume(closes - opens >= 1 / 60)
        days = tuple(draw(st.sets(st.sampled_from(DAYS), min_size=1)))
        hours = WorkingHours(days=days, opens=opens, closes=closes)
    focus = draw(st.one_of(st.just(hours.focus), st.floats(0.1, 1), st.sampled_from([0.7, 0.9])))
    return hours.model_copy(update={"focus": focus, "always": draw(st.integers(0, 9)) == 0})


TIMES = st.one_of(
    st.integers(0, 4 * 168 * 60).map(lambda minutes: minutes / 60),
    st.integers(0, 4 * 1680).map(lambda tenths: tenths / 10),
    st.floats(0, 3 * WEEK_H),
    st.floats(0, TEN_YEARS_H),
    st.integers(0, 520).map(lambda week: week * WEEK_H),
).map(snap)
"""Instants of the clock."""
EFFORTS = st.one_of(
    st.floats(0.001, 100), st.integers(1, 6000).map(lambda minutes: minutes / 60), st.just(0.0)
)


@st.composite
def hours_and_time(draw: st.DrawFn) -> tuple[WorkingHours, float]:
    """Return working hours and an instant, which often is an opening or closing, or next to it."""
    hours, at = draw(working_hours()), draw(TIMES)
    if draw(st.booleans()):
        edge = to_ticks(draw(st.sampled_from([hours.opens, hours.closes])))
        day = draw(st.integers(0, 520 * 7))
        at = to_hours(max(0, DAY_TICKS * day + edge + draw(st.sampled_from([-1, 0, 0, 1]))))
    return hours, at


def open_on(hours: WorkingHours, day: int) -> tuple[int, int] | None:
    """Return the working ticks of a day (counted from the first Monday), if it has any."""
    if hours.always:
        return DAY_TICKS * day, DAY_TICKS * (day + 1)
    if DAYS[day % 7] not in hours.days:
        return None
    return DAY_TICKS * day + to_ticks(hours.opens), DAY_TICKS * day + to_ticks(hours.closes)


def walk_worked(hours: WorkingHours, start: int, end: int) -> int:
    worked = 0
    for day in range(start // DAY_TICKS, end // DAY_TICKS + 1):
        opened = open_on(hours, day)
        if opened is not None:
            worked += max(0, min(end, opened[1]) - max(start, opened[0]))
    return worked


def walk_finish(hours: WorkingHours, start: int, needed: int) -> int:
    day = start // DAY_TICKS
    while needed > 0:
        opened = open_on(hours, day)
        if opened is not None and opened[1] > start:
            begin = max(start, opened[0])
            if needed <= opened[1] - begin:
                return begin + needed
            needed -= opened[1] - begin
        day += 1
    return start


def walk_is_open(hours: WorkingHours, at: int) -> bool:
    opened = open_on(hours, at // DAY_TICKS)
    return opened is not None and opened[0] <= at < opened[1]


@EXAMPLES
@given(hours_and_time(), EFFORTS)
@example((OFFICE, 17.0), 8.0)
@example((OFFICE, 4 * 24 + 17.0), 40.0)
@example((NIGHT, 0.0), 168.0)
@example((SUNDAY, 0.0), 0.5)
@example((OFFICE.model_copy(update={"focus": 0.7}), 9.0), 5.6 * 15)
@example((BY_MINUTES[0], snap(8.4)), 17.1 - 8.4)
def test_finish_is_where_the_walk_ends(drawn: tuple[WorkingHours, float], effort: float) -> None:
    hours, start = drawn
    finish = Calendar(hours).finish(start, effort)
    assert finish == to_hours(walk_finish(hours, to_ticks(start), to_ticks(effort / hours.focus)))


@EXAMPLES
@given(hours_and_time(), st.floats(0, 3 * WEEK_H))
def test_worked_is_what_the_walk_counts(drawn: tuple[WorkingHours, float], elapsed: float) -> None:
    hours, start = drawn
    end = snap(start + elapsed)
    worked = walk_worked(hours, to_ticks(start), to_ticks(end))
    assert Calendar(hours).worked(start, end) == to_hours(worked) * hours.focus


@EXAMPLES
@given(hours_and_time(), st.floats(0, 3 * WEEK_H))
def test_stretches_are_when_it_is_open(drawn: tuple[WorkingHours, float], elapsed: float) -> None:
    hours, start = drawn
    end = snap(start + elapsed)
    expected = []
    for day in range(to_ticks(start) // DAY_TICKS, to_ticks(end) // DAY_TICKS + 1):
        if (opened := open_on(hours, day)) is not None:
            begin, stop = max(opened[0], to_ticks(start)), min(opened[1], to_ticks(end))
            if begin < stop:
                hours_of_work = to_hours(stop - begin) * hours.focus
                expected.append((to_hours(begin), to_hours(stop), hours_of_work))
    if hours.always:
        hours_of_work = to_hours(to_ticks(end) - to_ticks(start)) * hours.focus
        expected = [(start, end, hours_of_work)] if start < end else []
    assert list(Calendar(hours).stretches(start, end)) == expected


@EXAMPLES
@given(hours_and_time(), EFFORTS)
def test_finish_and_worked_are_inverse_to_half_a_microsecond(
    drawn: tuple[WorkingHours, float], effort: float
) -> None:
    hours, start = drawn
    calendar = Calendar(hours)
    worked = calendar.worked(start, calendar.finish(start, effort))
    assert worked == pytest.approx(effort, rel=1e-14, abs=0.5 * TICK_H)


@EXAMPLES
@given(hours_and_time(), st.floats(0, 3 * WEEK_H))
def test_finish_of_what_was_worked_is_the_last_moment_of_work(
    drawn: tuple[WorkingHours, float], elapsed: float
) -> None:
    hours, start = drawn
    calendar = Calendar(hours)
    end = snap(start + elapsed)
    finish = calendar.finish(start, calendar.worked(start, end))
    assert finish <= end
    assert walk_worked(hours, to_ticks(finish), to_ticks(end)) == 0


@EXAMPLES
@given(hours_and_time(), EFFORTS, EFFORTS)
def test_finish_never_before_start_nor_outside_hours_and_monotone(
    drawn: tuple[WorkingHours, float], effort: float, more: float
) -> None:
    hours, start = drawn
    calendar = Calendar(hours)
    finish = calendar.finish(start, effort)
    assert finish == snap(finish)
    assert finish >= start
    assert calendar.finish(start, effort + more) >= finish
    if effort == 0:
        assert finish == start
    else:  # the microsecond before it is worked: closing time is an end, opening time is none
        assert walk_is_open(hours, to_ticks(finish) - 1)


@EXAMPLES
@given(hours_and_time(), EFFORTS, EFFORTS)
def test_efforts_add_up(drawn: tuple[WorkingHours, float], first: float, second: float) -> None:
    hours, start = drawn
    calendar = Calendar(hours)
    in_two = calendar.finish(calendar.finish(start, first), second)
    in_one = calendar.finish(start, first + second)
    assert abs(walk_worked(hours, *sorted([to_ticks(in_two), to_ticks(in_one)]))) <= 2


@EXAMPLES
@given(hours_and_time(), st.floats(0, 400), st.floats(0, 400))
def test_worked_adds_up_and_grows(
    drawn: tuple[WorkingHours, float], first: float, second: float
) -> None:
    hours, start = drawn
    calendar = Calendar(hours)
    middle, end = snap(start + first), snap(start + first + second)
    whole = calendar.worked(start, end)
    parts = calendar.worked(start, middle), calendar.worked(middle, end)
    assert sum(parts) == pytest.approx(whole, rel=1e-14)
    assert min(parts) >= 0
    assert calendar.worked(start, start) == 0


@settings(EXAMPLES, max_examples=300)
@given(hours_and_time())
@example((BY_MINUTES[0], 0.0))
@example((BY_MINUTES[2], snap(TEN_YEARS_H)))
def test_is_open_and_next_opening(drawn: tuple[WorkingHours, float]) -> None:
    hours, at = drawn
    calendar = Calendar(hours)
    tick = to_ticks(at)
    assert calendar.is_open(at) == walk_is_open(hours, tick)
    opening = calendar.next_opening(at)
    if hours.always:
        assert opening == inf
        assert not calendar.opens_at(at)
        return
    upcoming = [
        opened[0]
        for day in range(tick // DAY_TICKS, tick // DAY_TICKS + 9)
        if (opened := open_on(hours, day)) is not None and opened[0] > tick
    ]
    assert opening == to_hours(upcoming[0])
    assert opening > at
    assert calendar.is_open(opening)
    assert calendar.opens_at(opening)
    # Just before it is another day's working time, if days follow each other without a pause.
    assert calendar.is_open(to_hours(upcoming[0] - 1)) == walk_is_open(hours, upcoming[0] - 1)


@EXAMPLES
@given(st.floats(0, 24, exclude_max=True), st.floats(0, TEN_YEARS_H))
def test_however_a_time_is_written_an_opening_is_later(opens: float, at: float) -> None:
    """Also of times that are no instants of the clock."""
    assume(to_ticks(opens) < to_ticks(24))
    calendar = Calendar(WorkingHours(opens=opens, closes=24))
    opening = calendar.next_opening(at)
    assert opening > at
    assert calendar.is_open(opening)
    assert calendar.next_opening(opening) > opening


def test_an_opening_in_tenths_of_an_hour_is_met() -> None:
    for opens in (8.4, 8.2, 8.3333333333, 9.1):
        calendar = Calendar(WorkingHours(opens=opens, closes=17.1))
        at = 0.0
        for _ in range(520 * 5):  # every morning of ten years
            at = calendar.next_opening(at)
            assert calendar.is_open(at)
        assert at == snap(519 * WEEK_H + 4 * 24 + opens)


def test_at_a_closing_in_tenths_of_an_hour_it_is_closed() -> None:
    calendar = Calendar(WorkingHours(opens=9, closes=17.1))
    for day in (0, 1, 7 * 519 + 4):
        closing = snap(24 * day + 17.1)
        assert not calendar.is_open(closing)
        assert calendar.is_open(to_hours(to_ticks(closing) - 1))
        # A full day of work ends with it, and not the next morning.
        assert calendar.finish(snap(24 * day + 9), 8.1) == closing


def test_nothing_is_worked_outside_hours() -> None:
    calendar = Calendar(OFFICE)
    assert calendar.worked(17.0, 33.0) == 0.0
    assert calendar.worked(4 * 24 + 17.0, WEEK_H + 9.0) == 0.0
    assert calendar.worked(0.0, 9.0) == 0.0


def test_a_week_of_office_hours() -> None:
    calendar = Calendar(OFFICE.model_copy(update={"focus": 0.75}))
    assert calendar.weekly == 30.0
    assert calendar.worked(0.0, WEEK_H) == 30.0
    assert calendar.finish(0.0, 6.0) == 17.0  # a full day ends with it, not the next morning
    assert calendar.finish(0.0, 6.75) == 34.0
    assert calendar.finish(4 * 24 + 16.0, 0.75) == 4 * 24 + 17.0
    assert calendar.finish(4 * 24 + 16.0, 1.5) == WEEK_H + 10.0
    assert calendar.finish(0.0, 30.0) == 4 * 24 + 17.0
    assert calendar.finish(6 * 24.0, 30.0) == WEEK_H + 4 * 24 + 17.0


def test_ten_years_of_effort() -> None:
    calendar = Calendar(OFFICE)
    assert calendar.finish(9.0, 520 * 40.0) == 519 * WEEK_H + 4 * 24 + 17.0
    assert calendar.worked(0.0, TEN_YEARS_H) == 520 * 40.0


def test_always_open_counts_focus_only() -> None:
    calendar = Calendar(WorkingHours(always=True, focus=0.5))
    assert calendar.weekly == 84.0
    assert calendar.finish(3.0, 10.0) == 23.0
    assert calendar.worked(3.0, 23.0) == 10.0
    assert calendar.is_open(3.0)


def test_opening_belongs_to_the_working_hours_and_closing_does_not() -> None:
    office, night, sunday = Calendar(OFFICE), Calendar(NIGHT), Calendar(SUNDAY)
    assert [office.is_open(at) for at in (8.999, 9.0, 16.999, 17.0)] == [False, True, True, False]
    assert all(night.is_open(at) for at in (0.0, 24.0, 167.999, WEEK_H))
    assert [sunday.is_open(at) for at in (167.5, 167.999, WEEK_H)] == [True, True, False]
    assert office.next_opening(9.0) == 33.0
    assert night.next_opening(0.0) == 24.0


def test_order_and_repetition_of_days_do_not_matter() -> None:
    jumbled = Calendar(WorkingHours(days=("fri", "mon", "fri")))
    assert jumbled.weekly == 16.0
    assert jumbled.next_opening(9.0) == 4 * 24 + 9.0
    assert jumbled.finish(0.0, 9.0) == 4 * 24 + 10.0


@pytest.mark.parametrize("always", [True, False])
def test_no_time_has_no_stretch(always: bool) -> None:
    calendar = Calendar(WorkingHours(always=always))
    assert list(calendar.stretches(10.0, 10.0)) == []
