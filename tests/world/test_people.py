"""Pools of people, driven directly: timelines computed by hand, and invariants of any workload."""

from collections.abc import Generator
from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from simpy.events import Event

from sim.kernel.ticks import snap
from sim.log import EventLog
from sim.scenario.organization import DAYS, WORK_CLASSES, WorkingHours
from sim.world.calendar import Calendar
from sim.world.clock import Clock
from sim.world.people import (
    EXPLORATION,
    FEATURE,
    IMPROVEMENT,
    INCIDENT,
    REMEDIATION,
    RETRAINING,
    PeoplePool,
)

ALWAYS = WorkingHours(always=True)
OFFICE = WorkingHours()
TUESDAY = 24.0
SATURDAY = 5 * 24.0
NEXT_MONDAY = 7 * 24.0


class Office:
    """One pool, what was handed in, and when it was done."""

    def __init__(
        self, hours: WorkingHours, headcount: int, interrupting: tuple[int, ...] = (INCIDENT,)
    ) -> None:
        self.env = Clock()
        self.log = EventLog()
        calendar = Calendar(hours)
        self.pool = PeoplePool(
            self.env, self.log, "pool", "role", "team", headcount, calendar, interrupting
        )
        self.done: dict[str, list[float]] = {}
        self.started: dict[str, float] = {}
        self._numbers: dict[str, int] = {}

    def hand_in(
        self,
        name: str,
        at: float,
        effort_h: float,
        priority: int = FEATURE,
        around_the_clock: bool = False,
    ) -> None:
        """Let a process hand in a task at some time and wait for it."""
        self.done[name] = []
        number = self._numbers[name] = len(self._numbers)

        def wait() -> Generator[Event, object, None]:
            yield self.env.timeout(at)
            task = self.pool.work(effort_h, priority, number, number, around_the_clock)
            yield task
            self.done[name].append(self.env.now)
            self.started[name] = task.started_at

        self.env.process(wait())

    def run(self, until: float) -> None:
        """Simulate up to some time."""
        self.env.run(until=until)

    def work(self) -> pd.DataFrame:
        """Return the log of stints."""
        return self.log.to_frames()["work"]

    def stints(self, name: str) -> list[tuple[float, float, float, float, str]]:
        """Return (queued, started, finished, effort, outcome) of each stint on a task."""
        work = self.work()
        own = work[work["change_id"] == self._numbers[name]]
        columns = ["queued_at", "started_at", "finished_at", "effort_h", "outcome"]
        return list(own[columns].itertuples(index=False, name=None))


def test_urgent_first_then_first_come_first_served() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("first", 0, 10, EXPLORATION)
    office.hand_in("improvement", 1, 1, IMPROVEMENT)
    office.hand_in("feature", 2, 1, FEATURE)
    office.hand_in("retraining", 3, 1, RETRAINING)
    office.hand_in("later feature", 4, 1, FEATURE)
    office.hand_in("remediation", 5, 1, REMEDIATION)
    office.hand_in("later retraining", 6, 1, RETRAINING)
    office.run(100)
    assert office.done == {
        "first": [10.0],
        "remediation": [11.0],
        "retraining": [12.0],
        "later retraining": [13.0],
        "feature": [14.0],
        "later feature": [15.0],
        "improvement": [16.0],
    }


def test_priorities_are_in_the_order_of_the_work_classes() -> None:
    order = [INCIDENT, REMEDIATION, RETRAINING, FEATURE, EXPLORATION, IMPROVEMENT]
    assert [WORK_CLASSES[priority] for priority in order] == [
        "incident",
        "remediation",
        "retraining",
        "feature",
        "exploration",
        "improvement",
    ]


def test_two_people_share_a_queue() -> None:
    office = Office(ALWAYS, 2)
    for name, effort_h in [("a", 5), ("b", 3), ("c", 4), ("d", 1)]:
        office.hand_in(name, 0, effort_h)
    office.run(100)
    assert office.done == {"a": [5.0], "b": [3.0], "c": [7.0], "d": [6.0]}
    assert office.started == {"a": 0.0, "b": 0.0, "c": 3.0, "d": 5.0}


def test_incident_interrupts_at_once_and_work_resumes_where_it_stopped() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("feature", 0, 10)
    office.hand_in("incident", 4, 3, INCIDENT)
    office.run(100)
    assert office.done == {"feature": [13.0], "incident": [7.0]}
    assert office.stints("feature") == [
        (0.0, 0.0, 4.0, 4.0, "interrupted"),
        (4.0, 7.0, 13.0, 6.0, "finished"),
    ]
    assert office.stints("incident") == [(4.0, 4.0, 7.0, 3.0, "finished")]
    assert office.started["feature"] == 0.0


def test_several_interruptions_leave_the_rest_and_wake_the_waiting_process_once() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("feature", 0, 10)
    office.hand_in("first", 2, 1, INCIDENT)
    office.hand_in("second", 5, 2, INCIDENT)
    office.hand_in("third", 8, 4, INCIDENT)
    office.run(100)
    assert office.done["feature"] == [17.0]  # 2 + 2 + 1 h done, then 5 h from 12:00
    assert [stint[3] for stint in office.stints("feature")] == [2.0, 2.0, 1.0, 5.0]
    assert [stint[4] for stint in office.stints("feature")] == ["interrupted"] * 3 + ["finished"]


def test_first_end_of_an_interrupted_task_passes_without_effect() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("feature", 0, 10)
    office.hand_in("incident", 4, 20, INCIDENT)
    office.run(23)  # the feature would have been done at 10
    assert office.done["feature"] == []
    office.run(100)
    assert office.done == {"feature": [30.0], "incident": [24.0]}


def test_interrupted_work_keeps_its_place_among_equals() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("first", 0, 5)
    office.hand_in("second", 1, 5)
    office.hand_in("incident", 2, 1, INCIDENT)
    office.run(100)
    assert office.done == {"first": [6.0], "second": [11.0], "incident": [3.0]}


def test_incident_takes_a_person_off_the_least_urgent_work() -> None:
    office = Office(ALWAYS, 3)
    office.hand_in("retraining", 0, 10, RETRAINING)
    office.hand_in("improvement", 0, 10, IMPROVEMENT)
    office.hand_in("feature", 0, 10, FEATURE)
    office.hand_in("incident", 2, 4, INCIDENT)
    office.hand_in("second incident", 3, 4, INCIDENT)
    office.run(100)
    assert office.done["retraining"] == [10.0]
    assert office.done["feature"] == [13.0]  # from 3 to the end of the first incident at 6
    assert office.done["improvement"] == [15.0]  # from 2 to the end of the second at 7
    assert [stint[4] for stint in office.stints("retraining")] == ["finished"]


def test_among_equals_the_one_that_came_last_is_interrupted() -> None:
    office = Office(ALWAYS, 2)
    office.hand_in("first", 0, 10)
    office.hand_in("second", 1, 10)
    office.hand_in("incident", 5, 2, INCIDENT)
    office.run(100)
    assert office.done == {"first": [10.0], "second": [13.0], "incident": [7.0]}


def test_incident_does_not_interrupt_an_incident() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("first", 0, 5, INCIDENT)
    office.hand_in("second", 1, 1, INCIDENT)
    office.run(100)
    assert office.done == {"first": [5.0], "second": [6.0]}


def test_classes_that_interrupt_are_the_ones_named() -> None:
    office = Office(ALWAYS, 1, interrupting=(REMEDIATION,))
    office.hand_in("feature", 0, 10)
    office.hand_in("incident", 1, 2, INCIDENT)
    office.hand_in("remediation", 4, 3, REMEDIATION)
    office.run(100)
    # The remediation clears a place, and the more urgent incident, which waits, is given it.
    assert office.done == {"incident": [6.0], "remediation": [9.0], "feature": [15.0]}


def test_work_out_of_hours_waits_for_the_morning() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("early", 3, 2)
    office.hand_in("evening", 20, 7)
    office.hand_in("saturday", SATURDAY + 10, 1)
    office.run(300)
    assert office.done == {
        "early": [11.0],
        "evening": [TUESDAY + 16],
        "saturday": [NEXT_MONDAY + 10],
    }
    assert office.started == {
        "early": 9.0,
        "evening": TUESDAY + 9,
        "saturday": NEXT_MONDAY + 9,
    }


def test_work_pauses_at_night_and_keeps_its_person() -> None:
    office = Office(OFFICE.model_copy(update={"focus": 0.5}), 1)
    office.hand_in("feature", 10, 6)  # 3.5 h until the evening, the rest takes 5 h of Tuesday
    office.run(300)
    assert office.done["feature"] == [TUESDAY + 14]
    assert office.stints("feature") == [(10.0, 10.0, TUESDAY + 14, 6.0, "finished")]


def test_next_task_does_not_begin_at_closing_time() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("day", 9, 8)
    office.hand_in("next", 9, 1)
    office.run(300)
    assert office.done == {"day": [17.0], "next": [TUESDAY + 10]}
    assert office.started["next"] == TUESDAY + 9


def test_urgency_that_does_not_interrupt_gets_its_person_the_next_morning() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("feature", 9, 20)
    office.hand_in("remediation", 11, 3, REMEDIATION)
    office.run(300)
    # Monday 8 h of the feature, Tuesday 9-12 the remediation, then 5 h and 7 h.
    assert office.done == {"remediation": [TUESDAY + 12], "feature": [TUESDAY + 24 + 16]}
    assert office.stints("feature") == [
        (9.0, 9.0, TUESDAY + 9, 8.0, "interrupted"),
        (TUESDAY + 9, TUESDAY + 12, TUESDAY + 24 + 16, 12.0, "finished"),
    ]


def test_morning_switches_only_as_many_as_needed_and_from_the_least_urgent() -> None:
    office = Office(OFFICE, 3)
    office.hand_in("improvement", 9, 10, IMPROVEMENT)
    office.hand_in("feature", 9, 10, FEATURE)
    office.hand_in("retraining", 9, 10, RETRAINING)
    office.hand_in("remediation", 12, 1, REMEDIATION)
    office.hand_in("other improvement", 12, 1, IMPROVEMENT)
    office.run(300)
    # The least urgent task in hand is set aside until the remediation is done on Tuesday at 10.
    assert office.done == {
        "improvement": [TUESDAY + 12],
        "feature": [TUESDAY + 11],
        "retraining": [TUESDAY + 11],
        "remediation": [TUESDAY + 10],
        "other improvement": [TUESDAY + 12],
    }


def test_no_next_morning_where_work_never_stops() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("feature", 0, 100)
    office.hand_in("remediation", 1, 1, REMEDIATION)
    office.run(200)
    assert office.done == {"feature": [100.0], "remediation": [101.0]}


@pytest.mark.parametrize("newcomer_first", [True, False])
def test_who_comes_at_opening_time_does_not_overtake_who_waited(newcomer_first: bool) -> None:
    office = Office(OFFICE, 1)
    # Both orders of events at 9:00: the newcomer's, and the opening that is scheduled at 3:00.
    if newcomer_first:
        office.hand_in("newcomer", 9, 1)
    office.hand_in("waiting", 3, 2)
    if not newcomer_first:
        office.env.run(until=4)
        office.hand_in("newcomer", 5, 1)
    office.run(300)
    assert office.done == {"waiting": [11.0], "newcomer": [12.0]}


def test_newcomers_at_opening_time_take_the_people_that_are_left() -> None:
    office = Office(OFFICE, 2)
    for name in ("newcomer", "second newcomer"):
        office.hand_in(name, 9, 1)
    office.hand_in("waiting", 3, 2)
    office.run(300)
    assert office.done == {"waiting": [11.0], "newcomer": [10.0], "second newcomer": [11.0]}


def test_on_call_works_around_the_clock() -> None:
    office = Office(OFFICE.model_copy(update={"focus": 0.5}), 1)
    office.hand_in("incident", 22, 4, INCIDENT, around_the_clock=True)
    office.hand_in("incident by day", TUESDAY + 10, 4, INCIDENT, around_the_clock=True)
    office.hand_in("not on call", SATURDAY, 1, INCIDENT)
    office.run(300)
    assert office.done == {
        "incident": [26.0],
        "incident by day": [TUESDAY + 14],
        "not on call": [NEXT_MONDAY + 11],
    }


def test_on_call_at_night_leaves_paused_work_and_the_morning_resumes_it() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("feature", 9, 12)
    office.hand_in("incident", 20, 2, INCIDENT, around_the_clock=True)
    office.hand_in("long incident", TUESDAY + 4, 8, INCIDENT, around_the_clock=True)
    office.run(300)
    assert office.done["incident"] == [22.0]
    assert office.done["long incident"] == [TUESDAY + 12]
    assert office.done["feature"] == [TUESDAY + 16]
    # In the night nobody works: the feature has a stint on Monday and one on Tuesday at noon.
    assert office.stints("feature") == [
        (9.0, 9.0, 20.0, 8.0, "interrupted"),
        (20.0, TUESDAY + 12, TUESDAY + 16, 4.0, "finished"),
    ]


def test_on_call_takes_an_idle_person_at_night_although_others_wait() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("feature", 18, 2)
    office.hand_in("incident", 20, 1, INCIDENT, around_the_clock=True)
    office.run(300)
    assert office.done == {"incident": [21.0], "feature": [TUESDAY + 11]}


def test_second_incident_of_the_night_follows_the_first() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("first", 20, 3, INCIDENT, around_the_clock=True)
    office.hand_in("second", 21, 3, INCIDENT, around_the_clock=True)
    office.run(300)
    assert office.done == {"first": [23.0], "second": [26.0]}


def test_incident_of_who_is_not_on_call_clears_a_place_at_night_for_the_morning() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("feature", 9, 10)
    office.hand_in("incident", 20, 3, INCIDENT)
    office.run(300)
    assert office.done == {"incident": [TUESDAY + 12], "feature": [TUESDAY + 14]}


def test_no_effort_takes_no_time_but_needs_a_person() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("night", 3, 0)
    office.hand_in("day", 10, 0)
    office.hand_in("feature", 11, 4)
    office.hand_in("behind", 12, 0)
    office.run(300)
    assert office.done == {"night": [9.0], "day": [10.0], "feature": [15.0], "behind": [15.0]}


def test_flush_logs_what_has_no_end() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("feature", 9, 30)
    office.hand_in("incident", 13, 1, INCIDENT)
    office.hand_in("improvement", 14, 1, IMPROVEMENT)
    office.run(TUESDAY + 12)
    office.pool.flush()
    work = office.work()
    assert list(work["outcome"]) == ["interrupted", "finished", "unfinished", "waiting"]
    unfinished, waiting = work.iloc[2], work.iloc[3]
    # On Monday 4 + 3 h were done, after the incident from 14:00; on Tuesday another 3 h.
    assert (unfinished["queued_at"], unfinished["started_at"]) == (13.0, 14.0)
    assert unfinished["effort_h"] == 6.0
    assert np.isnan(unfinished["finished_at"])
    assert (waiting["queued_at"], waiting["effort_h"]) == (14.0, 0.0)
    assert waiting["person"] is pd.NA
    assert np.isnan(waiting["started_at"])
    assert waiting["activity"] == "improvement"


def test_flush_logs_interrupted_work_as_waiting_since_the_interruption() -> None:
    office = Office(ALWAYS, 1)
    office.hand_in("feature", 0, 10)
    office.hand_in("incident", 4, 10, INCIDENT)
    office.run(9)
    office.pool.flush()
    assert office.stints("incident")[0][3:] == (5.0, "unfinished")
    first, rest = office.stints("feature")
    assert first == (0.0, 0.0, 4.0, 4.0, "interrupted")
    assert (rest[0], rest[3], rest[4]) == (4.0, 0.0, "waiting")
    assert np.isnan([rest[1], rest[2]]).all()


def test_flush_counts_the_night_of_who_is_on_call() -> None:
    office = Office(OFFICE, 1)
    office.hand_in("incident", 20, 10, INCIDENT, around_the_clock=True)
    office.run(26)
    office.pool.flush()
    assert office.stints("incident")[0][3:] == (6.0, "unfinished")


def test_log_says_who_and_for_what() -> None:
    office = Office(ALWAYS, 2)
    office.hand_in("incident", 0, 1, INCIDENT)
    office.hand_in("exploration", 0, 2, EXPLORATION)
    office.run(10)
    work = office.work()
    assert list(work["pool"]) == ["pool", "pool"]
    assert list(work["role"]) == ["role", "role"]
    assert list(work["team"]) == ["team", "team"]
    assert list(work["activity"]) == ["incident", "exploration"]
    assert list(work["person"]) == [0, 1]
    assert list(work["change_id"]) == [0, 1]


TASKS = st.lists(
    st.tuples(
        # Whole hours meet in one instant, and tenths are no binary fractions.
        st.one_of(st.integers(0, 100), st.integers(0, 1000).map(lambda tenths: tenths / 10)),
        st.one_of(st.integers(0, 15), st.integers(0, 150).map(lambda tenths: tenths / 10)),
        st.sampled_from([INCIDENT, REMEDIATION, RETRAINING, FEATURE, IMPROVEMENT]),
    ),
    min_size=1,
    max_size=15,
)


# What is done at an instant is done -------------------------------------------------------------


@pytest.mark.parametrize("incident_first", [True, False])
def test_work_that_ends_as_an_incident_comes_is_done(incident_first: bool) -> None:
    """Four hours begun at 6; an incident of twenty at 10. It was done at 30 once."""
    office = Office(ALWAYS, 1)
    names = ["incident", "feature"] if incident_first else ["feature", "incident"]
    for name in names:
        if name == "incident":
            office.hand_in(name, 10, 20, INCIDENT)
        else:
            office.hand_in(name, 6, 4)
    office.run(100)
    assert office.done == {"feature": [10.0], "incident": [30.0]}
    assert office.stints("feature") == [(6, 6, 10, 4, "finished")]
    assert office.stints("incident") == [(10, 10, 30, 20, "finished")]


@pytest.mark.parametrize("order", list(permutations(["x", "y", "a", "b"])))
def test_two_incidents_take_who_is_done_before_who_is_not(order: tuple[str, ...]) -> None:
    """Of two people one ends at 10 and the other at 12, and two incidents come at 10."""
    office = Office(ALWAYS, 2)
    tasks = {"x": (10, 5, INCIDENT), "y": (10, 3, INCIDENT), "a": (1, 9, FEATURE)}
    for name in order:
        at, effort_h, priority = tasks.get(name, (1, 11, FEATURE))
        office.hand_in(name, at, effort_h, priority)
    office.run(100)
    assert office.done == {"a": [10.0], "x": [15.0], "y": [13.0], "b": [15.0]}
    assert [stint[4] for stint in office.stints("a")] == ["finished"]
    assert office.stints("b") == [(1, 1, 10, 9, "interrupted"), (10, 13, 15, 2, "finished")]


@pytest.mark.parametrize("order", list(permutations(["x", "y", "a", "b"])))
def test_nobody_is_interrupted_where_everybody_is_done(order: tuple[str, ...]) -> None:
    office = Office(ALWAYS, 2)
    tasks = {"x": (10, 5, INCIDENT), "y": (10, 3, INCIDENT), "a": (1, 9, FEATURE)}
    for name in order:
        at, effort_h, priority = tasks.get(name, (2, 8, EXPLORATION))
        office.hand_in(name, at, effort_h, priority)
    office.run(100)
    assert office.done == {"a": [10.0], "b": [10.0], "x": [15.0], "y": [13.0]}
    assert (office.work()["outcome"] == "finished").all()


@pytest.mark.parametrize("order", list(permutations(["incident", "first", "second"])))
def test_an_incident_takes_the_person_whose_incident_is_over(order: tuple[str, ...]) -> None:
    """An incident ends at 10 as another one comes: the feature of the other person goes on."""
    office = Office(ALWAYS, 2)
    tasks = {"first": (1, 9, INCIDENT), "incident": (10, 5, INCIDENT), "second": (1, 20, FEATURE)}
    for name in order:
        office.hand_in(name, *tasks[name])
    office.run(100)
    assert office.done == {"first": [10.0], "incident": [15.0], "second": [21.0]}


def test_work_that_ends_as_the_day_begins_is_done() -> None:
    """The upkeep ends at midnight, when the remediation that waits would get its person."""
    office = Office(WorkingHours(days=DAYS, opens=0, closes=24), 1)
    office.hand_in("improvement", 16, 8, IMPROVEMENT)
    office.hand_in("remediation", 20, 3, REMEDIATION)
    office.run(100)
    assert office.done == {"improvement": [24.0], "remediation": [27.0]}
    assert office.stints("improvement") == [(16, 16, 24, 8, "finished")]


@pytest.mark.parametrize("adopted_first", [True, False])
def test_work_that_ends_as_other_hours_are_adopted_is_done(adopted_first: bool) -> None:
    office = Office(ALWAYS, 2)

    def adopt() -> Generator[Event, object, None]:
        yield office.env.timeout(10)
        office.pool.adopt(Calendar(WorkingHours(days=DAYS, opens=12, closes=20)))

    if adopted_first:
        office.env.process(adopt())
    office.hand_in("done", 6, 4)
    office.hand_in("not done", 6, 5)
    office.hand_in("waiting", 7, 2)
    if not adopted_first:
        office.env.process(adopt())
    office.run(100)
    assert office.stints("done") == [(6, 6, 10, 4, "finished")]
    assert office.stints("not done") == [(6, 6, 10, 4, "interrupted"), (10, 12, 13, 1, "finished")]
    assert office.done == {"done": [10.0], "not done": [13.0], "waiting": [14.0]}


@pytest.mark.parametrize("newcomer_first", [True, False])
def test_what_comes_as_the_day_begins_gets_its_person_that_day(newcomer_first: bool) -> None:
    """In either order of the opening, arranged for the improvement, and the retraining at 9:00."""
    office = Office(OFFICE, 1)
    if newcomer_first:
        office.hand_in("retraining", TUESDAY + 9, 1, RETRAINING)
    office.hand_in("feature", 9, 20)
    office.hand_in("remediation", 10, 1, REMEDIATION)  # arranges for the opening
    if not newcomer_first:
        office.env.run(until=11)
        office.hand_in("retraining", TUESDAY + 9 - 11, 1, RETRAINING)
    office.run(300)
    assert office.done == {
        "remediation": [TUESDAY + 10],
        "retraining": [TUESDAY + 11],
        "feature": [2 * TUESDAY + 15],
    }


def test_opening_of_hours_that_hold_no_longer_wakes_nobody() -> None:
    """The first remediation has arranged for Tuesday 9:00; by then the day begins at 8:00."""
    office = Office(OFFICE, 1)
    office.hand_in("feature", 9, 20)
    office.hand_in("remediation", 10, 0.25, REMEDIATION)
    office.hand_in("late", TUESDAY + 8.5, 1, REMEDIATION)  # the feature goes on from 8:15 to 16:00

    def adopt() -> Generator[Event, object, None]:
        yield office.env.timeout(21)
        office.pool.adopt(Calendar(WorkingHours(opens=8, closes=16)))

    office.env.process(adopt())
    office.run(300)
    assert office.done == {
        "remediation": [TUESDAY + 8.25],
        "late": [2 * TUESDAY + 9],
        "feature": [2 * TUESDAY + 13.25],
    }


@pytest.mark.parametrize(("at", "begins"), [(9.0, TUESDAY + 9), (9.001, 2 * TUESDAY + 9)])
def test_what_comes_as_the_day_begins_need_not_wait_for_the_next(at: float, begins: float) -> None:
    """Nobody has arranged for that opening, as nobody waited."""
    office = Office(OFFICE, 1)
    office.hand_in("feature", 9, 20)
    office.hand_in("remediation", TUESDAY + at, 1, REMEDIATION)
    office.run(300)
    assert office.started["remediation"] == begins


def test_at_closing_time_nothing_begins() -> None:
    office = Office(WorkingHours(opens=8.4, closes=17.1), 1)
    office.hand_in("full day", 0, 17.1 - 8.4)
    office.hand_in("late", 17.1, 0.5)
    office.run(300)
    assert office.done == {"full day": [17.1], "late": [snap(TUESDAY + 8.9)]}
    assert office.started == {"full day": 8.4, "late": snap(TUESDAY + 8.4)}


@settings(derandomize=True, phases=[Phase.generate], deadline=None, max_examples=60)
@given(
    TASKS,
    st.integers(1, 3),
    st.sampled_from(
        [
            ALWAYS,
            OFFICE,
            WorkingHours(opens=0, closes=24),
            WorkingHours(focus=0.5),
            WorkingHours(opens=8.4, closes=17.1, focus=0.7),
            WorkingHours(opens=8.3333333333, closes=16.8),
        ]
    ),
    st.booleans(),
)
def test_any_workload(
    tasks: list[tuple[float, float, int]], headcount: int, hours: WorkingHours, on_call: bool
) -> None:
    office = Office(hours, headcount)
    for number, (at, effort_h, priority) in enumerate(tasks):
        office.hand_in(str(number), at, effort_h, priority, on_call and priority == INCIDENT)
    office.run(5000)
    work = office.work()
    calendar = Calendar(hours)

    # All is done, once, and the stints on a task add up to its effort and follow one another.
    assert all(len(times) == 1 for times in office.done.values())
    for number, (at, effort_h, priority) in enumerate(tasks):
        stints = work[work["change_id"] == number]
        assert stints["effort_h"].sum() == pytest.approx(effort_h, abs=1e-9)
        assert stints["queued_at"].iloc[0] == snap(at)
        assert stints["finished_at"].iloc[-1] == office.done[str(number)][0]
        assert list(stints["outcome"]) == ["interrupted"] * (len(stints) - 1) + ["finished"]
        assert list(stints["queued_at"].iloc[1:]) == list(stints["finished_at"].iloc[:-1])
        assert effort_h == 0 or stints["effort_h"].iloc[-1] > 1e-9, "interrupted when it was done"
        for stint in stints.itertuples():
            if not (on_call and priority == INCIDENT):
                possible = calendar.worked(stint.started_at, stint.finished_at)
                assert stint.effort_h == pytest.approx(possible, abs=1e-9)
                assert calendar.is_open(stint.started_at)

    # Nobody does two things at once.
    for _, stints in work.groupby("person"):
        stints = stints.sort_values(["started_at", "finished_at"])
        assert (stints["started_at"].iloc[1:] >= stints["finished_at"].to_numpy()[:-1]).all()

    # While somebody may work, nobody is idle as long as there is a task waiting, and no incident
    # waits while anybody does something else.
    instants = np.unique(work[["queued_at", "started_at", "finished_at"]])
    for start, end in pairwise(instants):
        middle = (start + end) / 2
        if not (calendar.is_open(start) and calendar.is_open(middle)):
            continue
        busy = work[(work["started_at"] <= middle) & (middle < work["finished_at"])]
        waiting = work[(work["queued_at"] <= middle) & (middle < work["started_at"])]
        assert len(busy) == headcount or len(waiting) == 0
        if (waiting["activity"] == "incident").any():
            assert (busy["activity"] == "incident").all()

    # Who begins (or goes on with) a task leaves none behind that is more urgent or came before.
    # Somebody on call begins at night, when nobody else may.
    work["rank"] = [
        (tasks[number][2], tasks[number][0], number) for number in work["change_id"].tolist()
    ]
    for stint in work.itertuples():
        if calendar.is_open(stint.started_at):
            left = (work["queued_at"] < stint.started_at) & (stint.started_at < work["started_at"])
            assert all(stint.rank < rank for rank in work.loc[left, "rank"])
