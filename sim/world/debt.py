"""Technical debt: hours of clean-up work that a service has piled up.

Changes that were not tested by machines, were executed by hand, were hurried, or go into a service
with hidden dependencies leave some behind; improvements pay it back with their effort. Debt is of
what is in production: a rollback undoes what its changes have added and paid. Debt makes work take
longer and authors leave more defects.
"""

from functools import partial

from sim.log.rows import DebtRow

from .context import Organization
from .entities import Change, Deployment, Service
from .people import REMEDIATION

_PER_H = 1 / 100  # the scenario says what 100 hours of debt do


def begin(organization: Organization) -> None:
    """Let deployments change the debt, and rollbacks."""
    organization.hooks.deployed.append(partial(_deployed, organization))
    organization.hooks.rolled_back.append(partial(_rolled_back, organization))


def slowdown(organization: Organization, service: Service) -> float:
    """Return how many times as long as without debt work on ``service`` takes."""
    return 1 + organization.scenario.debt.slowdown * service.debt_h * _PER_H


def likelier(organization: Organization, service: Service, probability: float) -> float:
    """Return the ``probability`` that an author leaves a defect, with the debt of ``service``.

    1 - (1 - p)^(1 + m D): as many more chances to leave one as there is debt D.
    """
    more = organization.scenario.debt.more_defects * service.debt_h * _PER_H
    return float(1 - (1 - probability) ** (1 + more)) if more > 0 else probability


def executed_by_hand(organization: Organization, change: Change, left_h: float) -> None:
    """Add the ``left_h`` hours that the execution of a step by people leaves behind."""
    change.debt_h += left_h
    if change.status == "deployed":  # verification by hand
        _add(organization, change.service, left_h)


def _deployed(organization: Organization, deployment: Deployment) -> None:
    for change in deployment.changes:
        _settle(organization, change)


def _settle(organization: Organization, change: Change) -> None:
    """Add the debt of ``change``, which goes into production now, and take off what it pays."""
    service, debt = change.service, organization.scenario.debt
    if change.priority <= REMEDIATION:
        change.debt_h += debt.hurried_h
    change.debt_h += debt.hidden_h * sum(dependency.hidden for dependency in service.upstream)
    if change.kind == "improvement":
        change.paid_h = min(change.effort_h, service.debt_h + change.debt_h)
    _add(organization, service, change.debt_h - change.paid_h)


def _rolled_back(organization: Organization, deployment: Deployment) -> None:
    """Undo what the changes of ``deployment`` have added and paid, in the opposite order.

    One of them may have paid what another had added.
    """
    for change in reversed(deployment.changes):
        _add(organization, change.service, change.paid_h - change.debt_h)


def _add(organization: Organization, service: Service, hours: float) -> None:
    if hours != 0:
        service.debt_h = max(0.0, service.debt_h + hours)  # sums may miss zero by rounding
        organization.log.debt.append(
            DebtRow(service=service.name, at=organization.env.now, debt_h=service.debt_h)
        )
