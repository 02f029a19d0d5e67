"""The organization: builds the world that a scenario describes, and runs it."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import simpy

from sim.log import EventLog
from sim.scenario.organization import WORK_CLASSES, Scenario
from sim.scenario.organization import Service as ServiceSpec
from sim.scenario.organization import Team as TeamSpec

from . import arrivals, data, failures, incidents, retraining
from .calendar import WEEK_H, Calendar
from .changes import Change
from .compute import ComputePool
from .data import Batch
from .decay import QualityCurve, Shocks
from .deployment import Deployment
from .people import PeoplePool
from .pipeline import plan
from .randomness import Randomness
from .services import Service, Team

_COMPACT_EVERY_WEEKS = 4


class Organization:
    """A simulated organization: its people, machines and services, and what they have done.

    Args:
        scenario: what it is like.
        seed: root of all random numbers.
        replication: number of the replication.
    """

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        self.scenario = scenario
        self.env = simpy.Environment()
        self.log = EventLog()
        self.randomness = Randomness(seed, replication)
        self.plans = plan(scenario)
        self.changes: list[Change] = []
        self.deployments: list[Deployment] = []
        self.incidents: list[incidents.Incident] = []
        self.batches: list[Batch] = []
        self._people: list[PeoplePool] = []
        self._compute: list[ComputePool] = []
        shared_people = {
            role: self._people_pool("", role, headcount)
            for role, headcount in scenario.shared_people.items()
            if headcount > 0
        }
        shared_compute = {
            name: self._compute_pool("", name)
            for name, pool in scenario.compute.items()
            if pool.shared
        }
        self.services: list[Service] = []
        for kind, spec in scenario.teams.items():
            for name in _names(kind, spec.count):
                team = self._team(name, spec, shared_people, shared_compute)
                owned = [
                    self._service(service_name, team, service)
                    for service_kind, service in scenario.services.items()
                    if service.team == kind
                    for service_name in _names(f"{name}.{service_kind}", service.count)
                ]
                self._begin(team, owned)

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
        for service in self.services:
            service.flush()
        for people in self._people:
            people.flush()
        for compute in self._compute:
            compute.flush()
        for week in range(self.scenario.horizon_weeks):
            for people in self._people:
                available_h = people.headcount * people.calendar.weekly
                row = (people.name, people.role, people.team, True, week, available_h)
                self.log.capacity.append(row)
            for compute in self._compute:
                available_h = compute.available_h(week * WEEK_H, (week + 1) * WEEK_H)
                row = (compute.name, compute.resource, compute.team, False, week, available_h)
                self.log.capacity.append(row)

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

    def _fell_below_objective(self, service: Service) -> None:
        if any(incident.trigger == "decay" for incident in service.open_incidents):
            return
        number = service.number("decay")
        incidents.start(self, service, "model", "decay", service.live, "decay", number)

    def _team(
        self,
        name: str,
        spec: TeamSpec,
        shared_people: dict[str, PeoplePool],
        shared_compute: dict[str, ComputePool],
    ) -> Team:
        people = dict(shared_people)
        for role, headcount in spec.people.items():
            if headcount > 0:
                people[role] = self._people_pool(name, role, headcount)
        compute = dict(shared_compute)
        for kind, pool in self.scenario.compute.items():
            if not pool.shared:
                compute[kind] = self._compute_pool(name, kind)
        features = None
        if spec.wip_limit is not None:
            features = simpy.Resource(self.env, spec.wip_limit)
        return Team(name, people, compute, features)

    def _people_pool(self, team: str, role: str, headcount: int) -> PeoplePool:
        scenario = self.scenario
        hours = scenario.working_hours_of.get(role, scenario.working_hours)
        pool = PeoplePool(
            self.env,
            self.log,
            f"{team or 'shared'}/{role}",
            role,
            team,
            headcount,
            Calendar(hours),
            {WORK_CLASSES.index(work) for work in scenario.interrupting},
        )
        self._people.append(pool)
        return pool

    def _compute_pool(self, team: str, kind: str) -> ComputePool:
        spec = self.scenario.compute[kind]
        name = f"{team or 'shared'}/{kind}"
        provisioning = self.randomness.table(
            f"compute/{name}/provisioning", [spec.provisioning_h.quantile]
        )
        pool = ComputePool(self.env, self.log, name, kind, team, spec, provisioning)
        self._compute.append(pool)
        return pool

    def _service(self, name: str, team: Team, spec: ServiceSpec) -> Service:
        shocks = spec.quality.shocks
        draws = None
        if shocks is not None:
            draws = self.randomness.table(
                f"{name}/shocks", [shocks.interarrival_h.quantile, shocks.loss.quantile], 16
            )
        on_golden_path = spec.golden_path
        if on_golden_path is None:
            # A draw of its own: the same whatever other services there are, and a service that is
            # on the golden path stays on it when there is more standardization.
            place = self.randomness.generator(f"{name}/golden_path").random()
            on_golden_path = bool(place < self.scenario.standardization)
        curve = QualityCurve(spec.quality, Shocks(draws))
        horizon_h = self.scenario.horizon_weeks * WEEK_H
        service = Service(self.env, self.log, name, team, spec, on_golden_path, curve, horizon_h)
        self.services.append(service)
        self.log.services.append((name, team.name, on_golden_path, spec.quality.objective))
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


def _names(kind: str, count: int) -> list[str]:
    """Return the names of ``count`` alike; those of the first do not depend on how many follow."""
    return [kind, *(f"{kind}-{number}" for number in range(2, count + 1))]
