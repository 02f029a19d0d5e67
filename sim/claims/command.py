"""The command ``python -m sim.claims``, which puts the claims on trial and writes the results."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from sim.document.document import Document
from sim.document.html import write_html
from sim.document.markdown import to_markdown
from sim.document.picture import drawn, png_of
from sim.document.terminal import print_document
from sim.ending import temporary_folder, undisturbed
from sim.experiment.engines import EngineError
from sim.report.progress import progress_bar
from sim.report.units import count_noun, format_weeks
from sim.scenario.errors import ScenarioError

from .judge import Finding, run_trials
from .load import CLAIMS, Trial, load_trials
from .table import findings_frame

_ORGANIZATION, _REPLICATIONS, _SEED = "scaleup", 30, 20190822


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, with any verdicts; 1 not done; 2 invalid input.

    Args:
        arguments: what follows the program's name; by default those of this process.
    """
    parser = _parser()
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.parse_args(given)
    try:
        trials, findings = _run(options)
        console = Console()
        if not console.is_terminal:
            console.width = 100  # what rich takes for a file is narrower than the table
        folder = options.output or _folder(options)
        document = _document(findings, trials, options, " ".join(["python -m sim.claims", *given]))
        print_document(document, console)
        _write(findings, document, folder)
        console.print(f"Tables, figure and report: {folder}/", style="bold", soft_wrap=True)
    except ScenarioError as error:
        _stop(str(error), status=2)
    except EngineError as error:
        _stop(f"{error}; nothing was written", status=1)
    except OSError as error:
        _stop(f"the results cannot be written: {error}", status=1)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sim.claims",
        description="Runs each claim as a paired experiment and says whether it is supported.",
    )
    parser.add_argument(
        "--only", type=_ids, default=(), metavar="ID,ID", help="these claims; by default all"
    )
    parser.add_argument(
        "--organization",
        default=_ORGANIZATION,
        metavar="NAME",
        help="a file of scenarios/organization/ (default: %(default)s)",
    )
    parser.add_argument(
        "--replications",
        type=_at_least(2),
        default=_REPLICATIONS,
        metavar="N",
        help="of each arm, at least 2 (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=_at_least(0),
        default=_SEED,
        metavar="N",
        help="root of all random numbers (default: %(default)s)",
    )
    parser.add_argument(
        "--n-jobs",
        type=_at_least(-1),
        default=-1,
        metavar="N",
        help="parallel processes, -1 uses one per core (default: %(default)s)",
    )
    parser.add_argument(
        "--claims",
        type=Path,
        default=CLAIMS,
        metavar="FOLDER",
        help="claims of your own (default: those that come with the package)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where tables, figure and report go (default: results/claims, and a folder in it for "
        "a selection, another organization or claims of your own)",
    )
    return parser


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in re.split(r"[,\s]+", text) if name))


def _at_least(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text) or int(text) < least or (least < 0 and text == "0"):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return whole_number


def _run(options: argparse.Namespace) -> tuple[list[Trial], list[Finding]]:
    with progress_bar() as progress:

        def start(what: str, total: int) -> Callable[[int], None]:
            task = progress.add_task(what, total=total)
            return lambda done: progress.update(task, completed=done)

        trials = load_trials(
            options.organization,
            options.claims,
            options.only,
            options.n_jobs,
            partial(start, "composing scenarios"),
        )
        findings = run_trials(
            trials,
            options.replications,
            options.seed,
            options.n_jobs,
            start=partial(start, "simulating"),
        )
    return trials, findings


def _folder(options: argparse.Namespace) -> Path:
    """Return where results go: a selection must not replace the table of all claims."""
    parts = [] if options.claims == CLAIMS else [options.claims.resolve().name]
    parts += [] if options.organization == _ORGANIZATION else [options.organization]
    parts += ["_".join(options.only)] if options.only else []
    return Path("results", "claims", *parts)


def _document(
    findings: Sequence[Finding],
    trials: Sequence[Trial],
    options: argparse.Namespace,
    command: str,
) -> Document:
    """Return the report, with its picture drawn."""
    from .document import claims_document
    from .figure import claims_picture  # matplotlib, whose import takes a while

    weeks = {
        format_weeks(s.warmup_weeks, s.horizon_weeks - 1)  # they are counted from 0
        for trial in trials
        for s in trial.scenarios.values()
    }
    setting = (
        f"{count_noun(len(trials), 'claim')} in the {options.organization} organization, "
        f"{options.replications} replications of each arm under common random numbers, seed "
        f"{options.seed}, observed in {', or '.join(sorted(weeks))}."
    )
    origin = {
        "command": command,
        "organization": options.organization,
        "seed": str(options.seed),
        "replications": str(options.replications),
    }
    title = f"Claims in the {options.organization} organization"
    picture = claims_picture(
        findings, f"{title}, {options.replications} replications", options.replications
    )
    pictures = [drawn(picture, png=True)]
    return claims_document(findings, trials, pictures, setting, origin, options.replications)


def _write(findings: Sequence[Finding], document: Document, folder: Path) -> None:
    """Write the tables, the figure and the report; each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder, ".claims-") as beside:
        findings_frame(findings).to_csv(beside / "claims.csv", index=False, float_format="%.6g")
        paths = {name: f"{name}.png" for name in document.pictures}
        for name, picture in document.pictures.items():
            (beside / paths[name]).write_bytes(png_of(picture))
        page = to_markdown(document, picture_paths=paths)
        (beside / "claims.md").write_text(page, encoding="utf-8")
        write_html(document, beside / "report.html")
        with undisturbed():
            for path in beside.iterdir():
                path.replace(folder / path.name)


def _stop(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
