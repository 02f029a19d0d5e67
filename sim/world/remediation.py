"""Remediation: changes that incidents make necessary.

A fix goes forward: written for one incident, through the pipeline at expedited priority. After a
rollback service is restored already, and the changes that were taken out go back to their authors:
those that degraded service are repaired, with new slips at the rate of a fix; the others are
delivered again as they are. Defects that have not shown themselves are still in them.
Fixes are not taken out: that would bring back what they fixed.
"""

from functools import partial

from . import authoring, retraining
from .context import Organization
from .entities import Change, Deployment, Incident
from .people import FEATURE, IMPROVEMENT, REMEDIATION, RETRAINING
from .pipeline import deliver, write_and_deliver
from .randomness import Substream

_REDO_PRIORITY = {
    "feature": FEATURE,
    "retrain": RETRAINING,
    "improvement": IMPROVEMENT,
}

_MADE_ANEW = frozenset({"data", "infra"})
"""Defects of what the pipeline makes, which makes it anew; the others are in the change itself."""


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
    """Send the changes of a rolled-back ``deployment`` back to their authors.

    The author of one that degraded service repairs it; the others are delivered again as they are.
    """
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
        again.idea_share = change.idea_share
        shown = {
            defect.kind for defect in deployment.latent if defect.change is change and defect.shown
        }
        if change.kind == "retrain":
            retraining.occupy(organization, again)
        else:
            again.defects = change.defects - shown - _MADE_ANEW
        if shown or change.kind == "retrain":
            organization.env.process(write_and_deliver(organization, again))
        else:
            authoring.submit(organization, again)
            organization.env.process(deliver(organization, again))
