"""The pieces of the page that an answer changes, as HTML."""

import math
from collections.abc import Mapping

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
from sim.metrics.catalogue import headlines, metrics
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
    change_in_words,
    count_noun,
    format_difference,
    format_estimate,
    format_given,
    format_number,
    format_weeks,
)
from sim.scenario.documentation import headings
from sim.scenario.files import SCENARIOS
from sim.words import readable

from .answers import Answer
from .state import ARMS, DIALS, State

_COLUMNS = (Column("metric"), Column("A"), Column("B"), Column("B compared with A"))
_LONGEST = 0.86
"""Share of the room that the longest bar takes, so that its number is beside it."""
_MECHANISMS = {
    "automation": "a machine does this share of the step executions: nobody waits for a person, "
    "and what it can test it tests every time",
    "standardization": "this share of the services is on the golden path: in the same environment "
    "as the others, so that less fails that worked elsewhere, and machines are pooled",
}


def pieces(answer: Answer, state: State) -> dict[str, str]:
    """Return the HTML of each piece by the id of the place where it goes."""
    summaries = {arm: answer.comparison.summary(arm) for arm in ARMS}
    return {
        "progress": _progress(answer),
        "metrics": _metrics(answer, summaries),
        "stream": _stream(answer.waiting),
        "why": _why(answer, state),
        "more": _more(answer, summaries),
    }


def _progress(answer: Answer) -> str:
    if answer.weeks:
        begin, end = answer.weeks
        return f"first impression: {format_weeks(begin, end)} of one replication"
    done = f"{answer.replications} of {count_noun(answer.wanted, 'replication')}"
    return f"done: {done}" if answer.replications == answer.wanted else f"getting sharper: {done}"


# --- the four metrics -----------------------------------------------------------------------------


def _metrics(answer: Answer, summaries: Mapping[str, pd.DataFrame]) -> str:
    totals = headline_differences(answer.comparison, ARMS[1])
    rows = [_headline(totals[name], summaries) for name in headlines()]
    caption = (
        f"Mean of the replications, with its 95 % interval; bands of DORA {DORA_YEAR}. The strips: "
        "better is to the right; the diamond is A, the circle B."
    )
    return block_as_html(Table(_COLUMNS, [Group(rows)], caption))


def _headline(row: Difference, summaries: Mapping[str, pd.DataFrame]) -> Row:
    of = catalogue.metric(row.metric)
    values = {arm: _estimates(summaries[arm], row.metric) for arm in ARMS}
    difference, _, interval = _difference(row).partition(" (")
    notes = [f"({interval}"] if interval else []
    if not math.isnan(row.low) and row.difference != 0.0:
        notes.append("clear" if row.is_clear else "not clear yet")
    return Row(
        [
            Cell(of.label, of.meaning),
            *(_estimate(row.metric, *value) for value in values.values()),
            Cell(difference, ", ".join(notes)),
        ],
        name=row.metric,
        scale=_scale(row.metric, values) if has_bands(row.metric, DORA_YEAR) else None,
    )


def _more(answer: Answer, summaries: Mapping[str, pd.DataFrame]) -> str:
    """Return a table of what else there is to know, without strips and bands."""
    shown = [*metrics("companion"), *metrics("supplement")]
    rows = []
    for of, row in zip(
        shown,
        differences(answer.comparison, ARMS[1], [metric.name for metric in shown]),
        strict=True,
    ):
        values = [format_estimate(of, *_estimates(summaries[arm], of.name)).value for arm in ARMS]
        rows.append(Row([of.label, *values, _difference(row)], name=of.name))
    return block_as_html(Table(_COLUMNS, [Group(rows)]))


def _difference(row: Difference) -> str:
    return format_difference(
        catalogue.metric(row.metric), row.first, row.difference, row.low, row.high
    )


def _estimates(summary: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    mean, low, high = (float(summary[column][metric]) for column in ("mean", "ci_low", "ci_high"))
    return mean, low, high


def _estimate(metric: str, mean: float, low: float, high: float) -> Cell:
    shown = format_estimate(catalogue.metric(metric), mean, low, high)
    bands: tuple[str, ...] = ()
    if has_bands(metric, DORA_YEAR):
        bands = bands_between(metric, *((mean, mean) if math.isnan(low) else (low, high)))
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
        Row([step_name(step), *(_stack(frame.loc[step], longest) for frame in frames.values())])
        for step in steps
    ]
    caption = (
        "Mean hours of a deployed change at each step, from commit to production; solid is work, "
        "striped is waiting"
    )
    return block_as_html(Table([Column("step"), *columns], [Group(rows)], caption))


def _stack(hours: "pd.Series[float]", longest: float) -> Stack:
    parts = [
        Part(
            _LONGEST * float(hours[part.column]) / longest,
            part.column,
            part.label,
            f"{format_number(float(hours[part.column]), 1)} h",
        )
        for part in LEAD_TIME_COMPONENTS
    ]
    return Stack(format_number(float(hours.sum()), 0), parts=parts)


# --- why ------------------------------------------------------------------------------------------


def _why(answer: Answer, state: State) -> str:
    changed = _changed(state)
    if not changed:
        text = "A and B are the same organization. Move a slider of B."
        return block_as_html(Paragraph(text))
    found = [item.sentence for item in explain(answer.comparison, ARMS[1])]
    found += [_cost(answer), busier_and_less_busy(answer.comparison, ARMS[1])]
    became = Bullets([line for line in found if line])
    return (
        f"<h3>What is different in B</h3>{block_as_html(Bullets(changed))}"
        f"<h3>What becomes of it: B against A</h3>{block_as_html(became)}"
    )


def _changed(state: State) -> list[str]:
    """Say which settings differ, and what each does in the model."""
    first, second = (state.arms[arm] for arm in ARMS)
    said = []
    if first.organization != second.organization:
        said.append(f"Another organization: {first.organization} → {second.organization}.")
    for dial in DIALS:
        if first.dials[dial] != second.dials[dial]:
            change = f"{format_given(first.dials[dial])} → {format_given(second.dials[dial])}"
            said.append(f"{dial.capitalize()} {change}: {_MECHANISMS[dial]}.")
    for practice, level in second.levels.items():
        if first.levels[practice] != level:
            about = headings(SCENARIOS / "practice" / practice / f"{level}.yaml")
            how = about.get("Mechanism") or about[""]
            said.append(
                f"{readable(practice).capitalize()} {readable(first.levels[practice])} → "
                f"{readable(level)}: {how[0].lower()}{how[1:]}"
            )
    return said


def _cost(answer: Answer) -> str:
    row = differences(answer.comparison, ARMS[1], ["net_cost_per_week"])[0]
    net_cost = catalogue.metric(row.metric).priced_in(
        answer.comparison.scenarios[ARMS[0]].cost.currency
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
