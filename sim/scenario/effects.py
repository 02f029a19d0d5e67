"""Names of the effects that a step may have besides passing a change on.

What each of them does is declared in the simulated world, see :func:`sim.world.effects.plans`. A
module of one's own may declare another one there.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

EFFECTS = ["takes_data", "trains_model", "deploys"]
"""Their names; a declaration adds its own."""
SPOILT: dict[str, Literal["data", "model", "infra"]] = {
    "takes_data": "data",
    "trains_model": "model",
    "deploys": "infra",
}
"""The kind of defect of what an effect makes, where the work was misunderstood."""


def _is_known(name: str) -> str:
    if name not in EFFECTS:
        expected = " or ".join(f"'{effect}'" for effect in EFFECTS)
        raise PydanticCustomError("literal_error", "unknown effect", {"expected": expected})
    return name


EffectName = Annotated[
    str, AfterValidator(_is_known), WithJsonSchema({"enum": EFFECTS, "type": "string"})
]
