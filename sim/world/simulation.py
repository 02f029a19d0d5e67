"""A simulation: an organization is built, run to the end, and leaves its log."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sim.hours import HOURS_PER_WEEK
from sim.log import EventLog
from sim.log.rows import CapacityRow
from sim.scenario.organization import Scenario

from . import quality
from .build import build
from .context import Organization

_COMPACT_EVERY_WEEKS = 4


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
        organization = build(scenario, seed, replication)
        _run(organization, progress)
        flush(organization)
        return organization.log


def flush(organization: Organization) -> None:
    """Log what has no end yet, and everything whose row had to wait for the end."""
    log = organization.log
    for change in organization.changes:
        log.changes.append(change.row())
    for deployment in organization.deployments:
        log.deployments.append(deployment.row())
    for incident in organization.incidents:
        log.incidents.append(incident.row())
    for batch in organization.batches:
        log.batches.append(batch.row())
    for introduction in organization.introductions:
        log.investments.append(introduction.row())
    for service in organization.services:
        quality.log_course(organization, service)
    for pool in organization.people:
        pool.flush()
    for compute in organization.compute.values():
        compute.flush()
    end = organization.scenario.horizon_weeks * HOURS_PER_WEEK
    people = True
    for pool in organization.people:
        resource, team = pool.role, pool.team
        for opens_at, closes_at, available_h, paid_h in pool.stretches(end):
            log.capacity.append(
                (pool.name, resource, team, people, opens_at, closes_at, available_h, paid_h)
            )
    for compute in organization.compute.values():
        for opens_at, closes_at, slot_h in compute.stretches(end):
            log.capacity.append(
                CapacityRow(
                    pool=compute.name,
                    resource=compute.resource,
                    team=compute.team,
                    people=False,
                    opens_at=opens_at,
                    closes_at=closes_at,
                    available_h=slot_h,
                    paid_h=slot_h,
                )
            )


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


def _run(organization: Organization, progress: Callable[[float], None] | None) -> None:
    scenario = organization.scenario
    for week in range(_COMPACT_EVERY_WEEKS, scenario.horizon_weeks, _COMPACT_EVERY_WEEKS):
        organization.env.run(until=week * HOURS_PER_WEEK)
        organization.log.compact()
        if progress is not None:
            progress(week / scenario.horizon_weeks)
    organization.env.run(until=scenario.horizon_weeks * HOURS_PER_WEEK)
