"""Dependencies between services: who uses whose output, and how failures spread along them."""

from functools import partial

from . import incidents
from .context import Organization
from .entities import Dependency, Incident, Service
from .randomness import Substream


def begin(organization: Organization) -> None:
    """Let outages spread."""
    organization.hooks.incident_started.append(partial(_spread, organization))


def connect(organization: Organization) -> None:
    """Connect the services as the scenario says: the k-th of a kind uses the k-th of another."""
    by_kind: dict[str, list[Service]] = {}
    for service in organization.services:
        by_kind.setdefault(service.kind, []).append(service)
    for alike in by_kind.values():
        for number, service in enumerate(alike):
            for hidden, kinds in (
                (False, service.spec.upstream),
                (True, service.spec.hidden_upstream),
            ):
                for kind in kinds:
                    others = by_kind.get(kind, [])
                    if not others or others[number % len(others)] is service:
                        continue  # a team without services; a service that would use itself
                    upstream = others[number % len(others)]
                    if any(known.upstream is upstream for known in service.upstream):
                        continue  # known and used in another way too
                    dependency = Dependency(service, upstream, hidden)
                    service.upstream.append(dependency)
                    upstream.downstream.append(dependency)


def _spread(organization: Organization, origin: Incident) -> None:
    """Let an outage take down services that depend on its service, and on those, and so on.

    Each service is reached at most once, so that it ends in a circle of dependencies too.
    """
    probability = organization.scenario.dependencies.spreads
    if probability == 0 or origin.cause != "infra" or origin.origin is not None:
        return
    lane, number = origin.substream
    reached = {origin.service}
    frontier = [origin.service]
    while frontier:
        upstream = frontier.pop(0)
        for dependency in upstream.downstream:
            service = dependency.downstream
            if service in reached:
                continue
            # Rare enough for a stream of its own, which no other dependency shifts.
            name = f"{origin.service.name}/{lane}/{number}/{upstream.name}/{service.name}"
            if organization.randomness.uniform(f"{name}/spread") < probability:
                reached.add(service)
                frontier.append(service)
                incidents.start(
                    organization,
                    service,
                    origin.cause,
                    "upstream",
                    origin.deployment,
                    Substream(f"upstream/{origin.service.name}/{lane}", number),
                    origin=origin,
                    hidden=dependency.hidden,
                )
