"""The pieces of the page that an answer changes, as HTML."""

import html
import math
from collections.abc import Mapping

import pandas as pd

from sim.document.document import Bullets
from sim.document.html import block_as_html
from sim.experiment.intervals import summarize
from sim.metrics import catalogue
from sim.metrics.bands import has_bands
from sim.metrics.catalogue import headlines, metrics
from sim.report.comparison import (
    Difference,
    busier_and_less_busy,
    differences,
    explain,
    headline_differences,
)
from sim.report.content import (
    DORA_YEAR,
    LEAD_TIME_COMPONENTS,
    band_words,
    bands_between,
    step_name,
)
from sim.report.figures import SHOWN_AT_LEAST, band_segments
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

_MECHANISMS = {
    "automation": "a machine does this share of the step executions: nobody waits for a person, "
    "and what it can test it tests every time",
    "standardization": "this share of the services is on the golden path: in the same environment "
    "as the others, so that less fails that worked elsewhere, and machines are pooled",
}


def pieces(answer: Answer, state: State) -> dict[str, str]:
    """Return the HTML of each piece by the id of the place where it goes."""
    runs = answer.comparison.runs
    summaries = {arm: summarize(runs[runs["arm"] == arm].drop(columns="arm")) for arm in ARMS}
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
    lines = "".join(
        _metric_line(row, {arm: _estimates(summaries[arm], row.metric) for arm in ARMS})
        for row in (totals[name] for name in headlines())
    )
    return (
        f"<table><caption>Mean of the replications, with its 95 % interval; bands of DORA "
        f"{DORA_YEAR}. The strips: better is to the right; the diamond is A, the circle B."
        '</caption><thead><tr><th scope="col">metric</th><th scope="col">A</th>'
        '<th scope="col">B</th><th scope="col">B compared with A</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _more(answer: Answer, summaries: Mapping[str, pd.DataFrame]) -> str:
    """Return a table of what else there is to know, without strips and bands."""
    shown = [*metrics("companion"), *metrics("supplement")]
    rows = differences(answer.comparison, ARMS[1], [metric.name for metric in shown])
    lines = "".join(
        f'<tr><th scope="row">{html.escape(metric.label)}</th>'
        + "".join(
            f"<td>{format_estimate(metric, *_estimates(summaries[arm], metric.name)).value}</td>"
            for arm in ARMS
        )
        + f"<td>{_difference(row)}</td></tr>"
        for metric, row in zip(shown, rows, strict=True)
    )
    return (
        '<table><thead><tr><th scope="col">metric</th><th scope="col">A</th><th scope="col">B</th>'
        f'<th scope="col">B compared with A</th></tr></thead><tbody>{lines}</tbody></table>'
    )


def _difference(row: Difference) -> str:
    return format_difference(
        catalogue.metric(row.metric), row.first, row.difference, row.low, row.high
    )


def _estimates(summary: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    mean, low, high = (float(summary[column][metric]) for column in ("mean", "ci_low", "ci_high"))
    return mean, low, high


def _metric_line(row: Difference, values: Mapping[str, tuple[float, float, float]]) -> str:
    name, metric = row.metric, catalogue.metric(row.metric)
    cells = "".join(
        f'<td data-metric="{name}" data-arm="{arm}" data-value="{value[0]!r}">'
        f"{_estimate(name, *value)}</td>"
        for arm, value in values.items()
    )
    strip = _strip(name, values) if has_bands(name, DORA_YEAR) else ""
    told = _difference(row).replace(" (", "<small>(", 1)
    told += "</small>" if "<small>" in told else ""
    if not math.isnan(row.low) and row.difference != 0.0:
        told += f"<small>{'clear' if row.is_clear else 'not clear yet'}</small>"
    return (
        f'<tr><th scope="row">{html.escape(metric.label)}'
        f"<small>{html.escape(metric.meaning)}</small></th>{cells}"
        f'<td data-metric="{name}" data-arm="difference">{told}</td></tr>'
        f'<tr aria-hidden="true"><td colspan="4">{strip}</td></tr>'
    )


def _estimate(metric: str, mean: float, low: float, high: float) -> str:
    shown = format_estimate(catalogue.metric(metric), mean, low, high)
    bands: tuple[str, ...] = ()
    if has_bands(metric, DORA_YEAR):
        bands = bands_between(metric, *((mean, mean) if math.isnan(low) else (low, high)))
    interval = f"<small>{html.escape(shown.interval)}</small>" if shown.interval else ""
    return (
        f"<strong>{html.escape(shown.value)}</strong>{interval}"
        f"<small>{html.escape(band_words(bands))}</small>"
    )


def _strip(metric: str, values: Mapping[str, tuple[float, float, float]]) -> str:
    """Return DORA's bands as a strip, with where the two arms stand."""
    low, high = SHOWN_AT_LEAST[metric]
    more_is_better = catalogue.metric(metric).better == "more"

    def place(value: float) -> float:
        inside = min(max(value, low), high)
        share = (
            math.log(inside / low) / math.log(high / low) if low else (inside - low) / (high - low)
        )
        return 100 * (share if more_is_better else 1.0 - share)

    bands = ""
    for band, start, end in band_segments(metric, low, high):
        left, right = sorted((place(start), place(end)))
        bands += (
            f'<span class="band {band.split("/")[0].split(" ")[0]}" '
            f'style="left:{left:.1f}%;width:{right - left:.1f}%">'
            f"{band if right - left > 1.1 * len(band) else ''}</span>"
        )
    marks = ""
    for arm, (mean, low_end, high_end) in values.items():
        if math.isnan(mean):
            continue
        if not math.isnan(low_end):
            left, right = sorted((place(low_end), place(high_end)))
            width = max(right - left, 0.3)
            marks += f'<span class="ends {arm}" style="left:{left:.2f}%;width:{width:.2f}%"></span>'
        marks += f'<span class="mark {arm}" style="left:{place(mean):.2f}%"></span>'
    return f'<div class="strip">{bands}{marks}</div>'


# --- the value stream -----------------------------------------------------------------------------


def _stream(waiting: Mapping[str, pd.DataFrame]) -> str:
    steps = list(dict.fromkeys(step for frame in waiting.values() for step in frame.index))
    if not steps:
        return "<p>Nothing was deployed.</p>"
    frames = {arm: frame.reindex(steps).fillna(0.0) for arm, frame in waiting.items()}
    longest = max(float(frame.sum(axis="columns").max()) for frame in frames.values()) or 1.0
    head = "".join(
        f'<th scope="col">{arm.upper()}: {format_number(float(frame.to_numpy().sum()), 0)} h</th>'
        for arm, frame in frames.items()
    )
    lines = "".join(
        f'<tr><th scope="row">{html.escape(step_name(step))}</th>'
        + "".join(_bar(frame.loc[step], longest) for frame in frames.values())
        + "</tr>"
        for step in steps
    )
    key = "".join(
        f'<li><span class="part {part.column}"></span>{part.label}</li>'
        for part in LEAD_TIME_COMPONENTS
    )
    return (
        "<table><caption>Mean hours of a deployed change at each step, from commit to production; "
        "solid is work, striped is waiting</caption>"
        f'<thead><tr><th scope="col">step</th>{head}</tr></thead><tbody>{lines}</tbody></table>'
        f'<ul class="key">{key}</ul>'
    )


def _bar(hours: "pd.Series[float]", longest: float) -> str:
    # The longest bar leaves room for its number.
    parts = "".join(
        f'<span class="part {part.column}" title="{part.label}: '
        f'{format_number(float(hours[part.column]), 1)} h" '
        f'style="width:{86 * float(hours[part.column]) / longest:.2f}%"></span>'
        for part in LEAD_TIME_COMPONENTS
    )
    return f'<td class="bars"><div>{parts}<b>{format_number(float(hours.sum()), 0)}</b></div></td>'


# --- why ------------------------------------------------------------------------------------------


def _why(answer: Answer, state: State) -> str:
    changed = _changed(state)
    if not changed:
        return "<p>A and B are the same organization. Move a slider of B.</p>"
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
