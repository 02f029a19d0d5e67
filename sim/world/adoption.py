"""Adoption: an organization becomes as another scenario says, while it is at work."""

from sim.scenario.organization import Scenario

from .context import Organization


def adopt(organization: Organization, scenario: Scenario) -> None:
    """From now on be as ``scenario`` says; what has begun goes on as it was begun."""
    before, organization.scenario = organization.scenario, scenario
    organization.forget_tables()
    for follow in organization.hooks.adopted:
        follow(before)
    for service in organization.services:
        for follow_at in organization.hooks.service_adopted:
            follow_at(service)
    for stack in organization.stacks:
        for follow_on in organization.hooks.stack_adopted:
            follow_on(stack)
