"""The program of a command line: it composes what is asked for, and lets it be run.

A run is composed as by ``sim.load``, once. Sweeps, and all that Hydra shows, are left to Hydra's
own program, which composes several times. It is made for scripts that are started once in a
process. What can only be done by pretending to be one is here, and nowhere else:

*   ``hydra.main`` takes no arguments, it reads ``sys.argv``.
*   Hydra takes sweepers from a package called ``hydra_plugins`` only, which it imports whole in
    every program that uses Hydra: a real one would cost each of them a second. So the sweeper says
    that it is from there, and ``sys.modules`` says so too.
*   Hydra prints exceptions itself and exits, unless ``HYDRA_FULL_ERROR`` is set.
*   ``--cfg job --resolve`` prints the text ``${seed}`` as if it were to be resolved again: Hydra
    calls ``OmegaConf.resolve`` before it prints, which is another one meanwhile.
"""

import os
import pickle
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import hydra
from hydra._internal.config_loader_impl import get_overrides_dirname
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write

from sim.experiment.axes import Axis
from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

from .arguments import Arguments
from .composition import Files, compose, own_values_last, read
from .dump import escaped
from .load import composed_scenario
from .overlay import overlay
from .overrides import add_missing, parse, sets_a_value
from .own_folder import searched_first, with_point_found
from .problems import COMPOSITION_ERRORS, from_composition
from .records import with_checksum
from .stages import presets_reach_steps
from .without_effect import refuse_on_a_run

Run = Callable[[Callable[[], Scenario], Path], None]
"""Composes a scenario and runs it; the folder, which may not exist yet, gets its results."""
Sweep = Callable[[Sequence[Axis], Variants, Path], None]
"""Runs a sweep: its axes, the scenarios of its points, and the folder."""

_SWEEPER = "mldelivery"
_PACKAGE = "hydra_plugins"
_MODULE = f"{_PACKAGE}.{_SWEEPER}"
_CLASS = "PointSweeper"
_DEFAULT = "default"
_SETTINGS = {
    "hydra.run.dir": "'results/${folder_name:${name}}/${now:%Y-%m-%d_%H-%M-%S}'",
    "hydra.sweep.dir": "'results/${folder_name:${name}}/${now:%Y-%m-%d_%H-%M-%S}_multirun'",
    "hydra/sweeper": _SWEEPER,
    "hydra.output_subdir": "null",
    "hydra.job.chdir": "false",
    "hydra.verbose": "false",
    "hydra/job_logging": "none",
    "hydra/hydra_logging": "none",
}


def compose_and_run(arguments: Arguments, run: Run, sweep: Sweep) -> None:
    """Compose what a command line asks for, and run it, or show it.

    Raises:
        ScenarioError: it cannot be composed.
    """
    arguments = with_point_found(arguments)
    completed = add_missing(arguments.overrides)
    settings = [f"{key}={value}" for key, value in _SETTINGS.items() if key not in arguments.keys]
    # The folder is made before the simulation: a name must not lead out of results/.
    OmegaConf.register_new_resolver(
        "folder_name", lambda name: re.sub(r"[^A-Za-z0-9_-]", "_", str(name))[:100], replace=True
    )
    node = {"_target_": f"{_MODULE}.{_CLASS}", "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name=_SWEEPER, node=node, provider=_SWEEPER)
    if arguments.shows_an_overlay and not _varies(arguments):
        _show_overlay(arguments, settings)
    elif not (_asks_for_a_run(arguments) and _run_composed(arguments, settings, run)):
        _run_program(arguments, completed, settings, run, sweep)


def _asks_for_a_run(arguments: Arguments) -> bool:
    return arguments.runs and not _varies(arguments)


def _varies(arguments: Arguments) -> bool:
    """Return whether Hydra has to be asked: about several values, or a folder that is not there."""
    folder = arguments.own_folder
    several = any(parse(override).is_sweep_override() for override in arguments.overrides)
    return several or not (folder is None or folder.is_dir())


def _show_overlay(arguments: Arguments, settings: Sequence[str]) -> None:
    """Print what differs from the files that the package has."""
    overrides = arguments.overrides
    files = Files(arguments.config_name or _DEFAULT, tuple(settings), SCENARIOS)
    words = [option for option in arguments.options if option not in ("--cfg", "-c", "job")]
    command = " ".join(map(shlex.quote, [*words, *overrides]))
    with searched_first(arguments.own_folder):
        try:
            print(overlay(files, overrides, f"python -m sim {command}".rstrip()), end="")
        except COMPOSITION_ERRORS as error:
            raise from_composition(error, overrides, files) from None


def _run_composed(arguments: Arguments, settings: Sequence[str], run: Run) -> bool:
    """Compose a scenario and run it, unless its files store a sweep; return whether it was run."""
    overrides = arguments.overrides
    files = Files(arguments.config_name or _DEFAULT, tuple(settings), SCENARIOS)
    with searched_first(arguments.own_folder):
        try:
            if read(files, overrides).sweeps:
                return False
        except COMPOSITION_ERRORS as error:
            raise from_composition(error, overrides, files) from None
        refuse_on_a_run(arguments.keys)
        scenario = composed_scenario(files, overrides)
        with _known_to_hydra(files, overrides):
            run(lambda: scenario, results_folder())
    return True


@contextmanager
def _known_to_hydra(files: Files, overrides: Sequence[str]) -> Iterator[None]:
    """Let Hydra know during the block what was composed, and where the results of a run go.

    Raises:
        ScenarioError: the name of the folder refers to what is not there.
    """
    composed = compose(files, overrides)
    of_scenario = [parse(text) for text in overrides if not parse(text).is_hydra_override()]
    with open_dict(composed):
        composed.hydra = pickle.loads(read(files, overrides).of_hydra).hydra
        # As it would be if Hydra had set the values, to which the name of a folder may refer.
        of_hydra = composed.hydra
        of_hydra.overrides.task = [override.input_line for override in of_scenario]
        separators = of_hydra.job.config.override_dirname
        of_hydra.job.override_dirname = get_overrides_dirname(of_scenario, **separators)
    known = HydraConfig.instance()
    before = known.cfg
    try:
        known.set_config(composed)  # `${hydra:...}` asks it
        try:
            folder = os.path.abspath(of_hydra.run.dir)
        except COMPOSITION_ERRORS as error:
            raise from_composition(error, overrides, files) from None
        with read_write(of_hydra), open_dict(of_hydra):
            of_hydra.runtime.output_dir = folder
        known.set_config(composed)
        yield
    finally:
        known.cfg = before


def _run_program(
    arguments: Arguments, completed: list[str], settings: Sequence[str], run: Run, sweep: Sweep
) -> None:
    """Let Hydra's program run what is asked for.

    Args:
        arguments: of the command line.
        completed: its overrides, as Hydra has to be told them.
        settings: further overrides, of Hydra itself.
        run: runs a scenario.
        sweep: runs a sweep.
    """
    from . import sweeper  # and with it all of a sweep

    overrides = arguments.overrides
    os.environ["HYDRA_FULL_ERROR"] = "1"
    composing = True

    def run_sweep(axes: Sequence[Axis], variants: Variants, folder: Path) -> None:
        nonlocal composing
        composing = False
        sweep(axes, variants, folder)

    plugin = sweeper.PointSweeper
    plugin.overrides = tuple(overrides)
    plugin.run = staticmethod(run_sweep)
    plugin.__module__ = _MODULE
    Plugins.instance().register(plugin)
    sys.modules.setdefault(_PACKAGE, ModuleType(_PACKAGE))
    sys.modules[_MODULE] = sweeper

    @hydra.main(version_base="1.3", config_path=str(SCENARIOS), config_name=_DEFAULT)
    def run_job(composed: DictConfig) -> None:
        nonlocal composing
        composing = False
        known = HydraConfig.get()
        files = Files(str(known.job.config_name), tuple(map(str, known.overrides.hydra)))
        is_ours = "hydra/sweeper" not in arguments.keys
        of_job = overrides if is_ours else _of_this_job(overrides)
        run(lambda: composed_scenario(files, of_job), results_folder())
        composing = True  # the next scenario of a multirun

    if arguments.sweeps:
        completed = [sweeper.with_first_choice(override) for override in completed]
    # Hydra composes a scenario in order to know its folder. If it cannot, because of an override
    # that only later points can have, or of any other, `run` or `sweep` says what is wrong.
    of_files = [override for override in completed if not sets_a_value(parse(override))]
    of_hydra = [override for override in of_files if parse(override).is_hydra_override()]
    attempts = [completed] if arguments.shows else [completed, of_files, of_hydra]
    try:
        for attempt in attempts:
            try:
                return _call(run_job, [*attempt, *settings], arguments)
            except ScenarioError:
                raise
            except Exception as error:
                is_last = attempt is attempts[-1]
                if is_last or not composing or getattr(error, "errno", None) is not None:
                    raise
    except COMPOSITION_ERRORS as error:
        # An error while simulating is no matter of the scenario's files; nor is one with an errno,
        # which means that Hydra could not make the results folder.
        if not composing or getattr(error, "errno", None) is not None:
            raise
        raise from_composition(error, overrides) from None


def results_folder() -> Path:
    """Return the folder that Hydra has made for the results of a run.

    Raises:
        ValueError: it has not chosen one yet.
    """
    return Path(HydraConfig.get().runtime.output_dir)


def _call(run_job: Callable[[], None], overrides: Sequence[str], arguments: Arguments) -> None:
    sys.argv = [sys.argv[0], *overrides, *arguments.options]
    with own_values_last(), presets_reach_steps(), searched_first(arguments.own_folder):
        if arguments.shows:
            with _resolved_texts_escaped():
                run_job()
        else:
            run_job()


@contextmanager
def _resolved_texts_escaped() -> Iterator[None]:
    """Let what Hydra prints with ``--resolve`` be read back as the same scenario."""
    resolve = OmegaConf.resolve

    def resolve_and_escape(config: DictConfig | ListConfig) -> None:
        data = escaped(OmegaConf.to_container(config, resolve=True))
        if isinstance(data, dict):
            data = with_checksum(data)
        pairs = data.items() if isinstance(data, Mapping) else enumerate(data)
        with open_dict(config):
            for key, value in pairs:
                config[key] = value

    setattr(OmegaConf, "resolve", resolve_and_escape)  # noqa: B010 - it is a method
    try:
        yield
    finally:
        setattr(OmegaConf, "resolve", resolve)  # noqa: B010


def _of_this_job(overrides: Sequence[str]) -> list[str]:
    """Return the overrides of this job of another sweeper, without the `++` of `add_missing`."""
    plain = {override.partition("=")[0] for override in overrides}
    task = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    assert isinstance(task, list)
    return [
        override[2:] if override[2:].partition("=")[0] in plain else override
        for override in map(str, task)
    ]
