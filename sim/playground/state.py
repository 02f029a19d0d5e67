"""The state of a page: two organizations and how they are simulated, as a link and as scenarios.

Everything that the page shows follows from its state, and the whole state is in its address, so
that a link restores it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sim.configuration.load import load
from sim.report.units import format_given
from sim.scenario.documentation import by_level
from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import Scenario

ARMS = ("a", "b")
DIALS = ("automation", "standardization")
MOST_REPLICATIONS = 60
MOST_SEED = 2**32 - 1
_START: Mapping[str, str] = {"b.automation": "0.8"}
"""The values of the page that opens, where they are not the defaults: a question to begin with."""


@dataclass(frozen=True)
class Arm:
    """One of the two organizations.

    Attributes:
        organization: name of a preset of ``scenarios/organization``.
        dials: automation and standardization, each from 0 to 1.
        levels: the level of every practice.
    """

    organization: str
    dials: Mapping[str, float]
    levels: Mapping[str, str]

    def overrides(self) -> list[str]:
        """Return what makes this organization out of the default scenario on a command line."""
        practices = (f"practice/{practice}={level}" for practice, level in self.levels.items())
        dials = (f"{dial}={value:g}" for dial, value in self.dials.items())
        return [f"organization={self.organization}", *practices, *dials]


@dataclass(frozen=True)
class State:
    """The state of the sliders and menus of a page."""

    arms: Mapping[str, Arm]
    seed: int
    replications: int

    def overrides(self, arm: str) -> list[str]:
        """Return the whole command line of an arm."""
        settings = [f"seed={self.seed}", f"replications={self.replications}"]
        return [*self.arms[arm].overrides(), *settings]

    def scenario(self, arm: str) -> Scenario:
        """Return the scenario of an arm."""
        return load(*self.overrides(arm))


@cache
def organizations() -> tuple[str, ...]:
    """Return the names of the organizations to choose from, the smallest first."""
    files = (SCENARIOS / "organization").glob("*.yaml")
    n_services = {
        path.stem: sum(service.get("count", 1) for service in _values(path)["services"].values())
        for path in files
    }
    return tuple(sorted(n_services, key=lambda name: n_services[name]))


def _values(path: Path) -> dict[str, Any]:
    """Return what a file itself says: composing all of them would take seconds."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@cache
def practices() -> Mapping[str, tuple[str, ...]]:
    """Return the levels of every practice, from nothing to everything."""
    return {
        folder.name: tuple(path.stem for path in sorted(folder.glob("*.yaml"), key=by_level))
        for folder in sorted((SCENARIOS / "practice").iterdir())
    }


@cache
def maturities() -> Mapping[str, Mapping[str, str]]:
    """Return the level of every practice at each published level of maturity, by its name."""
    return {
        path.stem: {
            key.removeprefix("override /practice/"): str(level)
            for choice in _values(path)["defaults"]
            for key, level in choice.items()
        }
        for path in sorted((SCENARIOS / "maturity").glob("*.yaml"))
    }


@cache
def defaults() -> Mapping[str, str]:
    """Return the query of the page without one."""
    default = load()
    plain = {"organization": "midsize"} | {dial: f"{getattr(default, dial):g}" for dial in DIALS}
    plain |= {practice: default.practices.get(practice, "none") for practice in practices()}
    both = {f"{arm}.{key}": value for arm in ARMS for key, value in plain.items()}
    settings = {name: str(getattr(default, name)) for name in ("seed", "replications")}
    return {**both, **settings, **_START}


def from_query(query: Mapping[str, str]) -> State:
    """Return the state that a query describes; what it leaves out is as in :func:`defaults`.

    Dials have two digits, as the sliders.

    Raises:
        ScenarioError: it names something that there is not, or a value is out of its range.
    """
    known = defaults()
    problems = [
        Problem(key, "is not known to this page", nearest(key, known))
        for key in query
        if key not in known
    ]
    texts = dict(known) | {key: value for key, value in query.items() if key in known}
    options = {"organization": organizations(), **practices()}
    for key, text in texts.items():
        name = key.partition(".")[2]
        if name in options and text not in options[name]:
            problems.append(
                Problem(key, f"'{text[:40]}' is not one of them", nearest(text, options[name]))
            )
        elif name in DIALS:
            problems += _range_problem(key, text, 0.0, 1.0, whole=False)
    problems += _range_problem("seed", texts["seed"], 0, MOST_SEED, whole=True)
    problems += _range_problem("replications", texts["replications"], 2, MOST_REPLICATIONS, True)
    if problems:
        raise ScenarioError(problems)
    arms = {
        arm: Arm(
            texts[f"{arm}.organization"],
            {dial: round(float(texts[f"{arm}.{dial}"]), 2) for dial in DIALS},
            {practice: texts[f"{arm}.{practice}"] for practice in practices()},
        )
        for arm in ARMS
    }
    return State(arms, int(texts["seed"]), int(texts["replications"]))


def _range_problem(key: str, text: str, low: float, high: float, whole: bool) -> list[Problem]:
    plain = text.isascii() and "_" not in text
    try:
        value = float(int(text) if whole else float(text)) if plain else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if low <= value <= high:
        return []
    kind = "whole number" if whole else "number"
    return [
        Problem(
            key, f"'{text[:40]}' is not a {kind} from {format_given(low)} to {format_given(high)}"
        )
    ]
