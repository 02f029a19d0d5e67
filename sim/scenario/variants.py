"""Variants of a scenario: the same with other values, one for each point of a sweep."""

import pickle
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from .errors import Problem, ScenarioError, nearest
from .organization import Scenario
from .validation import chosen_names, validate

Compose = Callable[[tuple[object, ...]], Mapping[str, Any]]
"""Returns plain data of a scenario, given the values of the keys that have to be composed."""

_KEPT = 64
_KEPT_SMALL = 20_000
"""Combinations that are composed once only: compressed, each takes about 3 kB."""


class Variants:
    """The scenarios of a sweep, each made when it is asked for, so that memory does not grow.

    What Hydra has to compose is composed once for each combination; plain values are set in a copy
    of the result, of which only the mappings on the way to the value are new.

    Args:
        keys: what is varied: dotted keys, or config groups, which have to be composed.
        points: values of the keys at each point.
        compose: makes the data in which values are set.
        composed: which of the keys have to be composed.
    """

    def __init__(
        self,
        keys: Sequence[str],
        points: Sequence[tuple[object, ...]],
        compose: Compose,
        composed: Sequence[str] = (),
    ) -> None:
        self.keys = tuple(keys)
        self.points = points
        self._compose = lru_cache(_KEPT)(_kept_small(compose))
        self._composed = [place for place, key in enumerate(keys) if key in composed]
        self._set = [place for place, key in enumerate(keys) if key not in composed]
        self._checked = [keys[place] for place in self._set]

    def __len__(self) -> int:
        return len(self.points)

    def scenario(self, point: int) -> Scenario:
        """Return the scenario of a point.

        Raises:
            ScenarioError: it is not valid.
        """
        return validate(self.data(point), self._checked)

    def data(self, point: int) -> Mapping[str, Any]:
        """Return the scenario of a point as plain data, not validated."""
        data = self._compose(self.composed_values(point))
        for key, value in self.set_values(point).items():
            data = with_value(data, key, value)
        return data

    def composed_values(self, point: int) -> tuple[object, ...]:
        """Return the values at a point of what has to be composed."""
        return tuple(self.points[point][place] for place in self._composed)

    def set_values(self, point: int) -> dict[str, object]:
        """Return the values at a point that are set in what was composed, by key."""
        return {self.keys[place]: self.points[point][place] for place in self._set}

    def label(self, point: int) -> str:
        """Return the overrides that make the scenario of a point."""
        pairs = zip(self.keys, self.points[point], strict=True)
        return " ".join(f"{key}={exact(value)}" for key, value in pairs)


def _kept_small(compose: Compose) -> Compose:
    """Return a function that keeps what has been composed in little memory."""

    @lru_cache(_KEPT_SMALL)
    def composed(values: tuple[object, ...]) -> bytes:
        return zlib.compress(pickle.dumps(compose(values)), level=1)

    def again(values: tuple[object, ...]) -> Mapping[str, Any]:
        data: Mapping[str, Any] = pickle.loads(zlib.decompress(composed(values)))
        return data

    return again


def exact(value: object) -> str:
    """Return a value with all its digits, so that it can be given again."""
    return repr(value) if isinstance(value, float) else shown(value)


def shown(value: object) -> str:
    """Return a value the way it is written in YAML and on the command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def with_value(data: Mapping[str, Any], key: str, value: object) -> dict[str, Any]:
    """Return ``data`` with another value at a dotted key; ``data`` itself stays as it is.

    Raises:
        ScenarioError: the key leads through something that is no mapping, or names a step, team,
            service, role or pool that is not there.
    """
    for parent, name in chosen_names(key):
        names = _at(data, parent)
        if isinstance(names, Mapping) and name not in names:
            problem = Problem(f"{parent}.{name}", "is not in this scenario", nearest(name, names))
            raise ScenarioError([problem])
    return _with_value(data, key.split("."), value, key)


def _with_value(
    data: Mapping[str, Any], parts: Sequence[str], value: object, key: str
) -> dict[str, Any]:
    first, *rest = parts
    if not rest:
        return {**data, first: value}
    inner = data.get(first)
    if inner is None:  # a part that the scenario leaves out
        inner = {}
    if not isinstance(inner, Mapping):
        at = key.removesuffix("." + ".".join(rest))
        what = f"leads through {at}, which is {shown(inner)}"
        raise ScenarioError([Problem(key, what, f"set {at} itself")])
    return {**data, first: _with_value(inner, rest, value, key)}


def _at(data: Mapping[str, Any], key: str) -> object:
    value: object = data
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
