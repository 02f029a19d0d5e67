"""The validation as a document: published figures beside simulated ones, and what came of it.

The texts of its own are in ``page.md``, a section below each heading.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Template

import numpy as np

from sim.document.document import (
    EVERYWHERE,
    ON_PAPER,
    Block,
    Cell,
    Column,
    Document,
    Group,
    Medium,
    Paragraph,
    Prose,
    Row,
    Section,
    Table,
    Tone,
    with_pictures,
)
from sim.document.picture import Picture
from sim.metrics.catalogue import NUMBER, SHARE, Quantity
from sim.report.units import (
    NO_DATA,
    PERCENT,
    Estimate,
    Unit,
    estimate_in,
    format_given,
    format_number,
    format_percent,
)

from .agreement import DISTANCE, ODDS, TIMES, Simulated, Verdict, simulated
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
    Simulation,
)
from .readings import IN_FIGURES
from .results import Results
from .rows import SurveyRow, tally

TABLE_NAME = "validation.csv"

_TEXTS = Path(__file__).with_name("page.md")
_MARKDOWN: frozenset[Medium] = frozenset({"markdown"})
_TONES: dict[Verdict, Tone] = {
    "agrees": "good",
    "disagrees": "bad",
    "undecided": "doubtful",
    "no data": "doubtful",
    "open": "doubtful",
}
_SIGNS = {"agrees": "✓", "disagrees": "✗", "undecided": "?", "no data": "?", "open": "?"}


def validation_document(
    results: Results,
    rows: Sequence[SurveyRow],
    tables: SurveyTables,
    pictures: Iterable[Picture],
    command: str,
    table_path: str,
) -> Document:
    """Return the page of the validation.

    Args:
        results: the simulated observations.
        rows: the rows that :func:`sim.validation.rows.all_rows` made of them.
        tables: the published figures.
        pictures: that of :func:`sim.validation.figure.validation_picture`.
        command: what makes the page again.
        table_path: where the table of all rows lies, seen from the page in Markdown.

    Raises:
        ValueError: a picture has no place in the page.
    """
    texts = _texts()
    made = (
        f"Made by `{command}`. All rows in numbers: [{TABLE_NAME}]({table_path}).",
        f"Made by `{command}`. All rows in numbers: {TABLE_NAME}.",
    )
    sections = [
        Section(
            "How to read this page",
            [
                Prose(made[0], media=_MARKDOWN),
                Prose(made[1], media=ON_PAPER - _MARKDOWN),
                _prose(texts, "How to read this page"),
            ],
        ),
        Section("In short", [Paragraph(tally(rows)), *_in_short(rows)]),
        Section("In pictures", []),
        *(
            Section(title, [_prose(texts, title)])
            for title in ("What counts as agreement", "What is simulated")
        ),
        *(
            Section(section.title, list(_section(section, rows, tables)))
            for section in tables.sections
        ),
        Section(
            "Inputs, which are no evidence",
            [_prose(texts, "Inputs, which are no evidence"), _inputs(tables)],
        ),
        Section(
            "Where it comes from",
            [_prose(texts, "Where it comes from"), _trace(results, tables.trace)],
        ),
    ]
    return Document(
        title="Validation against published surveys",
        sections=with_pictures(sections, pictures),
    )


def _texts() -> dict[str, str]:
    """Return the texts of the page by the title of their section."""
    parts = re.split(r"^## (.*)\n", _TEXTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


def _prose(texts: Mapping[str, str], title: str) -> Prose:
    text = Template(texts[title]).substitute(
        times=format_given(TIMES),
        odds=format_given(ODDS),
        distance=format_number(DISTANCE, 2),
        presets_in=PRESETS_IN,
        Large_firm=" at ".join(LARGE_FIRM).capitalize(),
        n_cells=len(SIZES) * len(MICROSOFT),
        levels=", ".join(f"{level} {format_percent(share)}" for level, share in LEVELS.items()),
        weeks="; ".join(f"{size} {w} + {o}" for size, (w, o) in WEEKS.items()),
    )
    return Prose(text, media=ON_PAPER)


# --- in short ------------------------------------------------------------------------------------


def _in_short(rows: Sequence[SurveyRow]) -> Iterator[Block]:
    wrong = [row for row in rows if row.verdict == "disagrees"]
    if not wrong:
        yield Paragraph("No judged row disagrees.")
        return
    yield Paragraph("These rows disagree:")
    groups: dict[str, list[SurveyRow]] = {}
    for row in wrong:
        groups.setdefault(row.meaning, []).append(row)
    yield _bullets([f"{_short(own)} {text}".rstrip() for text, own in groups.items()], EVERYWHERE)


def _short(rows: Sequence[SurveyRow]) -> str:
    """Return the rows of one explanation in a line: simulated, published, where."""
    definitions = [row.definition for row in rows]
    places = list(dict.fromkeys(definition.place.name for definition in definitions))
    published = " or ".join(dict.fromkeys(definition.published for definition in definitions))
    values = "; ".join(
        f"{row.definition.quantity}"
        f"{f' ({row.definition.place.name})' if len(places) > 1 else ''} "
        f"{_estimate(row.value, row.definition.unit).value}"
        for row in rows
    )
    where = f" ({places[0]})" if len(places) == 1 else ""
    return f"**{values}**, against: {published}{where}."


def _bullets(items: Iterable[str], media: frozenset[Medium]) -> Prose:
    """Return a list of texts of our own, which are Markdown."""
    return Prose("\n".join(f"- {item}" for item in items), media=media)


# --- the sections of published figures -----------------------------------------------------------


def _section(
    section: PageSection, rows: Sequence[SurveyRow], tables: SurveyTables
) -> Iterator[Block]:
    own = [row for row in rows if row.definition.section == section.title]
    for paragraph in section.introduction:
        if paragraph == "$cluster_orders":
            yield _cluster_orders(tables)
            continue
        source = f"{own[0].definition.source.name} ({own[0].definition.source.trust})"
        text = Template(paragraph).substitute(presets_in=PRESETS_IN, source=source)
        yield Prose(text, media=ON_PAPER)
    clusters = [entry for entry in section.rows if isinstance(entry, PublishedClusters)]
    if clusters:
        yield from (_presets(entry, own, tables) for entry in clusters)
    else:
        yield _rows(own)
    yield from _explained(own)


def _cluster_orders(tables: SurveyTables) -> Table:
    head = ["year", "deployment frequency", *(tables.metrics[name].words for name in METRICS[1:])]
    return _table(head, [[str(year), *orders] for year, orders in orders_by_year().items()])


def _presets(entry: PublishedClusters, rows: Sequence[SurveyRow], tables: SurveyTables) -> Table:
    by_key = {row.definition.key: row for row in rows}
    body: list[list[Cell | str]] = []
    for preset, clusters in entry.expected.items():
        cells: list[Cell | str] = [preset, " or ".join(clusters)]
        for metric in METRICS:
            row = by_key[entry.key_of(preset, metric)]
            shown = _estimate(row.value, row.definition.unit)
            said = f"{row.note} {_SIGNS[row.verdict]}".lstrip()
            note = ": ".join(part for part in (shown.interval, said) if part)
            cells.append(Cell(shown.value, note, _TONES[row.verdict]))
        body.append(cells)
    words = (tables.metrics[metric].words for metric in METRICS)
    return _table(["preset", "expected cluster", *words], body)


def _rows(rows: Sequence[SurveyRow]) -> Table:
    head = ["quantity", "published", "source", "simulated for", "simulated", "origin", "verdict"]
    body: list[list[Cell | str]] = []
    for row in rows:
        of = row.definition
        more = [row.note] if row.note else []
        if row.accepted and row.verdict != "not judged":
            more.insert(0, f"with {row.accepted_in_words} {of.unit}".rstrip())
        verdict = Cell(row.verdict, "; ".join(more), _TONES.get(row.verdict, ""))
        source = f"{of.source.name} ({of.source.trust})" if of.published else ""
        shown = _estimate(row.value, of.unit)
        value = Cell(shown.value, shown.interval)
        body.append([of.quantity, of.published, source, of.place.name, value, of.origin, verdict])
    return _table(head, body)


def _explained(rows: Sequence[SurveyRow]) -> Iterator[Block]:
    """Return what the judged rows of a section say about the model, each text once."""
    texts = dict.fromkeys(row.meaning for row in rows if row.verdict != "not judged")
    if said := [text for text in texts if text]:
        yield Paragraph("What this says about the model.", "strong", media=ON_PAPER)
        yield _bullets(said, ON_PAPER)


# --- tables without verdicts ---------------------------------------------------------------------


def _inputs(tables: SurveyTables) -> Table:
    body = [[i.published, i.source.name, i.source.trust, i.scenario_key] for i in tables.inputs]
    return _table(["published", "source", "trust", "scenario key"], body)


def _trace(results: Results, lines: Sequence[TraceLine]) -> Table:
    levels = [*GOOGLE, *MICROSOFT[1:]]  # Microsoft's level 0 has the practices of Google's
    body = [[line.label, *(_mean(results, level, line) for level in levels)] for line in lines]
    columns = [Column(), *(Column(level, is_number=True) for level in levels)]
    return Table(columns, [Group([Row(cells) for cells in body])], media=ON_PAPER)


def _mean(results: Results, level: str, line: TraceLine) -> str:
    values = results.figure(Simulation(PRESETS_IN, level), line.figure)
    if not np.isfinite(values).any():
        return NO_DATA
    return format_number(simulated(values / IN_FIGURES.get(line.unit, 1.0)).mean)


def _table(head: Sequence[str], body: Sequence[Sequence[Cell | str]]) -> Table:
    columns = [Column(name, may_wrap=True) for name in head]
    return Table(columns, [Group([Row(cells) for cells in body])], media=ON_PAPER)


# --- numbers -------------------------------------------------------------------------------------


def _estimate(value: Simulated, unit: str) -> Estimate:
    """Return a simulated value with its unit, and its interval."""
    shown_in, quantity = Unit(unit, 1.0), NUMBER
    ends = (value.mean, value.low, value.high)
    if unit == "%":
        shown_in, quantity = PERCENT, SHARE
        ends = (value.mean / 100.0, value.low / 100.0, value.high / 100.0)
    elif unit:  # all but distances and correlations are durations and rates
        quantity = Quantity(dimension="quantity", unit=unit)
    shown = estimate_in(shown_in, quantity, *ends)
    return shown if np.isnan(value.mean) else shown._replace(value=shown_in.behind(shown.value))
