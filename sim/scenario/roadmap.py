"""The roadmap: what an organization is like after each practice that it introduces."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from .errors import Problem, ScenarioError, nearest
from .organization import Scenario
from .settings import FOR_READERS, OF_A_SWEEP

UNCHANGEABLE = (
    FOR_READERS
    | OF_A_SWEEP
    | {"replications", "seed", "horizon_weeks", "warmup_weeks"}
    | {"teams", "shared_people", "services", "interrupting", "roadmap"}
)
"""Keys that no practice changes in an organization that is at work."""
_RECORDS = {"practices", "practice_reach", "cost"}
"""What a level writes down, and its price: they change nothing in the way work is done."""


def stages(scenario: Scenario) -> list[Scenario]:
    """Return the organization as it is after each item of its roadmap, which must be valid."""
    return [Scenario.model_validate(data) for data in stages_as_data(scenario)]


def stages_as_data(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """Return the same as plain data, not validated yet.

    Raises:
        ScenarioError: an item changes what cannot be changed.
    """
    if not scenario.roadmap:
        return
    data = _dumped(scenario)
    data["roadmap"] = []
    for number, item in enumerate(scenario.roadmap):
        for key, value in item.brings.items():
            _set(data, key, deepcopy(value), f"roadmap.{number}.brings")
        yield deepcopy(data)


def fixed(before: Scenario, after: Scenario) -> Iterator[Problem]:
    """Yield what ``after`` changes in the structure of an organization that is at work."""
    what = "cannot change while the simulation runs"
    for key, names, later in (
        ("pipeline.steps", before.pipeline.steps, after.pipeline.steps),
        ("compute", before.compute, after.compute),
    ):
        for name in later.keys() - names.keys():
            hint = nearest(name, names)
            yield Problem(f"{key}.{name}", f"is not there before, which {what}", hint)
        for name in names.keys() - later.keys():
            yield Problem(f"{key}.{name}", f"is no longer there, which {what}")
    for name in before.pipeline.steps.keys() & after.pipeline.steps.keys():
        if before.pipeline.steps[name].effect != after.pipeline.steps[name].effect:
            yield Problem(f"pipeline.steps.{name}.effect", what)
    features = [scenario.changes.feature for scenario in (before, after)]
    arrivals = [feature and feature.arrivals for feature in features]
    if arrivals[0] != arrivals[1]:
        yield Problem("changes.feature.arrivals", what)


def fill_in(
    data: dict[str, Any],
    compose: Callable[[Mapping[str, str]], Scenario],
    options: Callable[[str], list[str]],
) -> None:
    """Fill in what the items of a roadmap bring that name a practice and no keys of their own.

    Args:
        data: a composed scenario.
        compose: composes it again without its roadmap and with other levels of practices.
        options: returns what there is in a config group.

    Raises:
        ScenarioError: there is no such practice, or no such level of it.
    """
    chosen: dict[str, str] = {}
    before: dict[str, Any] | None = None
    items = data.get("roadmap")
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, dict) or item.get("brings"):
            continue
        practice, level = item.get("practice"), item.get("level")
        key = f"roadmap.{number}"
        valid = options("practice")
        if practice is not None and practice not in valid:
            hint = nearest(practice, valid)
            raise ScenarioError([Problem(f"{key}.practice", f"no practice '{practice}'", hint)])
        if practice is None or level is None:
            continue  # for validation to say
        levels = options(f"practice/{practice}")
        if level not in levels:
            hint = nearest(level, levels)
            raise ScenarioError(
                [Problem(f"{key}.level", f"no level '{level}' of '{practice}'", hint)]
            )
        if before is None:
            before = _dumped(compose({}))
        chosen[practice] = level
        after = _dumped(compose(chosen))
        item["brings"] = differences(before, after)
        if item["brings"] and {key.partition(".")[0] for key in item["brings"]} <= _RECORDS:
            what = f"level '{level}' of '{practice}' changes nothing: no step is of its stages"
            hint = "say in the file which steps are (stage: ... of a step)"
            raise ScenarioError([Problem(key, what, hint)])
        before = after


def _dumped(scenario: Scenario) -> dict[str, Any]:
    return scenario.model_dump(mode="json", by_alias=True)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``after`` sets otherwise than ``before``: value by dotted key.

    Mappings are compared key by key; distributions and shapes as a whole, and so are mappings that
    lose a key.
    """
    found: dict[str, Any] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping) and _can_be_merged(old, new):
            found.update({f"{key}.{rest}": value for rest, value in differences(old, new).items()})
        elif old != new:
            found[key] = deepcopy(new)
    return found


def _can_be_merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return not {"dist", "shape"} & {*old, *new} and old.keys() <= new.keys()


def _set(data: dict[str, Any], key: str, value: object, where: str) -> None:
    *parents, last = key.split(".")
    top = key.split(".")[0]
    if top in UNCHANGEABLE:
        raise ScenarioError([Problem(f"{where}.{key}", "cannot change while the simulation runs")])
    if top not in Scenario.model_fields:
        raise ScenarioError(
            [Problem(f"{where}.{key}", "unknown key", nearest(top, sorted(Scenario.model_fields)))]
        )
    for parent in parents:
        inner = data.get(parent)
        if not isinstance(inner, dict):  # a part that the scenario leaves out
            inner = data[parent] = {}
        data = inner
    data[last] = value
