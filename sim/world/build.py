"""The builder: makes what a scenario describes, and sets it in motion."""

from collections.abc import Sequence

import simpy

from sim.log.rows import ServiceRow
from sim.scenario.organization import Scenario, ServiceSpec, TeamSpec

from . import (
    arrivals,
    data,
    debt,
    dependencies,
    failures,
    incidents,
    investment,
    planning,
    pools,
    prices,
    quality,
    remediation,
    retraining,
    standardization,
    threats,
    transients,
    upkeep,
)
from .context import Organization
from .decay import QualityCurve, Shocks
from .entities import Service, Team


def build(scenario: Scenario, seed: int, replication: int) -> Organization:
    """Return the organization that ``scenario`` describes, at hour 0 and ready to run.

    Args:
        scenario: what it is like.
        seed: root of all random numbers.
        replication: number of the replication.
    """
    organization = Organization(scenario, seed, replication)
    # What follows from an event follows in this order; see context.Hooks.
    planning.begin(organization)  # adopted: the steps are planned anew
    prices.begin(organization)  # adopted: new prices are logged
    pools.begin(organization)  # adopted: hours of people, then slots of machines
    standardization.begin(organization)  # adopted by a service: it moves to the golden path
    debt.begin(organization)  # deployed: it adds debt and pays some; rolled back: the reverse
    incidents.begin(organization)  # deployed: what it remedies ends; fell below: it begins
    failures.begin(organization)  # deployed: defects will show themselves
    dependencies.begin(organization)  # incident started: an outage spreads
    transients.begin(organization)  # incident started: an outage may end by itself
    remediation.begin(organization)  # rolled back: changes are made again
    retraining.begin(organization)  # drifted, data usable; adopted by a service: its new policy
    arrivals.begin(organization)  # adopted by a service: improvements
    threats.begin(organization)  # adopted by a service: attacks
    upkeep.begin(organization)  # adopted by a stack: breakdowns
    organization.shared_people = {
        role: pools.people_pool(organization, "", role, headcount)
        for role, headcount in scenario.shared_people.items()
        if headcount > 0
    }
    for kind, spec in scenario.teams.items():
        for name in _names(kind, spec.count):
            team = _team(organization, name, spec)
            _begin(organization, team, _services(organization, team, kind))
    dependencies.connect(organization)
    for stack in organization.stacks:
        upkeep.begin_stack(organization, stack)
    investment.begin(organization)
    return organization


def _begin(organization: Organization, team: Team, services: Sequence[Service]) -> None:
    """Set everything in motion that happens to the services of ``team``."""
    arrivals.begin_features(organization, team, services)
    for service in services:
        quality.watch(organization, service)
        arrivals.begin_improvements(organization, service)
        retraining.begin_service(organization, service)
        data.begin_service(organization, service)
        failures.begin_service(organization, service)
        threats.begin_service(organization, service)


def _team(organization: Organization, name: str, spec: TeamSpec) -> Team:
    people = dict(organization.shared_people)
    for role, headcount in spec.people.items():
        if headcount > 0:
            people[role] = pools.people_pool(organization, name, role, headcount)
    for role, by in spec.plays.items():
        people[role] = people[by]
        organization.let_play(role, people[by])
    compute = {
        kind: pools.compute_pool(organization, name, kind) for kind in organization.scenario.compute
    }
    features = None
    if spec.wip_limit is not None:
        features = simpy.Resource(organization.env, spec.wip_limit)
    team = Team(name, people, compute, features)
    organization.teams.append(team)
    return team


def _services(organization: Organization, team: Team, team_kind: str) -> list[Service]:
    """Return new services of ``team``, those of its kind."""
    return [
        _service(organization, name, kind, team, spec)
        for kind, spec in organization.scenario.services.items()
        if spec.team == team_kind
        for name in _names(f"{team.name}.{kind}", spec.count)
    ]


def _service(
    organization: Organization, name: str, kind: str, team: Team, spec: ServiceSpec
) -> Service:
    shocks, draws = spec.quality.shocks, None
    if shocks is not None:
        draws = organization.randomness.table(
            f"{name}/shocks", [shocks.interarrival_h, shocks.loss]
        )
    # A draw of its own: the same whatever other services there are.
    place = organization.randomness.uniform(f"{name}/golden_path")
    service = Service(
        name,
        kind,
        team,
        spec,
        policy=spec.retraining or organization.scenario.retraining,
        curve=QualityCurve(spec.quality, Shocks(draws)),
        place=place,
        stack=standardization.stack_of(organization, spec.golden_path, place, team),
    )
    organization.services.append(service)
    organization.log.services.append(
        ServiceRow(
            service=name,
            team=team.name,
            golden_path=service.golden_path,
            quality_objective=spec.quality.objective,
        )
    )
    return service


def _names(kind: str, count: int) -> list[str]:
    """Return the names of ``count`` alike; those of the first do not depend on how many follow."""
    return [kind, *(f"{kind}-{number}" for number in range(2, count + 1))]
