"""What the teams of an organization would answer in the survey of DORA.

A respondent of the survey speaks for the service that they work on: a team answers with its own
metrics, which are medians and rates over the observed window.
"""

from collections.abc import Mapping

from sim.metrics.answers import ANSWERS, answer_of
from sim.scenario.organization import Scenario

from .run import simulate_unchecked


def column(metric: str, answer: int) -> str:
    """Return the name of the number of teams that give an answer."""
    return f"teams_{metric}_{answer + 1}"


def observe_with_teams(scenario: Scenario, seed: int, replication: int) -> Mapping[str, float]:
    """Return the metrics of a replication, and how many of its teams give which answer.

    Teams without a value give none.
    """
    run = simulate_unchecked(scenario, seed, replication)
    metrics = {str(name): float(value) for name, value in run.metrics().items()}
    teams = run.metrics_by("team")
    for metric, answers in ANSWERS.items():
        given = [answer_of(metric, float(value)) for value in teams[metric]]
        metrics |= {column(metric, n): float(given.count(n)) for n in range(len(answers))}
    return metrics
