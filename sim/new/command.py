"""The command ``python -m sim.new``: a scenario of one's own from a dozen answers."""

import argparse
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from sim.ending import temporary_folder, undisturbed, unfinished
from sim.scenario.errors import ScenarioError
from sim.words import printable

from .dialog import ask
from .grammar import AnswerError
from .organization_yaml import (
    left_at_a_guess,
    organization_yaml,
    preset_scenario,
    read_answers,
    template,
)
from .questions import KEYS, PRESETS

_EXPLAINED = (
    "Asks a dozen questions about your organization and writes it down as a short scenario file, "
    "which python -m sim simulates."
)
_ENDED = "the answers ended before the last question; nothing was written"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 it cannot be written, 2 the answers do not fit.

    Args:
        arguments: what follows the program's name; by default those of this process.
    """
    options = _parser().parse_args(arguments)
    if options.template:
        print(template(options.preset), end="")
        sys.exit(0)
    path: Path = options.output
    _refuse_path(path, options.force)
    try:
        given = read_answers(_file(options.answers), options.preset) if options.answers else {}
        answers = given if options.answers else ask(options.preset, {})
        text = organization_yaml(answers, options.preset)
        _check(text, path)
        _write(text, path)
    except EOFError:
        _stop(f"\n{_ENDED}", status=1)
    except AnswerError as error:
        _stop(f"{options.answers}: {error}", status=2)
    except ScenarioError as error:
        _stop(f"these answers do not fit together; nothing was written\n{error}", status=2)
    except OSError as error:
        _stop(f"it cannot be written: {error}", status=1)
    _say_what_to_do(path, answers, options.preset)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim.new", description=_EXPLAINED)
    parser.add_argument(
        "--from",
        dest="preset",
        choices=PRESETS,
        default="midsize",
        help="the organization whose values are the defaults (midsize)",
    )
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="take the answers from a YAML file; ask nothing",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("mine.yaml"),
        help="the file to write (mine.yaml)",
    )
    parser.add_argument("--force", action="store_true", help="write over the file if it is there")
    parser.add_argument(
        "--template", action="store_true", help="print a file for --answers, and stop"
    )
    return parser


def _refuse_path(path: Path, force: bool) -> None:
    if path.suffix != ".yaml":
        _stop(f"--output: {path} must end in .yaml", status=2)
    if path.exists() and not force:
        _stop(f"--output: {path} is there already; --force writes over it", status=2)
    if not path.parent.is_dir():
        _stop(f"--output: there is no folder {path.parent}", status=2)


def _file(path: Path) -> Mapping[str, object]:
    """Return the answers of a file as they are written.

    Raises:
        AnswerError: it has none.
    """
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AnswerError(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise AnswerError("is not text in UTF-8") from None
    except yaml.YAMLError as error:
        raise AnswerError(f"not valid YAML: {str(error).splitlines()[0]}") from None
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise AnswerError(f"answers by question are needed: {', '.join(KEYS)}")
    return {str(key): value for key, value in said.items()}


def _check(text: str, path: Path) -> None:
    """Compose the scenario, as whoever runs it will.

    Raises:
        ScenarioError: the answers do not fit together.
    """
    from sim.configuration.load import load

    with temporary_folder(path.parent.absolute(), ".new-") as folder:
        (folder / path.name).write_text(text, encoding="utf-8")
        load(config=folder / path.name)


def _write(text: str, path: Path) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished(new):
        new.write_text(text, encoding="utf-8")
        with undisturbed():
            new.replace(path)


def _say_what_to_do(path: Path, answers: Mapping[str, Any], preset: str) -> None:
    base = preset_scenario(preset)
    print(f"\nWritten: {printable(str(path))}")
    left = left_at_a_guess(answers, base)
    if left:
        print(f"Left at a guess, those of organization={preset}:")
    for line in left:
        print(textwrap.fill(line, 78, initial_indent="  ", subsequent_indent="    "))
    run = f"python -m sim --config-dir={printable(str(path.parent))} --config-name={path.stem}"
    print(f"\nIts report:\n  {run}")
    print(f"The same with more testing:\n  {run} practice/testing=full")


def _stop(message: str, status: int) -> NoReturn:
    print("\n".join(map(printable, message.split("\n"))), file=sys.stderr)
    sys.exit(status)
