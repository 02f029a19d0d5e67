"""Pickup: a step that is for somebody else than the author waits until somebody takes it up."""

from collections.abc import Generator

from simpy.events import Event

from sim.kernel.draws import BLOCKS, ONE_BY_ONE

from . import differences
from .context import Organization
from .entities import Change
from .people import REMEDIATION
from .steps import Execution


def wait(organization: Organization, execution: Execution) -> Generator[Event, object, None]:
    """Wait until somebody else than the author takes up the step.

    A handoff goes on meanwhile, so that the longer of both counts. In an incident people ask each
    other: remediation is taken up at once.
    """
    change, step = execution.change, execution.step
    if _is_left_to_the_author(organization, change, execution.role):
        execution.by_author = True
        return
    if change.priority <= REMEDIATION:
        return
    lane, number = change.substream
    table = organization.table(
        f"{change.service.name}/{lane}/{step.lane}/{execution.visit}/pickup",
        [step.spec.pickup_h],
        BLOCKS if execution.visit == 1 else ONE_BY_ONE,
    )
    people = change.service.team.people.get(execution.role)
    pickup_h = table.take(number)[0] * differences.factor(organization, people, "pickup")
    taken_up_at = execution.queued_at + pickup_h
    if taken_up_at > organization.env.now:
        yield organization.env.at(taken_up_at)
        execution.asked_at = organization.env.now


def _is_left_to_the_author(organization: Organization, change: Change, role: str) -> bool:
    """Return whether the author is the only one there is in ``role``."""
    scenario, service = organization.scenario, change.service
    author = getattr(scenario.changes, change.kind).author
    if not service.team.are_the_same(author, role) or service.team.people[role].headcount > 1:
        return False
    is_pooled = role in scenario.pooled_roles and service.golden_path
    return not (is_pooled and len(organization.people_of(role)) > 1)
