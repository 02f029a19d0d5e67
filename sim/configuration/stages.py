"""Presets reach steps by the stage of the pipeline that they are, whatever their names.

The files of practices, organizations and maturity presets speak of a step by the name of its stage
(``pipeline.steps.unit_test``). Hydra merges that into the step of this name. Here it is merged into
the other steps of the stage as well, and taken away again where nobody else has described a step of
that name.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra.core.default_element import ResultDefault
from omegaconf import DictConfig, OmegaConf, open_dict

from sim.scenario.organization import STAGES

from .merging import merged

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
        made = merged(loader, defaults, repo, compose)
        steps = _steps(made)
        if steps is not None and not all(_is_ordinary(name, steps[name]) for name in steps):
            paths = [default.config_path or "" for default in defaults]
            # What is kept was changed by merging.
            files = repo.delegate if isinstance(repo, CachingConfigRepository) else repo
            said = [(bool(_SPEAKS.match(path)), _steps(said_by(files, path))) for path in paths]
            with open_dict(made):
                _reach(steps, [(preset, found) for preset, found in said if found is not None])
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


def _reach(steps: DictConfig, files: Sequence[tuple[bool, DictConfig]]) -> None:
    """Merge what presets say of the stages of a pipeline into its steps.

    As everywhere, what comes later counts: a preset overrules a step that an earlier file has
    described, and a file that comes after the presets overrules them.

    Args:
        steps: the steps as Hydra has merged them, which are changed.
        files: what files say of steps, in the order of merging: whether it is a preset, and that.
    """
    own = {name: step for name, step in steps.items() if isinstance(step, DictConfig)}
    described = {name for is_preset, said in files for name in said if not is_preset}
    for stage in STAGES & own.keys() - described:
        levels = [said[stage] for is_preset, said in files if is_preset and stage in said]
        of_presets = {key for level in levels for key in _leaves(level)}
        if of_presets >= set(_leaves(own[stage])):
            del steps[stage]
    for name, step in own.items():
        stage = step.get("stage")
        if stage not in STAGES or stage == name:
            continue
        last = max((at for at, (is_preset, said) in enumerate(files) if name in said), default=-1)
        levels = [
            (at, said[stage])
            for at, (is_preset, said) in enumerate(files)
            if is_preset and stage in said
        ]
        under = OmegaConf.create({}, parent=steps)
        for at, level in levels:
            _merge(under if at < last else step, level)
        for key in under:
            there, below = step.get(key), under[key]
            if key not in step:
                step[key] = below
            elif isinstance(there, DictConfig) and isinstance(below, DictConfig):
                step[key] = OmegaConf.merge(below, there)


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
    return parts[2] if parts[:2] == ["pipeline", "steps"] else ""


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
