"""Variants of a scenario: the same with other values, one for each point of a sweep."""

import pickle
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

from .errors import Problem, ScenarioError, nearest
from .from_data import chosen_names, validate
from .organization import Scenario


class Composed(NamedTuple):
    """Plain data of a scenario.

    Attributes:
        data: the data.
        can_be_set: other values of the keys that need no composing may be set in them.
    """

    data: Mapping[str, Any]
    can_be_set: bool = True


Compose = Callable[[tuple[object, ...]], Composed]
"""Composes the scenario of a point, given the values of all keys there."""

_KEPT = 64
_KEPT_SMALL = 20_000
"""Combinations that are composed once only: compressed, each takes about 3 kB."""


class Variants:
    """The scenarios of a sweep, each made when it is asked for, so that memory does not grow.

    A point is composed with the values that have to be, and the first ones of all other keys. The
    values of those are set in a copy of the result, of which only the mappings on the way to the
    value are new. Where that is not the same as composing, every point is composed.

    Args:
        keys: what is varied: dotted keys, or config groups.
        points: values of the keys at each point.
        compose: makes the data of a point.
        composed: which of the keys have to be composed in any case.
        checked: keys whose values must have an effect; by default those that are varied.
    """

    def __init__(
        self,
        keys: Sequence[str],
        points: Sequence[tuple[object, ...]],
        compose: Compose,
        composed: Sequence[str] = (),
        checked: Sequence[str] | None = None,
    ) -> None:
        self.keys = tuple(keys)
        self.points = points
        self._compose = _kept(compose)
        self._set = [place for place, key in enumerate(keys) if key not in composed]
        self._checked = self.keys if checked is None else checked
        self.fixed: tuple[str, ...] | None = None
        """The overrides that are the same at all points; None if that is not known."""

    def __len__(self) -> int:
        return len(self.points)

    def add(self, points: Sequence[tuple[object, ...]]) -> None:
        """Add points behind those that are there."""
        self.points = [*self.points, *points]

    def scenario(self, point: int) -> Scenario:
        """Return the scenario of a point.

        Raises:
            ScenarioError: it is not valid.
        """
        data = self.data(point)
        return validate(data, [name for key in self._checked for name in every_key(data, key)])

    def data(self, point: int) -> Mapping[str, Any]:
        """Return the scenario of a point as plain data, not validated."""
        data = self._compose(self.base(point)).data
        for key, value in self.set_values(point).items():
            _refuse_unknown_names(data, key)
            data = with_value(data, key, value)
        return data

    def values(self, point: int) -> dict[str, object]:
        """Return the values at a point, by key."""
        return dict(zip(self.keys, self.points[point], strict=True))

    def base(self, point: int) -> tuple[object, ...]:
        """Return the values with which a point is composed; points with the same share a base."""
        first = self._first(point)
        return first if self._compose(first).can_be_set else self.points[point]

    def set_values(self, point: int) -> dict[str, object]:
        """Return the values at a point that are set in its base, by key.

        Raises:
            ScenarioError: a ``*`` stands for nothing there.
        """
        made = self._compose(self._first(point))
        if not made.can_be_set:
            return {}
        return {
            key: self.points[point][place]
            for place in self._set
            for key in every_key(made.data, self.keys[place])
        }

    def _first(self, point: int) -> tuple[object, ...]:
        values = list(self.points[point])
        for place in self._set:
            values[place] = self.points[0][place]
        return tuple(values)

    def label(self, point: int) -> str:
        """Return the overrides that make the scenario of a point."""
        pairs = zip(self.keys, self.points[point], strict=True)
        return " ".join(f"{key}={word(value)}" for key, value in pairs)


def _kept(compose: Compose) -> Compose:
    """Return a function that composes each combination of values once.

    The last ones are kept as they are, many more in little memory.
    """
    # Mappings and lists cannot be looked up, their words can; and 1, 1.0 and true are equal.
    asked: dict[tuple[str, ...], tuple[object, ...]] = {}

    @lru_cache(_KEPT_SMALL)
    def small(words: tuple[str, ...]) -> bytes:
        return zlib.compress(pickle.dumps(compose(asked[words])), level=1)

    @lru_cache(_KEPT)
    def composed(words: tuple[str, ...]) -> Composed:
        made: Composed = pickle.loads(zlib.decompress(small(words)))
        return made

    def look_up(values: tuple[object, ...]) -> Composed:
        words = tuple(map(word, values))
        asked[words] = values
        try:
            return composed(words)
        finally:
            del asked[words]

    return look_up


_EVERY = "*"
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_/.-]*")
_OTHER_MEANING = re.compile("null|true|false|nan|inf", re.IGNORECASE)
_BACKSLASHES_BEFORE_A_QUOTE = re.compile(r"(\\+)(?='|\Z)")
_SPECIAL_IN_A_KEY = re.compile(r"[\\()\[\]{}:=, \t]")


def word(value: object) -> str:
    """Return a value as the command line takes it, so that it is read back as the same value."""
    if isinstance(value, str):
        plain = _SAFE.fullmatch(value) and not _OTHER_MEANING.fullmatch(value)
        return value if plain else _quoted(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(word, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(k)}:{word(v)}" for k, v in value.items()) + "}"
    return shown(value)


def _quoted(text: str) -> str:
    """Return a text in quotes, in which a backslash is one unless it stands before a quote."""
    doubled = _BACKSLASHES_BEFORE_A_QUOTE.sub(r"\1\1", text).replace("'", r"\'")
    return f"'{doubled}'"


def _key(key: object) -> str:
    """Return a key of a mapping, which may not be quoted."""
    return _SPECIAL_IN_A_KEY.sub(r"\\\g<0>", key) if isinstance(key, str) else word(key)


def shown(value: object) -> str:
    """Return a value the way it is written in YAML and on the command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple | Mapping):
        return word(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def of_a_table(value: object) -> object:
    """Return a value as tables have it, in which mappings and lists are text."""
    return word(value) if isinstance(value, list | tuple | Mapping) else value


def every_key(data: Mapping[str, Any], key: str) -> list[str]:
    """Return the keys that one with ``*`` stands for: with every name that is there in its place.

    Raises:
        ScenarioError: there are no names.
    """
    found = [""]
    for number, part in enumerate(key.split(".")):
        if part == _EVERY:
            found = [f"{at}{name}." for at in found for name in _names_at(data, at[:-1])]
        else:
            found = [f"{at}{part}." for at in found]
        if not found:
            at = ".".join(key.split(".")[:number])
            raise ScenarioError([Problem(key, f"there is nothing in {at}", "name one thing")])
    return [each[:-1] for each in found]


def _names_at(data: Mapping[str, Any], key: str) -> list[str]:
    names = _at(data, key) if key else data
    return [str(name) for name in names] if isinstance(names, Mapping) else []


def _refuse_unknown_names(data: Mapping[str, Any], key: str) -> None:
    """Refuse a key of a step, team, service, role or pool that is not there."""
    for parent, name in chosen_names(key):
        names = _at(data, parent)
        if isinstance(names, Mapping) and name not in names:
            problem = Problem(f"{parent}.{name}", "is not in this scenario", nearest(name, names))
            raise ScenarioError([problem])


def with_settings(scenario: Scenario, **given: int | None) -> Scenario:
    """Return a scenario with other values at the top; those that are None stay as they are.

    Raises:
        ScenarioError: a value is not allowed.
    """
    changed = {key: _own(value) for key, value in given.items() if value is not None}
    if not changed:
        return scenario
    return validate(scenario.model_dump(mode="json", by_alias=True) | changed)


def _own(value: int) -> int:
    """Return a whole number as Python's own, which a scenario takes: NumPy's is none."""
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    return int(value) if is_number else value


def with_value(data: Mapping[str, Any], key: str, value: object) -> dict[str, Any]:
    """Return ``data`` with another value at a dotted key; ``data`` itself stays as it is.

    Raises:
        ScenarioError: the key leads through something that is no mapping.
    """
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
