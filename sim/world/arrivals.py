"""Where planned work comes from: a full backlog, ideas that arrive, and upkeep."""

from collections.abc import Generator, Sequence
from functools import partial
from itertools import cycle

from simpy.events import Event

from sim.scenario.distributions import Distribution

from . import ideas, sources
from .authoring import new_change
from .context import Organization
from .entities import Change, Service, Team
from .people import FEATURE, IMPROVEMENT
from .pipeline import deliver, write_and_deliver
from .randomness import Substream
from .sources import Source


def begin(organization: Organization) -> None:
    """Let improvements arrive from when that is adopted."""
    organization.hooks.service_adopted.append(partial(begin_improvements, organization))


def begin_features(organization: Organization, team: Team, services: Sequence[Service]) -> None:
    """Set up the features of ``team``, which owns ``services``."""
    feature = organization.scenario.changes.feature
    if feature is None or not services:
        return
    if feature.arrivals == "closed":
        backlog = cycle(services)
        for _ in range(team.people[feature.author].headcount):
            organization.env.process(_work_off_backlog(organization, team, backlog))
        return

    def gap() -> Distribution | None:
        feature = organization.scenario.changes.feature
        return None if feature is None else feature.interarrival_h

    for service in services:
        happen = partial(_ideas_arrive, organization, service)
        sources.begin(organization, f"{service.name}/feature/arrivals", gap, happen)


def begin_improvements(organization: Organization, service: Service) -> None:
    """Set up the improvements of ``service``, unless they arrive already."""

    def gap() -> Distribution | None:
        return organization.scenario.changes.improvement.interarrival_h

    happen = partial(_improvements_arrive, organization, service)
    sources.begin(organization, f"{service.name}/improvement/arrivals", gap, happen)


def _work_off_backlog(
    organization: Organization, team: Team, backlog: "cycle[Service]"
) -> Generator[Event, object, None]:
    """Be one author: whenever there is nothing else to do, start the next feature."""
    env = organization.env
    while True:
        slot = None
        if team.features is not None:
            slot = team.features.request()
            yield slot
        service = next(backlog)
        substream = service.next_substream("feature")
        idea = new_change(organization, service, "feature", substream, "backlog", FEATURE)
        change = yield from ideas.explore(organization, idea, slot)
        if change is not None:
            env.process(deliver(organization, change))


def _ideas_arrive(
    organization: Organization, service: Service, arrivals: Source
) -> Generator[Event, object, None]:
    while (yield from arrivals.next()) is not None:
        substream = Substream("feature", arrivals.number)
        change = new_change(organization, service, "feature", substream, "arrival", FEATURE)
        organization.env.process(_explore_and_deliver(organization, change))


def _explore_and_deliver(
    organization: Organization, idea: Change
) -> Generator[Event, object, None]:
    features, slot = idea.service.team.features, None
    if features is not None:
        slot = features.request()
        yield slot
    change = yield from ideas.explore(organization, idea, slot)
    if change is not None:
        yield from deliver(organization, change)


def _improvements_arrive(
    organization: Organization, service: Service, improvements: Source
) -> Generator[Event, object, None]:
    while (yield from improvements.next()) is not None:
        substream = service.next_substream("improvement")
        change = new_change(organization, service, "improvement", substream, "arrival", IMPROVEMENT)
        organization.env.process(write_and_deliver(organization, change))
