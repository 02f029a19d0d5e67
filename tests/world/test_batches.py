"""Batches and slices: how much people deliver at once, against closed forms."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from small_organization import NEVER_H, idea_every, simulate, steps_of

import sim
from sim.scenario.lot_size import economic_interval_h, economic_size
from sim.world.batches import _WEIGHT

POSITIVE = st.floats(1e-3, 1e6)


@given(cost=POSITIVE, rate=POSITIVE, worth=POSITIVE)
def test_the_economic_interval_costs_least(cost: float, rate: float, worth: float) -> None:
    def per_hour(log_interval: float) -> float:
        interval = math.exp(log_interval)
        return cost / interval + worth * rate * interval / 2

    found = minimize_scalar(per_hour, bracket=(-20, 20))
    interval = economic_interval_h(cost, rate, worth)
    assert math.log(interval) == pytest.approx(found.x, abs=1e-3)
    assert per_hour(math.log(interval)) == pytest.approx(math.sqrt(2 * cost * worth * rate))
    assert economic_size(cost / 4, rate, worth) == pytest.approx(
        economic_size(cost, rate, worth) / 2
    )


def test_nothing_to_wait_for() -> None:
    assert economic_interval_h(0.0, 1.0, 1.0) == 0.0
    assert economic_interval_h(100.0, 0.0, 1.0) == math.inf
    assert economic_size(100.0, 1.0, 0.0) == math.inf
    assert economic_size(100.0, 0.0, 1.0) == math.inf


DEPLOY = {"role": "ml_engineer", "effort_h": 4, "effect": "deploys"}


def batched(worth_per_h: float, changes: dict[str, Any], weeks: int = 52, **parts: Any) -> sim.Run:
    """Simulate economic batches; an hour of work costs 100, an idea lives for ten weeks."""
    return simulate(
        weeks=weeks,
        changes={"batch_size": "economic", **changes},
        cost={
            "person_per_h": 100,
            "feature_worth": worth_per_h * 1680,
            "feature_life_weeks": 10,
        },
        **{"pipeline": {"steps": {"deploy": DEPLOY}}, **parts},
    )


@pytest.mark.parametrize(("worth_per_h", "interval_h"), [(0.8, 100), (0.2, 200), (0.05, 400)])
def test_a_delivery_leaves_every_economic_interval(worth_per_h: float, interval_h: float) -> None:
    run = batched(worth_per_h, idea_every(10))
    left_at = run.deployments["started_at"].to_numpy()
    assert left_at == pytest.approx(10 + interval_h * np.arange(len(left_at)))
    assert len(left_at) == math.floor((52 * 168 - 14) / interval_h) + 1
    assert (run.deployments["n_changes"].iloc[1:] == interval_h / 10).all()
    # It waits for the others, for nothing else, and the wait is part of its lead time.
    assert run.steps["batch_h"].to_numpy() == pytest.approx(
        (run.steps["finished_at"] - run.steps["queued_at"] - 4).to_numpy()
    )
    metrics = run.metrics()
    assert metrics["lead_time_batch_h"] == pytest.approx(metrics["lead_time_mean_h"] - 4)
    # The delivery is paid for once.
    assert run.work["effort_h"].sum() == pytest.approx(4 * len(run.deployments), abs=4)


def test_one_idea_is_one_change_where_batches_are_not_economic() -> None:
    run = batched(0.2, {**idea_every(10), "batch_size": "idea"})
    assert set(run.deployments["n_changes"]) == {1}
    assert (run.steps["batch_h"] == 0).all()


def test_a_larger_idea_is_delivered_in_slices_when_they_are_made() -> None:
    # λ = 1/100 per h, K = 4 h × 100, S = sqrt(2 K λ / c) = 1/4: four slices, one every 25 h.
    run = batched(
        128,
        {"feature": {"exploration_h": 100}},
        weeks=3,
        teams={"team": {"people": {"data_scientist": 1, "ml_engineer": 1}}},
    )
    slices = run.changes[run.changes["committed_at"] <= 200]
    assert slices["committed_at"].tolist() == [25, 50, 75, 100, 125, 150, 175, 200]
    assert set(slices["idea_share"]) == {0.25}
    assert run.deployments["deployed_at"].tolist()[:4] == [29, 54, 79, 104]
    # All slices of an idea together are worth what the idea is.
    deployed = run.changes["deployed_at"].notna().sum()
    worth = run.metrics()["worth_per_week"] * 3
    assert worth == pytest.approx(deployed / 4 * 128 * 1680)


def test_all_slices_of_an_idea_have_its_defects_together() -> None:
    run = batched(
        8,
        {"feature": {"exploration_h": 100, "defects": {"code": 0.4}}},
        weeks=1000,
        teams={"team": {"people": {"data_scientist": 1, "ml_engineer": 5}}},
        pipeline={"steps": {"deploy": {**DEPLOY, "effort_h": 1}}},
        incidents={"responses": {"code": {"latency_h": 1, "role": "ml_engineer"}}},
    )
    slices = run.changes[run.changes["kind"] == "feature"].dropna(subset="deployed_at")
    m = round(1 / slices["idea_share"].iloc[-1])
    assert m > 1
    failed = slices["deployment_id"].isin(run.incidents["deployment_id"])
    expected = 1 - 0.6 ** (1 / m)
    n = len(slices)
    spread = 2.6 * math.sqrt(expected * (1 - expected) / n)
    assert failed.mean() == pytest.approx(expected, abs=spread)
    ideas = slices.groupby(np.arange(n) // m).filter(lambda idea: len(idea) == m)
    spoilt = failed[ideas.index].groupby(np.arange(len(ideas)) // m).any()
    assert spoilt.mean() == pytest.approx(0.4, abs=2.6 * math.sqrt(0.24 / len(spoilt)))


def test_early_steps_are_gone_through_alone_and_late_ones_together() -> None:
    stages = {
        "make": {"stage": "unit_test", "role": "ml_engineer", "effort_h": 2},
        "look": {"stage": "review", "role": "ml_engineer", "effort_h": 1},
        "assemble": {"stage": "package", "role": "ml_engineer", "effort_h": 3},
        "ship": DEPLOY,
        "watch": {"stage": "verify", "run_h": 1},
    }
    # K = 7 h × 100 of the late steps alone; τ = sqrt(2 K / (c λ)) = 280 / 2.
    run = batched(1400 / 140**2 * 20, idea_every(20), weeks=6, pipeline={"steps": stages})
    made = run.steps[run.steps["step"] == "make"]
    assert made["execution_id"].is_unique
    for step in ("assemble", "ship"):
        rows = run.steps[run.steps["step"] == step]
        together = rows.groupby("execution_id").size()
        assert together.tolist()[:4] == [1, 7, 7, 7]
        assert ((rows["batch_h"] > 0) <= (rows["step"] == "assemble")).all()
    assert run.steps[run.steps["step"] == "watch"]["execution_id"].is_unique
    assert run.work["effort_h"].sum() == pytest.approx(
        3 * len(made) + 7 * len(run.deployments), abs=10
    )


def test_upkeep_waits_too_and_remediation_and_retrainings_do_not() -> None:
    run = batched(
        0.2,
        {
            **idea_every(30, defects={"code": 0.3}),
            "improvement": {"interarrival_h": 70},
            "fix": {"effort_h": 2},
        },
        services={
            "service": {"team": "team", "retraining": {"trigger": "schedule", "every_h": 90}}
        },
        incidents={"responses": {"code": {"latency_h": 1, "role": "ml_engineer"}}},
    )
    steps = run.steps[run.steps["step"] == "deploy"].merge(run.changes, on="change_id")
    waits = steps.groupby(steps["kind"].astype(str))["batch_h"].max()
    assert waits["fix"] == waits["retrain"] == 0
    assert min(waits["feature"], waits["improvement"]) > 100


def test_people_learn_from_their_last_deliveries() -> None:
    # 4 h of people per delivery, and half an hour from week 20 on: K goes from 400 to 50.
    run = batched(
        0.8,
        idea_every(1),
        weeks=60,
        roadmap=[
            {
                "practice": "cicd",
                "level": "own",
                "start_week": 20,
                "brings": {"pipeline.steps.deploy.effort_h": 0.5},
            }
        ],
    )
    left_at = run.deployments["started_at"].to_numpy()
    gaps = np.diff(left_at)
    cheap = left_at[:-1] >= 20 * 168
    # What is known when the first idea of a batch comes decides: whether the last delivery, which
    # takes half an hour, is over by then depends on the fraction of the hour at which it left.
    is_over = np.floor(left_at[:-1]) + 1 - left_at[:-1] > 0.5
    n_cheap = np.where(cheap, np.cumsum(cheap) - 1 + is_over, 0)
    interval_h, n_enough = (
        np.sqrt(2 * (50 + 350 * (1 - _WEIGHT) ** n_known) / 0.8)
        for n_known in (n_cheap, np.cumsum(cheap))
    )
    # An idea comes every hour, so that as many are enough; the last of them may come before.
    full_h = np.floor(left_at[:-1]) + np.ceil(n_enough) - left_at[:-1]
    assert gaps == pytest.approx(np.minimum(interval_h, full_h), abs=1e-6)
    assert gaps[0] > 31
    assert gaps[-1] < 12


def test_what_is_as_large_as_pays_waits_for_nobody() -> None:
    # λ = 1/50 per h, K = 400; S = sqrt(2 K λ / c) is 0.9 or 1.1 of an idea.
    def waits(size: float) -> set[float]:
        worth_per_h = 2 * 400 / 50 / size**2
        run = batched(worth_per_h, idea_every(50), weeks=20)
        return set(run.steps["batch_h"])

    assert waits(0.9) == {0}
    assert waits(1.1) > {0}


def test_small_ideas_wait_until_they_are_as_large_as_pays() -> None:
    # Every ten hours an idea of a fifth of the mean size or of nine fifths: one large is enough.
    sizes = {"dist": "empirical", "values": [0.02, 0.18]}
    run = batched(
        2 * 400 / 10 / 1.5**2,
        {"feature": {"arrivals": "open", "interarrival_h": 10, "exploration_h": sizes}},
        weeks=20,
        pipeline={"steps": {"deploy": {**DEPLOY, "effort_h": 4}}},
    )
    shipped = run.changes.dropna(subset="deployed_at").merge(
        run.steps[run.steps["step"] == "exploration"], on="change_id"
    )
    size = shipped["effort_h"].groupby(shipped["deployment_id"]).sum() / 0.1
    waited_h = run.steps.groupby("execution_id")["batch_h"].max()
    left_at = run.deployments["started_at"].to_numpy()
    full = size.to_numpy() >= 1.5
    interval_h = 1.5 * 10  # λ τ = S
    assert full.any()
    # The time between two ideas is known to within the time that they take.
    assert (np.diff(left_at)[~full[1:]] >= interval_h - 0.5).all()
    assert waited_h.max() <= interval_h + 0.5


def test_of_a_batch_that_is_sent_back_the_culprits_repair_and_all_pass_again() -> None:
    run = batched(
        0.2,
        {
            **idea_every(60, defects={"code": 1}, author="data_scientist", rework_h=6),
            "improvement": {"interarrival_h": 70, "author": "ml_engineer", "rework_h": 9},
        },
        weeks=6,
        pipeline={
            "steps": {
                "test": {
                    "stage": "integration_test",
                    "role": "ml_engineer",
                    "effort_h": 1,
                    "detects": {"code": {"manual": 1}},
                    "returns_to": "test",
                },
                "deploy": {**DEPLOY, "effort_h": 3},
            }
        },
    )
    aboard = run.changes[run.changes["deployment_id"] == 1]
    assert {"feature", "improvement"} == set(aboard["kind"])
    lead, *others = [steps_of(run, change_id) for change_id in aboard["change_id"]]
    # All were tested twice, at the same times; the two ideas were repaired at the same time.
    for other in others:
        assert [step for step in other if step[0] == "test"][1:] == [
            step for step in lead if step[0] == "test"
        ][1:]
    reworked = run.steps[run.steps["step"] == "rework"].merge(run.changes, on="change_id")
    of_batch = reworked[reworked["deployment_id"] == 1]
    assert len(of_batch) == len(aboard)
    assert of_batch["queued_at"].nunique() == 1
    assert set(of_batch["finished_at"] - of_batch["queued_at"]) == {6}
    # Those who have nothing to repair wait for those who have.
    is_idea = of_batch["kind"] == "feature"
    assert set(of_batch["effort_h"][is_idea]) == set(of_batch["batch_h"][~is_idea]) == {6}
    assert set(of_batch["effort_h"][~is_idea]) == set(of_batch["batch_h"][is_idea]) == {0}
    assert set(run.steps[run.steps["step"] == "deploy"]["attempt"]) == {2}


@pytest.mark.parametrize(("exponent", "diagnosis_h"), [(0, 3), (0.5, 3 * 20**0.5), (1, 60)])
def test_a_large_deployment_takes_longer_to_diagnose(exponent: float, diagnosis_h: float) -> None:
    run = batched(
        0.2,
        {
            "feature": {"arrivals": "open", "interarrival_h": 10},
            "improvement": {"interarrival_h": 205, "defects": {"infra": 1}},
        },
        weeks=3,
        incidents={
            "size_exponent": exponent,
            "responses": {"infra": {"role": "ml_engineer", "diagnosis_h": 3}},
        },
    )
    incident = run.incidents.iloc[0]
    assert run.deployments["n_changes"].iloc[1] == 20  # the upkeep is as large as an idea here
    took = incident["diagnosed_at"] - incident["responded_at"]
    assert took == pytest.approx(diagnosis_h)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_committed_is_delivered_waiting_or_lost(seed: int) -> None:
    scenario = sim.load(
        "horizon_weeks=60", "warmup_weeks=0", "automation=0.6", "changes.batch_size=economic"
    )
    run = sim.simulate(scenario, seed=seed)
    changes = run.changes.set_index("change_id")
    made = run.steps[run.steps["step"].isin(["exploration", "authoring"])]
    committed = changes[changes["committed_at"].notna()]
    hours = made.groupby("change_id")["effort_h"].sum().reindex(committed.index, fill_value=0.0)
    for at in (20 * 168.0, 40 * 168.0, 60 * 168.0):
        begun = committed["committed_at"] <= at
        delivered = begun & (committed["deployed_at"] <= at)
        lost = begun & committed["deployed_at"].isna() & (committed["ended_at"] <= at)
        waiting = begun & ~(committed["ended_at"] <= at)
        assert (delivered.astype(int) + lost + waiting)[begun].eq(1).all()
        total = hours[delivered].sum() + hours[lost].sum() + hours[waiting].sum()
        assert hours[begun].sum() == pytest.approx(total)
    # Slices of ideas add up to ideas, but for what is not finished.
    features = committed[(committed["kind"] == "feature") & (committed["trigger"] != "rollback")]
    whole = features.groupby(pd.cut(features["idea_share"], [0, 0.999, 1.0]), observed=True)
    assert len(whole) == 2  # some were sliced, some not


def test_prices_have_to_be_there() -> None:
    for key in ("cost.feature_worth", "cost.person_per_h"):
        with pytest.raises(sim.ScenarioError, match=key):
            sim.load("changes.batch_size=economic", f"{key}=0")


def two_kinds(steps: dict[str, Any], max_attempts: int = 10, **feature: Any) -> sim.Run:
    """Simulate batches of an improvement every 50 h, which is there first, and ideas."""
    return batched(
        0.2,
        {**idea_every(60, **feature), "improvement": {"interarrival_h": 50}},
        weeks=6,
        pipeline={"steps": {**steps, "deploy": DEPLOY}, "max_attempts": max_attempts},
    )


def passed(run: sim.Run, step: str) -> set[int]:
    """Return the changes that got through a step."""
    rows = run.steps[(run.steps["step"] == step) & (run.steps["outcome"] == "passed")]
    return set(rows["change_id"])


def test_what_the_lead_skips_its_companions_still_go_through() -> None:
    # Upkeep is not packaged, so that it waits for its batch one step further on.
    run = two_kinds(
        {
            "package": {"role": "ml_engineer", "effort_h": 1, "skipped_by": ["improvement"]},
            "integration_test": {"role": "ml_engineer", "effort_h": 1},
        }
    )
    shipped = run.changes.dropna(subset="deployed_at")
    carried = shipped.groupby("deployment_id")["kind"].agg(list)
    mixed = [kinds for kinds in carried if {"feature", "improvement"} <= set(kinds)]
    assert "improvement" in {kinds[0] for kinds in mixed}
    for step in ("package", "integration_test", "deploy"):
        assert set(shipped.loc[shipped["kind"] == "feature", "change_id"]) <= passed(run, step)


def test_a_standard_change_skips_a_step_with_companions_that_never_need_it() -> None:
    approve = {
        "role": "ml_engineer",
        "effort_h": 1,
        "skipped_by": ["improvement"],
        "standard_changes": {"feature": 1},
    }
    run = batched(
        0.2,
        {**idea_every(60), "improvement": {"interarrival_h": 50}},
        weeks=6,
        standardization=1,
        pipeline={"steps": {"approve": approve, "deploy": DEPLOY}},
    )
    kinds = run.changes.groupby("deployment_id")["kind"].nunique()
    assert kinds.max() == 2
    assert not passed(run, "approve")


def test_a_deployment_is_verified_though_its_lead_alone_would_not_be() -> None:
    run = batched(
        0.2,
        {**idea_every(60, defects={"code": 1}), "improvement": {"interarrival_h": 50}},
        weeks=6,
        pipeline={
            "steps": {
                "deploy": DEPLOY,
                "verify": {
                    "run_h": 1,
                    "detects": {"code": {"automated": 1}},
                    "skipped_by": ["improvement"],
                },
            }
        },
        incidents={"responses": {"code": {"role": "ml_engineer", "latency_h": NEVER_H}}},
    )
    carried = run.changes.groupby("deployment_id")["kind"].agg(list)
    mixed = [
        number
        for number, kinds in carried.items()
        if number >= 0 and kinds[0] == "improvement" and "feature" in kinds
    ]
    assert mixed
    assert set(mixed) <= set(run.incidents["deployment_id"])
    assert set(run.incidents["detected_by"]) == {"verification"}


def test_a_change_is_given_up_after_its_own_passes_and_not_after_those_of_others() -> None:
    # An idea is sent back once by itself before it is batched, and upkeep is not.
    run = two_kinds(
        {
            "unit_test": {
                "run_h": 1,
                "detects": {"infra": {"automated": 1}},
                "skipped_by": ["improvement"],
            },
            "integration_test": {"run_h": 1, "detects": {"code": {"automated": 1}}},
        },
        max_attempts=2,
        defects={"infra": 1, "code": 1},
        author="data_scientist",
    )
    ideas = run.changes["kind"] == "feature"
    ended = run.changes[run.changes["ended_at"].notna()]
    assert set(ended.loc[ideas, "status"]) == {"abandoned"}
    upkeep = ended[~ideas.reindex(ended.index)]
    assert set(upkeep["status"]) == {"deployed"}
    assert run.steps["attempt"].max() == 2
    # Upkeep that shared a batch with such ideas went on without them, whoever was in the lead.
    rows = run.steps[run.steps["step"] == "integration_test"].merge(run.changes, on="change_id")
    shared = rows.groupby("execution_id")["kind"].agg(list)
    leads = {kinds[0] for kinds in shared if len(set(kinds)) == 2}
    assert leads == {"feature", "improvement"}


def test_what_is_deployed_already_does_not_wait_when_batches_are_adopted() -> None:
    run = batched(
        0.2,
        {**idea_every(10), "batch_size": "idea"},
        weeks=6,
        pipeline={
            "steps": {
                "deploy": {**DEPLOY, "effort_h": 0},
                "verify": {"run_h": 1, "window": {"days": ["wed"], "hour": 10}},
                "watch": {"run_h": 1},
            }
        },
        roadmap=[
            {
                "practice": "batches",
                "level": "own",
                "start_week": 2,
                "brings": {
                    "changes.batch_size": "economic",
                    "pipeline.steps.deploy.effort_h": 4,
                },
            }
        ],
    )
    before = run.deployments["deployed_at"] < 2 * 168
    assert set(run.deployments.loc[before, "n_changes"]) == {1}
    assert run.deployments.loc[~before, "n_changes"].max() > 1
    # Each is deployed once, and verified alone.
    assert run.steps[run.steps["step"] == "deploy"]["change_id"].is_unique
    watched = run.steps[run.steps["step"] == "watch"]
    assert (watched["batch_h"] == 0).all()
    assert watched["execution_id"].is_unique


def test_a_training_that_fails_for_a_whole_batch_has_failed_once() -> None:
    # What the late test finds in the batch sends it back to the training, which cannot be repeated.
    run = batched(
        0.2,
        idea_every(60, defects={"code": 1}, author="data_scientist"),
        weeks=6,
        pipeline={
            "unrepeatable": {"bespoke": 1},
            "steps": {
                "train": {"run_h": 1, "effect": "trains_model"},
                "integration_test": {
                    "run_h": 1,
                    "detects": {"code": {"automated": 1}},
                    "returns_to": "train",
                },
                "deploy": DEPLOY,
            },
        },
    )
    failed = run.steps[run.steps["outcome"] == "unrepeatable"]
    assert len(failed) > failed["execution_id"].nunique() == 2
    expected = 2 / 6  # in six weeks
    assert run.metrics()["failed_trainings_per_week"] == pytest.approx(expected)


def test_what_was_spent_before_batches_are_adopted_is_part_of_the_experience() -> None:
    # K = 44 h × 100 and τ = sqrt(2 K / (c λ)) = 100 h, as by the plan. When batches are adopted,
    # four changes are packaged already or nearly so.
    package = {"role": "ml_engineer", "effort_h": 40}
    run = batched(
        2 * 4400 * 10 / 100**2,
        {**idea_every(10), "batch_size": "idea"},
        weeks=20,
        pipeline={"steps": {"package": package, "deploy": DEPLOY}},
        roadmap=[
            {
                "practice": "batches",
                "level": "own",
                "start_week": 2,
                "brings": {"changes.batch_size": "economic"},
            }
        ],
    )
    packaged = run.steps[run.steps["step"] == "package"].drop_duplicates("execution_id")
    left_at = packaged["started_at"][packaged["started_at"] >= 2 * 168].to_numpy()
    assert len(left_at) > 25
    assert np.diff(left_at) == pytest.approx(100)
