"""What is composed with the help of earlier compositions is what Hydra composes afresh."""

import pickle
import random

import hydra
from omegaconf import OmegaConf

from sim.configuration.composition import Files, read
from sim.configuration.stages import presets_reach_steps
from sim.scenario.files import SCENARIOS

GROUPS = {
    "organization": ("startup", "midsize", "scaleup", "enterprise"),
    "practice/cicd": ("none", "basic", "training", "full"),
    "practice/testing": ("none", "validation", "full"),
    "practice/retraining": ("none", "new_data", "always_on"),
    "maturity": ("google_0", "google_1", "microsoft_3"),
    "+experiment": ("jcurve",),
}


def choices(rng: random.Random) -> list[str]:
    some = rng.sample(list(GROUPS), rng.randint(0, 4))
    return [f"{group}={rng.choice(GROUPS[group])}" for group in some]


def by_hydra(overrides: list[str]) -> object:
    with (
        presets_reach_steps(),
        hydra.initialize_config_dir(str(SCENARIOS), version_base="1.3"),
    ):
        return OmegaConf.to_container(hydra.compose("default", overrides), resolve=False)


def test_what_is_kept_changes_nothing() -> None:
    rng = random.Random(3)
    files = Files("default", folder=SCENARIOS)
    for _ in range(8):
        overrides = choices(rng)

        made = pickle.loads(read(files, overrides).config)
        assert OmegaConf.to_container(made, resolve=False) == by_hydra(overrides), overrides
