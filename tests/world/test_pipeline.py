"""Executions of steps, each rule alone: who is needed, what is found, what is done again."""

import math
from typing import Any

import pytest
from small_organization import idea_every, simulate, steps_of

import sim

BY_HAND = {"role": "ml_engineer", "effort_h": 3, "run_h": 2}


def pipeline(**steps: Any) -> dict[str, Any]:
    return {"steps": {**steps, "deploy": {"effect": "deploys"}}}


def by_chance(probability: float, n: int) -> Any:
    """Return what a share of ``n`` independent trials may be."""
    return pytest.approx(probability, abs=3.5 * math.sqrt(probability * (1 - probability) / n))


def test_a_run_that_fails_goes_back_and_is_made_again() -> None:
    run = simulate(
        weeks=400,
        changes=idea_every(20, author="data_scientist", rework_h=2),
        automation=1,
        pipeline=pipeline(train={"run_h": 3, "fails": 0.4}),
    )
    of_train = run.steps[run.steps["step"] == "train"]
    assert set(of_train["outcome"]) == {"passed", "failed"}
    assert (of_train["outcome"] == "failed").mean() == by_chance(0.4, len(of_train))
    # Each failure costs a rework and another run.
    finished = run.changes[run.changes["status"] == "deployed"]
    failures = of_train[of_train["outcome"] == "failed"].groupby("change_id").size()
    failures = failures.reindex(finished["change_id"], fill_value=0).to_numpy()
    lead_times = (finished["deployed_at"] - finished["committed_at"]).to_numpy()
    assert lead_times == pytest.approx(3 + failures * (2 + 3))
    assert len(run.incidents) == 0  # it was no defect


def test_a_step_does_not_find_what_it_adds_itself() -> None:
    slip = {"adds": {"code": {"automated": 1}}, "detects": {"code": {"automated": 1}}}
    run = simulate(
        weeks=4,
        changes=idea_every(500),
        automation=1,
        pipeline=pipeline(slip=slip),
        incidents={"responses": {"code": {"role": "ml_engineer", "notice_h": 100}}},
    )
    assert [step[5] for step in steps_of(run, 0)] == ["passed", "passed"]
    assert run.deployments["failed"].tolist() == [True, True]  # the idea, and the fix of its bug


@pytest.mark.parametrize(("automation", "cause"), [(0, "code"), (1, "infra")])
def test_people_and_machines_find_and_add_with_probabilities_of_their_own(
    automation: float, cause: str
) -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"security": 1}),
        automation=automation,
        pipeline=pipeline(
            build={
                "role": "ml_engineer",
                "adds": {"code": {"manual": 1}, "infra": {"automated": 1}},
                "detects": {"security": {"manual": automation, "automated": 1 - automation}},
            },
            test={
                "role": "ml_engineer",
                "detects": {"security": {"manual": 1 - automation, "automated": automation}},
            },
        ),
        incidents={
            "responses": {
                "security": {"latency_h": 1},
                "code": {"role": "ml_engineer", "latency_h": 2, "notice_h": 90},
                "infra": {"role": "ml_engineer", "latency_h": 2, "notice_h": 90},
            }
        },
    )
    # The second step alone finds the hole; the slip of building is left.
    outcomes = [(step[0], step[5]) for step in steps_of(run, 0)]
    assert outcomes[:2] == [("build", "passed"), ("test", "caught")]
    assert run.incidents["cause"].tolist() == [cause]


def test_chances_of_finding_and_adding() -> None:
    run = simulate(
        weeks=400,
        changes=idea_every(20, defects={"security": 0.5}),
        automation=1,
        pipeline=pipeline(
            build={"adds": {"infra": {"automated": 0.2}}},
            test={"detects": {"security": {"automated": 0.6}}},
        ),
        incidents={"responses": {"infra": {"role": "ml_engineer"}, "security": {"latency_h": 1}}},
    )
    first = run.steps[(run.steps["step"] == "test") & (run.steps["attempt"] == 1)]
    features = run.changes[run.changes["kind"] == "feature"]["change_id"]
    first = first[first["change_id"].isin(features)]
    assert (first["outcome"] == "caught").mean() == by_chance(0.5 * 0.6, len(first))
    # What is caught builds again, and may slip again: 1 slip in 5 for those that pass at once.
    passed_at_once = first[first["outcome"] == "passed"]["change_id"]
    of_those = run.changes[run.changes["change_id"].isin(passed_at_once)]["deployment_id"]
    infra = run.incidents[run.incidents["cause"] == "infra"]["deployment_id"]
    assert of_those.isin(infra).mean() == by_chance(0.2, len(of_those))


def test_a_handoff_follows_rework_by_the_author() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, author="data_scientist", defects={"code": 1}, rework_h=4),
        pipeline={
            "handoff_in_team": {"delay_h": 3},
            "steps": {
                "review": {
                    "role": "ml_engineer",
                    "effort_h": 1,
                    "detects": {"code": {"manual": 1}},
                },
                "deploy": {"role": "ml_engineer", "effort_h": 1, "effect": "deploys"},
            },
        },
    )
    assert steps_of(run, 0) == [
        ("review", 1, 100, 100, 101, "caught"),  # nobody explored it: nothing to hand over
        ("rework", 2, 101, 101, 105, "passed"),
        ("review", 2, 105, 108, 109, "passed"),
        ("deploy", 2, 109, 109, 110, "passed"),
    ]


def test_the_author_hands_over_what_was_explored() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, author="data_scientist", exploration_h=5),
        pipeline={
            "handoff_in_team": {"delay_h": 3},
            "steps": {
                "build": {"run_h": 2},  # a machine in between does not take it in hand
                "deploy": {"role": "ml_engineer", "effort_h": 1, "effect": "deploys"},
            },
        },
    )
    assert steps_of(run, 0) == [
        ("exploration", 1, 100, 100, 105, "passed"),
        ("build", 1, 105, 105, 107, "passed"),
        ("deploy", 1, 107, 110, 111, "passed"),
    ]


def test_an_automated_execution_is_not_handed_over() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, author="data_scientist", exploration_h=5),
        pipeline={
            "handoff_in_team": {"delay_h": 3},
            "steps": {
                "build": {"role": "ml_engineer", "effort_h": 9, "automation": 1},
                "deploy": {"role": "data_scientist", "effort_h": 1, "effect": "deploys"},
            },
        },
    )
    assert run.steps["handoff_h"].tolist()[:3] == [0, 0, 0]
    assert run.deployments["deployed_at"].tolist() == [106]


def test_a_step_may_be_automated_more_than_the_rest() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100),
        automation=0,
        pipeline=pipeline(build=BY_HAND, test={**BY_HAND, "automation": 1}),
    )
    assert run.steps["mode"].tolist()[:2] == ["manual", "automated"]
    assert run.steps["role"].tolist()[:2] == ["ml_engineer", ""]


def test_a_share_of_executions_is_automated() -> None:
    run = simulate(
        weeks=300,
        changes=idea_every(20),
        automation=0.7,
        pipeline=pipeline(build=BY_HAND),
    )
    automated = run.steps[run.steps["step"] == "build"]["mode"] == "automated"
    assert automated.mean() == by_chance(0.7, len(automated))


SUNDAY = {"days": ["sun"], "hour": 23}


def released(automation: float, n: int = 400, **service: Any) -> sim.Run:
    """Simulate ``n`` services of which a share of 0.8 less 0.6 × automation waits for Sundays."""
    window = {**SUNDAY, "waits": {"manual": 0.8, "automated": 0.2}}
    return simulate(
        weeks=3,
        teams={"team": {"people": {"ml_engineer": 9, "data_scientist": 9}}},
        services={"service": {"team": "team", "count": n, **service}},
        changes=idea_every(20),
        pipeline=pipeline(
            approve={"role": "ml_engineer", "automation": automation, "window": window}
        ),
    )


def waiting(run: sim.Run) -> dict[str, set[bool]]:
    """Return, by service, whether its changes waited."""
    approved = run.steps[run.steps["step"] == "approve"]
    by_service = (approved["window_h"] > 0).groupby(approved["service"].astype(str))
    return {service: set(waited) for service, waited in by_service}


def test_a_window_is_waited_for_by_a_share_of_services_always_or_never() -> None:
    shares: list[set[str]] = []
    for automation in (0, 0.5, 1):
        run = released(automation)
        waits = waiting(run)
        assert all(len(waited) == 1 for waited in waits.values())
        shares.append({service for service, (waited,) in waits.items() if waited})
        assert len(shares[-1]) / len(waits) == by_chance(0.8 - 0.6 * automation, len(waits))
        approved = run.steps[run.steps["window_h"] > 0]
        assert set(approved["finished_at"] % 168) == {167}
    assert shares[0] > shares[1] > shares[2]  # who has left the calendar does not come back


@pytest.mark.parametrize("by_calendar", [False, True])
def test_a_service_can_say_itself_whether_the_calendar_releases_it(by_calendar: bool) -> None:
    run = released(0.5, n=20, released_by_calendar=by_calendar)
    assert set.union(*waiting(run).values()) == {by_calendar}


def test_a_monthly_release_carries_what_a_month_has_brought() -> None:
    monthly = {"every_weeks": 4, **SUNDAY, "waits": {"manual": 0.5, "automated": 0.5}}
    run = simulate(
        weeks=104,
        services={"service": {"team": "team", "released_by_calendar": True}},
        changes=idea_every(60),
        pipeline={"steps": {"deploy": {"effect": "deploys", "window": monthly}}},
    )
    assert run.deployments["n_changes"].iloc[1:].mean() == pytest.approx(4 * 168 / 60, abs=0.1)


def test_people_and_machines_are_waited_for_one_after_the_other() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"ml_engineer": 1}}},
        compute={"gpu": {"slots": 1}},
        services={"service": {"team": "team", "count": 2}},
        changes=idea_every(100),
        pipeline=pipeline(train={**BY_HAND, "effort_h": 3, "run_h": 10, "compute": "gpu"}),
    )
    columns = ["started_at", "people_h", "effort_h", "compute_h", "run_h", "finished_at"]
    trained = run.steps[run.steps["step"] == "train"][columns].to_numpy().tolist()
    # The second waits 3 h for the person, and 7 h for the machine.
    assert trained == [[100, 0, 3, 0, 10, 113], [103, 3, 3, 7, 10, 123]]


def test_nights_and_meetings_are_waiting_and_not_effort() -> None:
    run = simulate(
        weeks=1,
        working_hours={"focus": 0.5},
        changes=idea_every(64),  # Wednesday at 16:00
        pipeline=pipeline(build={"role": "ml_engineer", "effort_h": 2}),
    )
    # Half an hour of work until 17:00, the rest takes three hours of Thursday.
    built = run.steps.iloc[0]
    assert (built["finished_at"], built["effort_h"]) == (84, 2)
    assert (built["started_at"], built["people_h"]) == (64, 18)


def test_lost_runs_hold_the_machine_and_prolong_the_step() -> None:
    rate, run_h = 0.05, 20
    run = simulate(
        weeks=300,
        changes=idea_every(200),
        automation=1,
        compute={"gpu": {"slots": 1, "failures_per_h": rate}},
        pipeline=pipeline(train={"run_h": run_h, "compute": "gpu"}),
    )
    trained = run.steps[(run.steps["step"] == "train")].set_index("change_id")
    assert (trained["outcome"] == "passed").all()
    jobs = run.jobs[run.jobs["change_id"].isin(trained.index)]
    held = (jobs["finished_at"] - jobs["started_at"]).groupby(jobs["change_id"]).sum()
    assert trained["run_h"].to_numpy() == pytest.approx(held.to_numpy())
    elapsed = (trained["finished_at"] - trained["queued_at"]).to_numpy()
    assert (trained["run_h"] + trained["compute_h"]).to_numpy() == pytest.approx(elapsed)
    # The expected time to get through t hours without a failure at rate r is (exp(rt) - 1) / r.
    expected = math.expm1(rate * run_h) / rate
    standard_error = trained["run_h"].std() / math.sqrt(len(trained))
    assert trained["run_h"].mean() == pytest.approx(expected, abs=3.5 * standard_error)


def test_without_a_step_for_it_data_are_taken_as_training_begins_again() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"code": 1}),
        automation=1,
        pipeline=pipeline(
            train={"run_h": 6, "effect": "trains_model"},
            test={"detects": {"code": {"automated": 1}}},
        ),
    )
    assert run.deployments["model_data_from"].tolist() == [106]


def test_data_that_were_taken_stay_the_same_if_the_change_returns_behind_that_step() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"code": 1}),
        automation=1,
        pipeline=pipeline(
            ingest={"run_h": 2, "effect": "takes_data"},
            train={"run_h": 6, "effect": "trains_model"},
            test={"detects": {"code": {"automated": 1}}, "returns_to": "train"},
        ),
    )
    assert run.deployments["deployed_at"].tolist() == [114]
    assert run.deployments["model_data_from"].tolist() == [100]


def test_data_are_taken_when_somebody_begins_the_step() -> None:
    run = simulate(
        weeks=1,
        working_hours={},
        changes=idea_every(60),  # Wednesday at noon, and Friday at midnight
        pipeline=pipeline(
            ingest={"role": "ml_engineer", "effort_h": 10, "effect": "takes_data"},
            train={"run_h": 6, "effect": "trains_model"},
        ),
    )
    assert run.changes["data_from"].tolist()[0] == 60
    assert run.deployments["deployed_at"].tolist()[0] == 86 + 6


def test_more_urgent_changes_get_machines_first() -> None:
    run = simulate(
        weeks=1,
        services={
            "a": {"team": "team", "retraining": {"trigger": "schedule", "every_h": 101}},
            "b": {"team": "team"},
        },
        changes={**idea_every(50), "improvement": {"interarrival_h": 99}},
        automation=1,
        compute={"gpu": {"slots": 1}},
        pipeline=pipeline(train={"run_h": 10, "compute": "gpu"}),
    )
    in_turn = run.jobs.merge(run.changes[["change_id", "kind"]]).sort_values("started_at")
    # At 99 upkeep of one service takes the machine, that of the other waits, at 100 come ideas for
    # both, at 101 the retraining.
    order = in_turn[in_turn["started_at"].between(99, 149)]["kind"].tolist()
    assert order == ["improvement", "retrain", "feature", "feature", "improvement"]
