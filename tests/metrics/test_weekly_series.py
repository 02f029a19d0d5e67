"""Weekly series by hand."""

import numpy as np
import pandas as pd
import pytest

from sim.metrics import weekly_series

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
            {"service": "ads", "started_at": 0.0, "restored_at": 170.0},
            {"service": "ads", "started_at": 150.0, "restored_at": 180.0},
            {"service": "ads", "started_at": 350.0},
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
            "changes_deployed": [1.0, 1.0, 1.0],
            "lead_time_h": [5.0, 10.0, 40.0],
            "work_in_progress": [78 / 168, 188 / 168, 40 / 168],
            "incidents": [2.0, 0.0, 1.0],
            "time_to_restore_h": [np.nan, 100.0, np.nan],
            # Ads: 0.9; half 0.9, half 0.5; quarter 0.5, rest 0.7. Fraud: unknown; 0.8; 0.8.
            "quality": [0.9, 0.75, 0.725],
            "share_below_objective": [0.0, 0.25, 0.125],
        },
        index=pd.RangeIndex(3, name="week"),
    )
    pd.testing.assert_frame_equal(weekly_series(tables, 3), expected)


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
    counts = ["deployments", "changes_deployed", "incidents", "work_in_progress"]
    assert (series[counts] == 0.0).all(axis=None)
    assert series.drop(columns=counts).isna().all(axis=None)
    assert list(series.index) == [0, 1, 2, 3]
