"""The release calendar: which services wait for boards and release windows, and how.

That is the policy of a service, and not of a single change: all that the calendar releases piles up
until the next opening. Changes that wait for the same release ship together.
"""

from collections.abc import Generator
from typing import Any

from simpy.events import Event

from .clock import DEPARTURE
from .context import Organization
from .entities import Change, ReleaseTrain, Service
from .people import REMEDIATION
from .steps import Execution, PlannedStep


def holds_up(organization: Organization, change: Change, step: PlannedStep) -> bool:
    """Return whether ``change`` waits for the window of ``step``; remediation never does."""
    if change.priority <= REMEDIATION:
        return False
    by_calendar = change.service.spec.released_by_calendar
    if by_calendar is not None:
        return by_calendar
    return _place(organization, change.service, step.lane) < step.by_calendar


def wait(organization: Organization, execution: Execution) -> Generator[Event, Any, Execution]:
    """Wait for the next opening; return the execution that takes the change along.

    Changes that ship together have one execution, that of the one that came first.
    """
    env, change, step = organization.env, execution.change, execution.step
    assert step.timetable is not None
    leaves_at = step.timetable.next_opening(env.now)
    if not step.effect.ships_together:
        if leaves_at > env.now:
            yield env.at(leaves_at)
        return execution
    trains = change.service.trains
    if leaves_at in trains:
        train = trains[leaves_at]
        train.changes.extend(execution.aboard)
        shared: Execution = yield train.arrived
        return shared
    train = trains[leaves_at] = ReleaseTrain(env.event(), execution.aboard)
    # What comes at that very instant, from a board that meets then too, still gets in.
    yield env.at(leaves_at, priority=DEPARTURE)
    del trains[leaves_at]
    execution.arrived = train.arrived
    return execution


def _place(organization: Organization, service: Service, lane: str) -> float:
    """Return the place of ``service`` among all at the window of a step, from 0 to 1."""
    place = service.calendars.get(lane)
    if place is None:
        place = organization.randomness.uniform(f"{service.name}/{lane}/calendar")
        service.calendars[lane] = place
    return place
