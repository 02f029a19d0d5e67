"""Settings of an experiment that have parts: when it is precise enough, and what is best."""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .spec import GREATEST, Count, Number, Share, Spec, quantity, share

OF_A_SWEEP = frozenset(
    {"n_jobs", "engine", "address", "design", "samples", "baseline", "precision", "select"}
    | {"adaptive", "allow_large", "exclude", "on_invalid", "metrics", "dry_run"}
    | {"time_limit_h", "replication_timeout_s", "fail_fast"}
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
    indifference: HalfWidth = quantity(
        "2%",
        "metric's unit, or %",
        "A point that is worse than the best by less than this is as good. In %, also of each "
        "limit, which may be missed by that much; in the metric's unit, limits are exact.",
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


class AdaptiveSpec(Spec):
    """What an adaptive sweep is asked, and how many replications it may spend on the answer.

    One of `surface`, `crossing` and `best`.
    """

    surface: dict[MetricName, HalfWidth] = quantity(
        {},
        "metric's unit, or %",
        "Half-width that the 95 % interval of the surface of a metric may have anywhere, in % of "
        "the metric or in its unit.",
    )
    crossing: dict[MetricName, _Limit] = quantity(
        {},
        "metric's unit",
        "Values: asked is where the surface of a metric crosses them.",
    )
    best: dict[MetricName, Literal["smallest", "largest"]] = Field(
        {}, description="The metric whose best place is asked, and which is better.", max_length=1
    )
    undecided: Share = share(
        0.05, "Share of the region that may be left on either side of a crossing.", gt=0, lt=1
    )
    regret: Share = share(
        0.02, "By how much of its value another place may be better than the best.", gt=0, lt=1
    )
    points: Count = quantity(12, "points", "Points that it begins with.", ge=5, le=1000)
    replications: Count = quantity(
        4, "runs", "Replications that a place gets at a time.", ge=2, le=1000
    )
    max_runs: Count = quantity(
        400, "runs", "Replications of all points together at which it ends.", ge=10, le=5000
    )

    @model_validator(mode="after")
    def _has_one_question(self) -> Self:
        if sum(map(bool, (self.surface, self.crossing, self.best))) != 1:
            raise ValueError(
                "needs one of surface, crossing and best, such as surface.lead_time_h=5%"
            )
        first = self.points * self.replications
        if first > self.max_runs:
            raise ValueError(
                f"begins with {self.points} points × {self.replications} replications = {first} "
                f"runs, of {self.max_runs} (max_runs)"
            )
        return self

    @property
    def kind(self) -> Literal["surface", "crossing", "best"]:
        """Which question it is."""
        if self.surface:
            return "surface"
        return "crossing" if self.crossing else "best"

    @property
    def metrics(self) -> list[str]:
        """The metrics that the question is about."""
        return [*self.surface, *self.crossing, *self.best]
