"""Hydra's program: it composes what a command line asks for, and lets it be run.

Hydra is made for scripts that are started once in a process. What can only be done by pretending to
be one is here, and nowhere else:

*   ``hydra.main`` takes no arguments, it reads ``sys.argv``.
*   Hydra takes sweepers from a package called ``hydra_plugins`` only, which it imports whole in
    every program that uses Hydra: a real one would cost each of them a second. So the sweeper says
    that it is from there, and ``sys.modules`` says so too.
*   Hydra prints exceptions itself and exits, unless ``HYDRA_FULL_ERROR`` is set.
*   ``--cfg job --resolve`` prints the text ``${seed}`` as if it were to be resolved again: Hydra
    calls ``OmegaConf.resolve`` before it prints, which is another one meanwhile.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, ListConfig, OmegaConf

from sim.experiment.axes import Axis
from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS
from sim.scenario.variants import Variants

from . import sweeper
from .arguments import Arguments
from .composition import Files, own_values_last
from .dump import escaped
from .overrides import add_missing, parse, sets_a_value
from .own_folder import searched_first
from .problems import COMPOSITION_ERRORS, from_composition
from .stages import presets_reach_steps

Run = Callable[[Files, Sequence[str], Path], None]
"""Runs the scenario that files and overrides make; the folder gets its results."""
Sweep = Callable[[Sequence[Axis], Variants, Path], None]
"""Runs a sweep: its axes, the scenarios of its points, and the folder."""

_SWEEPER = "mldelivery"
_PACKAGE = "hydra_plugins"
_MODULE = f"{_PACKAGE}.{_SWEEPER}"
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
    overrides = arguments.overrides
    settings = [f"{key}={value}" for key, value in _SETTINGS.items() if key not in arguments.keys]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Hydra makes the folder before the name is validated: it must not lead out of results/.
    OmegaConf.register_new_resolver(
        "folder_name", lambda name: re.sub(r"[^A-Za-z0-9_-]", "_", str(name))[:100], replace=True
    )
    composing = True

    def run_sweep(axes: Sequence[Axis], variants: Variants, folder: Path) -> None:
        nonlocal composing
        composing = False
        sweep(axes, variants, folder)

    _register_sweeper(overrides, run_sweep)

    @hydra.main(version_base="1.3", config_path=str(SCENARIOS), config_name="default")
    def run_job(composed: DictConfig) -> None:
        nonlocal composing
        composing = False
        known = HydraConfig.get()
        files = Files(str(known.job.config_name), tuple(map(str, known.overrides.hydra)))
        is_ours = "hydra/sweeper" not in arguments.keys
        run(
            files, overrides if is_ours else _of_this_job(overrides), Path(known.runtime.output_dir)
        )
        composing = True  # the next scenario of a multirun

    completed = add_missing(overrides)
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
        pairs = data.items() if isinstance(data, Mapping) else enumerate(data)
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


def _register_sweeper(overrides: Sequence[str], run: Sweep) -> None:
    """Make the sweeper known to Hydra.

    Args:
        overrides: those of the command line, as they are written there.
        run: runs a sweep.
    """
    plugin = sweeper.PointSweeper
    plugin.overrides = tuple(overrides)
    plugin.run = staticmethod(run)
    plugin.__module__ = _MODULE
    Plugins.instance().register(plugin)
    sys.modules.setdefault(_PACKAGE, ModuleType(_PACKAGE))
    sys.modules[_MODULE] = sweeper
    node = {"_target_": f"{_MODULE}.{plugin.__name__}", "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name=_SWEEPER, node=node, provider=_SWEEPER)
