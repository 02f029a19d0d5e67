"""Busy and available hours by hand."""

import numpy as np
import pytest

from sim.log import Records
from sim.metrics import compute_metrics
from sim.metrics.utilization import utilization

WINDOW = (168.0, 504.0)  # weeks 1 and 2


def capacity(pool, resource, week, available_h, team="red"):
    return {
        "pool": pool,
        "resource": resource,
        "team": team,
        "people": resource != "gpu",
        "opens_at": 168.0 * week,
        "closes_at": 168.0 * (week + 1),
        "available_h": available_h,
    }


CAPACITY = [
    *(capacity("red/ops", "operations", week, 40.0) for week in range(4)),
    *(capacity("blue/ops", "operations", week, 60.0, "blue") for week in range(4)),
    *(capacity("gpu", "gpu", week, 336.0, "platform") for week in range(4)),
    capacity("red/ds", "data_scientist", 0, 80.0),  # left before the window
]


def stint(pool, started_at, finished_at, effort_h, role="operations"):
    return {
        "pool": pool,
        "role": role,
        "started_at": started_at,
        "finished_at": finished_at,
        "effort_h": effort_h,
    }


WORK = [
    stint("red/ops", 200.0, 208.0, 6.0),
    stint("blue/ops", 300.0, 324.0, 24.0),
    # Half of it in the window, three quarters of it in the window, wholly before and after it.
    stint("red/ops", 164.0, 172.0, 4.0),
    stint("red/ops", 498.0, 506.0, 8.0),
    stint("red/ops", 100.0, 168.0, 30.0),
    stint("red/ops", 504.0, 510.0, 6.0),
    # Still waiting; without any length; of a role that has no capacity.
    stint("red/ops", np.nan, np.nan, np.nan),
    stint("red/ops", 210.0, 210.0, 0.0),
    stint("red/legal", 210.0, 220.0, 10.0, role="legal"),
]
JOBS = [
    {"pool": "gpu", "resource": "gpu", "started_at": 100.0, "finished_at": 200.0},  # 32 h
    {"pool": "gpu", "resource": "gpu", "started_at": 200.0, "finished_at": 210.0},
    {"pool": "gpu", "resource": "gpu", "started_at": 480.0, "finished_at": np.nan},  # 24 h
    {"pool": "gpu", "resource": "gpu", "started_at": np.nan, "finished_at": np.nan},
]


def test_utilization_is_busy_by_available_hours_in_the_window(make_tables):
    tables = make_tables(capacity=CAPACITY, work=WORK, jobs=JOBS)
    busy = utilization(tables, WINDOW)
    assert list(busy) == ["utilization_operations", "utilization_gpu", "utilization_data_scientist"]
    assert busy["utilization_operations"] == pytest.approx((6 + 24 + 2 + 6) / 200)
    assert busy["utilization_gpu"] == pytest.approx((32 + 10 + 24) / 672)
    assert np.isnan(busy["utilization_data_scientist"])


def test_a_window_within_a_week_has_its_share_of_that_week(make_tables):
    tables = make_tables(capacity=CAPACITY, jobs=JOBS)
    assert utilization(tables, (168.0, 252.0))["utilization_gpu"] == pytest.approx(42 / 168)


def test_people_on_call_can_work_more_than_their_hours(make_tables):
    tables = make_tables(
        capacity=[capacity("red/ops", "operations", 1, 8.0)],
        work=[stint("red/ops", 200.0, 212.0, 12.0)],
    )
    assert utilization(tables, WINDOW)["utilization_operations"] == pytest.approx(1.5)


def test_without_capacity_there_is_no_utilization(make_tables):
    assert utilization(make_tables(work=WORK, jobs=JOBS), WINDOW) == {}
    names = compute_metrics(Records(make_tables(), WINDOW)).index
    assert not names.str.startswith("utilization").any()
