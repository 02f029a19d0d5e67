"""The validation as a Markdown page, from the template ``page.md``."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

import numpy as np

from sim.report.units import NO_DATA, decimals_for, format_number

from .agreement import DISTANCE, ODDS, TIMES, Simulated, simulated
from .clusters import METRICS, orders_by_year
from .entries import PageSection, PublishedClusters
from .load import SurveyTables
from .page_tables import TraceLine
from .population import (
    GOOGLE,
    LARGE_FIRM,
    LEVELS,
    MICROSOFT,
    PRESETS_IN,
    SIZES,
    WEEKS,
    Cell,
)
from .readings import IN_FIGURES
from .results import Results
from .rows import SurveyRow, tally

_TEMPLATE = Path(__file__).with_name("page.md")
_MINUS = "\N{MINUS SIGN}"
_SIGNS = {"agrees": "✓", "disagrees": "✗", "undecided": "?", "no data": "?"}


def page(
    results: Results,
    rows: Sequence[SurveyRow],
    tables: SurveyTables,
    replications: int,
    seed: int,
) -> str:
    """Return the page.

    Args:
        results: the simulated observations.
        rows: the rows that :func:`sim.validation.rows.all_rows` made of them.
        tables: the published figures.
        replications: replications of each organization.
        seed: root of the random numbers.
    """
    sections = [part for section in tables.sections for part in _section(section, rows, tables)]
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        replications=replications,
        seed=seed,
        tally=tally(rows),
        in_short="\n\n".join(_in_short(rows)),
        times=f"{TIMES:g}",
        odds=f"{ODDS:g}",
        distance=f"{DISTANCE:.2f}",
        presets_in=PRESETS_IN,
        Large_firm=" at ".join(LARGE_FIRM).capitalize(),
        n_cells=len(SIZES) * len(MICROSOFT),
        levels=", ".join(f"{level} {100 * share:.0f}" for level, share in LEVELS.items()),
        weeks="; ".join(f"{size} {w} + {o}" for size, (w, o) in WEEKS.items()),
        sections="\n\n".join(sections),
        inputs=_table(
            ("published", "source", "trust", "scenario key"),
            [(i.published, i.source.name, i.source.trust, i.scenario_key) for i in tables.inputs],
        ),
        trace=_trace(results, tables.trace),
    )


def _in_short(rows: Sequence[SurveyRow]) -> Iterator[str]:
    wrong = [row for row in rows if row.verdict == "disagrees"]
    if not wrong:
        yield "No judged row disagrees."
        return
    yield "These rows disagree:"
    groups: dict[str, list[SurveyRow]] = {}
    for row in wrong:
        groups.setdefault(row.meaning, []).append(row)
    yield "\n".join(f"- {_short(own)} {text}" for text, own in groups.items())


def _short(rows: Sequence[SurveyRow]) -> str:
    """Return the rows of one explanation in a line: simulated, published, where."""
    definitions = [row.definition for row in rows]
    places = list(dict.fromkeys(definition.place.name for definition in definitions))
    published = " or ".join(dict.fromkeys(definition.published for definition in definitions))
    values = "; ".join(
        f"{row.definition.quantity}"
        f"{f' ({row.definition.place.name})' if len(places) > 1 else ''} "
        f"{_number(row.value)} {row.definition.unit}".rstrip()
        for row in rows
    )
    where = f" ({places[0]})" if len(places) == 1 else ""
    return f"**{values}**, against: {published}{where}."


def _section(
    section: PageSection, rows: Sequence[SurveyRow], tables: SurveyTables
) -> Iterator[str]:
    own = [row for row in rows if row.definition.section == section.title]
    yield f"## {section.title}"
    for paragraph in section.introduction:
        yield Template(paragraph).substitute(
            presets_in=PRESETS_IN,
            source=f"{own[0].definition.source.name} ({own[0].definition.source.trust})",
            cluster_orders=_cluster_orders(tables),
        )
    clusters = [entry for entry in section.rows if isinstance(entry, PublishedClusters)]
    if clusters:
        yield from (_presets(entry, own, tables) for entry in clusters)
    else:
        yield _rows(own)
    yield from _explained(own)


def _cluster_orders(tables: SurveyTables) -> str:
    return _table(
        ("year", "deployment frequency", "lead time", "change failure rate", "time to restore"),
        [(str(year), *orders) for year, orders in orders_by_year().items()],
    )


def _presets(entry: PublishedClusters, rows: Sequence[SurveyRow], tables: SurveyTables) -> str:
    by_key = {row.definition.key: row for row in rows}
    body = []
    for preset, clusters in entry.expected.items():
        cells = [preset, " or ".join(clusters)]
        for metric in METRICS:
            row = by_key[entry.key_of(preset, metric)]
            value = _estimate(row.value, row.definition.unit)
            cells.append(f"{value}: {row.note} {_SIGNS[row.verdict]}")
        body.append(cells)
    words = (tables.metrics[metric].words for metric in METRICS)
    return _table(("preset", "expected cluster", *words), body)


def _rows(rows: Sequence[SurveyRow]) -> str:
    head = ("quantity", "published", "source", "simulated for", "simulated", "origin", "verdict")
    body = []
    for row in rows:
        of = row.definition
        verdict: str = row.verdict
        if row.accepted and row.verdict != "not judged":
            verdict += f" (with {row.accepted_in_words} {of.unit})".replace(" )", ")")
        if row.note:
            verdict += f"; {row.note}"
        source = f"{of.source.name} ({of.source.trust})" if of.published else ""
        value = _estimate(row.value, of.unit)
        body.append((of.quantity, of.published, source, of.place.name, value, of.origin, verdict))
    return _table(head, body)


def _explained(rows: Sequence[SurveyRow]) -> Iterator[str]:
    """Return what the judged rows of a section say about the model, each text once."""
    texts = dict.fromkeys(row.meaning for row in rows if row.verdict != "not judged")
    lines = [f"- {text}" for text in texts if text]
    if lines:
        yield "**What this says about the model.**\n\n" + "\n".join(lines)


def _trace(results: Results, lines: Sequence[TraceLine]) -> str:
    levels = [*GOOGLE, *MICROSOFT[1:]]  # Microsoft's level 0 has the practices of Google's
    body = [[line.label, *(_mean(results, level, line) for level in levels)] for line in lines]
    return _table(("", *levels), body)


def _mean(results: Results, level: str, line: TraceLine) -> str:
    values = results.figure(Cell(PRESETS_IN, level), line.figure) / IN_FIGURES.get(line.unit, 1.0)
    return format_number(simulated(values).mean) if np.isfinite(values).any() else NO_DATA


def _estimate(value: Simulated, unit: str) -> str:
    if math.isnan(value.mean):
        return NO_DATA
    if math.isnan(value.low):
        return f"{_number(value)} {unit}".rstrip()
    decimals = decimals_for(value.mean, (value.high - value.low) / 2)
    low, high = value.low, value.high
    if unit:  # all but distances and correlations are durations, rates and shares
        low = max(low, 0.0)
    if unit == "%":
        high = min(high, 100.0)
    ends = ", ".join(format_number(end, decimals) for end in (low, high))
    text = f"{format_number(value.mean, decimals)} [{ends}] {unit}".rstrip()
    return text.replace("-", _MINUS)


def _number(value: Simulated) -> str:
    if math.isnan(value.low):
        return format_number(value.mean).replace("-", _MINUS)
    decimals = decimals_for(value.mean, (value.high - value.low) / 2)
    return format_number(value.mean, decimals).replace("-", _MINUS)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )
