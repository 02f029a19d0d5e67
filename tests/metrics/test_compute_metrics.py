"""All metrics together: names, counts, missing data, odd tables, groups."""

import numpy as np
import pandas as pd
import pytest

from sim.log import Records
from sim.metrics import catalogue, compute_metrics, compute_metrics_by, weekly_series
from sim.metrics.catalogue import names

WINDOW = (168.0, 504.0)

SERVICES = [
    {"service": "ads", "team": "red"},
    {"service": "fraud", "team": "blue"},
    {"service": "search", "team": "red"},
]
CHANGES = [
    {
        "change_id": number,
        "service": service,
        "kind": "feature",
        "created_at": deployed_at - 30.0,
        "started_at": deployed_at - 20.0,
        "committed_at": deployed_at - 10.0,
        "deployed_at": deployed_at,
        "ended_at": deployed_at,
        "deployment_id": number,
        "status": "deployed",
    }
    for number, service, deployed_at in ((0, "ads", 200.0), (1, "fraud", 300.0), (2, "ads", 400.0))
]
STEPS = [
    {
        "change_id": row["change_id"],
        "service": row["service"],
        "step": "deploy",
        "queued_at": row["committed_at"],
        "finished_at": row["deployed_at"],
        "people_h": 9.0 - row["change_id"],
        "effort_h": 1.0 + row["change_id"],
        "batch_h": 0.0,
        "handoff_h": 0.0,
        "window_h": 0.0,
        "compute_h": 0.0,
        "run_h": 0.0,
    }
    for row in CHANGES
]
DEPLOYMENTS = [
    {
        "deployment_id": row["change_id"],
        "service": row["service"],
        "kind": "feature",
        "deployed_at": row["deployed_at"],
        "model_data_from": 100.0,
    }
    for row in CHANGES
]
INCIDENTS = [
    # The deployment of ads broke fraud, which belongs to the other team.
    {
        "service": "fraud",
        "cause": "code",
        "trigger": "deployment",
        "deployment_id": 0,
        "started_at": 210.0,
        "restored_at": 224.0,
    },
    {"service": "search", "cause": "infra", "trigger": "outage", "started_at": 420.0},
]
CAPACITY = [
    {
        "pool": f"{team}/{role}",
        "resource": role,
        "team": team,
        "people": True,
        "opens_at": 168.0 * week,
        "closes_at": 168.0 * (week + 1),
        "available_h": 40.0,
        "paid_h": 50.0,
    }
    for team, role in (
        ("red", "operations"),
        ("blue", "operations"),
        ("platform", "platform"),
        ("", "operations"),  # shared
    )
    for week in (1, 2)
]
WORK = [
    {
        "pool": pool,
        "role": role,
        "activity": activity,
        "started_at": 200.0,
        "finished_at": 300.0,
        "effort_h": effort_h,
    }
    for pool, role, activity, effort_h in (
        ("red/operations", "operations", "feature", 20.0),
        ("blue/operations", "operations", "incident", 60.0),
        ("platform/platform", "platform", "toil", 8.0),
    )
]
QUALITY = [
    {"service": "ads", "at": 0.0, "quality": 0.9, "below": False, "model_data_from": 0.0},
    {"service": "fraud", "at": 0.0, "quality": 0.9, "below": True, "model_data_from": 0.0},
]
BATCHES = [{"batch_id": 0, "service": "ads", "arrived_at": 170.0}]
DEBT = [
    {"service": "fraud", "at": 0.0, "debt_h": 30.0},
    {"service": "search", "at": 336.0, "debt_h": 60.0},
]
PRICES = [
    {"item": item, "since": 0.0, "price": price}
    for item, price in (
        ("person/operations", 100.0),
        ("person/platform", 80.0),
        ("downtime", 1000.0),
        ("degraded", 10.0),
        ("tools", 500.0),
        ("feature", 7000.0),
    )
]


@pytest.fixture
def tables(make_tables):
    return make_tables(
        services=SERVICES,
        changes=CHANGES,
        steps=STEPS,
        work=WORK,
        capacity=CAPACITY,
        deployments=DEPLOYMENTS,
        incidents=INCIDENTS,
        batches=BATCHES,
        quality=QUALITY,
        debt=DEBT,
        prices=PRICES,
    )


NAMES = [
    "deployment_frequency",
    "deployment_frequency_feature",
    "deployment_frequency_improvement",
    "deployment_frequency_retrain",
    "deployment_frequency_fix",
    "lead_time_h",
    "lead_time_mean_h",
    "lead_time_p90_h",
    "ml_lead_time_h",
    "ml_lead_time_mean_h",
    "ml_lead_time_p90_h",
    "lead_time_feature_h",
    "lead_time_feature_mean_h",
    "lead_time_improvement_h",
    "lead_time_improvement_mean_h",
    "lead_time_retrain_h",
    "lead_time_retrain_mean_h",
    "lead_time_fix_h",
    "lead_time_fix_mean_h",
    "change_failure_rate",
    "change_failure_rate_without_decay",
    "change_failure_rate_infra",
    "change_failure_rate_model",
    "change_failure_rate_data",
    "change_failure_rate_code",
    "change_failure_rate_security",
    "change_failure_rate_dependency",
    "change_failure_rate_unseen",
    "incidents_per_deployment",
    "incidents_per_week",
    "rework_rate",
    "time_to_restore_h",
    "time_to_restore_mean_h",
    "detect_mean_h",
    "respond_mean_h",
    "diagnose_mean_h",
    "remedy_mean_h",
    "time_to_restore_infra_mean_h",
    "time_to_restore_model_mean_h",
    "time_to_restore_data_mean_h",
    "time_to_restore_code_mean_h",
    "time_to_restore_security_mean_h",
    "time_to_restore_dependency_mean_h",
    "failed_deployment_recovery_time_h",
    "availability",
    "share_below_objective",
    "staleness_h",
    "data_to_production_h",
    "debt_h",
    "flow_efficiency",
    "lead_time_touch_h",
    "lead_time_run_h",
    "lead_time_people_h",
    "lead_time_compute_h",
    "lead_time_approval_h",
    "lead_time_handoff_h",
    "lead_time_batch_h",
    "lead_time_rework_h",
    "work_in_progress",
    "throughput_per_week",
    "failed_trainings_per_week",
    "delivery_h_per_week",
    "incident_work_h_per_week",
    "toil_h_per_week",
    "investment_h_per_week",
    "idle_h_per_week",
    "capacity_h_per_week",
    "utilization_operations",
    "utilization_platform",
    "cost_people_per_week",
    "cost_compute_per_week",
    "cost_tools_per_week",
    "cost_downtime_per_week",
    "cost_degraded_per_week",
    "cost_per_week",
    "cost_per_deployment",
    "worth_per_week",
    "net_cost_per_week",
    "unstable",
    "n_services",
    "n_deployments",
    "n_changes_deployed",
    "n_incidents",
    "n_restored",
    "n_unfinished",
    "n_open_incidents",
    "n_batches",
    "n_changes_deployed_feature",
    "n_changes_deployed_improvement",
    "n_changes_deployed_retrain",
    "n_changes_deployed_fix",
    "n_restored_infra",
    "n_restored_model",
    "n_restored_data",
    "n_restored_code",
    "n_restored_security",
    "n_restored_dependency",
]


def test_the_metrics_have_the_names_that_others_rely_on(tables):
    metrics = compute_metrics(Records(tables, WINDOW))
    assert list(metrics.index) == NAMES
    assert metrics.dtype == np.float64


def test_names_are_known_without_simulating(tables):
    assert names(["operations", "platform"]) == list(compute_metrics(Records(tables, WINDOW)).index)


def test_counts(tables):
    metrics = compute_metrics(Records(tables, WINDOW))
    counts = metrics[metrics.index.str.startswith("n_")]
    assert dict(counts) == {
        "n_services": 3,
        "n_deployments": 3,
        "n_changes_deployed": 3,
        "n_incidents": 2,
        "n_restored": 1,
        "n_unfinished": 0,
        "n_open_incidents": 1,
        "n_batches": 1,
        "n_changes_deployed_feature": 3,
        **{f"n_changes_deployed_{kind}": 0 for kind in ("improvement", "retrain", "fix")},
        "n_restored_code": 1,
        **{
            f"n_restored_{cause}": 0
            for cause in ("infra", "model", "data", "security", "dependency")
        },
    }


def test_means_of_groups_make_up_the_mean_of_all(tables):
    metrics = compute_metrics(Records(tables, WINDOW))
    grouped = [metric for metric in catalogue.metrics() if metric.groups]
    assert [metric.name for metric in grouped] == ["lead_time_mean_h", "time_to_restore_mean_h"]
    for metric in grouped:
        counts = metrics[[group.number for group in metric.groups]].to_numpy()
        means = metrics[[group.mean for group in metric.groups]].to_numpy()
        assert counts.sum() == metrics[metric.rests_on]
        there = counts > 0
        expected = np.average(means[there], weights=counts[there])
        assert metrics[metric.name] == pytest.approx(expected)


def test_empty_tables_give_no_data_and_counts_of_zero(make_tables):
    logged = make_tables()
    without_columns = {name: pd.DataFrame() for name in logged}
    for nothing in (logged, without_columns):
        metrics = compute_metrics(Records(nothing, WINDOW))
        assert list(metrics.index) == [name for name in NAMES if "utilization" not in name]
        zero = metrics.index.str.startswith("n_") | metrics.index.isin(
            ["work_in_progress", "throughput_per_week", "failed_trainings_per_week", "unstable"]
        )
        zero |= metrics.index.isin(["incidents_per_week"]) | metrics.index.str.contains("_h_per_w")
        assert (metrics[zero] == 0.0).all()
        assert metrics[~zero].isna().all()
        assert len(compute_metrics_by(Records(nothing, WINDOW), "service")) == 0


def test_a_window_in_which_nothing_happens_gives_no_data(tables):
    metrics = compute_metrics(Records(tables, (600.0, 768.0)))
    assert metrics["n_deployments"] == 0
    assert metrics["deployment_frequency"] == 0.0
    assert metrics["n_open_incidents"] == 1
    unknown = ["lead_time_h", "change_failure_rate", "time_to_restore_h", "rework_rate"]
    assert metrics[unknown].isna().all()
    # The open incident goes on, and so does the quality.
    assert metrics["availability"] == pytest.approx(2 / 3)
    assert metrics["share_below_objective"] == pytest.approx(1 / 2)


def test_an_organization_may_know_only_its_changes_deployments_and_incidents(tables):
    few = {name: tables[name] for name in ("services", "changes", "deployments", "incidents")}
    metrics = compute_metrics(Records(few, WINDOW))
    everything = compute_metrics(Records(tables, WINDOW))
    assert metrics["lead_time_h"] == everything["lead_time_h"]
    assert metrics["change_failure_rate"] == everything["change_failure_rate"]
    assert metrics[["lead_time_touch_h", "staleness_h", "flow_efficiency"]].isna().all()
    unknown = ["failed_trainings_per_week", "toil_h_per_week", "idle_h_per_week", "debt_h"]
    assert metrics[unknown].isna().all()
    assert metrics.filter(like="cost").isna().all()
    assert metrics[["n_batches", "incidents_per_week"]].isna().tolist() == [True, False]
    assert weekly_series(few, 3)["quality"].isna().all()


@pytest.mark.parametrize("name", ["services", "changes", "deployments", "incidents"])
def test_what_rests_on_an_absent_table_is_no_number(tables, name):
    everything = compute_metrics(Records(tables, WINDOW))
    del tables[name]
    metrics = compute_metrics(Records(tables, WINDOW))
    assert np.isnan(metrics[f"n_{name}" if name != "changes" else "n_changes_deployed"])
    known = metrics.dropna()
    assert known.equals(everything[known.index])


def test_columns_that_cannot_be_understood_are_errors(tables):
    changes = tables["changes"]
    dates = changes.assign(committed_at=pd.Timestamp("2024-01-01"))
    with pytest.raises(ValueError, match="'committed_at' holds dates"):
        compute_metrics(Records({**tables, "changes": dates}, WINDOW))
    texts = tables["deployments"].assign(unplanned="False")
    with pytest.raises(ValueError, match="'unplanned' has to hold flags"):
        compute_metrics(Records({**tables, "deployments": texts}, WINDOW))
    twice = pd.concat([tables["services"], tables["services"]])
    with pytest.raises(ValueError, match="service twice"):
        compute_metrics(Records({**tables, "services": twice}, WINDOW))


@pytest.mark.parametrize("window", [(168.0, 168.0), (504.0, 168.0), (168.0, np.nan)])
def test_a_window_has_a_length(tables, window):
    with pytest.raises(ValueError, match="window has to end after its start"):
        compute_metrics(Records(tables, window))


def test_the_order_and_the_labels_of_the_rows_do_not_matter(tables):
    expected = compute_metrics(Records(tables, WINDOW))
    rng = np.random.default_rng(0)
    mixed = {
        name: frame.iloc[rng.permutation(len(frame))].set_axis(rng.integers(0, 3, len(frame)))
        for name, frame in tables.items()
    }
    pd.testing.assert_series_equal(compute_metrics(Records(mixed, WINDOW))[NAMES], expected)
    by_service = compute_metrics_by(Records(tables, WINDOW), "service")
    pd.testing.assert_frame_equal(
        compute_metrics_by(Records(mixed, WINDOW), "service").loc[by_service.index], by_service
    )


def test_nullable_and_arrow_columns_are_as_good_as_any(tables):
    expected = compute_metrics(Records(tables, WINDOW))
    for backend in ("numpy_nullable", "pyarrow"):
        converted = {
            name: frame.convert_dtypes(dtype_backend=backend) for name, frame in tables.items()
        }
        pd.testing.assert_series_equal(compute_metrics(Records(converted, WINDOW)), expected)


def test_metrics_by_team(tables):
    by_team = compute_metrics_by(Records(tables, WINDOW))
    assert list(by_team.index) == ["red", "blue", "platform"]
    assert by_team.index.name == "team"
    assert list(by_team.columns) == NAMES
    assert list(by_team["n_services"]) == [2, 1, 0]
    assert list(by_team["n_deployments"]) == [2, 1, 0]
    # Two deployments of two services, one of one service, in 14 days.
    np.testing.assert_allclose(by_team["deployment_frequency"], [2 / 28, 1 / 14, np.nan])
    # The incident happened at blue's service and is charged to red's deployment.
    assert list(by_team["n_incidents"]) == [1, 1, 0]
    np.testing.assert_allclose(by_team["change_failure_rate"], [0.5, 0.0, np.nan])
    np.testing.assert_allclose(by_team["change_failure_rate_code"], [0.5, 0.0, np.nan])
    np.testing.assert_allclose(by_team["time_to_restore_h"], [np.nan, 14.0, np.nan])
    np.testing.assert_allclose(by_team["lead_time_touch_h"], [2.0, 2.0, np.nan])
    np.testing.assert_allclose(by_team["lead_time_people_h"], [8.0, 8.0, np.nan])
    # 84 h of search until the end of the window, 14 h of fraud.
    np.testing.assert_allclose(by_team["availability"], [1 - 84 / (2 * 336), 1.0, np.nan])
    np.testing.assert_allclose(by_team["share_below_objective"], [0.0, 1.0, np.nan])
    np.testing.assert_allclose(by_team["utilization_operations"], [20 / 80, 60 / 80, np.nan])
    np.testing.assert_allclose(by_team["utilization_platform"], [np.nan, np.nan, 8 / 80])
    np.testing.assert_allclose(by_team["delivery_h_per_week"], [10.0, 0.0, 0.0])
    np.testing.assert_allclose(by_team["incident_work_h_per_week"], [0.0, 30.0, 0.0])
    np.testing.assert_allclose(by_team["toil_h_per_week"], [0.0, 0.0, 4.0])
    np.testing.assert_allclose(by_team["idle_h_per_week"], [30.0, 10.0, 36.0])
    np.testing.assert_allclose(by_team["debt_h"], [15.0, 30.0, np.nan])  # two services, one


def test_a_team_costs_what_is_its_own(tables):
    by_team = compute_metrics_by(Records(tables, WINDOW))
    np.testing.assert_allclose(by_team["cost_people_per_week"], [5000.0, 5000.0, 4000.0])
    np.testing.assert_allclose(by_team["cost_tools_per_week"], 0.0)
    np.testing.assert_allclose(by_team["cost_compute_per_week"], 0.0)
    np.testing.assert_allclose(by_team["cost_downtime_per_week"], [42e3, 0.0, 0.0])
    np.testing.assert_allclose(by_team["cost_degraded_per_week"], [0.0, 1680.0, 0.0])
    np.testing.assert_allclose(by_team["cost_per_week"], [47e3, 6680.0, 4000.0])
    np.testing.assert_allclose(by_team["cost_per_deployment"], [47e3, 2 * 6680.0, np.nan])
    np.testing.assert_allclose(by_team["worth_per_week"], [7000.0, 3500.0, 0.0])
    np.testing.assert_allclose(by_team["net_cost_per_week"], [40e3, 3180.0, 4000.0])
    # Of the whole, the shared pool and the tools are no team's.
    whole = compute_metrics(Records(tables, WINDOW))
    assert whole["cost_per_week"] == pytest.approx(by_team["cost_per_week"].sum() + 5000 + 500)


def test_a_service_costs_its_downtime_and_degradation(tables):
    by_service = compute_metrics_by(Records(tables, WINDOW), "service")
    np.testing.assert_allclose(by_service["cost_downtime_per_week"], [0.0, 0.0, 42e3])
    np.testing.assert_allclose(by_service["cost_degraded_per_week"], [0.0, 1680.0, 0.0])
    np.testing.assert_allclose(by_service["worth_per_week"], [7000.0, 3500.0, 0.0])
    unknown = ["people", "compute", "tools"]
    assert by_service[[f"cost_{head}_per_week" for head in unknown]].isna().all(axis=None)
    assert (
        by_service[["cost_per_week", "net_cost_per_week", "idle_h_per_week"]].isna().all(axis=None)
    )


def test_a_deployment_is_charged_with_what_it_caused_elsewhere(tables):
    # Red's deployment of ads broke the interface that blue's fraud uses: 14 h until restored. The
    # deployment of fraud did nothing of the kind; the outage of search took another along.
    rows = tables["incidents"]
    rows["cause"] = ["dependency", "infra"]
    tables["incidents"] = pd.concat(
        [
            rows,
            rows.iloc[1:].assign(service="fraud", trigger="upstream", restored_at=430.0),
            rows.iloc[:1].assign(cause="infra", trigger="upstream", service="search"),
        ]
    )
    whole = compute_metrics(Records(tables, WINDOW))
    assert whole["change_failure_rate_dependency"] == pytest.approx(1 / 3)
    assert whole["change_failure_rate"] == pytest.approx(1 / 3)
    assert whole["incidents_per_deployment"] == pytest.approx(1 / 3)
    assert whole["incidents_per_week"] == pytest.approx(4 / 2)
    by_team = compute_metrics_by(Records(tables, WINDOW))
    np.testing.assert_allclose(by_team["change_failure_rate_dependency"], [0.5, 0.0, np.nan])
    # What spread from it counts for the cause that came first.
    np.testing.assert_allclose(by_team["change_failure_rate_infra"], [0.0, 0.0, np.nan])
    np.testing.assert_allclose(by_team["incidents_per_deployment"], [0.5, 0.0, np.nan])
    np.testing.assert_allclose(by_team["failed_deployment_recovery_time_h"], [14.0, np.nan, np.nan])
    # What happened, happened to the services: two incidents at each team's.
    np.testing.assert_allclose(by_team["incidents_per_week"], [1.0, 1.0, 0.0])
    np.testing.assert_allclose(by_team["time_to_restore_h"], [14.0, 12.0, np.nan])
    by_service = compute_metrics_by(Records(tables, WINDOW), "service")
    np.testing.assert_allclose(by_service["incidents_per_deployment"], [0.5, 0.0, np.nan])
    np.testing.assert_allclose(by_service["change_failure_rate"], [0.5, 0.0, np.nan])


def test_metrics_by_service(tables):
    by_service = compute_metrics_by(Records(tables, WINDOW), "service")
    assert list(by_service.index) == ["ads", "fraud", "search"]
    assert list(by_service.columns) == [name for name in NAMES if "utilization" not in name]
    np.testing.assert_allclose(by_service["deployment_frequency"], [2 / 14, 1 / 14, 0.0])
    np.testing.assert_allclose(by_service["change_failure_rate"], [0.5, 0.0, np.nan])
    np.testing.assert_allclose(by_service["availability"], [1.0, 1.0, 0.75])
    np.testing.assert_allclose(by_service["lead_time_touch_h"], [2.0, 2.0, np.nan])
    np.testing.assert_allclose(by_service["n_batches"], [1, 0, 0])


def test_decay_is_charged_in_the_groups_too(tables):
    tables["incidents"]["trigger"] = "decay"
    by_service = compute_metrics_by(Records(tables, WINDOW), "service")
    assert by_service.loc["ads", "change_failure_rate"] == 0.5
    assert by_service.loc["ads", "change_failure_rate_without_decay"] == 0.0


def test_metrics_are_grouped_by_team_or_service_only(tables):
    with pytest.raises(ValueError, match="'team' or 'service', not by 'role'"):
        compute_metrics_by(Records(tables, WINDOW), "role")
