"""The report of the claims as one HTML file that needs nothing but a browser."""

import html
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import yaml
from matplotlib.figure import Figure

from sim.report.markup import bullets, caveat_section, cell, facts, figure, page, prose, versions
from sim.report.palette import Picture

from .claim import Claim
from .content import caveats, sentences
from .judge import Finding
from .load import Trial
from .table import Cells, cells

_COLUMNS = (
    ("metric", "name"),
    ("low arm", "number"),
    ("high arm", "number"),
    ("difference [interval]", "number"),
    ("expected", "name"),
    ("verdict", "name"),
    ("what moved most", "name"),
)


def write_html(
    findings: Sequence[Finding],
    trials: Sequence[Trial],
    drawn: Figure,
    setting: str,
    reading: str,
    origin: Mapping[str, str],
    replications: int,
    path: Path,
) -> None:
    """Write the report of the claims: one self-contained file that opens from disk.

    Args:
        findings: what :func:`sim.claims.judge.run_trials` returned.
        trials: what was run.
        drawn: the figure of :func:`sim.claims.figure.forest_plot`.
        setting: what was run, in a sentence.
        reading: how to read the table, with emphasis as in Markdown.
        origin: what it takes to get the same again, by name: organization, seed, replications.
        replications: of each arm.
        path: the file to write; its folder has to exist.
    """
    said = sentences(findings, replications)
    picture = Picture(
        drawn,
        "Which way did they come out?",
        "The difference of each expectation with its interval, as a share of the larger side; the "
        "grey bar is the margin of what does not matter. Marks of another shape did not come out "
        "as expected.",
        f"A row per expectation with its difference and interval. {' '.join(said)}",
    )
    text = page(
        "claims_template.html",
        title="The claims, put on trial",
        heading="The claims, put on trial",
        description="",
        context="",
        setting=prose(setting),
        flag="",
        sentences=bullets(said),
        caveats=caveat_section(caveats(findings, replications)),
        picture=figure(picture),
        verdicts=_verdicts(findings, reading, replications),
        versions=facts({**origin, **versions()}),
        again="The arms of each claim, as overrides of the organization; the same organization, "
        "arms, seed and versions give the same numbers.",
        scenario=html.escape(_arms([trial.claim for trial in trials])),
    )
    path.write_text(text, encoding="utf-8")


def _verdicts(findings: Sequence[Finding], reading: str, replications: int) -> str:
    emphasized = re.sub(r"\*(.+?)\*", r"<em>\1</em>", prose(reading))
    head = "".join(f'<th scope="col" class="{css}">{name}</th>' for name, css in _COLUMNS)
    bodies = []
    for claim, own in groupby(findings, key=lambda finding: finding.claim):
        lines = "".join(_line(cells(finding, replications)) for finding in own)
        bodies.append(
            f'<tbody><tr class="claim"><th scope="rowgroup" colspan="{len(_COLUMNS)}">'
            f"<strong>{html.escape(claim.id)}</strong> {prose(claim.claim)}</th></tr>\n"
            f"{lines}</tbody>"
        )
    return (
        f"<table><caption>{emphasized}</caption><thead><tr>{head}</tr></thead>"
        f"{''.join(bodies)}</table>"
    )


def _line(shown: Cells) -> str:
    css = "" if shown.verdict.startswith(("supported", "reported")) else "clear"
    return (
        f'<tr><th scope="row">{prose(shown.metric)}</th>'
        f"{cell(shown.low, 'number')}{cell(shown.high, 'number')}"
        f"{cell(shown.difference, 'number')}{cell(shown.expected)}{cell(shown.verdict, css)}"
        f"{cell(shown.trace)}</tr>\n"
    )


def _arms(claims: Sequence[Claim]) -> str:
    arms = {
        claim.id: {name: list(overrides) for name, overrides in claim.overrides.items()}
        for claim in claims
    }
    return yaml.safe_dump(arms, sort_keys=False, allow_unicode=True, width=100)
