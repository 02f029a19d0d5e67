"""The contents of a claims file, as validated plain data."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sim.metrics.catalogue import metric
from sim.scenario.spec import Name, Number

Sign = Literal["+", "-", "none", "not +", "not -", "report"]

Overrides = tuple[str, ...]
Trace = str | tuple[str, ...]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Expectation(_Part):
    """The expected change of one metric."""

    metric: str = Field(description="A metric, or with `weeks` a column of the weekly series.")
    sign: Sign = Field(
        description="+ it is higher, - lower, none: the difference is within the margin; "
        "not +: it is not higher by more than the margin; not -: not lower; report: no expectation."
    )
    contrast: dict[Name, Number] | None = Field(
        None,
        description="The difference, as arms with their weights; by default {high: 1, low: -1}.",
    )
    label: str | None = Field(None, description="What the contrast is called in tables.")
    margin: Annotated[Number, Field(gt=0)] | None = Field(
        None, description="Largest difference that does not matter, in the unit of the metric."
    )
    relative_margin: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        None, description="The same, as a share of the mean of the arms with negative weights."
    )
    own_time_of: Name | None = Field(
        None,
        description="A step of the pipeline: the mean hours that a change of the arms with "
        "negative weights spends there are added to the margin.",
    )
    weeks: tuple[int, int] | None = Field(
        None, description="Mean over these weeks only: the first, and the one after the last."
    )
    break_even: bool = Field(
        False,
        description="Report from which of the `weeks` on the interval of the difference, added up "
        "since the first of them, stays below zero.",
    )
    trace: Trace | None = Field(None, description="Instead of the trace of the claim.")

    @model_validator(mode="after")
    def _margin_belongs_to_the_sign(self) -> Self:
        given = sum(margin is not None for margin in (self.margin, self.relative_margin))
        if self.sign in ("none", "not +", "not -") and given != 1:
            raise ValueError(f"sign {self.sign} needs margin or relative_margin")
        if self.sign in ("+", "-", "report") and (given or self.own_time_of is not None):
            raise ValueError(f"sign {self.sign} has no margin")
        if self.weeks is not None and not 0 <= self.weeks[0] < self.weeks[1]:
            raise ValueError("weeks needs 0 <= first < last")
        if self.break_even and (self.weeks is None or self.sign != "report"):
            raise ValueError("break_even needs weeks, and sign report")
        if self.contrast is not None and not any(self.contrast.values()):
            raise ValueError("contrast needs a weight that is not zero")
        return self


class Claim(_Part):
    """A statement about an organization, and the experiment that puts it on trial."""

    id: Name = Field(description="Short name; --only takes it.")
    claim: str = Field(description="The statement, in a sentence.")
    section: Annotated[str, BeforeValidator(lambda value: _text(value))] = Field(
        description="Where the chapter says so."
    )
    base: Overrides = Field((), description="Overrides that all arms begin with.")
    low: Overrides | None = Field(None, description="Overrides of the arm called low.")
    high: Overrides | None = Field(None, description="Overrides of the arm called high.")
    arms: dict[Name, Overrides] | None = Field(
        None, description="Instead of low and high: overrides of any number of arms, by name."
    )
    expectations: tuple[Expectation, ...] = Field(min_length=1, description="What should happen.")
    mechanism: str = Field(description="How it has to come about.")
    trace: Trace = Field(
        description="Metrics that show it: a metric, of which the parts show it, or a list."
    )

    @model_validator(mode="after")
    def _arms_are_complete(self) -> Self:
        two = self.low is not None and self.high is not None
        if two == (self.arms is not None) or (self.low is None) != (self.high is None):
            raise ValueError("needs either low and high, or arms")
        if self.arms is not None and len(self.arms) < 2:
            raise ValueError("arms needs at least two")
        if self.arms is not None and any(e.contrast is None for e in self.expectations):
            raise ValueError("expectations over arms need a contrast each")
        return self

    @property
    def overrides(self) -> dict[str, Overrides]:
        """The overrides of each arm, those of all arms included."""
        arms = self.arms or {"low": self.low or (), "high": self.high or ()}
        return {name: (*self.base, *own) for name, own in arms.items()}

    def trace_of(self, expectation: Expectation) -> tuple[str, ...]:
        """Return the metrics that show how ``expectation`` comes about."""
        trace = self.trace if expectation.trace is None else expectation.trace
        return metric(trace).parts if isinstance(trace, str) else trace


class ClaimsFile(_Part):
    """A file of claims, or of settings for all of them."""

    settings: Overrides = Field((), description="Overrides of all arms of all claims.")
    claims: tuple[Claim, ...] = Field((), description="The claims.")


def contrast_of(expectation: Expectation) -> dict[str, float]:
    """Return the arms of ``expectation`` with their weights, without those of weight zero."""
    weights = expectation.contrast or {"high": 1.0, "low": -1.0}
    return {arm: float(weight) for arm, weight in weights.items() if weight}


def _text(value: Any) -> Any:
    """Let people write a section as 10.3, which YAML takes for a number."""
    return str(value) if isinstance(value, float) else value
