"""Names in the tables that refer to something, looked up while a table is validated."""

from collections.abc import Mapping
from typing import Any

from pydantic import PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from sim.scenario.errors import nearest

Known = Mapping[str, Mapping[str, Any]]
"""The objects that names refer to, by kind: the context of a validation."""


def look_up(kind: str) -> PlainValidator:
    """Return a validator that replaces a name of this kind by what it refers to."""

    def find(name: Any, info: ValidationInfo) -> Any:
        known = (info.context or {})[kind]
        if not isinstance(name, str) or name not in known:
            hint = nearest(name, known)
            raise PydanticCustomError(
                "unknown_name", "unknown {kind} {name}", {"kind": kind, "name": name, "hint": hint}
            )
        return known[name]

    return PlainValidator(find)
