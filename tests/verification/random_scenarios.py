"""Random valid scenarios up to the bounds of every parameter, drawn from the models themselves.

The fields of the models are walked with their limits, so that a new parameter is covered without a
word here. Only what names something else in the scenario is known by name.
"""

import math
import random
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sim.experiment.workload import workload
from sim.scenario.effects import EFFECTS
from sim.scenario.errors import ScenarioError
from sim.scenario.from_data import validate
from sim.scenario.organization import STAGES, Scenario, Step
from sim.scenario.roadmap import UNCHANGEABLE, differences
from sim.scenario.settings import FOR_READERS, OF_A_SWEEP

# The roles that the models name where a scenario does not.
ROLES = ("data_scientist", "ml_engineer", "operations", "data_engineer", "platform")
TEAMS, SERVICES = ("red", "blue"), ("model", "ranker")
STEPS, POOLS = ("build", "train", "review", "deploy", "verify"), ("gpu", "ci")

# What a name means that is the key of a mapping, or the value of a field.
KEYS = {
    "teams": TEAMS,
    "services": SERVICES,
    "steps": STEPS,
    "compute": POOLS,
    "compute_per_h": POOLS,
    "people": ROLES,
    "shared_people": ROLES,
    "working_hours_of": ROLES,
    "person_per_h_of": ROLES,
    "effort_h": ROLES,  # of an item of the roadmap
}
NAMES = {
    "team": TEAMS,
    "upstream": SERVICES,
    "hidden_upstream": SERVICES,
    "compute": POOLS,
    "returns_to": STEPS,
    "effect": EFFECTS,
}
# Experiments are small and without a sweep; the roadmap is made of two organizations.
LEFT_OUT = (
    FOR_READERS | OF_A_SWEEP | {"replications", "seed", "horizon_weeks", "warmup_weeks", "roadmap"}
)
MOST_ROWS = 10_000
"""What is expected to give more is drawn again."""


def few_and_more(few: int, more: int) -> list[Any]:
    """Return seeds from 0 on as values of a parameter: all but the first few are slow tests."""
    return [
        seed if seed < few else pytest.param(seed, marks=pytest.mark.slow) for seed in range(more)
    ]


def random_scenario(seed: int) -> Scenario:
    """Return a random valid scenario of a few weeks, the same for the same ``seed``."""
    chance = random.Random(seed)
    while True:
        # In most of them most parameters are ordinary, as too much of everything is no
        # organization at all, and mechanisms hide each other.
        draws = _Draws(chance, wild=chance.choice([0.0, 0.03, 0.1, 0.3, 1.0]))
        try:
            scenario = _scenario(draws)
            if chance.random() < 0.3:
                scenario = _with_roadmap(draws, scenario)
        except (ScenarioError, ValidationError):
            continue
        expected = workload(scenario)
        if expected.total_rows + expected.silent < MOST_ROWS:
            return scenario


def _scenario(draws: "_Draws") -> Scenario:
    data = draws.fields(Scenario, LEFT_OUT)
    data |= {"name": "random", "replications": 1, "horizon_weeks": draws.chance.randint(1, 4)}
    for key, names, model in (
        ("teams", TEAMS, _TEAM),
        ("services", SERVICES, _SERVICE),
        ("compute", POOLS, _POOL),
    ):
        there = data.get(key, {})
        data[key] = {name: there.get(name) or draws.model(model) for name in names}
    for team in data["teams"].values():
        there = {role for role, headcount in team["people"].items() if headcount > 0}
        plays = team.get("plays", {}).items()
        team["plays"] = {role: by for role, by in plays if by in there and role not in there}
    shared = data.get("shared_people", {})
    data["shared_people"] = {role: shared.get(role) or 1 for role in ROLES}
    steps = {}
    for place, name in enumerate(STEPS):
        step = dict(data["pipeline"]["steps"].get(name) or draws.model(Step))
        if name == "deploy":
            step |= {"effect": "deploys", "skipped_by": [], "standard_changes": {}}
        elif step.get("effect") == "deploys":
            step["effect"] = None
        if name == "verify":
            step["adds"] = {}
        if step.get("role") is None:
            step["golden_path_role"] = None
        if name in STAGES:
            step["stage"] = None
        if step.get("returns_to") not in (None, *STEPS[: place + 1]):
            step["returns_to"] = None
        steps[name] = step
    data["pipeline"]["steps"] = steps
    return validate(data)


def _with_roadmap(draws: "_Draws", scenario: Scenario) -> Scenario:
    """Return ``scenario`` with an item that brings some of what another one has."""
    before = scenario.model_dump(mode="json", by_alias=True)
    after = _scenario(draws).model_dump(mode="json", by_alias=True)
    different = [
        (key, value)
        for key, value in differences(before, after).items()
        if key.split(".")[0] not in UNCHANGEABLE
        and not key.endswith((".effect", "feature", "feature.arrivals"))
    ]
    item = {
        "practice": "practice",
        "level": "level",
        "start_week": draws.chance.randrange(scenario.horizon_weeks),
        "effort_h": {draws.chance.choice(ROLES): draws.chance.choice([0, 1, 1000, 1_000_000])},
        "learning_weeks": draws.chance.choice([0, 1, 520]),
        "learning_slowdown": draws.chance.choice([0, 0.5, 10]),
        "brings": dict(draws.chance.sample(different, min(len(different), 20))),
    }
    return validate(before | {"roadmap": [item]})


class _Draws:
    """Draws values for the fields of models.

    Args:
        chance: what decides.
        wild: share of the numbers that may lie anywhere up to their bounds.
    """

    def __init__(self, chance: random.Random, wild: float) -> None:
        self.chance = chance
        self._wild = wild

    def model(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return data that make a valid ``model``."""
        for _ in range(200):
            data = self.fields(model)
            try:
                model.model_validate(data)
            except ValidationError:
                continue
            return data
        raise AssertionError(f"no {model.__name__} is valid")

    def fields(self, model: type[BaseModel], but: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return data for the fields of ``model``, which need not fit together."""
        data = {}
        for name, field in model.model_fields.items():
            if name in but or (not field.is_required() and self.chance.random() < 0.2):
                continue
            data[field.alias or name] = self._value(name, field.annotation, field.metadata)
        return data

    def _value(self, name: str, kind: Any, limits: list[Any]) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._value(name, arguments[0], _flat([*arguments[1:], *limits]))
        if origin in (Union, types.UnionType):
            given = [each for each in arguments if each is not types.NoneType]
            left_out = len(given) < len(arguments) and self.chance.random() < 0.3
            return None if left_out else self._value(name, self.chance.choice(given), limits)
        if origin is Literal:
            return self.chance.choice(arguments)
        if origin is dict:
            return self._mapping(name, *arguments)
        if origin is tuple:
            size = self.chance.choice([1, 1, 2, 3])
            values = [self._value(name, arguments[0], []) for _ in range(size)]
            return values if isinstance(values[0], int | float) else list(dict.fromkeys(values))
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind)
        if kind is bool:
            return self.chance.random() < 0.5
        if kind is str:
            return self.chance.choice(NAMES.get(name, ROLES))
        if kind is int:
            return round(self._number(*_bounds(limits), whole=True))
        assert kind is float, (name, kind)
        return self._number(*_bounds(limits))

    def _mapping(self, name: str, key: Any, value: Any) -> dict[Any, Any]:
        keys = get_args(key) or KEYS.get(name, ROLES)
        if get_origin(key) is Annotated:
            keys = KEYS.get(name, ROLES)
        chosen = [each for each in keys if self.chance.random() < 0.5] or [keys[0]]
        return {each: self._value(name, value, []) for each in chosen}

    def _number(self, low: float, high: float, whole: bool = False) -> float:
        """Return a number between its bounds: on them, anywhere in magnitude, or a usual one."""
        if self.chance.random() < self._wild:
            if self.chance.random() < 0.3:
                return self.chance.choice([low, high])
            smallest = max(low, 1 if whole else 1e-9)
            return math.exp(self.chance.uniform(math.log(smallest), math.log(high)))
        if high <= 1:
            return min(max(self.chance.choice([0.0, 0.1, 0.3, self.chance.random()]), low), high)
        usual = self.chance.uniform(0, 3) if whole else 10 ** self.chance.uniform(-1, 1.5)
        return min(low + usual, high)


def _flat(limits: list[Any]) -> list[Any]:
    return [
        limit
        for each in limits
        for limit in (each.metadata if isinstance(each, FieldInfo) else [each])
    ]


def _bounds(limits: list[Any]) -> tuple[float, float]:
    """Return the smallest and the largest number within ``limits``."""
    low = [float(each.ge) for each in limits if isinstance(each, Ge)]
    low += [math.nextafter(float(each.gt), math.inf) for each in limits if isinstance(each, Gt)]
    high = [float(each.le) for each in limits if isinstance(each, Le)]
    high += [math.nextafter(float(each.lt), -math.inf) for each in limits if isinstance(each, Lt)]
    return max(low), min(high)


def _model_of(name: str) -> type[BaseModel]:
    model = get_args(Scenario.model_fields[name].annotation)[1]
    assert issubclass(model, BaseModel)
    return model


_TEAM, _SERVICE, _POOL = _model_of("teams"), _model_of("services"), _model_of("compute")


def shown(data: Mapping[str, Any], before: str = "") -> str:
    """Return the leaves of a scenario, one per line, to look at one that fails."""
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping) and value and "dist" not in value:
            lines.append(shown(value, f"{before}{key}."))
        else:
            lines.append(f"{before}{key}={value}")
    return "\n".join(lines)
