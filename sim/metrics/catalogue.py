"""The catalogue of metrics: what each one is, declared beside the function that computes it.

Code that shows, compares, plans or judges metrics reads their properties here and keeps no list of
names. A metric is declared where it is computed::

    @measures(
        Metric("rework_rate", "rework rate", "share of deployments that are unplanned remediation",
               dimension="share", better="less", rests_on="n_deployments"),
    )
    def rework_rate(tables, window): ...

A function reads tables with :mod:`sim.metrics.arrays`. If a table or a column that it reads is
absent, all its metrics are NaN, but for those that it says are :func:`~sim.metrics.arrays.known`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal, NamedTuple, Self, TypeVar

from sim.log import Tables
from sim.metrics.arrays import AbsentError
from sim.words import readable

Dimension = Literal["frequency", "duration", "share", "quantity", "money"]
"""Frequencies are per service and day, durations in hours, shares between 0 and 1; quantities and
money name what they are counted in."""
Prominence = Literal["headline", "companion", "supplement", "detail"]
PartKind = Literal["work", "waiting", "rework", "phase", "effort", "cost"]
Topic = Literal[
    "deployment", "failure", "restoring", "service", "flow", "people and machines", "cost", "count"
]
TOPICS: dict[Topic, str] = {
    "deployment": "Deployments and lead time",
    "failure": "Failures",
    "restoring": "Restoring",
    "service": "Services and models",
    "flow": "Flow",
    "people and machines": "People and machines",
    "cost": "Cost",
    "count": "Counts that the metrics rest on",
}
"""The topics in the order in which metrics are computed and listed, with their headings."""

Window = tuple[float, float]
Values = Mapping[str, float]
Compute = Callable[[Tables, Window], float | Values]
F = TypeVar("F", bound=Compute)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """The physical part of a metric, which is all that showing a number takes.

    Attributes:
        dimension: kind of quantity, which decides on the units that it is shown in.
        unit: what a quantity counts, or what an amount of money is for: ``changes``, ``per week``.
        currency: of an amount of money; empty as long as it is not known.
        lowest: the smallest value that it can have.
        highest: the largest value that it can have.
    """

    dimension: Dimension
    unit: str = ""
    currency: str = ""
    lowest: float = 0.0
    highest: float = math.inf

    def priced_in(self, currency: str) -> Self:
        """Return the same with its currency, if it is money."""
        return replace(self, currency=currency) if self.dimension == "money" else self


DURATION = Quantity(dimension="duration")
SHARE = Quantity(dimension="share", highest=1.0)
NUMBER = Quantity(dimension="quantity", lowest=-math.inf)


class Group(NamedTuple):
    """A group of events that a mean is over: the metrics that say how many, and their mean."""

    number: str
    mean: str


@dataclass(frozen=True, kw_only=True)
class Metric(Quantity):
    """A metric, with all that is known of it without computing it.

    Attributes:
        name: key in tables; of a family, what stands in front of the names of its members.
        label: what it is called in tables, without its unit.
        meaning: what it is, in one phrase.
        topic: under which heading it is listed.
        better: which direction is better, or None if neither is.
        prominence: the four metrics of DORA are headlines, those that belong beside them
            companions; where two organizations are compared, supplements follow.
        rests_on: the count of events that a replication's value rests on.
        noun: of a count, what it counts, in the singular.
        parts: metrics that add up to it.
        groups: of a mean over events, the groups that they fall into: the sum of counts times means
            over the sum of counts is the mean.
        grouped_by: what the groups are, in the plural: ``causes``.
        part_label: what it is called among the parts of another metric; by default its label.
        part_kind: of which kind it is among them, which decides on its colour.
        is_certainly_positive: no organization has a mean of zero, so that its spread may be given
            relative to its mean.
        is_family: there is one for each resource of the organization.
        extremes: what the smallest and the largest of several are called.
    """

    name: str
    label: str
    meaning: str
    topic: Topic
    better: Literal["more", "less"] | None = None
    prominence: Prominence = "detail"
    rests_on: str | None = None
    noun: str = ""
    parts: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    grouped_by: str = ""
    part_label: str = ""
    part_kind: PartKind = "work"
    is_certainly_positive: bool = False
    is_family: bool = False
    extremes: tuple[str, str] = ("lowest", "highest")

    @property
    def name_as_part(self) -> str:
        """Its label among the parts of another metric."""
        return self.part_label or self.label


@dataclass(frozen=True)
class Computation:
    """A function that computes metrics, and which.

    Attributes:
        metrics: what it returns, in this order; a single one as a number.
        compute: the function.
        is_charged: an incident counts for the deployment that it is charged to, so that a group of
            services answers for the incidents of other services too.
    """

    metrics: tuple[Metric, ...]
    compute: Compute
    is_charged: bool = False

    def values(self, tables: Tables, window: Window) -> dict[str, float]:
        """Return the values of all its metrics by name: NaN if a table or column is absent.

        Of a family there is nobody then whose name is known.
        """
        try:
            found = self.compute(tables, window)
        except AbsentError:
            return {metric.name: math.nan for metric in self.metrics if not metric.is_family}
        if not isinstance(found, Mapping):
            return {self.metrics[0].name: float(found)}
        return {name: float(value) for name, value in found.items()}


_declared: list[Computation] = []
_by_name: dict[str, Metric] = {}


def measures(*metrics: Metric, is_charged: bool = False) -> Callable[[F], F]:
    """Put metrics into the catalogue, with the decorated function that computes them.

    Args:
        metrics: what the function returns: a number if it is one, else a mapping with their names.
        is_charged: see :class:`Computation`.
    """

    def declare(function: F) -> F:
        _declared.append(Computation(metrics, function, is_charged))
        _by_name.update((metric.name, metric) for metric in metrics)
        return function

    return declare


def computations() -> list[Computation]:
    """Return all computations in the order of their topics, within one in that of the code."""
    order = list(TOPICS)
    return sorted(_declared, key=lambda each: order.index(each.metrics[0].topic))


def metrics(prominence: Prominence | None = None) -> list[Metric]:
    """Return the metrics in order; a family as one.

    Args:
        prominence: only those that have it; by default all.
    """
    return [
        metric
        for computation in computations()
        for metric in computation.metrics
        if prominence in (None, metric.prominence)
    ]


def headlines() -> list[str]:
    """Return the names of the four metrics of DORA."""
    return [metric.name for metric in metrics("headline")]


def companions() -> list[str]:
    """Return the names of the metrics that stand beside the headlines."""
    return [metric.name for metric in metrics("companion")]


def divided() -> list[Metric]:
    """Return, for each headline, the metric computed with it that has parts: itself, or a mean."""
    return [
        next(metric for metric in computation.metrics if metric.parts)
        for computation in computations()
        if any(metric.prominence == "headline" for metric in computation.metrics)
        and any(metric.parts for metric in computation.metrics)
    ]


def parts_of(whole: str) -> list[Metric]:
    """Return the metrics that add up to the metric called ``whole``."""
    return [metric(part) for part in metric(whole).parts]


def members(family: str, names: Iterable[str]) -> list[Metric]:
    """Return those of the metrics with these names that belong to a family."""
    return [metric(name) for name in names if name.startswith(family)]


def names(resources: Iterable[str]) -> list[str]:
    """Return the names of all metrics of an organization, which needs no simulation.

    Args:
        resources: its roles and kinds of compute, of which each has its member of a family.
    """
    found = []
    for metric in metrics():
        members = [metric.name + resource for resource in resources]
        found += members if metric.is_family else [metric.name]
    return found


def metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises:
        KeyError: there is none; the message names the nearest.
    """
    found = _by_name.get(name)
    if found is not None and not found.is_family:
        return found
    for family in _by_name.values():
        if family.is_family and name.startswith(family.name) and name != family.name:
            resource = readable(name.removeprefix(family.name))
            return replace(
                family,
                name=name,
                label=f"{family.label} of {resource}",
                part_label=resource,
                is_family=False,
            )
    close = get_close_matches(name, _by_name, n=1)
    raise KeyError(f"unknown metric '{name}'" + (f"; did you mean '{close[0]}'?" if close else ""))
