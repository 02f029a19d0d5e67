"""Probability distributions as a scenario writes them, sampled by inverse transform.

A duration in a scenario is a mapping such as ``{dist: lognormal, mean: 6, cv: 1}`` or a bare
number, which stands for a constant. Every distribution is non-negative and knows its mean and its
quantile function, so that one uniform number gives one draw: the same uniform meets a shorter
distribution with a shorter draw, which is what common random numbers live on.
"""

import functools
from collections.abc import Mapping
from math import log, log1p, sqrt
from typing import Annotated, Any, Literal, Self

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .spec import LARGEST_COUNT, LONGEST

Floats = NDArray[np.float64]
_Number = Annotated[float, Field(strict=True)]
# Within these bounds all quantiles are finite. "Never" can be written as a long time.
_SMALLEST_MEAN = 1e-9
_Value = Annotated[_Number, Field(ge=0, le=LONGEST)]


def _parameter(description: str, unit: str = "that of the key", **limits: Any) -> Any:
    return Field(description=description, json_schema_extra={"unit": unit}, **limits)


def _value(description: str) -> Any:
    return _parameter(description, ge=0, le=LONGEST)


def _mean(description: str) -> Any:
    return _parameter(description, ge=_SMALLEST_MEAN, le=LONGEST)


def _variation() -> Any:
    # Far beyond what is ever measured; without limits its square leaves the floating-point range.
    description = "Coefficient of variation: standard deviation / mean."
    return _parameter(description, "-", ge=0.001, le=100)


def _kind(default: Any = ...) -> Any:
    return Field(default, description="Which distribution.")


class _Distribution(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Constant(_Distribution):
    """Always the same value."""

    dist: Literal["constant"] = _kind("constant")
    value: _Number = _value("The value.")

    @property
    def expectation(self) -> float:
        """Expected value."""
        return self.value

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the value for each of ``uniforms`` (any shape, in [0, 1))."""
        return np.full_like(uniforms, self.value)


class Exponential(_Distribution):
    """Exponential: the time to an event that may happen at any moment."""

    dist: Literal["exponential"] = _kind()
    mean: _Number = _mean("Mean.")

    @property
    def expectation(self) -> float:
        """Expected value."""
        return self.mean

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        return np.asarray(-self.mean * scipy.special.log1p(-uniforms))


class Lognormal(_Distribution):
    """Lognormal, the usual shape of task and repair durations."""

    dist: Literal["lognormal"] = _kind()
    mean: _Number = _mean("Mean (not the median).")
    cv: _Number = _variation()

    @property
    def expectation(self) -> float:
        """Expected value."""
        return self.mean

    @property
    def logarithm(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm to base 2."""
        return _logarithm(self.mean, self.cv)

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        location, scale = self.logarithm
        return lognormal_quantiles(uniforms, location, scale)


def lognormal_quantiles(uniforms: Floats, location: Any, scale: Any) -> Floats:
    """Return the quantiles of lognormals at ``uniforms`` (any shape, in [0, 1)).

    Args:
        uniforms: where to evaluate.
        location: mean of the logarithm to base 2, one or such that it can be broadcast.
        scale: standard deviation of the logarithm to base 2, likewise.
    """
    # NumPy's exponential functions depend in their last digit on the processor, SciPy's do not.
    return np.asarray(scipy.special.exp2(location + scale * scipy.special.ndtri(uniforms)))


@functools.lru_cache(maxsize=1024)
def _logarithm(mean: float, cv: float) -> tuple[float, float]:
    variance = log1p(cv**2)
    return (log(mean) - variance / 2) / log(2), sqrt(variance) / log(2)


class Gamma(_Distribution):
    """Gamma; more regular than exponential if its cv is below 1."""

    dist: Literal["gamma"] = _kind()
    mean: _Number = _mean("Mean.")
    cv: _Number = _variation()

    @property
    def expectation(self) -> float:
        """Expected value."""
        return self.mean

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        shape = self.cv**-2
        return np.asarray(scipy.special.gammaincinv(shape, uniforms) * (self.mean / shape))


class _ThreePoint(_Distribution):
    low: _Number = _value("Smallest possible value.")
    mode: _Number = _value("Most likely value.")
    high: _Number = _value("Largest possible value.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not (self.low <= self.mode <= self.high and self.low < self.high):
            raise ValueError("needs low <= mode <= high and low < high")
        return self


class Triangular(_ThreePoint):
    """Triangular, an expert's three-point estimate."""

    dist: Literal["triangular"] = _kind()

    @property
    def expectation(self) -> float:
        """Expected value."""
        return (self.low + self.mode + self.high) / 3

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        span = self.high - self.low
        rising = self.low + np.sqrt(uniforms * span * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - uniforms) * span * (self.high - self.mode))
        return np.where(uniforms * span < self.mode - self.low, rising, falling)


class Pert(_ThreePoint):
    """PERT: a beta distribution over a three-point estimate, weighting the mode four times."""

    dist: Literal["pert"] = _kind()

    @property
    def expectation(self) -> float:
        """Expected value."""
        return (self.low + 4 * self.mode + self.high) / 6

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        span = self.high - self.low
        alpha = 1 + 4 * (self.mode - self.low) / span
        beta = 1 + 4 * (self.high - self.mode) / span
        return np.asarray(self.low + span * scipy.special.betaincinv(alpha, beta, uniforms))


class Uniform(_Distribution):
    """Uniform between two bounds."""

    dist: Literal["uniform"] = _kind()
    low: _Number = _value("Smallest possible value.")
    high: _Number = _value("Largest possible value.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError("needs low < high")
        return self

    @property
    def expectation(self) -> float:
        """Expected value."""
        return (self.low + self.high) / 2

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        return self.low + (self.high - self.low) * uniforms


class Empirical(_Distribution):
    """One of a list of observed values, each as likely as the others."""

    dist: Literal["empirical"] = _kind()
    values: tuple[_Value, ...] = _parameter(
        "Observed values.", min_length=1, max_length=LARGEST_COUNT
    )

    @property
    def expectation(self) -> float:
        """Expected value."""
        return float(np.mean(self.values))

    def quantile(self, uniforms: Floats) -> Floats:
        """Return the quantiles at ``uniforms`` (any shape, in [0, 1))."""
        return self._ordered[(uniforms * len(self.values)).astype(np.intp)]

    @functools.cached_property
    def _ordered(self) -> Floats:
        return np.sort(np.asarray(self.values, dtype=float))


_AnyDistribution = Annotated[
    Constant | Exponential | Lognormal | Gamma | Triangular | Pert | Uniform | Empirical,
    Field(discriminator="dist"),
]

KINDS: dict[str, type[_Distribution]] = {
    "constant": Constant,
    "exponential": Exponential,
    "lognormal": Lognormal,
    "gamma": Gamma,
    "triangular": Triangular,
    "pert": Pert,
    "uniform": Uniform,
    "empirical": Empirical,
}


def without_replaced(value: Any, tag: str, kinds: Mapping[str, type[BaseModel]]) -> Any:
    """Return the mapping ``value`` without parameters that only others of its ``kinds`` have.

    Hydra merges mappings: writing ``{dist: exponential, mean: 3}`` over a lognormal leaves the
    ``cv`` of the lognormal behind. Misspelt parameters stay, for validation to refuse.

    Args:
        value: what a scenario says; returned as it is if it is not one of the kinds.
        tag: the key that says which kind it is.
        kinds: the models by the value of that key.
    """
    chosen = value.get(tag) if isinstance(value, Mapping) else None
    if not isinstance(chosen, str) or chosen not in kinds:
        return value
    foreign = _only_of_others(kinds[chosen], tuple(kinds.values()))
    return {key: entry for key, entry in value.items() if key not in foreign}


@functools.cache
def _only_of_others(chosen: type[BaseModel], kinds: tuple[type[BaseModel], ...]) -> frozenset[str]:
    of_any = {name for kind in kinds for name in kind.model_fields}
    return frozenset(of_any - set(chosen.model_fields))


def _as_written(value: Any) -> Any:
    """Read a number as a constant, and forget parameters of the distribution replaced."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"dist": "constant", "value": value}
    return without_replaced(value, "dist", KINDS)


Distribution = Annotated[
    _AnyDistribution,
    BeforeValidator(_as_written, json_schema_input_type=_Value | _AnyDistribution),
]
"""Any of the distributions above, or a number for a constant."""
