"""The rows of the validation: published figures beside simulated ones, with a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.experiment.intervals import FloatArray
from sim.report.units import format_given, format_number

from .agreement import (
    Acceptance,
    Accepted,
    EitherWay,
    Order,
    Simulated,
    Undivided,
    Verdict,
    Within,
    as_ratio,
    orders,
    quantity_in,
    simulated,
    verdict,
)
from .entries import RowDefinition
from .load import SurveyTables
from .meanings import meaning_of
from .readings import read
from .results import Results


@dataclass(frozen=True)
class SurveyRow:
    """One published figure beside the simulated one.

    Attributes:
        definition: what is compared.
        value: the simulated value.
        accepted: ranges that agree; empty if the row is not judged by ranges.
        verdict: whether the value agrees.
        note: more about the result.
        meaning: what the verdict says about the model; may be empty.
    """

    definition: RowDefinition
    value: Simulated
    accepted: tuple[Accepted, ...]
    verdict: Verdict
    note: str
    meaning: str

    @property
    def accepted_in_words(self) -> str:
        """The ranges that agree, such as `0 to 15 or 46 to 60`."""
        return " or ".join(
            f"{format_given(low, 3)} to {format_given(high, 3)}" for low, high in self.accepted
        )


def all_rows(results: Results, tables: SurveyTables) -> list[SurveyRow]:
    """Return every row, in the order of the page."""
    definitions = tables.definitions()
    ordered = [definition for definition in definitions if definition.is_order]
    found = orders([_course(definition, results) for definition in ordered])
    order_of = {definition.key: order for definition, order in zip(ordered, found, strict=True)}
    return [_row(d, order_of.get(d.key), results, tables) for d in definitions]


def _row(
    definition: RowDefinition, order: Order | None, results: Results, tables: SurveyTables
) -> SurveyRow:
    note = definition.note if isinstance(definition.note, str) else definition.note(results)
    acceptance: Acceptance = definition.accepts
    if order is not None:
        value, acceptance, steps = as_ratio(order.ends), order, _steps(order)
        note = steps if definition.is_judged else f"{note}; {steps}"
    else:
        values = read(definition.reads, results, definition.place.weights)
        quantity = quantity_in(definition.unit)
        value = simulated(values / definition.size, quantity)
        if definition.may_include is not None and isinstance(acceptance, Within):
            part = results.mean_figure(definition.may_include, definition.place.weights)
            most = simulated((values + part) / definition.size, quantity)
            acceptance = Undivided(acceptance.ranges, most)
            _, _, whole = definition.may_include.partition(": ")
            note = f"{format_number(most.mean, 0)} {definition.unit} with all of the {whole}"
        if definition.or_reads is not None and isinstance(acceptance, Within):
            other = results.mean_figure(definition.or_reads, definition.place.weights)
            otherwise = simulated(other / definition.size, quantity)
            acceptance = EitherWay(acceptance.ranges, otherwise)
            shown = f"{format_number(otherwise.mean)} {definition.unit} {definition.or_reads_in}"
            note = "; ".join(part for part in (shown, note) if part)
    judged = verdict(value, acceptance)
    if definition.origin == "an input" or not definition.is_judged:
        judged = "not judged"
    elif definition.is_open:
        judged = "open"
    return SurveyRow(
        definition=definition,
        value=value,
        accepted=acceptance.ranges
        if isinstance(acceptance, Within | Undivided | EitherWay)
        else (),
        verdict=judged,
        note=note,
        meaning=meaning_of(definition.key, judged, tables.meanings),
    )


def _course(definition: RowDefinition, results: Results) -> FloatArray:
    """Return a metric over its levels so that more is better and differences are ratios."""
    courses = []
    for cell in definition.place.weights:
        values = read(definition.reads, results, {cell: 1.0})
        logs: FloatArray = np.full(values.shape, np.nan)
        np.log(values, out=logs, where=values > 0.0)
        courses.append(-logs)
    return np.column_stack(courses)


def _steps(order: Order) -> str:
    parts = []
    for words, steps in (("better", order.better), ("worse", order.worse)):
        if steps:
            parts.append(f"{words}: " + ", ".join(f"{low} to {high}" for low, high in steps))
    return "; ".join(parts) or "no single step is certain"


def tally(rows: Sequence[SurveyRow]) -> str:
    """Return how many rows have which verdict; partial inputs are counted separately."""
    parts = []
    for origin, words in (
        ("emerges", "whose values emerge"),
        ("partly an input", "whose values are partly inputs"),
    ):
        verdicts = [row.verdict for row in rows if row.definition.origin == origin]
        judged = [verdict for verdict in verdicts if verdict not in ("not judged", "open")]
        counts = (
            f"{judged.count(verdict)} {verdict.removesuffix('s')}"
            for verdict in ("agrees", "undecided", "disagrees", "no data")
            if verdict in judged
        )
        parts.append(f"{len(judged)} judged rows {words}: {', '.join(counts)}")
    is_open = sum(row.verdict == "open" for row in rows)
    if is_open:
        parts.append(f"{is_open} open, which are not judged")
    return "; ".join(parts) + "."
