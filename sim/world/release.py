"""Releases: what goes into production, and what follows from it."""

from collections.abc import Sequence

from . import quality
from .context import Organization
from .entities import Change, Deployment


def release(organization: Organization, changes: Sequence[Change], started_at: float) -> None:
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
    quality.go_live(organization, service, deployment)
    for follow in organization.hooks.deployed:
        follow(deployment)
    for change in changes:
        change.finish(now)


def roll_back(organization: Organization, deployment: Deployment) -> None:
    """Take out ``deployment``, which is live; the one before is live again."""
    assert deployment.predecessor is not None
    for change in deployment.changes:
        change.status = "rolled_back"
    quality.go_live(organization, deployment.lead.service, deployment.predecessor)
    for follow in organization.hooks.rolled_back:
        follow(deployment)
