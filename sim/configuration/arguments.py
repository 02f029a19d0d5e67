"""The arguments of the command line: overrides of a scenario, and Hydra's options."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.scenario.errors import Problem, ScenarioError
from sim.words import printable

LONGEST_NAME = 200
"""In a file name there is room for 255 bytes, and something is put before and behind."""
_OF_HYDRA = ("hydra.run.dir", "hydra.sweep.dir", "hydra.searchpath", "hydra.sweeper.params")
"""The settings of Hydra that have a meaning here; others would leave files behind."""
_CONFIG_NAME = ("--config-name", "-cn")
_CONFIG_DIR = ("--config-dir", "-cd")
_DRY_RUN = "--dry-run"
"""An option that is ours, and means ``dry_run=true``."""
_OPTIONS_WITH_VALUE = {
    *("--cfg", "-c", "--package", "-p", "--info", "-i", "--config-path", "-cp"),
    *_CONFIG_NAME,
    *_CONFIG_DIR,
}


@dataclass(frozen=True)
class Arguments:
    """The arguments of a command line.

    Attributes:
        overrides: as they are written.
        options: of Hydra, with their values.
    """

    overrides: tuple[str, ...]
    options: tuple[str, ...]

    @classmethod
    def split(cls, arguments: Sequence[str]) -> "Arguments":
        """Split a command line.

        Raises:
            ScenarioError: Hydra would echo something, obey it or stumble over it: an option that
                cannot be meant, a setting of Hydra that has no meaning here, or a folder that
                cannot be made.
        """
        overrides: list[str] = []
        options: list[str] = []
        for argument in arguments:
            is_value = bool(options) and options[-1] in _OPTIONS_WITH_VALUE
            (options if argument.startswith("-") or is_value else overrides).append(argument)
        if _DRY_RUN in options:
            options = [option for option in options if option != _DRY_RUN]
            overrides.append("dry_run=true")
        _refuse_unusable(overrides, options)
        return cls(tuple(overrides), tuple(options))

    @property
    def keys(self) -> set[str]:
        """The keys that the overrides are about."""
        return {override.split("=")[0].lstrip("+~") for override in self.overrides}

    @property
    def shows(self) -> bool:
        """Whether the configuration is only to be shown."""
        return bool({"--cfg", "-c"} & set(self.options))

    @property
    def shows_an_overlay(self) -> bool:
        """Whether the scenario is to be shown as what differs from what it builds on."""
        names = {option.partition("=")[0] for option in self.options if option.startswith("-")}
        shown = self._value(("--cfg", "-c"))
        return shown == "job" and names <= {"--cfg", "-c", *_CONFIG_NAME, *_CONFIG_DIR}

    @property
    def sweeps(self) -> bool:
        """Whether a sweep is to be run."""
        return bool({"-m", "--multirun"} & set(self.options)) and not self.shows

    @property
    def runs(self) -> bool:
        """Whether there is nothing about Hydra but which scenario it is to read for a run."""
        names = {option.partition("=")[0] for option in self.options if option.startswith("-")}
        return names <= {*_CONFIG_NAME, *_CONFIG_DIR} and "hydra/sweeper" not in self.keys

    @property
    def config_name(self) -> str | None:
        """The file that ``--config-name`` names."""
        return self._value(_CONFIG_NAME)

    @property
    def own_folder(self) -> Path | None:
        """The folder that ``--config-dir`` names."""
        folder = self._value(_CONFIG_DIR)
        return None if folder is None else Path(folder)

    def _value(self, names: tuple[str, ...]) -> str | None:
        """Return the last value of an option; None without one."""
        found = None
        for option, following in zip(self.options, [*self.options, ""][1:], strict=True):
            name, equals, value = option.partition("=")
            if name in names:
                found = value if equals else following
        return found


def _refuse_unusable(overrides: Sequence[str], options: Sequence[str]) -> None:
    for option in options:
        if printable(option) != option:
            raise ScenarioError([Problem(option, "has control characters")])
        if any(len(name) > LONGEST_NAME for name in re.split("[/=]", option)):
            raise ScenarioError([Problem(option, "is too long")])
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if not re.match("hydra[./]", key) or key in ("hydra/sweeper", "hydra/launcher"):
            continue
        if not f"{key}.".startswith(tuple(f"{setting}." for setting in _OF_HYDRA)):
            hint = "results go to hydra.run.dir=FOLDER, those of a sweep to hydra.sweep.dir=FOLDER"
            raise ScenarioError([Problem(key, "cannot be set here", hint)])
        if any(len(os.fsencode(name)) > LONGEST_NAME for name in value.split("/")):
            raise ScenarioError([Problem(key, f"'{value}' is too long")])
