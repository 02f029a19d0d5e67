"""The sections of a report that an organization's own records suffice for, in their order."""

import math

from sim.document.document import (
    IN_TERMINAL,
    ON_PAPER,
    Bar,
    Block,
    Cell,
    Column,
    Group,
    Paragraph,
    Row,
    Section,
    Table,
)
from sim.metrics.catalogue import companions, headlines, metric
from sim.report.content import (
    DORA_YEAR,
    FOOTNOTE,
    FOOTNOTE_ON_RECORDS,
    FOUR,
    LEAD_TIME,
    NOT_IN_WORTH,
    RESTORE_TIME,
    MetricRow,
    band_tone,
    band_words,
    is_priced,
    metric_of,
    metric_rows,
    net_cost_lines,
    part_rows,
    utilization_rows,
)
from sim.report.evidence import Evidence, Observation
from sim.report.units import NO_DATA, decimals_for, format_number, format_percent, unit_for

# As wide in all breakdowns, so that their bars begin at one place in a terminal.
_BREAKDOWN = (
    Column(least_width=20),
    Column(is_number=True, least_width=8),
    Column(is_number=True, least_width=6),
    Column(),
)


def sections_of(evidence: Evidence) -> list[Section]:
    """Return the metrics, and where time and money go.

    Args:
        evidence: a study, or the records of an organization.
    """
    return [
        Section(
            FOUR,
            _metric_tables(evidence),
        ),
        Section(
            LEAD_TIME,
            _parts(
                evidence,
                "lead_time_mean_h",
                "Hours per deployed change",
                "Where lead time goes",
            ),
            is_narrow=True,
        ),
        Section(
            RESTORE_TIME,
            _parts(
                evidence,
                "time_to_restore_mean_h",
                "Hours per restored incident",
                "Where restore time goes",
            ),
            is_narrow=True,
        ),
        Section("How good the models are", []),
        Section(
            "Where people's time goes",
            _parts(
                evidence,
                "capacity_h_per_week",
                "Hours of people per week",
                "Where people's time goes, per week",
            ),
            is_narrow=True,
        ),
        Section(
            "How busy people and machines are",
            _utilization(evidence),
            is_narrow=True,
        ),
        *_cost(evidence),
    ]


def _metric_tables(evidence: Evidence) -> list[Block]:
    """Return the table of metrics: with explanations on paper, in few columns in a terminal.

    A terminal has shown the four metrics as tiles before, and shows their companions here.
    """
    once = isinstance(evidence, Observation)
    has_intervals = not isinstance(evidence, Observation) or bool(evidence.interval_method)
    columns = [
        Column("metric"),
        Column("value" if once else "mean", is_number=True),
        *([Column("95 % interval", is_number=True)] if has_intervals else []),
        Column(f"DORA {DORA_YEAR}", may_wrap=True),
        Column("count", is_number=True),
    ]
    beside = companions()
    if once:  # what nobody recorded would be most of the table
        known = evidence.summary()["n"] > 0
        beside = [name for name in beside if known[name]]
    found: list[Block] = []
    for medium, names in ((IN_TERMINAL, [beside]), (ON_PAPER, [headlines(), beside])):
        groups = [
            Group(
                [
                    _metric_row(row, medium is ON_PAPER, has_intervals)
                    for row in metric_rows(evidence, group)
                ]
            )
            for group in names
            if group
        ]
        if groups:
            caption = FOOTNOTE_ON_RECORDS if once else FOOTNOTE
            shown = columns if medium is ON_PAPER else _without_bands(columns)
            found.append(Table(shown, groups, caption=caption, media=medium))
    return found


def _without_bands(columns: list[Column]) -> list[Column]:
    return [column for column in columns if not column.heading.startswith("DORA")]


def _metric_row(row: MetricRow, on_paper: bool, has_interval: bool) -> Row:
    of = metric(row.metric)
    value, basis = row.estimate.value, row.basis
    return Row(
        [
            Cell(row.label, of.meaning if on_paper else ""),
            Cell(value, tone="dim" if value == NO_DATA else ""),
            *([row.estimate.interval] if has_interval else []),
            # Spaces around the slash let a narrow column wrap between bands.
            *(
                [Cell(band_words(row.bands).replace("/", " / "), tone=band_tone(row.bands))]
                if on_paper
                else []
            ),
            Cell(basis if on_paper else basis.split(" ")[0], tone="dim"),
        ],
        "headline" if of.prominence == "headline" else "",
    )


def _parts(evidence: Evidence, whole: str, caption: str, title: str) -> list[Block]:
    """Return a metric with the parts that it is made of, and what else belongs below a bill."""
    is_money = metric(whole).dimension == "money"
    total = float(evidence.summary()["mean"][whole])
    parts = part_rows(evidence, whole)
    if isinstance(evidence, Observation) and any(math.isnan(part.share) for part in parts):
        return []
    if math.isnan(total):
        return [Paragraph(f"{caption}: {NO_DATA}.")]
    decimals = decimals_for(total)

    def shown(value: float) -> str:
        return f"{format_number(value, decimals)}{'' if is_money else ' h'}"

    largest = max(part.share for part in parts)
    rows = [
        Row(
            [
                part.label,
                shown(part.value),
                format_percent(part.share),
                Bar(part.share / largest, part.kind),
            ]
        )
        for part in parts
    ]
    rows.append(Row([metric(whole).label, shown(total), "100 %"], "total"))
    below = net_cost_lines(evidence) if is_money else []
    rows += [Row([label, shown(value)], "below") for label, value in below]
    blocks: list[Block] = [Table(_BREAKDOWN, [Group(rows)], caption=caption, title=title)]
    if len(below) > 1:  # the cost per deployment alone leaves nothing out
        blocks.append(Paragraph(NOT_IN_WORTH, "dim"))
    return blocks


def _utilization(evidence: Evidence) -> list[Block]:
    rows = [
        Row([row.label, "", format_percent(row.share), Bar(row.share, "load")])
        for row in utilization_rows(evidence)
    ]
    caption = "Hours of work or of occupied slots, of those available"
    return [Table(_BREAKDOWN, [Group(rows)], caption=caption, title="Utilization")] if rows else []


def _cost(evidence: Evidence) -> list[Section]:
    if not is_priced(evidence):
        return []
    unit = unit_for(metric_of(evidence, "cost_per_week"), 0.0).heading
    blocks = _parts(evidence, "cost_per_week", unit, f"What it costs, {unit}")
    return [Section("What it costs", blocks, is_narrow=True)]
