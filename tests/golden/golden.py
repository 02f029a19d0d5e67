"""Stored metrics of three small scenarios; ``python tests/golden/golden.py`` stores them anew.

They say nothing about right or wrong: they only show that a change of the code changed results.
Renew them when that was meant, and say so in the changelog.
"""

import json
from pathlib import Path

import sim

SCENARIOS = {
    "default": ("default", ["horizon_weeks=40", "warmup_weeks=10"]),
    "continuous": (
        "default",
        [
            "horizon_weeks=40",
            "warmup_weeks=10",
            "automation=0.9",
            "standardization=1",
            "services.model.retraining.trigger=drift",
            "services.model.retraining.margin=0.03",
            "compute.gpu.max_slots=8",
            "compute.gpu.preemptions_per_h=0.05",
            "incidents.rollback.available=0.9",
        ],
    ),
    "priorities": ("verification/priorities", ["horizon_weeks=30"]),
}


def metrics_of(name: str) -> dict[str, float]:
    """Return the metrics of one replication of a scenario, by name."""
    config, overrides = SCENARIOS[name]
    return sim.simulate(sim.load(*overrides, config=config), seed=11).metrics().to_dict()


def stored(name: str) -> Path:
    """Return where the metrics of a scenario are stored."""
    return Path(__file__).with_name(f"{name}.json")


if __name__ == "__main__":
    for scenario in SCENARIOS:
        text = json.dumps(metrics_of(scenario), indent=1)
        stored(scenario).write_text(text + "\n", encoding="utf-8")
