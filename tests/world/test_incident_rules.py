"""Rules of incidents, each alone: when they start, who handles them, and what ends them."""

import math

import pytest
from small_organization import NEVER_H, idea_every, row, simulate

WEEK_H = 168
TRAIN_AND_DEPLOY = {
    "steps": {
        "ingest": {"effect": "takes_data", "skipped_by": ["fix"]},
        "train": {"run_h": 6, "effect": "trains_model", "skipped_by": ["fix"]},
        "deploy": {"effect": "deploys"},
    }
}


def incidents(cause: str, response: dict[str, object], **others: object) -> dict[str, object]:
    return {"responses": {cause: {"role": "ml_engineer", **response}}, **others}


def services(**service: object) -> dict[str, object]:
    return {"service": {"team": "team", **service}}


def test_an_outage_is_detected_answered_diagnosed_and_repaired() -> None:
    run = simulate(
        weeks=2,
        services=services(time_to_outage_h=100),
        incidents=incidents("infra", {"notice_h": 4, "diagnosis_h": 2, "repair_h": 5}),
    )
    first, second = row(run.incidents, 0), row(run.incidents, 1)
    assert (first["cause"], first["trigger"], first["remedy"]) == ("infra", "outage", "repair")
    times = [first[f"{phase}_at"] for phase in ("started", "detected", "responded", "diagnosed")]
    assert [*times, first["restored_at"]] == [100, 104, 104, 106, 111]
    assert second["started_at"] == 211  # the service has to be up to go down
    assert run.metrics()["availability"] == pytest.approx(1 - 33 / 336)


def test_monitoring_notices_sooner() -> None:
    run = simulate(
        weeks=1,
        services=services(time_to_outage_h=100),
        incidents=incidents("infra", {"monitored": 1, "alert_h": 0.5, "notice_h": 4}),
    )
    first = row(run.incidents, 0)
    assert (first["detected_by"], first["detected_at"]) == ("monitoring", 100.5)


def test_failover_ends_outages_without_anybody() -> None:
    run = simulate(
        weeks=1,
        services=services(time_to_outage_h=100),
        incidents=incidents("infra", {}, failover={"available": 1, "run_h": 0.25}),
    )
    assert row(run.incidents, 0)["remedy"] == "failover"
    assert row(run.incidents, 0)["restored_at"] == 100.25


@pytest.mark.parametrize(("on_call", "responded_at"), [([], 105), (["ml_engineer"], 90.5)])
def test_at_night_only_those_on_call_respond(on_call: list[str], responded_at: float) -> None:
    run = simulate(
        weeks=1,
        working_hours={},  # Monday to Friday, 9 to 17
        services=services(time_to_outage_h=90),  # Thursday, 18:00
        incidents=incidents("infra", {"diagnosis_h": 1}, on_call=on_call, page_h=0.5),
    )
    assert row(run.incidents, 0)["responded_at"] == responded_at


def test_an_incident_takes_people_off_other_work() -> None:
    run = simulate(
        weeks=2,
        teams={"team": {"people": {"ml_engineer": 1}}},
        changes=idea_every(90),
        services=services(time_to_outage_h=100),
        pipeline={
            "steps": {"deploy": {"role": "ml_engineer", "effort_h": 30, "effect": "deploys"}}
        },
        incidents=incidents("infra", {"diagnosis_h": 2, "repair_h": 5}),
    )
    assert row(run.incidents, 0)["restored_at"] == 107
    stints = run.work[run.work["change_id"] == 0]
    assert stints["outcome"].tolist() == ["interrupted", "finished"]
    assert stints["effort_h"].tolist() == [10, 20]
    assert run.deployments["deployed_at"].iloc[0] == 127


def test_a_responder_sees_an_incident_through_before_the_next() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"ml_engineer": 1}}},
        services={
            "early": {"team": "team", "time_to_outage_h": 100},
            "late": {"team": "team", "time_to_outage_h": 101},
        },
        incidents=incidents("infra", {"diagnosis_h": 2, "repair_h": 5}),
    )
    assert run.incidents["restored_at"].iloc[:2].tolist() == [107, 114]


def test_a_defect_shows_after_its_latency_and_is_rolled_back() -> None:
    run = simulate(
        weeks=2,
        changes=idea_every(200, defects={"code": 1}, rework_h=20),
        incidents=incidents(
            "code",
            {"latency_h": 10, "notice_h": 3, "diagnosis_h": 2},
            rollback={"available": 1, "automation": 0, "effort_h": 1},
        ),
    )
    first = row(run.incidents, 0)
    assert (first["cause"], first["trigger"], first["remedy"]) == ("code", "deployment", "rollback")
    assert (first["started_at"], first["restored_at"]) == (210, 216)
    failed, again = row(run.deployments, 0), row(run.deployments, 1)
    assert (failed["deployed_at"], failed["retired_at"], failed["failed"]) == (200, 216, True)
    assert (again["deployed_at"], again["unplanned"]) == (236, True)
    change, redone = row(run.changes, 0), row(run.changes, 1)
    assert change["status"] == "rolled_back"
    assert (redone["kind"], redone["origin_id"], redone["trigger"]) == ("feature", 0, "rollback")
    assert (redone["created_at"], redone["committed_at"]) == (216, 236)


def test_what_is_no_longer_live_is_not_rolled_back_but_fixed() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(50, defects={"code": 1}),
            "fix": {"effort_h": 4},
        },
        pipeline={
            "steps": {
                "test": {"run_h": 2},
                "deploy": {
                    "run_h": 1,
                    "effect": "deploys",
                    "window": {"days": ["sun"], "hour": 23, "waits": {"automated": 0}},
                },
            }
        },
        incidents=incidents("code", {"latency_h": 60}, rollback={"available": 1}),
    )
    # Deployed at 53 and, on top of it, at 103; the defect of the first shows at 113.
    first = row(run.incidents, 0)
    assert (first["started_at"], first["deployment_id"], first["remedy"]) == (113, 0, "fix")
    assert first["restored_at"] == 113 + 4 + 3
    fix = run.changes[run.changes["kind"] == "fix"].iloc[0]
    assert (fix["incident_id"], fix["committed_at"], fix["deployed_at"]) == (0, 117, 120)
    assert run.deployments["kind"].tolist()[2] == "fix"


def test_remediation_does_not_wait_for_boards() -> None:
    board = {"days": ["sun"], "hour": 23}
    run = simulate(
        weeks=3,
        changes=idea_every(300, defects={"code": 1}),
        pipeline={
            "steps": {
                "approve": {"run_h": 1, "window": board},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents=incidents("code", {"latency_h": 10}),
    )
    assert run.deployments["deployed_at"].tolist()[0] == 2 * WEEK_H - 1 + 1
    assert row(run.incidents, 0)["restored_at"] == 2 * WEEK_H + 10 + 1
    fixed = run.steps[run.steps["change_id"] == 1]
    assert fixed["window_h"].tolist() == [0, 0]


def test_verification_finds_a_defect_before_it_shows() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"infra": 1}),
        pipeline={
            "steps": {
                "deploy": {"effect": "deploys"},
                "verify": {"run_h": 2, "detects": {"infra": {"automated": 1}}},
            }
        },
        automation=1,
        incidents=incidents("infra", {"latency_h": NEVER_H, "notice_h": 50, "repair_h": 5}),
    )
    first = row(run.incidents, 0)
    assert (first["detected_by"], first["started_at"], first["detected_at"]) == (
        "verification",
        102,
        102,
    )
    assert first["restored_at"] == 107


@pytest.mark.parametrize(("cause", "shows"), [("model", False), ("data", False), ("code", True)])
def test_a_newer_model_takes_a_bad_one_away_but_not_bad_code(cause: str, shows: bool) -> None:
    run = simulate(
        weeks=2,
        services=services(retraining={"trigger": "schedule", "every_h": 150}),
        changes={**idea_every(100, defects={cause: 1}), "fix": {"effort_h": 1}},
        pipeline=TRAIN_AND_DEPLOY,
        incidents=incidents(cause, {"latency_h": 60}),
    )
    # Deployed at 106; the model of the retraining goes live at 156; the defect shows at 166.
    shown = run.incidents[run.incidents["deployment_id"] == 0]
    assert len(shown) == shows
    assert shows is False or shown["started_at"].iloc[0] == 166


def test_decay_below_the_objective_is_remedied_by_retraining_through_the_pipeline() -> None:
    quality = {
        "initial": 0.9,
        "objective": 0.8,
        "decay": {"shape": "linear", "loss_per_week": 0.1},
    }
    run = simulate(
        weeks=2,
        services=services(quality=quality),
        pipeline=TRAIN_AND_DEPLOY,
        incidents=incidents("model", {"notice_h": 20, "diagnosis_h": 4}),
    )
    first = row(run.incidents, 0)
    assert (first["trigger"], first["cause"], first["remedy"]) == ("decay", "model", "retrain")
    times = [first[f"{phase}_at"] for phase in ("started", "detected", "diagnosed", "restored")]
    assert times == pytest.approx([168, 188, 192, 198])
    retrained = row(run.changes, 0)
    assert (retrained["kind"], retrained["incident_id"], retrained["data_from"]) == (
        "retrain",
        0,
        pytest.approx(192),
    )
    # The next model is as old as its data, not as its deployment.
    assert row(run.deployments, 0)["model_data_from"] == pytest.approx(192)
    below = run.quality[run.quality["below"]]
    assert below["at"].min() == pytest.approx(168)
    assert run.metrics()["share_below_objective"] == pytest.approx(30 / 336)


def test_another_model_may_end_the_decay_first() -> None:
    quality = {
        "initial": 0.9,
        "objective": 0.8,
        "decay": {"shape": "linear", "loss_per_week": 0.1},
    }
    run = simulate(
        weeks=2,
        services=services(quality=quality, retraining={"trigger": "schedule", "every_h": 170}),
        pipeline=TRAIN_AND_DEPLOY,
        incidents=incidents("model", {"notice_h": 50}),
    )
    first = row(run.incidents, 0)
    assert (first["remedy"], first["restored_at"]) == ("superseded", pytest.approx(176))
    assert math.isnan(first["detected_at"])
    metrics = run.metrics()
    assert metrics["detect_mean_h"] == metrics["time_to_restore_mean_h"] == pytest.approx(8)


def test_a_bad_model_impairs_quality_while_its_incident_is_open() -> None:
    run = simulate(
        weeks=1,
        services=services(quality={"initial": 0.9, "objective": 0.8, "impairment": 0.3}),
        changes=idea_every(100, defects={"model": 1}),
        pipeline=TRAIN_AND_DEPLOY,
        incidents=incidents(
            "model",
            {"latency_h": 10, "notice_h": 5},
            rollback={"available": 1, "automation": 1, "run_h": 1},
        ),
    )
    course = run.quality[["at", "quality", "below"]].astype(object).values.tolist()
    assert [116, pytest.approx(0.6), True] in course
    assert [122, pytest.approx(0.9), False] in course
    assert run.metrics()["share_below_objective"] == pytest.approx(
        3 * 6 / 168
    )  # it fails twice more
