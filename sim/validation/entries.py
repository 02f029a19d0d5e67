"""The kinds of entries of ``tables/rows.yaml``, and the rows they stand for.

The file itself describes the keys of an entry.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from sim.metrics import dora_band
from sim.report.units import format_given, format_number, format_percent
from sim.scenario.spec import Number, Spec

from .agreement import DISTANCE, Accepted, Sign, Within, simulated, within_factor, within_odds
from .clusters import METRICS, merged_ranges
from .population import FAMILIES, PRESETS_IN, Place, Simulation, presets
from .published import LognormalFit, Source, Statistic
from .readings import (
    IN_FIGURES,
    DistanceOverTeams,
    FigureName,
    Reading,
    Reads,
    ShareWithAnswer,
)
from .references import look_up
from .results import Results

_ORDER_OF_MIX = "of all kinds of change, whose mix differs; judged by kind"
Origin = Literal["emerges", "partly an input", "an input"]
SourceByName = Annotated[Source, look_up("source")]
PlaceByName = Annotated[Place, look_up("place")]


class DoraMetric(Spec):
    """A metric as it is compared with DORA, in a unit in which less is better."""

    words: str = Field(description="Name of the metric.")
    unit: str = Field(description="Unit it is shown in.")
    reads: Reads = Field(description="Its figure, and how that is read.")
    by_kind: dict[str, Reads] = Field(
        {},
        description="The same of one kind of change. Levels differ in how often they retrain, so "
        "their order is judged by kind, and the number over all kinds is shown beside it.",
    )


DoraMetrics = Mapping[str, DoraMetric]


@dataclass(frozen=True)
class RowDefinition:
    """The comparison of a row, before anything is simulated.

    Attributes:
        key: name of the row, different for each.
        section: title of the section of the page.
        quantity: the compared quantity in words.
        place: the organizations simulated for it.
        published: the published figure, or what it leads one to expect.
        source: source of the published figure.
        reads: the figure of the observations, and how it is read.
        origin: whether the simulated value emerges or is (partly) an input of the scenarios.
        unit: unit of the simulated value and of the accepted ranges.
        accepts: values that agree; None if the row is not judged, or judged as an order.
        may_include: a figure of which an unknown part belongs to the quantity.
        or_reads: the figure that it is if the source counted the other way.
        or_reads_in: how the source counts then.
        is_open: nothing independent decides the simulated value, so there is nothing to judge.
        is_order: whether the row compares the cells of its place, from the lowest level up.
        is_judged: whether such an order is judged.
        note: more about the result: a text, or a function that makes it from the results.
    """

    key: str
    section: str
    quantity: str
    place: Place
    published: str
    source: Source
    reads: Reading
    origin: Origin = "emerges"
    unit: str = ""
    accepts: Within | Sign | None = None
    may_include: str | None = None
    or_reads: str | None = None
    or_reads_in: str = ""
    is_open: bool = False
    is_order: bool = False
    is_judged: bool = True
    note: str | Callable[[Results], str] = ""

    @property
    def size(self) -> float:
        """Size of the unit in the units of figures."""
        return IN_FIGURES.get(self.unit, 1.0)


class AcceptedRange(Spec):
    """A range that agrees, ends included, in the unit of the row."""

    from_: Number = Field(alias="from")
    to: Number


class StatisticOfFit(Spec):
    """A number that follows from a published fit."""

    fit: Annotated[LognormalFit, look_up("fit")]
    statistic: Statistic


Rule = Literal["factor", "odds", "positive", "negative"]
Accepts = Annotated[
    Annotated[Rule, Tag("rule")] | Annotated[AcceptedRange, Tag("range")],
    Discriminator(lambda value: "range" if isinstance(value, Mapping | AcceptedRange) else "rule"),
]


class _Entry(Spec):
    key: str
    source: SourceByName


class PublishedFigure(_Entry):
    """A single figure; a row for each place."""

    kind: Literal["figure"] = "figure"
    quantity: str
    simulated_for: tuple[PlaceByName, ...] = Field(min_length=1)
    beside: PlaceByName | None = None
    published: Number | None = None
    published_fit: StatisticOfFit | None = None
    in_words: str = ""
    origin: Origin = "emerges"
    unit: str = ""
    reads: Reads
    accepts: Accepts | None = None
    may_include: FigureName | None = None
    or_reads: FigureName | None = None
    or_reads_in: str = ""
    open: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        number = self.number
        if self.published is not None and self.published_fit is not None:
            raise ValueError("published and published_fit exclude each other")
        if self.accepts in ("factor", "odds") and number is None:
            raise ValueError(f"accepts: {self.accepts} needs a published number")
        if self.accepts == "odds" and not (self.unit == "%" and 0 < (number or 0) < 100):
            raise ValueError("accepts: odds needs a published number between 0 and 100, unit: '%'")
        if self.may_include and self.accepts != "odds":
            raise ValueError("may_include needs accepts: odds")
        if self.or_reads and not (self.accepts == "factor" and self.or_reads_in):
            raise ValueError("or_reads needs accepts: factor, and or_reads_in")
        if self.open and not (self.accepts and self.note):
            raise ValueError("open needs accepts, and a note that says why")
        if ("{place}" in self.key) != (len(self.places) > 1):
            raise ValueError("key needs {place} if, and only if, there is more than one place")
        return self

    @property
    def number(self) -> float | None:
        """The published number, in the unit of the row."""
        if self.published_fit is not None:
            return self.published_fit.fit.statistic(self.published_fit.statistic)
        return self.published

    @property
    def places(self) -> tuple[Place, ...]:
        """All places, first those whose rows are judged."""
        return self.simulated_for if self.beside is None else (*self.simulated_for, self.beside)

    def definitions(self, section: str, metrics: DoraMetrics) -> Iterator[RowDefinition]:
        """Return the rows of a section that this stands for."""
        for place in self.places:
            beside = place is self.beside
            yield RowDefinition(
                key=self.key.replace("{place}", place.name.partition(",")[0]),
                section=section,
                quantity=self.quantity,
                place=place,
                published=self._words(),
                source=self.source,
                origin=self.origin,
                unit=self.unit,
                reads=self.reads,
                accepts=None if beside else self._accepts(),
                may_include=None if beside else self.may_include,
                or_reads=None if beside else self.or_reads,
                or_reads_in=self.or_reads_in,
                is_open=self.open and not beside,
                note=self.note,
            )

    def _words(self) -> str:
        number = self.number
        if self.in_words:
            return self.in_words
        if number is not None:
            digits = format_number(number, 0) if number >= 10.0 else format_given(number, 3)
            return f"{digits} {self.unit}".rstrip()
        if self.accepts in ("positive", "negative"):
            return str(self.accepts)
        return str(getattr(self.reads, "answers", ""))

    def _accepts(self) -> Within | Sign | None:
        number = self.number or 0.0
        match self.accepts:
            case None:
                return None
            case "factor":
                return Within((within_factor(number),))
            case "odds":
                low, high = within_odds(number / 100)
                return Within((Accepted(100 * low, 100 * high),))
            case "positive":
                return Sign(1)
            case "negative":
                return Sign(-1)
            case AcceptedRange():
                return Within((Accepted(self.accepts.from_, self.accepts.to),))


class PublishedDistribution(_Entry):
    """A distribution over the answers of a survey: a row for each, and one for the distance."""

    kind: Literal["distribution over teams"]
    quantity: str
    simulated_for: PlaceByName
    reads: DistanceOverTeams

    def definitions(self, section: str, metrics: DoraMetrics) -> Iterator[RowDefinition]:
        """Return the rows of a section that this stands for."""
        answers = self.reads.answers
        for place, (answer, share) in enumerate(answers.by_answer.items()):
            yield RowDefinition(
                key=f"{self.key} {answer}",
                section=section,
                quantity=f"{self.quantity}: {answer}",
                place=self.simulated_for,
                published=format_percent(share / 100.0),
                source=self.source,
                unit="%",
                reads=ShareWithAnswer(self.reads, place),
                note="part of the distribution",
            )
        yield RowDefinition(
            key=f"{self.key} distance",
            section=section,
            quantity=f"{self.quantity}: distance between the distributions",
            place=self.simulated_for,
            published=str(answers),
            source=self.source,
            reads=self.reads,
            accepts=Within((Accepted(0.0, DISTANCE),)),
            note=self._with_best_weights,
        )

    def _with_best_weights(self, results: Results) -> str:
        least = results.least_distance(self.reads.column, self.reads.answers)
        return f"{format_number(least, 2)} with the best-fitting weights"


class PublishedClusters(_Entry):
    """The clusters of DORA: a row for each preset of maturity and each metric with clusters."""

    kind: Literal["clusters of presets"]
    expected: dict[
        Annotated[str, look_up("preset")], tuple[Annotated[str, look_up("cluster")], ...]
    ]

    def definitions(self, section: str, metrics: DoraMetrics) -> Iterator[RowDefinition]:
        """Return the rows of a section that this stands for."""
        for preset, clusters in self.expected.items():
            for name in METRICS:
                metric = metrics[name]
                size = IN_FIGURES.get(metric.unit, 1.0)
                ranges = merged_ranges(name, clusters)
                yield RowDefinition(
                    key=self.key_of(preset, name),
                    section=section,
                    quantity=f"{preset}: {metric.words}",
                    place=presets(preset),
                    published=" or ".join(clusters),
                    source=self.source,
                    unit=metric.unit,
                    reads=metric.reads,
                    accepts=Within(
                        tuple(Accepted(low / size, high / size) for low, high in ranges)
                    ),
                    note=_cluster_of_mean(Simulation(PRESETS_IN, preset), name),
                )

    def key_of(self, preset: str, metric: str) -> str:
        """Return the key of the row of a preset and a metric."""
        return f"{self.key} {preset} {metric}"


def _cluster_of_mean(cell: Simulation, metric: str) -> Callable[[Results], str]:
    return lambda results: dora_band(metric, simulated(results.figure(cell, metric)).mean)


class PublishedOrder(_Entry):
    """The order of levels of maturity: a row for each metric and each family of levels."""

    kind: Literal["order of levels"]
    in_words: str

    def definitions(self, section: str, metrics: DoraMetrics) -> Iterator[RowDefinition]:
        """Return the rows of a section that this stands for."""
        for name, metric in metrics.items():
            for family, levels in FAMILIES.items():
                for kind, reads in {"": metric.reads, **metric.by_kind}.items():
                    of_kind = f" of {kind}" if kind else ""
                    is_judged = bool(kind) or not metric.by_kind
                    yield RowDefinition(
                        key=f"{self.key} {family} {name}{of_kind}",
                        section=section,
                        quantity=f"{metric.words}{of_kind}, from the lowest to the highest of "
                        f"{family}'s levels",
                        place=presets(*levels),
                        published=self.in_words,
                        source=self.source,
                        unit="times lower" if metric.unit == "%" else "times shorter",
                        reads=reads,
                        is_order=True,
                        is_judged=is_judged,
                        note="" if is_judged else _ORDER_OF_MIX,
                    )


def _kind(value: Any) -> Any:
    return value.get("kind", "figure") if isinstance(value, Mapping) else getattr(value, "kind", "")


Entry = Annotated[
    Annotated[PublishedFigure, Tag("figure")]
    | Annotated[PublishedDistribution, Tag("distribution over teams")]
    | Annotated[PublishedClusters, Tag("clusters of presets")]
    | Annotated[PublishedOrder, Tag("order of levels")],
    Discriminator(_kind),
]


class PageSection(Spec):
    """A section of the page, and the published figures it shows."""

    title: str
    introduction: tuple[str, ...] = ()
    rows: tuple[Entry, ...]
