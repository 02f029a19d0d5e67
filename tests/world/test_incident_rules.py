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
    # Repaired, it has the defects of a fix, which are none.
    assert run.metrics()["share_below_objective"] == pytest.approx(6 / 168)


DECAYS_IN_100_H = {
    "initial": 0.9,
    "objective": 0.8,
    "decay": {"shape": "linear", "loss_per_week": 0.168},
}


def test_an_outage_that_cannot_fail_over_is_repaired() -> None:
    run = simulate(
        weeks=1,
        services=services(time_to_outage_h=100),
        incidents=incidents("infra", {"repair_h": 6}, failover={"available": 0, "run_h": 1}),
    )
    assert (row(run.incidents, 0)["remedy"], row(run.incidents, 0)["restored_at"]) == (
        "repair",
        106,
    )


def test_a_broken_deployment_does_not_fail_over() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"infra": 1}),
        incidents=incidents("infra", {"repair_h": 6}, failover={"available": 1}),
    )
    assert (row(run.incidents, 0)["remedy"], row(run.incidents, 0)["restored_at"]) == (
        "repair",
        106,
    )


def test_a_share_of_incidents_is_monitored() -> None:
    run = simulate(
        weeks=400,
        services=services(time_to_outage_h=50),
        incidents=incidents("infra", {"monitored": 0.3, "alert_h": 1, "notice_h": 9}),
    )
    by_monitoring = run.incidents["detected_by"] == "monitoring"
    n = len(by_monitoring)
    assert by_monitoring.mean() == pytest.approx(0.3, abs=3.5 * (0.3 * 0.7 / n) ** 0.5)
    # In the last hours there may be one that nobody has noticed yet.
    waited = (run.incidents["detected_at"] - run.incidents["started_at"]).iloc[: n - 1]
    assert (waited.round(6) == by_monitoring.iloc[: n - 1].map({True: 1, False: 9})).all()


def test_who_is_on_call_answers_the_page_at_once_even_from_other_work() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"ml_engineer": 1}}},
        changes=idea_every(
            90,
            author="ml_engineer",
            exploration_h=30,
        ),
        services=services(time_to_outage_h=100),
        incidents=incidents("infra", {"diagnosis_h": 2}, on_call=["ml_engineer"], page_h=0.5),
    )
    first = row(run.incidents, 0)
    assert (first["responded_at"], first["restored_at"]) == (100.5, 102.5)
    explored = run.work[run.work["change_id"] == 0]
    assert explored["finished_at"].tolist() == [100.5, 122]


def test_a_security_hole_is_fixed() -> None:
    run = simulate(
        weeks=2,
        changes={**idea_every(200, defects={"security": 1}), "fix": {"effort_h": 5}},
        pipeline={"steps": {"test": {"run_h": 2}, "deploy": {"effect": "deploys"}}},
        incidents=incidents("security", {"latency_h": 20, "notice_h": 10, "diagnosis_h": 3}),
    )
    first = row(run.incidents, 0)
    assert (first["cause"], first["remedy"]) == ("security", "fix")
    assert (first["started_at"], first["restored_at"]) == (222, 222 + 10 + 3 + 5 + 2)


def test_a_fix_gets_people_before_planned_work() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"ml_engineer": 1}}},
        changes={**idea_every(20, defects={"code": 1}), "fix": {"effort_h": 3}},
        services={"one": {"team": "team"}, "two": {"team": "team"}},
        pipeline={
            "steps": {"deploy": {"role": "ml_engineer", "effort_h": 9, "effect": "deploys"}},
        },
        incidents=incidents("code", {"latency_h": 62}),
    )
    # Two ideas every 20 h, 9 h of work each. Those of 20, live at 29 and 38, turn out bad at 91 and
    # 100, when that of 80 is in hand until 98. Whatever else waits, then the first fix is written
    # until 101, the second until 104, and they are deployed.
    assert run.incidents["started_at"].tolist()[:2] == [91, 100]
    assert run.incidents["restored_at"].tolist()[:2] == [113, 122]


def test_a_fix_that_was_given_up_is_tried_again_the_next_day() -> None:
    run = simulate(
        weeks=2,
        changes={
            **idea_every(200, defects={"security": 1}),
            "fix": {"effort_h": 2, "defects": {"code": 1}},
        },
        automation=1,
        pipeline={
            "max_attempts": 1,
            "steps": {
                "test": {"run_h": 1, "detects": {"code": {"automated": 1}}},
                "deploy": {"effect": "deploys"},
            },
        },
        incidents=incidents("security", {"notice_h": 10}),
    )
    fixes = run.changes[run.changes["kind"] == "fix"]
    assert fixes["status"].tolist()[:2] == ["abandoned", "abandoned"]
    assert fixes["created_at"].tolist() == [211, 211 + 27, 211 + 54, 211 + 81, 211 + 108]
    assert fixes["incident_id"].tolist() == [0] * 5
    assert math.isnan(row(run.incidents, 0)["restored_at"])
    assert run.metrics()["n_open_incidents"] == 1


def test_a_model_of_data_from_before_the_shock_is_not_enough() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={
                "initial": 0.9,
                "objective": 0.8,
                "shocks": {"interarrival_h": 95, "loss": 0.2},
            },
            retraining={"trigger": "schedule", "every_h": 90},
        ),
        pipeline={
            "steps": {
                "ingest": {"effect": "takes_data"},
                "train": {"run_h": 15, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents=incidents("model", {"notice_h": 5}),
    )
    # The retraining of 90 is live at 105 with data of before the shock of 95; it was expedited at
    # 100 for nothing. The next day somebody starts another one, which ends the incident.
    assert run.deployments["deployed_at"].tolist() == [105, 105 + 24 + 15]
    assert run.changes["trigger"].tolist() == ["schedule", "incident"]
    assert len(run.incidents) == 1
    only = row(run.incidents, 0)
    assert (only["started_at"], only["restored_at"], only["remedy"]) == (95, 144, "retrain")


def test_an_incident_may_end_while_somebody_diagnoses_it() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality=DECAYS_IN_100_H, retraining={"trigger": "schedule", "every_h": 106}
        ),
        pipeline=TRAIN_AND_DEPLOY,
        incidents=incidents("model", {"notice_h": 5, "diagnosis_h": 20}),
    )
    first = row(run.incidents, 0)
    assert first["remedy"] == "superseded"
    assert [first["started_at"], first["detected_at"], first["responded_at"]] == pytest.approx(
        [100, 105, 105]
    )
    assert math.isnan(first["diagnosed_at"])
    assert first["restored_at"] == 112
    metrics = run.metrics()
    assert metrics["diagnose_mean_h"] == pytest.approx(7)  # the phase in which it ended
    assert metrics["remedy_mean_h"] == 0


def test_an_incident_may_end_before_anybody_has_time_for_it() -> None:
    run = simulate(
        weeks=1,
        working_hours={"days": ["fri"]},
        services=services(
            quality=DECAYS_IN_100_H, retraining={"trigger": "schedule", "every_h": 97}
        ),
        pipeline=TRAIN_AND_DEPLOY,
        automation=1,
        incidents=incidents("model", {"notice_h": 1, "diagnosis_h": 1}),
    )
    # Detected on Friday at 5:00, restored at 7:00 by the scheduled model.
    first = row(run.incidents, 0)
    assert (first["remedy"], first["restored_at"]) == ("superseded", 103)
    assert first["detected_at"] == pytest.approx(101)
    assert math.isnan(first["responded_at"])
    assert run.metrics()["respond_mean_h"] == pytest.approx(2)


def test_decay_is_charged_to_what_is_live_and_does_not_make_it_fail() -> None:
    run = simulate(
        weeks=2,
        services=services(
            quality=DECAYS_IN_100_H, retraining={"trigger": "schedule", "every_h": 90}
        ),
        changes={"improvement": {"interarrival_h": 150}},
        pipeline={
            "steps": {
                "train": {"run_h": 20, "effect": "trains_model", "skipped_by": ["improvement"]},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents=incidents("model", {"notice_h": NEVER_H}),
    )
    # Data of 0 fall below at 100; data of 90, live at 110, at 190, when the improvement of 150 is
    # live on top of it; data of 180, live at 200, at 280; ...
    assert run.incidents["started_at"].tolist() == pytest.approx([100, 190, 280])
    assert run.incidents["deployment_id"].isna().tolist() == [True, False, False]
    live = run.deployments.set_index("deployment_id")["kind"]
    assert live.loc[run.incidents["deployment_id"].dropna()].tolist() == ["improvement", "retrain"]
    assert not run.deployments["failed"].any()
    assert run.incidents["remedy"].tolist() == ["superseded"] * 3
    assert run.incidents["restored_at"].tolist() == [110, 200, 290]


def test_a_service_has_one_incident_of_decay_at_a_time() -> None:
    run = simulate(
        weeks=2,
        services=services(
            quality=DECAYS_IN_100_H, retraining={"trigger": "schedule", "every_h": 130}
        ),
        pipeline={
            "steps": {
                "train": {"run_h": 110, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents=incidents("model", {"notice_h": NEVER_H}),
    )
    # The new model, of 130, is live at 240 and 110 h old by then: it changes nothing.
    assert run.deployments["deployed_at"].tolist() == [240]
    assert run.incidents["started_at"].tolist() == pytest.approx([100])
    assert math.isnan(row(run.incidents, 0)["restored_at"])


def test_two_incidents_of_a_service_are_handled_side_by_side() -> None:
    run = simulate(
        weeks=1,
        changes={**idea_every(98, defects={"code": 1}), "fix": {"effort_h": 10}},
        services=services(time_to_outage_h=100),
        incidents={
            "responses": {
                "infra": {"role": "ml_engineer", "repair_h": 5},
                "code": {"role": "ml_engineer"},
            }
        },
    )
    by_cause = run.incidents.set_index("cause")[["started_at", "restored_at"]]
    assert by_cause.loc["code"].tolist() == [98, 108]
    assert by_cause.loc["infra"].iloc[0] == 100
    assert by_cause.loc["infra"].iloc[1] == 105


def test_remedies_that_take_no_time_and_always_fail_do_not_stop_the_clock() -> None:
    run = simulate(
        weeks=1,
        changes={**idea_every(160), "fix": {"defects": {"code": 1}}},
        pipeline={
            "steps": {
                "slip": {"adds": {"code": {"automated": 1}}},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    assert 1 < len(run.deployments) <= 8 * 60 + 1
