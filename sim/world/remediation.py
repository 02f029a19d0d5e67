"""Remediation: changes that incidents make necessary.

A fix goes forward: written for one incident, through the pipeline at expedited priority. After a
rollback service is restored already, and the changes that were taken out go back to their authors.
Fixes are not taken out: that would bring back what they fixed.
"""

from functools import partial

from . import authoring, retraining
from .context import Organization
from .entities import Change, Deployment, Incident
from .people import FEATURE, IMPROVEMENT, REMEDIATION, RETRAINING
from .pipeline import write_and_deliver
from .randomness import Substream

_REDO_PRIORITY = {
    "feature": FEATURE,
    "retrain": RETRAINING,
    "improvement": IMPROVEMENT,
}


def begin(organization: Organization) -> None:
    """Let changes that are rolled back be made again."""
    organization.hooks.rolled_back.append(partial(_redo, organization))


def fix(organization: Organization, incident: Incident) -> Change:
    """Begin a fix for the incident and return it."""
    change = authoring.new_change(
        organization,
        incident.source,
        "fix",
        incident.next_remedy("fix"),
        "incident",
        REMEDIATION,
        incident_id=incident.incident_id,
    )
    organization.env.process(write_and_deliver(organization, change))
    return change


def _redo(organization: Organization, deployment: Deployment) -> None:
    """Send the changes of a rolled-back ``deployment`` back to their authors."""
    for change in deployment.changes:
        service = change.service
        if change.kind == "retrain" and service.retraining is not None:
            continue  # another retraining is under way already, and will replace this one
        again = authoring.new_change(
            organization,
            service,
            change.kind,
            Substream(f"{change.kind}-redo", change.substream.following()),
            "rollback",
            _REDO_PRIORITY[change.kind],
            origin_id=change.change_id,
        )
        again.effort_h = change.effort_h
        if change.kind == "retrain":
            retraining.occupy(organization, again)
        organization.env.process(write_and_deliver(organization, again))
