"""From YAML files and overrides to a validated scenario: the edge where everything is checked."""

import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, MissingMandatoryValue, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from .composition import SCENARIOS, Files, compose, groups, parse, read, shipped
from .errors import Problem, ScenarioError, nearest
from .organization import Scenario
from .roadmap import fill_in
from .validation import validate

_PLAIN = re.compile(rf"^({'|'.join(Scenario.model_fields)})(\.[^=/]*)?=")
_NO_CHOICE = "this scenario does not choose from that group"
_WHERE_A_CHOICE = "scenarios that build on `default` do"
_ONLY_WHAT_IS_SET = "a reference needs a key that a file or an override sets"
_DEEPEST = 30
"""Levels of an override; parsing what is much deeper ends in Python's limit of recursion."""
LONGEST_NAME = 200
"""In a file name there is room for 255 bytes, and something is put before and behind."""
COMPOSITION_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    ValueError,  # `defaults` is not a list; text that is not UTF-8
    RecursionError,  # a file that builds on itself
    OSError,  # a file that holds no mapping, or cannot be read
)
"""What Hydra raises when files and overrides do not make a configuration."""


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
    path = Path(config)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ScenarioError([Problem(str(config), "no such file")])
        if path.suffix == ".yml":
            raise ScenarioError([Problem(str(config), "its name must end in .yaml")])
        quoted = str(SCENARIOS).replace("'", "\\'")  # folders may be called `a, b (1)`
        search = f"hydra.searchpath=['file://{quoted}']"
        return composed_scenario(Files(path.stem, (search,), path.resolve().parent), overrides)
    return composed_scenario(shipped(str(config)), overrides)


def composed_scenario(files: Files, overrides: Sequence[str]) -> Scenario:
    """Return the scenario that files and overrides make, validated.

    Raises:
        ScenarioError: something in the files or the overrides is not valid.
    """
    return validate(composed_data(files, overrides), keys_of(overrides))


def keys_of(overrides: Sequence[str]) -> list[str]:
    """Return the dotted keys that overrides set."""
    return [override.lstrip("+").partition("=")[0] for override in overrides]


def composed_data(files: Files, overrides: Sequence[str]) -> dict[str, Any]:
    """Return what files and overrides make as plain data, its roadmap filled in, not validated.

    Raises:
        ScenarioError: they cannot be composed, or the roadmap names no practice.
    """
    add_missing(overrides)

    def data_of(overrides: Sequence[str]) -> dict[str, Any]:
        try:
            return _as_data(compose(files, overrides))
        except COMPOSITION_ERRORS as error:
            raise from_composition(error, overrides, files) from None

    def with_practices(levels: Mapping[str, str]) -> Scenario:
        chosen = _with_practices(files, overrides, levels)
        return validate({**data_of(chosen), "roadmap": []})

    data = data_of(overrides)
    fill_in(data, with_practices, files.options)
    return data


def _with_practices(files: Files, overrides: Sequence[str], levels: Mapping[str, str]) -> list[str]:
    """Return overrides that choose these levels of practices instead of their own."""
    chosen = {f"practice/{practice}": level for practice, level in levels.items()}
    others = [override for override in overrides if _key(override) not in chosen]
    there = read(files, others).choices
    added = [f"{'' if key in there else '+'}{key}={level}" for key, level in chosen.items()]
    return [*others, *added]


def _as_data(composed: DictConfig) -> dict[str, Any]:
    data = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    assert isinstance(data, dict)
    return {str(key): value for key, value in data.items()}


def scenario_names() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    paths = [*SCENARIOS.glob("*.yaml"), *SCENARIOS.glob("verification/*.yaml")]
    return sorted(path.relative_to(SCENARIOS).with_suffix("").as_posix() for path in paths)


def to_yaml(scenario: Scenario) -> str:
    """Return ``scenario`` as YAML that :func:`load` reads back as an equal scenario."""
    data = scenario.model_dump(mode="json", by_alias=True)
    # The only free text: a `${` in it is no interpolation, nor are backslashes before it escapes.
    data["description"] = re.sub(r"(\\*)\$\{", r"\1\1\\${", scenario.description)
    return OmegaConf.to_yaml(OmegaConf.create(data))


def add_missing(overrides: Sequence[str]) -> list[str]:
    """Let plain overrides of scenario keys also add keys that the YAML file leaves at a default.

    Hydra refuses ``a.b=1`` where the file does not mention ``b``. Whether a key exists is for the
    scenario's own validation to say, which knows all keys and names the nearest.

    Raises:
        ScenarioError: something is not an override.
    """
    for override in overrides:
        if _depth(override) > _DEEPEST:
            raise ScenarioError(
                [Problem(override, f"is nested more than {_DEEPEST} levels deep", "write a file")]
            )
        if not (key := _key(override)):
            raise ScenarioError([Problem(override, "cannot be read as key=value")])
        _refuse_long(key, override.partition("=")[2])
    return [f"++{override}" if _PLAIN.match(override) else override for override in overrides]


def _depth(override: str) -> int:
    """Return how many brackets are open at a time, outside of quotes."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\](){}]", re.sub(r"'[^']*'|\"[^\"]*\"", "", override)):
        depth += 1 if bracket in "[({" else -1
        deepest = max(deepest, depth)
    return deepest


def _refuse_long(key: str, value: str) -> None:
    """Refuse names of which no file can have one: Hydra looks for it."""
    choices = value.split(",") if key in groups() else []
    for name in (*re.split(r"[./]", key), *choices):
        if len(name) > LONGEST_NAME:
            raise ScenarioError([Problem(key, f"'{name}' is too long")])
    if len(key) > 10 * LONGEST_NAME:
        raise ScenarioError([Problem(key, "is too long")])


def from_composition(
    error: Exception, overrides: Sequence[str], files: Files | None = None
) -> ScenarioError:
    """Translate one of :data:`COMPOSITION_ERRORS` while composing with ``overrides``.

    ``files`` are those that were composed; they may have config groups of their own.
    """
    problem = _of_file(error) or _of_override(error, overrides, files) or _of_value(error)
    return ScenarioError([problem])


def _of_file(error: Exception) -> Problem | None:
    """Return what is wrong with a file, or with the choice of it."""
    text = str(error).strip()
    if isinstance(error, MissingConfigException):
        wanted = re.sub(r"\.yaml$", "", error.missing_cfg_file or "")
        if error.options:
            group, _, choice = wanted.rpartition("/")
            return Problem(group, f"unknown value '{choice}'", nearest(choice, error.options))
        elsewhere = [group for group in groups() if f"/{group}/" in wanted]
        if elsewhere:  # looked for beside a scenario in a folder of its own
            return Problem(elsewhere[0], _NO_CHOICE, _WHERE_A_CHOICE)
        return Problem("config", f"no scenario '{wanted}'", nearest(wanted, scenario_names()))
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        at = f"{Path(mark.name).name}, line {mark.line + 1}, column {mark.column + 1}"
        return Problem(at, f"not valid YAML: {error.problem}")
    if isinstance(error, YAMLError):
        return Problem("config", f"not valid YAML: {text.splitlines()[0]}")
    if isinstance(error, UnicodeDecodeError):
        return Problem("config", "is not text in UTF-8")
    if isinstance(error, RecursionError):
        files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        if any(name.endswith("defaults_list.py") for name in files):
            return Problem("defaults", "a file builds on itself", "give it another name")
        return Problem("config", "a value is nested too deeply")
    if isinstance(error, OSError) and error.errno is not None:
        return Problem("config", f"cannot be read: {error}")
    if isinstance(error, OSError) or "must be a DictConfig" in text:
        return Problem("config", "the file holds no mapping", "keys and values are needed")
    if isinstance(error, ValueError) and "default" in text:
        return Problem("defaults", text.splitlines()[0], "write for example [default, _self_]")
    if "Cannot merge DictConfig with ListConfig" in text:
        name = text.partition(":")[0].removeprefix("In ")
        return Problem("config", f"{name} has a list where keys and values are needed")
    if text.startswith("Additional config directory"):
        return Problem("--config-dir", text.removeprefix("Additional config directory "))
    return None


def _of_override(error: Exception, overrides: Sequence[str], files: Files | None) -> Problem | None:
    """Return which of ``overrides`` cannot be applied."""
    text = str(error).strip()
    if "Ambiguous value" in text or "requires --multirun" in text:
        several = [override for override in overrides if f"{override}'" in text]
        hint = "-m runs a scenario for each; '[a, b]' is a list"
        return Problem(several[0] if several else "overrides", "has several values", hint)
    there = re.search(r"An item is already at '([^']+)'", text)
    if there is not None:
        return Problem(there[1], "is in this scenario already", "leave out the +")
    for override in overrides:
        key = _key(override) or ""
        if override.startswith("~") and f"'{key}' does not exist" in text:
            return Problem(key, "is not in this scenario, so that it cannot be removed")
        if override.startswith("~") and f"The value of '{key}' is " in text:
            return Problem(key, "has another value", f"~{key} removes it whatever its value")
        group = _of_group(text, override, key)
        if group is not None:
            return group
        top = key.split(".")[0].split("/")[0]
        if top not in Scenario.model_fields and top != "hydra" and key in text:
            if files is not None and files.options(key):  # a group of one's own
                hint = "" if override.startswith("~") else f"+{key}=... chooses"
                return Problem(key, _NO_CHOICE, hint)
            hint = nearest(key, [*Scenario.model_fields, *groups()])
            return Problem(key, f"unknown key (override {override!r})", hint)
    return None


def _of_group(text: str, override: str, key: str) -> Problem | None:
    """Return why ``override`` cannot choose from a config group, if that is what it is about."""
    here = groups()
    inside = [group for group in here if group.startswith(f"{key}/")]
    if inside and f"'{key}'" in text:
        hint = "one of " + ", ".join(f"{group}=..." for group in inside)
        return Problem(key, f"is a folder of groups (override {override!r})", hint)
    if key not in here:
        return None
    if text.startswith("Config group override must be a string") and "=" in override:
        value = override.partition("=")[2]
        return Problem(key, f"{value} is not an option", f"~{key} leaves the group out")
    if f"Multiple values for {key}." in text:
        return Problem(key, "is in this scenario already", "leave out the +")
    if f"Could not delete '{key}=" in text:
        return Problem(key, "has another value", f"~{key} removes it whatever its value")
    if f"'{key}'" in text and "Could not" in text:
        return Problem(key, _NO_CHOICE, _WHERE_A_CHOICE)
    return None


def _of_value(error: Exception) -> Problem:
    """Return which value cannot be resolved."""
    cause = error.__cause__
    key = getattr(cause or error, "full_key", None) or "config"
    text = str(cause if isinstance(cause, OmegaConfBaseException) else error).strip()
    missing = re.search(r"[Mm]issing mandatory value: (\S+)", text)
    if isinstance(error, MissingMandatoryValue) or missing is not None:
        key = missing[1] if missing is not None else key
        return Problem(key, "has no value yet (???)", f"give one, for example with {key}=...")
    line = text.splitlines()[0]
    if line == "Cannot merge DictConfig with ListConfig":
        return Problem(key, "a list is not allowed", "must be a mapping of keys")
    unknown = re.search(r"'([^']+)' not found", line)
    if isinstance(error, InterpolationKeyError) and unknown is not None:
        top = unknown[1].partition(".")[0]
        is_known = top in Scenario.model_fields
        hint = _ONLY_WHAT_IS_SET if is_known else nearest(top, Scenario.model_fields)
        return Problem(key, f"no key '{unknown[1]}' to refer to", hint)
    return Problem(key, line)


def _key(override: str) -> str | None:
    try:
        return parse(override).key_or_group
    except HydraException:
        return None
