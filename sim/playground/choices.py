"""The choices that a page offers: organizations, maturity presets and practices, as files."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sim.scenario.documentation import by_level, headings
from sim.scenario.files import SCENARIOS

NO_MATURITY = "none"
"""Stands for no maturity preset: the levels are those of the default scenario."""
_OF_HYDRA = "defaults"


@cache
def organizations() -> tuple[str, ...]:
    """Return the names of the organizations to choose from, the smallest first."""
    files = (SCENARIOS / "organization").glob("*.yaml")
    n_services = {
        path.stem: sum(service.get("count", 1) for service in said(path)["services"].values())
        for path in files
    }
    return tuple(sorted(n_services, key=lambda name: n_services[name]))


@cache
def practices() -> Mapping[str, tuple[str, ...]]:
    """Return the levels of every practice, from nothing to everything."""
    return {
        folder.name: tuple(path.stem for path in sorted(folder.glob("*.yaml"), key=by_level))
        for folder in sorted((SCENARIOS / "practice").iterdir())
    }


@cache
def maturities() -> tuple[str, ...]:
    """Return the names of the maturity presets, none of them first."""
    return (NO_MATURITY, *sorted(path.stem for path in (SCENARIOS / "maturity").glob("*.yaml")))


def file_of(group: str, name: str) -> Path:
    """Return the file of a choice, such as ``practice/testing`` and ``full``."""
    return SCENARIOS / group / f"{name}.yaml"


@cache
def said(path: Path) -> Mapping[str, Any]:
    """Return what a file itself says, without what it builds on."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def leaves(data: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return the values inside nested mappings by dotted key; lists are values."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            found |= leaves(value, f"{at}{key}.")
        else:
            found[f"{at}{key}"] = value
    return found


@cache
def sets(group: str, name: str) -> frozenset[str]:
    """Return what a choice sets: dotted keys of a scenario, and ``practice/...`` for levels."""
    if name == NO_MATURITY and group == "maturity":
        return frozenset()
    chosen = _chosen_by(group, name)
    own = frozenset(leaves(said(file_of(group, name)))) - {_OF_HYDRA}
    return own.union((each for each, _ in chosen), *(sets(each, level) for each, level in chosen))


def _chosen_by(group: str, name: str) -> list[tuple[str, str]]:
    """Return the levels that a file chooses, as (config group, level)."""
    return [
        (key.removeprefix("override /"), str(level))
        for choice in said(file_of(group, name)).get(_OF_HYDRA, ())
        if isinstance(choice, Mapping)
        for key, level in choice.items()
    ]


@cache
def mechanism(practice: str, level: str) -> str:
    """Return in a sentence or two what a level of a practice changes."""
    about = headings(file_of(f"practice/{practice}", level))
    return about.get("Mechanism") or about[""]


@cache
def description(group: str, name: str) -> str:
    """Return the paragraph that opens the file of a choice."""
    return headings(file_of(group, name))[""]
