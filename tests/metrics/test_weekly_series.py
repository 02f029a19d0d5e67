"""Weekly series by hand."""

import numpy as np
import pandas as pd
import pytest

from sim.log import Records
from sim.metrics import compute_metrics, rolling_metrics, weekly_series

SERVICES = [{"service": "ads", "team": "red"}, {"service": "fraud", "team": "blue"}]


def test_weekly_series_by_hand(make_tables):
    tables = make_tables(
        services=SERVICES,
        changes=[
            # In progress: 68 h of week 0, all of week 1, 4 h of week 2.
            {"started_at": 100.0, "committed_at": 300.0, "ended_at": 340.0, "deployed_at": 340.0},
            # 10 h of week 0.
            {"started_at": 20.0, "committed_at": 25.0, "ended_at": 30.0, "deployed_at": 30.0},
            # 20 h of week 1.
            {"started_at": 200.0, "committed_at": 210.0, "ended_at": 220.0, "deployed_at": 220.0},
            # 36 h of week 2, and on.
            {"started_at": 468.0},
            {"started_at": -50.0, "ended_at": -10.0, "deployed_at": -10.0},
            {"started_at": 504.0},
        ],
        deployments=[
            {"deployment_id": 0, "service": "ads", "deployed_at": 30.0},
            {"deployment_id": 1, "service": "ads", "deployed_at": 220.0},
            {"deployment_id": 2, "service": "ads", "deployed_at": 340.0},
            {"deployment_id": 3, "service": "ads", "deployed_at": 504.0},
        ],
        incidents=[
            # The first deployment failed, the third decayed; the last failed, but after the weeks.
            {"service": "ads", "deployment_id": 0, "started_at": 0.0, "restored_at": 170.0},
            {"service": "ads", "started_at": 150.0, "restored_at": 180.0},
            {"service": "ads", "trigger": "decay", "deployment_id": 2, "started_at": 350.0},
            {"service": "ads", "deployment_id": 3, "started_at": 504.0},
        ],
        quality=[
            {"service": "ads", "at": 0.0, "quality": 0.9, "below": False},
            {"service": "ads", "at": 252.0, "quality": 0.5, "below": True},
            {"service": "ads", "at": 378.0, "quality": 0.7, "below": False},
            {"service": "fraud", "at": 168.0, "quality": 0.8, "below": False},
        ],
    )
    expected = pd.DataFrame(
        {
            "deployments": [1.0, 1.0, 1.0],
            "failed_deployments": [1.0, 0.0, 1.0],
            "changes_deployed": [1.0, 1.0, 1.0],
            "lead_time_h": [5.0, 10.0, 40.0],
            "lead_time_median_h": [5.0, 10.0, 40.0],
            "work_in_progress": [78 / 168, 188 / 168, 40 / 168],
            "incidents": [2.0, 0.0, 1.0],
            "restored": [0.0, 2.0, 0.0],
            "time_to_restore_h": [np.nan, 100.0, np.nan],
            # Ads: 0.9; half 0.9, half 0.5; quarter 0.5, rest 0.7. Fraud: unknown; 0.8; 0.8.
            "quality": [0.9, 0.75, 0.725],
            "share_below_objective": [0.0, 0.25, 0.125],
            # Nobody knows the prices.
            "net_cost": [np.nan] * 3,
        },
        index=pd.RangeIndex(3, name="week"),
    )
    pd.testing.assert_frame_equal(weekly_series(tables, 3), expected)


def test_lead_times_of_a_week_have_their_median(make_tables):
    # Three in week 0, none in week 1, four and one that nobody committed in week 2.
    hours = [
        (10.0, 3.0),
        (20.0, 1.0),
        (30.0, 50.0),
        *((340.0 + h, h) for h in (9.0, 1.0, 5.0, 8.0)),
    ]
    changes = [{"deployed_at": at, "committed_at": at - h} for at, h in hours]
    tables = make_tables(services=SERVICES, changes=[*changes, {"deployed_at": 400.0}])
    median = weekly_series(tables, 3)["lead_time_median_h"]
    np.testing.assert_allclose(median, [3.0, np.nan, 6.5])


def test_weeks_add_up_to_the_window(make_tables):
    prices = [
        {"item": "tools", "since": 0.0, "price": 10.0},
        {"item": "downtime", "since": 0.0, "price": 3.0},
        {"item": "degraded", "since": 0.0, "price": 2.0},
        {"item": "feature", "since": 0.0, "price": 100.0},
        {"item": "person/operations", "since": 0.0, "price": 1.0},
        {"item": "person/operations", "since": 200.0, "price": 5.0},
    ]
    tables = make_tables(
        services=SERVICES,
        changes=[{"kind": "feature", "deployed_at": 300.0}],
        incidents=[{"service": "ads", "cause": "infra", "started_at": 160.0, "restored_at": 340.0}],
        quality=[{"service": "ads", "at": 300.0, "below": True}],
        capacity=[
            {
                "resource": "operations",
                "people": True,
                "opens_at": 168.0 * week,
                "closes_at": 168.0 * (week + 1),
                "paid_h": 84.0,
            }
            for week in range(3)
        ],
        prices=prices,
    )
    week = weekly_series(tables, 3)["net_cost"]
    # People: 84 h; half an hour of pay an hour, 16 h at 1 and 68 h at 5 for it; 84 h at 5.
    people = np.array([84.0, 0.5 * (32 * 1 + 136 * 5), 420.0])
    down, below, worth = np.array([8, 168, 4]), np.array([0, 36, 168]), np.array([0, 100, 0])
    np.testing.assert_allclose(week, people + 10.0 + 3.0 * down + 2.0 * below - worth)
    whole = compute_metrics(Records(tables, (0.0, 504.0)))["net_cost_per_week"]
    assert week.mean() == pytest.approx(whole)


def test_a_level_that_nobody_measured_does_not_count(make_tables):
    quality = [
        {"service": "ads", "at": 0.0, "quality": 0.9, "below": True},
        {"service": "ads", "at": 84.0, "quality": np.nan, "below": False},
    ]
    week = weekly_series(make_tables(services=SERVICES, quality=quality), 1).loc[0]
    assert week["quality"] == pytest.approx(0.9)
    assert week["share_below_objective"] == pytest.approx(0.5)


def test_empty_tables_give_empty_weeks(make_tables):
    series = weekly_series(make_tables(), 4)
    counts = ["deployments", "failed_deployments", "changes_deployed", "incidents", "restored"]
    counts.append("work_in_progress")
    assert (series[counts] == 0.0).all(axis=None)
    assert series.drop(columns=counts).isna().all(axis=None)
    assert list(series.index) == [0, 1, 2, 3]


def test_rolling_metrics_pool_the_weeks_of_their_window() -> None:
    weekly = pd.DataFrame(
        {
            "replication": [0, 0, 0, 1, 1, 1],
            "week": [0, 1, 2, 0, 1, 2],
            "deployments": [2, 0, 4, 1, 0, 0],
            "failed_deployments": [1, 0, 1, 0, 0, 0],
            "changes_deployed": [3, 0, 1, 1, 0, 0],
            "lead_time_h": [10.0, np.nan, 50.0, 7.0, np.nan, np.nan],
            "restored": [0, 1, 3, 0, 0, 0],
            "time_to_restore_h": [np.nan, 2.0, 6.0, np.nan, np.nan, np.nan],
        }
    )
    rolled = rolling_metrics(weekly, n_services=2, weeks=2)
    expected = pd.DataFrame(
        {
            "replication": weekly["replication"],
            "week": weekly["week"],
            # Deployments of two weeks, by two services and fourteen days.
            "deployment_frequency": [np.nan, 2 / 28, 4 / 28, np.nan, 1 / 28, 0.0],
            "lead_time_mean_h": [np.nan, 10.0, 50.0, np.nan, 7.0, np.nan],
            "change_failure_rate": [np.nan, 1 / 2, 1 / 4, np.nan, 0.0, np.nan],
            "time_to_restore_mean_h": [np.nan, 2.0, (2 + 3 * 6) / 4, np.nan, np.nan, np.nan],
        }
    )
    pd.testing.assert_frame_equal(rolled, expected)
