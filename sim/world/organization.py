"""The organization: builds the world that a scenario describes, and runs it."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import simpy

from sim.log import EventLog
from sim.scenario.organization import WORK_CLASSES, Scenario, WorkingHours
from sim.scenario.organization import Service as ServiceSpec
from sim.scenario.organization import Team as TeamSpec

from . import (
    arrivals,
    data,
    debt,
    dependencies,
    failures,
    incidents,
    investment,
    retraining,
    threats,
    upkeep,
)
from .calendar import WEEK_H, Calendar
from .changes import Change
from .clock import Clock
from .compute import Cluster, ComputePool
from .data import Batch
from .decay import QualityCurve, Shocks
from .deployment import Deployment
from .people import PeoplePool
from .pipeline import automated, plan
from .randomness import BLOCKS, DrawTable, Quantile, Randomness
from .services import Service, Team
from .upkeep import Stack

_COMPACT_EVERY_WEEKS = 4
MOST_EVENTS = 1_000_000_000
"""In a replication: a hundred services make some 25 million in a hundred years."""


class Organization:
    """A simulated organization: its people, machines and services, and what they have done.

    Whoever acts looks the parameters up in :attr:`scenario` at that moment, as a practice may be
    introduced while the simulation runs.

    Args:
        scenario: what it is like.
        seed: root of all random numbers.
        replication: number of the replication.
    """

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        self.scenario = scenario
        self.env = Clock(None if scenario.allow_large else MOST_EVENTS)
        self.log = EventLog()
        self.randomness = Randomness(seed, replication)
        self.plans = plan(scenario)
        self.automation_of = _automation(scenario)
        self._pooled_roles = frozenset(scenario.pooled_roles)
        self.introductions: list[investment.Introduction] = []
        """The items of the roadmap that people have begun to work on."""
        self.changes: list[Change] = []
        self.deployments: list[Deployment] = []
        self.incidents: list[incidents.Incident] = []
        self.batches: list[Batch] = []
        self._people: list[PeoplePool] = []
        self._people_of: dict[str, list[PeoplePool]] = {}
        self._compute: dict[tuple[str, str], ComputePool] = {}
        self._clusters: dict[str, Cluster] = {}
        self._tables: dict[str, DrawTable] = {}
        self._prices: dict[str, float] = {}
        self._golden_path = Stack()
        self.sources: set[str] = set()
        """Names of what happens again and again as long as the scenario says how often."""
        self._places: dict[Service, float] = {}
        self._price()
        self.shared_people = {
            role: self._people_pool("", role, headcount)
            for role, headcount in scenario.shared_people.items()
            if headcount > 0
        }
        self._teams: list[Team] = []
        self.services: list[Service] = []
        for kind, spec in scenario.teams.items():
            for name in _names(kind, spec.count):
                team = self._team(name, spec)
                owned = [
                    self._service(service_name, service_kind, team, service)
                    for service_kind, service in scenario.services.items()
                    if service.team == kind
                    for service_name in _names(f"{name}.{service_kind}", service.count)
                ]
                self._begin(team, owned)
        dependencies.connect(self)
        for stack in (self._golden_path, *(team.stack for team in self._teams)):
            upkeep.begin(self, stack)
        investment.begin(self)

    def adopt(self, scenario: Scenario) -> None:
        """From now on be as ``scenario`` says; what has begun goes on as it was begun."""
        before, self.scenario = self.scenario, scenario
        self.plans = plan(scenario)
        self.automation_of = _automation(scenario)
        self._pooled_roles = frozenset(scenario.pooled_roles)
        self._tables.clear()
        self._price()
        for pool in self._people:
            hours = self._hours(pool.role)
            if hours != before.working_hours_of.get(pool.role, before.working_hours):
                pool.adopt(Calendar(hours))
        self._adopt_compute()
        for service in self.services:
            service.draws.clear()
            service.stack = self._stack_of(service)
            policy = service.spec.retraining or scenario.retraining
            if policy != service.policy:
                service.policy = policy
                retraining.begin(self, service)
            arrivals.begin_improvements(self, service)
            threats.begin(self, service)
        for stack in (self._golden_path, *(team.stack for team in self._teams)):
            upkeep.begin(self, stack)

    def table(
        self, name: str, quantiles: Sequence[Quantile | None], blocks: tuple[int, int] = BLOCKS
    ) -> DrawTable:
        """Return the draw table called ``name``, made with ``quantiles`` when it is first used.

        Look it up each time: a practice may change the distributions. The uniform numbers stay.
        """
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = self.randomness.table(name, quantiles, blocks)
        return table

    def people_of(self, role: str) -> list[PeoplePool]:
        """Return the pools of ``role``: of the teams that have such people, and the shared one."""
        return self._people_of.get(role, [])

    def people_for(self, service: Service, role: str) -> PeoplePool:
        """Return who does work of ``role`` on ``service``: the team, or a team that helps out.

        What is built the standard way can be operated by those of other teams.
        """
        own = service.team.people[role]
        if role in self._pooled_roles and service.golden_path and not own.is_free():
            return next((pool for pool in self.people_of(role) if pool.is_free()), own)
        return own

    def effort_h(self, service: Service, effort_h: float) -> float:
        """Return the hours that work of ``effort_h`` takes on ``service`` as things are now."""
        if service.debt_h > 0:
            effort_h *= debt.slowdown(self, service)
        if self.introductions:
            effort_h *= investment.slowdown(self)
        return effort_h

    def deployed(self, deployment: Deployment) -> None:
        """Let the consequences of a deployment happen that has just gone live."""
        incidents.close_those_remedied_by(self, deployment)
        failures.let_defects_show(self, deployment)
        for change in deployment.changes:
            change.finish(self.env.now)

    def flush(self) -> None:
        """Log what has no end yet, and everything whose row had to wait for the end."""
        for change in self.changes:
            self.log.changes.append(change.row())
        for deployment in self.deployments:
            self.log.deployments.append(deployment.row())
        for incident in self.incidents:
            self.log.incidents.append(incident.row())
        for batch in self.batches:
            self.log.batches.append(batch.row())
        for introduction in self.introductions:
            self.log.investments.append(introduction.row())
        for service in self.services:
            service.flush()
        for people in self._people:
            people.flush()
        for compute in self._compute.values():
            compute.flush()
        end = self.scenario.horizon_weeks * WEEK_H
        for people in self._people:
            for stretch in people.stretches(end):
                row = (people.name, people.role, people.team, True, *stretch)
                self.log.capacity.append(row)
        for compute in self._compute.values():
            for opens, closes, slot_h in compute.stretches(end):
                pool = (compute.name, compute.resource, compute.team)
                self.log.capacity.append((*pool, False, opens, closes, slot_h, slot_h))

    def _begin(self, team: Team, services: list[Service]) -> None:
        """Set everything in motion that happens to the services of ``team``."""
        feature = self.scenario.changes.feature
        if feature is not None and services:
            arrivals.begin_features(self, team, services, feature)
        for service in services:
            service.on_decay = self._fell_below_objective
            service.watch()
            arrivals.begin_improvements(self, service)
            retraining.begin(self, service)
            data.begin(self, service)
            failures.begin_outages(self, service)
            threats.begin(self, service)

    def _fell_below_objective(self, service: Service) -> None:
        if any(incident.trigger == "decay" for incident in service.open_incidents):
            return
        number = service.number("decay")
        incidents.start(self, service, "model", "decay", service.live, "decay", number)

    def _team(self, name: str, spec: TeamSpec) -> Team:
        people = dict(self.shared_people)
        for role, headcount in spec.people.items():
            if headcount > 0:
                people[role] = self._people_pool(name, role, headcount)
        compute = {kind: self._compute_pool(name, kind) for kind in self.scenario.compute}
        features = None
        if spec.wip_limit is not None:
            features = simpy.Resource(self.env, spec.wip_limit)
        team = Team(name, people, compute, Stack(), features)
        team.stack.team = team
        self._teams.append(team)
        return team

    def _people_pool(self, team: str, role: str, headcount: int) -> PeoplePool:
        pool = PeoplePool(
            self.env,
            self.log,
            f"{team or 'shared'}/{role}",
            role,
            team,
            headcount,
            Calendar(self._hours(role)),
            {WORK_CLASSES.index(work) for work in self.scenario.interrupting},
        )
        self._people.append(pool)
        self._people_of.setdefault(role, []).append(pool)
        return pool

    def _hours(self, role: str) -> WorkingHours:
        return self.scenario.working_hours_of.get(role, self.scenario.working_hours)

    def _compute_pool(self, team: str, kind: str) -> ComputePool:
        """Return the pool of ``kind`` that serves ``team``; make it if there is none yet."""
        spec = self.scenario.compute[kind]
        team = "" if spec.shared else team
        if (kind, team) in self._compute:
            return self._compute[kind, team]
        name = f"{team or 'shared'}/{kind}"

        def provisioning(number: int) -> float:
            delay_h = self.scenario.compute[kind].provisioning_h
            return self.table(f"compute/{name}/provisioning", [delay_h.quantile]).take(number)[0]

        cluster = self._clusters.setdefault(kind, Cluster())
        pool = ComputePool(self.env, self.log, name, kind, team, spec, provisioning, cluster)
        self._compute[kind, team] = pool
        return pool

    def _adopt_compute(self) -> None:
        """Resize the pools, and make and close some if they are shared now and were not before."""
        for team in self._teams:
            for kind in self.scenario.compute:
                team.compute[kind] = self._compute_pool(team.name, kind)
        in_use = {pool for team in self._teams for pool in team.compute.values()}
        for pool in self._compute.values():
            for job in [] if pool in in_use else pool.take_waiting():
                service = self.changes[job.change_id].service
                service.team.compute[pool.resource].take_over(job, service.golden_path)
        for pool in self._compute.values():
            spec = self.scenario.compute[pool.resource]
            if pool not in in_use:
                spec = spec.model_copy(update={"slots": 0, "max_slots": None})
            pool.adopt(spec)

    def _price(self) -> None:
        """Log the prices that are new or have changed."""
        cost = self.scenario.cost
        teams = self.scenario.teams.values()
        roles = {role for team in teams for role in team.people} | set(self.scenario.shared_people)
        prices = {
            **{
                f"person/{role}": cost.person_per_h_of.get(role, cost.person_per_h)
                for role in sorted(roles)
            },
            **{
                f"compute/{kind}": cost.compute_per_h.get(kind, 0.0)
                for kind in self.scenario.compute
            },
            "downtime": cost.downtime_per_h,
            "degraded": cost.degraded_per_h,
            "tools": sum(cost.tools_per_person_week.values()) * self._headcount(),
            "feature": cost.feature_worth,
        }
        for item, price in prices.items():
            if self._prices.get(item) != price:
                self._prices[item] = price
                self.log.prices.append((item, self.env.now, price))

    def _headcount(self) -> int:
        teams = self.scenario.teams.values()
        in_teams = sum(team.count * sum(team.people.values()) for team in teams)
        return in_teams + sum(self.scenario.shared_people.values())

    def _stack_of(self, service: Service) -> Stack:
        """Return the automation that the changes of ``service`` go through."""
        on_golden_path = service.spec.golden_path
        if on_golden_path is None:
            on_golden_path = self._places[service] < self.scenario.standardization
        return self._golden_path if on_golden_path else service.team.stack

    def _service(self, name: str, kind: str, team: Team, spec: ServiceSpec) -> Service:
        shocks = spec.quality.shocks
        draws = None
        if shocks is not None:
            draws = self.randomness.table(
                f"{name}/shocks", [shocks.interarrival_h.quantile, shocks.loss.quantile]
            )
        curve = QualityCurve(spec.quality, Shocks(draws))
        horizon_h = self.scenario.horizon_weeks * WEEK_H
        policy = spec.retraining or self.scenario.retraining
        service = Service(self.env, self.log, name, kind, team, spec, policy, curve, horizon_h)
        # A draw of its own: the same whatever other services there are, and a service that is
        # on the golden path stays on it when there is more standardization.
        self._places[service] = self.randomness.generator(f"{name}/golden_path").random()
        service.stack = self._stack_of(service)
        self.services.append(service)
        row = (name, team.name, service.golden_path, spec.quality.objective)
        self.log.services.append(row)
        return service


def simulate(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    progress: Callable[[float], None] | None = None,
) -> EventLog:
    """Simulate one replication of ``scenario`` and return its event log.

    Args:
        scenario: the organization.
        seed: root of all random numbers.
        replication: number of the replication.
        progress: called now and then with the share of the horizon that is done.
    """
    with _rare_garbage_collection():
        return _run(Organization(scenario, seed, replication), progress)


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Let Python look for cyclic garbage rarely.

    A simulation makes many objects that live to its end and hardly a cycle, and Python would look
    through all of them again and again: that took a third of the time of a large run.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(max(50_000, thresholds[0]), *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _run(organization: Organization, progress: Callable[[float], None] | None) -> EventLog:
    scenario = organization.scenario
    for week in range(_COMPACT_EVERY_WEEKS, scenario.horizon_weeks, _COMPACT_EVERY_WEEKS):
        organization.env.run(until=week * WEEK_H)
        organization.log.compact()
        if progress is not None:
            progress(week / scenario.horizon_weeks)
    organization.env.run(until=scenario.horizon_weeks * WEEK_H)
    organization.flush()
    return organization.log


def _automation(scenario: Scenario) -> dict[str, float]:
    """Return the share of executions that need no human, by step."""
    steps = scenario.pipeline.steps
    return {name: automated(scenario, step) for name, step in steps.items()}


def _names(kind: str, count: int) -> list[str]:
    """Return the names of ``count`` alike; those of the first do not depend on how many follow."""
    return [kind, *(f"{kind}-{number}" for number in range(2, count + 1))]
