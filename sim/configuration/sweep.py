"""Sweeps that Python asks for, over dotted keys and over config groups."""

from pathlib import Path

from sim.experiment.scheduler import Watcher
from sim.experiment.sweep import AxesByKey, axes_of, design_variants, run_in_folder
from sim.experiment.sweep_results import Sweep
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.files import groups
from sim.scenario.organization import Scenario
from sim.scenario.variants import Composed, with_settings

from .load import origin_of
from .sweeper import composed_sweep


def sweep(
    base: Scenario,
    axes: AxesByKey,
    replications: int | None = None,
    seed: int | None = None,
    n_jobs: int | None = None,
    folder: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Sweep:
    """Simulate a scenario at many points and compare them, with common random numbers.

    Further settings are those of the scenario: `design`, `samples`, `engine`, `address`,
    `baseline`, `precision`, `select` and `adaptive`. The result does not depend on ``n_jobs``
    or the engine.

    Args:
        base: the scenario; values of the swept keys are replaced in it. With config groups among
            the keys it must be one that :func:`sim.load` returned: each point is composed from the
            same files and overrides, as the command line does.
        axes: values by dotted key, or choices by config group such as ``practice/testing``; for
            designs that sample also an interval, a distribution or weights by value, as in
            :func:`sim.experiment.axes.chances`.
        replications: of each point; by default the scenario's.
        seed: root of all random numbers; by default the scenario's.
        n_jobs: parallel processes; -1 uses one per core; by default the scenario's.
        folder: where finished replications are kept, so that the same call runs only what is
            missing; by default they are kept in memory, and nowhere.
        watcher: is told about what is finished and what fails.

    Raises:
        ScenarioError: a point is no valid scenario, or would not fit into memory; nothing is
            simulated then.
        ResultsError: the folder cannot be used.
    """
    there = set(groups())
    chosen = [key for key in axes if key.lstrip("+") in there]
    if not chosen:
        base = with_settings(base, replications=replications, seed=seed, n_jobs=n_jobs)
        data = base.model_dump(mode="json", by_alias=True)
        parts = axes_of(axes)
        variants = design_variants(parts, lambda _: Composed(data))
        return run_in_folder(variants, parts, folder, watcher)
    origin = origin_of(base)
    if origin is None:
        hint = "sweep a scenario as sim.load returned it, with further values among its overrides"
        problem = Problem(chosen[0], "is chosen while a scenario is composed", hint)
        raise ScenarioError([problem])
    given = {"replications": replications, "seed": seed, "n_jobs": n_jobs}
    settings = [f"{key}={value}" for key, value in given.items() if value is not None]
    swept, variants = composed_sweep(origin.files, [*origin.overrides, *settings], axes_of(axes))
    return run_in_folder(variants, swept, folder, watcher)
