"""Validation of plain data as a scenario, with errors put in a reader's words."""

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .consistency import check
from .errors import Problem, ScenarioError, nearest
from .organization import Scenario
from .roadmap import fixed, stages_as_data
from .spec import Name


def validate(data: Mapping[str, Any], overridden: Sequence[str] = ()) -> Scenario:
    """Validate plain ``data`` as a scenario.

    Args:
        data: the composed scenario.
        overridden: dotted keys that somebody has just set; they must have an effect.

    Raises:
        ScenarioError: it is not a valid scenario.
    """
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        # An invalid item makes pydantic report its list as too short as well.
        details = [d for d in error.errors() if not (d["type"] == "too_short" and d["input"])]
        raise ScenarioError([_translate(dict(detail), data) for detail in details]) from None
    problems = [*check(scenario), *_without_effect(overridden, data), *_later(scenario)]
    if problems:
        raise ScenarioError(problems)
    return scenario


def _later(scenario: Scenario) -> Iterator[Problem]:
    """Check what the organization is like after each item of its roadmap."""
    for number, (item, data) in enumerate(
        zip(scenario.roadmap, stages_as_data(scenario), strict=True)
    ):
        try:
            later = Scenario.model_validate(data)
            problems = [
                *fixed(scenario, later),
                *check(later),
                *_without_effect(list(item.brings), data),
            ]
        except ValidationError as error:
            problems = [_translate(dict(detail), data) for detail in error.errors()]
        if problems:
            after = f"after roadmap.{number} ({item.practice}={item.level}): "
            for problem in problems:
                yield Problem(after + problem.key, problem.what, problem.hint)
            return


def names_are_free(parts: Sequence[str]) -> bool:
    """Return whether the mapping at ``parts`` may have any names as keys, e.g. of steps."""
    return any(get_args(kind)[0] == Name for kind in _mappings_at(tuple(parts)))


def entries_can_be_replaced(parts: Sequence[str]) -> bool:
    """Return whether the keys of the mapping at ``parts`` are entries, and no settings."""
    return bool(_mappings_at(tuple(parts)))


def entries_can_be_dropped(parts: Sequence[str]) -> bool:
    """Return whether the mapping at ``parts`` has entries that are never null themselves."""
    values = [_alternatives(get_args(kind)[-1]) for kind in _mappings_at(tuple(parts))]
    return any(not {Any, type(None)} & set(alternatives) for alternatives in values)


@lru_cache(4096)
def _mappings_at(parts: tuple[str, ...]) -> list[Any]:
    """Return the types of mapping with entries that the value at ``parts`` may have."""
    candidates: list[Any] = [Scenario]
    for part in parts:
        candidates = [inner for outer in candidates for inner in _inside(outer, part)]
    return [kind for kind in candidates if get_origin(kind) is dict]


def chosen_names(key: str) -> list[tuple[str, str]]:
    """Return (dotted key of the mapping, name) for each freely chosen name in a dotted key."""
    parts = key.split(".")
    return [
        (".".join(parts[:index]), parts[index])
        for index in range(1, len(parts))
        if names_are_free(parts[:index])
    ]


def _without_effect(keys: Sequence[str], data: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse parameters that only another distribution or shape than the chosen one has.

    In a composed scenario they are left over from what was replaced, and ignored.
    """
    for key in keys:
        *parts, last = key.split(".")
        parent: Any = data
        for part in parts:
            parent = parent.get(part) if isinstance(parent, Mapping) else None
        if not isinstance(parent, Mapping) or last not in parent:
            continue
        for tag in {"dist", "shape"} & parent.keys():
            expected = _keys_at(parts, data)
            if last not in expected:
                what = f"{_short(parent[last])} has no effect on {tag}: {parent[tag]}"
                yield Problem(key, what, nearest(last, expected))


def _translate(detail: dict[str, Any], data: Mapping[str, Any]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    parts, value = _locate(detail["loc"], data)
    key = ".".join(parts)
    is_key = detail["loc"][-1] == "[key]"
    if kind == "string_pattern_mismatch" or (is_key and kind == "string_type"):
        bad = parts[-1] if is_key else value
        return Problem(
            key, f"{_short(bad)} is not a name", "a letter, then up to 99 letters, digits, _, -"
        )
    if kind == "extra_forbidden" or is_key:
        hint = nearest(parts[-1], _keys_at(parts[:-1], data))
        return Problem(key, f"unknown key (value {_short(value)})", hint)
    if kind == "missing":
        return Problem(f"{key}.{detail['loc'][-1]}".lstrip("."), "is missing", "required here")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        field = context["discriminator"].strip("'")
        tag = value.get(field) if isinstance(value, Mapping) else value
        expected = _tags_at(parts, data, field)
        if tag is None:
            return Problem(key, f"needs `{field}`", "one of " + ", ".join(expected))
        return Problem(f"{key}.{field}", f"unknown value {_short(tag)}", nearest(tag, expected))
    if kind == "literal_error":
        expected = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return Problem(key, f"unknown value {_short(value)}", nearest(value, expected))
    if kind == "too_short":
        return Problem(key, "is empty", "at least one is needed")
    return Problem(key, f"{_shown(value, detail)} is not allowed", _allowed(detail, parts, data))


def _shown(value: object, detail: dict[str, Any]) -> str:
    """Return ``value``, or of a mapping the entries that the error is about."""
    if detail["type"] == "value_error" and isinstance(value, Mapping):
        named = re.findall(r"\w+", detail["msg"])
        entries = [f"{key}: {_short(entry)}" for key, entry in value.items() if key in named]
        if entries:
            return ", ".join(entries)
    return _short(value)


def _allowed(detail: dict[str, Any], parts: Sequence[str], data: Mapping[str, Any]) -> str:
    if detail["type"] in ("dict_type", "model_type", "model_attributes_type"):
        is_distribution = "constant" in _tags_at(parts, data, "dist")
        return "must be " + ("a number or {dist: ...}" if is_distribution else "a mapping of keys")
    if detail["type"] == "tuple_type":
        return "must be a list"
    message: str = detail["msg"].removeprefix("Value error, ")
    if message.startswith("Input should be"):
        return message.partition(", ")[0].replace("Input should be", "must be")
    return message


def _locate(location: Sequence[int | str], data: Any) -> tuple[list[str], Any]:
    """Follow pydantic's location through ``data``, leaving out the tags of unions."""
    parts: list[str] = []
    for part in location:
        in_list = isinstance(data, list | tuple) and isinstance(part, int)
        if in_list or (isinstance(data, Mapping) and part in data):
            data = data[part]
            parts.append(str(part))
    return parts, data


def _types_at(parts: Sequence[str], data: Any) -> list[Any]:
    """Return the types that the value at ``parts`` may have; models are resolved by their tag."""
    candidates: list[Any] = [Scenario]
    for part in parts:
        data = data[int(part)] if isinstance(data, list | tuple) else data[part]
        candidates = [inner for outer in candidates for inner in _inside(outer, part)]
    tags = [data.get("dist"), data.get("shape")] if isinstance(data, Mapping) else []
    chosen = {tag for tag in tags if isinstance(tag, str)}
    return [kind for kind in candidates if not chosen or chosen & _tags(kind)] or candidates


def _inside(outer: Any, part: str) -> list[Any]:
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        by_key = {field.alias or name: field for name, field in outer.model_fields.items()}
        return _alternatives(by_key[part].annotation) if part in by_key else []
    if get_origin(outer) is dict:
        return _alternatives(get_args(outer)[-1])
    return _alternatives(get_args(outer)[0]) if get_origin(outer) is tuple else []


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [kind for part in get_args(annotation) for kind in _alternatives(part)]
    return [annotation]


def _tags(kind: Any) -> set[str]:
    fields = getattr(kind, "model_fields", {})
    return {
        tag
        for name in ("dist", "shape")
        if name in fields
        for tag in get_args(fields[name].annotation)
    }


def _keys_at(parts: Sequence[str], data: Any) -> list[str]:
    keys: list[str] = []
    for kind in _types_at(parts, data):
        if get_origin(kind) is dict:
            key_type = get_args(kind)[0]
            keys += get_args(key_type) if get_origin(key_type) is Literal else ()
        else:
            keys += [f.alias or name for name, f in getattr(kind, "model_fields", {}).items()]
    return keys


def _tags_at(parts: Sequence[str], data: Any, field: str) -> list[str]:
    tags = [tag for kind in _types_at(parts, data) for tag in sorted(_tags(kind))]
    return list(dict.fromkeys(tags))


def _short(value: object) -> str:
    yaml_words = {"None": "null", "True": "true", "False": "false"}
    text = yaml_words.get(repr(value), repr(value))
    return text if len(text) <= 60 else text[:57] + "..."
