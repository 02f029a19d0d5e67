"""The report of a study as one HTML file that needs nothing but a browser."""

import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.experiment.replicate import Study
from sim.metrics.catalogue import companions, headlines, metric
from sim.report.animation import HOURS_A_FRAME, WEEKS, animate
from sim.report.content import (
    DORA_YEAR,
    FOOTNOTE,
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
    sentences,
    setting,
    utilization_rows,
)
from sim.report.markup import bullets, caveat_section, cell, facts, figure, page, prose, versions
from sim.report.palette import Picture
from sim.report.units import NO_DATA, decimals_for, format_number, format_percent, unit_for
from sim.scenario.load import to_yaml


def write_html(study: Study, pictures: Mapping[str, Picture], path: Path) -> None:
    """Write the report of a study: one self-contained file that opens from disk.

    Args:
        study: The study.
        pictures: Those of :func:`sim.report.figures.study_pictures`.
        path: The file to write; its folder has to exist.
    """
    scenario = study.scenario
    figures = {f"{name}_figure": figure(picture) for name, picture in pictures.items()}
    text = page(
        "template.html",
        title=html.escape(f"{scenario.name}: ML delivery report"),
        heading=html.escape(scenario.name),
        description=f"<p>{html.escape(scenario.description)}</p>" if scenario.description else "",
        context="".join(f"<p>{html.escape(line)}</p>\n" for line in practices(study)),
        setting=html.escape(setting(study)),
        flag=f'<p class="flag">{flag}</p>' if (flag := instability(study)) else "",
        sentences=bullets(sentences(study)),
        caveats=caveat_section(caveats(study)),
        metrics=_metric_table(study),
        lead_time=_parts_table("Hours per deployed change", study, "lead_time_mean_h"),
        restore_time=_parts_table("Hours per restored incident", study, "time_to_restore_mean_h"),
        effort=_parts_table("Hours of people per week", study, "capacity_h_per_week"),
        utilization=_utilization_table(utilization_rows(study)),
        cost=_cost_section(study, figures.pop("cost_figure", "")),
        payback=_payback_section(pictures, figures.pop("payback_figure", "")),
        animation=_animation_section(study),
        versions=facts(
            {"seed": str(study.seed), "replications": str(len(study.runs))} | versions()
        ),
        again="The scenario, complete; the same scenario, seed and versions give the same numbers.",
        scenario=html.escape(to_yaml(scenario)),
        **figures,
    )
    path.write_text(text, encoding="utf-8")


def _metric_table(study: Study) -> str:
    head = "".join(
        f'<th scope="col" class="{css}">{name}</th>'
        for name, css in (
            ("metric", "name"),
            ("mean", "number"),
            ("95 % interval", "number"),
            (f"DORA {DORA_YEAR}", "name"),
            ("count", "number"),
        )
    )
    bodies = "".join(
        f"<tbody{css}>{''.join(map(_metric_line, metric_rows(study, names)))}</tbody>"
        for names, css in ((headlines(), ' class="headline"'), (companions(), ""))
    )
    caption = f"<caption>{html.escape(FOOTNOTE)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead>{bodies}</table>"


def _metric_line(row: MetricRow) -> str:
    explained = f"<small>{html.escape(metric(row.metric).meaning)}</small>"
    return (
        f'<tr><th scope="row">{html.escape(row.label)}{explained}</th>'
        f"{cell(row.estimate.value, 'number value')}{cell(row.estimate.interval, 'number')}"
        f"{cell(band_words(row.bands))}{cell(row.basis, 'number')}</tr>\n"
    )


def _parts_table(
    caption: str,
    study: Study,
    whole: str,
    unit: str = " h",
    below: Sequence[tuple[str, float]] = (),
) -> str:
    rows, total = part_rows(study, whole), float(study.summary()["mean"][whole])
    if math.isnan(total):
        return f"<p>{caption}: {NO_DATA}.</p>"
    decimals = decimals_for(total)
    largest = max(row.share for row in rows)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(row.label)}</th>'
        f"{cell(f'{format_number(row.value, decimals)}{unit}', 'number')}"
        f"{cell(format_percent(row.share), 'number')}{_bar(row.share / largest, row.kind)}</tr>\n"
        for row in rows
    )
    lines += (
        f'<tr class="total"><th scope="row">{metric(whole).label}</th>'
        f"{cell(f'{format_number(total, decimals)}{unit}', 'number')}"
        f"{cell('100 %', 'number')}<td></td></tr>"
    )
    lines += "".join(
        f'<tr><th scope="row">{html.escape(label)}</th>'
        f"{cell(f'{format_number(value, decimals)}{unit}', 'number')}<td></td><td></td></tr>\n"
        for label, value in below
    )
    table = f"<table><caption>{caption}</caption><tbody>{lines}</tbody></table>"
    kinds = dict.fromkeys(row.kind for row in rows)
    if len(kinds) == 1:
        return table
    key = "".join(f'<span class="{kind}"></span>{kind}' for kind in kinds)
    return f'{table}<p class="key" aria-hidden="true">{key}</p>'


def _cost_section(study: Study, figure: str) -> str:
    if not is_priced(study):
        return ""
    caption = html.escape(unit_for(metric_of(study, "cost_per_week"), 0.0).heading)
    table = _parts_table(caption, study, "cost_per_week", "", net_cost_lines(study))
    return (
        '<section aria-labelledby="cost">\n<h2 id="cost">What it costs</h2>\n'
        f"{table}\n{figure}\n</section>"
    )


def _payback_section(pictures: Mapping[str, Picture], figure: str) -> str:
    if "payback" not in pictures:
        return ""
    return (
        f'<section aria-labelledby="payback">\n<h2 id="payback">{pictures["payback"].title}</h2>\n'
        f"<p>{prose(pictures['payback'].alt)}</p>\n{figure}\n</section>"
    )


def _animation_section(study: Study) -> str:
    if not study.scenario.animation:
        return ""
    run = study.first
    # With plotly.js itself, 5 MB: the file has to work without a network.
    moving = animate(run.tables, run.window).to_html(
        full_html=False, include_plotlyjs=True, auto_play=False
    )
    return (
        '<section class="animation" aria-labelledby="animation">\n'
        '<h2 id="animation">Watch it</h2>\n'
        f"<p>The first {WEEKS} weeks after the warm-up of replication {run.replication}, "
        f"{HOURS_A_FRAME} hours a frame; incidents pull people away from other work.</p>\n"
        f"{moving}\n</section>"
    )


def _utilization_table(rows: Sequence[PartRow]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{html.escape(row.label)}</th>'
        f"{cell(format_percent(row.share), 'number')}{_bar(row.share, 'load')}</tr>\n"
        for row in rows
    )
    caption = "<caption>Hours of work or of occupied slots, of those available</caption>"
    return f"<table>{caption}<tbody>{lines}</tbody></table>"


def _bar(share: float, css: str) -> str:
    # The number stands beside the bar, which is therefore nothing to a screen reader.
    width = 0.0 if math.isnan(share) else 100 * min(max(share, 0.0), 1.0)
    return (
        f'<td class="bar" aria-hidden="true"><span class="{css}" '
        f'style="width: {width:.1f}%"></span></td>'
    )
