"""The organization: what there is in it, what was agreed, and what follows from what happens.

It does nothing by itself. Mechanisms act on it; :mod:`sim.world.build` puts it together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from sim.kernel import DrawTable
from sim.kernel.draws import BLOCKS
from sim.log import EventLog
from sim.scenario.distributions import Distribution
from sim.scenario.organization import ChangeKind, Scenario

from .clock import Clock
from .compute import Cluster, ComputePool
from .entities import (
    Batch,
    Change,
    Deployment,
    Incident,
    Introduction,
    Service,
    Stack,
    Team,
)
from .people import PeoplePool
from .randomness import Randomness
from .steps import PlannedStep

MOST_EVENTS = 1_000_000_000
"""In a replication: a hundred services make some 25 million in a hundred years."""


@dataclass(slots=True)
class Hooks:
    """The functions that follow an event, in order; mechanisms add theirs when they begin.

    What was added first happens first, so that the order is that in which
    :func:`sim.world.build.build` lets the mechanisms begin.

    Attributes:
        deployed: a deployment has gone live.
        rolled_back: a deployment was taken out, and the one before is live again.
        incident_started: service has begun to degrade.
        fell_below: the quality of the live model has fallen below the objective.
        drifted: the quality of the live model has fallen so far that its policy asks for a new one.
        data_usable: a batch of data can be used.
        adopted: the organization is as another scenario says from now on; the one before is given.
        service_adopted: the same, for each service in turn.
        stack_adopted: the same, for each stack in turn.
    """

    deployed: list[Callable[[Deployment], None]] = field(default_factory=list)
    rolled_back: list[Callable[[Deployment], None]] = field(default_factory=list)
    incident_started: list[Callable[[Incident], None]] = field(default_factory=list)
    fell_below: list[Callable[[Service], None]] = field(default_factory=list)
    drifted: list[Callable[[Service], None]] = field(default_factory=list)
    data_usable: list[Callable[[Service], None]] = field(default_factory=list)
    adopted: list[Callable[[Scenario], None]] = field(default_factory=list)
    service_adopted: list[Callable[[Service], None]] = field(default_factory=list)
    stack_adopted: list[Callable[[Stack], None]] = field(default_factory=list)


class Organization:
    """A simulated organization: its people, machines and services, and what they have done.

    Mechanisms look the parameters up in :attr:`scenario` when they act, as a practice may be
    introduced while the simulation runs.

    Args:
        scenario: what it is like at first.
        seed: root of all random numbers.
        replication: number of the replication.
    """

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        self.scenario = scenario
        people = sum(scenario.shared_people.values()) + sum(
            team.count * sum(team.people.values()) for team in scenario.teams.values()
        )
        self.env = Clock(None if scenario.allow_large else MOST_EVENTS, people)
        self.log = EventLog()
        self.randomness = Randomness(seed, replication)
        self.hooks = Hooks()
        self.plans: dict[ChangeKind, list[PlannedStep | None]] = {}
        """The steps of the pipeline for each kind of change; None where it skips one."""
        self.executions = count()
        """Numbers the executions of steps."""
        self.sources: set[str] = set()
        """Names of what happens again and again at the moment."""
        self.prices: dict[str, float] = {}
        """The last price logged of each item."""

        self.team_factors: dict[tuple[str, str, float], float] = {}
        """How much longer a team takes, by team, kind of difference and how different teams are."""

        self.people: list[PeoplePool] = []
        self.shared_people: dict[str, PeoplePool] = {}
        """The group that serves all teams, by role."""
        self.compute: dict[tuple[str, str], ComputePool] = {}
        """The pools by kind of compute and team, which is empty if they are shared."""
        self.clusters: dict[str, Cluster] = {}
        self.golden_path = Stack()
        self.teams: list[Team] = []
        self.services: list[Service] = []

        self.changes: list[Change] = []
        self.deployments: list[Deployment] = []
        self.incidents: list[Incident] = []
        self.batches: list[Batch] = []
        self.introductions: list[Introduction] = []
        """The items of the roadmap that people have begun to work on."""
        self._people_of: dict[str, list[PeoplePool]] = {}
        self._tables: dict[str, DrawTable] = {}

    @property
    def stacks(self) -> list[Stack]:
        """The golden path, and the stack of each team."""
        return [self.golden_path, *(team.stack for team in self.teams)]

    def table(
        self, name: str, columns: Sequence[Distribution | None], blocks: tuple[int, int] = BLOCKS
    ) -> DrawTable:
        """Return the draw table called ``name``, made with ``columns`` when it is first used.

        Look it up each time: a practice may change the distributions. The uniform numbers stay.
        """
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = self.randomness.table(name, columns, blocks)
        return table

    def forget_tables(self) -> None:
        """Let all draw tables be made anew, as their distributions may have changed."""
        self._tables.clear()
        for service in self.services:
            service.draws.clear()

    def add_people(self, pool: PeoplePool) -> None:
        """Let the people of ``pool`` belong to it."""
        self.people.append(pool)
        self._people_of.setdefault(pool.role, []).append(pool)

    def let_play(self, role: str, pool: PeoplePool) -> None:
        """Let the people of ``pool`` play another ``role`` as well."""
        self._people_of.setdefault(role, []).append(pool)

    def people_of(self, role: str) -> list[PeoplePool]:
        """Return the pools of ``role``: of the teams that have such people, and the shared one."""
        return self._people_of.get(role, [])

    def people_for(self, service: Service, role: str) -> PeoplePool:
        """Return who does work of ``role`` on ``service``: the team, or a team that helps out.

        What is built the standard way can be operated by those of other teams.
        """
        own = service.team.people[role]
        if role in self.scenario.pooled_roles and service.golden_path and not own.is_free():
            return next((pool for pool in self.people_of(role) if pool.is_free()), own)
        return own
