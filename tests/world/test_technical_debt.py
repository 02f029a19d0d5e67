"""Technical debt: what leaves it behind, what pays it down, and what it does."""

from typing import Any

import pytest
from scipy import stats
from small_organization import NEVER_H, idea_every, row, simulate

import sim
from sim.scenario.from_data import validate
from sim.world.build import build
from sim.world.debt import likelier, slowdown
from sim.world.simulation import flush

BY_HAND = {"role": "ml_engineer"}
TEST = {"role": "ml_engineer", "detects": {"code": {"manual": 0, "automated": 0}}}


def pipeline(**steps: Any) -> dict[str, Any]:
    return {"steps": {**steps, "deploy": {"effect": "deploys"}}}


def course(run: sim.Run, service: str = "team.service") -> list[tuple[float, float]]:
    """Return (time, debt) wherever the debt of ``service`` changes."""
    rows = run.tables["debt"]
    rows = rows[rows["service"] == service]
    return list(zip(rows["at"].tolist(), rows["debt_h"].tolist(), strict=True))


@pytest.mark.parametrize(
    ("steps", "each_h"),
    [
        ({"test": TEST}, 2),
        ({"build": BY_HAND}, 0.5),
        ({"test": TEST, "build": BY_HAND, "package": BY_HAND}, 3),
        ({"test": {**TEST, "automation": 1}, "build": {**BY_HAND, "automation": 1}}, 0),
        ({"machine": {"run_h": 1}}, 0),
        ({"test": {**TEST, "skipped_by": ["feature"]}, "build": BY_HAND}, 0.5),
    ],
)
def test_each_change_leaves_debt_for_what_no_machine_does(
    steps: dict[str, Any], each_h: float
) -> None:
    run = simulate(
        weeks=2,
        changes=idea_every(100),
        pipeline=pipeline(**steps),
        debt={"untested_h": 2, "by_hand_h": 0.5},
    )
    deployed = run.deployments["deployed_at"].tolist()
    expected = [(at, number * each_h) for number, at in enumerate(deployed, 1)]
    assert course(run) == (expected if each_h else [])
    assert len(deployed) == 3


def test_a_step_after_deployment_leaves_debt_too() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100),
        pipeline={"steps": {"deploy": {"effect": "deploys"}, "verify": BY_HAND}},
        debt={"by_hand_h": 0.5},
    )
    assert course(run)[-1:] == [(100, 0.5)]


def test_what_is_executed_again_leaves_it_again() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"code": 1}),
        pipeline=pipeline(build=BY_HAND, test={"detects": {"code": {"automated": 1}}}),
        debt={"by_hand_h": 0.5},
    )
    assert course(run) == [(100, 1.0)]


def test_a_hurried_change_leaves_more() -> None:
    run = simulate(
        weeks=1,
        changes={**idea_every(100, defects={"code": 1}), "fix": {"effort_h": 5}},
        pipeline=pipeline(build=BY_HAND),
        incidents={"responses": {"code": {"role": "ml_engineer", "latency_h": 10}}},
        debt={"hurried_h": 3, "by_hand_h": 0.5},
    )
    assert course(run) == [(100, 0.5), (115, 4.0)]  # the fix of 110


def test_a_retraining_counts_as_hurried_once_it_is_expedited() -> None:
    quality = {
        "initial": 0.9,
        "objective": 0.8,
        "decay": {"shape": "linear", "loss_per_week": 0.168},  # below at 100
    }
    run = simulate(
        weeks=1,
        services={
            "service": {
                "team": "team",
                "quality": quality,
                "retraining": {"trigger": "schedule", "every_h": 40},
            }
        },
        pipeline={
            "steps": {
                "train": {"run_h": 90, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        debt={"hurried_h": 3},
    )
    # That of 40 is under way when the incident of 100 expedites it; it trained on data of 40.
    assert row(run.changes, 0)["incident_id"] == 0
    assert course(run) == [(130, 3.0)]


def test_each_hidden_dependency_of_its_service_counts() -> None:
    run = simulate(
        weeks=1,
        services={
            "service": {"team": "team", "upstream": ["one"], "hidden_upstream": ["two", "three"]},
            "one": {"team": "team"},
            "two": {"team": "team"},
            "three": {"team": "team"},
        },
        changes=idea_every(60),
        debt={"hidden_h": 0.25},
    )
    assert course(run) == [(60, 0.5), (120, 1.0)]
    assert set(run.tables["debt"]["service"]) == {"team.service"}


def test_improvements_pay_it_down_by_their_effort_and_never_below_nothing() -> None:
    run = simulate(
        weeks=2,
        changes={**idea_every(50), "improvement": {"interarrival_h": 110, "effort_h": 5}},
        pipeline=pipeline(build={**BY_HAND, "skipped_by": ["improvement"]}),
        debt={"by_hand_h": 2},
    )
    expected = [
        (50, 2.0),
        (100, 4.0),
        (115, 0.0),  # four are paid by five hours
        (150, 2.0),
        (200, 4.0),
        (225, 0.0),
        (250, 2.0),
        (300, 4.0),
        (335, 0.0),
    ]
    assert course(run) == expected


def test_an_improvement_that_was_taken_out_has_paid_nothing() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(50),
            "improvement": {
                "interarrival_h": 110,
                "effort_h": 5,
                "rework_h": NEVER_H,
                "defects": {"code": 1},
            },
        },
        pipeline=pipeline(build={**BY_HAND, "skipped_by": ["improvement"]}),
        incidents={
            "responses": {"code": {"role": "ml_engineer", "latency_h": 3}},
            "rollback": {"available": 1, "automation": 1, "run_h": 1},
        },
        debt={"by_hand_h": 20},
    )
    assert row(run.incidents, 0)["restored_at"] == 119
    assert course(run)[-1] == (150, 60.0)


ROLLED_BACK_AFTER_4_H = {
    "responses": {"code": {"role": "ml_engineer", "latency_h": 3}},
    "rollback": {"available": 1, "automation": 1, "run_h": 1},
}


def test_what_a_change_added_goes_with_it() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"code": 1}, rework_h=NEVER_H),
        pipeline=pipeline(build=BY_HAND),
        incidents=ROLLED_BACK_AFTER_4_H,
        debt={"by_hand_h": 2},
    )
    assert course(run) == [(100, 2.0), (104, 0.0)]


def test_an_improvement_made_again_pays_what_it_paid_at_first() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(50),
            "improvement": {
                "interarrival_h": 110,
                "effort_h": 5,
                "rework_h": 2,
                "defects": {"code": 1},
            },
            "fix": {"defects": {"code": 1}},  # at whose rate it is made again
        },
        pipeline=pipeline(build={**BY_HAND, "skipped_by": ["improvement"]}),
        incidents=ROLLED_BACK_AFTER_4_H,
        debt={"by_hand_h": 20},
    )
    # Deployed at 115 and taken out at 119, then again every six hours: two of rework, four live.
    assert course(run)[:7] == [
        (50, 20.0),
        (100, 40.0),
        (115, 35.0),
        (119, 40.0),
        (121, 35.0),
        (125, 40.0),
        (127, 35.0),
    ]


def test_a_rollback_undoes_what_changes_that_shipped_together_did_to_each_other() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(30),
            "improvement": {
                "interarrival_h": 40,
                "effort_h": 5,
                "rework_h": NEVER_H,
                "defects": {"code": 1},
            },
        },
        pipeline={
            "steps": {
                "build": {**BY_HAND, "skipped_by": ["improvement"]},
                "deploy": {"effect": "deploys", "window": {"days": ["wed"], "hour": 10}},
            }
        },
        incidents=ROLLED_BACK_AFTER_4_H,
        debt={"by_hand_h": 2},
    )
    # The idea of 30 leaves two hours, which the improvement of 40 pays; both are taken out.
    assert course(run)[:4] == [(58, 2.0), (58, 0.0), (62, 2.0), (62, 0.0)]


@pytest.mark.parametrize(("verification_h", "expected"), [(1, [(101, 0.5), (104, 0.0)]), (10, [])])
def test_verification_leaves_debt_only_where_the_change_is_still_in_production(
    verification_h: float, expected: list[tuple[float, float]]
) -> None:
    verify = {**BY_HAND, "effort_h": verification_h}
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"code": 1}, rework_h=NEVER_H),
        pipeline={"steps": {"deploy": {"effect": "deploys"}, "verify": verify}},
        incidents=ROLLED_BACK_AFTER_4_H,
        debt={"by_hand_h": 0.5},
    )
    assert course(run) == expected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_debt_is_what_the_changes_in_production_have_added_and_not_paid(seed: int) -> None:
    scenario = sim.load(
        "horizon_weeks=60",
        "warmup_weeks=0",
        "incidents.rollback.available=0.9",
        "changes.improvement.interarrival_h.mean=60",
        "changes.improvement.defects.code=0.5",
        "pipeline.steps.deploy.window.waits.automated=1",
        "debt.by_hand_h=3",
    )
    organization = build(scenario, seed, 0)
    organization.env.run(until=60 * 168)
    assert sum(change.status == "rolled_back" for change in organization.changes) > 20
    for service in organization.services:
        there = [
            change
            for change in organization.changes
            if change.service is service and change.status == "deployed"
        ]
        owed_h = sum(change.debt_h - change.paid_h for change in there)
        assert service.debt_h == pytest.approx(owed_h, abs=1e-6)
    assert sum(service.debt_h for service in organization.services) > 0


def indebted(debt_h: float, **parts: Any) -> sim.Run:
    """Simulate a service that begins with ``debt_h`` of debt."""
    scenario = {
        "name": "indebted",
        "horizon_weeks": 40,
        "working_hours": {"always": True},
        "teams": {"team": {"people": {"ml_engineer": 9, "data_scientist": 9}}},
        "services": {"service": {"team": "team"}},
        **parts,
    }
    scenario = validate(scenario)
    organization = build(scenario, seed=1, replication=0)
    organization.services[0].debt_h = debt_h
    organization.env.run(until=scenario.horizon_weeks * 168)
    flush(organization)
    return sim.Run(scenario, 1, 0, organization.log.to_frames())


def test_all_work_on_the_service_takes_longer() -> None:
    run = indebted(
        50,
        horizon_weeks=1,
        changes=idea_every(100, exploration_h=10, defects={"code": 1}, rework_h=4),
        pipeline=pipeline(
            build={"role": "ml_engineer", "effort_h": 6, "run_h": 1},
            test={"detects": {"code": {"automated": 1}}},
        ),
        debt={"slowdown": 0.4},
    )
    factor = 1 + 0.4 * 50 / 100
    efforts = dict(zip(run.steps["step"], run.steps["effort_h"], strict=True))
    assert efforts["exploration"] == pytest.approx(10 * factor)
    assert efforts["build"] == pytest.approx(6 * factor)
    assert efforts["rework"] == pytest.approx(4 * factor)
    assert set(run.steps[run.steps["step"] == "build"]["run_h"]) == {1}  # a machine does not care
    assert row(run.steps, 0)["finished_at"] == pytest.approx(100 + 10 * factor)


def test_debt_is_of_its_service_alone() -> None:
    run = simulate(
        weeks=1,
        services={
            "service": {"team": "team", "hidden_upstream": ["other"]},
            "other": {"team": "team"},
        },
        changes=idea_every(60, exploration_h=10),
        debt={"hidden_h": 100, "slowdown": 0.5},
    )
    # The first ideas of 60 ship at 70; the second of the indebted one take half as long again.
    efforts = run.steps[run.steps["step"] == "exploration"].set_index(["service", "queued_at"])
    assert efforts["effort_h"].loc[("team.service", 120)] == 15
    assert efforts["effort_h"].loc[("team.other", 120)] == 10


def test_authors_leave_defects_as_if_they_had_more_chances_to() -> None:
    run = indebted(
        200,
        changes=idea_every(1, defects={"code": 0.2}),
        pipeline=pipeline(test={"detects": {"code": {"automated": 1}}}),
        debt={"more_defects": 0.5},
    )
    tests = run.steps[(run.steps["step"] == "test") & (run.steps["attempt"] == 1)]
    caught = int((tests["outcome"] == "caught").sum())
    expected = 1 - (1 - 0.2) ** (1 + 0.5 * 200 / 100)  # 0.36
    assert stats.binomtest(caught, len(tests), expected).pvalue > 0.001
    assert stats.binomtest(caught, len(tests), 0.2).pvalue < 1e-6


def test_the_factors_themselves() -> None:
    data = {
        "name": "small",
        "teams": {"team": {"people": {}}},
        "services": {"service": {"team": "team"}},
        "pipeline": pipeline(),
        "debt": {"slowdown": 0.1, "more_defects": 1},
    }
    organization = build(validate(data), seed=1, replication=0)
    service = organization.services[0]
    assert (slowdown(organization, service), likelier(organization, service, 0.3)) == (1, 0.3)
    service.debt_h = 100
    assert slowdown(organization, service) == pytest.approx(1.1)
    assert likelier(organization, service, 0.3) == pytest.approx(1 - 0.7**2)
    assert likelier(organization, service, 0.0) == 0
    assert likelier(organization, service, 1.0) == 1
