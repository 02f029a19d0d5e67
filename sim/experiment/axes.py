"""The axes of a sweep: one for each key, with its values or with what they are drawn from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from sim.scenario.distributions import Distribution
from sim.scenario.errors import Problem, ScenarioError

if TYPE_CHECKING:
    import pandas as pd

_TAIL = 1e-6
"""Of a distribution, left out at either end, where the quantile may be zero or infinite."""
_DISTRIBUTION: TypeAdapter[Distribution] = TypeAdapter(Distribution)


@dataclass(frozen=True)
class Interval:
    """All numbers between two bounds, for designs that sample.

    Attributes:
        low: the lower bound.
        high: the upper bound.
        whole: only whole numbers are meant, both bounds included.
    """

    low: float
    high: float
    whole: bool = False

    def __str__(self) -> str:
        return f"interval({self.low}, {self.high})"


@dataclass(frozen=True)
class Weights:
    """Values of which some are likelier than others, for designs that sample.

    Attributes:
        values: the values.
        weights: of each; they are positive and add up to one.
    """

    values: tuple[object, ...]
    weights: tuple[float, ...]

    def __str__(self) -> str:
        pairs = zip(self.values, self.weights, strict=True)
        return "{" + ", ".join(f"{value}: {weight:.6g}" for value, weight in pairs) + "}"

    def at(self, place: float) -> object:
        """Return the value at a place in [0, 1]; each takes up its weight, in their order."""
        bounds = accumulate(self.weights)
        found = next((n for n, bound in enumerate(bounds) if place < bound), len(self.values) - 1)
        return self.values[found]


@dataclass(frozen=True)
class Drawn:
    """Values that follow a distribution, for designs that sample.

    Attributes:
        distribution: which one.
        whole: values are rounded to whole numbers.
    """

    distribution: Distribution
    whole: bool = False

    def at(self, place: float) -> float | int:
        """Return the quantile at a place in [0, 1]."""
        uniform = np.array([min(max(place, _TAIL), 1.0 - _TAIL)])
        value = float(self.distribution.quantile(uniform)[0])
        return round(value) if self.whole else value

    def __str__(self) -> str:
        said = self.distribution.model_dump()
        parts = [f"{name}: {value}" for name, value in said.items()]
        return "{" + ", ".join([*parts, *(["whole: true"] if self.whole else [])]) + "}"


Values = tuple[object, ...] | Interval | Weights | Drawn


@dataclass(frozen=True)
class Axis:
    """One thing that a sweep varies.

    Attributes:
        key: dotted key such as ``automation``, or config group such as ``practice/testing``; in a
            dotted key, ``*`` stands for every name in its place.
        values: the values to take, or what to take them from.
    """

    key: str
    values: Values

    @property
    def listed(self) -> tuple[object, ...] | None:
        """The values, in their order; None if they are numbers that cannot be listed."""
        if isinstance(self.values, Weights):
            return self.values.values
        return self.values if isinstance(self.values, tuple) else None

    @property
    def first(self) -> object:
        """A value: the first one, the lower bound, or the median."""
        if isinstance(self.values, Interval):
            return self.values.low
        if isinstance(self.values, Drawn):
            return self.values.at(0.5)
        return (self.listed or ())[0]

    @property
    def has_chances(self) -> bool:
        """Whether somebody said how likely which values are."""
        return isinstance(self.values, Weights | Drawn)


def draws_a_population(axes: Sequence[Axis]) -> bool:
    """Return whether the points of a sweep stand for organizations as they are found.

    A sweep over intervals alone asks what would be; none of its points is likelier than another.
    """
    return any(axis.has_chances for axis in axes)


def places_on_grid(axes: Sequence[Axis], points: "pd.DataFrame") -> tuple[list[int], ...]:
    """Return for each axis which of its listed values the points have.

    Args:
        axes: with listed values.
        points: the values of their keys, a row per point.
    """
    places = []
    for axis in axes:
        place_of = {told_apart(value): place for place, value in enumerate(axis.listed or ())}
        places.append([place_of[told_apart(value)] for value in points[axis.key]])
    return tuple(places)


def told_apart(value: object) -> tuple[bool, object]:
    """Return what tells values apart however they are stored: `true` is equal to 1."""
    return isinstance(value, bool | np.bool_), value


def chances(key: str, said: Mapping[Any, Any]) -> Weights | Drawn:
    """Return what values of ``key`` are drawn from.

    Args:
        key: what is drawn.
        said: a distribution such as ``{dist: lognormal, mean: 12, cv: 2}``, with ``whole: true`` to
            round its values; weights by value such as ``{startup: 3, enterprise: 1}``; or values
            that cannot be keys, with their weights: ``{values: [...], weights: [...]}``.

    Raises:
        ScenarioError: it is none of these.
    """
    if "dist" in said:
        return _distribution(key, dict(said))
    if said.keys() == {"values", "weights"}:
        return _weights(key, said["values"], said["weights"])
    return _weights(key, list(said), list(said.values()))


def _distribution(key: str, said: dict[Any, Any]) -> Drawn:
    whole = said.pop("whole", False)
    if not isinstance(whole, bool):
        raise ScenarioError([Problem(f"{key}.whole", f"{whole!r} is not allowed", "true or false")])
    try:
        return Drawn(_DISTRIBUTION.validate_python(said), whole)
    except ValidationError as error:
        detail = error.errors()[0]
        where = [str(part) for part in detail["loc"][1:] if part != "dist"]
        what = detail["msg"].removeprefix("Value error, ")
        raise ScenarioError([Problem(".".join([key, *where]), what)]) from None


def _weights(key: str, values: Any, weights: Any) -> Weights:
    lists = isinstance(values, list | tuple) and isinstance(weights, list | tuple)
    if not lists or len(values) != len(weights):
        hint = "write {values: [a, b], weights: [3, 1]}"
        raise ScenarioError([Problem(key, "each value needs a weight", hint)])
    for value, weight in zip(values, weights, strict=True):
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not (number and math.isfinite(weight) and weight >= 0.0):
            what = f"the weight of {value!r} is {weight!r}"
            raise ScenarioError([Problem(key, what, "a number of at least 0")])
    total = sum(weights)
    if not total > 0.0:
        raise ScenarioError([Problem(key, "no value has a weight above 0")])
    there = [(v, w / total) for v, w in zip(values, weights, strict=True) if w > 0.0]
    return Weights(tuple(value for value, _ in there), tuple(weight for _, weight in there))
