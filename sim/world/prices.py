"""Prices: what things cost, logged whenever it changes."""

from functools import partial

from sim.log.rows import PriceRow
from sim.scenario.organization import Scenario

from .context import Organization


def begin(organization: Organization) -> None:
    """Log the prices of the beginning, and those that are adopted later."""
    _log(organization)
    organization.hooks.adopted.append(partial(_adopt, organization))


def _adopt(organization: Organization, before: Scenario) -> None:
    _log(organization)


def _log(organization: Organization) -> None:
    """Log the prices that are new or have changed."""
    scenario = organization.scenario
    cost, teams = scenario.cost, scenario.teams.values()
    roles = {role for team in teams for role in team.people} | set(scenario.shared_people)
    prices = {
        **{
            f"person/{role}": cost.person_per_h_of.get(role, cost.person_per_h)
            for role in sorted(roles)
        },
        **{f"compute/{kind}": cost.compute_per_h.get(kind, 0.0) for kind in scenario.compute},
        "downtime": cost.downtime_per_h,
        "degraded": cost.degraded_per_h,
        "tools": sum(cost.tools_per_person_week.values()) * _headcount(scenario),
        "feature": cost.feature_worth,
    }
    for item, price in prices.items():
        if organization.prices.get(item) != price:
            organization.prices[item] = price
            organization.log.prices.append(
                PriceRow(item=item, since=organization.env.now, price=price)
            )


def _headcount(scenario: Scenario) -> int:
    in_teams = sum(team.count * sum(team.people.values()) for team in scenario.teams.values())
    return in_teams + sum(scenario.shared_people.values())
