"""Upkeep: the automation of a stack breaks, and somebody has to repair it.

Every team builds the automation of its services off the golden path itself; that of the golden path
is built once, for all services on it. Each breaks as often as any other, so that the hours of
repair grow with the number of stacks. Until it is repaired, people execute the step by hand; if
the golden path leaves them no other way, all changes on it wait.
"""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.scenario.distributions import Distribution

from . import sources
from .context import Organization
from .entities import Service, Stack
from .people import TOIL, PeoplePool
from .sources import Source


def begin(organization: Organization) -> None:
    """Let automation break from when that is adopted."""
    organization.hooks.stack_adopted.append(partial(begin_stack, organization))


def begin_stack(organization: Organization, stack: Stack) -> None:
    """Set up the breakdowns of ``stack``, unless it breaks already."""

    def gap() -> Distribution | None:
        return organization.scenario.upkeep.time_to_break_h

    pipeline = organization.scenario.pipeline
    lanes = pipeline.lanes()
    for step, spec in pipeline.steps.items():
        if spec.role is not None:  # otherwise there is nobody to fall back on
            happen = partial(_break_and_repair, organization, stack, step)
            sources.begin(organization, f"{stack.name}/upkeep/{lanes[step]}", gap, happen)


def is_done_by_hand(organization: Organization, service: Service, step: str) -> bool:
    """Return whether people execute ``step`` because its automation does not work."""
    blocks = organization.scenario.upkeep.golden_path_blocks and service.golden_path
    return step in service.stack.broken and not blocks


def wait_for_repair(
    organization: Organization, service: Service, step: str
) -> Generator[Event, object, None]:
    """Wait until the automation of ``step`` works, if nobody can do without it."""
    stack = service.stack
    if organization.scenario.upkeep.golden_path_blocks and stack.golden_path:
        while step in stack.broken:
            if step not in stack.repaired:
                stack.repaired[step] = organization.env.event()
            yield stack.repaired[step]


def _break_and_repair(
    organization: Organization, stack: Stack, step: str, breakdowns: Source
) -> Generator[Event, object, None]:
    while True:
        repair = organization.scenario.upkeep.repair_h
        draws = yield from breakdowns.next(None, repair)
        if draws is None:
            return
        exists, repair_h = draws
        used = any(service.stack is stack for service in organization.services)
        scenario = organization.scenario
        # A step that is automated half of the time has half as much that can break.
        if used and exists < scenario.automated(scenario.pipeline.steps[step]):
            stack.broken.add(step)
            if repair_h > 0:
                yield _repairers(organization, stack, breakdowns.number).work(repair_h, TOIL)
            stack.broken.remove(step)
            if step in stack.repaired:
                stack.repaired.pop(step).succeed()


def _repairers(organization: Organization, stack: Stack, number: int) -> PeoplePool:
    """Return who repairs ``stack``: its team, the platform group, or the teams on it in turn."""
    upkeep = organization.scenario.upkeep
    if stack.team is not None:
        return stack.team.people[upkeep.role]
    if upkeep.platform_role in organization.shared_people:
        return organization.shared_people[upkeep.platform_role]
    teams = list(
        dict.fromkeys(service.team for service in organization.services if service.golden_path)
    )
    return teams[number % len(teams)].people[upkeep.role]
