"""Results in a few lines, as a small table, and as a figure: what a REPL and a notebook show."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console

from sim.document.document import (
    Bar,
    Block,
    Cell,
    Column,
    Document,
    Group,
    Paragraph,
    Row,
    Table,
    Tiles,
)
from sim.document.html import block_as_html
from sim.document.terminal import print_document
from sim.experiment.compare import Comparison
from sim.experiment.intervals import FEWEST_TO_JUDGE
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.experiment.run import Run
from sim.experiment.sweep_results import Sweep
from sim.hours import HOURS_PER_WEEK
from sim.metrics import catalogue
from sim.metrics.catalogue import headlines
from sim.report.comparison import Difference, headline_differences
from sim.report.content import FEW_REPLICATIONS, setting, setting_of_records, tiles
from sim.report.evidence import Observation
from sim.report.payback import in_words, payback_tiles
from sim.report.sweep_content import answer_tiles, findings, heading, lead_sentence
from sim.report.sweep_content import setting as setting_of_sweep
from sim.report.units import (
    NO_DATA,
    UNKNOWN,
    column_unit,
    count_noun,
    difference_in,
    format_given,
    format_number,
)
from sim.scenario.errors import nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = Run | Study | Comparison | Sweep | Payback | Observation

_WIDTH = 80
_MOST_POINTS = 200
"""Points up to which a sweep is read for a glance at it."""


def text_of(result: Result) -> str:
    """Return a result in a few lines of at most 80 columns."""
    file = io.StringIO()
    print_document(
        _document(result), Console(file=file, width=_WIDTH, color_system=None, force_jupyter=False)
    )
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines() if line.strip())


def html_of(result: Result) -> str:
    """Return a result as a small table, below its name and setting."""
    document = _document(result)
    head = [Paragraph(document.title, "strong"), Paragraph(document.setting)]
    blocks = [
        _table(block)
        if isinstance(block, Tiles)
        else _in_line(block)
        if isinstance(block, Table)
        else block
        for block in document.answer
    ]
    return "".join(block_as_html(block) for block in (*head, *blocks))


def _table(of: Tiles) -> Table:
    """Return tiles as a table, which needs no style sheet."""
    texts = [(tile.label, tile.value, tile.note, tile.badge, tile.detail) for tile in of.items]
    kept = [place for place in range(5) if any(row[place] for row in texts)]
    rows = [Row([row[place] for place in kept]) for row in texts]
    return Table([Column(is_number=place in (1, 2)) for place in kept], [Group(rows)], of.caption)


def _in_line(of: Table) -> Table:
    """Return a table with its notes in brackets: small letters below take a style sheet."""

    def with_note(cell: Bar | Cell | str) -> Bar | Cell | str:
        if not isinstance(cell, Cell) or not cell.note:
            return cell
        return replace(cell, text=f"{cell.text} ({cell.note})", note="")

    columns = [
        replace(
            column,
            heading=", ".join(filter(None, (column.heading.replace("\n", " "), column.note))),
            note="",
        )
        for column in of.columns
    ]
    rows = [replace(row, cells=[*map(with_note, row.cells)]) for row in of.rows]
    return replace(of, columns=columns, groups=[Group(rows)])


def _document(result: Result) -> Document:
    """Return name, setting and the four metrics."""
    if isinstance(result, Payback):
        said: list[Block] = [Paragraph(in_words(result)), payback_tiles(result)]
        name = f"Payback of {result.invested.scenario.name}"
        return Document(name, [], said, setting=setting(result.invested))
    if isinstance(result, Comparison):
        return _of_comparison(result)
    if isinstance(result, Sweep):
        return _of_sweep(result)
    if isinstance(result, Study):
        return Document(
            f"Study of {result.scenario.name}", [], [tiles(result)], setting=setting(result)
        )
    if isinstance(result, Run):
        name = f"Run of {result.scenario.name}, replication {result.replication}"
        weeks = count_noun(result.scenario.horizon_weeks - result.scenario.warmup_weeks, "week")
        return Document(
            name,
            [],
            [tiles(Observation(result.records))],
            setting=f"{weeks} after {result.scenario.warmup_weeks} of warm-up · seed {result.seed}",
        )
    name = type(result).__name__
    return Document(name, [], [tiles(result)], setting=setting_of_records(result.records))


def _of_comparison(of: Comparison) -> Document:
    first, *others = of.scenarios
    found = {arm: headline_differences(of, arm) for arm in others}
    n = int(of.runs.groupby("arm").size().min())
    units = {
        name: column_unit(catalogue.metric(name), found[others[0]][name].first)
        for name in headlines()
    }
    columns = [Column("arm")]
    columns += [
        Column(catalogue.metric(name).label.replace(" ", "\n"), units[name].heading, True)
        for name in headlines()
    ]
    levels: list[Cell | str] = [first]
    for name in headlines():
        level = found[others[0]][name].first
        levels.append(format_number(level / units[name].size))
    rows = [Row(levels, "baseline")]
    for arm in others:
        cells = [_difference(found[arm][name], units[name].size) for name in headlines()]
        rows.append(Row([arm, *cells]))
    few = "" if n >= FEW_REPLICATIONS else ": few"
    if n < FEWEST_TO_JUDGE:
        few = ": too few for intervals"
    caption = (
        f"Differences to {first}, paired, with Holm-adjusted 95 % intervals; times are medians."
    )
    return Document(
        f"Comparison of {', '.join(of.scenarios)}",
        [],
        [Table(columns, [Group(rows)], caption)],
        setting=f"{count_noun(n, 'replication')}{few} · seed {of.seed}",
    )


def _difference(of: Difference, size: float) -> Cell:
    if of.is_none:
        return Cell("the same")
    numbers = [number / size for number in (of.difference, of.low, of.high)]
    change = of._replace(difference=numbers[0], low=numbers[1], high=numbers[2])
    unit = column_unit(catalogue.metric(of.metric), of.first)._replace(size=1.0)
    shown = difference_in(unit, change.difference, change.low, change.high)
    if shown.value == NO_DATA:
        return Cell(NO_DATA)
    return Cell(shown.value, shown.interval or UNKNOWN, "strong" if of.is_clear else "")


def _of_sweep(sweep: Sweep) -> Document:
    many = len(sweep.points)
    if many > _MOST_POINTS or sweep.design == "adaptive":
        keys = ", ".join(axis.key for axis in sweep.axes)
        runs = int(sweep.replications.sum())
        return Document(
            f"Sweep of {keys} ({sweep.base.name})",
            [],
            setting=f"{sweep.design}: {count_noun(many, 'point')}, "
            f"{count_noun(runs, 'replication')} · seed {sweep.seed}",
        )
    found = findings(sweep)
    lead, shown = lead_sentence(found), answer_tiles(found)
    answer: list[Block] = [Paragraph(lead)] if lead else []
    answer += [] if shown is None else [shown]
    return Document(f"Sweep: {heading(found)}", [], answer, setting=setting_of_sweep(found))


def figure_of(result: Result, name: str) -> "Figure":
    """Return a figure of the report of a result.

    Args:
        result: what it is of.
        name: of the figure; empty for the standard one.

    Raises:
        ValueError: there is no figure of this name.
    """
    from sim.document.picture import Picture  # and matplotlib, whose import takes a while

    pictures: dict[str, Picture]
    if isinstance(result, Sweep):
        from sim.report.sweep_document import lead_picture
        from sim.report.sweep_figures import sweep_pictures

        found = findings(result)
        pictures = {picture.name: picture for picture in sweep_pictures(found)}
        standard = lead_picture(found)
    elif isinstance(result, Comparison):
        from sim.report.comparison_figures import comparison_picture

        pictures, standard = {"differences": comparison_picture(result)}, "differences"
    elif isinstance(result, Payback):
        from sim.report.payback_figures import payback_picture

        pictures, standard = {"payback": payback_picture(result)}, "payback"
    else:
        from sim.report.pictures import records_pictures, study_pictures

        if isinstance(result, Study):
            pictures = study_pictures(result)
        else:
            assert isinstance(result, Observation)
            pictures = records_pictures(result)
        standard = "metrics"
    chosen = name or (standard if standard in pictures else next(iter(pictures), ""))
    if chosen not in pictures:
        known: Sequence[str] = list(pictures)
        raise ValueError(f"there is no figure '{chosen}'; {nearest(chosen, known)}")
    return pictures[chosen].figure


def figure_of_run(run: Run, name: str, service: str, weeks: tuple[float, float] | None) -> "Figure":
    """Return a figure of the report of a run, or of a part of it.

    Args:
        run: what it is of.
        name: of the figure; empty for the standard one.
        service: whose model is shown, if it is the figure of quality; empty for any.
        weeks: the first week and the week after the last; None for the observed time.

    Raises:
        ValueError: there is no such figure or service, or there are no such weeks.
    """
    records = run.records
    if weeks is not None:
        first, last = weeks
        if not 0 <= first < last <= run.scenario.horizon_weeks:
            said = f"{format_given(first)} to {format_given(last)}"
            raise ValueError(f"weeks are {said} of {run.scenario.horizon_weeks}")
        records = records.within(first * HOURS_PER_WEEK, last * HOURS_PER_WEEK)
    if not service:
        return figure_of(Observation(records), name)
    if name != "quality":
        raise ValueError("a service can be chosen for the figure 'quality' alone")
    from sim.report.quality_figures import quality_picture  # and matplotlib

    return quality_picture(Observation(records), service).figure
