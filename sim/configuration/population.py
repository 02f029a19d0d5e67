"""Populations: organizations that are drawn from a file of distributions and weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sim.experiment.axes import Axis
from sim.experiment.sweep import scenario_at
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

from .composition import read
from .load import files_of
from .problems import COMPOSITION_ERRORS, from_composition
from .sweeper import stored_sweep


class Member(NamedTuple):
    """An organization of a population; each stands for as many others as any other one.

    Attributes:
        drawn: what was drawn for it, by key.
        scenario: the organization. Its seed gives it luck of its own.
    """

    drawn: dict[str, object]
    scenario: Scenario


def population(
    *overrides: str,
    n: int | None = None,
    seed: int | None = None,
    experiment: str = "population",
    config: str | Path = "default",
) -> list[Member]:
    """Return organizations drawn from a file, those that ``python -m sim`` draws from it.

    With ``design=random``, which the file of the package has, member k is the same whatever ``n``,
    and what is drawn for one key is the same whatever other keys are drawn or given. In the design
    `lhs` each member depends on ``n``.

    Args:
        *overrides: Hydra overrides. They go before the file: ``"organization=startup"`` draws the
            rest for start-ups alone.
        n: how many, instead of the file's ``samples``.
        seed: root of all random numbers; by default the file's.
        experiment: name of the file, in ``scenarios/experiment`` or a folder ``experiment`` beside
            ``config``.
        config: as for :func:`sim.load`.

    Returns:
        The members, in the order of the points of the sweep.

    Raises:
        ScenarioError: the file draws nothing, or a member is no valid scenario.
    """
    given = {"samples": n, "seed": seed}
    settings = [f"{key}={value}" for key, value in given.items() if value is not None]
    axes, variants = population_sweep([*overrides, *settings], experiment, config)
    keys = [axis.key for axis in axes]
    return [
        Member(
            dict(zip(keys, variants.points[member], strict=False)),  # a seed may follow
            scenario_at(variants, member),
        )
        for member in range(len(variants))
    ]


def population_sweep(
    overrides: Sequence[str], experiment: str = "population", config: str | Path = "default"
) -> tuple[list[Axis], Variants]:
    """Return what is drawn for a population, and its members as the points of a sweep.

    :func:`sim.experiment.sweep.run_sweep` simulates them, and keeps them in a folder.

    Args:
        overrides: as for :func:`population`.
        experiment: likewise.
        config: likewise.

    Raises:
        ScenarioError: the file draws nothing.
    """
    asked = [f"+experiment={experiment}", *overrides]
    files = files_of(config)
    try:
        stored = read(files, asked).sweep
    except COMPOSITION_ERRORS as error:
        raise from_composition(error, asked, files) from None
    if not isinstance(stored, dict):
        hint = "write what is drawn under hydra.sweeper.params"
        raise ScenarioError([Problem(f"experiment={experiment}", "draws nothing", hint)])
    return stored_sweep(files, stored, asked)
