"""The command ``python -m sim.measure``, which measures the records of a real organization."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from sim.document.picture import drawn
from sim.document.terminal import print_document
from sim.records.csv_files import SourceError
from sim.records.delivery_records import DeliveryRecords
from sim.records.reading import READERS, read
from sim.records.template import write_template
from sim.report.pictures import records_pictures
from sim.words import printable

from .definitions import Definition
from .definitions_devlake import devlake_definition
from .definitions_four_keys import four_keys_definition
from .document import measured_document
from .folder import write_measured_folder
from .measured import Measured

_EXPLAINED = (
    "Measures the four DORA metrics of a real organization by the records of its tools, with "
    "intervals, and says what could not be known. Nothing in the records is executed."
)

_DEFINITIONS: dict[str, Callable[[DeliveryRecords], Definition]] = {
    "devlake": devlake_definition,
    "fourkeys": four_keys_definition,
}
"""The tools whose definitions can be computed beside ours."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 results cannot be written, 2 nothing to measure.

    Args:
        arguments: what follows the program's name; by default those of this process.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.template is not None:
            for path in write_template(options.template):
                print(path)
            sys.exit(0)
        if options.source is None:
            parser.error("give a source, or --template FOLDER")
        _measure(options)
    except SourceError as error:
        _stop(str(error), status=2)
    except OSError as error:
        _stop(f"the results cannot be written: {error}", status=1)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    sources = "\n".join(f"  {each.name:10} {each.wanted}" for each in READERS)
    parser = argparse.ArgumentParser(
        prog="python -m sim.measure",
        description=_EXPLAINED,
        epilog=f"sources, in the order in which they are tried:\n{sources}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="a folder, a file or a URL")
    parser.add_argument(
        "--template", type=Path, metavar="FOLDER", help="write commented CSV files to fill in"
    )
    parser.add_argument(
        "--reader", choices=[each.name for each in READERS], help="by default the first that can"
    )
    parser.add_argument(
        "--timezone",
        metavar="NAME",
        help="of times without an offset, and of the clock that tells weeks, as Europe/Berlin",
    )
    parser.add_argument("--since", metavar="DAY", help="the first day, as 2026-01-05")
    parser.add_argument("--until", metavar="DAY", help="the day before which the last one ends")
    parser.add_argument(
        "--environment", metavar="NAME", help="where deployments count (default: production)"
    )
    parser.add_argument(
        "--services", metavar="FILE", help="CSV file with pattern,service,team: paths or jobs"
    )
    parser.add_argument(
        "--window",
        type=float,
        default=24.0,
        metavar="HOURS",
        help="how soon after a deployment an incident may be its work, where neither says "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--deployments",
        choices=["tags", "merges"],
        help="of a Git history (default: tags of releases, if there are any)",
    )
    parser.add_argument(
        "--incident-label",
        default="incident",
        metavar="LABEL",
        help="of issues on GitHub that are incidents (default: %(default)s)",
    )
    parser.add_argument(
        "--as",
        dest="definitions",
        action="append",
        choices=list(_DEFINITIONS),
        default=[],
        help="the metrics as this tool defines them, beside ours; may be given twice",
    )
    parser.add_argument(
        "--planned",
        metavar="PATTERN",
        help="incidents whose title it is found in are no incidents, as 'maintenance|upgrade'",
    )
    parser.add_argument("--title", help="what the report is called")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where report, figures and tables go"
    )
    parser.add_argument("--png", action="store_true", help="figures as PNG too")
    return parser


def _measure(options: argparse.Namespace) -> None:
    records = read(
        options.source,
        reader=options.reader,
        timezone=options.timezone,
        since=options.since,
        until=options.until,
        environment=options.environment,
        services=options.services,
        window_h=options.window,
        deployments=options.deployments,
        incident_label=options.incident_label,
        planned=options.planned,
    )
    measured = Measured(records)
    title = options.title or _title(options.source)
    console = Console()
    if not console.is_terminal:
        console.width = 100
    definitions = [_DEFINITIONS[name](records) for name in dict.fromkeys(options.definitions)]
    print_document(measured_document(measured, title, definitions=definitions), console)
    folder = options.output or _folder(title)
    pictures = {name: drawn(each, options.png) for name, each in records_pictures(measured).items()}
    document = measured_document(measured, title, pictures, definitions)
    write_measured_folder(measured, document, folder, options.png)
    console.print(
        f"Report, figures and tables: {printable(str(folder))}/", style="bold", soft_wrap=True
    )


def _title(source: str) -> str:
    """Return what records are called: the last part of their path, never a password."""
    return Path(re.sub(r"^.*://(?:[^@/]*@)?", "", source)).name or "Records"


def _folder(title: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", title)[:60].strip("._") or "records"
    return Path("results", "measured", f"{name}_{datetime.now():%Y-%m-%d_%H-%M-%S}")


def _stop(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)
