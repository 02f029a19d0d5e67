"""Hydra's errors about files and overrides, in a reader's words."""

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import InterpolationKeyError, MissingMandatoryValue, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.files import SCENARIOS, groups, level_order, scenario_names
from sim.scenario.organization import Scenario

from .composition import Files
from .overrides import key_of
from .own_folder import own_folder

_NO_CHOICE = "this scenario does not choose from that group"
_WHERE_A_CHOICE = "scenarios that build on `default` do"
_ONLY_WHAT_IS_SET = "a reference needs a key that a file or an override sets"
COMPOSITION_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    ValueError,  # `defaults` is not a list; text that is not UTF-8
    RecursionError,  # a file that builds on itself
    OSError,  # a file that holds no mapping, or cannot be read
)
"""The errors of Hydra when files and overrides do not make a configuration."""


def from_composition(
    error: Exception, overrides: Sequence[str], files: Files | None = None
) -> ScenarioError:
    """Translate one of :data:`COMPOSITION_ERRORS` while composing with ``overrides``.

    ``files`` are those that were composed; they may have config groups of their own.
    """
    problem = _of_file(error, files) or _of_override(error, overrides, files) or _of_value(error)
    return ScenarioError([problem])


def _of_file(error: Exception, files: Files | None) -> Problem | None:
    """Return what is wrong with a file, or with the choice of it."""
    text = str(error).strip()
    if isinstance(error, MissingConfigException):
        wanted = re.sub(r"\.yaml$", "", error.missing_cfg_file or "")
        if error.options:
            options = sorted(error.options, key=level_order)
            group, _, choice = wanted.rpartition("/")
            return Problem(group, f"unknown value '{choice}'", nearest(choice, options))
        elsewhere = [group for group in groups() if f"/{group}/" in wanted]
        if elsewhere:  # looked for beside a scenario in a folder of its own
            return Problem(elsewhere[0], _NO_CHOICE, _WHERE_A_CHOICE)
        there = [*_own_names(files, "*.yaml"), *scenario_names()]
        return Problem("config", f"no scenario '{wanted}'", nearest(wanted, there))
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        at = f"{Path(mark.name).name}, line {mark.line + 1}, column {mark.column + 1}"
        return Problem(at, f"not valid YAML: {error.problem}")
    if isinstance(error, YAMLError):
        return Problem("config", f"not valid YAML: {text.splitlines()[0]}")
    if isinstance(error, UnicodeDecodeError):
        return Problem("config", "is not text in UTF-8")
    if isinstance(error, RecursionError):
        places = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        if any(name.endswith("defaults_list.py") for name in places):
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


def refuse_unknown_groups(overrides: Sequence[str], files: Files) -> None:
    """Refuse to choose from a config group that is not there; Hydra would take it for a new key.

    Raises:
        ScenarioError: there is no such group.
    """
    for override in overrides:
        key = key_of(override) or ""
        if "/" in key and override.startswith("+") and key not in (known := groups()):
            own = {name.rpartition("/")[0] for name in _own_names(files, "*/**/*.yaml")}
            if not files.options(key):
                hint = nearest(key, [*sorted(own), *known])
                raise ScenarioError([Problem(key, "there is no such group", hint)])


def _own_names(files: Files | None, pattern: str) -> list[str]:
    """Return the names of files in somebody's own folder."""
    folders = {own_folder(), None if files is None else files.folder} - {None, SCENARIOS}
    return sorted(
        {
            path.relative_to(folder).with_suffix("").as_posix()
            for folder in folders
            if folder is not None
            for path in folder.glob(pattern)
        }
    )


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
        key = key_of(override) or ""
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
            own = [name.rpartition("/")[0] for name in _own_names(files, "*/**/*.yaml")]
            hint = nearest(key, [*Scenario.model_fields, *own, *groups()])
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
