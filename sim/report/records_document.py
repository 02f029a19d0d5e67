"""The report of an organization's own records as a document."""

from collections.abc import Mapping

from sim.document.document import (
    IN_TERMINAL,
    ON_PAPER,
    Block,
    Bullets,
    Caveats,
    Document,
    Facts,
    Paragraph,
    Section,
)
from sim.document.picture import Picture
from sim.log import SCHEMAS, Records
from sim.report.content import caveats, instability, sentences, setting_of_records
from sim.report.evidence import Observation
from sim.report.palette import Picture as Drawing
from sim.report.sections import sections_of
from sim.report.versions import versions
from sim.words import listed


def records_document(
    records: Records, title: str = "Records", drawings: Mapping[str, Drawing] | None = None
) -> Document:
    """Return the report of records: that of a study without what takes a scenario or replications.

    Args:
        records: the records, simulated or of a real organization.
        title: what they are called.
        drawings: the pictures by name, as :func:`sim.report.figures.records_pictures` returns them;
            without them there are none.

    Raises:
        ValueError: a picture has no place in the report.
    """
    left = {
        name: Picture(name, drawing.figure, drawing.title, drawing.caption, drawing.alt)
        for name, drawing in (drawings or {}).items()
    }

    def pictures(*names: str) -> list[Picture]:
        return [left.pop(name) for name in names if name in left]

    observation = Observation(records)
    said, doubts = sentences(observation), caveats(observation)
    sections = [
        Section("In short", [Bullets(said, media=ON_PAPER)] if said else []),
        Section("Before you believe it", [Caveats(doubts, media=ON_PAPER)]),
        *sections_of(observation, pictures),
        Section("Course over time", pictures("course")),
        Section("", [Caveats(doubts, media=IN_TERMINAL)]),
        _absent(records),
        Section("What made this report", [Facts(versions())]),
    ]
    if left:
        raise ValueError(f"no section of the report shows {', '.join(left)}")
    return Document(
        title,
        sections,
        kind="Delivery of machine learning, recorded",
        setting=setting_of_records(records),
        flag=instability(observation),
    )


def _absent(records: Records) -> Section:
    """Return which tables and columns nobody observed."""
    tables = [name for name in records.absent if name in SCHEMAS]
    columns: dict[str, list[str]] = {}
    for name in records.absent:
        if name not in SCHEMAS:
            table, _, column = name.partition(".")
            columns.setdefault(table, []).append(column)
    lines = [f"Tables: {listed(tables)}."] if tables else []
    lines += [f"Columns of {table}: {listed(names)}." for table, names in columns.items()]
    if not lines:
        return Section("What nobody recorded", [])
    text = "What needs one of these has no data, or is left out."
    blocks: list[Block] = [Paragraph(text, media=ON_PAPER), Bullets(lines, ON_PAPER)]
    return Section("What nobody recorded", blocks)
