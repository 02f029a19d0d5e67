"""Deployments: one or many changes that go into production together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from simpy.events import Event

from sim.scenario.organization import DefectKind

if TYPE_CHECKING:
    from .changes import Change
    from .organization import Organization


@dataclass(slots=True, eq=False)
class Deployment:
    """One release of a service into production.

    Attributes:
        changes: what it carries; the first is its lead.
        predecessor: what was live before, which a rollback restores.
        brings_model: whether it carries a newly trained model.
        alarm: happens when verification finds a defect, with the kind of defect; None if there
            is none to find.
    """

    deployment_id: int
    changes: list[Change]
    started_at: float
    deployed_at: float
    model_data_from: float
    brings_model: bool
    predecessor: Deployment | None
    alarm: Event | None = None
    retired_at: float = nan
    failed: bool = False

    @property
    def lead(self) -> Change:
        """The change that was there first; it sees to the deployment."""
        return self.changes[0]

    def raise_alarm(self, found: Collection[DefectKind]) -> None:
        """Verification found defects, or just failed (``found`` is empty)."""
        if found and self.alarm is not None and not self.alarm.triggered:
            self.alarm.succeed(min(found))

    def row(self) -> tuple[object, ...]:
        """Return its row of the event table."""
        lead = self.lead
        return (
            self.deployment_id,
            lead.service.name,
            lead.service.team.name,
            lead.kind,
            len(self.changes),
            self.started_at,
            self.deployed_at,
            self.retired_at,
            self.failed,
            any(change.unplanned for change in self.changes),
            self.model_data_from,
        )


@dataclass(slots=True, eq=False)
class ReleaseTrain:
    """Changes of one service that wait for the same release window and ship together.

    Attributes:
        arrived: happens when the deployment step is done, with how it went.
    """

    arrived: Event
    changes: list[Change]


def release(organization: Organization, changes: Sequence[Change], started_at: float) -> Deployment:
    """Put ``changes`` of one service into production now, as one deployment."""
    now = organization.env.now
    service = changes[0].service
    models = [change.data_from for change in changes if change.brings_model]
    deployment = Deployment(
        len(organization.deployments),
        list(changes),
        started_at,
        now,
        max(models) if models else service.live.model_data_from,
        bool(models),
        service.live,
    )
    organization.deployments.append(deployment)
    for change in changes:
        change.deployment = deployment
        change.deployed_at = now
        change.status = "deployed"
    service.go_live(deployment)
    return deployment
