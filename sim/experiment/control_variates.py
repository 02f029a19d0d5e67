"""Control variates: means over replications, adjusted for the luck that went into them.

How much work a replication meets is partly known before it is simulated: its streams say how many
planned changes arrive, and how much effort its explorations take. The expectations of such inputs
are known exactly, so that what they deviate by can be taken out of a mean that depends on them
(Lavenberg and Welch 1981, *A perspective on the use of control variables to increase the efficiency
of Monte Carlo simulations*, Management Science 27(3)).
"""

import numpy as np

from sim.scenario.distributions import Constant, Exponential
from sim.scenario.organization import Scenario
from sim.world.authoring import exploration, new_change
from sim.world.build import build
from sim.world.calendar import WEEK_H
from sim.world.entities import Team
from sim.world.organization import Organization
from sim.world.people import FEATURE
from sim.world.randomness import Substream

from .intervals import Estimates, FloatArray

PAYS_FOR = ("deployment_frequency",)
"""Metrics whose means the controls sharpen; in others they cost more than they bring."""


def controls(scenario: Scenario, seed: int, replication: int) -> FloatArray:
    """Return what is known of the work in a replication without simulating it.

    Each entry has expectation 0 whatever the scenario, as it is a function of the streams alone:
    of a number of rows that is fixed, or of the arrivals within a fixed time. There are the same
    entries for all replications of a scenario, and none if nothing random is known in advance.

    - Planned changes that arrive in the observed time, over all services, if they arrive as a
      Poisson process: how many more than expected.
    - Features of a full backlog: how much more effort than expected their explorations take for
      each commit, to first order, relative to what is expected. The rows are those that the authors
      would take in the observed time if they did nothing else.

    Args:
        scenario: the organization, at its beginning; what a roadmap changes later is not known.
        seed: root of all random numbers.
        replication: number of the replication.
    """
    organization = build(scenario, seed, replication)
    features = scenario.changes.feature
    of_each = [_arrivals(organization, "improvement", scenario.changes.improvement.interarrival_h)]
    if features is not None and features.arrivals == "open":
        of_each.append(_arrivals(organization, "feature", features.interarrival_h))
    elif features is not None:
        of_each.append(_explorations(organization))
    return np.array([control for control in of_each if control is not None])


def adjusted(values: FloatArray, controls: FloatArray) -> Estimates:
    """Return means of ``values``, adjusted by regression on ``controls``.

    What the controls deviate from 0, times how much the values go with them, is taken out of the
    mean: y - b'c, with variance s² (1/n + c' S⁻¹ c), where S holds the sums of squares of the
    controls and s² is the residual variance. It is unbiased, and Student's interval exact, if the
    values and controls are jointly normal (Lavenberg and Welch 1981); without controls, it is the
    mean.

    Args:
        values: (replications, quantities); what is NaN is left out.
        controls: (replications, controls), each with expectation 0.

    Returns:
        Estimates whose ``n`` is the number of known replications less the number of controls, so
        that intervals have the degrees of freedom that the regression leaves; NaN for n < 2.
    """
    n_controls = controls.shape[1]
    means = np.full(values.shape[1], np.nan)
    errors = means.copy()
    left = np.maximum((~np.isnan(values)).sum(axis=0) - n_controls, 0)
    for quantity in np.flatnonzero(left > 1):
        known = ~np.isnan(values[:, quantity])
        y, c = values[known, quantity], controls[known]
        mean, centre = y.mean(), c.mean(axis=0)
        deviations = c - centre
        # Rare arrivals may be as many in each of a few replications: then there is no slope.
        inverse = np.linalg.pinv(deviations.T @ deviations, hermitian=True)
        slopes = inverse @ deviations.T @ y
        residuals = y - mean - deviations @ slopes
        variance = residuals @ residuals / (left[quantity] - 1)
        means[quantity] = mean - slopes @ centre
        errors[quantity] = np.sqrt(variance * (1 / len(y) + centre @ inverse @ centre))
    return Estimates(means, errors, left)


def _arrivals(organization: Organization, kind: str, gap: object) -> float | None:
    """Return how many more changes arrive in the observed time than are expected."""
    if not isinstance(gap, Exponential):  # no exact expectation
        return None
    scenario = organization.scenario
    start_h, end_h = scenario.warmup_weeks * WEEK_H, scenario.horizon_weeks * WEEK_H
    surplus = 0.0
    for service in organization.services:
        table = organization.table(f"{service.name}/{kind}/arrivals", [gap.quantile])
        at, number = table.take(0)[0], 0
        while at < end_h:
            surplus += at >= start_h
            number += 1
            at += table.take(number)[0]
        surplus -= (end_h - start_h) / gap.mean
    return surplus


def _explorations(organization: Organization) -> float | None:
    """Return by how much the effort for a commit exceeds its expectation, relative to that."""
    feature = organization.scenario.changes.feature
    assert feature is not None
    expected_h, committed = feature.exploration_h.expectation, 1 - feature.abandoned
    constant = isinstance(feature.exploration_h, Constant) and feature.abandoned == 0
    if constant or committed == 0:
        return None
    surplus, n = 0.0, 0
    for service in organization.services:
        for number in _rows(organization, service.team, expected_h):
            substream = Substream("feature", number)
            change = new_change(organization, service, "feature", substream, "backlog", FEATURE)
            effort_h, abandoned = exploration(organization, change)
            surplus += effort_h / expected_h - 1 + (abandoned - feature.abandoned) / committed
            n += 1
    return surplus / n if n > 0 else None


def _rows(organization: Organization, team: Team, expected_h: float) -> range:
    """Return which explorations each service of ``team`` would see in the observed time."""
    scenario = organization.scenario
    feature = scenario.changes.feature
    assert feature is not None
    authors = team.people[feature.author]
    others = [s for s in organization.services if s.team.people[feature.author] is authors]
    a_week = authors.headcount * authors.calendar.weekly / expected_h / len(others)
    return range(int(a_week * scenario.warmup_weeks), int(a_week * scenario.horizon_weeks))
