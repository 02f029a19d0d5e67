"""Hours of people by what they went into, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics.effort import effort_by_activity, effort_by_role
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
    assert effort["toil_h_per_week"] == pytest.approx(3.0)
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
