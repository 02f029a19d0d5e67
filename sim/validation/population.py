"""The simulated organizations, and how much each of them counts in the population.

A respondent of a survey is taken to be a team: DORA asks about the service that somebody works on,
and people who answer for a firm mostly know their own part of it. The weight of an organization
does not depend on how many teams it has.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from sim.configuration.load import load
from sim.experiment.intervals import FloatArray
from sim.scenario.organization import Scenario

GOOGLE = ("google_0", "google_1", "google_2")
MICROSOFT = ("microsoft_0", "microsoft_1", "microsoft_2", "microsoft_3", "microsoft_4")
FAMILIES = {"Google": GOOGLE, "Microsoft": MICROSOFT}
"""Levels of maturity by their author, from the lowest up."""

PRESETS_IN = "scaleup"
"""The organization in which maturity presets are compared; the claims use it as well.

It is the smallest one with several teams, a platform group, and services that depend on each other,
and the higher levels are about these.
"""

LARGE_FIRM = ("enterprise", "google_2")
"""The stand-in for Google and Microsoft, whose incidents some figures are about.

It is the largest organization at the highest of Google's own levels.
"""

# One in four respondents of DORA 2019 worked for a firm of more than 10,000 people (R2), which is
# the enterprise. Nothing comparable is published for the other sizes, so each counts a quarter too.
SIZES = {"startup": 0.25, "midsize": 0.25, "scaleup": 0.25, "enterprise": 0.25}

# Each level counts as a cluster of DORA 2019 did, from low to elite; the shares of respondents add
# up to 99 %. Microsoft has five levels: the upper two, both with automated delivery, share the 20 %
# of the elite.
LEVELS = dict(zip(MICROSOFT, (0.12, 0.44, 0.23, 0.10, 0.10), strict=True))

# Weeks of warm-up and observation. The earliest models decay below their objective after some 20
# weeks, which the warm-up has to cover. A firm of thirty teams shows as much in half the time.
WEEKS = {"startup": (26, 104), "midsize": (26, 78), "scaleup": (26, 78), "enterprise": (26, 26)}


class Simulation(NamedTuple):
    """An organization at a level of maturity."""

    organization: str
    maturity: str


class Place(NamedTuple):
    """The organizations that a row is simulated for, and how much each of them counts."""

    name: str
    weights: Mapping[Simulation, float]


def cells() -> list[Simulation]:
    """Return all cells to simulate, the slowest first."""
    sizes = [Simulation(size, level) for size in reversed(SIZES) for level in MICROSOFT]
    presets = [Simulation(PRESETS_IN, level) for level in GOOGLE]
    return [Simulation(*LARGE_FIRM), *sizes, *presets]


def scenario(cell: Simulation) -> Scenario:
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
) -> dict[Simulation, float]:
    """Return the weight of each cell of the population; the weights add up to one.

    Size and level are assumed to be independent, because nothing is published about that.
    """
    total = sum(levels.values()) * sum(sizes.values())
    return {
        Simulation(size, level): of_size * of_level / total
        for size, of_size in sizes.items()
        for level, of_level in levels.items()
        if of_size * of_level > 0.0
    }


def places() -> dict[str, Place]:
    """Return the places that a row can be simulated for, by name."""
    population = weights()
    found = [
        Place("population", population),
        Place("population, teams", population),
        Place(" at ".join(LARGE_FIRM), {Simulation(*LARGE_FIRM): 1.0}),
        # Microsoft's level 0 has the same practices as Google's.
        *(Place(f"{size}, level 0", {Simulation(size, MICROSOFT[0]): 1.0}) for size in SIZES),
        # Other populations, to see how much depends on the weights.
        Place("all levels alike", weights(dict.fromkeys(MICROSOFT, 1.0))),
        *(Place(f"all at {level}", weights({level: 1.0})) for level in MICROSOFT),
        *(Place(f"{size} only", weights(sizes={size: 1.0})) for size in SIZES),
    ]
    return {place.name: place for place in found}


def presets(*levels: str) -> Place:
    """Return the organization in which maturity presets are compared, at these levels."""
    return Place(PRESETS_IN, {Simulation(PRESETS_IN, level): 1.0 for level in levels})


def over_population(
    values: Callable[[Simulation], FloatArray], of_cell: Mapping[Simulation, float]
) -> FloatArray:
    """Return the weighted mean over cells, replication by replication.

    All cells share their random numbers, so they are not independent. The means of different
    replications are, so that Student's interval holds for them.

    Args:
        values: returns the value of a cell in each replication, (replications, ...). Where it is
            NaN the other cells count instead.
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
