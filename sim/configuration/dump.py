"""A scenario as YAML, for people and for :func:`sim.load`."""

import re

from omegaconf import OmegaConf

from sim.scenario.organization import Scenario


def to_yaml(scenario: Scenario) -> str:
    """Return ``scenario`` as YAML that :func:`load` reads back as an equal scenario."""
    data = scenario.model_dump(mode="json", by_alias=True)
    # The only free text: a `${` in it is no interpolation, nor are backslashes before it escapes.
    data["description"] = re.sub(r"(\\*)\$\{", r"\1\1\\${", scenario.description)
    return OmegaConf.to_yaml(OmegaConf.create(data))
