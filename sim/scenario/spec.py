"""The base of all parts of a scenario, and fields with a unit and a range."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sim.words import printable

# No organization comes near these bounds, and within them all that is computed is finite.
SHORTEST = 0.001
"""Of what must not be zero: four seconds in hours, ten minutes in weeks."""
LONGEST = 1e9
"""Of a duration or an effort, in hours or weeks: never, in all that is simulated."""
GREATEST = 1e9
"""Of a price, a weight or a factor."""
LARGEST_COUNT = 1_000_000


def _without_controls(text: str) -> str:
    if printable(text) != text:
        raise ValueError("must not have control characters")
    return text


# Strict, so that `true` or "3" is a mistake instead of a number.
Number = Annotated[float, Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
Share = Annotated[Number, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=1000), AfterValidator(_without_controls)]
Price = Annotated[Number, Field(ge=0, le=GREATEST)]
Headcount = Annotated[Count, Field(ge=0, le=10_000)]
# Folders and columns of tables are named after it, so that it has an end.
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,99}$")]


def quantity(default: Any, unit: str, description: str, **limits: Any) -> Any:
    """Return a field with a unit; ``...`` as ``default`` makes it required."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


def duration(default: Any, unit: str, description: str, **limits: Any) -> Any:
    """Return a field that is a duration; it may be zero unless ``limits`` say otherwise."""
    return quantity(default, unit, description, **{"ge": 0, "le": LONGEST, **limits})


def share(default: Any, description: str, **limits: Any) -> Any:
    """Return a field that is a share or a probability between 0 and 1."""
    return quantity(default, "share 0..1", description, **{"ge": 0, "le": 1, **limits})


class Spec(BaseModel):
    """Base of all parts of a scenario: frozen, and closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        model_title_generator=lambda model: model.__name__.removesuffix("Spec"),
    )
