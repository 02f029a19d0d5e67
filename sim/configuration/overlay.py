"""A scenario as a short file: what it builds on, and only what differs from that.

A scenario in full (:func:`sim.configuration.dump.to_yaml`) has hundreds of lines in which nobody
finds what is special. An overlay names the file and the choices that come nearest, and then says
what is left. It is composed before it is given away: if that is not the same scenario, the scenario
is written in full.
"""

import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf._utils import get_omega_conf_dumper  # quotes the texts that OmegaConf would convert

from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS, groups, scenario_names
from sim.scenario.from_data import entries_can_be_dropped, entries_can_be_replaced
from sim.scenario.organization import Scenario

from .composition import Files, read, shipped
from .dump import MISSING_AS_TEXT, escaped, shortest, to_yaml
from .load import composed_scenario, files_of
from .own_folder import searched_first
from .records import RECORDS
from .replacing import REPLACE, STEPS, counterpart, stage_of

_DEFAULT = "default"
_ROUNDS = 4
_COMMENT_WIDTH = 96


def overlay(files: Files, overrides: Sequence[str], command: str = "") -> str:
    """Return the scenario that files and overrides make as YAML that composes to an equal one.

    Args:
        files: of the scenario. If they are not those of the package, what they say is said.
        overrides: in Hydra's grammar.
        command: for the comment at the top.

    Raises:
        ScenarioError: they make no valid scenario.
    """
    scenario = composed_scenario(files, overrides)
    base = files.name if files.name in scenario_names() else _DEFAULT
    return overlay_of(scenario, read(files, overrides).choices, base, command)


def overlay_of(
    scenario: Scenario,
    choices: Mapping[str, str | None],
    base: str = _DEFAULT,
    command: str = "",
) -> str:
    """Return a scenario as YAML that composes to an equal one.

    Args:
        scenario: the scenario.
        choices: from the config groups of the package, as far as they are known. Levels of
            practices are those that the scenario records.
        base: the file of the package that it builds on.
        command: for the comment at the top.
    """
    with searched_first(None):  # it has to compose anywhere
        return _comment(command) + _shortest(scenario, choices, base)


def _shortest(scenario: Scenario, choices: Mapping[str, str | None], base: str) -> str:
    chosen = _choices(scenario, choices, base)
    wanted = _dumped(scenario)
    said: dict[str, Any] = {}
    before = _dumped(composed_scenario(shipped(base), _as_overrides(chosen, base)))
    for _ in range(_ROUNDS):
        _merge(said, _difference(before, wanted, scenario, ()))
        text = _written(chosen, said, base)
        try:
            before = _dumped(_loaded(text))
        except ScenarioError:
            break
        if in_order(before) == in_order(wanted):
            return text
    return to_yaml(scenario)


def _comment(command: str) -> str:
    lines = textwrap.wrap(command, _COMMENT_WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def in_order(data: Any) -> Any:
    """Return plain data in which the order of keys counts, as that of steps does."""
    if isinstance(data, Mapping):
        return [(key, in_order(value)) for key, value in data.items()]
    return [in_order(each) for each in data] if isinstance(data, list) else data


def _dumped(scenario: Scenario) -> dict[str, Any]:
    return scenario.model_dump(mode="json", by_alias=True)


def _loaded(text: str) -> Scenario:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "overlay.yaml"
        path.write_text(text, encoding="utf-8")
        return composed_scenario(files_of(path), [])


def _choices(
    scenario: Scenario, choices: Mapping[str, str | None], base: str
) -> dict[str, str | None]:
    """Return the choices that differ from those that the file makes itself, in order."""
    found: dict[str, str | None] = {}
    have = read(shipped(base), []).choices
    there = set(groups())
    for group in sorted(have, key=lambda group: group != "maturity"):
        if group not in there:
            continue
        if group.startswith("practice/"):
            level: str | None = scenario.practices.get(group.removeprefix("practice/"), "none")
        else:
            level = choices.get(group, have[group])
        is_there = level is None or (SCENARIOS / group / f"{level}.yaml").is_file()
        if level != have[group] and is_there:
            found[group] = level
            have = read(shipped(base), _as_overrides(found, base)).choices
    return found


def _as_overrides(chosen: Mapping[str, str | None], base: str) -> list[str]:
    return [f"{group}={'null' if level is None else level}" for group, level in chosen.items()]


def _written(chosen: Mapping[str, str | None], said: Mapping[str, Any], base: str) -> str:
    name = base if "/" not in base else f"{base}@_global_"
    lines = ["defaults:", f"  - {name}", "  - _self_"]
    for group, level in chosen.items():
        lines.append(f"  - override {group}: {'null' if level is None else level}")
    if not said:
        return "\n".join([*lines, ""])
    data = escaped(said, missing=MISSING_AS_TEXT)
    return "\n".join([*lines, "", "".join(_part(key, value) for key, value in data.items())])


def _part(key: str, value: object) -> str:
    """Return a key as YAML, in which mappings without parts are in one line."""
    has_parts = isinstance(value, Mapping | list)
    text: str = yaml.dump(
        {key: value},
        Dumper=get_omega_conf_dumper(),
        default_flow_style=None if has_parts else False,
        sort_keys=False,
        width=100,
    )
    return text


def _merge(said: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        inside = said.get(key)
        if isinstance(inside, dict) and isinstance(value, Mapping) and REPLACE not in value:
            _merge(inside, value)
        else:
            said[key] = value


# --- what differs --------------------------------------------------------------------------------


def _difference(
    before: Mapping[str, Any], after: Mapping[str, Any], model: Any, path: tuple[str, ...]
) -> dict[str, Any]:
    """Return what a file has to say so that ``before`` becomes ``after``.

    Args:
        before: a part of a scenario as plain data.
        after: the same part of another one.
        model: that part of the other one itself.
        path: where it is.
    """
    found: dict[str, Any] = {}
    for key, value in after.items():
        at = (*path, key)
        if at[0] in RECORDS or (key in before and in_order(before[key]) == in_order(value)):
            continue
        inner = _inner(model, key)
        old = before.get(key)
        if not isinstance(old, Mapping) or not isinstance(value, Mapping):
            found[key] = _roadmap(inner, old) if at == ("roadmap",) else shortest(inner)
        elif entries_can_be_replaced(at):
            found[key] = _entries(old, value, inner, at)
        elif {"dist", "shape"} & {*old, *value}:
            is_same = [old.get(tag) == value.get(tag) for tag in ("dist", "shape")]
            changed = {each: value[each] for each in value if value[each] != old.get(each)}
            is_plain = value.get("dist") == "constant" or not all(is_same) or not changed
            found[key] = shortest(inner) if is_plain else changed
        else:
            found[key] = _difference(old, value, inner, at)
    return found


def _inner(model: Any, key: str) -> Any:
    if isinstance(model, Mapping):
        return model[key]
    fields = type(model).model_fields
    return getattr(model, next(n for n, field in fields.items() if (field.alias or n) == key))


def _roadmap(items: Any, old: object) -> list[Any]:
    """Return a roadmap; what its items bring is filled in again, if that was left out before."""
    plain: list[Any] = shortest(items)
    if not old:
        for item in plain:
            if (SCENARIOS / "practice" / item["practice"] / f"{item['level']}.yaml").is_file():
                item.pop("brings", None)
    return plain


def _entries(
    old: Mapping[str, Any], new: Mapping[str, Any], model: Any, path: tuple[str, ...]
) -> dict[str, Any]:
    lost = [name for name in old if name not in new]
    kept = [name for name in old if name in new]
    is_ordered = list(new) == kept + [name for name in new if name not in old]
    can_be_dropped = entries_can_be_dropped(path) or not lost
    if is_ordered and can_be_dropped and len(lost) <= len(kept):
        found = {**_difference(old, new, model, path), **dict.fromkeys(lost)}
        for name in new:
            if name not in old:
                found[name] = shortest(model[name])
        return found
    if path == STEPS:
        return {REPLACE: True, **{name: _step(name, old, new, model) for name in new}}
    return {REPLACE: True, **{name: shortest(model[name]) for name in new}}


def _step(name: str, old: Mapping[str, Any], new: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Return what a step says that replaces others: it begins as the one that it stands for."""
    stages_before = {each: stage_of(each, old[each]) for each in old}
    stands_for = counterpart(name, stage_of(name, new[name]), stages_before)
    if stands_for is None:
        said: dict[str, Any] = shortest(model[name])
        return said
    began = {**old[stands_for], "stage": None}
    goes_back = {"returns_to": new[name]["returns_to"]}
    found = _difference(began, new[name], model[name], (*STEPS, name))
    return {**found, **(goes_back if goes_back["returns_to"] != began["returns_to"] else {})}
