"""What holds in every organization: properties of the log over random valid scenarios."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sim

SHARE = st.floats(0, 1).map(lambda value: round(value, 3))
HOURS = st.floats(0.05, 60).map(lambda value: round(value, 2))

OVERRIDES = st.fixed_dictionaries(
    {
        "automation": SHARE,
        "standardization": SHARE,
        "teams.product.count": st.integers(1, 2),
        "services.model.count": st.integers(1, 2),
        "teams.product.wip_limit": st.sampled_from(["null", 1, 3]),
        "teams.product.people.ml_engineer": st.integers(1, 3),
        "shared_people.operations": st.integers(1, 2),
        "changes.feature.exploration_h.mean": HOURS,
        "changes.feature.abandoned": SHARE,
        "changes.feature.defects.code": SHARE,
        "changes.improvement.interarrival_h.mean": st.sampled_from([30, 200]),
        "services.model.retraining.trigger": st.sampled_from(
            ["none", "schedule", "new_data", "drift", "always_on"]
        ),
        "services.model.retraining.every_h": st.sampled_from([24, 200]),
        "services.model.data.corrupted": SHARE,
        "services.model.data.caught": SHARE,
        "services.model.quality.speed": st.sampled_from([0, 1, 20]),
        "services.model.quality.shocks.interarrival_h.mean": st.sampled_from([100, 4000]),
        "services.model.time_to_outage_h.mean": st.sampled_from([50, 1000]),
        "pipeline.steps.train.run_h.mean": HOURS,
        "pipeline.steps.train.fails": st.sampled_from([0, 0.3, 0.9]),
        "pipeline.steps.unit_test.flaky": st.sampled_from([0, 0.5]),
        "pipeline.steps.deploy.effort_h.mean": HOURS,
        "pipeline.steps.deploy.adds.infra.automated": SHARE,
        "pipeline.steps.deploy.window.waits.automated": SHARE,
        "pipeline.environment_drift": SHARE,
        "pipeline.max_attempts": st.sampled_from([1, 2, 10]),
        "compute.gpu.slots": st.integers(1, 2),
        "compute.gpu.max_slots": st.sampled_from(["null", 4]),
        "compute.gpu.preemptions_per_h": st.sampled_from([0, 0.2]),
        "compute.gpu.shared": st.booleans(),
        "incidents.on_call": st.sampled_from(["[]", "[operations]"]),
        "incidents.rollback.available": SHARE,
        "incidents.failover.available": SHARE,
        "incidents.responses.code.monitored": SHARE,
        "working_hours.always": st.booleans(),
        # With this, the services of a team depend on each other in a circle.
        "services.embedding.hidden_upstream": st.sampled_from(["[]", "[model]"]),
        "dependencies.spreads": SHARE,
        "changes.feature.defects.dependency": SHARE,
        "threats.interarrival_h.mean": st.sampled_from([100, 5000]),
        "upkeep.time_to_break_h.mean": st.sampled_from([50, 5000]),
        "pipeline.unrepeatable.bespoke": SHARE,
        "debt.by_hand_h": st.sampled_from([0, 5]),
        "incidents.difficulty_sigma": st.sampled_from([0, 1.5]),
        "incidents.transient.share": SHARE,
        "teams_differ.effort": st.sampled_from([0, 0.5]),
        "teams_differ.pickup": st.sampled_from([0, 1]),
        "pipeline.steps.review.pickup_h": st.sampled_from([0, 20]),
        "pipeline.steps.deploy.self_service": SHARE,
        "pipeline.steps.approve.standard_changes.retrain": SHARE,
        "pipeline.steps.package.golden_path_role": st.sampled_from(["null", "operations"]),
        "upkeep.golden_path_blocks": st.booleans(),
        "roadmap": st.sampled_from(
            [
                "[]",
                "[{practice: cicd, level: full, start_week: 3, effort_h: {ml_engineer: 20}}]",
                "[{practice: compute, level: autoscaled, start_week: 2, learning_weeks: 3, "
                "learning_slowdown: 1}, {practice: collaboration, level: full, start_week: 3}, "
                "{practice: retraining, level: always_on, start_week: 4}]",
            ]
        ),
    }
)


# Shrinking runs hundreds of simulations: to debug a failure, add Phase.shrink.
repeatable = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@settings(repeatable, max_examples=5)
@given(overrides=OVERRIDES, seed=st.integers(0, 2**32))
def test_properties_of_the_log(overrides: dict[str, object], seed: int) -> None:
    check(overrides, seed)


@pytest.mark.slow
@settings(repeatable, max_examples=50)
@given(overrides=OVERRIDES, seed=st.integers(0, 2**32))
def test_properties_of_many_logs(overrides: dict[str, object], seed: int) -> None:
    check(overrides, seed)


def check(overrides: dict[str, object], seed: int) -> None:
    """Simulate a variation of the default organization and look at all of its log."""
    run = sim.simulate(
        sim.load(
            "horizon_weeks=9",
            "warmup_weeks=1",
            *(f"{key}={str(value).lower()}" for key, value in overrides.items()),
        ),
        seed=seed,
    )
    check_changes(run)
    check_steps(run)
    check_deployments(run)
    check_incidents(run)
    check_people(run)
    check_quality(run)
    check_numbers(run)


def in_order(frame: pd.DataFrame, *columns: str) -> bool:
    """Return whether the times in ``columns``, as far as they are known, do not run backwards."""
    times = frame[list(columns)]
    return bool((times.cummax(axis=1).sub(times).fillna(0) <= 1e-9).all(axis=None))


def check_changes(run: sim.Run) -> None:
    changes = run.changes
    assert changes["change_id"].is_unique
    assert in_order(changes, "created_at", "started_at", "committed_at", "deployed_at")
    deployed = changes["deployed_at"].notna()
    assert (changes["status"].isin(["deployed", "rolled_back"]) == deployed).all()
    assert (changes["deployment_id"].notna() == deployed).all()
    ended = changes["status"].isin(["deployed", "rolled_back", "abandoned"])
    assert (changes["ended_at"].notna() == ended).all()
    committed = changes["committed_at"].notna()
    assert (committed | changes["status"].isin(["exploring", "abandoned"])).all()
    assert not (committed & (changes["status"] == "exploring")).any()


def check_steps(run: sim.Run) -> None:
    steps = run.steps
    assert in_order(steps, "queued_at", "started_at", "finished_at")
    parts = steps[["handoff_h", "window_h", "people_h", "effort_h", "compute_h", "run_h"]]
    assert (parts >= 0).all(axis=None)
    elapsed = steps["finished_at"] - steps["queued_at"]
    np.testing.assert_allclose(parts.sum(axis=1), elapsed, atol=1e-6)
    # One step after the other, without a gap: what is between two of them would be lost time.
    ordered = steps.sort_values(["change_id", "queued_at", "finished_at"], kind="stable")
    same = ordered["change_id"].to_numpy()[1:] == ordered["change_id"].to_numpy()[:-1]
    gap = ordered["queued_at"].to_numpy()[1:] - ordered["finished_at"].to_numpy()[:-1]
    np.testing.assert_allclose(gap[same], 0, atol=1e-6)
    attempts = np.diff(ordered["attempt"].to_numpy())[same]
    assert ((attempts == 0) | (attempts == 1)).all()


def check_deployments(run: sim.Run) -> None:
    deployments, changes = run.deployments, run.changes
    carried = changes.dropna(subset="deployment_id").groupby("deployment_id").size()
    expected = deployments.set_index("deployment_id")["n_changes"]
    assert carried.sort_index().to_dict() == expected.to_dict()
    aboard = changes.merge(deployments, on="deployment_id", suffixes=("", "_of_deployment"))
    assert (aboard["service"].astype(str) == aboard["service_of_deployment"].astype(str)).all()
    assert (aboard["deployed_at"] == aboard["deployed_at_of_deployment"]).all()
    assert in_order(deployments, "started_at", "deployed_at", "retired_at")
    live = deployments[deployments["retired_at"].isna()].groupby("service", observed=True).size()
    assert (live <= 1).all()


def check_incidents(run: sim.Run) -> None:
    incidents, deployments = run.incidents, run.deployments
    assert in_order(
        incidents, "started_at", "detected_at", "responded_at", "diagnosed_at", "restored_at"
    )
    assert ((incidents["remedy"] == "") == incidents["restored_at"].isna()).all()
    of_deployment = incidents[incidents["trigger"] == "deployment"]
    caused = of_deployment["deployment_id"]
    downstream = of_deployment["cause"] == "dependency"
    assert caused[~downstream].is_unique, "several defects of one deployment make one incident"
    assert not caused[downstream].isin(caused[~downstream]).any()
    assert not of_deployment[downstream].duplicated(["deployment_id", "service"]).any()
    own = caused[downstream].map(deployments.set_index("deployment_id")["service"].astype(str))
    assert (own != of_deployment["service"][downstream].astype(str)).all()
    failed = deployments[deployments["failed"]]["deployment_id"]
    assert set(caused) == set(failed)


def check_people(run: sim.Run) -> None:
    end_h = run.window[1]
    work = run.work.dropna(subset="started_at")
    work = work.assign(finished_at=work["finished_at"].fillna(end_h))
    work = work.sort_values(["pool", "person", "started_at", "finished_at"])
    same = (work["pool"].astype(str) + work["person"].astype(str)).to_numpy()
    again = same[1:] == same[:-1]
    begins, ends = work["started_at"].to_numpy()[1:], work["finished_at"].to_numpy()[:-1]
    assert (begins[again] >= ends[again]).all(), "a person does two things at once"
    assert (work["effort_h"] <= work["finished_at"] - work["started_at"] + 1e-6).all()


def check_quality(run: sim.Run) -> None:
    quality = run.quality
    assert quality["quality"].between(0, 1).all()
    for _, course in quality.groupby("service", observed=True):
        assert course["at"].is_monotonic_increasing
    clear = (quality["quality"] - quality["slo"]).abs() > 1e-9
    below = quality["quality"] < quality["slo"]
    assert (below == quality["below"])[clear].all()


def check_numbers(run: sim.Run) -> None:
    metrics = run.metrics()
    # Features can be worth more than everything costs.
    assert (metrics.drop("net_cost_per_week").dropna() >= -1e-9).all()
    assert np.isfinite(metrics.dropna()).all()
    counts = metrics.filter(regex="^n_")
    assert counts.notna().all()
    if metrics["n_changes_deployed"] > 0:
        parts = metrics.filter(
            regex="^lead_time_(touch|run|people|compute|approval|handoff|rework)_h"
        )
        assert len(parts) == 7
        np.testing.assert_allclose(parts.sum(), metrics["lead_time_mean_h"], rtol=1e-6, atol=1e-6)
    else:
        assert np.isnan(metrics["lead_time_h"])
    if metrics["n_restored"] > 0:
        phases = [f"{phase}_mean_h" for phase in ("detect", "respond", "diagnose", "remedy")]
        total = metrics["time_to_restore_mean_h"]
        np.testing.assert_allclose(metrics[phases].sum(), total, rtol=1e-6, atol=1e-6)
    else:
        assert np.isnan(metrics["time_to_restore_h"])
    for name in ("availability", "share_below_objective", "flow_efficiency"):
        assert np.isnan(metrics[name]) or metrics[name] <= 1 + 1e-9
