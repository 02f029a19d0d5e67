"""Entries that a file drops from what it builds on, or replaces.

Hydra merges mappings: a file can add a step, a team or a service, and change one, but not take one
away. Here ``NAME: null`` drops an entry, and ``_replace_: true`` makes the entries of a mapping
replace those that are there. Both are for mappings whose keys are no settings: names that somebody
chose, roles, kinds of defect.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.from_data import entries_can_be_dropped, entries_can_be_replaced
from sim.scenario.organization import STAGES, Scenario
from sim.scenario.variants import shown

REPLACE = "_replace_"
STEPS = ("pipeline", "steps")
_FREE = "teams, services, shared_people, compute, pipeline.steps"


class Taken(NamedTuple):
    """What a file takes out of what it builds on.

    Attributes:
        path: of an entry, or of a mapping.
        whole: the mapping is replaced; otherwise the entry is dropped.
    """

    path: tuple[str, ...]
    whole: bool


def taken_by(said: DictConfig) -> list[Taken]:
    """Return what a file takes out, those mappings first that are replaced.

    Raises:
        ScenarioError: something cannot be replaced.
    """
    parts = [key for key in map(str, said) if key in {*Scenario.model_fields, REPLACE}]
    found = [taken for key in parts for taken in _taken(said, key, ())]
    return sorted(found, key=lambda taken: not taken.whole)


def _taken(parent: DictConfig, key: str, path: tuple[str, ...]) -> Iterator[Taken]:
    node = parent._get_node(key)
    if key == REPLACE:
        _refuse_what_cannot_be_replaced(path, node)
        yield Taken(path, whole=True)
    elif (isinstance(node, DictConfig) and node._is_none()) or _is_null(node):
        if path and entries_can_be_dropped(path):
            yield Taken((*path, key), whole=False)
    elif isinstance(node, DictConfig) and not node._is_interpolation():
        for inner in map(str, node):
            yield from _taken(node, inner, (*path, key))
    elif isinstance(node, ListConfig) and not node._is_none() and not node._is_interpolation():
        _refuse_in_lists(node, (*path, key))


def _is_null(node: Any) -> bool:
    return not isinstance(node, DictConfig | ListConfig) and node._value() is None


def _refuse_what_cannot_be_replaced(path: tuple[str, ...], node: Any) -> None:
    key = ".".join((*path, REPLACE))
    if not path or not entries_can_be_replaced(path):
        what = "only entries with names of their own can be replaced"
        raise ScenarioError([Problem(key, what, f"such as those of {_FREE}")])
    if node._value() is not True:
        what = f"{shown(node._value())} is not allowed"
        raise ScenarioError([Problem(key, what, "true, or leave it out")])


def _refuse_in_lists(items: ListConfig, path: tuple[str, ...]) -> None:
    plain = OmegaConf.to_container(items, resolve=False)
    if REPLACE in _keys(plain):
        key = ".".join((*path, REPLACE))
        raise ScenarioError([Problem(key, "a list replaces another one anyway", "leave it out")])


def _keys(plain: Any) -> Iterator[str]:
    inner = plain.values() if isinstance(plain, Mapping) else plain
    if isinstance(plain, Mapping):
        yield from map(str, plain)
    if isinstance(plain, Mapping | list):
        for each in inner:
            yield from _keys(each)


def take_out(
    config: DictConfig, said: DictConfig, taken: Sequence[Taken], of_stages: bool = False
) -> None:
    """Take out of a configuration what a file drops and replaces, before it is merged.

    Args:
        config: what the file builds on, which is changed.
        said: what the file says; what is left of it is to be merged.
        taken: what the file takes out.
        of_stages: it speaks of steps by their stage, so that none need have the name.

    Raises:
        ScenarioError: it drops what is not there.
    """
    with open_dict(config), open_dict(said):
        for path, whole in taken:
            if whole:
                _replace(config, said, path)
        for path, whole in taken:
            if not whole:
                replaced = any(each.whole and each.path == path[:-1] for each in taken)
                _drop(config, said, path, replaced, of_stages and path[:-1] == STEPS)


def _replace(config: DictConfig, said: DictConfig, path: tuple[str, ...]) -> None:
    own = _at(said, path)
    assert own is not None
    del own[REPLACE]
    there = _at(config, path)
    if there is None:
        return
    if path == STEPS:
        begin_as_before(there, own)
    for name in list(there):
        del there[name]


def _drop(
    config: DictConfig, said: DictConfig, path: tuple[str, ...], replaced: bool, may_be_gone: bool
) -> None:
    *parents, name = path
    own, there = _at(said, parents), _at(config, parents)
    assert own is not None
    key = ".".join(path)
    if replaced:
        kept = ", or write {} to keep what it was" if parents == [*STEPS] else ""
        what = f"null drops nothing where {REPLACE} has replaced everything"
        raise ScenarioError([Problem(key, what, f"leave it out{kept}")])
    del own[name]
    if there is None or name not in there:
        if may_be_gone:
            return
        names = [] if there is None else list(map(str, there))
        what = "null drops nothing: it is not there"
        raise ScenarioError([Problem(key, what, nearest(name, names))])
    del there[name]


def _at(config: DictConfig, path: Sequence[str]) -> DictConfig | None:
    """Return the mapping at a path; a copy of it takes its place if it refers to another one."""
    inside: Any = config
    for part in path:
        if not isinstance(inside, DictConfig) or inside._is_none() or part not in inside:
            return None
        node = inside._get_node(part)
        if isinstance(node, DictConfig) and node._is_interpolation():
            inside[part] = node._dereference_node()
            node = inside._get_node(part)
        inside = node
    return inside if isinstance(inside, DictConfig) and not inside._is_none() else None


def stage_of(name: Any, step: Any) -> str:
    """Return the stage that a step is, which may be known by its name; empty if it is none."""
    said = step.get("stage") if isinstance(step, Mapping | DictConfig) else None
    stage = said or name
    return str(stage) if stage in STAGES else ""


def begin_as_before(before: DictConfig, steps: DictConfig) -> None:
    """Let the steps that replace others begin with the values of those that they stand for.

    A step stands for the first one of its stage, the one with its name before others; a step of no
    stage for the one of its name. Where a failed change goes back to is a step of the same stage as
    before, or of the same name, or else the first.

    Args:
        before: the steps that are replaced.
        steps: the steps that replace them, which are changed.
    """
    stages = {name: stage_of(name, steps[name]) for name in steps}
    stages_before = {name: stage_of(name, before[name]) for name in before}
    so_far: list[Any] = []
    for name in list(steps):
        own = steps[name]
        so_far.append(name)
        stands_for = _counterpart(name, stages[name], stages_before)
        if stands_for is None or not isinstance(own, DictConfig):
            continue
        old = before[stands_for]
        if not isinstance(old, DictConfig):
            continue
        begun = copy.deepcopy(old)
        begun.pop("stage", None)
        goes_back = begun.pop("returns_to", None)
        if goes_back is not None:
            place = {stage: each for each in so_far if (stage := stages[each])}
            back = place.get(stages_before.get(goes_back, ""), goes_back)
            if back in so_far:
                begun["returns_to"] = back
        steps[name] = OmegaConf.merge(begun, own)


def _counterpart(name: Any, stage: str, stages_before: Mapping[Any, str]) -> Any:
    if not stage:
        return name if stages_before.get(name) == "" else None
    alike = [each for each, its in stages_before.items() if its == stage]
    return name if name in alike else next(iter(alike), None)
