"""The pools of people and machines that a scenario asks for, at the start and later."""

from functools import partial

from sim.scenario.organization import WORK_CLASSES, Scenario, WorkingHours

from .calendar import Calendar
from .compute import Cluster, ComputePool
from .context import Organization
from .people import PeoplePool


def begin(organization: Organization) -> None:
    """Let pools change when that is adopted."""
    organization.hooks.adopted += [
        partial(_adopt_hours, organization),
        partial(_adopt_compute, organization),
    ]


def people_pool(organization: Organization, team: str, role: str, headcount: int) -> PeoplePool:
    """Return new people of ``role``, in a team or, if that is empty, in a shared group."""
    scenario = organization.scenario
    pool = PeoplePool(
        organization.env,
        organization.log,
        f"{team or 'shared'}/{role}",
        role,
        team,
        headcount,
        Calendar(_hours(scenario, role)),
        {WORK_CLASSES.index(work) for work in scenario.interrupting},
    )
    organization.add_people(pool)
    return pool


def compute_pool(organization: Organization, team: str, kind: str) -> ComputePool:
    """Return the pool of ``kind`` that serves ``team``; make it if there is none yet."""
    spec = organization.scenario.compute[kind]
    team = "" if spec.shared else team
    if (kind, team) in organization.compute:
        return organization.compute[kind, team]
    name = f"{team or 'shared'}/{kind}"

    def provisioning(number: int) -> float:
        delay_h = organization.scenario.compute[kind].provisioning_h
        table = organization.table(f"compute/{name}/provisioning", [delay_h])
        return table.take(number)[0]

    cluster = organization.clusters.setdefault(kind, Cluster())
    pool = ComputePool(
        organization.env, organization.log, name, kind, team, spec, provisioning, cluster
    )
    organization.compute[kind, team] = pool
    return pool


def _hours(scenario: Scenario, role: str) -> WorkingHours:
    return scenario.working_hours_of.get(role, scenario.working_hours)


def _adopt_hours(organization: Organization, before: Scenario) -> None:
    for pool in organization.people:
        hours = _hours(organization.scenario, pool.role)
        if hours != _hours(before, pool.role):
            pool.adopt(Calendar(hours))


def _adopt_compute(organization: Organization, before: Scenario) -> None:
    """Resize the pools, and make and close some if they are shared now and were not before."""
    scenario = organization.scenario
    for team in organization.teams:
        for kind in scenario.compute:
            team.compute[kind] = compute_pool(organization, team.name, kind)
    in_use = {pool for team in organization.teams for pool in team.compute.values()}
    for pool in organization.compute.values():
        for job in [] if pool in in_use else pool.take_waiting():
            service = organization.changes[job.change_id].service
            service.team.compute[pool.resource].take_over(job, service.golden_path)
    for pool in organization.compute.values():
        spec = scenario.compute[pool.resource]
        if pool not in in_use:
            spec = spec.model_copy(update={"slots": 0, "max_slots": None})
        pool.adopt(spec)
