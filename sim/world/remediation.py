"""Remediation: changes that incidents make necessary.

A fix goes forward: written for one incident, through the pipeline at expedited priority. After a
rollback service is restored already, and the changes that were taken out go back to their authors.
Fixes are not taken out: that would bring back what they fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import authoring, debt, retraining
from .changes import Change
from .people import FEATURE, IMPROVEMENT, REMEDIATION, RETRAINING
from .randomness import row_after

if TYPE_CHECKING:
    from .deployment import Deployment
    from .incidents import Incident
    from .organization import Organization

_REDO_PRIORITY = {
    "feature": FEATURE,
    "retrain": RETRAINING,
    "improvement": IMPROVEMENT,
}


def fix(organization: Organization, incident: Incident) -> Change:
    """Begin a fix for the incident and return it."""
    change = authoring.new_change(
        organization,
        incident.source,
        "fix",
        "fix",
        incident.next_row(),
        "incident",
        REMEDIATION,
        incident_id=incident.incident_id,
    )
    organization.env.process(authoring.write_and_deliver(organization, change))
    return change


def redo(organization: Organization, deployment: Deployment) -> None:
    """Send the changes of a rolled-back ``deployment`` back to their authors."""
    for change in deployment.changes:
        change.status = "rolled_back"
        debt.taken_out(organization, change)
        service = change.service
        if change.kind == "retrain" and service.retraining is not None:
            continue  # another retraining is under way already, and will replace this one
        again = authoring.new_change(
            organization,
            service,
            change.kind,
            f"{change.kind}-redo",
            row_after(change.lane, change.number),
            "rollback",
            _REDO_PRIORITY[change.kind],
            origin_id=change.change_id,
        )
        if change.kind == "retrain":
            retraining.occupy(organization, again)
        organization.env.process(authoring.write_and_deliver(organization, again))
