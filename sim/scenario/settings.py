"""Settings of an experiment that have parts: when it is precise enough, and what is best."""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .spec import GREATEST, Count, Number, Share, Spec, quantity, share

OF_A_SWEEP = frozenset(
    {"n_jobs", "engine", "address", "design", "samples", "baseline", "precision", "select"}
    | {"allow_large"}
)
"""Fields of a scenario that say how a sweep is run: no replication depends on them."""
FOR_READERS = frozenset({"name", "description", "animation", "png"})
"""Fields that only a reader needs."""

_FARTHEST = 1e15
"""Of a limit on a metric; costs of the largest organization stay below it."""

MetricName = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_-]*$")]


def _checked(width: object) -> object:
    percent = isinstance(width, str) and re.fullmatch(r"[0-9]+([.][0-9]+)? ?%", width)
    number = isinstance(width, int | float) and not isinstance(width, bool)
    value = float(str(width).rstrip(" %")) if percent or number else 0.0
    if not 0 < value <= GREATEST:
        raise ValueError(
            f"must be a number above 0 and up to {GREATEST:.0f}, or a percentage such as 5%"
        )
    return width


HalfWidth = Annotated[
    Annotated[float, Field(gt=0, le=GREATEST)] | Annotated[str, Field(max_length=20)],
    BeforeValidator(_checked),
]
_Limit = Annotated[Number, Field(ge=-_FARTHEST, le=_FARTHEST)]


class Precision(Spec):
    """When a point of a sweep has been replicated often enough.

    `replications` of the scenario are made in any case.
    """

    half_width: dict[MetricName, HalfWidth] = quantity(
        ...,
        "metric's unit, or %",
        "Half-width of the 95 % interval by metric: of durations and costs in % of the mean, of "
        "rates and shares in their own unit. All have to be reached.",
        min_length=1,
    )
    of: Literal["points", "differences"] = Field(
        "points", description="Intervals of the points, or of their differences to the baseline."
    )
    look_ahead: Count = quantity(
        10, "runs", "For so many more replications the intervals must stay narrow.", ge=0, le=1000
    )
    most_replications: Count = quantity(
        200, "runs", "Replications after which a point is left as it is.", ge=2, le=100_000
    )


class SelectionSpec(Spec):
    """Which point of a sweep is wanted, and how hard to look for it."""

    metric: MetricName = quantity(..., "-", "What the best point has the least of, or the most.")
    goal: Literal["smallest", "largest"] = Field("smallest", description="Which is better.")
    at_most: dict[MetricName, _Limit] = quantity(
        {}, "metric's unit", "Points whose means lie above these are out of the question."
    )
    at_least: dict[MetricName, _Limit] = quantity(
        {}, "metric's unit", "Points whose means lie below these are out of the question."
    )
    probability: Share = share(
        0.95, "Look no further once the choice is right with this probability.", lt=1
    )
    budget: Count | None = quantity(
        None,
        "runs",
        "Further replications of all points together; by default as many as the first ones.",
        ge=0,
        le=100_000_000,
    )
