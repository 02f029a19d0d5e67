"""Teams differ: what the people of a team do takes a factor of the team's own longer."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_organization import idea_every, simulate

import sim

TEAMS = 1000
STEPS = {
    "build": {"role": "ml_engineer", "effort_h": 3},
    "review": {"role": "data_scientist", "effort_h": 2, "pickup_h": 7},
    "check": {"role": "security", "effort_h": 1},
    "deploy": {"effect": "deploys"},
}
HANDOFFS = {"handoff_in_team": {"delay_h": 5}, "handoff_across": {"delay_h": 40}}


def many_teams(steps: dict[str, Any] | None = None, count: int = TEAMS, **differ: float) -> sim.Run:
    """Simulate a feature each of many teams alike, which explore for 4 h and rework for 6 h."""
    feature = {"author": "data_scientist", "exploration_h": 4, "rework_h": 6}
    return simulate(
        weeks=40,
        teams={"team": {"count": count, "people": {"ml_engineer": 2, "data_scientist": 2}}},
        shared_people={"security": 2 * TEAMS},
        changes=idea_every(4000, **feature),
        pipeline={"steps": steps or STEPS, **HANDOFFS},
        teams_differ=differ,
    )


def by_team(run: sim.Run, step: str, column: str) -> "pd.Series[float]":
    """Return a column of the executions of a step, by service."""
    steps = run.steps[run.steps["step"] == step]
    return steps.set_index(steps["service"].astype(str))[column].sort_index()


def assert_lognormal_with_mean_1(factors: "pd.Series[float]", sigma: float) -> None:
    n = len(factors)
    logarithm = np.log(factors)
    assert n == TEAMS
    assert abs(logarithm.mean() + sigma**2 / 2) < 4 * sigma / math.sqrt(n)
    assert abs(logarithm.std() - sigma) < 4 * sigma / math.sqrt(2 * n)
    spread = math.sqrt(math.exp(sigma**2) - 1)
    assert abs(factors.mean() - 1) < 4 * spread / math.sqrt(n)


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.0])
def test_the_factors_of_many_teams_have_a_mean_of_1_and_the_sigma_asked_for(sigma: float) -> None:
    run = many_teams(effort=sigma, pickup=sigma, review=sigma)
    assert_lognormal_with_mean_1(by_team(run, "build", "effort_h") / 3, sigma)
    assert_lognormal_with_mean_1(by_team(run, "review", "effort_h") / 2, sigma)
    assert_lognormal_with_mean_1(by_team(run, "build", "handoff_h") / 5, sigma)


def test_kinds_of_difference_are_independent_of_each_other() -> None:
    run = many_teams(effort=0.5, pickup=0.5, review=0.5)
    columns = [("build", "effort_h"), ("review", "effort_h"), ("build", "handoff_h")]
    logarithms = [np.log(by_team(run, *column)) for column in columns]
    correlation = np.corrcoef(logarithms)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 4 / math.sqrt(TEAMS)


@pytest.mark.parametrize("kind", ["effort", "pickup", "review"])
def test_each_kind_changes_what_it_is_about_and_nothing_else(kind: str) -> None:
    run, plain = many_teams(count=20, **{kind: 0.5}), many_teams(count=20)
    about = {
        "effort": {("exploration", "effort_h"), ("build", "effort_h")},
        "pickup": {("build", "handoff_h"), ("review", "handoff_h")},
        "review": {("review", "effort_h")},
    }
    differs = {
        (step, column)
        for step in ("exploration", *STEPS)
        for column in ("effort_h", "handoff_h", "window_h", "run_h")
        if not by_team(run, step, column).equals(by_team(plain, step, column))
    }
    assert differs == about[kind]


def test_a_team_takes_the_same_factor_for_all_that_is_of_a_kind() -> None:
    run = many_teams(count=20, effort=0.5, pickup=0.5)
    factor = by_team(run, "build", "effort_h") / 3
    assert (by_team(run, "exploration", "effort_h") / 4).to_numpy() == pytest.approx(
        factor.to_numpy()
    )
    pickup = by_team(run, "build", "handoff_h") / 5
    longer = (by_team(run, "review", "handoff_h") / 7).to_numpy()  # than the handoff of 5 h
    assert longer == pytest.approx(pickup.to_numpy(), abs=1e-6)


def test_the_rework_of_a_team_takes_its_factor_too() -> None:
    steps = {**STEPS, "build": {**STEPS["build"], "fails": 0.5}}
    run = many_teams(steps, count=50, effort=0.5)
    rework = by_team(run, "rework", "effort_h").groupby(level=0).mean() / 6
    factor = by_team(run, "exploration", "effort_h") / 4
    assert len(rework) > 10
    assert rework.to_numpy() == pytest.approx(factor[rework.index].to_numpy())


def test_a_review_is_known_by_its_stage() -> None:
    named = {("look" if name == "review" else name): step for name, step in STEPS.items()}
    named["look"] = {**named["look"], "stage": "review"}
    one, other = many_teams(count=20, review=0.5), many_teams(named, count=20, review=0.5)
    assert by_team(one, "review", "effort_h").equals(by_team(other, "look", "effort_h"))
    assert by_team(one, "review", "effort_h").std() > 0


def test_groups_that_serve_all_teams_are_as_the_scenario_says() -> None:
    check = many_teams(count=50, effort=0.5, pickup=0.5, review=0.5)
    assert set(by_team(check, "check", "effort_h")) == {1}
    assert by_team(check, "check", "handoff_h").to_numpy() == pytest.approx(40, abs=1e-6)


def test_a_team_is_the_same_in_every_scenario() -> None:
    """Neither other teams, nor other steps, nor how different teams are, changes its luck."""
    few, many = many_teams(count=5, effort=0.4), many_teams(count=9, effort=0.4)
    short = many_teams({"build": STEPS["build"], "deploy": STEPS["deploy"]}, count=5, effort=0.4)
    factors = by_team(few, "build", "effort_h")
    assert by_team(many, "build", "effort_h")[factors.index].equals(factors)
    assert by_team(short, "build", "effort_h").equals(factors)
    wider = by_team(many_teams(count=5, effort=0.8), "build", "effort_h")

    def z(efforts: "pd.Series[float]", sigma: float) -> Any:
        return (np.log(efforts / 3) + sigma**2 / 2) / sigma

    assert z(wider, 0.8).to_numpy() == pytest.approx(z(factors, 0.4).to_numpy())


def test_lead_times_of_teams_spread_as_their_parts_do() -> None:
    """Of a lead time 8 E + 30 P the mean stays 38, and the variances of the two parts add up."""
    steps = {
        "build": {"role": "ml_engineer", "effort_h": 8, "pickup_h": 30},
        "deploy": {"effect": "deploys"},
    }
    sigma = {"effort": 0.3, "pickup": 0.4}
    run = many_teams(steps, **sigma)
    lead_time_h = run.changes["deployed_at"] - run.changes["committed_at"]
    variance = {
        kind: hours**2 * (math.exp(sigma[kind] ** 2) - 1)
        for kind, hours in (("effort", 8), ("pickup", 30))
    }
    sd = math.sqrt(sum(variance.values()))
    assert len(lead_time_h) == TEAMS
    assert abs(lead_time_h.mean() - 38) < 4 * sd / math.sqrt(TEAMS)
    # The kurtosis of the larger part, a lognormal of 0.4, is 6.3: its sample sd has that error.
    assert abs(lead_time_h.std() - sd) < 4 * sd * math.sqrt((6.3 - 1) / 4 / TEAMS)


def test_waiting_for_a_review_alone_spreads_the_lead_time_by_its_sigma() -> None:
    steps = {
        "review": {"role": "ml_engineer", "pickup_h": 20},
        "deploy": {"effect": "deploys"},
    }
    run = many_teams(steps, pickup=0.6)
    lead_time_h = run.changes["deployed_at"] - run.changes["committed_at"]
    assert_lognormal_with_mean_1(lead_time_h / 20, 0.6)


def test_who_helps_another_team_takes_their_own_time() -> None:
    """Team b has nobody free when its idea comes, so that somebody of team a builds it."""
    run = simulate(
        weeks=2,
        teams={name: {"people": {"ml_engineer": 1}} for name in ("a", "b")},
        services={
            "one": {"team": "a", "golden_path": True},
            "two": {"team": "b", "golden_path": True},
            "three": {"team": "b", "golden_path": True},
        },
        changes=idea_every(200),
        pipeline={
            "steps": {
                "build": {"role": "ml_engineer", "effort_h": 3},
                "deploy": {"effect": "deploys"},
            }
        },
        pooled_roles=["ml_engineer"],
        teams_differ={"effort": 0.5},
    )
    work = run.work.assign(own=run.work["team"].astype(str))
    efforts = work.groupby("own")["effort_h"].agg(["min", "max"])
    assert efforts["min"].to_numpy() == pytest.approx(efforts["max"].to_numpy())
    assert efforts.loc["a", "min"] != pytest.approx(efforts.loc["b", "min"])
