"""What ``python -m sim.validation`` does: it compares the model with published surveys."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from sim.ending import temporary_folder, undisturbed
from sim.experiment.engines import EngineError
from sim.report.progress import progress_bar
from sim.scenario.errors import ScenarioError

from .csv_table import frame
from .load import SurveyTables, load_tables
from .page import page
from .results import Results, run
from .rows import SurveyRow, all_rows, tally

_REPLICATIONS, _SEED = 10, 20190822
PAGE = Path("docs", "validation.md")
TABLE = Path("results", "validation", "validation.csv")
FIGURE = Path("results", "validation", "validation.png")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    The status is 0 if the files are written, however many rows disagree; 1 if they cannot be
    written; 2 if the input is invalid.

    Args:
        arguments: words after the program's name; by default those of this process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    try:
        tables = load_tables()
        results = _run(options)
        rows = write(results, tables, options.replications, options.seed, Path())
    except ScenarioError as error:
        _stop(str(error), status=2)
    except EngineError as error:
        _stop(f"{error}; nothing was written", status=1)
    except OSError as error:
        _stop(f"cannot write the results: {error}", status=1)
    console = Console()
    console.print(tally(rows), soft_wrap=True)
    console.print(
        f"Page, table and figure: {PAGE}, {TABLE}, {FIGURE}", style="bold", soft_wrap=True
    )
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sim.validation",
        description="Simulates organizations of different sizes and maturity, compares them with "
        f"published surveys, and writes {PAGE}, {TABLE} and {FIGURE}.",
    )
    parser.add_argument(
        "--replications",
        type=_at_least(2),
        default=_REPLICATIONS,
        metavar="N",
        help="replications of each organization, at least 2 (default: %(default)s)",
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
        help="parallel processes; -1 uses one process per core (default: %(default)s)",
    )
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text) or int(text) < least or (least < 0 and text == "0"):
            allowed = f"a whole number, at least {abs(least)}"
            either = "-1 or " if least < 0 else ""
            raise argparse.ArgumentTypeError(f"must be {either}{allowed}, not {text!r}")
        return int(text)

    return whole_number


def _run(options: argparse.Namespace) -> Results:
    with progress_bar() as progress:

        def start(what: str, total: int) -> Callable[[int], None]:
            task = progress.add_task(what, total=total)
            return lambda done: progress.update(task, completed=done)

        return run(options.replications, options.seed, options.n_jobs, start=start)


def write(
    results: Results, tables: SurveyTables, replications: int, seed: int, folder: Path
) -> list[SurveyRow]:
    """Write page, table and figure below ``folder``, each completely or not at all.

    Returns:
        The rows they show.
    """
    from .figure import validation_figure  # matplotlib, whose import takes a while

    rows = all_rows(results, tables)
    with temporary_folder(folder, ".validation-") as beside:
        text = page(results, rows, tables, replications, seed)
        (beside / PAGE.name).write_text(text, encoding="utf-8")
        frame(rows).to_csv(beside / TABLE.name, index=False, float_format="%.6g")
        validation_figure(results, rows, tables).savefig(beside / FIGURE.name, dpi=150)
        with undisturbed():
            for path in (PAGE, TABLE, FIGURE):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (beside / path.name).replace(folder / path)
    return rows


def _stop(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)
