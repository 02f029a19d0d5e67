"""Data arrivals: batches for a service, some of them corrupted, some of those caught."""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.log.rows import Corruption
from sim.scenario.organization import DataFeed

from . import incidents, sources
from .context import Organization
from .entities import Batch, Service
from .people import RETRAINING
from .randomness import Substream
from .sources import Source


def begin_service(organization: Organization, service: Service) -> None:
    """Set up the data feed of ``service``."""
    feed = service.spec.data
    if feed is not None:
        gap, happen = feed.interarrival_h, partial(_feed, organization, service, feed)
        sources.begin(organization, f"{service.name}/data", lambda: gap, happen)


def _feed(
    organization: Organization, service: Service, feed: DataFeed, arrivals: Source
) -> Generator[Event, object, None]:
    env = organization.env
    columns = (None, None, None, feed.delay_h, feed.repair_h)
    while (draws := (yield from arrivals.next(*columns))) is not None:
        corrupted, how, caught, delay_h, repair_h = draws
        validated = organization.scenario.data_validation if feed.caught is None else feed.caught
        corruption = _corruption(feed, how) if corrupted < feed.corrupted else ""
        batch = Batch(
            len(organization.batches),
            service,
            env.now,
            corruption,
            corruption != "" and caught < validated,
        )
        organization.batches.append(batch)
        if batch.caught and corruption != "delayed":
            env.process(_repair(organization, batch, feed.repair_role, repair_h))
        elif corruption == "delayed":
            env.process(_arrive_late(organization, batch, delay_h))
        elif corruption == "schema":
            substream = Substream("batch", arrivals.number)
            env.process(_break_predictions(organization, batch, substream))
        else:
            if corruption == "missing":
                service.taint_data(env.now)
            _use(organization, batch)


def _corruption(feed: DataFeed, how: float) -> Corruption:
    weights = feed.corruption
    point = how * (weights.schema_ + weights.missing + weights.delayed)
    if point < weights.schema_:
        return "schema"
    return "missing" if point < weights.schema_ + weights.missing else "delayed"


def _use(organization: Organization, batch: Batch) -> None:
    batch.usable_at = organization.env.now
    for follow in organization.hooks.data_usable:
        follow(batch.service)


def _repair(
    organization: Organization, batch: Batch, role: str, effort_h: float
) -> Generator[Event, object, None]:
    if effort_h > 0:
        yield batch.service.team.people[role].work(effort_h, RETRAINING)
    _use(organization, batch)


def _arrive_late(
    organization: Organization, batch: Batch, delay_h: float
) -> Generator[Event, object, None]:
    yield organization.env.timeout(delay_h)
    _use(organization, batch)


def _break_predictions(
    organization: Organization, batch: Batch, substream: Substream
) -> Generator[Event, object, None]:
    incident = incidents.start(organization, batch.service, "data", "batch", None, substream)
    yield incident.closed
    _use(organization, batch)
