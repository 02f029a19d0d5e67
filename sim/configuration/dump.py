"""A scenario as YAML, for people and for :func:`sim.load`."""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from omegaconf._utils import get_omega_conf_dumper  # quotes the texts that OmegaConf would convert
from pydantic import BaseModel

from sim.scenario.organization import Scenario

from .records import with_checksum

_MISSING = "???"
_MISSING_AS_TEXT = "${oc.decode:\"'???'\"}"  # there is no other way to write it
_NEXT_LINE = "\x85"


def to_yaml(scenario: Scenario) -> str:
    """Return ``scenario`` as YAML that :func:`sim.load` reads back as an equal scenario."""
    full = with_checksum(scenario.model_dump(mode="json", by_alias=True))
    data = escaped(full, missing=_MISSING_AS_TEXT)
    text = _dumped(data, allow_unicode=True)
    # PyYAML writes this line break as it is, and reads it back as another one.
    return text if _NEXT_LINE not in text else _dumped(data, allow_unicode=False)


def _dumped(data: object, allow_unicode: bool) -> str:
    text: str = yaml.dump(
        data,
        Dumper=get_omega_conf_dumper(),
        default_flow_style=False,
        allow_unicode=allow_unicode,
        sort_keys=False,
    )
    return text


def escaped(data: Any, missing: str = _MISSING) -> Any:
    """Return plain data in which no text is an interpolation when OmegaConf reads it.

    Args:
        data: mappings, lists, texts and numbers.
        missing: is written for ``???``.
    """
    if isinstance(data, Mapping):
        return {key: escaped(value, missing) for key, value in data.items()}
    if isinstance(data, list):
        return [escaped(value, missing) for value in data]
    if not isinstance(data, str):
        return data
    # Nor are the backslashes before a `${` escapes.
    return missing if data == _MISSING else re.sub(r"(\\*)\$\{", r"\1\1\\${", data)


def shortest(value: Any) -> Any:
    """Return a part of a scenario as plain data, without the settings that have their defaults."""
    if isinstance(value, BaseModel):
        if getattr(value, "dist", None) == "constant":
            return shortest(value.value)  # type: ignore[attr-defined]  # of a constant
        fields = type(value).model_fields
        plain = {
            field.alias or name: (shortest(getattr(value, name)), field)
            for name, field in fields.items()
        }
        return {
            key: said
            for key, (said, field) in plain.items()
            if field.is_required() or said != shortest(field.get_default())
        }
    if isinstance(value, Mapping):
        return {key: shortest(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shortest(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
