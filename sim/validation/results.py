"""The simulated observations of all cells: making them, and reading figures from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import linprog

from sim.experiment.intervals import FloatArray
from sim.experiment.parallel import Progress, in_parallel, observe_all
from sim.scenario.organization import Scenario

from .observe import SurveyObservation, observe
from .population import Simulation, cells, over_population, scenario, weights
from .published import Answers


@dataclass(frozen=True)
class Results:
    """The observed replications of every cell."""

    observations: Mapping[Simulation, list[SurveyObservation]]

    def figure(self, cell: Simulation, name: str) -> FloatArray:
        """Return a figure of each replication of ``cell``, (replications,)."""
        return np.array([o.figures[name] for o in self.observations[cell]])

    def mean_figure(self, name: str, of_cell: Mapping[Simulation, float]) -> FloatArray:
        """Return a figure of each replication, averaged over weighted cells, (replications,)."""
        return over_population(lambda cell: self.figure(cell, name), of_cell)

    def shares(self, cell: Simulation, column: str, answers: Answers) -> FloatArray:
        """Return the share of the teams of ``cell`` with each answer, (replications, answers).

        Teams without a value are left out, like people who do not answer.
        """
        rows = []
        for observation in self.observations[cell]:
            values = observation.teams[column].dropna().to_numpy()
            places = np.searchsorted(answers.edges_h, values, side="left")
            counts = np.bincount(places, minlength=len(answers.percentages))
            rows.append(counts / values.size if values.size else np.full(counts.size, np.nan))
        return np.array(rows)

    def distribution(
        self, column: str, answers: Answers, of_cell: Mapping[Simulation, float]
    ) -> FloatArray:
        """Return :meth:`shares`, averaged over weighted cells, (replications, answers)."""
        return over_population(lambda cell: self.shares(cell, column, answers), of_cell)

    def curve(
        self, name: Literal["deployed", "restored"], of_cell: Mapping[Simulation, float]
    ) -> FloatArray:
        """Return a cumulative distribution over weighted cells, (replications, grid)."""
        return over_population(
            lambda cell: np.array([getattr(o, name) for o in self.observations[cell]]), of_cell
        )

    def least_distance(self, column: str, answers: Answers) -> float:
        """Return the smallest distance that any weights of the cells could reach.

        If even this distance is large, no choice of the population explains a disagreement. It
        solves a linear programme: minimize t over weights w with -t <= sum(w * gap) <= t at every
        edge.
        """
        published = answers.cumulative
        shares = np.array([self.shares(cell, column, answers) for cell in weights()])
        answered = ~np.isnan(shares).any(axis=2).all(axis=1)
        if not answered.any():
            return np.nan
        means = np.nanmean(shares[answered], axis=1)
        gaps = (np.cumsum(means, axis=1) - published)[:, :-1].T  # (edges, cells)
        edges, n = gaps.shape
        bound = -np.ones((edges, 1))
        solution = linprog(
            np.append(np.zeros(n), 1.0),
            A_ub=np.vstack([np.hstack([gaps, bound]), np.hstack([-gaps, bound])]),
            b_ub=np.zeros(2 * edges),
            A_eq=np.append(np.ones(n), 0.0)[np.newaxis],
            b_eq=[1.0],
        )
        assert solution.fun is not None
        return float(solution.fun)


def run(
    replications: int,
    seed: int,
    n_jobs: int = -1,
    compose: Callable[[Simulation], Scenario] = scenario,
    start: Callable[[str, int], Progress] | None = None,
) -> Results:
    """Simulate all cells; replication k of each of them meets the same luck.

    Args:
        replications: of each cell, at least 2 for intervals.
        seed: root of all random numbers.
        n_jobs: parallel processes; -1 uses one process per core.
        compose: makes the scenario of a cell; workers import it.
        start: called with the name of the next stage and its number of items; it returns a
            function that is called with the number of items done.
    """
    wanted = cells()
    progress = None if start is None else start("composing scenarios", len(wanted))
    scenarios = in_parallel(compose, [(cell,) for cell in wanted], n_jobs, progress)
    work = [(composed, number) for composed in scenarios for number in range(replications)]
    progress = None if start is None else start("simulating", len(work))
    observed = observe_all(work, seed, observe, n_jobs, progress)
    return Results(
        {
            cell: observed[place * replications : (place + 1) * replications]
            for place, cell in enumerate(wanted)
        }
    )
