"""Single mechanisms with everything else off: the effect equals its formula."""

import numpy as np
import pytest
from replications import assert_agrees, assert_positive, observe

import sim
from sim.scenario.from_data import validate

WEEK_H = 168.0


def organization(**parts: object) -> dict[str, object]:
    """Return a small organization in which nothing happens but what ``parts`` say."""
    return {
        "name": "single",
        "horizon_weeks": 52,
        "working_hours": {"always": True},
        "teams": {"team": {"people": {"ml_engineer": 50}}},
        "services": {"service": {"team": "team"}},
        "pipeline": {"steps": {"deploy": {"effect": "deploys"}}},
        **parts,
    }


def test_availability_with_outages_only() -> None:
    between_h, to_repair_h = 200.0, 20.0
    scenario = validate(
        organization(
            services={
                "service": {
                    "team": "team",
                    "count": 4,
                    "time_to_outage_h": {"dist": "exponential", "mean": between_h},
                }
            },
            incidents={
                "responses": {
                    "infra": {
                        "role": "ml_engineer",
                        "repair_h": {"dist": "exponential", "mean": to_repair_h},
                    }
                }
            },
            horizon_weeks=300,
            warmup_weeks=20,
        )
    )
    availability = observe(scenario, lambda run: [run.metrics()["availability"]], 20)
    assert_agrees(availability, [between_h / (between_h + to_repair_h)], precision=0.01)


def test_change_failure_rate_with_one_source_and_one_test() -> None:
    made, caught = 0.4, 0.7
    scenario = validate(
        organization(
            changes={
                "feature": {
                    "arrivals": "open",
                    "interarrival_h": {"dist": "exponential", "mean": 4},
                    "defects": {"infra": made},
                }
            },
            pipeline={
                "steps": {
                    "test": {"detects": {"infra": {"automated": caught}}},
                    "deploy": {"effect": "deploys"},
                }
            },
        )
    )

    def failure_rate(run: sim.Run) -> list[float]:
        metrics = run.metrics()
        assert metrics["n_deployments"] > 1000
        assert metrics["change_failure_rate_infra"] == metrics["change_failure_rate"]
        return [metrics["change_failure_rate"]]

    assert_agrees(observe(scenario, failure_rate, 20), [made * (1 - caught)])


@pytest.mark.parametrize(
    ("decay", "weeks"),
    [
        ({"shape": "linear", "loss_per_week": 0.01}, 0.2 / 0.01),
        ({"shape": "exponential", "half_life_weeks": 30}, 30 * np.log2(0.9 / 0.7)),
        ({"shape": "plateau", "plateau_weeks": 10, "loss_per_week": 0.02}, 10 + 0.2 / 0.02),
        # Half of the final loss has happened at the midpoint, apart from what a logistic curve
        # cut off at its start is short of.
        (
            {"shape": "logistic", "midpoint_weeks": 20, "scale_weeks": 0.1, "loss": 0.4},
            20.0,
        ),
    ],
)
def test_quality_falls_below_the_objective_when_the_formula_says(
    decay: dict[str, object], weeks: float
) -> None:
    quality = {"initial": 0.9, "objective": 0.7, "decay": decay}
    scenario = validate(organization(services={"service": {"team": "team", "quality": quality}}))
    run = sim.simulate(scenario)
    assert run.incidents["trigger"].tolist() == ["decay"]
    assert run.incidents["started_at"][0] == pytest.approx(weeks * WEEK_H, rel=1e-9)
    below = run.quality[run.quality["below"]]
    assert below["at"].min() == pytest.approx(weeks * WEEK_H, rel=1e-9)
    assert below["quality"].iloc[0] == pytest.approx(0.7)


def test_scheduled_retraining_deploys_as_often_as_the_schedule_says() -> None:
    scenario = validate(
        organization(
            services={
                "service": {
                    "team": "team",
                    "count": 3,
                    "retraining": {"trigger": "schedule", "every_h": 100},
                }
            },
            pipeline={
                "steps": {
                    "train": {"run_h": 7, "effect": "trains_model"},
                    "deploy": {"effect": "deploys"},
                }
            },
        )
    )
    run = sim.simulate(scenario)
    expected = [100.0 * n + 7 for n in range(1, 88) if 100 * n + 7 < 52 * WEEK_H]
    for _, deployments in run.deployments.groupby("service", observed=True):
        assert deployments["deployed_at"].tolist() == pytest.approx(expected)
    days = 52 * 7
    assert run.metrics()["deployment_frequency"] == pytest.approx(len(expected) / days)
    assert run.metrics()["lead_time_h"] == pytest.approx(7)


def paired(base: object, other: object, metric: str) -> np.ndarray:
    """Return the difference of ``metric``, other minus base, under common random numbers."""

    def value(run: sim.Run) -> list[float]:
        return [run.metrics()[metric]]

    return observe(other, value, 12) - observe(base, value, 12)


SHORT = ("horizon_weeks=60", "warmup_weeks=20")


@pytest.mark.slow
def test_more_automation_less_touch_time() -> None:
    manual = sim.load("automation=0.2", *SHORT)
    automated = sim.load("automation=0.8", *SHORT)
    assert_positive(-paired(manual, automated, "lead_time_touch_h"))


@pytest.mark.slow
def test_slower_training_longer_lead_time() -> None:
    quick = sim.load(*SHORT)
    slow = sim.load("pipeline.steps.train.run_h.mean=60", *SHORT)
    assert_positive(paired(quick, slow, "lead_time_mean_h"))


@pytest.mark.slow
def test_faster_decay_more_deployments_if_drift_triggers_retraining() -> None:
    drift = (
        "services.model.retraining.trigger=drift",
        "services.model.retraining.margin=0.05",
        "incidents.responses.model.monitored=1",
        *SHORT,
    )
    slow = sim.load("services.model.quality.speed=0.5", *drift)
    fast = sim.load("services.model.quality.speed=4", *drift)
    assert_positive(paired(slow, fast, "deployment_frequency"))
