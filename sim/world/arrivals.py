"""Where planned work comes from: a full backlog, ideas that arrive, and upkeep."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from simpy.events import Event
from simpy.resources.resource import Request

from sim.scenario.organization import Feature

from .authoring import explore, new_change, write_and_deliver
from .changes import Change
from .people import FEATURE, IMPROVEMENT
from .pipeline import deliver

if TYPE_CHECKING:
    from .organization import Organization
    from .services import Service, Team


def begin_features(
    organization: Organization, team: Team, services: Sequence[Service], spec: Feature
) -> None:
    """Set up the features of ``team``, which owns ``services``."""
    env = organization.env
    if spec.arrivals == "open":
        for service in services:
            env.process(_ideas_arrive(organization, service))
        return
    backlog = cycle(services)
    for _ in range(team.people[spec.author].headcount):
        env.process(_work_off_backlog(organization, team, backlog))


def begin_improvements(organization: Organization, service: Service) -> None:
    """Set up the improvements of ``service``."""
    name = f"{service.name}/improvement/arrivals"
    wanted = organization.scenario.changes.improvement.interarrival_h is not None
    if wanted and name not in organization.sources:
        organization.sources.add(name)
        organization.env.process(_improvements_arrive(organization, service, name))


def _work_off_backlog(
    organization: Organization, team: Team, backlog: cycle[Service]
) -> Generator[Event, object, None]:
    """Be one author: whenever there is nothing else to do, start the next feature."""
    env = organization.env
    while True:
        slot = None
        if team.features is not None:
            slot = team.features.request()
            yield slot
        service = next(backlog)
        number = service.number("feature")
        change = new_change(organization, service, "feature", "feature", number, "backlog", FEATURE)
        if slot is not None:
            env.process(_hold_until(change.end(env), slot))
        committed = yield from explore(organization, change)
        if committed:
            env.process(deliver(organization, change))


def _hold_until(ended: Event, slot: Request) -> Generator[Event, object, None]:
    """Hold a slot of the limit of features in progress."""
    with slot:
        yield ended


def _ideas_arrive(organization: Organization, service: Service) -> Generator[Event, object, None]:
    env = organization.env
    number = 0
    while True:
        feature = organization.scenario.changes.feature
        assert feature is not None
        assert feature.interarrival_h is not None
        gaps = organization.table(
            f"{service.name}/feature/arrivals", [feature.interarrival_h.quantile]
        )
        yield env.timeout(gaps.take(number)[0])
        change = new_change(organization, service, "feature", "feature", number, "arrival", FEATURE)
        number += 1
        env.process(_explore_and_deliver(organization, change))


def _explore_and_deliver(
    organization: Organization, change: Change
) -> Generator[Event, object, None]:
    features = change.service.team.features
    if features is not None:
        slot = features.request()
        yield slot
        organization.env.process(_hold_until(change.end(organization.env), slot))
    committed = yield from explore(organization, change)
    if committed:
        yield from deliver(organization, change)


def _improvements_arrive(
    organization: Organization, service: Service, name: str
) -> Generator[Event, object, None]:
    env = organization.env
    number = 0
    while (gap := organization.scenario.changes.improvement.interarrival_h) is not None:
        yield env.timeout(organization.table(name, [gap.quantile]).take(number)[0])
        number += 1
        if organization.scenario.changes.improvement.interarrival_h is not None:
            change = new_change(
                organization,
                service,
                "improvement",
                "improvement",
                service.number("improvement"),
                "arrival",
                IMPROVEMENT,
            )
            env.process(write_and_deliver(organization, change))
    organization.sources.remove(name)
