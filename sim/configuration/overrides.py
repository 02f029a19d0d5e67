"""Overrides: what is written on a command line, key by key, in Hydra's grammar."""

import re
from collections.abc import Sequence
from functools import lru_cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.files import groups, is_choice
from sim.scenario.organization import Scenario

from .arguments import LONGEST_NAME

_PLAIN = re.compile(rf"^({'|'.join(Scenario.model_fields)})(\.[^=/]*)?=")
_DEEPEST = 30
"""Levels of an override; parsing what is much deeper ends in Python's limit of recursion."""


@lru_cache(4096)
def parse(text: str) -> Override:
    """Return an override as Hydra understands it.

    Raises:
        HydraException: it is none.
    """
    return OverridesParser.create().parse_override(text)


def sets_a_value(override: Override) -> bool:
    """Return whether an override is about a value of a scenario, and not about files of Hydra."""
    several = override.package is not None or override.is_sweep_override()
    return not several and not is_choice(override.key_or_group)


def key_of(override: str) -> str | None:
    """Return the key or config group that an override is about; None if it is no override."""
    try:
        return parse(override).key_or_group
    except HydraException:
        return None


def keys_of(overrides: Sequence[str]) -> list[str]:
    """Return the dotted keys that overrides set."""
    return [override.lstrip("+").partition("=")[0] for override in overrides]


def add_missing(overrides: Sequence[str]) -> list[str]:
    """Let plain overrides of scenario keys also add keys that the YAML file leaves at a default.

    Hydra refuses ``a.b=1`` where the file does not mention ``b``. Whether a key exists is for the
    scenario's own validation to say, which knows all keys and names the nearest.

    Raises:
        ScenarioError: something is not an override.
    """
    for override in overrides:
        if _depth(override) > _DEEPEST:
            raise ScenarioError(
                [Problem(override, f"is nested more than {_DEEPEST} levels deep", "write a file")]
            )
        if not (key := key_of(override)):
            raise ScenarioError([_unreadable(override)])
        _refuse_long(key, override.partition("=")[2])
    return [f"++{override}" if _PLAIN.match(override) else override for override in overrides]


def _unreadable(override: str) -> Problem:
    """Return what is wrong with a text that is no override."""
    try:
        parse(override)
    except HydraException as error:
        if "NoneType is incompatible" in str(error):  # as in choice(null,0)
            key = override.partition("=")[0]
            return Problem(key, "no function takes null", f"list the values: {key}=null,...")
    return Problem(override, "cannot be read as key=value")


def _depth(override: str) -> int:
    """Return how many brackets are open at a time, outside of quotes."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\](){}]", re.sub(r"'[^']*'|\"[^\"]*\"", "", override)):
        depth += 1 if bracket in "[({" else -1
        deepest = max(deepest, depth)
    return deepest


def _refuse_long(key: str, value: str) -> None:
    """Refuse names of which no file can have one: Hydra looks for it."""
    # The groups are looked up only if there is something to say: that takes a millisecond.
    choices = [name for name in value.split(",") if len(name) > LONGEST_NAME]
    for name in (*re.split(r"[./]", key), *(choices if choices and key in groups() else ())):
        if len(name) > LONGEST_NAME:
            raise ScenarioError([Problem(key, f"'{name}' is too long")])
    if len(key) > 10 * LONGEST_NAME:
        raise ScenarioError([Problem(key, "is too long")])
