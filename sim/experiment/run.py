"""One simulated replication: its event tables and its metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.log import Records
from sim.metrics import catalogue, compute_metrics, compute_metrics_by
from sim.metrics.restore import Restored, restored_incidents
from sim.scenario.organization import Scenario
from sim.scenario.variants import with_settings
from sim.world.simulation import simulate as simulate_world

from .breakdowns import Breakdowns
from .resources import demand, refuse_too_large
from .showing import Showing, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Run(Showing):
    """One replication of a scenario.

    Attributes:
        scenario: what was simulated.
        seed: root of its random numbers.
        replication: its number.
        tables: the event tables by name, over the whole horizon, warm-up included.
    """

    scenario: Scenario
    seed: int
    replication: int
    tables: dict[str, pd.DataFrame]

    @property
    def window(self) -> tuple[float, float]:
        """The observed time in h, after the warm-up: (start, end)."""
        scenario = self.scenario
        return scenario.warmup_weeks * HOURS_PER_WEEK, scenario.horizon_weeks * HOURS_PER_WEEK

    @property
    def records(self) -> Records:
        """The event tables with their window and currency, as a real organization has them."""
        return Records(self.tables, self.window, self.scenario.cost.currency)

    def metrics(self) -> pd.Series:
        """Return the metrics of the organization over :attr:`window`, by name."""
        return compute_metrics(self.records)

    @property
    def breakdowns(self) -> Breakdowns:
        """Where time goes over :attr:`window`, by step, role and cause."""
        return Breakdowns.of(self.records)

    def plot(
        self, name: str = "", service: str = "", weeks: tuple[float, float] | None = None
    ) -> "Figure":
        """Return a figure of its report, as Matplotlib's.

        Args:
            name: of the figure, as the files of a report are called: ``"gantt"``; by default the
                four metrics.
            service: whose model the figure ``"quality"`` shows; by default that of the service
                that was below its objective longest.
            weeks: the first week to show and the week after the last; by default :attr:`window`.

        Raises:
            ValueError: there is no figure or service of this name, or there are no such weeks.
        """
        figure: Figure = shown().figure_of_run(self, name, service, weeks)
        return figure

    def restored(self) -> Restored:
        """Return the incidents restored in :attr:`window`, which replications pool."""
        return restored_incidents(self.tables, self.window)

    def metrics_by(self, by: Literal["team", "service"]) -> pd.DataFrame:
        """Return the metrics with a row for each ``"team"`` or ``"service"``."""
        return compute_metrics_by(self.records, by)

    @property
    def changes(self) -> pd.DataFrame:
        """A row per change."""
        return self.tables["changes"]

    @property
    def steps(self) -> pd.DataFrame:
        """A row per execution of a pipeline step."""
        return self.tables["steps"]

    @property
    def work(self) -> pd.DataFrame:
        """A row per stint of a person."""
        return self.tables["work"]

    @property
    def jobs(self) -> pd.DataFrame:
        """A row per occupation of a compute slot."""
        return self.tables["jobs"]

    @property
    def deployments(self) -> pd.DataFrame:
        """A row per deployment."""
        return self.tables["deployments"]

    @property
    def incidents(self) -> pd.DataFrame:
        """A row per incident."""
        return self.tables["incidents"]

    @property
    def batches(self) -> pd.DataFrame:
        """A row per batch of data."""
        return self.tables["batches"]

    @property
    def quality(self) -> pd.DataFrame:
        """The course of each service's quality."""
        return self.tables["quality"]


def metric_names(scenario: Scenario) -> list[str]:
    """Return the names of the metrics of a run of ``scenario``, which is not simulated for that.

    Roles and kinds of compute are those that it begins with: a roadmap adds none.
    """
    in_teams = [role for team in scenario.teams.values() for role in team.people]
    resources = [*scenario.shared_people, *in_teams, *scenario.compute]
    return catalogue.names(dict.fromkeys(resources))


def simulate(
    scenario: Scenario,
    seed: int | None = None,
    replication: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Simulate one replication of ``scenario``.

    Args:
        scenario: what :func:`sim.load` returned.
        seed: root of all random numbers; by default the scenario's.
        replication: which replication of an experiment this is; the same seed and number give the
            same log.
        progress: called now and then with the share of the horizon that is done.

    Raises:
        ScenarioError: the seed is not allowed, or the log would not fit into memory and
            `allow_large` is not set.
        ValueError: the number of the replication is negative.
    """
    seed = with_settings(scenario, seed=seed).seed
    if replication < 0:
        raise ValueError(f"replication is {replication}; the first is 0")
    refuse_too_large(demand([(scenario, 1)], 1), scenario.allow_large)
    return simulate_unchecked(scenario, seed, replication, progress)


def simulate_unchecked(
    scenario: Scenario,
    seed: int,
    replication: int,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Simulate one replication of an experiment that has been looked at as a whole."""
    log = simulate_world(scenario, seed, replication, progress)
    return Run(scenario, seed, replication, log.to_frames())
