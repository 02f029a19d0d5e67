"""From replications to verdicts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from sim.experiment.holm import adjusted_p_values, levels
from sim.experiment.intervals import Estimates, FloatArray, estimate, interval, p_value
from sim.experiment.parallel import Progress, observe_all
from sim.experiment.payback import BreakEven, adopted_week, break_even
from sim.experiment.run import Run
from sim.metrics import waiting_by_step, weekly_series
from sim.metrics.catalogue import Metric, metric
from sim.metrics.series import weekly_columns
from sim.scenario.organization import Scenario

from .claim import Claim, Expectation, contrast_of
from .load import Trial

Verdict = Literal["supported", "not supported", "contradicted", "reported"]


@dataclass(frozen=True)
class Observations:
    """The observations of one arm that a claim is judged by.

    Attributes:
        metrics: a row per replication, a column per metric.
        weekly: by column of the weekly series, (replications, weeks).
        step_hours: by step of the pipeline, the mean hours that a change spends there.
        currency: of amounts of money.
        adopted_week: in which a practice of its roadmap was adopted first, in the replication that
            adopted last; -inf without a roadmap, and infinity if one adopted nothing.
    """

    metrics: pd.DataFrame
    weekly: Mapping[str, FloatArray] = field(default_factory=dict)
    step_hours: Mapping[str, float] = field(default_factory=dict)
    currency: str = ""
    adopted_week: float = -math.inf


@dataclass(frozen=True)
class PartMovement:
    """The movement of a part of a metric, with the interval of this part alone."""

    metric: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """The outcome of one expectation.

    Attributes:
        claim: whose it is.
        expectation: what was expected.
        low: mean of the arms with negative weights, with these weights.
        high: mean of the arms with positive weights.
        difference: high - low.
        ci_low: lower end of its interval, adjusted by Holm's method for all findings of the run.
        ci_high: upper end.
        p_value: adjusted likewise, of the test that the verdict rests on.
        margin: largest difference that does not matter; NaN if the expectation has none.
        n: replications in which the metric of all these arms is known.
        unstable: replications of the worst of these arms whose work in progress kept growing.
        verdict: what this says about the expectation.
        trace: the parts of the metric, the one that moved most first; those that are known.
        currency: of amounts of money.
    """

    claim: Claim
    expectation: Expectation
    low: float
    high: float
    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    margin: float
    n: int
    unstable: int
    verdict: Verdict
    trace: tuple[PartMovement, ...]
    currency: str = ""

    @property
    def metric(self) -> Metric:
        """The quantity expected to move: a metric or, over some weeks, a column of the series."""
        name = self.expectation.metric
        found = weekly_columns()[name] if self.expectation.weeks else metric(name)
        return found.priced_in(self.currency)


def run_trials(
    trials: Sequence[Trial],
    replications: int,
    seed: int,
    n_jobs: int = -1,
    confidence: float = 0.95,
    start: Callable[[int], Progress] | None = None,
) -> list[Finding]:
    """Simulate all arms under common random numbers and judge every expectation.

    Arms that are alike are simulated once, and all replications of all arms are one list of work.

    Args:
        trials: what :func:`sim.claims.load.load_trials` returned.
        replications: of each arm.
        seed: root of all random numbers.
        n_jobs: parallel processes; -1 uses one per core.
        confidence: of the intervals of all findings together, see :func:`judge`.
        start: called with the number of replications to come; what it returns is called with the
            number of those done, each time one is.
    """
    place: dict[str, int] = {}
    scenarios: list[Scenario] = []
    for trial in trials:
        for scenario in trial.scenarios.values():
            key = _identity(scenario)
            if key not in place:
                place[key] = len(scenarios)
                scenarios.append(scenario)
    expectations = [e for trial in trials for e in trial.claim.expectations]
    columns = tuple(dict.fromkeys(e.metric for e in expectations if e.weeks is not None))
    steps = tuple(dict.fromkeys(e.own_time_of for e in expectations if e.own_time_of is not None))
    work = [(scenario, number) for scenario in scenarios for number in range(replications)]
    progress = None if start is None else start(len(work))
    observe = partial(_observe, columns=columns, steps=steps)
    observed = observe_all(work, seed, observe, n_jobs, progress)
    by_scenario = [
        _gather(observed[number * replications :][:replications], scenario.cost.currency)
        for number, scenario in enumerate(scenarios)
    ]
    arms = [
        {arm: by_scenario[place[_identity(s)]] for arm, s in trial.scenarios.items()}
        for trial in trials
    ]
    return judge([trial.claim for trial in trials], arms, confidence)


def _identity(scenario: Scenario) -> str:
    """Return what two scenarios share exactly if they are the same organization."""
    settings = {"name", "description", "replications", "seed", "n_jobs"}
    return scenario.model_dump_json(by_alias=True, exclude=settings)


class _Observation(NamedTuple):
    metrics: "pd.Series[float]"
    weekly: dict[str, FloatArray]
    step_hours: dict[str, float]
    adopted_week: float


def _observe(run: Run, columns: tuple[str, ...], steps: tuple[str, ...]) -> _Observation:
    """Return what verdicts need: small, since it travels from a worker to here."""
    weekly: dict[str, FloatArray] = {}
    step_hours: dict[str, float] = {}
    if columns:
        series = weekly_series(run.tables, run.scenario.horizon_weeks)
        weekly = {name: series[name].to_numpy(dtype=np.float64) for name in columns}
    if steps:
        by_step = waiting_by_step(run.tables, run.window).sum(axis="columns")
        step_hours = {name: float(by_step.get(name, 0.0)) for name in steps}
    adopted = adopted_week(run.tables["investments"]) if run.scenario.roadmap else -math.inf
    return _Observation(run.metrics(), weekly, step_hours, adopted)


def _gather(observed: Sequence[_Observation], currency: str) -> Observations:
    first = observed[0]
    return Observations(
        pd.DataFrame([one.metrics for one in observed], index=range(len(observed))),
        {name: np.array([one.weekly[name] for one in observed]) for name in first.weekly},
        {
            name: float(np.mean([one.step_hours[name] for one in observed]))
            for name in first.step_hours
        },
        currency,
        max(one.adopted_week for one in observed),
    )


def judge(
    claims: Sequence[Claim],
    arms: Sequence[Mapping[str, Observations]],
    confidence: float = 0.95,
) -> list[Finding]:
    """Judge every expectation of ``claims``.

    An expectation is about a contrast: a weighted sum over arms, taken replication by replication.
    Its interval is Student's, with the confidence that Holm's method gives it among all
    expectations judged here (:func:`sim.experiment.holm.levels`): the probability that any verdict
    but "not supported" is wrong is at most 1 - ``confidence``. What is tested, two-sided, is

    - for ``+``, ``-`` and ``report``: a difference of zero. Supported if the interval is on the
      expected side of zero, contradicted if it is on the other;
    - for ``none``: equivalence. Supported if the interval lies within ± margin, contradicted if it
      lies wholly outside. An interval that merely contains zero supports nothing: too few
      replications would be enough for that;
    - for ``not +`` (``not -`` likewise): that it is not higher by more than the margin. Supported
      if the interval lies below the margin, contradicted if it lies above.

    Everything else is not supported: the interval does not decide it. A relative margin is that
    share of the mean of the arms with negative weights, and the own time of a step is that of these
    arms; both are taken as known.

    Args:
        claims: the claims.
        arms: for each claim, what was observed in each of its arms.
        confidence: between 0 and 1.
    """
    cases = [
        (claim, expectation, observed)
        for claim, observed in zip(claims, arms, strict=True)
        for expectation in claim.expectations
    ]
    contrasts = [_contrast(expectation, observed) for _, expectation, observed in cases]
    margins = [
        _margin(expectation, low, observed)
        for (_, expectation, observed), (_, low, _) in zip(cases, contrasts, strict=True)
    ]
    estimates = [estimate(values[:, np.newaxis]) for values, _, _ in contrasts]
    p = np.array(
        [
            _p_value(expectation, estimated, margin)
            for (_, expectation, _), estimated, margin in zip(
                cases, estimates, margins, strict=True
            )
        ]
    )
    level, adjusted = levels(p, 1.0 - confidence), adjusted_p_values(p)
    findings = []
    for number, (claim, expectation, observed) in enumerate(cases):
        _, low, high = contrasts[number]
        estimated, margin = estimates[number], margins[number]
        difference = float(estimated.mean[0])
        if expectation.break_even:
            date = _break_even(expectation, observed, confidence)
            difference, ends = date.week, [date.earliest, date.week]
        else:
            ends = [float(end[0]) for end in interval(estimated, 1.0 - level[number])]
        findings.append(
            Finding(
                claim,
                expectation,
                low,
                high,
                difference,
                ends[0],
                ends[1],
                float(adjusted[number]),
                margin,
                int(estimated.n[0]),
                max(int(observed[a].metrics["unstable"].sum()) for a in contrast_of(expectation)),
                verdict(expectation, ends[0], ends[1], margin),
                _trace(claim, expectation, observed, confidence),
                next(iter(observed.values())).currency,
            )
        )
    return findings


def verdict(expectation: Expectation, low: float, high: float, margin: float) -> Verdict:
    """Return what an interval says about ``expectation``; see :func:`judge`."""
    sign = expectation.sign
    if sign == "report":
        return "reported"
    if math.isnan(low):
        return "not supported"
    if sign == "none":
        supported, contradicted = -margin < low and high < margin, high < -margin or low > margin
    elif sign in ("+", "not -"):
        edge = 0.0 if sign == "+" else -margin
        supported, contradicted = low > edge, high < edge
    else:
        edge = 0.0 if sign == "-" else margin
        supported, contradicted = high < edge, low > edge
    return "supported" if supported else "contradicted" if contradicted else "not supported"


def _p_value(expectation: Expectation, estimated: Estimates, margin: float) -> float:
    """Return the smallest alpha whose interval decides the expectation, one way or the other."""
    if expectation.break_even:
        return math.nan
    if expectation.sign == "none":
        mean = float(estimated.mean[0])
        # Within the margin, both ends have to leave it out, and the nearer one decides; outside,
        # it is the nearer one as well.
        return float(p_value(estimated, margin if mean > 0.0 else -margin)[0])
    edge = {"not +": margin, "not -": -margin}.get(expectation.sign, 0.0)
    return float(p_value(estimated, edge)[0])


def _margin(expectation: Expectation, low: float, observed: Mapping[str, Observations]) -> float:
    step = expectation.own_time_of
    margin = 0.0
    if step is not None:
        weights = contrast_of(expectation)
        margin -= sum(min(w, 0.0) * observed[arm].step_hours[step] for arm, w in weights.items())
    if expectation.margin is not None:
        return margin + expectation.margin
    if expectation.relative_margin is not None:
        return margin + expectation.relative_margin * abs(low)
    return math.nan


def _contrast(
    expectation: Expectation, observed: Mapping[str, Observations]
) -> tuple[FloatArray, float, float]:
    """Return the contrast of each replication, and the means of its negative and positive arms."""
    weights = contrast_of(expectation)
    return weighted(weights, [_values(expectation, observed[arm]) for arm in weights])


def weighted(
    weights: Mapping[str, float], values: Sequence[FloatArray]
) -> tuple[FloatArray, float, float]:
    """Return the weighted sum over arms, and the means of its negative and positive arms.

    The means are those of the replications in which all arms are known.
    """
    parts = np.array(list(weights.values()))[:, np.newaxis] * np.array(values)
    total = parts.sum(axis=0)
    # Sums of what is the same must not differ from zero by rounding: that would be certainty.
    total[np.abs(total) < 1e-12 * np.abs(parts).sum(axis=0)] = 0.0
    means = estimate(np.where(np.isnan(total), np.nan, parts).T).mean
    negative = np.array(list(weights.values())) < 0.0
    return total, -float(means[negative].sum()), float(means[~negative].sum())


def _values(expectation: Expectation, observations: Observations) -> FloatArray:
    """Return the metric of each replication of an arm."""
    if expectation.weeks is None:
        return _metric(expectation.metric, observations)
    weeks = observations.weekly[expectation.metric][:, slice(*expectation.weeks)]
    return estimate(weeks.T).mean


def _metric(name: str, observations: Observations) -> FloatArray:
    """Return a metric of each replication; what an arm does not have is NaN."""
    if name not in observations.metrics:
        return np.full(len(observations.metrics), np.nan)
    return observations.metrics[name].to_numpy(dtype=np.float64)


def _trace(
    claim: Claim,
    expectation: Expectation,
    observed: Mapping[str, Observations],
    confidence: float,
) -> tuple[PartMovement, ...]:
    weights = contrast_of(expectation)
    parts = []
    for name in claim.trace_of(expectation):
        values, _, _ = weighted(weights, [_metric(name, observed[arm]) for arm in weights])
        estimated = estimate(values[:, np.newaxis])
        low, high = interval(estimated, confidence)
        parts.append(PartMovement(name, float(estimated.mean[0]), float(low[0]), float(high[0])))
    known = [part for part in parts if not math.isnan(part.difference)]
    return tuple(sorted(known, key=lambda part: -abs(part.difference)))


def _break_even(
    expectation: Expectation,
    observed: Mapping[str, Observations],
    confidence: float,
) -> BreakEven:
    assert expectation.weeks is not None
    first, last = expectation.weeks
    total = sum(
        weight * observed[arm].weekly[expectation.metric][:, first:last]
        for arm, weight in contrast_of(expectation).items()
    )
    cumulated = np.cumsum(np.nan_to_num(np.asarray(total)), axis=1)
    adopted = max(observed[arm].adopted_week for arm in contrast_of(expectation))
    date = break_even(cumulated, adopted - first, confidence)
    return BreakEven(first + date.week, first + date.earliest)
