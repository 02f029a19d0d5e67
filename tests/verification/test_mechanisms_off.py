"""A mechanism that is switched off leaves the log unchanged, byte for byte.

Whatever its other parameters say, then. That those parameters matter once it is switched on shows
that they are the right ones.
"""

import functools
from collections.abc import Mapping
from typing import Any

import pytest

import sim
from sim.scenario.files import SCENARIOS
from sim.scenario.from_data import validate

SHORT = ("organization=scaleup", "horizon_weeks=10", "warmup_weeks=0")
KINDS = ("feature", "retrain", "fix", "improvement")
SERVICES = ("recommender", "ranking", "forecast", "churn", "embedding", "fraud")
PRACTICES = sorted(path.name for path in (SCENARIOS / "practice").iterdir())

Keys = Mapping[str, Any]
NO_INTERFACE_BREAKS = {f"changes.{kind}.defects.dependency": 0 for kind in KINDS}

# Name: what switches it off; what does not matter then; what switches it on, so that it does.
MECHANISMS: dict[str, tuple[Keys, Keys, Keys]] = {
    "spreading": (
        {"dependencies.spreads": 0, **NO_INTERFACE_BREAKS, "debt.hidden_h": 0},
        {
            "dependencies.hidden_diagnosis": 50,
            "services.fraud.upstream": ["churn", "embedding"],
            "services.churn.hidden_upstream": ["fraud"],
            "incidents.responses.dependency.notice_h": 1000,
            "incidents.responses.dependency.diagnosis_h": 200,
            "incidents.responses.dependency.role": "data_scientist",
            "incidents.responses.dependency.monitored": 1,
        },
        {"dependencies.spreads": 1, "services.embedding.time_to_outage_h": 300},
    ),
    "interfaces": (
        NO_INTERFACE_BREAKS,
        {
            "pipeline.steps.integration_test.detects.dependency": {"manual": 1, "automated": 1},
            "incidents.responses.dependency.latency_h": 1,
            "incidents.responses.dependency.repair_h": 500,
        },
        {"changes.feature.defects.dependency": 1},
    ),
    "upkeep": (
        {"upkeep.time_to_break_h": None},
        {
            "upkeep.repair_h": 1000,
            "upkeep.golden_path_blocks": True,
            "upkeep.role": "data_scientist",
            "upkeep.platform_role": "security",
        },
        {"upkeep.time_to_break_h": 500},
    ),
    "debt": (
        {f"debt.{source}_h": 0 for source in ("untested", "by_hand", "hurried", "hidden")},
        {"debt.slowdown": 9, "debt.more_defects": 9},
        {"debt.by_hand_h": 1},
    ),
    "threats": (
        {"threats.interarrival_h": None},
        {"threats.succeeds": 1, "threats.succeeds_if_vulnerable": 0.01},
        {"threats.interarrival_h": 400},
    ),
    "reproducibility": (
        {"pipeline.unrepeatable": {"bespoke": 0, "golden_path": 0}},
        {"pipeline.reconstruction_h": 500},
        {"pipeline.unrepeatable": {"bespoke": 0.5, "golden_path": 0.5}},
    ),
    "feedback": (
        {f"services.{service}.data.taints": 0 for service in SERVICES},
        {f"services.{service}.quality.feedback": 1 for service in SERVICES},
        {
            **{f"services.{service}.data.taints": 1 for service in SERVICES},
            **{
                f"services.{service}.quality.decay": {"shape": "linear", "loss_per_week": 0.04}
                for service in SERVICES
            },
            "retraining": {"trigger": "schedule", "every_h": 500},
        },
    ),
    "what is bespoke": (
        {"standardization": 1},
        {
            "incidents.unfamiliar": 50,
            "pipeline.environment_drift": 1,
            "pipeline.unrepeatable.bespoke": 1,
            "upkeep.role": "data_scientist",
        },
        {"standardization": 0.5},
    ),
    "what is on the golden path": (
        {"standardization": 0},
        {
            "pipeline.unrepeatable.golden_path": 1,
            "pipeline.steps.deploy.self_service": 1,
            "pipeline.steps.package.golden_path_role": "security",
            "pipeline.steps.approve.standard_changes": {"feature": 1},
            "upkeep.golden_path_blocks": True,
            "upkeep.platform_role": "security",
            "pooled_roles": ["ml_engineer", "data_scientist", "operations"],
        },
        {"standardization": 0.5},
    ),
    "what is automated": (
        {
            "automation": 0,
            **{
                f"pipeline.steps.{step}.also_automated": 0
                for step in sim.load(*SHORT).pipeline.steps
            },
        },
        {
            "pipeline.steps.ingest.adds.data.automated": 1,
            "pipeline.steps.validate_data.detects.data.automated": 1,
            "pipeline.steps.deploy.window.waits.automated": 1,
            "upkeep.time_to_break_h": 100,
        },
        {"automation": 0.5},
    ),
    "outages that end by themselves": (
        {"incidents.transient.share": 0},
        {"incidents.transient.lasts_h": 40},
        {"incidents.transient.share": 1, "services.embedding.time_to_outage_h": 300},
    ),
    "rollback": (
        {"incidents.rollback.available": 0},
        {"incidents.rollback.effort_h": 300, "incidents.rollback.automation": 1},
        {"incidents.rollback.available": 1},
    ),
}


@functools.cache
def base() -> sim.Run:
    return sim.simulate(sim.load(*SHORT), seed=5)


def run_with(keys: Keys) -> sim.Run:
    """Simulate the organization with dotted keys set."""
    data = base().scenario.model_dump(mode="json", by_alias=True)
    for key, value in keys.items():
        *parents, last = key.split(".")
        inner = data
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return sim.simulate(validate(data), seed=5)


def differing(one: sim.Run, other: sim.Run) -> set[str]:
    """Return the names of the tables that are not the same, byte for byte."""
    return {name for name, table in one.tables.items() if not table.equals(other.tables[name])}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_switched_off_its_parameters_do_not_matter(mechanism: str) -> None:
    off, others, on = MECHANISMS[mechanism]
    assert differing(run_with(off), run_with({**off, **others})) == set()
    assert differing(run_with({**off, **on}), run_with({**off, **on, **others})) != set()


def test_debt_that_does_nothing_is_only_counted() -> None:
    idle = {"debt.slowdown": 0, "debt.more_defects": 0}
    sources = {"debt.by_hand_h": 40, "debt.untested_h": 40, "debt.hurried_h": 9}
    assert differing(run_with(idle), run_with({**idle, **sources})) == {"debt"}


def test_prices_are_only_paid_where_nobody_chooses_batches_by_them() -> None:
    prices = {
        "cost.person_per_h": 1,
        "cost.downtime_per_h": 1e6,
        "cost.compute_per_h.gpu": 77,
        "cost.feature_worth": 0,
    }
    one_by_one: Keys = {"changes.batch_size": "idea"}
    assert differing(run_with(one_by_one), run_with(one_by_one | prices)) == {"prices"}
    assert "deployments" in differing(base(), run_with({"cost.feature_worth": 2000}))


@pytest.mark.slow
@pytest.mark.parametrize("practice", PRACTICES)
def test_a_practice_at_none_is_the_scenario_without_the_group(practice: str) -> None:
    none, without = (
        sim.simulate(sim.load(*SHORT, choice), seed=5)
        for choice in (f"practice/{practice}=none", f"~practice/{practice}")
    )
    assert differing(none, without) == set()
    assert differing(none, base()) != set()  # where it is basic


def test_no_roadmap_is_one_without_items() -> None:
    assert differing(base(), sim.simulate(sim.load(*SHORT, "roadmap=[]"), seed=5)) == set()
