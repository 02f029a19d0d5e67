"""Quality: what is served, when it drifts or falls below the objective, and its course."""

from collections.abc import Callable
from functools import partial
from math import inf, nan

from simpy.events import Event

from sim.hours import HOURS_PER_WEEK
from sim.kernel.ticks import snap
from sim.log.rows import QualityRow

from .clock import LAST
from .context import Organization
from .entities import Deployment, Service


def go_live(organization: Organization, service: Service, deployment: Deployment) -> None:
    """Serve ``deployment`` from now on."""
    another_model = deployment.model_data_from != service.live.model_data_from
    if another_model:
        log_course(organization, service)
    service.live.retired_at = organization.env.now
    service.live = deployment
    deployment.retired_at = nan
    if another_model:
        watch(organization, service)


def impair(organization: Organization, service: Service, by: int) -> None:
    """Count a bad model or bad data being served (+1), or no longer being served (-1)."""
    log_course(organization, service)
    service.impairments += by


def watch(organization: Organization, service: Service) -> None:
    """Foresee when the live model falls below the objective, and below the drift threshold."""
    service.foreseen += 1
    objective, policy = service.spec.quality.objective, service.policy
    _foresee(organization, service, objective, organization.hooks.fell_below)
    if policy.trigger == "drift":
        _foresee(organization, service, objective + policy.margin, organization.hooks.drifted)


def log_course(organization: Organization, service: Service) -> None:
    """Log the course of quality since the last change of what is served."""
    start, end = service.logged_until, organization.env.now
    service.logged_until = end
    if end <= start:
        return
    data_from, curve = service.live.model_data_from, service.curve
    times = {start}
    while (at := snap(start + HOURS_PER_WEEK * len(times))) < end:
        times.add(at)
    for at, _ in curve.shocks.after(start):
        if at >= end:
            break
        times.add(at)
    lost = service.impairments * service.spec.quality.impairment
    objective = service.spec.quality.objective
    below_from = inf
    if objective > 0:  # quality cannot be below 0
        below_from = curve.crossing(data_from, objective + lost, start, end)
    if below_from < end:
        times.add(below_from)
    for at in sorted(times):
        organization.log.quality.append(
            QualityRow(
                service=service.name,
                at=at,
                quality=max(0.0, curve.at(data_from, at) - lost),
                slo=objective,
                model_data_from=data_from,
                below=at >= below_from,
            )
        )


def _foresee(
    organization: Organization,
    service: Service,
    level: float,
    hooks: list[Callable[[Service], None]],
) -> None:
    """Let ``hooks`` follow when the live model falls below ``level``, if it does."""
    now, until = organization.env.now, organization.scenario.horizon_weeks * HOURS_PER_WEEK
    crossing = service.curve.crossing(service.live.model_data_from, level, now, until)
    if crossing < inf:
        # Last, so that a model which is replaced at that very instant never served below it.
        event = organization.env.at(crossing, service.foreseen, LAST)
        assert event.callbacks is not None
        event.callbacks.append(partial(_crossed, service, hooks))


def _crossed(service: Service, hooks: list[Callable[[Service], None]], event: Event) -> None:
    if event.value == service.foreseen:
        for follow in hooks:
            follow(service)
