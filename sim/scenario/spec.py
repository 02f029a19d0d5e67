"""What all parts of a scenario have in common: their base, and fields with a unit and a range."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# Strict, so that `true` or "3" is a mistake instead of a number.
Number = Annotated[float, Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
Share = Annotated[Number, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


def quantity(default: Any, unit: str, description: str, **limits: Any) -> Any:
    """Return a field with a unit; ``...`` as ``default`` makes it required."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


def share(default: Any, description: str, **limits: Any) -> Any:
    """Return a field that is a share or a probability between 0 and 1."""
    return quantity(default, "share 0..1", description, **{"ge": 0, "le": 1, **limits})


class Spec(BaseModel):
    """Base of all parts of a scenario: frozen, and closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )
