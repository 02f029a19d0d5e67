"""The command line: ``python -m sim`` simulates a scenario and shows its metrics."""

import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from sim.configuration.arguments import Arguments
from sim.configuration.composition import Files
from sim.configuration.load import composed_scenario
from sim.configuration.program import compose_and_run, results_folder
from sim.document.terminal import print_document
from sim.ending import last_words
from sim.experiment.axes import Axis
from sim.experiment.engines import EngineError, start_early
from sim.experiment.payback import Payback, pay_back
from sim.experiment.replicate import Study, replicate
from sim.experiment.resources import demand, demand_of_sweep, refuse_too_large
from sim.experiment.store import DiskError, ResultsError
from sim.experiment.sweep import STORE, run_sweep
from sim.experiment.sweep_results import Sweep
from sim.report.progress import ShownSweep, progress_bar
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.files import groups, scenario_names
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants
from sim.words import printable
from sim.world.clock import SimulationError

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
  python -m sim --config-dir=. --config-name=mine   mine.yaml of this folder
  python -m sim -m automation=0,0.5,1 practice/testing=none,full
                                                    a sweep: all combinations, compared
  python -m sim -m design=lhs samples=50 'automation=interval(0,1)'
                                                    other designs: zip, lhs, sobol, morris, adaptive
  python -m sim --cfg job                           print the composed scenario and stop

Results go to one folder under results/, or to hydra.run.dir=FOLDER; those of a sweep to
hydra.sweep.dir=FOLDER, where the same command goes on if it was interrupted. Settings of the
experiment: replications, seed, horizon_weeks, warmup_weeks, n_jobs, and for sweeps engine, address,
design, samples, baseline, precision, select, adaptive. docs/parameters.md lists all keys with unit,
range, default and source; --hydra-help explains the syntax of overrides."""

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
        practices = [group.partition("/")[2] for group in groups() if "practice/" in group]
        text = _HELP.format(
            version=version("mldelivery"),
            scenarios=_column(scenario_names()),
            practices=_column(practices),
        )
        print(text)
        sys.exit(0)
    if "--version" in arguments:
        print(f"mldelivery {version('mldelivery')}")
        sys.exit(0)
    try:
        asked = Arguments.split(arguments)
        with last_words(_of_a_run):
            if asked.sweeps and "engine" not in asked.keys:
                start_early()
            compose_and_run(asked, _run, _sweep)
    except ScenarioError as error:
        _stop(str(error), status=2)
    except ResultsError as error:
        _stop(str(error), status=1)
    except EngineError as error:
        _stop(f"{error}; nothing was written", status=1)
    except OSError as error:
        _stop(f"the results cannot be written: {error}", status=1)
    sys.exit(0)


def _of_a_run() -> str:
    with suppress(Exception):  # before Hydra has chosen the folder
        folder = results_folder()
        if (folder / "report.html").exists():
            return f"interrupted, when the report was complete: {_readable(folder)}/"
        _remove_if_empty(folder)
    return _NOTHING


def _column(names: Sequence[str]) -> str:
    return textwrap.indent(textwrap.fill(", ".join(names), 48), " " * 52)


def _stop(message: str, status: int) -> NoReturn:
    print(printable(message), file=sys.stderr)
    sys.exit(status)


def _run(files: Files, overrides: Sequence[str], folder: Path) -> None:
    try:
        if any(folder.iterdir()):
            raise ScenarioError(
                [Problem("hydra.run.dir", f"'{folder}' is not empty", "choose another folder")]
            )
        scenario = composed_scenario(files, overrides)
        if scenario.animation:
            from sim.report.animation import INSTALL, is_possible

            if not is_possible():
                raise ScenarioError([Problem("animation", "needs vidigi", INSTALL)])
        arms = 2 if scenario.roadmap else 1
        work = [(scenario, arms * scenario.replications)]
        wanted = demand(work, scenario.n_jobs, keeps_weeks=True)
        if wanted.is_large:
            print(wanted, file=sys.stderr, flush=True)
        study, payback = _simulate(scenario)
        from sim.report.study_document import study_document  # matplotlib: it takes a while

        console = Console()
        print_document(study_document(study, payback), console)
        from sim.report.folder import write_folder

        with console.status("writing the report"):
            write_folder(study, folder, payback)
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


def _simulate(scenario: Scenario) -> tuple[Study, Payback | None]:
    """Replicate ``scenario``; one with a roadmap also without it, to see what it brings."""
    with progress_bar() as progress:
        arms = 2 if scenario.roadmap else 1
        total = arms * scenario.replications
        task = progress.add_task(f"simulating {scenario.name}", total=total)

        def advance(done: int) -> None:
            progress.update(task, completed=done)

        if not scenario.roadmap:
            return replicate(scenario, progress=advance), None
        payback = pay_back(scenario, progress=advance)
        return payback.invested, payback


def _sweep(axes: Sequence[Axis], variants: Variants, folder: Path) -> None:
    """Run a sweep in ``folder``, or what it lacks there."""
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / STORE).exists():
        hint = "choose another folder"
        problem = Problem("hydra.sweep.dir", f"'{folder}' is not empty and has no sweep", hint)
        raise ScenarioError([problem])
    settings = variants.scenario(0)
    if settings.animation:
        problem = Problem(
            "animation", "is for a single run", "leave it out, or run one point alone"
        )
        raise ScenarioError([problem])
    wanted = demand_of_sweep(variants, settings.n_jobs)
    if settings.engine == "loky":  # others may have more memory elsewhere
        refuse_too_large(wanted, settings.allow_large)
    try:
        with last_words(partial(_of_a_sweep, folder)):
            folder.mkdir(parents=True, exist_ok=True)
            with ShownSweep(str(wanted) if wanted.is_large else "") as shown:
                sweep = run_sweep(variants, axes, folder, shown)
            _report(sweep, variants, folder)
    except (EngineError, DiskError, OSError) as error:
        _remove_if_empty(folder)
        if not folder.exists():
            raise
        what = f"the results cannot be written: {error}" if isinstance(error, OSError) else error
        kept = "" if isinstance(error, DiskError) else "; what was finished is kept"
        _stop(f"{what}{kept}, and {_again(folder)}", status=1)
    finally:
        _remove_if_empty(folder)
    if sweep.failures:
        sys.exit(1)


def _of_a_sweep(folder: Path) -> str:
    _remove_if_empty(folder)
    if not folder.exists():
        return _NOTHING
    return f"interrupted; what was finished is kept, and {_again(folder)}"


def _again(folder: Path) -> str:
    return f"the same command with hydra.sweep.dir={_readable(folder)} goes on from there"


def _report(sweep: Sweep, variants: Variants, folder: Path) -> None:
    from sim.document.terminal import WIDE, print_document
    from sim.report.sweep_content import findings
    from sim.report.sweep_document import sweep_document
    from sim.report.sweep_figures import sweep_pictures
    from sim.report.sweep_folder import write_sweep_folder

    console = Console()
    found = findings(sweep)
    document = sweep_document(found, sweep_pictures(found), is_wide=console.width >= WIDE)
    print_document(document, console)
    write_sweep_folder(found, document, variants, folder)
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
