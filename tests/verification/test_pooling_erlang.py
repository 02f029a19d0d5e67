"""Two pools of c against one of 2c: Erlang C both ways, and standardization in between."""

from typing import Any

import numpy as np
import pytest
from replications import assert_agrees, assert_positive, observe
from test_queues import erlang_c

import sim
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario

RUN_H = 1.0
WARMUP_WEEKS = 5


def two_teams(load: float, gpu: dict[str, Any], weeks: int, **others: Any) -> Scenario:
    """Return a scenario in which the jobs of each team offer ``load`` Erlang."""
    services = others.pop("services", 1)
    scenario = {
        "name": "pooling",
        "horizon_weeks": weeks,
        "warmup_weeks": WARMUP_WEEKS,
        "teams": {"team": {"count": 2, "people": {"data_scientist": 1}}},
        "services": {"service": {"team": "team", "count": services}},
        "compute": {"gpu": gpu},
        "changes": {
            "feature": {
                "arrivals": "open",
                "interarrival_h": {"dist": "exponential", "mean": RUN_H * services / load},
            }
        },
        "pipeline": {
            "steps": {
                "train": {
                    "run_h": {"dist": "exponential", "mean": RUN_H},
                    "compute": "gpu",
                    "effect": "deploys",
                }
            }
        },
        **others,
    }
    return validate(scenario)


def wait(run: sim.Run) -> float:
    """Return the mean wait in h of what arrived after the warm-up."""
    steps = run.steps[run.steps["queued_at"] >= run.window[0]]
    return float(steps["compute_h"].mean())


def expected_wait(slots: int, load: float) -> float:
    return erlang_c(slots, load) * RUN_H / (slots - load)


SEPARATE = ({"shared": False}, 0, False)
POOLED_BY_PATH = ({"shared": False}, 1, True)
SHARED = ({"shared": True}, 0, True)


@pytest.mark.parametrize(
    ("slots", "utilization", "weeks"),
    [
        (1, 0.5, 25),
        pytest.param(2, 0.7, 30, marks=pytest.mark.slow),
        pytest.param(1, 0.8, 80, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    ("gpu", "standardization", "pooled"),
    [SEPARATE, POOLED_BY_PATH, SHARED],
    ids=["separate", "golden path", "shared"],
)
def test_erlang_c(
    slots: int,
    utilization: float,
    weeks: int,
    gpu: dict[str, Any],
    standardization: float,
    pooled: bool,
) -> None:
    size = 2 * slots if gpu["shared"] else slots
    load = slots * utilization
    scenario = two_teams(load, {**gpu, "slots": size}, weeks, standardization=standardization)
    theory = expected_wait(2 * slots, 2 * load) if pooled else expected_wait(slots, load)
    assert_agrees(observe(scenario, wait, 12), theory, precision=0.15)


def test_pooled_waits_are_less_than_half_as_long() -> None:
    """At the same utilization: the ratio of two known formulas, and well apart."""
    assert expected_wait(2, 1.2) < expected_wait(1, 0.6) / 2


def test_in_between_it_lies_in_between() -> None:
    slots, load, gpu = 1, 0.7, {"shared": False, "slots": 1}
    waits = [
        observe(two_teams(load, gpu, 15, services=4, standardization=share), wait, 8)
        for share in (0.0, 0.5, 1.0)
    ]
    separate, between, pooled = (sample[:, None] for sample in waits)
    assert_positive(separate - between)
    assert_positive(between - pooled)
    assert expected_wait(2 * slots, 2 * load) < between.mean() < expected_wait(slots, load)


def test_who_waits_for_any_slot_waits_less_than_who_waits_for_one() -> None:
    """Half of each team's services on the path: those profit, the others do not lose by it."""
    load = 0.7
    scenario = two_teams(load, {"shared": False, "slots": 1}, 15)
    services = {
        name: {"team": "team", "golden_path": on} for name, on in (("on", True), ("off", False))
    }
    gap = {"dist": "exponential", "mean": 2 * RUN_H / load}
    data = scenario.model_dump(mode="json", by_alias=True)
    data["services"] = services
    data["changes"]["feature"]["interarrival_h"] = gap

    def by_path(run: sim.Run) -> np.ndarray:
        steps = run.steps[run.steps["queued_at"] >= run.window[0]]
        on = steps["service"].astype(str).str.endswith(".on")
        return np.array([steps["compute_h"][~on].mean(), steps["compute_h"][on].mean()])

    sample = observe(validate(data), by_path, 8)
    assert_positive(sample[:, :1] - sample[:, 1:])
    assert sample[:, 0].mean() < expected_wait(1, load)
