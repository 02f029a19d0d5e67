"""Command lines that are kept with a sweep, and taken up again: ``python -m sim resume FOLDER``."""

import re
from collections.abc import Sequence
from pathlib import Path

from sim.experiment.store import Store
from sim.experiment.sweep import STORE
from sim.experiment.sweep_record import Made, made_of
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.variants import word

from .arguments import Arguments

_FOLDERS = {"--config-dir", "-cd", "--config-path", "-cp"}
"""Options that name a folder."""
_OF_THE_RESULTS = {"hydra.sweep.dir", "hydra.run.dir"}
_SEARCH_PATH = "hydra.searchpath"
_USAGE = "python -m sim resume FOLDER, and perhaps overrides such as replications=40"


def as_made(asked: Arguments) -> Made:
    """Return how the sweep of a command line is made, without where things lie on this machine.

    The folder of the results is where it is found. Of other folders that are not named from the
    current one, only the last name is kept.
    """
    options: list[str] = []
    left_out: list[str] = []
    rest = list(asked.options)
    while rest:
        option = rest.pop(0)
        name, equals, value = option.partition("=")
        if name in _FOLDERS:
            value = value if equals or not rest else rest.pop(0)
            option = f"{name}={_without_place(value)}"
            if value != _without_place(value):
                left_out.append(option)
        options.append(option)
    overrides = []
    for override in asked.overrides:
        key = _key(override)
        if key in _OF_THE_RESULTS:
            continue
        if key == _SEARCH_PATH:
            override = re.sub(r"(file://)?[/~][^,\]'\"]*", lambda at: Path(at[0]).name, override)
            left_out.append(override)
        overrides.append(override)
    return Made((*options, *overrides), tuple(left_out))


def _without_place(folder: str) -> str:
    path = Path(folder)
    return path.name if path.is_absolute() or folder.startswith("~") else folder


def resumed(arguments: Sequence[str]) -> list[str]:
    """Return the command line that goes on with the sweep in a folder.

    Args:
        arguments: the folder, and overrides and options that replace those of the same key, or are
            added.

    Raises:
        ScenarioError: there is nothing to go on with.
        ResultsError: the folder cannot be read.
    """
    if not arguments or arguments[0].startswith("-") or "=" in arguments[0]:
        raise ScenarioError([Problem("resume", "needs a folder", _USAGE)])
    folder = Path(arguments[0])
    made = _made(folder)
    if made.arguments is None:
        hint = f"call it again with folder='{folder}'"
        raise ScenarioError([Problem("resume", f"{folder} was made by sim.sweep", hint)])
    given = list(arguments[1:])
    for kept in made.left_out:
        if _key(kept) not in map(_key, given):
            what = f"{kept} is a folder of which only the name was kept"
            raise ScenarioError([Problem("resume", what, f"add {_key(kept)}=FOLDER")])
    line = list(made.arguments)
    for argument in given:
        keys = list(map(_key, line))
        if _key(argument) in keys:  # in its place: the order of the keys is that of the points
            line[keys.index(_key(argument))] = argument
        else:
            line.append(argument)
    return [*line, f"hydra.sweep.dir={word(str(folder))}"]


def _made(folder: Path) -> Made:
    """Return how the sweep of a folder was made."""
    if not folder.is_dir():
        raise ScenarioError([Problem("resume", f"there is no folder {folder}", _USAGE)])
    if not (folder / STORE).exists():
        hint = "name the folder that has results.sqlite"
        raise ScenarioError([Problem("resume", f"{folder} has no sweep", hint)])
    with Store(folder / STORE, reads_only=True) as store:
        made = made_of(store)
    if made is None:
        what = f"{folder} was made before commands were kept"
        hint = f"give its command again, with hydra.sweep.dir={folder}"
        raise ScenarioError([Problem("resume", what, hint)])
    return made


def _key(argument: str) -> str:
    return argument.lstrip("+~").partition("=")[0]
