"""Pickup: a review waits until somebody else than the author takes it up."""

import math
from typing import Any

import numpy as np
import pytest
from small_organization import idea_every, simulate, steps_of

import sim

REVIEW = {"role": "ml_engineer", "effort_h": 1, "pickup_h": 10}
ONE_PERSON = {"team": {"people": {"ml_engineer": 1}}}


def reviewed(
    weeks: int = 8, review: dict[str, Any] | None = None, every_h: float = 200, **parts: Any
) -> sim.Run:
    """Simulate ideas of ML engineers, each with a bug, which are reviewed and deployed."""
    steps = {"review": {**REVIEW, **(review or {})}, "deploy": {"effect": "deploys"}}
    feature = {"author": "ml_engineer", "exploration_h": 2, "defects": {"code": 1}}
    return simulate(
        weeks,
        **{
            "changes": idea_every(every_h, **feature),
            "pipeline": {"steps": steps, "handoff_in_team": {"delay_h": 4}},
            **parts,
        },
    )


def failing(run: sim.Run) -> float:
    """Return the share of the deployments of features that failed."""
    deployments = run.deployments
    return float(deployments.loc[deployments["kind"] == "feature", "failed"].mean())


def test_somebody_of_the_same_role_takes_it_up_after_a_while() -> None:
    run = reviewed()
    assert steps_of(run, 0) == [
        ("exploration", 1, 200, 200, 202, "passed"),
        ("review", 1, 202, 212, 213, "passed"),
        ("deploy", 1, 213, 213, 213, "passed"),
    ]
    row = run.steps.iloc[1]
    assert (row["handoff_h"], row["people_h"], row["effort_h"]) == (10, 0, 1)
    features = run.changes.dropna(subset="deployed_at")["kind"] == "feature"
    assert run.metrics()["lead_time_handoff_h"] == pytest.approx(10 * features.mean())


@pytest.mark.parametrize(("handoff_h", "waits_h"), [(0, 10), (4, 10), (10, 10), (25, 25)])
def test_a_handoff_goes_on_meanwhile(handoff_h: float, waits_h: float) -> None:
    run = reviewed(
        review={"role": "data_scientist"},
        pipeline={
            "steps": {
                "review": {**REVIEW, "role": "data_scientist"},
                "deploy": {"effect": "deploys"},
            },
            "handoff_in_team": {"delay_h": handoff_h},
        },
    )
    assert run.steps["handoff_h"].iloc[1] == waits_h
    assert run.steps["finished_at"].iloc[1] == 202 + waits_h + 1


def test_a_machine_takes_it_up_at_once() -> None:
    run = reviewed(automation=1)
    assert steps_of(run, 0)[1] == ("review", 1, 202, 202, 202, "passed")


def test_remediation_is_taken_up_at_once() -> None:
    run = reviewed(
        changes={
            **idea_every(300, author="ml_engineer", exploration_h=2, defects={"code": 1}),
            "fix": {"author": "ml_engineer", "effort_h": 3},
        }
    )
    fixes = run.changes[run.changes["kind"] == "fix"].dropna(subset="deployed_at")
    assert len(fixes) > 2
    lead_time_h = (fixes["deployed_at"] - fixes["committed_at"]).to_numpy()
    assert lead_time_h == pytest.approx(1)
    features = run.changes[run.changes["kind"] == "feature"].dropna(subset="deployed_at")
    lead_time_h = (features["deployed_at"] - features["committed_at"]).to_numpy()
    assert lead_time_h == pytest.approx(11)


def test_what_comes_back_has_to_be_taken_up_again() -> None:
    run = reviewed(review={"detects": {"code": {"manual": 1}}})
    assert steps_of(run, 0) == [
        ("exploration", 1, 200, 200, 202, "passed"),
        ("review", 1, 202, 212, 213, "caught"),
        ("review", 2, 213, 223, 224, "passed"),
        ("deploy", 2, 224, 224, 224, "passed"),
    ]


def test_an_author_who_is_alone_reviews_at_once_and_finds_nothing() -> None:
    finds = {"detects": {"code": {"manual": 1}}}
    two = reviewed(review=finds, teams={"team": {"people": {"ml_engineer": 2}}})
    alone = reviewed(review=finds, teams=ONE_PERSON)
    assert "caught" in set(two.steps["outcome"])
    assert failing(two) == 0
    assert steps_of(alone, 0) == [
        ("exploration", 1, 200, 200, 202, "passed"),
        ("review", 1, 202, 202, 203, "passed"),
        ("deploy", 1, 203, 203, 203, "passed"),
    ]
    assert failing(alone) == 1


def test_one_person_of_another_role_is_somebody_else() -> None:
    people = {"team": {"people": {"ml_engineer": 1, "data_scientist": 1}}}
    review = {"role": "data_scientist", "detects": {"code": {"manual": 1}}}
    assert failing(reviewed(review=review, teams=people)) == 0
    played = {"team": {"people": {"ml_engineer": 1}, "plays": {"data_scientist": "ml_engineer"}}}
    assert failing(reviewed(review=review, teams=played)) == 1


def test_people_of_other_teams_who_help_out_are_somebody_else() -> None:
    finds = {"detects": {"code": {"manual": 1}}}
    teams = {name: {"people": {"ml_engineer": 1}} for name in ("team", "other")}
    services = {name: {"team": name, "golden_path": True} for name in ("team", "other")}
    apart = reviewed(review=finds, teams=teams, services=services)
    pooled = reviewed(review=finds, teams=teams, services=services, pooled_roles=["ml_engineer"])
    assert failing(apart) == 1
    assert failing(pooled) == 0


def test_the_wait_is_distributed_as_the_scenario_says() -> None:
    """Lognormal with a median of 10 h and a sigma of 1, whose mean is 10 exp(1/2)."""
    sigma = 1.0
    pickup_h = {
        "dist": "lognormal",
        "mean": 10 * math.exp(sigma**2 / 2),
        "cv": math.sqrt(math.exp(sigma**2) - 1),
    }
    feature = {"author": "ml_engineer", "exploration_h": 2}
    run = reviewed(800, {"pickup_h": pickup_h}, changes=idea_every(50, **feature))
    waits_h = run.steps.loc[run.steps["step"] == "review", "handoff_h"]
    logarithm, n = np.log(waits_h / 10), len(waits_h)
    assert n > 2000
    assert abs(logarithm.mean()) < 4 * sigma / math.sqrt(n)
    assert abs(logarithm.std() - sigma) < 4 * sigma / math.sqrt(2 * n)


def test_no_other_luck_changes_with_it() -> None:
    """With people to spare all executions of the review find and take what they did without."""
    review = {
        "effort_h": {"dist": "lognormal", "mean": 2, "cv": 1},
        "detects": {"code": {"manual": 0.5}},
    }
    pickup_h = {"dist": "exponential", "mean": 20}
    people = {"team": {"people": {"ml_engineer": 99}}}
    without, with_it = (
        reviewed(300, {**review, "pickup_h": wait}, teams=people).steps for wait in (0, pickup_h)
    )
    columns = ["change_id", "step", "attempt", "outcome", "effort_h"]
    n = min(len(without), len(with_it)) - 20
    one, other = (
        steps.sort_values(["change_id", "attempt", "step"])[columns].astype(str).to_numpy()[:n]
        for steps in (without, with_it)
    )
    assert n > 200
    assert (one == other).all()
    assert with_it["handoff_h"].sum() > without["handoff_h"].sum() == 0
