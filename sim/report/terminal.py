"""What ``python -m sim`` prints: the metrics, where the time goes, and what to beware of."""

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.experiment.replicate import Study
from sim.metrics.catalogue import companions, headlines, metric
from sim.report.content import (
    DORA_YEAR,
    FOOTNOTE,
    Caveat,
    MetricRow,
    PartRow,
    band_words,
    caveats,
    instability,
    is_priced,
    metric_of,
    metric_rows,
    net_cost_lines,
    part_rows,
    practices,
    setting,
    utilization_rows,
)
from sim.report.units import (
    MINUS,
    NO_DATA,
    decimals_for,
    format_number,
    format_percent,
    unit_for,
)

_WIDE = 110
"""Columns from which the breakdowns stand side by side and counts have their nouns."""

_BAND_STYLES = {"elite": "green", "high": "cyan", "medium": "yellow", "low": "red"}
_KIND_STYLES = {
    "work": "green",
    "waiting": "yellow",
    "rework": "red",
    "phase": "magenta",
    "effort": "blue",
    "cost": "cyan",
}

# What a terminal that does not speak Unicode gets instead.
_ASCII = str.maketrans({"–": "-", "·": "-", "×": "x", "±": "+/-", "█": "#", MINUS: "-"})
_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Ink:
    """Makes texts that the console can show: without Unicode if it has none."""

    def __init__(self, console: Console) -> None:
        self.ascii_only = console.options.ascii_only

    def text(self, text: str, style: str = "") -> Text:
        """Return a text."""
        return Text(text.translate(_ASCII) if self.ascii_only else text, style)

    def bar(self, share: float, width: int, style: str) -> Text:
        """Return a bar that fills this share of the width."""
        eighths = 0 if math.isnan(share) else round(8 * width * min(max(share, 0.0), 1.0))
        if self.ascii_only:
            return Text("#" * round(eighths / 8), style)
        blocks = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        return Text(blocks or ("▏" if share > 0.0 else ""), style)


def print_study(study: Study, console: Console) -> None:
    """Print the metrics of a study, where its time goes, and what to beware of.

    Args:
        study: The study.
        console: Where to print; its width decides whether the breakdowns stand side by side, its
            encoding whether bars and dashes are drawn in ASCII.
    """
    ink = Ink(console)
    wide = console.width >= _WIDE
    bar_width = 18 if wide else 38

    def parts(title: str, whole: str, unit: str = " h") -> Table:
        return _parts_table(title, study, whole, bar_width, ink, unit)

    lead_time = parts("Where lead time goes", "lead_time_mean_h")
    restore = parts("Where restore time goes", "time_to_restore_mean_h")
    effort = parts("Where people's time goes, per week", "capacity_h_per_week")
    utilization = _utilization_table(utilization_rows(study), bar_width, ink)
    cost = []
    if is_priced(study):
        unit = unit_for(metric_of(study, "cost_per_week"), 0.0).heading
        cost = [parts(f"What it costs, {unit}", "cost_per_week", "")]
        _add_net_cost(study, cost[0], ink)

    console.print(ink.text(study.scenario.name, "bold"))
    if study.scenario.description:
        console.print(ink.text(study.scenario.description))
    for line in practices(study):
        console.print(ink.text(line))
    console.print(ink.text(setting(study), "dim"))
    if flag := instability(study):
        console.print(ink.text(flag, "bold red"))
    console.print()
    console.print(_metric_table(study, ink, wide))
    console.print()
    console.print(ink.text(FOOTNOTE, "dim"))
    console.print()
    if wide:
        side_by_side = Table.grid(padding=(0, 3))
        side_by_side.add_row(_column(lead_time, *cost), _column(restore, effort, utilization))
        console.print(side_by_side)
        console.print()
    else:
        for table in (lead_time, restore, effort, utilization, *cost):
            console.print(table)
            console.print()
    found = caveats(study)
    if found:
        console.print(caveat_table(found, ink))


def _column(*tables: Table) -> Table:
    column = Table.grid()
    for number, table in enumerate(tables):
        if number:
            column.add_row("")
        column.add_row(table)
    return column


def _metric_table(study: Study, ink: Ink, wide: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    table.add_column("metric", no_wrap=True)
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column(f"DORA {DORA_YEAR}", min_width=12)
    table.add_column("count", justify="right", style="dim", no_wrap=True)
    for names in (headlines(), companions()):
        for row in metric_rows(study, names):
            table.add_row(*_cells(row, ink, wide))
        table.add_section()
    return table


def _cells(row: MetricRow, ink: Ink, wide: bool) -> list[Text]:
    headline = "bold" if metric(row.metric).prominence == "headline" else ""
    missing = row.estimate.value == NO_DATA
    band_style = _BAND_STYLES.get(row.bands[0], "") if len(row.bands) == 1 else ""
    return [
        ink.text(row.label, headline),
        ink.text(row.estimate.value, "dim" if missing else headline),
        ink.text(row.estimate.interval),
        # Spaces around the slash let a narrow column wrap between bands.
        ink.text(band_words(row.bands).replace("/", " / "), band_style),
        ink.text(row.basis if wide else row.basis.split(" ")[0]),
    ]


def _breakdown(title: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, title=title)
    table.title_style, table.title_justify = "bold", "left"
    table.add_column(min_width=20, no_wrap=True)
    table.add_column(min_width=8, justify="right", no_wrap=True)
    table.add_column(min_width=6, justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    return table


def _parts_table(
    title: str, study: Study, whole: str, bar_width: int, ink: Ink, unit: str
) -> Table:
    rows, total = part_rows(study, whole), float(study.summary()["mean"][whole])
    table = _breakdown(title)
    if math.isnan(total):
        table.add_row(ink.text(NO_DATA, "dim"))
        return table
    decimals = decimals_for(total)
    largest = max(row.share for row in rows)
    for row in rows:
        table.add_row(
            ink.text(row.label),
            ink.text(f"{format_number(row.value, decimals)}{unit}"),
            ink.text(format_percent(row.share)),
            ink.bar(row.share / largest, bar_width, _KIND_STYLES[row.kind]),
        )
    table.add_row(
        ink.text(metric(whole).label, "bold"),
        ink.text(f"{format_number(total, decimals)}{unit}", "bold"),
        ink.text("100 %", "bold"),
    )
    return table


def _add_net_cost(study: Study, table: Table, ink: Ink) -> None:
    decimals = decimals_for(float(study.summary()["mean"]["cost_per_week"]))
    for name, amount in net_cost_lines(study):
        table.add_row(ink.text(name), ink.text(format_number(amount, decimals)))


def _utilization_table(rows: Sequence[PartRow], bar_width: int, ink: Ink) -> Table:
    table = _breakdown("Utilization")
    for row in rows:
        table.add_row(
            ink.text(row.label),
            "",
            ink.text(format_percent(row.share)),
            ink.bar(row.share, bar_width, "blue"),
        )
    return table


def caveat_table(found: Sequence[Caveat], ink: Ink) -> Table:
    """Return what to beware of, the serious things in red."""
    table = Table.grid(padding=(0, 1))
    for caveat in found:
        head, colon, rest = caveat.text.partition(": ")
        style = "bold red" if caveat.serious else "bold yellow"
        text = Text.assemble(ink.text(head + colon, style), ink.text(rest))
        table.add_row(ink.text("!" if caveat.serious else "·", style), text)
    return table
