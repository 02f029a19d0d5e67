"""Batches: how much of their work the people of a service deliver at once.

They deliver when it pays. A delivery has a price whatever its size, for hands and for machines; an
idea that waits brings nothing meanwhile. The economic lot size weighs the one against the other.
Ideas that are larger are delivered in slices (:mod:`sim.world.ideas`). Smaller ones, and upkeep,
wait for each other here, before the steps that a delivery takes once for all that it carries.
Remediation and retrainings wait for nobody.

People know these prices from the plan at first, and then from their last deliveries, so that what a
practice changes changes the batches through experience.
"""

from collections.abc import Generator
from math import ceil

from simpy.events import Event

from sim.hours import HOURS_PER_WEEK
from sim.scenario.lot_size import (
    economic_interval_h,
    economic_size,
    planned_costs,
    worth_per_h,
)
from sim.scenario.organization import Feature

from .clock import DEPARTURE
from .context import Organization
from .entities import Change, DeliveryBatch, Deployment, Experience, Service
from .people import REMEDIATION
from .steps import Execution

_WEIGHT = 0.25
"""Of the last delivery in the average of all: a guess, people judge by about the last seven."""
_ROUNDING = 1e-9
"""What is exactly of the economic size is enough, whatever the last digit of the sum."""
_SHORTEST_SLICE_H = 1.0
"""Of its author's work: nobody commits slices of an idea more often than every hour."""


def are_economic(organization: Organization) -> bool:
    """Return whether people choose how much they deliver at once."""
    changes = organization.scenario.changes
    return changes.batch_size == "economic" and changes.feature is not None


def n_slices(organization: Organization, service: Service, effort_h: float) -> int:
    """Return in how many slices an idea that takes its author ``effort_h`` is delivered."""
    feature = organization.scenario.changes.feature
    if feature is None or not are_economic(organization):
        return 1
    experience = _experience(organization, service)
    size = economic_size(
        experience.early + experience.late,
        1 / experience.gap_h,
        worth_per_h(organization.scenario),
    )
    whole_h = feature.exploration_h.expectation
    slice_h = max(size * whole_h, _SHORTEST_SLICE_H)
    return max(1, ceil(effort_h / slice_h - _ROUNDING))


def idea_is_finished(organization: Organization, service: Service) -> None:
    """Let the people of ``service`` learn how often they finish an idea."""
    if are_economic(organization):
        experience, now = _experience(organization, service), organization.env.now
        if experience.idea_at == experience.idea_at:
            gap_h = now - experience.idea_at
            experience.gap_h += _WEIGHT * (gap_h - experience.gap_h)
        experience.idea_at = now


def holds_up(organization: Organization, change: Change) -> bool:
    """Return whether ``change`` has to wait for a batch before the late steps."""
    return (
        change.kind in ("feature", "improvement")
        and change.priority > REMEDIATION
        and are_economic(organization)
    )


def wait(
    organization: Organization, change: Change, place: int
) -> Generator[Event, object, int | None]:
    """Wait at the step at ``place`` until a batch leaves.

    It leaves when it is as large as pays, or when as long as pays has passed since the last one.

    Returns:
        The place at which the batch begins, where the first of its changes needs a step; None if
        ``change`` goes along with another one that leads.
    """
    env, service = organization.env, change.service
    change.waiting_since = env.now
    experience, worth = _experience(organization, service), worth_per_h(organization.scenario)
    enough = economic_size(experience.late, 1 / experience.gap_h, worth) * (1 - _ROUNDING)
    size = _size(organization, change)
    batch = service.batch
    if batch is not None:
        batch.changes.append(change)
        batch.size += size
        batch.starts_at = min(batch.starts_at, place)
        if batch.size >= enough and not batch.full.triggered:
            batch.full.succeed()
        yield batch.left
        return None
    interval_h = economic_interval_h(experience.late, 1 / experience.gap_h, worth)
    due_at = service.batch_left_at + interval_h
    if due_at > env.now and size < enough:
        batch = service.batch = DeliveryBatch([change], size, place, env.event(), env.event())
        yield env.at(due_at, priority=DEPARTURE) | batch.full
        service.batch = None
        change.companions = batch.changes[1:]
        change.priority = min(member.priority for member in batch.changes)
        place = batch.starts_at
        batch.left.succeed()
    service.batch_left_at = env.now
    return place


def _size(organization: Organization, change: Change) -> float:
    """Return the work of its author, in ideas of the mean size; 1 if that takes no time."""
    feature = organization.scenario.changes.feature
    whole_h = 0.0 if feature is None else feature.exploration_h.expectation
    return change.effort_h / whole_h if whole_h > 0 else 1.0


def pay(organization: Organization, execution: Execution) -> None:
    """Charge the change of ``execution`` with what it has cost, in case batches are adopted."""
    change, step, prices = execution.change, execution.step, organization.prices
    money = 0.0
    if execution.effort_h > 0:
        payroll = change.service.team.people[execution.role].role  # of those who play the role
        money += execution.effort_h * prices[f"person/{payroll}"]
    if execution.run_h > 0 and step.spec.compute is not None:
        money += execution.run_h * prices[f"compute/{step.spec.compute}"]
    if step.late:
        change.spent_late += money
    else:
        change.spent_early += money


def learn(organization: Organization, deployment: Deployment) -> None:
    """Let the people of a service learn what the delivery of an idea costs."""
    if not are_economic(organization):
        return
    ideas = [change for change in deployment.changes if change.kind == "feature"]
    if not ideas:
        return
    experience = _experience(organization, ideas[0].service)
    early = sum(idea.spent_early for idea in ideas) / len(ideas)
    late = sum(change.spent_late for change in deployment.changes)
    experience.early += _WEIGHT * (early - experience.early)
    experience.late += _WEIGHT * (late - experience.late)


def _experience(organization: Organization, service: Service) -> Experience:
    """Return what the people of ``service`` know, which is the plan at first."""
    if service.experience is None:
        feature = organization.scenario.changes.feature
        gap_h = HOURS_PER_WEEK
        if feature is not None:
            gap_h = _planned_gap_h(organization, service, feature)
        service.experience = Experience(*planned_costs(organization.scenario), gap_h)
    return service.experience


def _planned_gap_h(organization: Organization, service: Service, feature: Feature) -> float:
    """Return the hours between two ideas of ``service`` that lead somewhere, if all goes well."""
    leads_somewhere = max(1 - feature.abandoned, 1e-9)
    if feature.arrivals == "open" and feature.interarrival_h is not None:
        return feature.interarrival_h.expectation / leads_somewhere
    authors = service.team.people[feature.author]
    services = sum(other.team is service.team for other in organization.services)
    weeks = feature.exploration_h.expectation / authors.calendar.weekly
    return weeks * HOURS_PER_WEEK * services / authors.headcount / leads_somewhere
