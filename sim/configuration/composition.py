"""Composition: from the files of a scenario and a list of overrides to its configuration.

A run, a point of a sweep and ``sim.load`` all compose here. Hydra reads the files with the choices
from config groups, which takes long and is kept. Values are then set in a copy of the result one by
one, in the order of the command line, by the code by which Hydra sets them.
"""

import gc
import pickle
import threading
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override, OverrideType
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, Node, OmegaConf, open_dict
from omegaconf.basecontainer import BaseContainer

from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.files import SCENARIOS, level_order
from sim.scenario.from_data import chosen_names

from .merging import Kept
from .overrides import parse, sets_a_value
from .replacing import REPLACE, take_out, taken_by
from .stages import presets_reach_steps, said_by

_KEPT = 256
"""Compositions, each of which takes about 60 kB."""
_KEPT_VERSIONS = 4
_composing = threading.RLock()
"""Hydra composes one configuration at a time in a process."""


@dataclass(frozen=True)
class Files:
    """The files of a scenario.

    Attributes:
        name: of its file, without the ending.
        of_hydra: overrides of Hydra itself, such as its search path.
        folder: holds the file; None for the folders that the running command line searches.
        version: what Hydra made of files with the same version is used again. By default, files
            are read again by every new instance.
    """

    name: str
    of_hydra: tuple[str, ...] = ()
    folder: Path | None = None
    version: Hashable = field(default_factory=object)

    def options(self, group: str, kind: ObjectType | None = None) -> list[str]:
        """Return what is in a config group: choices, levels in order, and the groups in it."""
        with self._searched():
            loader = GlobalHydra.instance().config_loader()
            there = set(loader.get_group_options(group, kind, self.name, [*self.of_hydra]))
            return sorted(there, key=level_order)

    def said_by(self, path: str) -> DictConfig | None:
        """Return what a file of a config group says; None if there is no such file.

        Args:
            path: of the file, from the folder of the groups, without its ending.
        """
        with self._searched():
            loader = GlobalHydra.instance().config_loader()
            assert isinstance(loader, ConfigLoaderImpl)
            # The loader's own repository does not know hydra.searchpath.
            _, files = loader._parse_overrides_and_create_caching_repo(self.name, [*self.of_hydra])
            return said_by(files, path)

    @contextmanager
    def _searched(self) -> Iterator[None]:
        """Let Hydra search the folders of these files."""
        with _composing, own_values_last(), _kept_of(self.version).used(), presets_reach_steps():
            if self.folder is None:
                yield
            else:
                with (
                    _without_the_program(),
                    hydra.initialize_config_dir(str(self.folder), version_base="1.3"),
                ):
                    yield


@contextmanager
def _without_the_program() -> Iterator[None]:
    """Set Hydra's own program aside during the block, if one is running: there is one at a time."""
    known = GlobalHydra.instance()
    program, known.hydra = known.hydra, None
    try:
        yield
    finally:
        known.hydra = program


def shipped(name: str) -> Files:
    """Return a scenario that comes with the package."""
    return Files(name, folder=SCENARIOS, version=_state_of_the_files())


class Read(NamedTuple):
    """A configuration as Hydra read it.

    Attributes:
        config: the configuration, pickled.
        of_hydra: what is in it for Hydra itself, pickled.
        choices: what is chosen, by config group.
        sweep: the sweep that the files store, if they store one.
        sweeps: whether it is to be run even if nobody asks for a sweep.
    """

    config: bytes
    of_hydra: bytes
    choices: Mapping[str, str | None]
    sweep: object
    sweeps: bool


def read(files: Files, overrides: Sequence[str]) -> Read:
    """Read files with the choices of some overrides; values of a scenario are not set.

    Raises:
        Exception: one that Hydra raises.
    """
    choices = tuple(text for text in overrides if not sets_a_value(parse(text)))
    # What a choice refers to, an environment variable say, may change; a folder is resolved later.
    refers = any("${" in text for text in choices if not text.startswith("hydra.run."))
    return (_read if refers else _kept)(files, choices)


def _read(files: Files, choices: tuple[str, ...]) -> Read:
    with files._searched(), _garbage_collected_afterwards():
        made = hydra.compose(files.name, [*files.of_hydra, *choices], return_hydra_config=True)
    sweep = OmegaConf.select(made, "hydra.sweeper.params")
    chosen = dict(made.hydra.runtime.choices)
    of_hydra = pickle.dumps(OmegaConf.masked_copy(made, "hydra"))
    sweeps = made.hydra.mode is RunMode.MULTIRUN
    with open_dict(made):
        del made["hydra"]
    stored = OmegaConf.to_container(sweep) if sweep else None
    return Read(pickle.dumps(made), of_hydra, chosen, stored, sweeps)


_kept = lru_cache(_KEPT)(_read)


@lru_cache(_KEPT_VERSIONS)
def _kept_of(version: Hashable) -> Kept:
    """Return what is kept of files of a version."""
    return Kept()


def compose(files: Files, overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration.

    Args:
        files: the scenario.
        overrides: in Hydra's grammar, as somebody writes them: plain ones may also set keys that
            the files do not mention. They are applied in their order.

    Raises:
        ScenarioError: an override names something that is not there, or would change nothing.
        Exception: one that Hydra raises; :mod:`sim.configuration.problems` puts it into words.
    """
    # Hydra refuses overrides with several values, and knows the reasons.
    choices = [text for text in overrides if parse(text).is_sweep_override()]
    composed: DictConfig = pickle.loads(read(files, choices or overrides).config)
    for text in overrides:
        override = parse(text)
        if sets_a_value(override):
            _apply(override, composed)
    return composed


def _apply(override: Override, composed: DictConfig) -> None:
    """Set, add or remove a value."""
    _refuse_stages(override)
    if override.type is OverrideType.CHANGE:
        _refuse_unknown_names(override, composed)
        # Whether a key exists is for the validation to say, which knows all keys.
        override = replace(override, type=OverrideType.FORCE_ADD)
    elif override.is_delete():
        _refuse_to_remove_unknown_names(override, composed)
    _refuse_places_in_lists(override, composed)
    _copy_what_it_refers_to(override, composed)
    if not _take_out(override, composed):
        ConfigLoaderImpl._apply_overrides_to_config([override], composed)


def _take_out(override: Override, composed: DictConfig) -> bool:
    """Drop or replace what a value of an override does, and merge it; return whether it does."""
    value: Any = override.value()
    if override.is_delete() or not (value is None or isinstance(value, dict)):
        return False
    for part in reversed(override.key_or_group.split(".")):
        value = {part: value}
    said = OmegaConf.create(value)
    taken = taken_by(said)
    if taken:
        take_out(composed, said, taken)
        with open_dict(composed):
            composed.merge_with(said)
    return bool(taken)


def _refuse_unknown_names(override: Override, composed: DictConfig) -> None:
    """Refuse a plain override of a step, team, service, role or pool that is not there.

    Those names are the scenario's to choose, so that validation would take a misspelt one for a new
    one. ``+key=value`` adds a new one on purpose. An empty mapping is refused where it would have
    no effect, since Hydra merges mappings.
    """
    key = override.key_or_group
    _refuse_records(override)
    for parent, name in chosen_names(key):
        names = _names_at(composed, parent)
        if name not in names:
            hint = f"{nearest(name, names)} (+{parent}.{name}=... adds it)"
            raise ScenarioError([Problem(f"{parent}.{name}", "is not in this scenario", hint)])
    if override.value() == {} and (names := _names_at(composed, key)):
        hint = f"~{key}.NAME drops one of {', '.join(names)}; {{{REPLACE}: true, ...}} replaces all"
        raise ScenarioError([Problem(key, "{} would be merged and change nothing", hint)])


def _refuse_to_remove_unknown_names(override: Override, composed: DictConfig) -> None:
    """Refuse to remove a step, team, service, role or pool that is not there."""
    for parent, name in chosen_names(override.key_or_group):
        names = _names_at(composed, parent)
        if name not in names:
            what = "is not in this scenario, so that it cannot be removed"
            raise ScenarioError([Problem(f"{parent}.{name}", what, nearest(name, names))])


def _refuse_stages(override: Override) -> None:
    """Refuse to say the stage of a step so late that no practice reaches it any more."""
    if override.is_delete():
        return
    parts = override.key_or_group.split(".")
    value: Any = override.value()
    for part in reversed(parts):
        value = {part: value}
    pipeline = value.get("pipeline")
    steps = pipeline.get("steps") if isinstance(pipeline, dict) else None
    for name, step in steps.items() if isinstance(steps, dict) else ():
        if isinstance(step, dict) and "stage" in step:
            what = "is said in a file: practices are merged before the command line counts"
            hint = "write a file with defaults: [default, _self_], and run it with --config-name"
            raise ScenarioError([Problem(f"pipeline.steps.{name}.stage", what, hint)])


def _refuse_records(override: Override) -> None:
    """Refuse to write a level into the record of practices, which would change nothing else."""
    key = override.key_or_group
    if key.partition(".")[0] == "practice_reach":
        raise ScenarioError([Problem(key, "only records what the levels find", "leave it out")])
    if key == "practices" or key.startswith("practices."):
        meant = key.replace(".", "/").replace("practices", "practice", 1)
        level = str(override.input_line).partition("=")[2]
        chosen = f"{meant}={level}" if "/" in meant else "practice/NAME=LEVEL"
        raise ScenarioError([Problem(key, "only records levels", f"{chosen} chooses one")])


def _names_at(composed: DictConfig, key: str) -> list[str]:
    mapping = OmegaConf.select(composed, key)
    return [str(name) for name in mapping] if isinstance(mapping, DictConfig) else []


def _refuse_places_in_lists(override: Override, composed: DictConfig) -> None:
    """Refuse what cannot be done to a list: to remove a place, or to set one that is not there."""
    parts = override.key_or_group.split(".")
    for count in range(1, len(parts)):
        inside = OmegaConf.select(composed, ".".join(parts[:count]), throw_on_missing=False)
        if not isinstance(inside, ListConfig):
            continue
        at, place = ".".join(parts[:count]), parts[count]
        hint = f"set the whole list with {at}=[...]"
        if override.is_delete():
            raise ScenarioError([Problem(at, f"place {place} of a list cannot be removed", hint)])
        if not (place.isdecimal() and int(place) < len(inside)):
            has = f"the list has places 0 to {len(inside) - 1}" if len(inside) else "it is empty"
            raise ScenarioError([Problem(at, f"there is no place '{place}'", f"{has}; {hint}")])


def _copy_what_it_refers_to(override: Override, composed: DictConfig) -> None:
    """Put a copy where a block on the way to a key refers to another block.

    OmegaConf does so where mappings are merged. A single value would replace the whole block, and
    a removal would reach into the other one.
    """
    parts = override.key_or_group.split(".")
    reach = len(parts) if isinstance(override.value(), dict) else len(parts) - 1
    inside: Any = composed
    for part in parts[:reach]:
        if not isinstance(inside, BaseContainer) or inside._is_none() or inside._is_missing():
            return
        key = int(part) if isinstance(inside, ListConfig) else part
        node = inside._get_node(key, validate_access=False)
        if isinstance(node, Node) and node._is_interpolation():
            meant = node._dereference_node()
            if isinstance(meant, BaseContainer):
                with open_dict(inside):
                    inside[key] = meant
                node = inside._get_node(key)
        inside = node


def _state_of_the_files() -> frozenset[tuple[str, int, int]]:
    """Return when each file was changed: somebody may edit one between two compositions."""
    found = [(str(path), path.stat()) for path in SCENARIOS.rglob("*.yaml")]
    return frozenset((path, state.st_mtime_ns, state.st_size) for path, state in found)


@contextmanager
def _garbage_collected_afterwards() -> Iterator[None]:
    """Collect no garbage during the block, which makes so much that a quarter of it went there."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def own_values_last() -> Iterator[None]:
    """Silence Hydra's remark about a file that has ``defaults`` and does not say ``_self_``.

    Its own values then come last and count, which is what everybody expects.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Defaults list is missing `_self_`", UserWarning)
        yield
