"""The pieces of the page that an answer changes, as HTML."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from sim.document.document import (
    Bullets,
    Cell,
    Column,
    Group,
    Mark,
    Paragraph,
    Part,
    Row,
    Scale,
    Stack,
    Stretch,
    Table,
)
from sim.document.html import block_as_html
from sim.metrics import catalogue
from sim.metrics.bands import has_bands
from sim.metrics.catalogue import Metric, headlines, metrics
from sim.report.band_figures import SHOWN_AT_LEAST, band_segments
from sim.report.comparison import (
    Difference,
    busier_and_less_busy,
    differences,
    explain,
    headline_differences,
)
from sim.report.content import DORA_YEAR, LEAD_TIME_COMPONENTS, band_words, bands_between, step_name
from sim.report.units import (
    Estimate,
    Unit,
    change_in_words,
    count_noun,
    estimate_in,
    format_difference,
    format_number,
    format_weeks,
    unit_for,
    without_service,
)
from sim.words import listed

from .answers import Answer
from .changes import changes
from .state import State

_LONGEST = (0.0, 0.9, 0.82, 0.72, 0.6)
"""Share of the room that the longest bar takes, by the number of arms: its number is beside it."""
_MARKS = ("diamond", "circle", "square", "triangle")
"""Of the arms, on the strips."""


def pieces(answer: Answer, state: State) -> dict[str, str]:
    """Return the HTML of each piece by the id of the place where it goes."""
    arms = list(answer.comparison.scenarios)
    summaries = {arm: answer.comparison.summary(arm) for arm in arms}
    return {
        "progress": _progress(answer),
        "metrics": _metrics(answer, summaries),
        "stream": _stream(answer.waiting),
        "why": _why(answer, state.explained),
        "more": _more(answer, summaries),
    }


def _columns(arms: Sequence[str]) -> list[Column]:
    names = [Column(arm.upper()) for arm in arms]
    if len(arms) == 2:
        names.append(Column(f"{arms[1].upper()} against {arms[0].upper()}"))
    return [Column("metric"), *names]


def _progress(answer: Answer) -> str:
    if answer.weeks:
        begin, end = answer.weeks
        return f"first impression: {format_weeks(begin, end)} of one replication"
    done = f"{answer.replications} of {count_noun(answer.wanted, 'replication')}"
    return f"done: {done}" if answer.replications == answer.wanted else f"getting sharper: {done}"


# --- the four metrics -----------------------------------------------------------------------------


def _metrics(answer: Answer, summaries: Mapping[str, pd.DataFrame]) -> str:
    arms = list(summaries)
    totals = {arm: headline_differences(answer.comparison, arm) for arm in arms[1:]}
    rows = [
        _headline(name, {arm: rows[name] for arm, rows in totals.items()}, summaries)
        for name in headlines()
    ]
    marks = listed([f"the {mark} {arm.upper()}" for mark, arm in zip(_MARKS, arms, strict=False)])
    compared = "" if len(arms) == 2 else " The small numbers compare with A."
    caption = (
        f"Mean, 95 % interval, band of DORA {DORA_YEAR}.{compared} Better is to the right; "
        f"{marks.replace(' A', ' is A', 1)}."
    )
    return block_as_html(Table(_columns(arms), [Group(rows)], caption))


def _headline(
    metric: str, rows: Mapping[str, Difference], summaries: Mapping[str, pd.DataFrame]
) -> Row:
    of = catalogue.metric(metric)
    values = {arm: _estimates(summary, metric) for arm, summary in summaries.items()}
    unit = _common_unit(of, values.values())
    cells = [_estimate(of, unit, *value) for value in values.values()]
    if len(rows) == 1:
        (row,) = rows.values()
        difference, _, interval = _difference(row).partition(" (")
        notes = [f"({interval}"] if interval else []
        cells.append(Cell(difference, ", ".join([*notes, *_clearness(row)])))
    else:
        for number, row in enumerate(rows.values(), start=1):
            said = [_difference(row).partition(" (")[0], *_clearness(row)]
            cells[number] = replace(cells[number], note=", ".join(said))
        cells[0] = replace(cells[0], note=cells[0].note.rpartition(": ")[2])
    return Row(
        [Cell(of.label, of.meaning), *cells],
        name=metric,
        scale=_scale(metric, values) if has_bands(metric, DORA_YEAR) else None,
    )


def _clearness(row: Difference) -> list[str]:
    if math.isnan(row.low) or row.difference == 0.0:
        return []
    return ["clear" if row.is_clear else "not clear yet"]


def _more(answer: Answer, summaries: Mapping[str, pd.DataFrame]) -> str:
    """Return a table of what else there is to know, without strips and bands."""
    shown = [*metrics("companion"), *metrics("supplement")]
    arms = list(summaries)
    rows = []
    for of in shown:
        values = [_estimates(summary, of.name) for summary in summaries.values()]
        unit = _common_unit(of, values)
        rows.append([of.label, *(_in_unit(unit, of, *value).value for value in values)])
    if len(arms) == 2:
        names = [metric.name for metric in shown]
        found = differences(answer.comparison, arms[1], names)
        rows = [[*row, _difference(each)] for row, each in zip(rows, found, strict=True)]
    named = [Row(row, name=of.name) for of, row in zip(shown, rows, strict=True)]
    return block_as_html(Table(_columns(arms), [Group(named)]))


def _difference(row: Difference) -> str:
    return format_difference(
        catalogue.metric(row.metric), row.first, row.difference, row.low, row.high
    )


def _estimates(summary: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    mean, low, high = (float(summary[column][metric]) for column in ("mean", "ci_low", "ci_high"))
    return mean, low, high


def _common_unit(of: Metric, values: Iterable[tuple[float, float, float]]) -> Unit:
    """Return the unit of a row: that of the first arm that has a value."""
    known = (mean for mean, *_ in values if not math.isnan(mean))
    return without_service(unit_for(of, next(known, math.nan)))  # below its name it says so


def _in_unit(unit: Unit, of: Metric, mean: float, low: float, high: float) -> Estimate:
    shown = estimate_in(unit, of, mean, low, high)
    return shown if math.isnan(mean) else shown._replace(value=unit.behind(shown.value))


def _estimate(of: Metric, unit: Unit, mean: float, low: float, high: float) -> Cell:
    shown = _in_unit(unit, of, mean, low, high)
    bands: tuple[str, ...] = ()
    if has_bands(of.name, DORA_YEAR):
        bands = bands_between(of.name, *((mean, mean) if math.isnan(low) else (low, high)))
    note = ": ".join(part for part in (shown.interval, band_words(bands)) if part)
    return Cell(shown.value, note, "strong", mean)


def _scale(metric: str, values: Mapping[str, tuple[float, float, float]]) -> Scale:
    """Return DORA's bands from worse to better, with where the two arms stand."""
    low, high = SHOWN_AT_LEAST[metric]
    more_is_better = catalogue.metric(metric).better == "more"

    def place(value: float) -> float:
        inside = min(max(value, low), high)
        share = (
            math.log(inside / low) / math.log(high / low) if low else (inside - low) / (high - low)
        )
        return share if more_is_better else 1.0 - share

    stretches = []
    for band, start, end in band_segments(metric, low, high):
        left, right = sorted((place(start), place(end)))
        has_room = 100 * (right - left) > 1.1 * len(band)
        name = band.split("/")[0].split(" ")[0]
        stretches.append(Stretch(band if has_room else "", name, left, right))
    marks = []
    for arm, (mean, *ends) in values.items():
        if not math.isnan(mean):
            left, right = (math.nan, math.nan)
            if not math.isnan(ends[0]):
                left, right = sorted(map(place, ends))
            marks.append(Mark(arm, place(mean), left, right))
    return Scale(sorted(stretches, key=lambda stretch: stretch.start), marks)


# --- the value stream -----------------------------------------------------------------------------


def _stream(waiting: Mapping[str, pd.DataFrame]) -> str:
    steps = list(dict.fromkeys(step for frame in waiting.values() for step in frame.index))
    if not steps:
        return block_as_html(Paragraph("Nothing was deployed."))
    frames = {arm: frame.reindex(steps).fillna(0.0) for arm, frame in waiting.items()}
    longest = max(float(frame.sum(axis="columns").max()) for frame in frames.values()) or 1.0
    columns = [
        Column(f"{arm.upper()}: {format_number(float(frame.to_numpy().sum()), 0)} h")
        for arm, frame in frames.items()
    ]
    rows = [
        Row(
            [
                step_name(step),
                *(_stack(frame.loc[step], longest, len(frames)) for frame in frames.values()),
            ]
        )
        for step in steps
    ]
    caption = "Mean hours of a deployed change; solid is work, striped waiting"
    return block_as_html(Table([Column("step"), *columns], [Group(rows)], caption))


def _stack(hours: "pd.Series[float]", longest: float, n_arms: int) -> Stack:
    parts = [
        Part(
            _LONGEST[n_arms] * float(hours[part.column]) / longest,
            part.column,
            part.label,
            f"{format_number(float(hours[part.column]), 1)} h",
        )
        for part in LEAD_TIME_COMPONENTS
    ]
    return Stack(format_number(float(hours.sum()), 0), parts=parts)


# --- why ------------------------------------------------------------------------------------------


def _why(answer: Answer, arm: str) -> str:
    scenarios = answer.comparison.scenarios
    first = next(iter(scenarios))
    one, other = first.upper(), arm.upper()
    changed = changes(scenarios[first], scenarios[arm])
    if not changed:
        text = f"{one} and {other} are the same organization. Move a slider of {other}."
        return block_as_html(Paragraph(text))
    found = [item.sentence.partition(". ") for item in explain(answer.comparison, arm)]
    became = [f"{said.removesuffix('.')}." for said, _, _ in found]
    became += [_cost(answer, arm), busier_and_less_busy(answer.comparison, arm)]
    precisely = [more for _, _, more in found if more]
    more = (
        f"<details><summary>More precisely</summary>{block_as_html(Bullets(precisely))}</details>"
        if precisely
        else ""
    )
    return (
        f"<h3>What is different in {other}</h3>{block_as_html(Bullets(changed))}"
        f"<h3>What becomes of it: {other} against {one}</h3>"
        f"{block_as_html(Bullets([line for line in became if line]))}{more}"
    )


def _cost(answer: Answer, arm: str) -> str:
    row = differences(answer.comparison, arm, ["net_cost_per_week"])[0]
    net_cost = catalogue.metric(row.metric).priced_in(
        answer.comparison.scenarios[arm].cost.currency
    )
    if math.isnan(row.difference) or row.difference == 0.0:
        return ""
    if not row.has_moved:
        ends = " and ".join(
            change_in_words(net_cost, end, row.first, row.first, signed=True)
            for end in (row.low, row.high)
        )
        return f"Net cost does not differ clearly: the difference lies between {ends}."
    word = "higher" if row.difference > 0.0 else "lower"
    amount = change_in_words(net_cost, row.difference, row.first, row.first)
    return f"Net cost, which is {net_cost.meaning}, is {amount} {word}."
