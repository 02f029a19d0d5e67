"""Time to restore and its phases by hand."""

import numpy as np
import pytest

from sim.metrics.restore import failed_deployment_recovery_time, restore_times

WINDOW = (168.0, 504.0)
SERVICES = [{"service": "ads", "team": "red"}]


def test_restore_times_are_taken_over_the_incidents_restored_in_the_window(make_tables):
    tables = make_tables(
        services=SERVICES,
        incidents=[
            # Started before the window, restored in it: 100 h = 40 + 30 + 20 + 10.
            {
                "trigger": "deployment",
                "cause": "code",
                "started_at": 100.0,
                "detected_at": 140.0,
                "responded_at": 170.0,
                "diagnosed_at": 190.0,
                "restored_at": 200.0,
            },
            # 8 h = 1 + 1 + 2 + 4.
            {
                "trigger": "outage",
                "cause": "infra",
                "started_at": 300.0,
                "detected_at": 301.0,
                "responded_at": 302.0,
                "diagnosed_at": 304.0,
                "restored_at": 308.0,
            },
            # 12 h = 3 + 3 + 3 + 3.
            {
                "trigger": "deployment",
                "cause": "code",
                "started_at": 400.0,
                "detected_at": 403.0,
                "responded_at": 406.0,
                "diagnosed_at": 409.0,
                "restored_at": 412.0,
            },
            # Restored before, at the end of, and not in the window.
            {"trigger": "deployment", "started_at": 1.0, "restored_at": 167.9},
            {"trigger": "deployment", "started_at": 1.0, "restored_at": 504.0},
            {"trigger": "deployment", "started_at": 200.0},
        ],
    )
    assert restore_times(tables, WINDOW) == pytest.approx(
        {
            "time_to_restore_h": 12.0,
            "time_to_restore_mean_h": 40.0,
            "detect_mean_h": 44 / 3,
            "respond_mean_h": 34 / 3,
            "diagnose_mean_h": 25 / 3,
            "remedy_mean_h": 17 / 3,
            "time_to_restore_code_mean_h": 56.0,
            "time_to_restore_infra_mean_h": 8.0,
            **{
                f"time_to_restore_{cause}_mean_h": np.nan
                for cause in ("model", "data", "security", "dependency")
            },
        },
        nan_ok=True,
    )
    # The median of 100 h and 12 h, which deployments triggered.
    assert failed_deployment_recovery_time(tables, WINDOW) == pytest.approx(56.0)


@pytest.mark.parametrize(
    ("known", "phases"),
    [
        ({}, (10.0, 0.0, 0.0, 0.0)),
        ({"detected_at": 204.0}, (4.0, 6.0, 0.0, 0.0)),
        ({"detected_at": 204.0, "responded_at": 205.0}, (4.0, 1.0, 5.0, 0.0)),
        # Nobody wrote down when it was detected, but somebody responded.
        ({"responded_at": 205.0, "diagnosed_at": 207.0}, (5.0, 0.0, 2.0, 3.0)),
        # The diagnosis went on after a new version had restored the service.
        (
            {"detected_at": 204.0, "responded_at": 205.0, "diagnosed_at": 230.0},
            (4.0, 1.0, 5.0, 0.0),
        ),
    ],
    ids=["at once", "detected", "responded", "undetected", "diagnosed late"],
)
def test_skipped_phases_leave_their_time_to_the_phase_it_was_in(make_tables, known, phases):
    incident = {"service": "ads", "started_at": 200.0, "restored_at": 210.0, **known}
    tables = make_tables(services=SERVICES, incidents=[incident])
    times = restore_times(tables, WINDOW)
    names = ("detect_mean_h", "respond_mean_h", "diagnose_mean_h", "remedy_mean_h")
    assert tuple(times[name] for name in names) == pytest.approx(phases)
    assert times["time_to_restore_mean_h"] == pytest.approx(10.0)
    assert np.isnan(failed_deployment_recovery_time(tables, WINDOW))


def test_without_restored_incidents_there_are_no_times(make_tables):
    still_open = [{"service": "ads", "started_at": 200.0}]
    for tables in (make_tables(), make_tables(services=SERVICES, incidents=still_open)):
        assert np.isnan(list(restore_times(tables, WINDOW).values())).all()
        assert np.isnan(failed_deployment_recovery_time(tables, WINDOW))
