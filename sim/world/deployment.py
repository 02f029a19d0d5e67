"""Deployments: one or many changes that go into production together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from simpy.events import Event

from sim.log.rows import DeploymentRow
from sim.scenario.organization import DefectKind

from . import debt

if TYPE_CHECKING:
    from .changes import Change
    from .organization import Organization


@dataclass(slots=True, eq=False)
class Deployment:
    """One release of a service into production.

    Attributes:
        changes: what it carries; the first is its lead.
        model_from: the deployment that brought the model it serves.
        predecessor: what was live before, which a rollback restores.
        remedies: whether going back behind it would bring back a defect that it put right.
        alarm: happens when a defect is found before it shows by itself, with the kind of defect
            and whether verification found it (or else an attack); None if there is none to find.
    """

    deployment_id: int
    changes: list[Change]
    started_at: float
    deployed_at: float
    model_data_from: float
    model_from: int
    predecessor: Deployment | None
    remedies: bool = False
    alarm: Event | None = None
    retired_at: float = nan
    failed: bool = False

    @property
    def lead(self) -> Change:
        """The change that was there first; it sees to the deployment."""
        return self.changes[0]

    @property
    def brings_model(self) -> bool:
        """Whether it carries a newly trained model."""
        return self.model_from == self.deployment_id

    def still_has(self, kind: DefectKind) -> bool:
        """Return whether a defect that it brought is still in the service.

        Defects of code, infrastructure and security stay, whatever is deployed on top of them. A
        bad model, or one trained on bad data, is gone when another one has gone live.
        """
        live = self.lead.service.live
        return kind not in ("data", "model") or live.model_from == self.model_from

    def raise_alarm(self, found: Collection[DefectKind]) -> None:
        """Verification found defects, or just failed (``found`` is empty)."""
        still_there = [kind for kind in found if self.still_has(kind)]
        if still_there and self.alarm is not None and not self.alarm.triggered:
            self.alarm.succeed((min(still_there), True))

    def show(self, kind: DefectKind) -> None:
        """Somebody from outside makes a defect show."""
        if self.alarm is not None and not self.alarm.triggered:
            self.alarm.succeed((kind, False))

    def row(self) -> DeploymentRow:
        """Return its row of the event table."""
        lead = self.lead
        return DeploymentRow(
            deployment_id=self.deployment_id,
            service=lead.service.name,
            team=lead.service.team.name,
            kind=lead.kind,
            n_changes=len(self.changes),
            started_at=self.started_at,
            deployed_at=self.deployed_at,
            retired_at=self.retired_at,
            failed=self.failed,
            unplanned=any(change.unplanned for change in self.changes),
            model_data_from=self.model_data_from,
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
    number = len(organization.deployments)
    deployment = Deployment(
        number,
        list(changes),
        started_at,
        now,
        max(models) if models else service.live.model_data_from,
        number if models else service.live.model_from,
        service.live,
        remedies=any(change.kind == "fix" for change in changes),
    )
    organization.deployments.append(deployment)
    for change in changes:
        change.deployment = deployment
        change.deployed_at = now
        change.status = "deployed"
        debt.deployed(organization, change)
    service.go_live(deployment)
    return deployment
