"""Presets reach steps by the stage of the pipeline that they are, whatever their names.

The files of practices, organizations and maturity presets speak of a step by the name of its stage
(``pipeline.steps.unit_test``). Hydra merges that into the step of this name. Here it is merged into
the other steps of the stage as well, and taken away again where nobody else has described a step of
that name.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra.core.default_element import ResultDefault
from omegaconf import DictConfig, OmegaConf, open_dict

from sim.scenario.organization import STAGES

from .merging import merged
from .records import refuse_records
from .replacing import REPLACE, STEPS, Taken, take_out, taken_by

_SPEAKS = re.compile(r"organization/|maturity/|practice/")
"""Config groups whose files speak of stages."""
_RECORDS = ("practices", "cost")
"""Parts of a level that change nothing in the way work is done."""
Load = Callable[[str], DictConfig | None]
"""Returns what a file of a config group says, by the path of the file without its ending."""


@contextmanager
def presets_reach_steps() -> Iterator[None]:
    """Let presets reach the steps of what Hydra composes, before the command line sets values."""
    compose = ConfigLoaderImpl._compose_config_from_defaults_list
    if compose.__module__ == __name__:  # within another such block
        yield
        return

    def compose_and_reach(
        loader: ConfigLoaderImpl, defaults: list[ResultDefault], repo: IConfigRepository
    ) -> DictConfig:
        paths = [default.config_path or "" for default in defaults]
        # What is kept was changed by merging.
        files = repo.delegate if isinstance(repo, CachingConfigRepository) else repo

        def reach_steps(config: DictConfig, place: int) -> None:
            steps = _steps(config)
            if steps is None or all(_is_ordinary(name, steps[name]) for name in steps):
                return
            said = [(path, _steps(said_by(files, path))) for path in paths[:place]]
            with open_dict(config):
                _reach(steps, [_Said.of(path, found) for path, found in said if found is not None])

        def prepare(config: DictConfig, said: DictConfig, place: int) -> None:
            refuse_records(said, paths[place])
            taken = taken_by(said)
            if Taken(STEPS, whole=True) in taken:
                reach_steps(config, place)  # before other steps begin with their values
            is_preset = bool(_SPEAKS.match(paths[place]))
            take_out(config, said, taken, of_stages=is_preset)

        made = merged(loader, defaults, repo, compose, prepare)
        reach_steps(made, len(paths))
        return made

    setattr(ConfigLoaderImpl, compose.__name__, compose_and_reach)
    try:
        yield
    finally:
        setattr(ConfigLoaderImpl, compose.__name__, compose)


def said_by(repository: IConfigRepository, path: str) -> DictConfig | None:
    """Return what a file of a config group says, which is at ``path``; None if there is none."""
    found = repository.load_config(path)
    return found.config if found is not None and isinstance(found.config, DictConfig) else None


class _Said(NamedTuple):
    """What a file says of steps.

    Attributes:
        steps: that, by name; None for a step that the file drops.
        is_preset: it speaks of stages, and describes no steps.
        replaces: its steps replace those of files before.
    """

    steps: Mapping[Any, DictConfig | None]
    is_preset: bool
    replaces: bool

    @classmethod
    def of(cls, path: str, said: DictConfig) -> "_Said":
        replaces = REPLACE in said
        steps = {name: said[name] for name in said if name != REPLACE}
        return cls(steps, bool(_SPEAKS.match(path)) and not replaces, replaces)


def _reach(steps: DictConfig, files: Sequence[_Said]) -> None:
    """Merge what presets say of the stages of a pipeline into its steps.

    As everywhere, what comes later counts: a preset overrules a step that an earlier file has
    described, and a file that comes after the presets overrules them.

    Args:
        steps: the steps as they are merged, which are changed.
        files: what files say of them, in the order of merging.
    """
    own = {name: step for name, step in steps.items() if isinstance(step, DictConfig)}
    described = _described(files)
    for stage in STAGES & own.keys() - described:
        levels = [file.steps.get(stage) for file in files if file.is_preset]
        of_presets = {key for level in levels if level is not None for key in _leaves(level)}
        if of_presets >= set(_leaves(own[stage])):
            del steps[stage]
    for name, step in own.items():
        stage = step.get("stage")
        if stage not in STAGES or stage == name:
            continue
        last = max((at for at, file in enumerate(files) if name in file.steps), default=-1)
        levels_at = [
            (at, file.steps[stage])
            for at, file in enumerate(files)
            if file.is_preset and stage in file.steps
        ]
        if any(level is None for at, level in levels_at if at > last):
            del steps[name]
            continue
        under = OmegaConf.create({}, parent=steps)
        for at, level in levels_at:
            if level is not None:
                _merge(under if at < last else step, level)
        for key in under:
            there, below = step.get(key), under[key]
            if key not in step:
                step[key] = below
            elif isinstance(there, DictConfig) and isinstance(below, DictConfig):
                step[key] = OmegaConf.merge(below, there)


def _described(files: Sequence[_Said]) -> set[Any]:
    """Return the names of the steps that files describe, and no later one drops."""
    described: set[Any] = set()
    for file in files:
        if file.replaces:
            described.clear()
        for name, step in file.steps.items():
            if step is None:
                described.discard(name)
            elif not file.is_preset:
                described.add(name)
    return described


def reach(
    steps: Mapping[str, Any], choices: Mapping[str, Any], load: Load
) -> dict[str, dict[str, int]]:
    """Return how much of what a practice changes is there to be changed.

    Args:
        steps: the steps of a pipeline as plain data, by name.
        choices: what is chosen, by config group.
        load: reads the file of a level.

    Returns:
        By practice that changes the steps of a stage which no step is: how many of its settings
        find something (``here``), and how many it has (``settings``).
    """
    there = {step.get("stage") or name for name, step in steps.items() if isinstance(step, Mapping)}
    if there >= STAGES:
        return {}
    found = {}
    for group, level in choices.items():
        said = load(f"{group}/{level}") if group.startswith("practice/") and level else None
        if said is None:
            continue
        settings = [key for key in _leaves(said) if key.partition(".")[0] not in _RECORDS]
        lost = sum(_stage_of(key) in STAGES - there for key in settings)
        if lost:
            practice = group.removeprefix("practice/")
            found[practice] = {"here": len(settings) - lost, "settings": len(settings)}
    return found


def _stage_of(key: str) -> str:
    """Return the stage whose steps a setting is about; empty if it is about something else."""
    parts = key.split(".")
    # A level that drops a step has found it.
    return parts[2] if parts[:2] == ["pipeline", "steps"] and len(parts) > 3 else ""


def _steps(config: DictConfig | None) -> DictConfig | None:
    found = None if config is None else OmegaConf.select(config, "pipeline.steps")
    return found if isinstance(found, DictConfig) else None


def _is_ordinary(name: Any, step: Any) -> bool:
    """Return whether Hydra alone has done what there is to do about a step.

    A step that runs where nobody has described it has no role of its own.
    """
    return (
        name in STAGES and isinstance(step, DictConfig) and "role" in step and "stage" not in step
    )


def _leaves(config: DictConfig, at: str = "") -> Iterator[str]:
    for key in map(str, config):
        node = config._get_node(key)
        if isinstance(node, DictConfig) and node:
            yield from _leaves(node, f"{at}{key}.")
        else:
            yield f"{at}{key}"


def _merge(step: DictConfig, level: DictConfig) -> None:
    """Merge what a level says into a step, as Hydra does.

    A level may set nothing but the mean of a duration. A duration that has no mean of its own (a
    number, a constant, a range, or none yet) becomes that number.
    """
    for key in level:
        said, there = level[key], step.get(key)
        if not isinstance(said, DictConfig):
            step[key] = said
        elif set(said) == {"mean"} and not (isinstance(there, DictConfig) and "mean" in there):
            step[key] = said["mean"]
        elif isinstance(there, DictConfig):
            step[key] = OmegaConf.merge(there, said)
        else:
            step[key] = said
