"""The state of a page, as a link and as scenarios: its organizations, and how to simulate them.

Everything that the page shows follows from its state, and the whole state is in its address, so
that a link restores it. A link says only what differs from what its choices set, and all that it
can say is on a closed list with limits.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from sim.configuration.composition import Files, read, shipped
from sim.configuration.load import composed_scenario, load
from sim.report.units import format_given
from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.organization import Scenario

from .choices import NO_MATURITY, maturities, organizations, practices
from .controls import NO, ON_CALL, YES, Control, controls, overrides, roles

ARMS = ("a", "b", "c", "d")
FIRST = ARMS[0]
FEWEST_ARMS = 2
MOST_REPLICATIONS = 60
MOST_SEED = 2**32 - 1
OWN = "own-"
"""Begins the name of an organization that somebody has uploaded."""
NO_LEVEL = "none"
"""The level of a practice that an organization does not have."""
_START: Mapping[str, str] = {"b.automation": "0.8"}
"""The query of the page that opens: a question to begin with."""
_DIGITS = 2
"""Of dials, as the sliders have them."""
_DIALS = ("automation", "standardization")


@dataclass(frozen=True)
class Arm:
    """One of the organizations.

    Attributes:
        organization: name of a preset of ``scenarios/organization``, or of an uploaded one.
        maturity: name of a preset of ``scenarios/maturity``, or none.
        levels: levels of practices where they differ from what the presets set.
        values: values by the key of their control, where they differ from what all of that sets.
        files: of an uploaded organization.
    """

    organization: str
    maturity: str = NO_MATURITY
    levels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    files: Files | None = None

    def choices(self) -> list[str]:
        """Return the choices of config groups that make this organization."""
        found = [] if self.files else [f"organization={self.organization}"]
        if self.maturity != NO_MATURITY:
            found.append(f"maturity={self.maturity}")
        levels = (f"practice/{practice}={level}" for practice, level in self.levels.items())
        return [*found, *levels]

    def overrides(self) -> list[str]:
        """Return what makes this organization out of its file on a command line."""
        return [*self.choices(), *overrides(self.base(), self.values)]

    def composed(self, overrides: list[str]) -> Scenario:
        """Return what the file of this organization and some overrides make.

        Raises:
            ScenarioError: it is not valid.
        """
        return composed_scenario(self.files or shipped("default"), overrides)

    def base(self) -> Scenario:
        """Return the organization with all that is chosen, before values are changed."""
        return self.composed(self.choices())

    @property
    def has_choices(self) -> bool:
        """Whether practices and maturity can be chosen: an uploaded file may be complete."""
        return self.files is None or "practice/testing" in read(self.files, []).choices


@dataclass(frozen=True)
class RoadmapChoice:
    """What the roadmap of the page introduces, and into which organization."""

    arm: str = FIRST
    practice: str = "cicd"
    level: str = "full"
    week: int = 30
    role: str = "ml_engineer"
    effort_h: int = 300
    learning_weeks: int = 12
    learning_slowdown: float = 0.3

    def override(self) -> str:
        """Return what the command line says to have it."""
        return (
            f"roadmap=[{{practice:{self.practice},level:{self.level},start_week:{self.week},"
            f"effort_h:{{{self.role}:{self.effort_h}}},learning_weeks:{self.learning_weeks},"
            f"learning_slowdown:{self.learning_slowdown}}}]"
        )


ROADMAP_LIMITS: Mapping[str, tuple[float, float, bool]] = {
    "week": (0, 104, True),
    "effort_h": (0, 5000, True),
    "learning_weeks": (0, 52, True),
    "learning_slowdown": (0, 2, False),
}
"""The lowest and highest value of each number of a roadmap, and whether it is whole."""


@dataclass(frozen=True)
class State:
    """The state of the controls of a page."""

    arms: Mapping[str, Arm]
    seed: int
    replications: int
    explained: str
    roadmap: RoadmapChoice

    def overrides(self, arm: str) -> list[str]:
        """Return the whole command line of an arm."""
        settings = [f"seed={self.seed}", f"replications={self.replications}"]
        return [*self.arms[arm].overrides(), *settings]

    def scenario(self, arm: str) -> Scenario:
        """Return the scenario of an arm.

        Raises:
            ScenarioError: it is not valid.
        """
        return self.arms[arm].composed(self.overrides(arm))

    def scenario_with_roadmap(self) -> Scenario:
        """Return the scenario of the arm of the roadmap, with the roadmap.

        Raises:
            ScenarioError: it is not valid.
        """
        arm = self.roadmap.arm
        return self.arms[arm].composed([*self.overrides(arm), self.roadmap.override()])


class _Reader:
    """Takes a link apart, and collects what is wrong with it.

    Attributes:
        left: what nobody has asked for yet.
        problems: what is wrong.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.left = dict(query)
        self.problems: list[Problem] = []

    def choice(self, key: str, default: str, allowed: Collection[str]) -> str:
        """Return what is said of a key with a list of answers; what is wrong is the default."""
        text = self.left.pop(key, default)
        if text in allowed:
            return text
        what = f"'{text[:40]}' is not one of them"
        self.problems.append(Problem(key, what, nearest(text, filter(None, allowed))))
        return default

    def number(self, key: str, default: float, low: float, high: float, whole: bool) -> float:
        """Return what is said of a key with a range; what is wrong is the default."""
        text = self.left.pop(key, None)
        if text is None:
            return default
        wrong = _range_problem(key, text, low, high, whole)
        self.problems += wrong
        return default if wrong else float(text)

    def values(self, arm: str, known: Mapping[str, Control]) -> dict[str, str]:
        """Return the values that are said of an arm, where they differ from those it has."""
        found = {}
        for key in [key for key in self.left if key.startswith(f"{arm}.")]:
            control = known.get(key.partition(".")[2])
            if control is None:
                continue
            text = self.left.pop(key)
            wrong = list(_value_problem(key, text, control))
            self.problems += wrong
            if not wrong and (text := _as_control(text, control)) != control.text:
                found[control.key] = text
        return found


def from_query(query: Mapping[str, str], own: Mapping[str, Files] | None = None) -> State:
    """Return the state that a query describes; without any, that of the page that opens.

    Args:
        query: what the link says.
        own: files of uploaded organizations, by the name that links have for them.

    Raises:
        ScenarioError: it names something that there is not, or a value is out of its range.
    """
    reader = _Reader(query or _START)
    counts = [str(count) for count in range(FEWEST_ARMS, len(ARMS) + 1)]
    there = ARMS[: int(reader.choice("arms", counts[0], counts))]
    default = _default()
    seed = reader.number("seed", default.seed, 0, MOST_SEED, whole=True)
    replications = reader.number(
        "replications", default.replications, 2, MOST_REPLICATIONS, whole=True
    )
    explained = reader.choice("explain", there[-1], there[1:])
    arms = {arm: _arm(reader, arm, own or {}) for arm in there}
    roadmap = _roadmap(reader, arms)
    for key in reader.left:
        reader.problems.append(Problem(key, "is not known to this page", _hint(key, arms)))
    if reader.problems:
        raise ScenarioError(reader.problems)
    return State(arms, int(seed), int(replications), explained, roadmap)


@cache
def _default() -> Scenario:
    return load()


def _arm(reader: _Reader, arm: str, own: Mapping[str, Files]) -> Arm:
    key = f"{arm}.organization"
    if reader.left.get(key, "").startswith(OWN) and reader.left[key] not in own:
        what = "the uploaded file is not kept here any more"
        reader.problems.append(Problem(key, what, "upload it again"))
        del reader.left[key]
    organization = reader.choice(key, "midsize", [*organizations(), *own])
    found = Arm(organization, files=own.get(organization))
    if found.has_choices:
        maturity = reader.choice(f"{arm}.maturity", NO_MATURITY, maturities())
        levels = {
            practice: reader.choice(f"{arm}.{practice}", "", ("", *known))
            for practice, known in practices().items()
        }
        found = _with_levels(replace(found, maturity=maturity), levels)
    return replace(found, values=reader.values(arm, controls(found.base())))


def _with_levels(arm: Arm, levels: Mapping[str, str]) -> Arm:
    """Return the arm with these levels, of which it names those that its presets do not set."""
    of_presets = levels_of(arm.base())
    explicit = {
        practice: level
        for practice, level in levels.items()
        if level and level != of_presets[practice]
    }
    return replace(arm, levels=explicit)


def _roadmap(reader: _Reader, arms: Mapping[str, Arm]) -> RoadmapChoice:
    default = RoadmapChoice()
    arm = reader.choice("roadmap.arm", default.arm, list(arms))
    levels = [f"{name}={level}" for name, known in practices().items() for level in known]
    brings = reader.choice("roadmap.brings", f"{default.practice}={default.level}", levels)
    known = roles(arms[arm].base())
    role = reader.choice("roadmap.role", default_role(known), known)
    numbers = {
        name: reader.number(f"roadmap.{name}", getattr(default, name), *limits)
        for name, limits in ROADMAP_LIMITS.items()
    }
    practice, _, level = brings.partition("=")
    return RoadmapChoice(
        arm,
        practice,
        level,
        int(numbers["week"]),
        role,
        int(numbers["effort_h"]),
        int(numbers["learning_weeks"]),
        numbers["learning_slowdown"],
    )


def levels_of(scenario: Scenario) -> dict[str, str]:
    """Return the level of every practice of the page in a scenario."""
    return {name: scenario.practices.get(name, NO_LEVEL) for name in practices()}


def default_role(known: Collection[str]) -> str:
    """Return who builds what a roadmap introduces, unless somebody says otherwise."""
    usual = RoadmapChoice().role
    return usual if usual in known else next(iter(known))


def _hint(key: str, arms: Mapping[str, Arm]) -> str:
    name = key.partition(".")[2]
    known = {"organization", "maturity", *practices()}
    for arm in arms.values():
        known |= set(controls(arm.base()))
    return nearest(name, sorted(known)) if name else nearest(key, ["seed", "replications", "arms"])


def _as_control(text: str, control: Control) -> str:
    """Return a text as the control has it, with its digits."""
    if control.key.startswith(f"{ON_CALL}."):
        return text
    value = round(float(text), _DIGITS) if control.key in _DIALS else float(text)
    return str(int(value)) if value.is_integer() else repr(value)


def _value_problem(key: str, text: str, control: Control) -> Iterator[Problem]:
    if control.key.startswith(f"{ON_CALL}."):
        if text not in (YES, NO):
            yield Problem(key, f"'{text[:40]}' is not one of them", f"valid: {YES}, {NO}")
    else:
        yield from _range_problem(key, text, control.low, control.high, control.is_whole)


def _range_problem(key: str, text: str, low: float, high: float, whole: bool) -> list[Problem]:
    plain = text.isascii() and "_" not in text
    try:
        value = float(int(text) if whole else float(text)) if plain else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if low <= value <= high:
        return []
    kind = "whole number" if whole else "number"
    return [
        Problem(
            key, f"'{text[:40]}' is not a {kind} from {format_given(low)} to {format_given(high)}"
        )
    ]
