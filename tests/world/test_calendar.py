"""Working hours: effort and elapsed time, against a second implementation that walks the days."""

from math import floor, inf

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from sim.scenario.organization import DAYS, WorkingHours
from sim.world.calendar import WEEK_H, Calendar

EXAMPLES = settings(derandomize=True, phases=[Phase.explicit, Phase.generate], deadline=None)
TOLERANCE_H = 1e-7  # times of ten years in double precision, and the rounding of a closing
TEN_YEARS_H = 520 * WEEK_H

OFFICE = WorkingHours()
WEEKENDS = WorkingHours(days=("sat", "sun"), opens=10, closes=14, focus=0.5)
ONE_HOUR = WorkingHours(opens=9, closes=10)
ONE_HOUR_A_WEEK = WorkingHours(days=("thu",), opens=22, closes=23, focus=0.1)
NIGHT = WorkingHours(days=DAYS, opens=0, closes=24)
SUNDAY = WorkingHours(days=("sun",), opens=23.5, closes=24)


@st.composite
def working_hours(draw: st.DrawFn) -> WorkingHours:
    if draw(st.booleans()):
        hours = draw(st.sampled_from([OFFICE, WEEKENDS, ONE_HOUR, ONE_HOUR_A_WEEK, NIGHT, SUNDAY]))
    else:
        opens = draw(st.integers(0, 91)) / 4
        hours = WorkingHours(
            days=tuple(draw(st.sets(st.sampled_from(DAYS), min_size=1))),
            opens=opens,
            closes=draw(st.integers(int(4 * opens) + 1, 96)) / 4,
        )
    focus = draw(st.floats(0.1, 1))
    return hours.model_copy(update={"focus": focus, "always": draw(st.integers(0, 9)) == 0})


# Quarters of an hour meet openings and closings, other times lie between.
TIMES = st.one_of(
    st.floats(0, 3 * WEEK_H),
    st.integers(0, 4 * 336).map(lambda quarters: quarters / 4),
    st.floats(0, TEN_YEARS_H),
    st.integers(0, 520).map(lambda week: week * WEEK_H),
)
EFFORTS = st.one_of(
    st.floats(0.001, 100), st.integers(1, 400).map(lambda quarters: quarters / 4), st.just(0.0)
)


def open_on(hours: WorkingHours, day: int) -> tuple[float, float] | None:
    """Return the working hours of a day (counted from the first Monday), if it has any."""
    if hours.always:
        return 24.0 * day, 24.0 * (day + 1)
    if DAYS[day % 7] not in hours.days:
        return None
    return 24.0 * day + hours.opens, 24.0 * day + hours.closes


def walk_worked(hours: WorkingHours, start: float, end: float) -> float:
    worked = 0.0
    for day in range(floor(start / 24), floor(end / 24) + 1):
        opened = open_on(hours, day)
        if opened is not None:
            worked += hours.focus * max(0.0, min(end, opened[1]) - max(start, opened[0]))
    return worked


def walk_finish(hours: WorkingHours, start: float, effort: float) -> float:
    day = floor(start / 24)
    while effort > 0:
        opened = open_on(hours, day)
        if opened is not None and opened[1] > start:
            begin = max(start, opened[0])
            if effort <= (opened[1] - begin) * hours.focus + 1e-9:
                return min(opened[1], begin + effort / hours.focus)
            effort -= (opened[1] - begin) * hours.focus
        day += 1
    return start


def walk_is_open(hours: WorkingHours, at: float) -> bool:
    opened = open_on(hours, floor(at / 24))
    return opened is not None and opened[0] <= at < opened[1]


@EXAMPLES
@given(working_hours(), TIMES, EFFORTS)
@example(OFFICE, 17.0, 8.0)
@example(OFFICE, 4 * 24 + 17.0, 40.0)
@example(NIGHT, 0.0, 168.0)
@example(SUNDAY, 0.0, 0.5)
@example(OFFICE.model_copy(update={"focus": 0.7}), 9.0, 5.6 * 15)
def test_finish_is_where_the_walk_ends(hours: WorkingHours, start: float, effort: float) -> None:
    finish = Calendar(hours).finish(start, effort)
    assert finish == pytest.approx(walk_finish(hours, start, effort), rel=0, abs=TOLERANCE_H)


@EXAMPLES
@given(working_hours(), TIMES, st.floats(0, 3 * WEEK_H))
def test_worked_is_what_the_walk_counts(hours: WorkingHours, start: float, elapsed: float) -> None:
    end = start + elapsed
    worked = Calendar(hours).worked(start, end)
    assert worked == pytest.approx(walk_worked(hours, start, end), rel=0, abs=TOLERANCE_H)


@EXAMPLES
@given(working_hours(), TIMES, EFFORTS)
def test_effort_is_what_was_worked_until_its_finish(
    hours: WorkingHours, start: float, effort: float
) -> None:
    calendar = Calendar(hours)
    worked = calendar.worked(start, calendar.finish(start, effort))
    assert worked == pytest.approx(effort, rel=0, abs=TOLERANCE_H)


@EXAMPLES
@given(working_hours(), TIMES, st.floats(0, 3 * WEEK_H))
def test_finish_of_what_was_worked_is_the_last_moment_of_work(
    hours: WorkingHours, start: float, elapsed: float
) -> None:
    calendar = Calendar(hours)
    end = start + elapsed
    finish = calendar.finish(start, calendar.worked(start, end))
    assert finish <= end + TOLERANCE_H
    assert walk_worked(hours, finish, end) == pytest.approx(0, abs=TOLERANCE_H)


@EXAMPLES
@given(working_hours(), TIMES, EFFORTS, EFFORTS)
def test_finish_never_before_start_nor_outside_hours_and_monotone(
    hours: WorkingHours, start: float, effort: float, more: float
) -> None:
    calendar = Calendar(hours)
    finish = calendar.finish(start, effort)
    assert finish >= start
    assert calendar.finish(start, effort + more) >= finish - TOLERANCE_H
    if effort == 0:
        assert finish == start
    else:  # closing time included, as work may last until then
        assert any(
            opened[0] <= finish <= opened[1] + TOLERANCE_H
            for day in (floor(finish / 24) - 1, floor(finish / 24))
            if day >= 0 and (opened := open_on(hours, day)) is not None
        )


@EXAMPLES
@given(working_hours(), TIMES, EFFORTS, EFFORTS)
def test_efforts_add_up(hours: WorkingHours, start: float, first: float, second: float) -> None:
    calendar = Calendar(hours)
    in_two = calendar.finish(calendar.finish(start, first), second)
    if second > 0:
        assert in_two == pytest.approx(
            calendar.finish(start, first + second), rel=0, abs=TOLERANCE_H
        )


@EXAMPLES
@given(working_hours(), TIMES, st.floats(0, 400), st.floats(0, 400))
def test_worked_adds_up_and_grows(
    hours: WorkingHours, start: float, first: float, second: float
) -> None:
    calendar = Calendar(hours)
    middle, end = start + first, start + first + second
    whole = calendar.worked(start, end)
    parts = calendar.worked(start, middle), calendar.worked(middle, end)
    assert sum(parts) == pytest.approx(whole, rel=0, abs=TOLERANCE_H)
    assert min(parts) >= -TOLERANCE_H
    assert calendar.worked(start, start) == 0


@EXAMPLES
@given(working_hours(), TIMES)
def test_is_open_and_next_opening(hours: WorkingHours, at: float) -> None:
    calendar = Calendar(hours)
    assert calendar.is_open(at) == walk_is_open(hours, at)
    opening = calendar.next_opening(at)
    if hours.always:
        assert opening == inf
        return
    upcoming = [
        opened[0]
        for day in range(floor(at / 24), floor(at / 24) + 9)
        if (opened := open_on(hours, day)) is not None and opened[0] > at
    ]
    assert opening == upcoming[0]
    assert calendar.is_open(opening)


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
