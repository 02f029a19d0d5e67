"""The report of an organization's own records as a document."""

from collections.abc import Mapping

from sim.document.document import (
    ON_PAPER,
    Block,
    Bullets,
    Document,
    Facts,
    Paragraph,
    Section,
    placed_caveats,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.versions import versions
from sim.log import SCHEMAS, Records
from sim.report.content import (
    COURSE,
    caveats,
    instability,
    sentences,
    setting_of_records,
    tiles,
    where_time_goes,
)
from sim.report.evidence import Observation
from sim.report.sections import sections_of
from sim.words import listed


def records_document(
    records: Records, title: str = "Records", drawings: Mapping[str, Picture] | None = None
) -> Document:
    """Return the report of records: that of a study without what takes a scenario or replications.

    Args:
        records: the records, simulated or of a real organization.
        title: what they are called.
        drawings: the pictures by name, of :func:`sim.report.pictures.records_pictures`;
            without them there are none.

    Raises:
        ValueError: a picture has no place in the report.
    """
    observation = Observation(records)
    said = sentences(observation)
    sections = [
        Section("In words", [Bullets(said, media=ON_PAPER)] if said else []),
        *sections_of(observation),
        Section(COURSE, []),
        _absent(records),
        Section("What made this report", [Facts(versions())]),
    ]
    doubts, sections = placed_caveats(caveats(observation), sections)
    largest = where_time_goes(observation)
    return Document(
        title,
        with_pictures(sections, (drawings or {}).values()),
        answer=[tiles(observation), *([Paragraph(largest, "strong")] if largest else []), *doubts],
        lead="lead_time",
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
