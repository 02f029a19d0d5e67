"""Deployment frequency, lead times, change failure rate and rework rate by hand."""

import numpy as np
import pandas as pd
import pytest

from sim.log import NO_ID, Records
from sim.metrics import compute_metrics
from sim.metrics.arrays import positions
from sim.metrics.dora import (
    change_failure_rate,
    change_failure_rate_unseen,
    charged_deployments,
    deployment_frequency,
    incidents_per_deployment,
    incidents_per_week,
    lead_times,
    rework_rate,
)

WEEK = 168.0
WINDOW = (WEEK, 3 * WEEK)  # 14 days

SERVICES = [{"service": name, "team": "red"} for name in ("ads", "fraud", "search", "idle")]


def test_deployment_frequency_counts_all_services_and_a_half_open_window(make_tables):
    tables = make_tables(
        services=SERVICES,
        deployments=[
            {"deployment_id": 1, "service": "ads", "kind": "feature", "deployed_at": 167.9},
            {"deployment_id": 2, "service": "ads", "kind": "feature", "deployed_at": 168.0},
            {"deployment_id": 3, "service": "ads", "kind": "retrain", "deployed_at": 200.0},
            {"deployment_id": 4, "service": "fraud", "kind": "retrain", "deployed_at": 300.0},
            {"deployment_id": 5, "service": "search", "kind": "fix", "deployed_at": 503.9},
            {"deployment_id": 6, "service": "search", "kind": "fix", "deployed_at": 504.0},
            {"deployment_id": 7, "service": "search", "kind": "fix"},  # not deployed yet
        ],
    )
    # 4 services * 14 days = 56 service days.
    assert deployment_frequency(tables, WINDOW) == pytest.approx(
        {
            "deployment_frequency": 4 / 56,
            "deployment_frequency_feature": 1 / 56,
            "deployment_frequency_retrain": 2 / 56,
            "deployment_frequency_fix": 1 / 56,
            "deployment_frequency_improvement": 0.0,
        }
    )


def test_services_that_never_deployed_have_a_frequency_of_zero_and_no_services_have_none(
    make_tables,
):
    assert deployment_frequency(make_tables(services=SERVICES), WINDOW)["deployment_frequency"] == 0
    assert np.isnan(deployment_frequency(make_tables(), WINDOW)["deployment_frequency"])


def test_lead_times_start_where_the_kind_of_change_says(make_tables):
    tables = make_tables(
        services=SERVICES,
        changes=[
            # Committed before the window and deployed in it: counts whole. 90 h, and 190 h of ML.
            {
                "kind": "feature",
                "created_at": 5.0,
                "started_at": 10.0,
                "committed_at": 110.0,
                "deployed_at": 200.0,
                "status": "rolled_back",
            },
            # A retraining starts with its trigger: 10 h, and 12 h of ML.
            {
                "kind": "retrain",
                "created_at": 288.0,
                "started_at": 295.0,
                "committed_at": 290.0,
                "deployed_at": 300.0,
                "status": "deployed",
            },
            # 20 h, and 25 h of ML.
            {
                "kind": "fix",
                "created_at": 360.0,
                "started_at": 375.0,
                "committed_at": 380.0,
                "deployed_at": 400.0,
                "status": "deployed",
            },
            # Deployed at the end of the window, which is no longer in it.
            {"kind": "fix", "started_at": 1.0, "committed_at": 2.0, "deployed_at": 504.0},
            # Not deployed.
            {"kind": "fix", "started_at": 300.0, "committed_at": 301.0, "status": "delivering"},
        ],
    )
    assert lead_times(tables, WINDOW) == pytest.approx(
        {
            "lead_time_h": 20.0,  # of 10, 20, 90
            "lead_time_mean_h": 40.0,
            "lead_time_p90_h": 76.0,  # 0.8 of the way from 20 to 90
            "ml_lead_time_h": 25.0,  # of 12, 25, 190
            "ml_lead_time_mean_h": 227 / 3,
            "ml_lead_time_p90_h": 157.0,
            "lead_time_feature_h": 90.0,
            "lead_time_feature_mean_h": 90.0,
            "lead_time_improvement_h": np.nan,
            "lead_time_improvement_mean_h": np.nan,
            "lead_time_retrain_h": 10.0,
            "lead_time_retrain_mean_h": 10.0,
            "lead_time_fix_h": 20.0,
            "lead_time_fix_mean_h": 20.0,
        },
        nan_ok=True,
    )


def test_the_median_of_an_even_number_of_changes_is_the_mean_of_the_middle_two(make_tables):
    tables = make_tables(
        services=SERVICES,
        changes=[
            {"kind": "fix", "committed_at": 200.0, "deployed_at": 200.0 + hours}
            for hours in (1.0, 2.0, 4.0, 100.0)
        ],
    )
    times = lead_times(tables, WINDOW)
    assert times["lead_time_h"] == pytest.approx(3.0)
    assert times["lead_time_fix_h"] == pytest.approx(3.0)
    assert times["lead_time_fix_mean_h"] == pytest.approx(107 / 4)
    assert np.isnan(times["ml_lead_time_h"])  # nobody wrote down when work started


# Deployments 1 to 5 are in the window, 6 is not.
DEPLOYMENTS = [
    {
        "deployment_id": number,
        "service": "ads",
        "deployed_at": deployed_at,
        "unplanned": number in (2, 6),
    }
    for number, deployed_at in enumerate([210.0, 270.0, 330.0, 390.0, 450.0, 600.0], start=1)
]
INCIDENTS = [
    # Two incidents of deployment 1 make one failed deployment.
    {"service": "ads", "cause": "code", "trigger": "deployment", "deployment_id": 1},
    {"service": "ads", "cause": "infra", "trigger": "deployment", "deployment_id": 1},
    # It shows itself long after the window.
    {
        "service": "ads",
        "cause": "model",
        "trigger": "deployment",
        "deployment_id": 2,
        "started_at": 9000.0,
    },
    {"service": "ads", "cause": "model", "trigger": "decay", "deployment_id": 2},
    {"service": "ads", "cause": "model", "trigger": "decay", "deployment_id": 3},
    # Caused by no deployment, by one outside the window, by one that is not in the tables.
    {"service": "ads", "cause": "infra", "trigger": "outage"},
    {"service": "ads", "cause": "security", "trigger": "deployment", "deployment_id": 6},
    {"service": "ads", "cause": "security", "trigger": "deployment", "deployment_id": 77},
]


def test_change_failure_rate_counts_deployments_and_not_incidents(make_tables):
    tables = make_tables(services=SERVICES, deployments=DEPLOYMENTS, incidents=INCIDENTS)
    assert change_failure_rate(tables, WINDOW) == pytest.approx(
        {
            "change_failure_rate": 3 / 5,
            "change_failure_rate_without_decay": 2 / 5,
            "change_failure_rate_infra": 0.0,  # the second of its deployment
            "change_failure_rate_model": 2 / 5,
            "change_failure_rate_data": 0.0,
            "change_failure_rate_code": 1 / 5,
            "change_failure_rate_security": 0.0,
            "change_failure_rate_dependency": 0.0,
        }
    )
    assert rework_rate(tables, WINDOW) == pytest.approx(1 / 5)


def test_decay_counts_as_a_model_failure_whatever_cause_was_written_down(make_tables):
    incidents = [{"service": "ads", "cause": "data", "trigger": "decay", "deployment_id": 3}]
    tables = make_tables(services=SERVICES, deployments=DEPLOYMENTS, incidents=incidents)
    rates = change_failure_rate(tables, WINDOW)
    assert rates["change_failure_rate_model"] == pytest.approx(1 / 5)
    assert rates["change_failure_rate_data"] == 0.0


def test_incidents_per_deployment_counts_incidents_where_they_started(make_tables):
    rows = [
        # A deployment of before the window broke three services in it, one of them only by way of
        # another; one of the window breaks something after it.
        {"trigger": "deployment", "deployment_id": 1, "started_at": 210.0},
        {"trigger": "deployment", "deployment_id": 1, "started_at": 211.0, "cause": "dependency"},
        {"trigger": "upstream", "deployment_id": 1, "started_at": 212.0},
        {"trigger": "deployment", "deployment_id": 2, "started_at": 504.0},
        # Not of a deployment that is known; not of any.
        {"trigger": "deployment", "deployment_id": 77, "started_at": 300.0},
        {"trigger": "outage", "started_at": 300.0},
        {"trigger": "decay", "deployment_id": 3, "started_at": 300.0},
    ]
    deployments = [{**DEPLOYMENTS[0], "deployed_at": 100.0}, *DEPLOYMENTS[1:]]
    incidents = [{"service": "fraud", **row} for row in rows]
    tables = make_tables(services=SERVICES, deployments=deployments, incidents=incidents)
    assert incidents_per_deployment(tables, WINDOW) == pytest.approx(2 / 4)
    assert incidents_per_week(tables, WINDOW) == pytest.approx(6 / 2)
    assert np.isnan(incidents_per_deployment(tables, (700.0, 800.0)))
    assert incidents_per_week(tables, (700.0, 800.0)) == 0.0


def test_deployments_without_incidents_have_failed_in_no_case(make_tables):
    rates = change_failure_rate(make_tables(services=SERVICES, deployments=DEPLOYMENTS), WINDOW)
    assert set(rates.values()) == {0.0}


def test_without_deployments_there_is_no_rate(make_tables):
    tables = make_tables(services=SERVICES, incidents=INCIDENTS)
    assert np.isnan(list(change_failure_rate(tables, WINDOW).values())).all()
    assert np.isnan(rework_rate(tables, WINDOW))


@pytest.mark.parametrize(
    ("names", "charged"),
    [
        (np.arange(1, 7), [1, 1, 2, -1]),
        (np.arange(1, 7), [1.0, 1.0, 2.0, np.nan]),
        (pd.array(range(1, 7), dtype="Int64"), pd.array([1, 1, 2, None], dtype="Int64")),
        (list("abcdef"), ["a", "a", "b", None]),
        (pd.Categorical(list("abcdef")), pd.Categorical(["a", "a", "b", None])),
        (10**18 + np.arange(6), 10**18 + np.array([0, 0, 1, 99])),
    ],
    ids=["integers", "floats", "nullable", "strings", "categoricals", "large integers"],
)
def test_identifiers_of_any_kind_match(make_tables, names, charged):
    tables = make_tables(services=SERVICES, deployments=DEPLOYMENTS, incidents=INCIDENTS[:4])
    tables["deployments"]["deployment_id"] = names
    tables["incidents"]["deployment_id"] = charged
    tables["incidents"]["trigger"] = "deployment"
    assert change_failure_rate(tables, WINDOW)["change_failure_rate"] == pytest.approx(2 / 5)


def test_a_deployment_that_is_there_twice_is_an_error(make_tables):
    tables = make_tables(services=SERVICES, deployments=[*DEPLOYMENTS, DEPLOYMENTS[0]])
    with pytest.raises(ValueError, match="identifier 1 occurs more than once"):
        compute_metrics(Records(tables, WINDOW))


@pytest.mark.parametrize(
    ("keys", "values", "expected"),
    [
        ([NO_ID, 7, NO_ID, 5], [5, NO_ID, 7, 8], [3, -1, 1, -1]),
        (["", "a", None, np.nan, ""], ["a", None, "", np.nan, "b"], [1, -1, -1, -1, -1]),
        ([NO_ID, NO_ID], ["a", None], [-1, -1]),
    ],
)
def test_missing_identifiers_are_the_same_as_nothing(keys, values, expected):
    kinds = [None if isinstance(some[0], int) else object for some in (keys, values)]
    found = positions(np.array(keys, dtype=kinds[0]), np.array(values, dtype=kinds[1]))
    assert found.tolist() == expected


def test_an_incident_without_a_deployment_is_charged_to_none_that_has_no_identifier(make_tables):
    deployments = [
        {"deployment_id": number, "service": "ads", "kind": "feature", "deployed_at": 200.0}
        for number in (NO_ID, NO_ID, 4)
    ]
    incidents = [
        {"incident_id": 0, "service": "ads", "cause": "infra", "started_at": 210.0},
        {"incident_id": 1, "service": "ads", "cause": "model", "started_at": 220.0}
        | {"deployment_id": 4},
    ]
    tables = make_tables(services=SERVICES, deployments=deployments, incidents=incidents)
    assert charged_deployments(tables).tolist() == [-1, 2]
    assert change_failure_rate(tables, WINDOW)["change_failure_rate"] == pytest.approx(1 / 3)


def watched(make_tables, deployed_at, failing_at):
    """Return tables of deployments at some times; those named in ``failing_at`` fail then."""
    return make_tables(
        services=SERVICES,
        deployments=[
            {"deployment_id": number, "service": "ads", "kind": "feature", "deployed_at": at}
            for number, at in enumerate(deployed_at)
        ],
        incidents=[
            {"deployment_id": number, "service": "ads", "trigger": "deployment", "started_at": at}
            for number, at in failing_at.items()
        ],
    )


def test_failures_not_seen_yet_by_hand(make_tables):
    # Watched until 504: the first fails after 5 h, the third after 15 h, of which nobody knows for
    # the last, seen for 10 h. Of four at risk one fails, of two another one: 1 - 3/4 · 1/2 = 5/8,
    # where 1/2 has failed so far.
    tables = watched(make_tables, [464.0, 474.0, 484.0, 494.0], {0: 469.0, 2: 499.0})
    assert change_failure_rate(tables, WINDOW)["change_failure_rate"] == 1 / 2
    assert change_failure_rate_unseen(tables, WINDOW) == pytest.approx(1 / 8)


def test_nothing_is_unseen_where_all_that_fail_have_failed(make_tables):
    # All fail at once, or are seen for longer than any failure took.
    at_once = watched(make_tables, [200.0, 300.0, 400.0], {0: 200.5, 2: 401.0})
    assert change_failure_rate_unseen(at_once, WINDOW) == 0.0
    none = watched(make_tables, [200.0, 300.0], {})
    assert change_failure_rate_unseen(none, WINDOW) == 0.0
    assert np.isnan(change_failure_rate_unseen(watched(make_tables, [], {}), WINDOW))


def test_what_is_recorded_after_the_window_counts_as_watched(make_tables):
    # A failure after 10 h: of the second, deployed 4 h before the end of the window, nobody would
    # know; but the records go on for 100 h.
    tables = watched(make_tables, [400.0, 500.0], {0: 410.0})
    assert change_failure_rate_unseen(tables, WINDOW) == 1 / 2
    later = watched(make_tables, [400.0, 500.0, 505.0], {0: 410.0, 2: 604.0})
    assert change_failure_rate_unseen(later, WINDOW) == 0.0


def test_failures_not_seen_yet_make_up_for_what_is_missing(make_tables):
    # Of 4000 deployments spread over two weeks, 40 % fail, on average after four days: those of the
    # last days are missing. The oldest are seen for 14 days, after which e^-3.5 of them still wait.
    rng = np.random.default_rng(8)
    deployed_at = rng.uniform(*WINDOW, 4000)
    fails_at = deployed_at + rng.exponential(96.0, 4000)
    fails = (rng.random(4000) < 0.4) & (fails_at < WINDOW[1])
    tables = watched(
        make_tables, deployed_at, dict(zip(np.flatnonzero(fails), fails_at[fails], strict=True))
    )
    seen = change_failure_rate(tables, WINDOW)["change_failure_rate"]
    everything = 0.4 * (1.0 - np.exp(-3.5))
    assert seen < 0.31, "about a quarter is missing"
    # Three standard errors of a share of 4000; the last ones at risk make it a little worse.
    estimated = seen + change_failure_rate_unseen(tables, WINDOW)
    assert estimated == pytest.approx(everything, abs=4 * np.sqrt(0.24 / 4000))
