"""Sentences, rows and warnings of a report on a study or on records.

The terminal and the HTML report show the same rows, sentences and warnings. They are derived here
from the numbers of a study, or of the records of an organization.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.document.document import BarKind, Caveat, Tile, Tiles, Tone
from sim.experiment.intervals import FEWEST_TO_JUDGE
from sim.experiment.pooled import FEWEST
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_WEEK
from sim.log import Records
from sim.metrics import catalogue
from sim.metrics.arrays import AbsentError, known
from sim.metrics.bands import dora_band, has_bands
from sim.metrics.catalogue import DURATION, Metric, headlines
from sim.metrics.flow import LEAD_TIME_PARTS
from sim.metrics.restore import PHASES, POOLED
from sim.metrics.series import weekly_columns
from sim.metrics.warmup import mser5
from sim.report.evidence import Evidence, Observation, breakdown
from sim.report.units import (
    NO_DATA,
    UNKNOWN,
    Estimate,
    count_noun,
    format_estimate,
    format_number,
    format_percent,
    format_value,
    share_in_words,
    value_in_words,
)
from sim.words import capitalized, listed, readable

DORA_YEAR = 2019
"""The DORA table that the bands are from; later ones judge another kind of restore time."""

FOOTNOTE = (
    "Times are medians unless they are called mean. Every number is the mean over the "
    "replications, but medians over incidents are over those of all replications together; count "
    "is what the number of one replication rests on."
)
FOOTNOTE_ON_RECORDS = (
    "Times are medians unless they are called mean; count is what the number rests on."
)


FOUR = "The four metrics and their companions"
LEAD_TIME = "Where lead time goes"
RESTORE_TIME = "Where restore time goes"
COURSE = "Course over time"
"""Titles of sections that caveats and pictures belong to."""

NOT_IN_WORTH = (
    "Net cost takes off one price per deployed feature. What better models, fixes and upkeep bring "
    "is not in it, nor are users and revenue."
)


class Component(NamedTuple):
    """A part of a whole that is drawn: where it stands in a table, and what it is."""

    column: str
    """The column of a :class:`sim.experiment.breakdowns.Breakdowns`."""
    metric: Metric

    @property
    def label(self) -> str:
        """Its name in a legend or table."""
        return self.metric.name_as_part


LEAD_TIME_COMPONENTS = tuple(
    Component(column, catalogue.metric(f"lead_time_{part}_h"))
    for part, (column, _, _) in LEAD_TIME_PARTS.items()
)
RESTORE_COMPONENTS = tuple(
    Component(f"{phase}_h", catalogue.metric(f"{phase}_mean_h")) for phase in PHASES
)
EFFORT_COMPONENTS = tuple(
    Component(part.name, part) for part in catalogue.parts_of("capacity_h_per_week")
)


class MetricRow(NamedTuple):
    """A metric of a study or of records, ready to print."""

    metric: str
    label: str
    estimate: Estimate
    bands: tuple[str, ...]
    """DORA bands that the interval touches, best first; empty if DORA has none for the metric."""
    basis: str
    """The count that the number of a replication rests on, such as ``212 deployments``; empty if
    there is none."""


class PartRow(NamedTuple):
    """A part of a mean time or of the cost, or the utilization of a resource."""

    label: str
    kind: BarKind
    value: float
    """Mean hours or money, NaN if there is no data; for a utilization, the share."""
    share: float
    """Share of the total."""


def setting(study: Study) -> str:
    """Return on how many replications, weeks and which seed a study rests."""
    scenario = study.scenario
    observed = scenario.horizon_weeks - scenario.warmup_weeks
    return (
        f"{count_noun(len(study.runs), 'replication')} of {count_noun(observed, 'week')} after "
        f"{count_noun(scenario.warmup_weeks, 'week')} of warm-up · seed {study.seed}"
    )


def setting_of_records(records: Records) -> str:
    """Return which time and how many services the records of an organization cover."""
    start, end = (edge / HOURS_PER_WEEK for edge in records.window)
    told = (
        f"{count_noun(round(end - start, 1), 'week')} from week "
        f"{format_number(start, 0 if start.is_integer() else 1)}"
    )
    if "services" in records.tables:
        told = f"{count_noun(len(records.tables['services']), 'service')} · {told}"
    return told if records.timezone is None else f"{told} · {records.timezone}"


def practices(study: Study) -> list[str]:
    """Return the practices in force and the roadmap in a line each; a line without is left out."""
    scenario = study.scenario
    by_level: dict[str, list[str]] = {}
    for practice, level in scenario.practices.items():
        by_level.setdefault(readable(level), []).append(readable(practice))
    in_force = [f"{level} ({', '.join(names)})" for level, names in by_level.items()]
    planned = [
        f"{readable(item.practice)} {readable(item.level)} from week {item.start_week}"
        for item in scenario.roadmap
    ]
    lines = []
    if in_force:
        lines.append(f"Practices: {', '.join(in_force)}")
    if scenario.practice_reach:
        found = [
            f"{reach.here} of the {reach.settings} settings of {readable(practice)}"
            for practice, reach in scenario.practice_reach.items()
        ]
        lines.append(
            f"Of practices only these parts find a step here: {', '.join(found)}; "
            "no step is of a stage that the others are about"
        )
    if planned:
        lines.append(f"Roadmap: {', '.join(planned)}")
    return lines


def bands_between(metric: str, low: float, high: float) -> tuple[str, ...]:
    """Return the DORA bands that an interval touches, best first.

    Args:
        metric: One of the four metrics.
        low: Lower end of the interval, in the unit of the metric.
        high: Upper end; may equal `low`.
    """
    if math.isnan(low) or math.isnan(high):
        return (dora_band(metric, math.nan, DORA_YEAR),)
    low = max(low, 0.0)
    # Bands are intervals far wider than a thousandth of any range on a logarithmic scale.
    start = max(low, high * 1e-6)
    inside = np.geomspace(start, high, 1000).tolist() if start > 0.0 else []
    values = [low, *inside, high]
    bands = tuple(dict.fromkeys(dora_band(metric, value, DORA_YEAR) for value in values))
    return bands[::-1] if catalogue.metric(metric).better == "more" else bands


def band_words(bands: Sequence[str]) -> str:
    """Return bands as a table shows them: ``high``, ``high or medium``, ``elite to low``."""
    if len(bands) < 3:
        return " or ".join(bands)
    return f"{bands[0]} to {bands[-1]}"


def mean_and_interval(evidence: Evidence, metric: str) -> tuple[float, float, float]:
    """Return mean, lower and upper end of the interval of a metric, NaN where there is none."""
    summary = evidence.summary()
    mean, low, high = (summary[column][metric] for column in ("mean", "ci_low", "ci_high"))
    return float(mean), float(low), float(high)


def metric_rows(evidence: Evidence, metrics: Sequence[str]) -> list[MetricRow]:
    """Return a row per metric with its estimate, DORA bands and count."""
    means = evidence.summary()["mean"]
    rows = []
    for name in metrics:
        metric = metric_of(evidence, name)
        mean, low, high = mean_and_interval(evidence, name)
        bands: tuple[str, ...] = ()
        if has_bands(name, DORA_YEAR):
            bands = bands_between(name, *((mean, mean) if math.isnan(low) else (low, high)))
        basis = ""
        if metric.rests_on is not None:
            count = float(means[metric.rests_on])
            if isinstance(evidence, Observation):
                count = evidence.basis.get(name, count)
            noun = catalogue.metric(metric.rests_on).noun
            basis = "" if math.isnan(count) else count_noun(count, noun)
        estimate = format_estimate(metric, mean, low, high)
        if isinstance(evidence, Study) and math.isnan(low) and not math.isnan(mean):
            estimate = estimate._replace(interval=UNKNOWN)
        rows.append(MetricRow(name, metric.label, estimate, bands, basis))
    return rows


def metric_of(evidence: Evidence, name: str) -> Metric:
    """Return a metric, in the currency of the records if it is money."""
    return catalogue.metric(name).priced_in(evidence.records.currency)


def part_rows(evidence: Evidence, whole: str) -> list[PartRow]:
    """Return the parts of a metric, with their share of the total."""
    means = evidence.summary()["mean"]
    total = float(means[whole])
    return [
        PartRow(part.name_as_part, part.part_kind, value, value / total if total > 0 else math.nan)
        for part in catalogue.parts_of(whole)
        for value in [float(means[part.name])]
    ]


def is_priced(evidence: Evidence) -> bool:
    """Return whether anything costs anything or is worth anything."""
    means = evidence.summary()["mean"]
    return bool(means["cost_per_week"] > 0.0 or means["worth_per_week"] > 0.0)


def net_cost_lines(evidence: Evidence) -> list[tuple[str, float]]:
    """Return what stands below the bill: name and money.

    The worth of features and the net cost are left out if features are worth nothing.
    """
    means = evidence.summary()["mean"]

    def line(name: str, sign: float = 1.0) -> tuple[str, float]:
        return catalogue.metric(name).label, sign * float(means[name])

    lines = [line("cost_per_deployment")]
    if means["worth_per_week"] > 0.0:
        lines = [line("worth_per_week", -1.0), line("net_cost_per_week"), *lines]
    return lines


def step_name(step: Hashable) -> str:
    """Return the name of a pipeline step as people write it."""
    # The log has the author's work on a change that came back as a step of its own.
    return "rework by author" if step == "rework" else readable(str(step))


def roles_in_order(evidence: Evidence, roles: Iterable[Hashable]) -> list[Hashable]:
    """Return roles in the one order that all of a report has: the busiest first."""
    means = evidence.summary()["mean"]

    def idleness(role: Hashable) -> float:
        busy = float(means.get(f"utilization_{role}", math.nan))
        return math.inf if math.isnan(busy) else -busy

    return sorted(roles, key=idleness)


def utilization_rows(evidence: Evidence) -> list[PartRow]:
    """Return the mean utilization of every role and kind of compute, busiest first."""
    means = evidence.summary()["mean"]
    rows = [
        PartRow(metric.name_as_part, metric.part_kind, float(value), float(value))
        for metric in catalogue.members("utilization_", means.index)
        for value in [means[metric.name]]
        if isinstance(evidence, Study) or not math.isnan(value)
    ]
    return sorted(rows, key=lambda row: -row.share if not math.isnan(row.share) else math.inf)


def caveats(evidence: Evidence) -> list[Caveat]:
    """Return what a reader has to know before believing the numbers, the serious ones first."""
    found = caveats_of_what_happened(evidence)
    if isinstance(evidence, Study):
        found += [*_precision(evidence), *warm_up_caveats(evidence)]
    else:
        found.append(_once(evidence))
    return sorted(found, key=lambda caveat: not caveat.is_serious)


def caveats_of_what_happened(evidence: Evidence) -> list[Caveat]:
    """Return those caveats that are about what happened, not about how often it was simulated."""
    few = _few_incidents(evidence) if isinstance(evidence, Study) else []
    return [
        *_unstable(evidence),
        *few,
        *_censoring(evidence),
        *_unseen_failures(evidence),
        *_without_data(evidence),
    ]


def instability(evidence: Evidence) -> str:
    """Return the flag that all tables and pictures carry if it is unstable, else nothing."""
    unstable = int(evidence.runs["unstable"].sum())
    if not unstable:
        return ""
    if isinstance(evidence, Observation):
        return "unstable"
    return f"unstable in {unstable} of {count_noun(len(evidence.runs), 'replication')}"


def _unstable(evidence: Evidence) -> list[Caveat]:
    flag = instability(evidence)
    if not flag:
        return []
    text = (
        f"{flag.capitalize()}: work in progress kept growing, so these lead times depend on how "
        f"long {'it was watched' if isinstance(evidence, Observation) else 'the simulation ran'}."
    )
    short = f"{flag.capitalize()}: work in progress kept growing."
    return [Caveat(True, text, LEAD_TIME, short)]


def _once(observation: Observation) -> Caveat:
    if observation.interval_method:
        text = f"One observation: all this happened once. {observation.interval_method}"
        return Caveat(False, text)
    text = (
        "One observation: all this happened once, so there are no intervals. How much of it is "
        "chance, the records cannot say."
    )
    return Caveat(False, text)


TARGET_PRECISION = 0.10
"""Half width of an interval, relative to its mean, that needs no remark (Law 2015, section 9.4)."""


FEW_REPLICATIONS = 5
"""Below this, half of the sweeps of a start-up or more find no difference at all."""

ENOUGH_TO_FIND = 6
"""Replications with which 97 % of them find some; `benchmarks/coverage.py` has the numbers."""


def few_replications(n: int) -> list[Caveat]:
    """Return a caveat if paired differences rest on few replications."""
    if n >= FEW_REPLICATIONS:
        return []
    if n < FEWEST_TO_JUDGE:
        only = "A single replication" if n == 1 else f"Only {count_noun(n, 'replication')}"
        text = (
            f"{only}: how sure the differences are, is unknown. {FEWEST_TO_JUDGE} are the fewest "
            f"that can tell, about {ENOUGH_TO_FIND} find something in most comparisons."
        )
        return [Caveat(True, text)]
    text = (
        f"Few replications: with {n}, intervals are wide and many differences are missed; about "
        f"{ENOUGH_TO_FIND} find something in most comparisons."
    )
    return [Caveat(False, text)]


def _precision(study: Study) -> list[Caveat]:
    replications = len(study.runs)
    if replications < 2:
        return [Caveat(True, "A single replication has no interval: how sure it is, is unknown.")]
    if replications < FEWEST_TO_JUDGE:
        text = (
            f"{count_noun(replications, 'replication').capitalize()} cannot tell how sure the "
            f"numbers are: intervals are unknown. {FEWEST_TO_JUDGE} are the fewest that can."
        )
        return [Caveat(True, text)]
    wide, unknown = {}, []
    for metric in headlines():
        mean, low, high = mean_and_interval(study, metric)
        if math.isnan(low) and not math.isnan(mean) and metric not in POOLED:
            unknown.append(catalogue.metric(metric).label)
        relative = (high - low) / 2 / mean if mean > 0.0 else math.nan
        if relative > TARGET_PRECISION:
            wide[metric] = relative
    found = []
    if unknown:
        text = (
            f"Unknown interval: the replications agree on {listed(unknown)}, or hardly any has "
            "seen it. That is no certainty; more replications would tell."
        )
        found.append(Caveat(False, text))
    if not wide:
        return found
    needed = replications * (max(wide.values()) / TARGET_PRECISION) ** 2
    # The half width is an estimate itself: more than two digits would pretend.
    rounded = math.ceil(round(needed, 1 - math.floor(math.log10(needed))))
    named = listed(
        [
            f"{catalogue.metric(metric).label} (±{format_percent(value)})"
            for metric, value in wide.items()
        ]
    )
    text = (
        f"Few replications: the interval of {named} is wider than "
        f"±{format_percent(TARGET_PRECISION)} of the mean; "
        f"about {format_number(rounded)} replications would narrow it to that."
    )
    return [*found, Caveat(False, text)]


SETTLING = ("work_in_progress", "lead_time_h")
"""Columns of the weekly series that tell whether the warm-up was long enough."""


def warm_up_caveats(study: Study) -> list[Caveat]:
    """Return a caveat if MSER-5 suggests a longer warm-up than was left out."""
    suggested = {
        weekly_columns()[column].label: week
        for column in SETTLING
        if (week := suggested_warm_up(study.weekly, column)) > study.scenario.warmup_weeks
    }
    if not suggested:
        return []
    named = listed([f"{week} for {label}" for label, week in suggested.items()])
    text = (
        f"Warm-up: {study.scenario.warmup_weeks} weeks are left out, MSER-5 suggests {named}. "
        "Look at the course over time."
    )
    short = f"Warm-up: {study.scenario.warmup_weeks} weeks may be too short ({COURSE.lower()})."
    return [Caveat(True, text, COURSE, short)]


def suggested_warm_up(weekly: pd.DataFrame, column: str) -> int:
    """Return the number of weeks that MSER-5 would leave out of the mean over replications.

    Args:
        weekly: The weekly series of the replications, with the columns `week` and `column`.
        column: The observation to judge by.
    """
    return mser5(weekly.groupby("week")[column].mean())


def _censoring(evidence: Evidence) -> list[Caveat]:
    means = evidence.summary()["mean"]
    unfinished, incidents = float(means["n_unfinished"]), float(means["n_open_incidents"])
    if not (unfinished > 0.0 or incidents > 0.0):
        return []
    changes = float(means["n_changes_deployed"]) + unfinished
    share = unfinished / changes if changes > 0.0 else 0.0
    told = []
    if not math.isnan(unfinished):
        told.append(count_noun(unfinished, "change"))
        if unfinished > 0.0 and not math.isnan(changes):
            told[0] += f" ({format_percent(share)} of those deployed or unfinished)"
    if not math.isnan(incidents):
        told.append(count_noun(incidents, "incident"))
    end, average = "at the end of a replication", ", on average"
    left_out = "The times of unfinished work are not in the numbers."
    if isinstance(evidence, Observation):
        end, average = "at the end", ""
        if evidence.open_durations:
            left_out = "Only Kaplan and Meier's medians count the times of unfinished work."
    going_on = f"Still going on {end}: {listed(told)}{average}."
    return [Caveat(share > 0.1, f"{going_on} {left_out}", FOUR, going_on)]


def _unseen_failures(evidence: Evidence) -> list[Caveat]:
    """Say what the change failure rate lacks, as late deployments have not been watched long."""
    unseen, *_ = mean_and_interval(evidence, "change_failure_rate_unseen")
    rate, low, high = mean_and_interval(evidence, "change_failure_rate")
    if math.isnan(unseen) or not rate > 0.0:
        return []
    points = "less than 0.1" if unseen < 0.0005 else f"about {format_number(100 * unseen, 1)}"
    lacking = (
        f"Failures that have not shown themselves by the end would add {points} points to the "
        "change failure rate"
    )
    if math.isnan(low):
        return [Caveat(False, f"{lacking}.", FOUR)]
    if unseen < (high - low) / 2.0:
        return [Caveat(False, f"{lacking}: negligible beside its interval.", FOUR)]
    text = f"{lacking}, more than its interval allows for: watch it for longer."
    short = f"Change failure rate: {points} points are missing, as late failures are not seen yet."
    return [Caveat(True, text, FOUR, short)]


def _few_incidents(study: Study) -> list[Caveat]:
    if study.restored is None or len(study.runs) < 2:
        return []
    counts = {name: int(counted(study.restored).sum()) for name, counted in POOLED.items()}
    few = {name: count for name, count in counts.items() if 0 < count < FEWEST}
    if not few:
        return []
    named = listed([f"{catalogue.metric(name).label} ({count})" for name, count in few.items()])
    text = (
        f"Fewer than {FEWEST} incidents in all replications together: {named}. Such a median has "
        "no interval."
    )
    return [Caveat(False, text, RESTORE_TIME)]


def _without_data(evidence: Evidence) -> list[Caveat]:
    counts = evidence.summary()["n"]
    if isinstance(evidence, Observation):
        lacking = [m for m in headlines() if counts[m] == 0 and m not in evidence.bounded]
        unknown = [catalogue.metric(m).label for m in lacking]
        text = (
            f"No data for {listed(unknown)}: nobody recorded what is needed, or nothing happened."
        )
        return [Caveat(False, text)] if unknown else []
    missing = {m: int(counts[m]) for m in headlines() if counts[m] < len(evidence.runs)}
    if not missing:
        return []
    named = listed(
        [f"{catalogue.metric(m).label} rests on {count}" for m, count in missing.items()]
    )
    text = f"Replications without data are left out: of {len(evidence.runs)}, {named}."
    return [Caveat(False, text)]


def sentences(evidence: Evidence) -> list[str]:
    """Return what the evidence says, in plain sentences derived from its numbers.

    Sentences for which there is no data are left out.
    """
    means = evidence.summary()["mean"]
    if means["n_deployments"] == 0.0 and not means["n_changes_deployed"] > 0.0:
        return ["Nothing was deployed in the observed time, so there is little to say."]
    said = [
        _delivering(means),
        _stability(means),
        _standing(evidence),
        _waiting(evidence),
        _bottleneck(evidence),
        _restoring(evidence),
        _busiest(evidence),
        _effort(evidence),
        _quality(means),
        _bill(evidence),
    ]
    return [sentence for sentence in said if sentence]


_BANDS: dict[str, Tone] = {"elite": "elite", "high": "high", "medium": "medium", "low": "low"}


def band_tone(bands: Sequence[str]) -> Tone:
    """Return how bands stand out: a single one by its colour, several not at all."""
    return _BANDS.get(bands[0], "") if len(bands) == 1 else ""


def tiles(evidence: Evidence) -> Tiles:
    """Return the four metrics with their intervals and bands."""
    rows = metric_rows(evidence, headlines())
    once = isinstance(evidence, Observation)
    items = [
        Tile(
            row.label,
            row.estimate.value,
            " · ".join(filter(None, (row.estimate.interval, row.basis if once else ""))),
            band_words(row.bands).replace("/", " / "),
            band_tone(row.bands),
            name=row.metric,
        )
        for row in rows
    ]
    medians = "Times are medians"
    if isinstance(evidence, Observation) and not evidence.interval_method:
        return Tiles(items, f"{medians}. Bands: DORA {DORA_YEAR}.")
    return Tiles(items, f"{medians}; 95 % intervals. Bands: DORA {DORA_YEAR}.")


def where_time_goes(evidence: Evidence) -> str:
    """Return in a sentence what the largest part of lead time is, and how much of it is waiting.

    It is empty if nobody knows, or nothing takes any time.
    """
    rows = part_rows(evidence, "lead_time_mean_h")
    if any(math.isnan(row.share) for row in rows):
        return ""
    total = float(evidence.summary()["mean"]["lead_time_mean_h"])
    largest = max(rows, key=lambda row: row.value)
    waiting = sum(row.share for row in rows if row.kind == "waiting")
    return (
        f"The largest part of lead time is {largest.label}: {format_percent(largest.share)} of "
        f"{value_in_words(DURATION, total)} on average; all waiting together is "
        f"{format_percent(waiting)}."
    )


def _said(means: pd.Series, metric: str) -> str:
    return value_in_words(catalogue.metric(metric), float(means[metric]))


def _delivering(means: pd.Series) -> str:
    parts = []
    if not math.isnan(float(means["deployment_frequency"])):
        parts.append(f"a service is deployed {_said(means, 'deployment_frequency')}")
    if not math.isnan(float(means["lead_time_h"])):
        lead_time = _said(means, "lead_time_h")
        parts.append(f"a change takes {lead_time} from commit to production (median)")
    return f"{capitalized(', and '.join(parts))}." if parts else ""


def _stability(means: pd.Series) -> str:
    failing = float(means["change_failure_rate"])
    if math.isnan(failing):
        return ""
    if failing == 0.0:
        return "No deployment caused an incident."
    said = f"{format_percent(failing)} of the deployments cause an incident"
    causes = catalogue.parts_of("change_failure_rate")
    known = {cause.name_as_part: float(means[cause.name]) for cause in causes}
    if not any(math.isnan(share) for share in known.values()):
        worst = max(known, key=lambda cause: known[cause])
        said += f"; the most common cause is {worst} ({format_percent(known[worst])})"
    said += "."
    if not math.isnan(float(means["time_to_restore_h"])):
        said += f" Service is restored after {_said(means, 'time_to_restore_h')} (median)."
    return said


def _standing(evidence: Evidence) -> str:
    rows = metric_rows(evidence, headlines())
    placed = [f"{band_words(row.bands)} for {row.label}" for row in rows if row.bands]
    if isinstance(evidence, Observation):
        placed = [words for words in placed if not words.startswith(NO_DATA)]
        if not placed:
            return ""
    return f"In DORA's {DORA_YEAR} survey this would be {listed(placed)}."


def _waiting(evidence: Evidence) -> str:
    rows = part_rows(evidence, "lead_time_mean_h")
    if any(math.isnan(row.share) for row in rows):  # nothing takes any time, or nobody knows
        return ""
    share = {
        kind: sum(row.share for row in rows if row.kind == kind)
        for kind in ("waiting", "work", "rework")
    }
    said = f"Lead time is {format_percent(share['waiting'])} waiting"
    waits = sorted((row for row in rows if row.kind == "waiting"), key=lambda row: -row.value)
    parts = [
        f"{share_in_words(row.share / share['waiting'])} is {row.label.removeprefix('waiting ')}"
        for row in waits
        if row.share >= 0.05 * share["waiting"] > 0.0
    ]
    if parts:
        said += f"; of the waiting, {listed(parts)}"
    return (
        f"{said}. Work of people and machines is {format_percent(share['work'])} of it, "
        f"rework {format_percent(share['rework'])}."
    )


def _bottleneck(evidence: Evidence) -> str:
    """Say at which step and for whom a change waits."""
    try:
        steps = breakdown(evidence, "steps")
    except AbsentError:
        return ""
    kinds = {part.column: part.metric.part_kind for part in LEAD_TIME_COMPONENTS}
    waits = steps[[column for column, kind in kinds.items() if kind == "waiting"]]
    by_step = waits.sum(axis="columns")
    if not by_step.sum() > 0.0:
        return ""
    slowest = by_step.idxmax()
    whose = "A"
    if isinstance(evidence, Study) and evidence.breakdowns is None:
        whose = f"In replication {evidence.first.replication} a"
    said = (
        f"{whose} change waits longest at {step_name(slowest)} "
        f"({value_in_words(DURATION, float(by_step.max()))})"
    )
    nobody: pd.Series = pd.Series([], dtype=float)
    by_role = known(lambda: breakdown(evidence, "roles"), nobody)
    if by_role.sum() > 0.0:
        share = share_in_words(float(by_role.max() / by_role.sum()))
        role = readable(str(by_role.idxmax()))
        said += f", and {share} of the waiting for people is for the role {role}"
    return f"{said}."


def _restoring(evidence: Evidence) -> str:
    means = evidence.summary()["mean"]
    total = float(means["time_to_restore_mean_h"])
    if not total > 0.0:
        return ""
    phases = catalogue.parts_of("time_to_restore_mean_h")
    if any(math.isnan(float(means[phase.name])) for phase in phases):
        return (
            "From start of degradation to restored takes "
            f"{value_in_words(DURATION, total)} on average."
        )
    longest = max(phases, key=lambda phase: float(means[phase.name]))
    share = share_in_words(float(means[longest.name]) / total)
    return (
        f"From start of degradation to restored takes {value_in_words(DURATION, total)} on "
        f"average; the largest part, {share}, is the {longest.label}."
    )


def _busiest(evidence: Evidence) -> str:
    rows = [row for row in utilization_rows(evidence) if not math.isnan(row.share)]
    if not rows:
        return ""
    named = [f"{row.label} ({format_percent(row.share)})" for row in rows[:2]]
    return f"Utilization is highest for {', then '.join(named)}."


def _effort(evidence: Evidence) -> str:
    rows = part_rows(evidence, "capacity_h_per_week")
    if any(math.isnan(row.share) for row in rows):
        return ""
    *work, idle = rows
    # What is nothing needs no words.
    named = [f"{row.label} takes {format_percent(row.share)}" for row in work if row.share > 0.0]
    named.append(f"{format_percent(max(idle.share, 0.0))} are idle")
    return f"Of people's hours, {listed(named)}."


def _bill(evidence: Evidence) -> str:
    rows = [row for row in part_rows(evidence, "cost_per_week") if not math.isnan(row.share)]
    if not rows:
        return ""
    means = evidence.summary()["mean"]

    def money(name: str) -> str:
        return format_value(metric_of(evidence, name), float(means[name]))

    cost, each = money("cost_per_week"), money("cost_per_deployment")
    largest = max(rows, key=lambda row: row.share)
    said = f"All this costs {cost}, {share_in_words(largest.share)} of it for {largest.label}"
    return f"{said}, or {each}." if each != NO_DATA else f"{said}."


def _quality(means: pd.Series) -> str:
    below, stale = float(means["share_below_objective"]), float(means["staleness_h"])
    if math.isnan(below) or math.isnan(stale):
        return ""
    return (
        f"Model quality is below its objective {format_percent(below)} of the time, and the data "
        f"behind a live model are {value_in_words(DURATION, stale)} old on average."
    )
