"""The clock: instants on a grid of microseconds, the order within one, and the guard."""

from collections.abc import Generator
from fractions import Fraction
from math import inf, nextafter

import pytest
import simpy
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from simpy.events import NORMAL, Event

from sim.kernel.ticks import LAST_H, TICKS_PER_H, snap, to_hours, to_ticks
from sim.world import clock
from sim.world.clock import DEPARTURE, LAST, Clock, SimulationError

EXAMPLES = settings(derandomize=True, phases=[Phase.explicit, Phase.generate], deadline=None)
LONGEST_H = 5200 * 168.0  # the longest horizon
TICKS = st.one_of(
    st.integers(0, int(LAST_H) * TICKS_PER_H),
    st.integers(0, int(LONGEST_H) * 60).map(lambda minutes: minutes * TICKS_PER_H // 60),
)


@EXAMPLES
@given(TICKS)
@example(int(LAST_H) * TICKS_PER_H)
@example(int(LONGEST_H) * TICKS_PER_H - 1)
def test_ticks_survive_being_hours(ticks: int) -> None:
    hours = to_hours(ticks)
    assert hours == float(Fraction(ticks, TICKS_PER_H))  # the nearest float that there is
    assert to_ticks(hours) == ticks
    assert snap(hours) == hours
    assert to_hours(ticks + 1) > hours


@EXAMPLES
@given(st.floats(0, LONGEST_H))
def test_a_time_snaps_to_the_nearest_tick(hours: float) -> None:
    snapped = snap(hours)
    assert abs(Fraction(snapped) - Fraction(hours)) * TICKS_PER_H < 1
    assert snap(snapped) == snapped
    assert snap(nextafter(hours, inf)) >= snapped


def test_hours_as_people_write_them_are_one_instant() -> None:
    assert snap(8.3333333333) == snap(8 + 20 / 60) == to_hours(500 * 60 * 1_000_000)
    assert snap(168.0 * 52 + 14.1) - 168.0 * 52 != 14.1  # floats of that size have no such digits
    assert snap(sum([0.1] * 141)) == 14.1 == snap(14.1)
    assert snap(5 * LAST_H + 0.123456789) == 5 * LAST_H + 0.123456789  # no run lasts that long


@EXAMPLES
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=30))
def test_however_instants_are_reached_they_are_on_the_grid(delays: list[float]) -> None:
    env = Clock()
    ticks = 0
    for delay in delays:
        env.run(env.timeout(delay))
        ticks = to_ticks(to_hours(ticks) + delay)
        assert env.now == to_hours(ticks)


@EXAMPLES
@given(st.floats(0, LONGEST_H / 2), st.floats(0, LONGEST_H / 2))
def test_an_instant_is_met_from_however_far_away(now: float, later: float) -> None:
    env = Clock()
    env.run(env.at(now))
    assert env.now == snap(now)
    env.run(env.at(env.now + later, "value"))
    assert env.now == snap(snap(now) + later)


def test_the_past_is_over() -> None:
    env = Clock()
    env.run(until=3)
    with pytest.raises(ValueError, match="is over"):
        env.at(2.999)
    env.at(3.0)


def test_order_within_an_instant() -> None:
    env = Clock()
    seen: list[str] = []

    def note(name: str, priority: simpy.events.EventPriority = NORMAL) -> Event:
        event = env.at(2.0, name, priority)
        assert event.callbacks is not None
        event.callbacks.append(lambda event: seen.append(event.value))
        return event

    note("last", LAST)
    departs = note("departure", DEPARTURE)
    arrives = note("arrival")
    assert arrives.callbacks is not None
    assert departs.callbacks is not None
    arrives.callbacks.append(lambda _: note("follows at once"))
    departs.callbacks.append(lambda _: note("follows the departure"))
    env.run(until=3)
    assert seen == [
        "arrival",
        "follows at once",
        "departure",
        "follows the departure",
        "last",
    ]


# The guard --------------------------------------------------------------------------------------


class Named:
    """Something with a name, as services have."""

    name = "team.service"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_PATIENCE", 100)


def loop(env: Clock, delay_h: float, service: Named) -> Generator[Event, object, None]:
    while True:
        assert service.name
        yield env.timeout(delay_h)


@pytest.mark.parametrize("delay_h", [0.0, 1e-11])
@pytest.mark.usefixtures("impatient")
def test_a_clock_that_stands_still_ends_the_simulation(delay_h: float) -> None:
    env = Clock()
    env.run(until=12.5)
    env.process(loop(env, delay_h, Named()))
    with pytest.raises(SimulationError) as caught:
        env.run(until=20)
    assert str(caught.value) == (
        "the clock stands still at 12.500000 h in 'loop' of 'team.service': 100 events have "
        "happened at this instant; give what takes hardly any time a longer duration"
    )


@pytest.mark.usefixtures("impatient")
def test_callbacks_that_stand_still_end_the_simulation_too() -> None:
    env = Clock()

    def again(_: Event) -> None:
        event = env.timeout(0)
        assert event.callbacks is not None
        event.callbacks.append(again)

    again(env.event())
    with pytest.raises(SimulationError, match=r"^the clock stands still at 0\.000000 h: 100 "):
        env.run(until=20)


@pytest.mark.usefixtures("impatient")
def test_many_events_are_no_standstill_if_time_passes_or_many_wait() -> None:
    env = Clock()
    env.process(loop(env, 0.001, Named()))
    env.run(until=10)  # 10 000 events, one at a time

    env = Clock()
    for _ in range(500):
        env.process(loop(env, 5.0, Named()))
    env.run(until=16)  # five hundred at a time


@pytest.mark.usefixtures("impatient")
def test_an_instant_at_which_many_people_begin_is_no_standstill() -> None:
    def everybody(env: Clock) -> None:
        env.run(until=12.5)
        for _ in range(1500):
            env.timeout(5.0)  # a hundred are waiting when it looks, and then a thousand more
        env.run(until=20)

    everybody(Clock(people=1500))
    with pytest.raises(SimulationError, match=r"^the clock stands still at 12\.500000 h"):
        everybody(Clock())


def test_too_many_events_end_the_simulation() -> None:
    env = Clock(most_events=5000)
    env.process(loop(env, 0.001, Named()))
    env.run(until=4.9)
    with pytest.raises(SimulationError, match=r"has made 5,000 events by 4\.99\d* h in 'loop'"):
        env.run(until=10)
