"""Hours of people by what they went into, by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics.effort import available_hours, effort_by_activity, effort_by_role, stint_hours
from sim.metrics.utilization import utilization

WINDOW = (168.0, 504.0)  # weeks 1 and 2


def capacity(resource, week, available_h, people=True):
    """Return the row of a pool that works evenly through a week."""
    return {
        "pool": resource,
        "resource": resource,
        "people": people,
        "opens_at": 168.0 * week,
        "closes_at": 168.0 * (week + 1),
        "available_h": available_h,
    }


CAPACITY = [
    *(capacity("operations", week, 40.0) for week in range(4)),
    *(capacity("data_scientist", week, 80.0) for week in range(4)),
    *(capacity("gpu", week, 336.0, people=False) for week in range(4)),
]


def stint(activity, started_at, finished_at, effort_h, role="operations"):
    return {
        "activity": activity,
        "pool": role,
        "role": role,
        "started_at": started_at,
        "finished_at": finished_at,
        "effort_h": effort_h,
        "around_the_clock": False,
    }


WORK = [
    stint("feature", 200.0, 208.0, 6.0, "data_scientist"),
    stint("exploration", 210.0, 234.0, 24.0, "data_scientist"),
    stint("remediation", 240.0, 250.0, 5.0, "data_scientist"),
    stint("retraining", 200.0, 204.0, 3.0),
    stint("incident", 164.0, 172.0, 4.0),  # half of it in the window
    stint("toil", 498.0, 506.0, 8.0),  # three quarters of it
    stint("investment", 300.0, 310.0, 7.0),
    stint("toil", 100.0, 168.0, 30.0),  # before the window
    stint("investment", np.nan, np.nan, np.nan),  # still waiting
    stint("meeting", 320.0, 321.0, 1.0),  # a name that only this organization knows
]


def test_effort_by_activity_by_hand(make_tables):
    tables = make_tables(capacity=CAPACITY, work=WORK)
    assert effort_by_activity(tables, WINDOW) == pytest.approx(
        {
            "delivery_h_per_week": (6 + 24 + 3 + 1) / 2,
            "incident_work_h_per_week": (5 + 2) / 2,
            "toil_h_per_week": 6 / 2,
            "investment_h_per_week": 7 / 2,
            "idle_h_per_week": (240 - 54) / 2,
            "capacity_h_per_week": 120.0,
        }
    )


def test_effort_by_role_adds_up_to_the_effort(make_tables):
    tables = make_tables(capacity=CAPACITY, work=WORK)
    by_role = effort_by_role(tables, WINDOW)
    assert list(by_role.index) == ["operations", "data_scientist"]
    assert by_role.loc["data_scientist", "delivery_h_per_week"] == pytest.approx(15.0)
    assert by_role.loc["data_scientist", "idle_h_per_week"] == pytest.approx(80.0 - 17.5)
    assert by_role.sum().to_dict() == pytest.approx(effort_by_activity(tables, WINDOW))


def test_what_is_left_out_is_not_known(make_tables):
    tables = make_tables(capacity=CAPACITY, work=WORK)
    del tables["work"]
    effort = effort_by_activity(tables, WINDOW)
    assert effort.pop("capacity_h_per_week") == pytest.approx(120.0)
    assert np.isnan(list(effort.values())).all()
    tables = make_tables(work=WORK)
    del tables["capacity"]
    effort = effort_by_activity(tables, WINDOW)
    assert np.isnan(list(effort.values())).all()  # one stint crosses each edge of the window
    inside = [each for each in WORK if not each["started_at"] < 168.0 < each["finished_at"]]
    inside = [each for each in inside if not each["started_at"] < 504.0 < each["finished_at"]]
    effort = effort_by_activity({"work": make_tables(work=inside)["work"]}, WINDOW)
    assert effort["investment_h_per_week"] == pytest.approx(7 / 2)
    assert np.isnan([effort["idle_h_per_week"], effort["capacity_h_per_week"]]).all()
    assert effort_by_role(make_tables(), WINDOW).empty


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["incident", "remediation", "toil", "investment", "feature"]),
            st.sampled_from(["operations", "data_scientist"]),
            st.floats(0.0, 600.0),
            st.floats(0.0, 100.0),
            st.floats(0.0, 40.0),
        ),
        max_size=20,
    )
)
def test_what_people_do_and_idle_add_up_to_capacity_and_agree_with_utilization(stints):
    work = pd.DataFrame(
        [
            stint(activity, start, start + elapsed, effort_h, role)
            for activity, role, start, elapsed, effort_h in stints
        ],
        columns=list(stint("", 0.0, 0.0, 0.0)),
    )
    tables = {"work": work, "capacity": pd.DataFrame(CAPACITY)}
    busy = utilization(tables, WINDOW)
    effort = effort_by_activity(tables, WINDOW)
    capacity_h = effort.pop("capacity_h_per_week")
    assert sum(effort.values()) == pytest.approx(capacity_h)
    busy_h = 40 * busy["utilization_operations"] + 80 * busy["utilization_data_scientist"]
    assert capacity_h - effort["idle_h_per_week"] == pytest.approx(busy_h, abs=1e-9)


# Stints at the edges of a window ----------------------------------------------------------------

DAYS = [
    {
        "pool": pool,
        "resource": "operations",
        "people": True,
        "opens_at": 24.0 * day + 9.0,
        "closes_at": 24.0 * day + 17.0,
        "available_h": hours,
    }
    for day in range(5)
    # Two people in one pool; in the other meetings take a quarter of the time, from Wednesday half.
    for pool, hours in (("a", 16.0), ("b", 6.0 if day < 2 else 4.0))
]
NIGHT = (17.0, 33.0)  # from Monday's closing to Tuesday's opening
A_DAY = (16.0, 34.0)  # with an hour before it and one after it


def hours_of(make_tables, window, *work):
    tables = make_tables(capacity=DAYS, work=list(work))
    return stint_hours(tables["work"], tables["capacity"], window).tolist()


def test_a_stint_is_cut_in_proportion_to_the_working_time_of_its_pool(make_tables):
    # Monday 10:00 to Wednesday 10:00: two full days of work, whatever the nights take.
    long = stint("feature", 10.0, 58.0, 16.0, "a")
    assert hours_of(make_tables, A_DAY, long) == pytest.approx([2.0])
    assert hours_of(make_tables, NIGHT, long) == [0.0]
    assert hours_of(make_tables, (0.0, 24.0), long) == pytest.approx([7.0])
    assert hours_of(make_tables, (33.0, 200.0), long) == pytest.approx([9.0])
    assert hours_of(make_tables, (0.0, 168.0), long) == [16.0]


def test_where_meetings_take_more_a_stint_gets_less_done(make_tables):
    # Tuesday 9:00 to Wednesday 17:00: 6 h and 4 h.
    long = stint("feature", 33.0, 65.0, 10.0, "b")
    assert hours_of(make_tables, (24.0, 48.0), long) == pytest.approx([6.0])
    assert hours_of(make_tables, (61.0, 80.0), long) == pytest.approx([2.0])


def test_a_stint_that_is_not_over_goes_on_as_long_as_its_pool_works(make_tables):
    # From Wednesday 9:00; by Friday 17:00, the end of the tables, 24 h.
    still = stint("feature", 57.0, np.nan, 24.0, "a")
    assert hours_of(make_tables, (0.0, 168.0), still) == pytest.approx([24.0])
    assert hours_of(make_tables, (0.0, 81.0), still) == pytest.approx([8.0])
    assert hours_of(make_tables, (65.0, 85.0), still) == pytest.approx([4.0])


def test_on_call_is_cut_in_proportion_to_elapsed_time(make_tables):
    on_call = dict(stint("incident", 16.0, 34.0, 18.0, "a"), around_the_clock=True)
    assert hours_of(make_tables, NIGHT, on_call) == pytest.approx([16.0])
    # One that is not over has lasted for as many hours as it has taken: until Tuesday 9:00.
    still = dict(on_call, finished_at=np.nan, effort_h=17.0)
    assert hours_of(make_tables, (24.0, 200.0), still) == pytest.approx([9.0])
    assert hours_of(make_tables, (24.0, 30.0), still) == pytest.approx([6.0])


def test_without_known_working_time_elapsed_time_counts(make_tables):
    elsewhere = stint("feature", 10.0, 58.0, 16.0, "c")
    assert hours_of(make_tables, NIGHT, elsewhere) == pytest.approx([16 * 16 / 48])
    by_night = stint("feature", 18.0, 32.0, 7.0, "a")  # nobody was on call, but it was recorded
    assert hours_of(make_tables, (0.0, 24.0), by_night) == pytest.approx([3.0])
    tables = make_tables(work=[elsewhere])
    hours = stint_hours(tables["work"], tables["capacity"], NIGHT)
    assert hours.tolist() == pytest.approx([16 * 16 / 48])
    still = stint("feature", 10.0, np.nan, 16.0, "c")  # until the end of the window
    assert hours_of(make_tables, (10.0, 100.0), still) == [16.0]


def test_the_order_of_the_table_of_capacity_does_not_matter(make_tables):
    long = stint("feature", 10.0, 58.0, 16.0, "a")
    tables = make_tables(capacity=DAYS[::-1], work=[long])
    assert stint_hours(tables["work"], tables["capacity"], A_DAY).tolist() == pytest.approx([2.0])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(0, 120), st.floats(0, 120), st.sampled_from("abc")), max_size=12),
    st.lists(st.integers(0, 120 * 60), min_size=3, max_size=6, unique=True),
)
def test_windows_side_by_side_share_the_hours_of_stints_and_capacity(stints, minutes):
    work = pd.DataFrame(
        [stint("feature", min(pair), max(pair), 1.0, pool) for *pair, pool in stints],
        columns=list(stint("", 0.0, 0.0, 0.0)),
    )
    capacity = pd.DataFrame(DAYS)
    edges = sorted(minute / 60 for minute in minutes)
    parts = [stint_hours(work, capacity, window) for window in pairwise(edges)]
    whole = stint_hours(work, capacity, (edges[0], edges[-1]))
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, atol=1e-9)
    parts = [available_hours(capacity, window) for window in pairwise(edges)]
    whole = available_hours(capacity, (edges[0], edges[-1]))
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, atol=1e-9)
