"""The organizations that are simulated, and how much each counts in the population.

A respondent of a survey is taken to be a team: DORA asks about the service that somebody works on,
and whoever answers for a firm knows mostly the own part of it. Each organization counts as much as
its weight says however many teams it has.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from sim.experiment.intervals import FloatArray
from sim.scenario.load import load
from sim.scenario.organization import Scenario

GOOGLE = ("google_0", "google_1", "google_2")
MICROSOFT = ("microsoft_0", "microsoft_1", "microsoft_2", "microsoft_3", "microsoft_4")
FAMILIES = {"Google": GOOGLE, "Microsoft": MICROSOFT}
"""Levels of maturity by whose they are, from the lowest up."""

PRESETS_IN = "scaleup"
"""Where the maturity presets are compared: the organization of the claims, the smallest that has
what the higher levels are about: several teams, a platform group, and services that depend on each
other."""

LARGE_FIRM = ("enterprise", "google_2")
"""What stands for Google and Microsoft, whose incidents some figures are about: the largest
organization at the highest of Google's own levels."""

# Quarters: of the respondents of DORA 2019 one in four worked for a firm of more than 10,000 people
# (R2), which is the enterprise; for the other three sizes nothing comparable is published.
SIZES = {"startup": 0.25, "midsize": 0.25, "scaleup": 0.25, "enterprise": 0.25}

# The shares of respondents in the clusters of DORA 2019, from low to elite, as those of the levels
# from the lowest up; they add up to 99 %. Microsoft has five levels; the upper two, both with
# automated delivery, share the 20 % of the elite.
LEVELS = dict(zip(MICROSOFT, (0.12, 0.44, 0.23, 0.10, 0.10), strict=True))

# Warm-up and observed weeks. Models decay below their objective after some 20 weeks at the
# earliest, which the warm-up has to cover; a firm of thirty teams shows as much in half the time.
WEEKS = {"startup": (26, 104), "midsize": (26, 78), "scaleup": (26, 78), "enterprise": (26, 26)}


class Cell(NamedTuple):
    """An organization at a level of maturity."""

    organization: str
    maturity: str


class Place(NamedTuple):
    """Organizations that a row is simulated for, and how much each of them counts."""

    name: str
    weights: Mapping[Cell, float]


def cells() -> list[Cell]:
    """Return all that is simulated, what takes longest first."""
    sizes = [Cell(size, level) for size in reversed(SIZES) for level in MICROSOFT]
    presets = [Cell(PRESETS_IN, level) for level in GOOGLE]
    return [Cell(*LARGE_FIRM), *sizes, *presets]


def scenario(cell: Cell) -> Scenario:
    """Return the scenario of a cell."""
    warmup, observed = WEEKS[cell.organization]
    return load(
        f"organization={cell.organization}",
        f"maturity={cell.maturity}",
        f"warmup_weeks={warmup}",
        f"horizon_weeks={warmup + observed}",
    )


def weights(
    levels: Mapping[str, float] = LEVELS, sizes: Mapping[str, float] = SIZES
) -> dict[Cell, float]:
    """Return the weight of each cell of the population; they add up to one.

    Size and level are taken to be independent, for want of anything published.
    """
    total = sum(levels.values()) * sum(sizes.values())
    return {
        Cell(size, level): of_size * of_level / total
        for size, of_size in sizes.items()
        for level, of_level in levels.items()
        if of_size * of_level > 0.0
    }


def places() -> dict[str, Place]:
    """Return what a row may be simulated for, by name."""
    population = weights()
    found = [
        Place("population", population),
        Place("population, teams", population),
        Place(" at ".join(LARGE_FIRM), {Cell(*LARGE_FIRM): 1.0}),
        # Microsoft's level 0 has the same practices as Google's.
        *(Place(f"{size}, level 0", {Cell(size, MICROSOFT[0]): 1.0}) for size in SIZES),
        # Other populations, to see how much hangs on the weights.
        Place("all levels alike", weights(dict.fromkeys(MICROSOFT, 1.0))),
        *(Place(f"all at {level}", weights({level: 1.0})) for level in MICROSOFT),
        *(Place(f"{size} only", weights(sizes={size: 1.0})) for size in SIZES),
    ]
    return {place.name: place for place in found}


def presets(*levels: str) -> Place:
    """Return the organization in which presets of maturity are compared, at these levels."""
    return Place(PRESETS_IN, {Cell(PRESETS_IN, level): 1.0 for level in levels})


def over_population(
    values: Callable[[Cell], FloatArray], of_cell: Mapping[Cell, float]
) -> FloatArray:
    """Return the weighted mean over cells, replication by replication.

    All cells share their random numbers, so that they are not independent; taken replication by
    replication, the means are, and Student's interval holds for them.

    Args:
        values: what a cell has in each replication, (replications, ...); NaN where it has none, in
            which case the other cells count instead.
        of_cell: weight of each cell.
    """
    parts = np.array([values(cell) for cell in of_cell], dtype=np.float64)
    weight = np.array(list(of_cell.values())).reshape(-1, *[1] * (parts.ndim - 1))
    known = np.where(np.isnan(parts), 0.0, weight)
    total = known.sum(axis=0)
    summed = (known * np.nan_to_num(parts)).sum(axis=0)
    average: FloatArray = np.full(total.shape, np.nan)
    np.divide(summed, total, out=average, where=total > 0.0)
    return average
