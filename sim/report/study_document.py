"""The report of a study as a document: the metrics, where the time goes, and what to beware of."""

import math
from collections.abc import Mapping

from sim.configuration.dump import to_yaml
from sim.document.document import (
    IN_HTML,
    IN_TERMINAL,
    ON_PAPER,
    Bar,
    Block,
    Bullets,
    Caveats,
    Cell,
    Column,
    Document,
    Embedded,
    Facts,
    Group,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.metrics.catalogue import companions, headlines, metric
from sim.report.content import (
    DORA_YEAR,
    FOOTNOTE,
    MetricRow,
    band_words,
    caveats,
    instability,
    is_priced,
    metric_of,
    metric_rows,
    net_cost_lines,
    part_rows,
    practices,
    sentences,
    setting,
    utilization_rows,
)
from sim.report.payback import TITLE, in_words, payback_table
from sim.report.units import NO_DATA, decimals_for, format_number, format_percent, unit_for
from sim.report.versions import versions

_BANDS: dict[str, Tone] = {"elite": "elite", "high": "high", "medium": "medium", "low": "low"}
# As wide in all breakdowns, so that their bars begin at one place in a terminal.
_BREAKDOWN = (
    Column(least_width=20),
    Column(is_number=True, least_width=8),
    Column(is_number=True, least_width=6),
    Column(),
)


def study_document(
    study: Study,
    payback: Payback | None = None,
    drawings: Mapping[str, Picture] | None = None,
) -> Document:
    """Return the report of a study.

    Args:
        study: the study.
        payback: what its roadmap brings, if it has one.
        drawings: the pictures by name; without them, which a terminal cannot show, there are none.

    Raises:
        ValueError: a picture has no place in the report.
    """
    doubts = caveats(study)
    found = [Caveats(doubts)] if doubts else []
    sections = [
        Section("In short", [Bullets(sentences(study), media=ON_PAPER)]),
        Section("Before you believe it", [Caveats(doubts, media=ON_PAPER)] if found else []),
        Section(
            "The four metrics and their companions",
            _metric_tables(study),
        ),
        Section(
            "Where lead time goes",
            _parts(study, "lead_time_mean_h", "Hours per deployed change", "Where lead time goes"),
            is_narrow=True,
        ),
        Section(
            "Where restore time goes",
            _parts(
                study,
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
                study,
                "capacity_h_per_week",
                "Hours of people per week",
                "Where people's time goes, per week",
            ),
            is_narrow=True,
        ),
        Section(
            "How busy people and machines are",
            _utilization(study),
            is_narrow=True,
        ),
        *_cost(study),
        *([] if payback is None else [_payback(payback)]),
        *_animation(study),
        Section("Course over time", []),
        Section("", [Caveats(doubts, media=IN_TERMINAL)] if found else []),
        Section("To get the same again", _again(study)),
    ]
    scenario = study.scenario
    return Document(
        scenario.name,
        with_pictures(sections, (drawings or {}).values()),
        description=scenario.description,
        context=practices(study),
        setting=setting(study),
        flag=instability(study),
    )


def _metric_tables(study: Study) -> list[Block]:
    """Return the table of metrics: with explanations on paper, in few columns in a terminal."""
    columns = [
        Column("metric"),
        Column("mean", is_number=True),
        Column("95 % interval", is_number=True),
        Column(f"DORA {DORA_YEAR}", may_wrap=True),
        Column("count", is_number=True),
    ]
    rows = [metric_rows(study, names) for names in (headlines(), companions())]
    return [
        Table(
            columns,
            [Group([_metric_row(row, medium is ON_PAPER) for row in group]) for group in rows],
            caption=FOOTNOTE,
            media=medium,
        )
        for medium in (IN_TERMINAL, ON_PAPER)
    ]


def _metric_row(row: MetricRow, on_paper: bool) -> Row:
    of = metric(row.metric)
    band = _BANDS.get(row.bands[0], "") if len(row.bands) == 1 else ""
    value, basis = row.estimate.value, row.basis
    return Row(
        [
            Cell(row.label, of.meaning if on_paper else ""),
            Cell(value, tone="dim" if value == NO_DATA else ""),
            row.estimate.interval,
            # Spaces around the slash let a narrow column wrap between bands.
            Cell(band_words(row.bands).replace("/", " / "), tone=band),
            Cell(basis if on_paper else basis.split(" ")[0], tone="dim"),
        ],
        "headline" if of.prominence == "headline" else "",
    )


def _parts(study: Study, whole: str, caption: str, title: str) -> list[Block]:
    """Return a metric with the parts that it is made of, and what else belongs below a bill."""
    is_money = metric(whole).dimension == "money"
    total = float(study.summary()["mean"][whole])
    if math.isnan(total):
        return [Paragraph(f"{caption}: {NO_DATA}.")]
    decimals = decimals_for(total)

    def shown(value: float) -> str:
        return f"{format_number(value, decimals)}{'' if is_money else ' h'}"

    parts = part_rows(study, whole)
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
    below = net_cost_lines(study) if is_money else []
    rows += [Row([label, shown(value)], "below") for label, value in below]
    return [Table(_BREAKDOWN, [Group(rows)], caption=caption, title=title)]


def _utilization(study: Study) -> list[Block]:
    rows = [
        Row([row.label, "", format_percent(row.share), Bar(row.share, "load")])
        for row in utilization_rows(study)
    ]
    caption = "Hours of work or of occupied slots, of those available"
    return [Table(_BREAKDOWN, [Group(rows)], caption=caption, title="Utilization")] if rows else []


def _cost(study: Study) -> list[Section]:
    if not is_priced(study):
        return []
    unit = unit_for(metric_of(study, "cost_per_week"), 0.0).heading
    blocks = _parts(study, "cost_per_week", unit, f"What it costs, {unit}")
    return [Section("What it costs", blocks, is_narrow=True)]


def _payback(payback: Payback) -> Section:
    return Section(TITLE, [payback_table(payback), Paragraph(in_words(payback))])


def _animation(study: Study) -> list[Section]:
    if not study.scenario.animation:
        return []
    from sim.report.animation import HOURS_A_FRAME, WEEKS, animate  # plotly, if it is installed

    run = study.first
    # With plotly.js itself, 5 MB: the file has to work without a network.
    moving = animate(run.tables, run.window).to_html(
        full_html=False, include_plotlyjs=True, auto_play=False
    )
    text = (
        f"The first {WEEKS} weeks after the warm-up of replication {run.replication}, "
        f"{HOURS_A_FRAME} hours per frame; incidents pull people away from other work."
    )
    return [Section("Watch it", [Paragraph(text, media=IN_HTML), Embedded(moving)])]


def _again(study: Study) -> list[Block]:
    text = "The scenario, complete; the same scenario, seed and versions give the same numbers."
    return [
        Facts({"seed": str(study.seed), "replications": str(len(study.runs))} | versions()),
        Paragraph(text, media=ON_PAPER),
        Listing(to_yaml(study.scenario), "scenario as YAML"),
    ]
