"""From YAML files and overrides to a validated scenario: the edge where everything is checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import ref

from omegaconf import DictConfig, OmegaConf

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.files import SCENARIOS
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.roadmap import fill_in

from .composition import Files, compose, read, shipped
from .overrides import add_missing, key_of, keys_of
from .own_folder import point_of
from .problems import COMPOSITION_ERRORS, from_composition, refuse_unknown_groups
from .stages import reach


def load(*overrides: str, config: str | Path = "default") -> Scenario:
    """Compose and validate a scenario.

    Args:
        overrides: Hydra overrides such as ``"automation=0.5"`` or ``"practice/testing=full"``.
        config: name of a file in the scenarios folder, or the path of a YAML file elsewhere.

    Returns:
        The validated, frozen scenario.

    Raises:
        ScenarioError: something in the files or the overrides is not valid.
    """
    files = files_of(config)
    scenario = composed_scenario(files, overrides)
    _remember(scenario, Origin(files, overrides))
    return scenario


class Origin(NamedTuple):
    """What a scenario was composed from."""

    files: Files
    overrides: tuple[str, ...]


_origins: dict[int, tuple["ref[Scenario]", Origin]] = {}
"""By the identity of scenarios that are still there."""


def _remember(scenario: Scenario, origin: Origin) -> None:
    number = id(scenario)
    _origins[number] = (ref(scenario, lambda _: _origins.pop(number, None)), origin)


def origin_of(scenario: Scenario) -> Origin | None:
    """Return what a scenario was composed from.

    Returns:
        None if :func:`load` did not return it in this process, or it has been changed since.
    """
    found = _origins.get(id(scenario))
    if found is None or found[0]() is not scenario:
        return None
    origin = found[1]
    return origin if composed_scenario(origin.files, origin.overrides) == scenario else None


def files_of(config: str | Path) -> Files:
    """Return the files of a scenario: one that comes with the package, or a YAML file elsewhere.

    Raises:
        ScenarioError: there is no such file.
    """
    path = Path(config)
    path = path.with_name(f"{point_of(path.parent, path.stem)}{path.suffix}")
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ScenarioError([Problem(str(config), "no such file")])
        if path.suffix == ".yml":
            raise ScenarioError([Problem(str(config), "its name must end in .yaml")])
        quoted = str(SCENARIOS).replace("'", "\\'")  # folders may be called `a, b (1)`
        search = f"hydra.searchpath=['file://{quoted}']"
        return Files(path.stem, (search,), path.resolve().parent)
    return shipped(str(config))


def composed_scenario(files: Files, overrides: Sequence[str]) -> Scenario:
    """Return the scenario that files and overrides make, validated.

    Raises:
        ScenarioError: something in the files or the overrides is not valid.
    """
    return validate(composed_data(files, overrides), keys_of(overrides))


def composed_data(files: Files, overrides: Sequence[str]) -> dict[str, Any]:
    """Return what files and overrides make as plain data, its roadmap filled in, not validated.

    Raises:
        ScenarioError: they cannot be composed, or the roadmap names no practice.
    """
    add_missing(overrides)
    refuse_unknown_groups(overrides, files)

    def data_of(overrides: Sequence[str]) -> dict[str, Any]:
        try:
            return _as_data(compose(files, overrides))
        except COMPOSITION_ERRORS as error:
            raise from_composition(error, overrides, files) from None

    def with_practices(levels: Mapping[str, str]) -> Scenario:
        chosen = _with_practices(files, overrides, levels)
        return validate({**data_of(chosen), "roadmap": []})

    data = data_of(overrides)
    _record_reach(data, files, overrides)
    fill_in(data, with_practices, files.options)
    return data


def _record_reach(data: dict[str, Any], files: Files, overrides: Sequence[str]) -> None:
    """Record which practices do not find all the steps that they are about.

    Raises:
        ScenarioError: an override asks for a level that changes nothing.
    """
    pipeline = data.get("pipeline")
    steps = pipeline.get("steps") if isinstance(pipeline, Mapping) else None
    if not isinstance(steps, Mapping):
        return  # for validation to say
    found = reach(steps, read(files, overrides).choices, files.said_by)
    for override in overrides:
        group, _, level = override.lstrip("+").partition("=")
        reached = found.get(group.removeprefix("practice/"))
        if group.startswith("practice/") and reached is not None and reached["here"] == 0:
            what = f"level '{level}' changes nothing: no step is of a stage that it is about"
            hint = "say in the file which steps are (stage: ... of a step)"
            raise ScenarioError([Problem(group, what, hint)])
    if found:
        data["practice_reach"] = found


def _with_practices(files: Files, overrides: Sequence[str], levels: Mapping[str, str]) -> list[str]:
    """Return overrides that choose these levels of practices instead of their own."""
    chosen = {f"practice/{practice}": level for practice, level in levels.items()}
    others = [override for override in overrides if key_of(override) not in chosen]
    there = read(files, others).choices
    added = [f"{'' if key in there else '+'}{key}={level}" for key, level in chosen.items()]
    return [*others, *added]


def _as_data(composed: DictConfig) -> dict[str, Any]:
    data = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    assert isinstance(data, dict)
    return {str(key): value for key, value in data.items()}
