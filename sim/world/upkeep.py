"""Upkeep: the automation of a stack breaks, and somebody has to repair it.

Every team builds the automation of its services off the golden path itself; that of the golden path
is built once, for all services on it. Each breaks as often as any other, so that the hours of
repair grow with the number of stacks. Until it is repaired, people execute the step by hand.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simpy.events import Event

from .people import TOIL, PeoplePool

if TYPE_CHECKING:
    from .organization import Organization
    from .services import Team


@dataclass(slots=True, eq=False)
class Stack:
    """The automation of the pipeline that some services share.

    Attributes:
        team: the team that built it; None for the golden path.
        broken: steps whose automation does not work at the moment.
    """

    team: Team | None = None
    broken: set[str] = field(default_factory=set)

    @property
    def golden_path(self) -> bool:
        """Whether it is the golden path."""
        return self.team is None

    @property
    def name(self) -> str:
        """Name of its random streams."""
        return "golden_path" if self.team is None else f"{self.team.name}/stack"


def begin(organization: Organization, stack: Stack) -> None:
    """Set up the breakdowns of ``stack``."""
    if organization.scenario.upkeep.time_to_break_h is None:
        return
    for step, spec in organization.scenario.pipeline.steps.items():
        name = f"{stack.name}/upkeep/{step}"
        # Without a role there is nobody to fall back on.
        if spec.role is not None and name not in organization.sources:
            organization.sources.add(name)
            organization.env.process(_break_and_repair(organization, stack, step, name))


def _break_and_repair(
    organization: Organization, stack: Stack, step: str, name: str
) -> Generator[Event, object, None]:
    env = organization.env
    number = 0
    while (time_to_break_h := organization.scenario.upkeep.time_to_break_h) is not None:
        repair = organization.scenario.upkeep.repair_h
        table = organization.table(name, [time_to_break_h.quantile, None, repair.quantile])
        gap_h, exists, repair_h = table.take(number)
        yield env.timeout(gap_h)
        breaks = organization.scenario.upkeep.time_to_break_h is not None
        used = any(service.stack is stack for service in organization.services)
        # A step that is automated half of the time has half as much that can break.
        if breaks and used and exists < organization.automation_of[step]:
            stack.broken.add(step)
            if repair_h > 0:
                yield _repairers(organization, stack, number).work(repair_h, TOIL)
            stack.broken.remove(step)
        number += 1
    organization.sources.remove(name)


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
