"""The validation as a Markdown page and as a table."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from sim.experiment.intervals import FloatArray
from sim.report.units import NO_DATA, decimals_for, format_number

from . import published as of
from .agreement import DISTANCE, ODDS, TIMES, Accepted, Simulated, simulated
from .meanings import meaning
from .population import (
    GOOGLE,
    LARGE_FIRM,
    LEVELS,
    MICROSOFT,
    PRESETS_IN,
    SIZES,
    WEEKS,
    Cell,
)
from .results import Results
from .rows import EXPECTED, METRICS, Row, Section

_MINUS = "\N{MINUS SIGN}"
_SIGNS = {"agrees": "✓", "disagrees": "✗", "undecided": "?", "no data": "?"}

# What the scenarios take from the same sources: comparing them with themselves would be circular.
_INPUTS = (
    ("GPU jobs that are unsuccessful: 17 %", of.PHILLY, "`pipeline.steps.train.fails`"),
    ("experiments that are scrapped: 41 %", of.COMET, "`changes.feature.abandoned`"),
    (
        "GPU-hours per failure: 50,000",
        of.Source("Llama 3 training", "R2"),
        "`compute.gpu.failures_per_h`",
    ),
    ("test runs that are flaky: 1.5 %", of.Source("Google", "R2"), "`flaky` of testing steps"),
    (
        "incidents' mean duration of 153 min, cv 1.94",
        of.LOGNORMAL,
        "`incidents.responses.infra.repair_h` (by hand half as long again)",
    ),
    ("data incidents take hours to notice", of.MONTE_CARLO, "`incidents.responses.data.notice_h`"),
    ("dependency over code as 16 over 27", of.TEAMS, "`changes.feature.defects.dependency`"),
    (
        "about 4 trainings per model and month",
        of.Source("Uber engineering blog", "R"),
        "`practice/retraining: new_data` (in none of the presets)",
    ),
    (
        "effort over estimate: lognormal, sigma about 1",
        of.Source("Bernhardsson 2019", "R2"),
        "`cv: 1.3` of efforts",
    ),
)

_TRACE = (
    ("new models per service and year", "deployment_frequency_feature", 1 / 365.25, ""),
    ("retrainings per service and year", "deployment_frequency_retrain", 1 / 365.25, ""),
    ("fixes per service and year", "deployment_frequency_fix", 1 / 365.25, ""),
    ("improvements per service and year", "deployment_frequency_improvement", 1 / 365.25, ""),
    ("data scientists' time in exploration, %", "data_scientists: exploration", 0.01, ""),
    ("lead time, mean, h", "lead_time_mean_h", 1.0, ""),
    ("waiting for people", "lead_time_people_h", 1.0, "of it"),
    ("rework", "lead_time_rework_h", 1.0, "of it"),
    ("handoffs", "lead_time_handoff_h", 1.0, "of it"),
    ("boards and windows", "lead_time_approval_h", 1.0, "of it"),
    ("waiting for compute", "lead_time_compute_h", 1.0, "of it"),
    ("work", "lead_time_touch_h", 1.0, "of it"),
    ("machines", "lead_time_run_h", 1.0, "of it"),
    ("commit of a new model to production, median, h", "time_to_deploy_h", 1.0, ""),
    ("time to restore, mean, h", "time_to_restore_mean_h", 1.0, ""),
    ("detect", "detect_mean_h", 1.0, "of it"),
    ("respond", "respond_mean_h", 1.0, "of it"),
    ("diagnose", "diagnose_mean_h", 1.0, "of it"),
    ("remedy", "remedy_mean_h", 1.0, "of it"),
    ("change failure rate of new models, without decay, %", "failed_features", 0.01, ""),
    ("change failure rate by code, %", "change_failure_rate_code", 0.01, ""),
    ("by infrastructure, %", "change_failure_rate_infra", 0.01, ""),
    ("by models, decay included, %", "change_failure_rate_model", 0.01, ""),
    ("by dependencies, %", "change_failure_rate_dependency", 0.01, ""),
    ("incidents that a rollback ends, %", "rolled_back", 0.01, ""),
)


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return the rows as a table, in the units that they are shown in."""
    return pd.DataFrame(
        {
            "section": row.section,
            "key": row.key,
            "quantity": row.what,
            "simulated_for": row.where,
            "published": row.published,
            "source": row.source.name,
            "trust": row.source.tag,
            "origin": row.origin,
            "unit": row.unit,
            "mean": row.value.mean,
            "ci_low": row.value.low,
            "ci_high": row.value.high,
            "accepted": _accepted(row.accepted),
            "verdict": row.verdict,
            "note": row.note,
            "meaning": meaning(row),
        }
        for row in rows
    )


def tally(rows: Sequence[Row]) -> str:
    """Return how many rows came out how; what is partly put in is counted apart."""
    parts = []
    for origin, words in (
        ("emerges", "what emerges"),
        ("in part put in", "what is in part put in"),
    ):
        verdicts = [row.verdict for row in rows if row.origin == origin]
        judged = [verdict for verdict in verdicts if verdict != "not judged"]
        counts = (
            f"{judged.count(verdict)} {verdict.removesuffix('s')}"
            for verdict in ("agrees", "undecided", "disagrees", "no data")
            if verdict in judged
        )
        parts.append(f"{len(judged)} judged rows of {words}: {', '.join(counts)}")
    return "; ".join(parts) + "."


def page(results: Results, rows: Sequence[Row], replications: int, seed: int) -> str:
    """Return the page.

    Args:
        results: what was simulated.
        rows: what :func:`sim.validation.rows.all_rows` made of it.
        replications: of each organization.
        seed: root of the random numbers.
    """
    parts = [
        "# Validation against published surveys",
        "<!-- Generated by `python -m sim.validation`; edit sim/validation/ and run it again. -->",
        f"Made by `python -m sim.validation --replications {replications} --seed {seed}`. All rows "
        "in numbers: [validation.csv](../results/validation/validation.csv).",
        _introduction(),
        "![times to deploy, presets, restore times and shares, simulated beside published]"
        "(../results/validation/validation.png)",
        "## In short",
        tally(rows),
        *_in_short(rows),
        "## What counts as agreement",
        _rules(),
        "## What is simulated",
        _simulated(),
    ]
    for section in [value for name, value in vars(Section).items() if not name.startswith("_")]:
        own = [row for row in rows if row.section == section]
        parts.append(f"## {section}")
        parts += [*_section(section, own), *_explained(own)]
    parts += [
        "## Inputs, which are no evidence",
        "The scenarios take these from the same sources; that they come out again says nothing.",
        _table(
            ("published", "source", "trust", "where it is put in"),
            [(what, source.name, source.tag, where) for what, source, where in _INPUTS],
        ),
        "## Where it comes from",
        f"The maturity presets in the {PRESETS_IN} organization, means over replications, from the "
        "event tables. What the disagreements above are put down to can be followed here.",
        _trace(results),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction() -> str:
    return (
        "Published figures beside simulated ones, each with its 95 % interval over replications. "
        "*Trust*: R read in the source's own text, R2 read in somebody's summary of it, M from "
        "memory. *Origin*: a value *emerges* from mechanisms whose numbers have other sources or "
        "are guesses; it is *in part put in* where one of these numbers was taken from the same "
        "source, and *put in* where nothing else decides; the latter are no evidence and are not "
        "judged. Most numbers of the scenarios are guesses, so agreement says that the mechanisms "
        "and guesses together are plausible, not that each of them is right. Nothing was tuned to "
        "these figures: a disagreement is left as it is."
    )


def _in_short(rows: Sequence[Row]) -> Iterator[str]:
    wrong = [row for row in rows if row.verdict == "disagrees"]
    if not wrong:
        yield "No judged row disagrees."
        return
    yield "It disagrees in:"
    groups: dict[str, list[Row]] = {}
    for row in wrong:
        groups.setdefault(meaning(row), []).append(row)
    yield "\n".join(f"- {_short(own)} {text}" for text, own in groups.items())


def _short(rows: Sequence[Row]) -> str:
    """Return rows that have one explanation in a line: simulated, published, where."""
    places = list(dict.fromkeys(row.where for row in rows))
    published = " or ".join(dict.fromkeys(row.published for row in rows))
    values = "; ".join(
        f"{row.what}{f' ({row.where})' if len(places) > 1 else ''} "
        f"{_number(row.value)} {row.unit}".rstrip()
        for row in rows
    )
    where = f" ({places[0]})" if len(places) == 1 else ""
    return f"**{values}**, against: {published}{where}."


def _rules() -> str:
    return (
        "The same rules for all rows, set before the comparison was first made and not changed "
        "since. "
        "A survey's wording, its respondents and people's estimates are not the model's, so a "
        "figure is the place of a value and not its digits.\n\n"
        "- A published band (the clusters of DORA) is taken as it is; with a hole between two "
        "clusters, the hole agrees with neither.\n"
        f"- A single duration or frequency agrees within a factor of {TIMES:g}, a share if its "
        f"odds do within a factor of {ODDS:g} (40 % with 31 to 50 %, 11 % with 8 to 16 %), a "
        f"distribution if its cumulative shares are within {DISTANCE:.2f} at every published edge, "
        "both scaled to those who gave an answer.\n"
        "- *Agrees*: the mean is within these limits. *Disagrees*: the whole interval is outside. "
        "*Undecided*: the mean is outside and a part of the interval inside.\n"
        "- An order of levels agrees if the highest is certainly better than the lowest and none "
        "is certainly worse than the one below it; it disagrees if one is. Certainly: Student's "
        "interval of the paired relative differences, under common random numbers, adjusted by "
        "Holm's method for all comparisons of the table. A correlation agrees if its interval has "
        "the published sign.\n"
        "- Which level of maturity belongs to which cluster is published nowhere. Expected is the "
        "place by rank, give or take a cluster: the lowest level medium or low, the highest ones "
        "elite or high, those between high or medium."
    )


def _simulated() -> str:
    weeks = "; ".join(f"{size} {w} + {o}" for size, (w, o) in WEEKS.items())
    levels = ", ".join(f"{level} {100 * share:.0f}" for level, share in LEVELS.items())
    return (
        f"- **Presets** are compared in the {PRESETS_IN} organization, the one of the claims: the "
        "smallest with several teams, a platform group and services that depend on each other, "
        "which the higher levels are about.\n"
        f"- **{_LARGE.capitalize()}** stands for the firms that published figures about their own "
        "incidents (Google, Microsoft): the largest organization at the highest of Google's "
        "levels. The population is shown beside it and not judged.\n"
        "- **Population**, for surveys of many firms: every size of organization at every of "
        f"Microsoft's levels, in all {len(SIZES) * len(MICROSOFT)} cells. Levels count as the "
        f"clusters of DORA 2019 did, from low to elite ({levels} %, of 99; the upper two levels, "
        "both with automated delivery, share the elite): the only published shares of respondents "
        "along such a scale, although of software delivery in general, not of machine learning. "
        "Sizes count a quarter each: one in four respondents of DORA 2019 worked for more than "
        "10,000 people (R2), which is the enterprise, and for the others nothing comparable is "
        "published. Size and level are independent for want of anything better. No weight was "
        "fitted; how much hangs on them is shown.\n"
        "- **A respondent** is a team, and answers with what is usual there (the median), since "
        "DORA asks about the service that somebody works on. Every organization counts alike, "
        "however many teams it has.\n"
        f"- Weeks of warm-up and observation: {weeks}."
    )


_LARGE = " at ".join(LARGE_FIRM)


def _section(section: str, rows: Sequence[Row]) -> Iterator[str]:
    if section == Section.BANDS:
        yield _bands(rows)
        return
    if section == Section.ORDER:
        yield (
            "The clusters themselves, < is better; in every year the ends are in order in all four "
            "metrics, while neighbours tie at times, and in 2024 the medium cluster fails less "
            "often than the high one. From 2023 on restoring means recovery from a failed "
            "deployment. A tie asks for no difference, so only a certain step down contradicts."
        )
        yield _table(
            ("year", "deployment frequency", "lead time", "change failure rate", "restore"),
            [(str(year), *clusters) for year, clusters in of.PUBLISHED_ORDERS.items()],
        )
        yield (
            "How much better the highest level is than the lowest, and which single steps are "
            "certain. Correlations are over the cells of the population, each once."
        )
    yield _rows(rows)


def _bands(rows: Sequence[Row]) -> str:
    by_key = {row.key: row for row in rows}
    shown = [name for name, metric in METRICS.items() if metric.bands]
    body = []
    for level, clusters in EXPECTED.items():
        cells = [level, " or ".join(clusters)]
        for name in shown:
            row = by_key[f"band {level} {name}"]
            cells.append(f"{_estimate(row.value, row.unit)}: {row.note} {_SIGNS[row.verdict]}")
        body.append(cells)
    head = ("preset", "expected cluster", *(METRICS[name].name for name in shown))
    table = _table(head, body)
    return (
        f"{rows[0].where}; source: {of.DORA_2019.name} ({of.DORA_2019.tag}); everything emerges. "
        f"The cluster is that of the mean. ✓ agrees, ✗ disagrees, ? undecided.\n\n{table}"
    )


def _rows(rows: Sequence[Row]) -> str:
    head = ("quantity", "published", "source", "simulated for", "simulated", "origin", "verdict")
    body = []
    for row in rows:
        verdict: str = row.verdict
        if row.accepted and row.verdict != "not judged":
            verdict += f" (with {_accepted(row.accepted)} {row.unit})".replace(" )", ")")
        if row.note:
            verdict += f"; {row.note}"
        source = f"{row.source.name} ({row.source.tag})" if row.published else ""
        body.append(
            (
                row.what,
                row.published,
                source,
                row.where,
                _estimate(row.value, row.unit),
                row.origin,
                verdict,
            )
        )
    return _table(head, body)


def _explained(rows: Sequence[Row]) -> Iterator[str]:
    """Return what the judged rows of a section say about the model, each thing once."""
    texts = dict.fromkeys(meaning(row) for row in rows if row.verdict != "not judged")
    lines = [f"- {text}" for text in texts if text]
    if lines:
        yield "**What that says about the model.**\n\n" + "\n".join(lines)


def _trace(results: Results) -> str:
    levels = [*GOOGLE, *MICROSOFT[1:]]  # Microsoft's level 0 has the practices of Google's
    body = []
    for words, name, size, of_what in _TRACE:
        label = f"{of_what} {words}".strip()
        body.append([label, *(_mean(results, level, name, size) for level in levels)])
    return _table(("", *levels), body)


def _mean(results: Results, level: str, name: str, size: float) -> str:
    values: FloatArray = results.figure(Cell(PRESETS_IN, level), name) / size
    return format_number(simulated(values).mean) if np.isfinite(values).any() else NO_DATA


def _estimate(value: Simulated, unit: str) -> str:
    if math.isnan(value.mean):
        return NO_DATA
    if math.isnan(value.low):
        return f"{_number(value)} {unit}".rstrip()
    decimals = decimals_for(value.mean, (value.high - value.low) / 2)
    low, high = value.low, value.high
    if unit:  # all but distances and correlations are durations, rates and shares
        low = max(low, 0.0)
    if unit == "%":
        high = min(high, 100.0)
    ends = ", ".join(format_number(end, decimals) for end in (low, high))
    text = f"{format_number(value.mean, decimals)} [{ends}] {unit}".rstrip()
    return text.replace("-", _MINUS)


def _number(value: Simulated) -> str:
    if math.isnan(value.low):
        return format_number(value.mean).replace("-", _MINUS)
    decimals = decimals_for(value.mean, (value.high - value.low) / 2)
    return format_number(value.mean, decimals).replace("-", _MINUS)


def _accepted(ranges: Sequence[Accepted]) -> str:
    return " or ".join(f"{low:.3g} to {high:.3g}" for low, high in ranges)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )
