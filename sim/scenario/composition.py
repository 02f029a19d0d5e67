"""Composition of configurations by Hydra, which takes long, and is done once for many values.

Hydra reads and merges some twenty files, and only then sets values in the result. What it makes of
the files that come with the package and of the choices from config groups is kept; values of keys
of a scenario are set in a copy, by the very call of OmegaConf by which Hydra sets them.
"""

import pickle
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from .organization import Scenario

_PACKAGE = Path(__file__).resolve().parents[1]
_IN_WHEEL = _PACKAGE / "scenarios"
SCENARIOS = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent / "scenarios"
"""The folder of the scenarios that come with the package."""
_NO_GROUPS = {"verification", "claims"}  # folders of files that stand for themselves
_KEPT = 256
"""Compositions, each of which takes about 60 kB."""
_composing = threading.RLock()
"""Hydra composes one configuration at a time in a process."""


def compose(folder: Path, name: str, overrides: Sequence[str]) -> DictConfig:
    """Compose the configuration ``name`` of the files in ``folder``.

    Args:
        folder: holds the file.
        name: of the file, without its ending.
        overrides: in Hydra's grammar.

    Raises:
        Exception: what Hydra raises.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    here = groups()
    values = [override for override in parsed if override.key_or_group not in here]
    chosen = tuple(str(one.input_line) for one in parsed if one.key_or_group in here)
    # What a choice refers to, an environment variable say, may change.
    refers = any("${" in choice for choice in chosen)
    if folder != SCENARIOS or refers or not all(map(_sets_a_value, values)):
        return _by_hydra(folder, name, overrides)
    composed: DictConfig = pickle.loads(_kept(name, chosen, _state_of_the_files()))
    try:
        for override in values:
            key, value = override.key_or_group, override.value()
            OmegaConf.update(composed, key, value, merge=True, force_add=True)
    except Exception:  # for Hydra to say: it names the override, too
        return _by_hydra(folder, name, overrides)
    return composed


def _sets_a_value(override: Override) -> bool:
    if str(override.key_or_group).partition(".")[0] not in Scenario.model_fields:
        return False  # of Hydra itself, or misspelt
    several = override.package is not None or override.is_sweep_override()
    return bool(override.is_force_add()) and not several


@lru_cache(_KEPT)
def _kept(name: str, choices: tuple[str, ...], _: frozenset[tuple[str, int, int]]) -> bytes:
    return pickle.dumps(_by_hydra(SCENARIOS, name, choices))


def _by_hydra(folder: Path, name: str, overrides: Sequence[str]) -> DictConfig:
    with (
        _composing,
        own_values_last(),
        hydra.initialize_config_dir(str(folder), version_base="1.3"),
    ):
        return hydra.compose(name, list(overrides))


def _state_of_the_files() -> frozenset[tuple[str, int, int]]:
    """Return when each file was changed: somebody may edit one between two compositions."""
    found = [(str(path), path.stat()) for path in SCENARIOS.rglob("*.yaml")]
    return frozenset((path, state.st_mtime_ns, state.st_size) for path, state in found)


@contextmanager
def own_values_last() -> Iterator[None]:
    """Silence Hydra's remark about a file that has ``defaults`` and does not say ``_self_``.

    Its own values then come last and count, which is what everybody expects.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Defaults list is missing `_self_`", UserWarning)
        yield


def groups() -> list[str]:
    """Return the config groups that come with the package, e.g. ``practice/testing``."""
    folders = {path.parent.relative_to(SCENARIOS).as_posix() for path in SCENARIOS.rglob("*.yaml")}
    return sorted(folders - {"."} - _NO_GROUPS)
