"""Combinations that a sweep leaves out: those that somebody excludes, and those that make no sense.

A rule is a mapping of swept keys to values. It excludes the points that have all of them.
"""

from collections.abc import Mapping, Sequence

from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.variants import shown, word

from .axes import Axis

Point = tuple[object, ...]
Rule = Mapping[str, object]
"""A value, or several, by key."""


def without_excluded(
    axes: Sequence[Axis], points: Sequence[Point], rules: Sequence[Rule], design: str
) -> Sequence[Point]:
    """Return the points that no rule excludes, in their order.

    Args:
        axes: what is swept; each point has a value of each of them.
        points: of the design.
        rules: the setting `exclude`.
        design: which one it is.

    Raises:
        ScenarioError: a rule names what is not swept, or excludes nothing; no point is left; or the
            design is a sample, which would be no sample of anything known without some points.
    """
    if not rules:
        return points
    if design not in ("grid", "zip"):
        hint = "leave it out, or take design=grid"
        raise ScenarioError([Problem("exclude", f"is not for design={design}", hint)])
    conditions = [_conditions(number, rule, axes) for number, rule in enumerate(rules)]
    hits = [0] * len(rules)
    left = []
    for point in points:
        excluding = [
            number
            for number, condition in enumerate(conditions)
            if all(point[place] in values for place, values in condition.items())
        ]
        for number in excluding:
            hits[number] += 1
        if not excluding:
            left.append(point)
    for number, hit in enumerate(hits):
        if not hit:
            said = ", ".join(f"{key}: {shown(value)}" for key, value in rules[number].items())
            problem = Problem(f"exclude.{number}", f"no point has {{{said}}}", "leave it out")
            raise ScenarioError([problem])
    if not left:
        raise ScenarioError([Problem("exclude", f"leaves none of {len(points):,} points")])
    return left


def _conditions(number: int, rule: Rule, axes: Sequence[Axis]) -> dict[int, "_Values"]:
    """Return the values that a rule is about, by the place of their key in a point."""
    keys = [axis.key for axis in axes]
    found = {}
    for key, value in rule.items():
        at = f"exclude.{number}.{key}"
        if key not in keys:
            hint = f"{nearest(key, keys)}; exclude=[] leaves out no point"
            raise ScenarioError([Problem(at, "is not swept", hint)])
        place = keys.index(key)
        listed = axes[place].listed or ()
        # A list may be a single value, if lists are what is swept.
        several = isinstance(value, list | tuple) and value not in _Values(listed)
        wanted = _Values(tuple(value) if several else (value,))  # type: ignore[arg-type]
        for each in wanted.values:
            if each not in _Values(listed):
                hint = nearest(word(each), map(word, listed))
                raise ScenarioError([Problem(at, f"{shown(each)} is not swept", hint)])
        found[place] = wanted
    return found


class _Values:
    """Some values, of which 1 is 1.0, but not true."""

    def __init__(self, values: tuple[object, ...]) -> None:
        self.values = values

    def __contains__(self, value: object) -> bool:
        return any(
            value == other and isinstance(value, bool) == isinstance(other, bool)
            for other in self.values
        )
