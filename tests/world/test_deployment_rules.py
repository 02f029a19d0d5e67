"""Rules of deployments, each alone: what ships together, what is verified, what a rollback does."""

import math
from typing import Any

import pytest
from small_organization import NEVER_H, idea_every, row, simulate, steps_of

WEEK_H = 168
WEDNESDAY = {"days": ["wed"], "hour": 10}  # hour 58 of the week
TRAIN_AND_DEPLOY = {
    "steps": {
        "ingest": {"effect": "takes_data", "skipped_by": ["fix", "improvement"]},
        "train": {"run_h": 6, "effect": "trains_model", "skipped_by": ["fix", "improvement"]},
        "deploy": {"effect": "deploys"},
    }
}
AUTOMATED_ROLLBACK = {"available": 1, "automation": 1, "run_h": 1}


def services(**service: Any) -> dict[str, Any]:
    return {"service": {"team": "team", **service}}


def response(cause: str, **others: Any) -> dict[str, Any]:
    return {cause: {"role": "ml_engineer", **others}}


def release_on_wednesdays(**deploy: Any) -> dict[str, Any]:
    return {"steps": {"deploy": {"effect": "deploys", "window": WEDNESDAY, **deploy}}}


def test_changes_of_several_kinds_ship_together_with_the_newest_model() -> None:
    run = simulate(
        weeks=2,
        services=services(retraining={"trigger": "schedule", "every_h": 40}),
        changes={**idea_every(30), "improvement": {"interarrival_h": 50}},
        pipeline={
            "steps": {
                "train": {
                    "run_h": 1,
                    "effect": "trains_model",
                    "skipped_by": ["feature", "improvement"],
                },
                "deploy": {"run_h": 2, "effect": "deploys", "window": WEDNESDAY},
            }
        },
    )
    first, second = row(run.deployments, 0), row(run.deployments, 1)
    # The lead is the idea of 30, which came first; on board are the model of 40 and the upkeep.
    assert (first["kind"], first["n_changes"], first["deployed_at"]) == ("feature", 3, 60)
    assert first["model_data_from"] == 40
    aboard = run.changes[run.changes["deployment_id"] == 0]
    assert aboard["kind"].tolist() == ["feature", "retrain", "improvement"]
    assert aboard["deployed_at"].tolist() == [60, 60, 60]
    # The next retrainings are those of 80 (the one before has ended at 60), which ships with the
    # ideas of 60 to 210 and the upkeep of 100 to 200.
    assert (second["deployed_at"], second["model_data_from"]) == (WEEK_H + 60, 80)
    assert second["n_changes"] == 1 + 6 + 3


def test_services_have_releases_of_their_own() -> None:
    run = simulate(
        weeks=1,
        services={"one": {"team": "team"}, "two": {"team": "team"}},
        changes=idea_every(20),
        pipeline=release_on_wednesdays(),
    )
    assert run.deployments["service"].tolist() == ["team.one", "team.two"]
    assert run.deployments["n_changes"].tolist() == [2, 2]


def test_who_comes_as_the_window_opens_still_gets_in() -> None:
    run = simulate(
        weeks=2,
        changes=idea_every(29),
        pipeline=release_on_wednesdays(run_h=3),
    )
    assert run.deployments["deployed_at"].tolist() == [61, WEEK_H + 61]
    assert run.deployments["n_changes"].tolist() == [2, 5]  # 29 and 58; 87, ..., 203


def test_a_board_and_a_release_at_the_same_time_let_through_whatever_piled_up() -> None:
    run = simulate(
        weeks=2,
        changes=idea_every(20),
        pipeline={
            "steps": {
                "approve": {"window": WEDNESDAY},
                "deploy": {"effect": "deploys", "window": WEDNESDAY},
            }
        },
    )
    assert run.deployments["deployed_at"].tolist() == [58, WEEK_H + 58]
    assert run.deployments["n_changes"].tolist() == [2, 9]


def test_changes_that_ship_together_share_one_execution() -> None:
    run = simulate(
        weeks=2,
        services={"one": {"team": "team"}, "two": {"team": "team"}},
        changes=idea_every(20),
        pipeline={
            "steps": {
                "build": {},
                "deploy": {"effect": "deploys", "window": WEDNESDAY, "run_h": 2},
            }
        },
    )
    deploys = run.steps[run.steps["effect"] == "deploys"]
    carried = deploys.groupby("execution_id")["change_id"].nunique()
    # Ideas of 20 and 40, then of 60 to 220, of each of two services that ship at the same times.
    assert carried.tolist() == [2, 2, 9, 9]
    assert deploys.groupby("execution_id")["service"].nunique().tolist() == [1] * 4
    alone = run.steps[run.steps["effect"] != "deploys"]["execution_id"]
    assert alone.is_unique
    assert not alone.isin(carried.index).any()


def test_after_a_board_alone_changes_ship_one_by_one() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(20),
        pipeline={"steps": {"approve": {"window": WEDNESDAY}, "deploy": {"effect": "deploys"}}},
    )
    on_wednesday = run.deployments[run.deployments["deployed_at"] == 58]
    assert on_wednesday["n_changes"].tolist() == [1, 1]


def test_what_the_release_finds_sends_all_that_are_aboard_back() -> None:
    run = simulate(
        weeks=3,
        changes={
            **idea_every(30, rework_h=5, author="data_scientist"),
            "improvement": {"interarrival_h": 40, "defects": {"code": 1}, "rework_h": 7},
        },
        automation=1,
        pipeline=release_on_wednesdays(run_h=1, detects={"code": {"automated": 1}}),
    )
    # The idea of 30 leads, the upkeep of 40 has the defect; each author reworks, and both wait for
    # the next release, with what has come meanwhile; that one has new upkeep with new defects.
    assert steps_of(run, 0)[:3] == [
        ("deploy", 1, 30, 58, 59, "caught"),
        ("rework", 2, 59, 59, 64, "passed"),
        ("deploy", 2, 64, WEEK_H + 58, WEEK_H + 59, "caught"),
    ]
    assert steps_of(run, 1)[:2] == [
        ("deploy", 1, 40, 58, 59, "caught"),
        ("rework", 2, 59, 59, 66, "passed"),
    ]
    assert len(run.deployments) == 0


def test_a_release_that_fails_is_tried_again() -> None:
    run = simulate(
        weeks=60,
        changes=idea_every(100),
        pipeline=release_on_wednesdays(run_h=1, fails=0.5),
    )
    deploys = run.steps[run.steps["step"] == "deploy"]
    assert set(deploys["outcome"]) == {"passed", "failed"}
    # Whoever was aboard fails and passes with the others.
    for _, aboard in deploys.groupby("started_at"):
        assert aboard["outcome"].nunique() == 1
    assert not run.deployments["failed"].any()


def test_verification_notices_what_degrades_service_already() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"infra": 1}),
        automation=1,
        pipeline={
            "steps": {
                "deploy": {"effect": "deploys"},
                "verify": {"run_h": 4, "detects": {"infra": {"automated": 1}}},
            }
        },
        incidents={"responses": response("infra", latency_h=1, notice_h=50, repair_h=5)},
    )
    first = row(run.incidents, 0)
    assert (first["started_at"], first["detected_at"]) == (101, 104)
    assert (first["detected_by"], first["restored_at"]) == ("verification", 109)


def test_verification_comes_too_late_for_what_people_noticed() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"infra": 1}),
        automation=1,
        pipeline={
            "steps": {
                "deploy": {"effect": "deploys"},
                "verify": {"run_h": 4, "detects": {"infra": {"automated": 1}}},
            }
        },
        incidents={"responses": response("infra", latency_h=1, notice_h=2, repair_h=5)},
    )
    assert len(run.incidents) == 1
    first = row(run.incidents, 0)
    assert (first["detected_at"], first["detected_by"]) == (103, "people")
    assert first["restored_at"] == 108


def test_verification_of_a_model_that_is_gone_hides_no_other_defect() -> None:
    run = simulate(
        weeks=2,
        services=services(retraining={"trigger": "schedule", "every_h": 104}),
        changes={**idea_every(100, defects={"model": 1, "code": 1}), "fix": {"effort_h": 1}},
        automation=1,
        pipeline={
            "steps": {
                "train": {"run_h": 1, "effect": "trains_model", "skipped_by": ["fix"]},
                "deploy": {"effect": "deploys"},
                "verify": {
                    "run_h": 10,
                    "detects": {"model": {"automated": 1}},
                    "skipped_by": ["retrain", "fix"],
                },
            }
        },
        incidents={
            "responses": {
                **response("model", latency_h=NEVER_H),
                **response("code", latency_h=30),
            }
        },
    )
    # Deployed at 101, another model at 105, verified at 111; the bug shows at 131.
    first = row(run.incidents, 0)
    assert (first["cause"], first["deployment_id"], first["started_at"]) == ("code", 0, 131)


def test_a_failed_verification_without_a_finding_is_no_incident() -> None:
    run = simulate(
        weeks=60,
        changes=idea_every(20),
        pipeline={"steps": {"deploy": {"effect": "deploys"}, "verify": {"fails": 0.5}}},
    )
    outcomes = run.steps[run.steps["step"] == "verify"]["outcome"]
    assert set(outcomes) == {"passed", "failed"}
    assert len(run.incidents) == 0
    assert (run.changes["status"] == "deployed").all()


def test_each_defect_shows_itself_and_the_deployment_fails_once() -> None:
    run = simulate(
        weeks=2,
        changes=idea_every(200, defects={"security": 1, "infra": 1, "code": 1}),
        incidents={
            "responses": {
                **response("security", latency_h=50),
                **response("infra", latency_h=20, repair_h=1),
                **response("code", latency_h=30),
            }
        },
    )
    assert run.incidents["cause"].tolist() == ["infra", "code", "security"]
    assert run.incidents["started_at"].tolist() == [220, 230, 250]
    assert run.incidents["deployment_id"].tolist() == [0, 0, 0]
    # Each is remedied by itself: the fixes of the later two are deployments, and sound.
    assert run.deployments["failed"].tolist() == [True, False, False]
    assert run.metrics()["change_failure_rate"] == pytest.approx(1 / 3)


def test_a_rollback_takes_out_the_defects_that_have_not_shown_themselves() -> None:
    run = simulate(
        weeks=4,
        changes=idea_every(200, defects={"security": 1, "code": 1, "infra": 1}, rework_h=10),
        incidents={
            "responses": {
                **response("security", latency_h=50),
                **response("infra", latency_h=20, notice_h=3),
                **response("code", latency_h=22, notice_h=9),
            },
            "rollback": {"available": 1, "automation": 1, "run_h": 2},
        },
    )
    first = run.incidents[run.incidents["deployment_id"] == 0]
    assert first["cause"].tolist() == ["infra", "code"]
    assert first["restored_at"].tolist() == [225, 225]
    assert set(first["remedy"]) == {"rollback"}
    # Repaired are the two that are known. The hole is in the change still, and shows itself now.
    again = run.deployments[run.deployments["unplanned"]].iloc[0]
    assert again["deployed_at"] == 235
    second = run.incidents[run.incidents["deployment_id"] == again["deployment_id"]]
    assert second["cause"].tolist() == ["security"]
    assert second["started_at"].tolist() == [285]


@pytest.mark.parametrize("kind", ["feature", "improvement"])
@pytest.mark.parametrize("slips", [0, 1])
def test_a_change_that_is_made_again_has_the_defects_of_a_fix(kind: str, slips: int) -> None:
    spec = {"interarrival_h": 100, "rework_h": 10, "defects": {"code": 1}}
    made = {**spec, "arrivals": "open"} if kind == "feature" else spec
    run = simulate(
        weeks=1,
        changes={kind: made, "fix": {"defects": {"code": slips}}},
        incidents={
            "responses": response("code", latency_h=2),
            "rollback": {"available": 1, "automation": 1},
        },
    )
    assert run.deployments["deployed_at"].tolist()[:2] == [100, 112]
    assert run.deployments["failed"].tolist()[:2] == [True, slips == 1]


@pytest.mark.parametrize("weeks", [1, 4, 13])
def test_failures_per_change_do_not_depend_on_how_many_ship_together(weeks: int) -> None:
    run = simulate(
        weeks=104,
        changes=idea_every(24, defects={"code": 0.2}),
        pipeline={
            "steps": {
                "deploy": {
                    "effect": "deploys",
                    "window": {"every_weeks": weeks, "days": ["mon"], "hour": 8},
                }
            }
        },
        incidents={"responses": response("code", latency_h=1)},
    )
    of_features = run.changes[run.changes["kind"] == "feature"].dropna(subset="deployment_id")
    features = run.deployments[run.deployments["kind"] == "feature"]["deployment_id"]
    incidents = run.incidents["deployment_id"].isin(features).sum()
    n = len(of_features)
    assert n > 580
    assert incidents / n == pytest.approx(0.2, abs=2.6 * (0.2 * 0.8 / n) ** 0.5)  # 99 %
    # A deployment of m changes fails with probability 1 - 0.8^m.
    carried = run.deployments[run.deployments["kind"] == "feature"]
    fails = 1 - 0.8 ** carried["n_changes"]
    spread = 2.6 * ((fails * (1 - fails)).sum()) ** 0.5
    assert carried["failed"].sum() == pytest.approx(fails.sum(), abs=spread + 1e-9)


@pytest.mark.parametrize(("cause", "shows"), [("model", False), ("code", True)])
def test_a_bad_model_is_gone_whatever_ships_on_top_of_the_newer_one(
    cause: str, shows: bool
) -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 120}),
        changes={
            **idea_every(100, defects={cause: 1}),
            "improvement": {"interarrival_h": 130},
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={"responses": response(cause, latency_h=50)},
    )
    # The feature ships at 106, the newer model at 126, an improvement without a model at 130.
    assert run.deployments["kind"].tolist()[:3] == ["feature", "retrain", "improvement"]
    assert run.incidents["started_at"].tolist() == ([156] if shows else [])


def test_a_bad_model_stays_bad_with_other_code_on_top() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(100, defects={"model": 1}),
            "improvement": {"interarrival_h": 110},
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={
            "responses": response("model", latency_h=20, notice_h=1),
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # Shown at 126, with the improvement of 110 live: no rollback, but another model.
    first = row(run.incidents, 0)
    assert (first["deployment_id"], first["started_at"], first["remedy"]) == (0, 126, "retrain")
    assert first["restored_at"] == 126 + 1 + 6


def test_a_rollback_restores_the_version_and_the_model_of_before() -> None:
    run = simulate(
        weeks=2,
        services=services(
            quality={"initial": 0.9, "decay": {"shape": "linear", "loss_per_week": 0.168}}
        ),
        changes={
            **idea_every(100, defects={"code": 1}, rework_h=NEVER_H),
            "improvement": {"interarrival_h": 50},
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={
            "responses": response("code", latency_h=10, notice_h=3),
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # Improvements at 50 and 100, the feature at 106, taken out at 106 + 10 + 3 + 1.
    before, failed = row(run.deployments, 1), row(run.deployments, 2)
    assert (failed["deployed_at"], failed["retired_at"]) == (106, 120)
    assert (before["deployed_at"], before["retired_at"]) == (100, 150)  # live again until then
    model = run.quality.set_index("at")["model_data_from"]
    assert model.loc[[0, 106, 120]].tolist() == [0, 100, 0]
    quality = run.quality.set_index("at")["quality"]
    assert quality.loc[[106, 120]].tolist() == pytest.approx([0.9 - 0.006, 0.9 - 0.12])


def test_all_changes_that_a_rollback_takes_out_go_back_to_their_authors() -> None:
    run = simulate(
        weeks=2,
        services=services(retraining={"trigger": "schedule", "every_h": 45}),
        changes={
            "feature": {
                "arrivals": "open",
                "interarrival_h": 30,
                "exploration_h": 10,
                "rework_h": 4,
            },
            "retrain": {"rework_h": 2},
            "improvement": {"interarrival_h": 50, "defects": {"infra": 1}, "rework_h": 3},
        },
        pipeline={
            "steps": {
                "train": {
                    "run_h": 1,
                    "effect": "trains_model",
                    "skipped_by": ["feature", "improvement"],
                },
                "deploy": {"effect": "deploys", "window": WEDNESDAY},
            }
        },
        incidents={
            "responses": response("infra", latency_h=5, notice_h=1),
            "rollback": {"available": 1, "automation": 1, "run_h": 2},
        },
    )
    taken_out = run.changes[run.changes["deployment_id"] == 0]
    assert taken_out["kind"].tolist() == ["feature", "retrain", "improvement"]
    assert set(taken_out["status"]) == {"rolled_back"}
    again = run.changes[run.changes["created_at"] == 58 + 5 + 1 + 2]
    assert again["origin_id"].tolist() == taken_out["change_id"].tolist()
    assert again["kind"].tolist() == ["feature", "retrain", "improvement"]
    assert again["trigger"].tolist() == ["rollback"] * 3
    # The improvement is repaired and the model trained anew; the feature is as it was.
    assert again["committed_at"].tolist() == [66, 66 + 2, 66 + 3]
    deployed_again = run.deployments[run.deployments["deployment_id"] == 1]
    assert deployed_again["deployed_at"].tolist() == [WEEK_H + 58]
    assert deployed_again["unplanned"].all()
    # The retraining that was taken out is the one under way: no other was triggered at 90, ...
    triggered = run.changes[run.changes["trigger"] == "schedule"]
    assert triggered["created_at"].tolist() == [45]


def test_a_retraining_that_was_taken_out_is_not_made_again_while_another_is_under_way() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 50}),
        changes={"retrain": {"defects": {"model": 1}}},
        pipeline={
            "steps": {
                "train": {"run_h": 20, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={
            "responses": response("model", latency_h=30, notice_h=5),
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # Live at 70, bad at 100, taken out at 106; the next one has been under way since 100.
    assert row(run.incidents, 0)["restored_at"] == 106
    assert row(run.changes, 0)["status"] == "rolled_back"
    assert run.changes["created_at"].tolist() == [50, 100, 150]
    assert run.changes["origin_id"].isna().all()


def test_a_version_that_ships_during_a_rollback_prevents_it() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(100, defects={"code": 1}),
            "improvement": {"interarrival_h": 112},
            "fix": {"effort_h": 3},
        },
        incidents={
            "responses": response("code", latency_h=10),
            "rollback": {"available": 1, "automation": 0, "effort_h": 4},
        },
    )
    # Somebody begins to roll back at 110; at 112 something else goes live; fixed from 114 on.
    first = row(run.incidents, 0)
    assert (first["started_at"], first["remedy"], first["restored_at"]) == (110, "fix", 117)
    assert row(run.changes, 0)["status"] == "deployed"


def test_a_fix_is_not_rolled_back_as_that_would_bring_back_what_it_fixed() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(100, defects={"code": 1}),
            "improvement": {"interarrival_h": 101},
            "fix": {"effort_h": 2, "defects": {"security": 1}},
        },
        incidents={
            "responses": {
                **response("code", latency_h=5, notice_h=1),
                **response("security", latency_h=20, notice_h=1),
            },
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # The idea cannot be rolled back as something else is live on top of it: fixed at 108. That fix
    # is bad in another way, at 128, and a second fix goes on top of it.
    assert run.incidents["remedy"].tolist()[:2] == ["fix", "fix"]
    assert run.incidents["restored_at"].tolist()[:2] == [108, 131]
    fixes = run.changes[run.changes["kind"] == "fix"]
    assert fixes["status"].tolist()[:2] == ["deployed", "deployed"]
    assert fixes["incident_id"].tolist()[:2] == [0, 1]


def test_a_model_that_took_a_bad_one_away_is_not_rolled_back() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 110}),
        changes={
            **idea_every(90, defects={"model": 1}),
            "retrain": {"defects": {"infra": 1}},
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={
            "responses": {
                **response("model", latency_h=4, notice_h=40),
                **response("infra", latency_h=3, repair_h=7),
            },
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # The model of 96 turns out bad at 100, and is gone with the retraining of 116, which has an
    # environment that breaks at 119: it is repaired in place, as the model of before is bad.
    remedies = run.incidents.set_index("started_at")["remedy"]
    assert remedies.loc[[100, 119]].tolist() == ["superseded", "repair"]
    assert run.incidents.set_index("started_at")["restored_at"].loc[119] == 126


def test_a_rollback_may_bring_a_decayed_model_back() -> None:
    quality = {
        "initial": 0.9,
        "objective": 0.8,
        "decay": {"shape": "linear", "loss_per_week": 0.168},  # 0.001 an hour: at 100
    }
    run = simulate(
        weeks=1,
        services=services(quality=quality, retraining={"trigger": "schedule", "every_h": 90}),
        changes={"retrain": {"defects": {"code": 1}, "rework_h": 20}},
        pipeline=TRAIN_AND_DEPLOY,
        incidents={
            "responses": {
                **response("code", latency_h=9, notice_h=1),
                **response("model", notice_h=NEVER_H),
            },
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # The retraining ships at 96, before the first model is below the objective, and is taken out at
    # 107: from then on that model, below it since 100, is live, until the retraining is made again.
    assert run.incidents["trigger"].tolist()[:2] == ["deployment", "decay"]
    failure, decay = row(run.incidents, 0), row(run.incidents, 1)
    assert (failure["started_at"], failure["restored_at"]) == (105, 107)
    assert (decay["started_at"], decay["restored_at"]) == (107, 107 + 20 + 6)
    assert math.isnan(decay["detected_at"])
    below = run.quality[run.quality["below"]]
    assert below["at"].min() == 107


def test_a_rollback_ends_the_decay_of_a_version_whose_data_were_too_old() -> None:
    quality = {
        "initial": 0.9,
        "objective": 0.8,
        "decay": {"shape": "linear", "loss_per_week": 0.168},
    }
    run = simulate(
        weeks=1,
        services=services(quality=quality, retraining={"trigger": "schedule", "every_h": 80}),
        changes=idea_every(10, defects={"code": 1}),
        pipeline={
            "steps": {
                "ingest": {"effect": "takes_data"},
                "train": {"run_h": 1, "effect": "trains_model"},
                "test": {"run_h": 99, "skipped_by": ["retrain"]},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={
            "responses": {
                **response("code", latency_h=5, notice_h=1),
                **response("model", notice_h=NEVER_H),
            },
            "rollback": AUTOMATED_ROLLBACK,
        },
    )
    # The retraining of 80 is live when at 110 the slow feature arrives with data of 10, which are
    # below the objective at once; it is rolled back at 117 for its code.
    decay = run.incidents[run.incidents["trigger"] == "decay"].iloc[0]
    assert (decay["started_at"], decay["deployment_id"]) == (110, 1)
    assert (decay["restored_at"], decay["remedy"]) == (117, "superseded")
