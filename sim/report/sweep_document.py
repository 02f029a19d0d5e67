"""The report of a sweep as a document: points, differences, sensitivity, choice and pictures."""

from collections.abc import Iterable, Sequence

import pandas as pd

from sim.configuration.dump import to_yaml
from sim.document.document import (
    IN_TERMINAL,
    ON_PAPER,
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Facts,
    Group,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    placed_caveats,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.versions import versions
from sim.metrics.answers import YEAR
from sim.metrics.catalogue import metric
from sim.report.population_content import is_population, population_sentences, population_table
from sim.report.sweep_content import (
    MADE,
    POINTS,
    PRECISION,
    Findings,
    answer_tiles,
    axis_name,
    caveats,
    further_sentences,
    goal_in_words,
    half_width_in_words,
    heading,
    index_decimals,
    indices_of,
    indifference_in_words,
    instability,
    is_clear,
    label_of,
    lead_sentence,
    leading_candidates,
    most_different,
    name_of,
    point_name,
    question,
    replications,
    sentences,
    setting,
    show_index,
    value_name,
)
from sim.report.units import (
    NO_DATA,
    UNKNOWN,
    Estimate,
    count_noun,
    difference_in,
    estimate_in,
    format_given,
    format_number,
    format_percent,
    format_value,
    plus_minus,
    unit_of_change,
)
from sim.words import listed

PAPER_ALL = 200
"""Points up to which all of them stand in the tables on paper."""
PAPER_ROWS = 100
"""Points in these tables if there are more."""
TERMINAL_ROWS = 20
"""Points in the table of a terminal."""
_CANDIDATES = 10
_MOST_AXIS_COLUMNS = 3
"""Axes with a column each in a terminal that is wide; more of them share one."""


def sweep_document(
    found: Findings, pictures: Iterable[Picture] = (), is_wide: bool = False
) -> Document:
    """Return the report of a sweep.

    Args:
        found: what :func:`sim.report.sweep_content.findings` read of it.
        pictures: those of :func:`sim.report.sweep_figures.sweep_pictures`; a terminal shows none.
        is_wide: a terminal has room for a column per axis.

    Raises:
        ValueError: a picture has no place in the report.
    """
    said = sentences(found)
    population = [population_table(found)] if is_population(found) else []
    points = [_points(found)]
    if population:
        said = population_sentences(found) + said
    else:
        points.append(_points_in_terminal(found, is_wide))
    tiles = answer_tiles(found)
    lead = lead_sentence(found)
    rest = further_sentences(found) if tiles is not None else said
    if not lead and tiles is None and rest:
        lead, *rest = rest
    rest = [sentence for sentence in rest if sentence != lead]
    sections = [
        Section("In words", [Bullets(rest)] if rest else []),
        Section("In pictures", []),
        Section(f"Beside the answers of DORA {YEAR}", population),
        Section(POINTS, points),
        Section("Differences to the baseline", _differences(found)),
        Section("Which dial matters most", _sensitivity(found)),
        Section(PRECISION, _precision(found)),
        Section("The best point", _selection(found)),
        Section(MADE, _how_it_was_made(found)),
        Section(
            "To get the same again",
            [
                Facts(_facts(found)),
                Paragraph(
                    "The scenario of the baseline, complete; the same scenario, values, "
                    "seed and versions give the same numbers.",
                    media=ON_PAPER,
                ),
                Listing(to_yaml(found.sweep.base), "scenario as YAML"),
            ],
        ),
    ]
    doubts, sections = placed_caveats(caveats(found), sections)
    return Document(
        title=heading(found),
        answer=[
            *([Paragraph(lead, "strong")] if lead else []),
            *([] if tiles is None else [tiles]),
            *doubts,
        ],
        lead=lead_picture(found),
        description=found.sweep.base.description,
        context=question(found),
        setting=setting(found),
        flag=instability(found),
        sections=with_pictures(sections, pictures),
    )


def lead_picture(found: Findings) -> str:
    """Return the name of the picture that stands with the answer."""
    if is_population(found):
        return "population"
    if found.indices is not None:
        return "sensitivity"
    return "metrics" if found.told is None else "surface"


def _how_it_was_made(found: Findings) -> list[Block]:
    """Return the command, to be copied, and the one that goes on with it."""
    made = found.sweep.made
    if made is None:
        return []
    if made.command is None:
        return [Paragraph("By sim.sweep, from Python.", media=ON_PAPER)]
    said: list[Block] = [Listing(made.command, "command")]
    if made.left_out:
        what = f"Of {listed(made.left_out)} only the name was kept: name the folder again."
        said.append(Paragraph(what, media=ON_PAPER))
    how = "This goes on with it, also with further values, samples or replications:"
    return [
        *said,
        Paragraph(how, media=ON_PAPER),
        Listing("python -m sim resume FOLDER", "command that goes on"),
    ]


def _facts(found: Findings) -> dict[str, str]:
    fewest, most = replications(found)
    times = str(most) if fewest == most else f"{fewest} to {most}"
    design = {"seed": str(found.sweep.seed), "design": found.sweep.design}
    made = found.sweep.made
    if made is None:
        of_then = versions()
    else:
        of_then = {**made.versions, "source of the model": made.model.partition(", ")[0]}
    return design | {"points": str(len(found.numbers)), "replications": times} | of_then


# --- points and differences ----------------------------------------------------------------------


def _points_in_terminal(found: Findings, is_wide: bool) -> Table:
    shown = most_different(found, TERMINAL_ROWS)
    names = [axis_name(axis) for axis in found.axes]
    apart = len(names) == 1 or (is_wide and len(names) <= _MOST_AXIS_COLUMNS)
    columns = [Column(is_number=True), *map(Column, names if apart else [" ·\n".join(names)])]
    for name in found.shown:
        head = label_of(name).replace(" ", "\n")
        unit = found.units[name].heading.replace(" ", "\n").replace("per\n", "per ")
        columns.append(Column(head, unit, is_number=True))
    rows = []
    for number in shown:
        is_baseline = found.has_baseline and number == found.sweep.baseline
        cells: list[Cell | str] = [Cell(f"{'*' if is_baseline else ''}{number}", tone="dim")]
        cells += _values(found, number) if apart else [" · ".join(_values(found, number))]
        cells += [_plus_minus(found, name, number) for name in found.shown]
        rows.append(Row(cells, "baseline" if is_baseline else ""))
    return Table(columns, [Group(rows)], _how_to_read(found, len(shown)), media=IN_TERMINAL)


def _plus_minus(found: Findings, name: str, number: int) -> str:
    rows = found.estimates[name]
    mean, low, high = (float(rows[column][number]) for column in ("mean", "ci_low", "ci_high"))
    return plus_minus(found.units[name], mean, low, high)


def _how_to_read(found: Findings, shown: int) -> str:
    note = "Means over the replications, ± half the 95 % interval"
    known = [found.estimates[name]["ci_low"].isna() for name in found.shown]
    note += " (±? if unknown)." if pd.concat(known).any() else "."
    if found.has_baseline:
        note += " * is the baseline."
    left = len(found.numbers) - shown
    if left:
        than = "the baseline" if found.has_baseline else "the median"
        note += f" {count_noun(left, 'more point')}, which differ less from {than}, not shown."
    return note


def _points(found: Findings) -> Table:
    shown = _on_paper(found)
    metrics = found.shown
    columns = [Column(label_of(name), found.units[name].heading, True) for name in metrics]
    rows = [
        _row(found, number, [_as_cell(_estimate(found, name, number)) for name in metrics])
        for number in shown
    ]
    more = listed([label_of(name) for name in metrics if metric(name).better == "more"])
    caption = (
        f"Mean over the replications and its 95 % interval; less is better except for {more}. The "
        "best of many means is a little too good: it was picked for that."
    )
    return _table(found, columns, rows, caption + _left_out(found, len(shown)))


def _on_paper(found: Findings) -> list[int]:
    few = len(found.numbers) <= PAPER_ALL
    return found.numbers if few else most_different(found, PAPER_ROWS)


def _left_out(found: Findings, shown: int) -> str:
    if shown == len(found.numbers):
        return ""
    than = "the baseline" if found.has_baseline else "the median"
    return (
        f" Of {format_given(len(found.numbers))} points, the {shown} that differ most from {than}."
    )


def _estimate(found: Findings, name: str, number: int) -> Estimate:
    rows = found.estimates[name]
    mean, low, high = (float(rows[column][number]) for column in ("mean", "ci_low", "ci_high"))
    return _or_unknown(estimate_in(found.units[name], metric(name), mean, low, high))


def _or_unknown(shown: Estimate) -> Estimate:
    """Say of what has a value and no interval that it is unknown."""
    return shown if shown.value == NO_DATA else shown._replace(interval=shown.interval or UNKNOWN)


def _differences(found: Findings) -> list[Table]:
    if not found.has_baseline or len(found.numbers) < 2:
        return []
    baseline = found.sweep.baseline
    shown = [number for number in _on_paper(found) if number != baseline]
    columns = [
        Column(label_of(name), unit_of_change(found.units[name]).heading, True)
        for name in found.shown
    ]
    clear = {name: is_clear(rows) for name, rows in found.effects.items()}
    rows = [
        _row(
            found,
            number,
            [_change(found, name, number, bool(clear[name][number])) for name in found.shown],
        )
        for number in shown
    ]
    caption = (
        f"Paired differences to the baseline ({point_name(found, baseline)}), with Holm-adjusted "
        "95 % intervals over all points and the metrics; bold where they leave out zero."
    )
    return [_table(found, columns, rows, caption + _left_out(found, len(shown) + 1))]


def _change(found: Findings, name: str, number: int, is_clear: bool) -> Cell:
    rows = found.effects[name]
    columns = ("difference", "adjusted_low", "adjusted_high")
    ends = (float(rows[column][number]) for column in columns)
    change = _or_unknown(difference_in(found.units[name], *ends))
    return Cell(change.value, change.interval, "strong" if is_clear else "")


# --- sensitivity and selection -------------------------------------------------------------------


def _sensitivity(found: Findings) -> list[Table]:
    if found.indices is None:
        return []
    sobol = found.sweep.design == "sobol"
    groups = []
    for name in found.shown:
        indices = indices_of(found, name)
        decimals = index_decimals(found, indices)
        unit = "" if sobol else f", {unit_of_change(found.units[name]).heading}"
        rows = [
            Row(
                [
                    label_of(name) + unit,
                    name_of(found, str(key)),
                    show_index(row, decimals),
                    _second_index(row, sobol, decimals),
                ]
            )
            for key, row in indices.iterrows()
        ]
        groups.append(Group(rows))
    names = ("total order", "first order") if sobol else ("mean absolute effect", "mean effect")
    caption = (
        "Sobol indices, shares of the variance between points, with bootstrapped 95 % intervals."
        if sobol
        else "Effects of Morris: of going from one end of the axis to the other, with 95 % "
        "intervals over the trajectories."
    )
    columns = [Column("metric"), Column("axis"), *(Column(name, "", True) for name in names)]
    return [Table(columns, groups, caption, media=ON_PAPER)]


def _second_index(row: "pd.Series[float]", sobol: bool, decimals: int) -> str:
    if not sobol:
        return format_number(float(row["mu"]), decimals)
    names = {"first": "index", "first_low": "low", "first_high": "high"}
    return show_index(row[list(names)].rename(names), decimals)


def _precision(found: Findings) -> list[Table]:
    if found.precision is None:
        return []
    shown = set(_on_paper(found))
    columns_of = ("point", "metric", "mean", "half_width", "target", "reached", "n")
    rows = [
        _row(
            found,
            int(point),
            [
                label_of(name),
                half_width_in_words(found, name, float(mean), float(half_width)),
                half_width_in_words(found, name, float(mean), float(target)),
                Cell("yes") if reached else Cell("no", tone="strong"),
                str(n),
            ],
        )
        for point, name, mean, half_width, target, reached, n in zip(
            *(found.precision[column] for column in columns_of), strict=True
        )
        if point in shown
    ]
    names = ("half-width", "asked", "reached", "replications")
    columns = [Column("metric"), *(Column(name, "", True) for name in names)]
    caption = "Half of what lies between the ends of the 95 % interval, against what was asked."
    return [_table(found, columns, rows, caption + _left_out(found, len(shown)))]


def _selection(found: Findings) -> list[Table]:
    if found.selection is None:
        return []
    wish = found.sweep.base.select
    assert wish is not None
    wanted = metric(wish.metric).priced_in(found.sweep.base.cost.currency)
    candidates = leading_candidates(found, _CANDIDATES)
    names = (
        f"mean {label_of(wish.metric)}",
        "keeps within limits",
        "is as good as the best",
        "replications",
    )
    rows = [
        _row(
            found,
            int(number),
            [
                format_value(wanted, float(mean)),
                format_percent(float(within)),
                format_percent(float(best)),
                str(int(n)),
            ],
        )
        for number, mean, within, best, n in zip(
            candidates.index,
            candidates["mean"],
            candidates["feasible_probability"],
            candidates["best_probability"],
            candidates["n"],
            strict=True,
        )
    ]
    if not rows:
        return []
    left = len(found.selection.table) - len(rows)
    same = indifference_in_words(found)
    caption = f"Probabilities, for the {goal_in_words(found)}: of being within {same} of the best."
    if left:
        caption += f" {count_noun(left, 'other point').capitalize()} are less likely the best."
    return [_table(found, [Column(name, "", True) for name in names], rows, caption)]


# --- pieces --------------------------------------------------------------------------------------


def _table(found: Findings, columns: Sequence[Column], rows: Sequence[Row], caption: str) -> Table:
    """Return a table on paper that has a row per point."""
    points = [Column("point"), *(Column(axis_name(axis)) for axis in found.axes)]
    return Table([*points, *columns], [Group(rows)], caption, is_dense=True, media=ON_PAPER)


def _row(found: Findings, number: int, cells: Iterable[Cell | str]) -> Row:
    is_baseline = found.has_baseline and number == found.sweep.baseline
    name = Cell(str(number), "baseline" if is_baseline else "")
    return Row([name, *_values(found, number), *cells], "baseline" if is_baseline else "")


def _values(found: Findings, number: int) -> list[str]:
    points = found.sweep.points
    return [value_name(axis, points.at[number, axis.key]) for axis in found.axes]


def _as_cell(estimate: Estimate) -> Cell:
    return Cell(estimate.value, estimate.interval)
