"""Data arrivals: batches for a service, some of them corrupted, some of those caught."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from simpy.events import Event

from sim.log.rows import BatchRow, Corruption
from sim.scenario.organization import DataFeed

from . import incidents, retraining
from .people import RETRAINING

if TYPE_CHECKING:
    from .organization import Organization
    from .services import Service


@dataclass(slots=True, eq=False)
class Batch:
    """A batch of data.

    Attributes:
        corruption: how it is corrupted; empty if it is not.
        caught: whether validation at ingestion caught the corruption.
    """

    batch_id: int
    service: Service
    arrived_at: float
    corruption: Corruption
    caught: bool
    usable_at: float = nan

    def row(self) -> BatchRow:
        """Return its row of the event table."""
        return BatchRow(
            batch_id=self.batch_id,
            service=self.service.name,
            arrived_at=self.arrived_at,
            usable_at=self.usable_at,
            corrupted=self.corruption != "",
            corruption=self.corruption,
            caught=self.caught,
        )


def begin(organization: Organization, service: Service) -> None:
    """Set up the data feed of ``service``."""
    if service.spec.data is not None:
        organization.env.process(_feed(organization, service, service.spec.data))


def _feed(
    organization: Organization, service: Service, feed: DataFeed
) -> Generator[Event, object, None]:
    env = organization.env
    number = 0
    while True:
        draws = organization.table(
            f"{service.name}/data",
            [
                feed.interarrival_h.quantile,
                None,
                None,
                None,
                feed.delay_h.quantile,
                feed.repair_h.quantile,
            ],
        )
        gap_h, corrupted, how, caught, delay_h, repair_h = draws.take(number)
        yield env.timeout(gap_h)
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
            env.process(_break_predictions(organization, batch, number))
        else:
            if corruption == "missing":
                service.taint_data()
            _use(organization, batch)
        number += 1


def _corruption(feed: DataFeed, how: float) -> Corruption:
    weights = feed.corruption
    point = how * (weights.schema_ + weights.missing + weights.delayed)
    if point < weights.schema_:
        return "schema"
    return "missing" if point < weights.schema_ + weights.missing else "delayed"


def _use(organization: Organization, batch: Batch) -> None:
    batch.usable_at = organization.env.now
    retraining.new_data(organization, batch.service)


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
    organization: Organization, batch: Batch, number: int
) -> Generator[Event, object, None]:
    incident = incidents.start(organization, batch.service, "data", "batch", None, "batch", number)
    yield incident.closed
    _use(organization, batch)
