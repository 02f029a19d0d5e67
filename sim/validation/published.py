"""The published figures that the model is held against, each with its source.

Tags say how a figure was obtained: R read in the source's own text, R2 read in somebody's summary
of it, M from memory.
"""

from typing import Literal, NamedTuple

Tag = Literal["R", "R2", "M"]

DAY, WEEK, MONTH = 24.0, 168.0, 365.25 / 12 * 24.0


class Source(NamedTuple):
    """Where a figure is from, and how it was obtained."""

    name: str
    tag: Tag


DORA_2019 = Source("DORA 2019", "R2")
DORA_2025 = Source("DORA 2025", "R2")
DORA_GUIDE = Source("DORA metrics guide", "R")
GOOGLE_LEVELS = Source("Google Cloud, MLOps levels", "R")
ALGORITHMIA_2020 = Source("Algorithmia 2020", "R2")
ALGORITHMIA_2021 = Source("Algorithmia 2021", "R2")
ANACONDA_2020 = Source("Anaconda 2020", "R2")
GARTNER_2024 = Source("Gartner 2024", "R2")
SRE_BOOK = Source("Google SRE book", "R2")
TEAMS = Source("Microsoft Teams, SoCC 2022", "R2")
PAPASIAN = Source("Papasian & Underwood 2020", "R")
LOGNORMAL = Source("fit to a Google report's company B", "R2")
MONTE_CARLO = Source("Monte Carlo 2023", "R2")
REVIEWS = Source("code review in industry", "R2")
PHILLY = Source("Philly trace, ATC 2019", "M")
COMET = Source("Comet 2023", "R2")


class Bins(NamedTuple):
    """A published distribution: upper edges of all bins but the last, and the share of each."""

    edges: tuple[float, ...]
    labels: tuple[str, ...]
    shares: tuple[float, ...]


# 18 % of the 745 respondents are in none of the bins; who had no model in production was not asked.
TIME_TO_DEPLOY = Bins(
    (7 * DAY, 30 * DAY), ("7 days or less", "8 to 30 days", "more than a month"), (0.14, 0.28, 0.40)
)
_DURATIONS = ("< 1 h", "< 1 day", "1 day to 1 week", "1 week to 1 month", "1 to 6 months", "longer")
_EDGES = (1.0, DAY, WEEK, MONTH, 6 * MONTH)
LEAD_TIME_2025 = Bins(_EDGES, _DURATIONS, (0.09, 0.15, 0.32, 0.28, 0.13, 0.02))
RECOVERY_2025 = Bins(_EDGES, _DURATIONS, (0.21, 0.35, 0.28, 0.09, 0.05, 0.01))
# "On demand" (16 %) and "between hourly and daily" (7 %) are one bin: both are more than one a day.
INTERVAL_2025 = Bins(
    (DAY, WEEK, MONTH, 6 * MONTH),
    ("more than daily", "daily to weekly", "weekly to monthly", "monthly to half-yearly", "fewer"),
    (0.23, 0.22, 0.32, 0.20, 0.04),
)

LOW, MEDIUM, HIGH, ELITE = 0.12, 0.44, 0.23, 0.20
"""Shares of respondents by cluster, DORA 2019; they add up to 99 %."""

MODELS_PER_YEAR = 2.0
"""Google's level 0: a new model version "a couple of times per year"."""
OUTAGES_FROM_CHANGES = 0.70
ROLLBACKS = 0.22
ROOT_CAUSES = {"code": 0.27, "dependency": 0.16, "infrastructure": 0.16, "deployment, config": 0.26}
"""Of incidents, Microsoft Teams; deployment errors (13 %) and configuration bugs (13 %) together,
since the model has one kind of defect for what goes wrong in setting up and deploying."""
MEAN_LOG_MINUTES, SD_LOG_MINUTES = 4.25, 1.25
PREPARATION, TRAINING, DEPLOYMENT = 0.45, 0.12, 0.11
"""Shares of data scientists' time."""
DEPLOYING = 0.25
"""Most data scientists spend at least this share of their time deploying models."""
PROTOTYPE_TO_PRODUCTION_H = 8 * MONTH
REVIEW_H = (15.0, 24.0)
DATA_DETECTED_LATE, DATA_FIXED_H = 0.68, 15.0
"""68 % of firms need 4 h or more to detect a data incident; about 15 h to fix it."""


class Clusters(NamedTuple):
    """In words, how the clusters of one year compare in each metric; < is better."""

    frequency: str
    lead_time: str
    failures: str
    restore: str


_STRICT = "elite < high < medium < low"
PUBLISHED_ORDERS = {
    2019: Clusters(_STRICT, _STRICT, "elite = high = medium < low", "elite < high = medium < low"),
    2021: Clusters(_STRICT, _STRICT, "elite < high = medium = low", _STRICT),
    2022: Clusters(*["high < medium < low"] * 4),
    2023: Clusters("elite < high < medium = low", "elite < high < medium = low", _STRICT, _STRICT),
    2024: Clusters(_STRICT, _STRICT, "elite < medium < high < low", "elite < high = medium < low"),
}
"""State of DevOps reports (DORA), R2; 2021 partly from memory."""
