"""The command line: ``python -m sim`` simulates a scenario and shows its metrics."""

import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sim.configuration.arguments import Arguments
from sim.ending import last_words
from sim.experiment.engines import EngineError, cores, start_early
from sim.scenario.errors import Problem, ScenarioError
from sim.words import printable

# What takes long is imported where it is needed: a person waits for a sign of life, and for the
# table, and worker processes import the model meanwhile.
if TYPE_CHECKING:
    from sim.experiment.axes import Axis
    from sim.experiment.payback import Payback
    from sim.experiment.replicate import Study
    from sim.experiment.resources import Demand
    from sim.experiment.sweep_record import Made
    from sim.experiment.sweep_results import Sweep
    from sim.scenario.organization import Scenario
    from sim.scenario.variants import Variants

_HELP = """\
mldelivery {version}: simulates an organization that delivers machine-learning systems and shows
its four DORA metrics with confidence intervals, and where the time goes.

  python -m sim                                     the default organization
  python -m sim automation=0.8 horizon_weeks=156    the same with other values
  python -m sim pipeline.steps.train.run_h.mean=24  any value, by its dotted key
  python -m sim '~pipeline.steps.approve'           without a step
  python -m sim practice/testing=full               another level of a practice:
{practices}
  python -m sim organization=enterprise maturity=google_1     presets; docs/practices.md has all
  python -m sim +experiment=jcurve                  invest in CI/CD, and see when it pays
  python -m sim --config-name=NAME                  another scenario:
{scenarios}
  python -m sim --config-dir=. --config-name=mine   mine.yaml of this folder, as
                                                    python -m sim.new writes it
  python -m sim -m automation=0,0.5,1 practice/testing=none,full
                                                    a sweep: all combinations, compared
  python -m sim -m design=lhs samples=50 'automation=interval(0,1)'
                                                    others: zip, random, sobol, morris, adaptive
  python -m sim +experiment=population              many organizations beside DORA's survey
  python -m sim resume FOLDER                       go on with a sweep, also replications=40
  python -m sim replay FOLDER point=7 replication=3
                                                    event tables of a replication of a sweep
  python -m sim -m automation=0,0.5,1 --dry-run     points, time, memory and disk, and stop
  python -m sim --cfg job                           print what differs from the default
                                                    and stop; with --resolve all of it

Results go to one folder under results/, or to hydra.run.dir=FOLDER; those of a sweep to
hydra.sweep.dir=FOLDER, where the same command goes on if it was interrupted. Settings of the
experiment: replications, seed, horizon_weeks, warmup_weeks, n_jobs, dry_run; for sweeps engine,
address, design, samples, baseline, exclude, metrics, precision, select, adaptive and others:
docs/sweeps.md. docs/parameters.md lists all keys with unit, range, default and source;
--hydra-help explains the syntax of overrides."""

_NOTHING_DONE = "nothing was simulated or written (dry_run=true)"
_LOG = "sweep.log"
_NOTHING = "interrupted; this run wrote nothing"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    The status is 0 if all is done, 1 if a simulation or points of a sweep failed or results cannot
    be kept, 2 for an invalid scenario.

    Args:
        arguments: what follows the program's name; by default those of this process.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if "--help" in arguments or "-h" in arguments:
        from importlib.metadata import version

        from sim.scenario.files import groups, scenario_names

        practices = [group.partition("/")[2] for group in groups() if "practice/" in group]
        text = _HELP.format(
            version=version("mldelivery"),
            scenarios=_column(scenario_names()),
            practices=_column(practices),
        )
        print(text)
        sys.exit(0)
    if "--version" in arguments:
        from importlib.metadata import version

        print(f"mldelivery {version('mldelivery')}")
        sys.exit(0)
    if arguments[:1] == ["replay"]:
        _replay(arguments[1:])
    try:
        if arguments[:1] == ["resume"]:
            arguments = _resumed(arguments[1:])
        asked = Arguments.split(arguments)
        with last_words(_of_a_run):
            start_early(_workers_wanted(asked))
            with ExitStack() as reading:
                reading.enter_context(_shown("reading the scenario"))
                from sim.configuration.program import compose_and_run

                def run(compose: Callable[[], "Scenario"], folder: Path) -> None:
                    reading.close()
                    _run(compose, folder)

                def sweep(axes: "Sequence[Axis]", variants: "Variants", folder: Path) -> None:
                    reading.close()
                    from sim.configuration.resume import as_made
                    from sim.configuration.without_effect import refuse_in_a_sweep
                    from sim.experiment.sweep import settings_of

                    refuse_in_a_sweep(asked.keys, settings_of(variants))
                    _sweep(axes, variants, folder, as_made(asked))

                compose_and_run(asked, run, sweep)
    except ScenarioError as error:
        _stop(str(error), status=2)
    except EngineError as error:
        _stop(f"{error}; nothing was written", status=1)
    except OSError as error:
        _stop(f"the results cannot be written: {error}", status=1)
    sys.exit(0)


def _workers_wanted(asked: Arguments) -> int:
    """Return how many worker processes will be wanted, as far as one can tell by now."""
    if "engine" in asked.keys:
        return 0
    (given,) = [text for text in asked.overrides if text.startswith("n_jobs=")][-1:] or [
        "n_jobs=-1"
    ]
    number = given.partition("=")[2]
    if number != "-1" and not (number.isascii() and number.isdecimal()):
        return 0
    workers = cores() if number == "-1" else int(number)
    if workers > cores():  # perhaps by mistake
        return 0
    # Another file than the default may say that there is one replication, or one process.
    runs = asked.runs and asked.config_name is None and "replications=1" not in asked.overrides
    return workers if asked.sweeps or (runs and workers > 1) else 0


@contextmanager
def _shown(words: str) -> Iterator[None]:
    """Show words on a terminal during the block; without a library, as their import takes long."""
    if not sys.stderr.isatty():
        yield
        return
    print(words, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _of_a_run() -> str:
    with suppress(Exception):  # before the folder is chosen
        # It would take a second to import it now.
        folder = sys.modules["sim.configuration.program"].results_folder()
        if (folder / "report.html").exists():
            return f"interrupted, when the report was complete: {_readable(folder)}/"
        _remove_if_empty(folder)
    return _NOTHING


def _column(names: Sequence[str]) -> str:
    return textwrap.indent(textwrap.fill(", ".join(names), 48), " " * 52)


def _stop(message: str, status: int) -> NoReturn:
    print(printable(message), file=sys.stderr)
    sys.exit(status)


def _run(compose: Callable[[], "Scenario"], folder: Path) -> None:
    from sim.world.clock import SimulationError

    try:
        from sim.experiment.resources import demand

        scenario = compose()
        arms = 2 if scenario.roadmap else 1
        work = [(scenario, arms * scenario.replications)]
        wanted = demand(work, scenario.n_jobs, keeps_weeks=True)
        if scenario.dry_run:
            print(f"{wanted}\n{_NOTHING_DONE}")
            return
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ScenarioError(
                [Problem("hydra.run.dir", f"'{folder}' is not empty", "choose another folder")]
            )
        if scenario.animation:
            from sim.report.animation import INSTALL, is_possible

            if not is_possible():
                raise ScenarioError([Problem("animation", "needs vidigi", INSTALL)])
        if wanted.is_large:
            print(wanted, file=sys.stderr, flush=True)
        study, payback = _simulate(scenario)
        from rich.console import Console

        from sim.document.terminal import print_document
        from sim.report.drawing import drawn_meanwhile
        from sim.report.study_document import study_document

        console = Console()
        with drawn_meanwhile(study, payback) as pictures:
            print_document(study_document(study, payback), console)
            from sim.report.folder import write_folder

            with console.status("drawing the figures"):
                write_folder(study, folder, payback, pictures())
        console.print(
            printable(f"Report, tables and figures: {_readable(folder)}/"),
            style="bold",
            soft_wrap=True,
            markup=False,
        )
    except ScenarioError as error:  # exit here: Hydra would add a line of its own
        _stop(str(error), status=2)
    except SimulationError as error:
        _stop(str(error), status=1)
    except EngineError as error:
        _stop(f"{error}; nothing was written", status=1)
    except OSError as error:
        _stop(f"the results cannot be written: {error}", status=1)
    finally:
        _remove_if_empty(folder)


def _simulate(scenario: "Scenario") -> "tuple[Study, Payback | None]":
    """Replicate ``scenario``; one with a roadmap also without it, to see what it brings."""
    from sim.report.progress import progress_bar

    with progress_bar() as progress:
        arms = 2 if scenario.roadmap else 1
        total = arms * scenario.replications
        task = progress.add_task(f"simulating {scenario.name}", total=total)

        def advance(done: int) -> None:
            progress.update(task, completed=done)

        # While the bar is there already, and workers import the same.
        from sim.experiment.payback import pay_back
        from sim.experiment.replicate import replicate

        if not scenario.roadmap:
            return replicate(scenario, progress=advance), None
        payback = pay_back(scenario, progress=advance)
        return payback.invested, payback


def _resumed(arguments: Sequence[str]) -> list[str]:
    """Return the command line that goes on with a sweep."""
    from sim.configuration.resume import resumed
    from sim.experiment.store import ResultsError

    try:
        return resumed(arguments)
    except ResultsError as error:
        _stop(str(error), status=1)


def _replay(arguments: Sequence[str]) -> NoReturn:
    """Simulate replications of a sweep again, write their event tables, and exit."""
    from sim.experiment.store import ResultsError
    from sim.report.replay_folder import write_replays
    from sim.world.clock import SimulationError

    try:
        for words in write_replays(arguments):
            print(printable(words))
    except ScenarioError as error:
        _stop(str(error), status=2)
    except (ResultsError, SimulationError) as error:
        _stop(str(error), status=1)
    except OSError as error:
        _stop(f"the results cannot be written: {error}", status=1)
    sys.exit(0)


def _sweep(axes: "Sequence[Axis]", variants: "Variants", folder: Path, made: "Made") -> None:
    """Run a sweep in ``folder``, or what it lacks there."""
    from sim.experiment.resources import demand_of_sweep, refuse_too_large
    from sim.experiment.scheduler import StoppedError
    from sim.experiment.store import DiskError, ResultsError
    from sim.experiment.sweep import STORE, run_sweep, settings_of
    from sim.report.sweep_progress import ShownSweep

    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / STORE).exists():
        hint = "choose another folder"
        problem = Problem("hydra.sweep.dir", f"'{folder}' is not empty and has no sweep", hint)
        raise ScenarioError([problem])
    settings = settings_of(variants)
    if settings.animation:
        problem = Problem(
            "animation", "is for a single run", "leave it out, or run one point alone"
        )
        raise ScenarioError([problem])
    wanted = demand_of_sweep(variants, settings.n_jobs)
    if settings.engine == "loky":  # others may have more memory elsewhere
        refuse_too_large(wanted, settings.allow_large)
    if settings.dry_run:
        _say_what_it_takes(variants, wanted)
        return
    try:
        with last_words(partial(_of_a_sweep, folder)):
            folder.mkdir(parents=True, exist_ok=True)
            large = str(wanted) if wanted.is_large else ""
            with ShownSweep(large, folder / _LOG) as shown:
                sweep = run_sweep(variants, axes, folder, shown, made=made)
            _report(sweep, variants, folder)
    except (EngineError, DiskError, OSError) as error:
        _remove_if_empty(folder)
        if not folder.exists():
            if isinstance(error, DiskError):
                _stop(str(error), status=1)
            raise
        what = f"the results cannot be written: {error}" if isinstance(error, OSError) else error
        kept = "" if isinstance(error, DiskError) else "; what was finished is kept"
        _stop(f"{what}{kept}, and {_again(folder)}", status=1)
    except StoppedError as stopped:
        _stop(f"{stopped}; {_again(folder)}", status=1)
    except ResultsError as error:
        _stop(str(error), status=1)
    finally:
        _remove_if_empty(folder)
    if sweep.failures:
        sys.exit(1)


def _say_what_it_takes(variants: "Variants", wanted: "Demand") -> None:
    """Check the points of a sweep, and say what it would take."""
    from sim.experiment.engines import check_installed
    from sim.experiment.resources import size
    from sim.experiment.stopping import check_metrics
    from sim.experiment.sweep import check_points, leave_out_invalid, settings_of
    from sim.report.sweep_progress import ShownSweep

    settings = settings_of(variants)
    with ShownSweep() as shown:
        told = None if settings.on_invalid == "skip" else shown.checked
        if told is None:
            leave_out_invalid(variants, shown)
        _, first = check_points(variants, settings.design in ("grid", "zip"), told)
    check_metrics(settings)
    check_installed(settings.engine)
    many = "1 point" if len(variants) == 1 else f"{len(variants):,} points"
    print(f"{many}, about {size(wanted.bytes_on_disk)} on disk\n{wanted}")
    if settings.precision is not None:
        most = settings.precision.most_replications
        print(f"precision may ask for more, up to {most:,} replications of each point")
    if settings.select is not None:
        budget = settings.select.budget
        print(f"select may ask for up to {sum(first) if budget is None else budget:,} more")
    print(_NOTHING_DONE)


def _of_a_sweep(folder: Path) -> str:
    _remove_if_empty(folder)
    if not folder.exists():
        return _NOTHING
    return f"interrupted; what was finished is kept, and {_again(folder)}"


def _again(folder: Path) -> str:
    return f"the same command with hydra.sweep.dir={_readable(folder)} goes on from there"


def _report(sweep: "Sweep", variants: "Variants", folder: Path) -> None:
    from rich.console import Console

    from sim.document.document import illustrated
    from sim.document.picture import drawn
    from sim.document.terminal import WIDE, print_document
    from sim.report.sweep_content import findings
    from sim.report.sweep_document import sweep_document
    from sim.report.sweep_folder import write_sweep_folder

    console = Console()
    found = findings(sweep)
    document = sweep_document(found, is_wide=console.width >= WIDE)
    print_document(document, console)
    with console.status("drawing the figures"):
        from sim.report.sweep_figures import sweep_pictures  # matplotlib: it takes a while

        pictures = [drawn(picture, sweep.base.png) for picture in sweep_pictures(found)]
        write_sweep_folder(found, illustrated(document, pictures), variants, folder)
    console.print(
        printable(f"Report, tables and figures: {_readable(folder)}/"),
        style="bold",
        soft_wrap=True,
        markup=False,
    )


def _remove_if_empty(folder: Path) -> None:
    """Remove the folder that Hydra made before it called us, and what was made for it."""
    for path in (folder, *folder.parents):
        if path == Path.cwd() or (path != folder and not path.is_relative_to(Path.cwd())):
            return
        try:
            if [entry.name for entry in path.iterdir()] == ["multirun.yaml"]:
                (path / "multirun.yaml").unlink()
            path.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # not empty
            return


def _readable(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
