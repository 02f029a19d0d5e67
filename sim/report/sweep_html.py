"""The report of a sweep as one HTML file that needs nothing but a browser."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sim.metrics.catalogue import headlines, metric
from sim.report.markup import (
    bullets,
    caveat_section,
    cell,
    facts,
    figure,
    page,
    prose,
    versions,
)
from sim.report.palette import Picture
from sim.report.sweep_content import (
    COST,
    Findings,
    axis_name,
    caveats,
    goal_in_words,
    heading,
    indices_of,
    instability,
    is_clear,
    label_of,
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
    Estimate,
    count_noun,
    difference_in,
    estimate_in,
    format_number,
    format_percent,
    format_value,
    unit_of_change,
)
from sim.scenario.load import to_yaml
from sim.words import listed

TABLE_ALL = 200
"""Points up to which all of them stand in the tables."""
TABLE_ROWS = 100
"""Points in the tables if there are more."""
_TALL = 20
"""Rows from which a table scrolls within the page."""
_CANDIDATES = 10


def write_sweep_html(found: Findings, pictures: Mapping[str, Picture], path: Path) -> None:
    """Write the report of a sweep: one self-contained file that opens from disk.

    Args:
        found: what :func:`sim.report.sweep_content.findings` read of it.
        pictures: those of :func:`sim.report.sweep_figures.sweep_pictures`.
        path: the file to write; its folder has to exist.
    """
    base = found.sweep.base
    flag = instability(found)
    text = page(
        "sweep_template.html",
        title=html.escape(f"{heading(found)}: ML delivery report"),
        heading=html.escape(heading(found)),
        description=f"<p>{html.escape(base.description)}</p>" if base.description else "",
        context="".join(f"<p>{prose(line)}</p>\n" for line in question(found)),
        setting=prose(setting(found)),
        flag=f'<p class="flag">{flag}</p>' if flag else "",
        sentences=bullets(sentences(found)),
        caveats=caveat_section(caveats(found)),
        pictures="\n".join(map(figure, pictures.values())),
        points=_points_table(found),
        effects=_effects_section(found),
        sensitivity=_sensitivity_section(found),
        selection=_selection_section(found),
        versions=facts(_facts(found)),
        again="The scenario of the baseline, complete; the same scenario, values, seed and "
        "versions give the same numbers.",
        scenario=html.escape(to_yaml(base)),
    )
    path.write_text(text, encoding="utf-8")


def _facts(found: Findings) -> dict[str, str]:
    fewest, most = replications(found)
    times = str(most) if fewest == most else f"{fewest} to {most}"
    design = {"seed": str(found.sweep.seed), "design": found.sweep.design}
    return design | {"points": str(len(found.numbers)), "replications": times} | versions()


def _shown_points(found: Findings) -> list[int]:
    few = len(found.numbers) <= TABLE_ALL
    return found.numbers if few else most_different(found, TABLE_ROWS)


def _left_out(found: Findings, shown: int) -> str:
    if shown == len(found.numbers):
        return ""
    than = "the baseline" if found.has_baseline else "the median"
    return f" Of {len(found.numbers):,} points, the {shown} that differ most from {than}."


def _points_table(found: Findings) -> str:
    shown = _shown_points(found)
    metrics = [*headlines(), *([COST] if found.is_priced else [])]
    head = _axis_heads(found) + "".join(
        _head(label_of(name), found.units[name].heading, "number") for name in metrics
    )
    lines = []
    for number in shown:
        cells = "".join(_estimate_cell(_estimate(found, name, number)) for name in metrics)
        lines.append(_row(found, number, cells))
    more = listed([label_of(name) for name in metrics if metric(name).better == "more"])
    caption = (
        f"Mean over the replications and its 95 % interval; less is better except for {more}. The "
        "best of many means is a little too good: it was picked for that."
    )
    return _table(caption + _left_out(found, len(shown)), head, lines)


def _estimate(found: Findings, name: str, number: int) -> Estimate:
    rows = found.estimates[name]
    mean, low, high = (float(rows[column][number]) for column in ("mean", "ci_low", "ci_high"))
    return estimate_in(found.units[name], metric(name), mean, low, high)


def _effects_section(found: Findings) -> str:
    if not found.has_baseline or len(found.numbers) < 2:
        return ""
    baseline = found.sweep.baseline
    shown = [number for number in _shown_points(found) if number != baseline]
    head = _axis_heads(found) + "".join(
        _head(label_of(name), unit_of_change(found.units[name]).heading, "number")
        for name in headlines()
    )
    clear = {name: is_clear(rows) for name, rows in found.effects.items()}
    lines = []
    for number in shown:
        cells = ""
        for name, rows in found.effects.items():
            numbers = (
                float(rows[column][number])
                for column in ("difference", "adjusted_low", "adjusted_high")
            )
            change = difference_in(found.units[name], *numbers)
            cells += _estimate_cell(change, "number clear" if clear[name][number] else "number")
        lines.append(_row(found, number, cells))
    caption = (
        f"Paired differences to the baseline ({point_name(found, baseline)}), with Holm-adjusted "
        "95 % intervals over all points and the four metrics; bold where they leave out zero."
    )
    table = _table(caption + _left_out(found, len(shown) + 1), head, lines)
    return _section("differences", "Differences to the baseline", table)


def _sensitivity_section(found: Findings) -> str:
    if found.indices is None:
        return ""
    sobol = found.sweep.design == "sobol"
    bodies = []
    for name in headlines():
        rows = indices_of(found, name)
        unit = "" if sobol else f", {unit_of_change(found.units[name]).heading}"
        lines = "".join(
            f'<tr><th scope="row">{html.escape(label_of(name) + unit)}</th>'
            f"{cell(name_of(found, str(key)))}{cell(show_index(row), 'number')}"
            f"{cell(_second_index(row, sobol), 'number')}</tr>\n"
            for key, row in rows.iterrows()
        )
        bodies.append(f"<tbody>{lines}</tbody>")
    names = ("total order", "first order") if sobol else ("mean absolute effect", "mean effect")
    head = _head("metric") + _head("axis") + "".join(_head(name, "", "number") for name in names)
    caption = (
        "Sobol indices, shares of the variance between points, with bootstrapped 95 % intervals."
        if sobol
        else "Effects of Morris: of going from one end of the axis to the other, with 95 % "
        "intervals over the trajectories."
    )
    table = (
        f'<div class="scroll"><table><caption>{prose(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>{''.join(bodies)}</table></div>"
    )
    return _section("sensitivity", "Which dial matters most", table)


def _second_index(row: "pd.Series[float]", sobol: bool) -> str:
    if not sobol:
        return format_number(float(row["mu"]))
    names = {"first": "index", "first_low": "low", "first_high": "high"}
    return show_index(row[list(names)].rename(names))


def _selection_section(found: Findings) -> str:
    if found.selection is None:
        return ""
    wish = found.sweep.base.select
    assert wish is not None
    wanted = metric(wish.metric).priced_in(found.sweep.base.cost.currency)
    rows = leading_candidates(found, _CANDIDATES)
    head = _axis_heads(found) + "".join(
        _head(name, "", "number")
        for name in (
            f"mean {label_of(wish.metric)}",
            "keeps within limits",
            "is the best",
            "replications",
        )
    )
    lines = [
        _row(
            found,
            int(number),
            cell(format_value(wanted, float(mean)), "number")
            + cell(format_percent(float(within)), "number")
            + cell(format_percent(float(best)), "number")
            + cell(str(int(n)), "number"),
        )
        for number, mean, within, best, n in zip(
            rows.index,
            rows["mean"],
            rows["feasible_probability"],
            rows["best_probability"],
            rows["n"],
            strict=True,
        )
    ]
    left = len(found.selection.table) - len(rows)
    caption = f"Probabilities, for the {goal_in_words(found)}."
    if left:
        caption += f" {count_noun(left, 'other point').capitalize()} are less likely the best."
    return _section("selection", "The best point", _table(caption, head, lines))


# --- pieces --------------------------------------------------------------------------------------


def _section(name: str, title: str, inside: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{inside}\n</section>'


def _table(caption: str, head: str, lines: Sequence[str]) -> str:
    tall = len(lines) >= _TALL
    label = html.escape(caption.partition(",")[0].partition(".")[0])
    scrolls = f' tall" tabindex="0" role="region" aria-label="{label}"' if tall else '"'
    return (
        f'<div class="scroll{scrolls}><table class="compact"><caption>{prose(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _head(name: str, unit: str = "", css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    below = f"<small>{html.escape(unit)}</small>" if unit else ""
    return f'<th scope="col"{kind}>{html.escape(name)}{below}</th>'


def _axis_heads(found: Findings) -> str:
    return _head("point") + "".join(_head(axis_name(axis)) for axis in found.axes)


def _row(found: Findings, number: int, cells: str) -> str:
    is_baseline = found.has_baseline and number == found.sweep.baseline
    css, note = (' class="baseline"', "<small>baseline</small>") if is_baseline else ("", "")
    points = found.sweep.points
    values = "".join(cell(value_name(axis, points.at[number, axis.key])) for axis in found.axes)
    return f'<tr{css}><th scope="row">{number}{note}</th>{values}{cells}</tr>\n'


def _estimate_cell(estimate: Estimate, css: str = "number") -> str:
    below = f"<small>{html.escape(estimate.interval)}</small>" if estimate.interval else ""
    return f'<td class="{css}">{html.escape(estimate.value)}{below}</td>'
