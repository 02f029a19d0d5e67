"""The report on the delivery records of a real organization as a document."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from sim.document.document import (
    IN_TERMINAL,
    ON_PAPER,
    Block,
    Bullets,
    Caveat,
    Cell,
    Column,
    Document,
    Facts,
    Group,
    Paragraph,
    Row,
    Section,
    Table,
    placed_caveats,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.versions import versions
from sim.metrics.catalogue import headlines, metric
from sim.records.attribution import Attribution
from sim.records.knowledge import Known
from sim.records.problems import Problem
from sim.report.content import (
    COURSE,
    FOUR,
    LEAD_TIME,
    caveats,
    instability,
    sentences,
    setting_of_records,
    tiles,
    where_time_goes,
)
from sim.report.sections import sections_of
from sim.report.units import count_noun, format_percent, format_value
from sim.words import listed

from .definitions import Definition
from .measured import Measured, noun_of

_MOST_GROUPS = 30
_MOST_PROBLEMS = 12


def measured_document(
    measured: Measured,
    title: str,
    drawings: Mapping[str, Picture] | None = None,
    definitions: Sequence[Definition] = (),
) -> Document:
    """Return the report: the metrics first, then what they rest on and what cannot be known.

    Args:
        measured: the records and their metrics.
        title: what they are called.
        drawings: the pictures by name; without them there are none.
        definitions: the metrics as other tools define them.
    """
    records = measured.records
    said = sentences(measured)
    sections = [
        Section("In words", [Bullets(said, media=ON_PAPER)] if said else []),
        *sections_of(measured),
        Section("As other tools count", _definitions(definitions)),
        Section("By service", _by(measured, "service")),
        Section("By team", _by(measured, "team")),
        Section(COURSE, []),
        Section("What is wrong with the records", _problems(list(records.problems))),
        Section("What is known", _knowledge(records.knowledge)),
        Section("What made this report", [Facts({"source": records.source, **versions()})]),
    ]
    found = [*_of_source(measured), *caveats(measured)]
    doubts, sections = placed_caveats(found, sections)
    largest = where_time_goes(measured)
    return Document(
        title,
        with_pictures(sections, (drawings or {}).values()),
        answer=[tiles(measured), *([Paragraph(largest, "strong")] if largest else []), *doubts],
        lead="lead_time",
        kind="Delivery of machine learning, recorded",
        setting=_setting(measured),
        flag=instability(measured),
    )


def _setting(measured: Measured) -> str:
    records = measured.records
    start, end = (
        (records.epoch + pd.Timedelta(hours=edge)).tz_convert(records.timezone)
        for edge in records.window
    )
    last = end - pd.Timedelta(microseconds=1)
    return f"{setting_of_records(records)} · {start:%Y-%m-%d} to {last:%Y-%m-%d}"


def _of_source(measured: Measured) -> list[Caveat]:
    """Return what has to be known about where the records are from, and what they leave open."""
    records = measured.records
    found = []
    if records.attribution is not None:
        found += _of_attribution(records.attribution)
    for name, n_open in measured.open_durations.items():
        of = metric(name)
        found.append(
            Caveat(
                False,
                f"{count_noun(n_open, noun_of(name))} not over: the {of.label} counts them for as "
                "long as they have lasted (Kaplan and Meier's median of what began in the observed "
                "time).",
                FOUR,
            )
        )
    if measured.without_bots is not None and records.by_bot is not None:
        lead_time = metric("lead_time_h")
        without = format_value(lead_time, float(measured.without_bots["lead_time_h"]))
        share = format_percent(float(records.by_bot.mean()))
        said = f"Bots wrote {share} of the changes; without these the lead time is {without}."
        found.append(Caveat(False, said, LEAD_TIME))
    found += [Caveat(False, remark) for remark in records.remarks]
    return found


def _of_attribution(of: Attribution) -> list[Caveat]:
    if of.is_certain:
        parts = []
        if of.n_linked:
            parts.append(f"{of.n_linked:,} by a link")
        if of.n_by_commit:
            parts.append(f"{of.n_by_commit:,} by a commit")
        if of.n_reverted:
            parts.append(f"{of.n_reverted:,} by a rollback or revert alone")
        if of.n_other:
            parts.append(f"{of.n_other:,} by something else than a deployment that counts")
        said = f"Failures: {listed(parts)}." if parts else "Failures: there are none."
        return [Caveat(False, said, FOUR)]
    low, high = format_percent(of.lowest), format_percent(of.highest)
    said = (
        f"Change failure rate: between {low} and {high}. "
        f"Of {count_noun(of.n_incidents, 'incident')}, {of.n_open:,} do not say which deployment "
        "caused them, if any did"
    )
    if of.n_timed:
        which = "these" if of.n_timed == of.n_open else f"the {of.n_timed:,} in the observed time"
        said += (
            f"; {format_percent(of.n_in_window / of.n_timed)} of {which} began within "
            f"{of.window_h:g} h of a deployment, where {format_percent(of.chance)} would by chance"
        )
    short = f"Change failure rate: between {low} and {high}, as the records do not say which."
    return [Caveat(True, f"{said}.", FOUR, short)]


def _by(measured: Measured, by: Literal["team", "service"]) -> list[Block]:
    """Return the four metrics of each service or team, if there are several."""
    frame = measured.runs_by(by)
    if len(frame) < 2:
        return []
    names = [name for name in headlines() if frame[name].notna().any()]
    if not names:
        return []
    busiest = frame.sort_values("n_deployments", ascending=False).head(_MOST_GROUPS)
    shown = frame.loc[[name for name in frame.index if name in set(busiest.index)]]
    columns = [
        Column(by),
        *(Column(metric(name).label, is_number=True, may_wrap=True) for name in names),
        Column("deployments", is_number=True),
    ]
    rows = [
        Row(
            [
                str(group),
                *(format_value(metric(name), float(row[name])) for name in names),
                f"{row['n_deployments']:,.0f}",
            ]
        )
        for group, row in shown.iterrows()
    ]
    caption = ""
    if len(frame) > len(shown):
        caption = f"The {len(shown)} of {len(frame)} with the most deployments."
    return [Table(columns, [Group(rows)], caption=caption, title=f"By {by}")]


def _definitions(definitions: Sequence[Definition]) -> list[Block]:
    blocks: list[Block] = []
    for definition in definitions:
        columns = [Column("metric"), Column(definition.tool, is_number=True), Column("rule")]
        rows = [Row([line.label, line.text, line.rule]) for line in definition.lines]
        blocks.append(
            Table(
                [*columns[:2], Column("how it counts", may_wrap=True)],
                [Group(rows)],
                title=f"As {definition.tool} counts",
                caption=definition.remark,
            )
        )
    return blocks


def _problems(problems: Sequence[Problem]) -> list[Block]:
    if not problems:
        return [Paragraph("Nothing is wrong with any row that was read.", media=ON_PAPER)]
    columns = [
        Column("rows", is_number=True),
        Column("file"),
        Column("column"),
        Column("problem", may_wrap=True),
        Column("consequence", may_wrap=True),
    ]
    rows = [
        Row(
            [
                f"{len(each.rows):,}" if len(each.rows) else "all",
                each.file,
                each.column,
                Cell(each.kind, ", ".join(f"'{example}'" for example in each.examples)),
                each.consequence,
            ]
        )
        for each in problems[:_MOST_PROBLEMS]
    ]
    more = len(problems) - len(rows)
    caption = (
        f"{count_noun(more, 'kind')} more; problems.csv has every row."
        if more > 0
        else ("problems.csv has every row.")
    )
    return [
        Table(columns, [Group(rows)], caption=caption, media=ON_PAPER),
        Paragraph(
            f"Problems: {sum(each.count for each in problems):,} in the records, of which the most "
            "frequent are:",
            media=IN_TERMINAL,
        ),
        Bullets([str(each) for each in problems[:5]], media=IN_TERMINAL),
    ]


def _knowledge(knowledge: Sequence[Known]) -> list[Block]:
    """Return the knowledge map: on paper column by column, in a terminal what is absent."""
    columns = [
        Column("column"),
        Column("status"),
        Column("rows with a value", is_number=True),
        Column("rule", may_wrap=True),
    ]
    groups = []
    for table in dict.fromkeys(each.table for each in knowledge):
        rows = [
            Row(
                [
                    f"{table}.{each.column}" if each.column else table,
                    each.status,
                    "" if each.status == "absent" else format_percent(each.share),
                    each.rule,
                ]
            )
            for each in knowledge
            if each.table == table
        ]
        groups.append(Group(rows))
    return [Table(columns, groups, media=ON_PAPER, is_dense=True)]
