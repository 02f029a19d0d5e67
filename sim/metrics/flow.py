"""The parts of lead time, work in progress and throughput."""

from functools import partial

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.log import Tables
from sim.metrics.arrays import (
    FloatArray,
    IntArray,
    Window,
    flags,
    identifiers,
    inside,
    is_missing,
    is_recorded,
    known,
    label_positions,
    labels,
    matches,
    overlap,
    positions,
    ratio,
    reals,
    table,
)
from sim.metrics.catalogue import Metric, PartKind, measures

# The columns of the table of steps that split an execution, in the order in which it lives them.
PARTS = ("batch_h", "handoff_h", "window_h", "people_h", "effort_h", "compute_h", "run_h")

LEAD_TIME_PARTS: dict[str, tuple[str, str, PartKind]] = {
    "touch": ("effort_h", "touch time", "work"),
    "run": ("run_h", "machine run time", "work"),
    "people": ("people_h", "waiting for people", "waiting"),
    "compute": ("compute_h", "waiting for compute", "waiting"),
    "approval": ("window_h", "waiting for approval", "waiting"),
    "handoff": ("handoff_h", "waiting in handoffs", "waiting"),
    "batch": ("batch_h", "waiting for a batch", "waiting"),
    "rework": ("rework_h", "rework", "rework"),
}
"""The parts of the time from commit to production: column of :func:`waiting_by_step`, label and
kind."""

# Times that went through a file or a sum may differ in their last digits.
_SAME_TIME_H = 1e-6


def _delivery_hours(tables: Tables, window: Window) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the step executions between commit and deployment, and what they spent it on.

    Returns:
        Of each execution the row in the table of steps, and its hours by part, (executions, 8):
        PARTS, and rework in the last column; and the lead times of the changes, (changes,).
    """
    changes, steps = table(tables, "changes"), table(tables, "steps")
    committed_at, deployed_at = reals(changes, "committed_at"), reals(changes, "deployed_at")
    delivered = inside(deployed_at, window) & ~np.isnan(committed_at)
    committed_at, deployed_at = committed_at[delivered], deployed_at[delivered]
    change = positions(
        identifiers(changes, "change_id")[delivered], identifiers(steps, "change_id")
    )
    rows = np.flatnonzero(change >= 0)
    change = change[rows]
    queued_at, finished_at = reals(steps, "queued_at")[rows], reals(steps, "finished_at")[rows]
    within = (queued_at >= committed_at[change] - _SAME_TIME_H) & (
        finished_at <= deployed_at[change] + _SAME_TIME_H
    )
    rows = rows[within]
    rework = flags(steps, "rework")[rows]
    hours = np.zeros((rows.size, len(PARTS) + 1))
    none = np.zeros(len(steps))
    for part, name in enumerate(PARTS):
        column = partial(reals, steps, name)
        # Records of deliveries seldom say that a change waited for others.
        spent = known(column, none) if name == "batch_h" else column()
        hours[:, part] = np.where(rework, 0.0, np.nan_to_num(spent[rows]))
    hours[:, -1] = np.where(rework, (finished_at - queued_at)[within], 0.0)
    return rows, hours, deployed_at - committed_at


@measures(
    Metric(
        name="flow_efficiency",
        label="flow efficiency",
        meaning="work of people and machines as a share of the time from commit to production",
        topic="flow",
        dimension="share",
        better="more",
        rests_on="n_changes_deployed",
        highest=1.0,
    ),
    *(
        Metric(
            name=f"lead_time_{part}_h",
            label="rework in lead time" if part == "rework" else label,
            meaning=f"mean hours per deployed change: {label}",
            topic="flow",
            dimension="duration",
            better="less",
            rests_on="n_changes_deployed",
            part_label=label,
            part_kind=kind,
        )
        for part, (_, label, kind) in LEAD_TIME_PARTS.items()
    ),
)
def lead_time_parts(tables: Tables, window: Window) -> dict[str, float]:
    """Return flow efficiency and the mean hours per deployed change by what they went into.

    The parts cover the time from commit to deployment, over the changes deployed in the window:
    touch (work of people) and run (work of machines), waiting for people (nights, meetings and
    interruptions included), for compute, for approval boards or release windows and for more to be
    delivered together, handoffs, and rework: everything that happened after something had sent the
    change back. They add up to `lead_time_mean_h`, as far as the table of steps covers that time
    without a gap; a part that a row does not give counts as zero. Flow efficiency is (touch + run)
    / elapsed time, over all changes together.

    Returns:
        Hours, and `flow_efficiency` between 0 and 1; NaN if no step of such a change is known.
    """
    rows, hours, elapsed = _delivery_hours(tables, window)
    total = hours.sum(axis=0) if rows.size else np.full(len(PARTS) + 1, np.nan)
    batch, handoff, approval, people, touch, compute, run, rework = (
        ratio(part, elapsed.size) for part in total
    )
    if not is_recorded(tables, "steps", "batch_h"):
        batch = np.nan
    return {
        "flow_efficiency": ratio((touch + run) * elapsed.size, elapsed.sum()),
        "lead_time_touch_h": touch,
        "lead_time_run_h": run,
        "lead_time_people_h": people,
        "lead_time_compute_h": compute,
        "lead_time_approval_h": approval,
        "lead_time_handoff_h": handoff,
        "lead_time_batch_h": batch,
        "lead_time_rework_h": rework,
    }


def waiting_by_step(tables: Tables, window: Window) -> pd.DataFrame:
    """Return the mean hours that a deployed change spent at each pipeline step, by cause.

    The same executions as in :func:`lead_time_parts`, so the whole frame adds up to
    `lead_time_mean_h`. Changes that skip a step count with zero hours there.

    Args:
        tables: Event tables, of which `changes` and `steps` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        A row per step that such a change went through, in the order of the pipeline; columns
        `batch_h`, `handoff_h`, `window_h`, `people_h`, `effort_h`, `compute_h`, `run_h` and
        `rework_h`.

    Raises:
        ValueError: Such a row of the table of steps does not name its step.
    """
    rows, hours, elapsed = _delivery_hours(tables, window)
    steps = table(tables, "steps").iloc[rows]
    names = labels(steps, "step")
    step = label_positions(steps, "step", names)
    if (step < 0).any():
        raise ValueError("the table 'steps' has a row without a step")
    total = np.zeros((len(names), hours.shape[1]))
    np.add.at(total, step, hours)
    frame = pd.DataFrame(
        total / max(elapsed.size, 1),
        index=pd.Index(names, name="step"),
        columns=[*PARTS, "rework_h"],
    )
    return frame.iloc[_pipeline_order(steps, step, len(names))]


def waiting_for_people_by_role(tables: Tables, window: Window) -> pd.Series:
    """Return the mean hours that a deployed change waited for people of each role.

    Args:
        tables: Event tables, of which `changes` and `steps` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        Index role; the waits add up to `lead_time_people_h`, as far as steps name their role.
    """
    steps = table(tables, "steps", "role")
    if steps.empty:
        return pd.Series([], dtype=float)
    waits = {
        str(role): waiting_by_step(dict(tables) | {"steps": of_role}, window)["people_h"].sum()
        for role, of_role in steps.groupby("role", observed=True)
    }
    return pd.Series(waits, dtype=float)


def _pipeline_order(steps: pd.DataFrame, step: IntArray, n_steps: int) -> IntArray:
    """Return the order of the steps that most of the changes going through both agree on.

    Positions within a change would not do: a change that skips a step moves up all that follow.
    """
    change, _ = pd.factorize(identifiers(steps, "change_id"))
    by_time = np.lexsort((reals(steps, "finished_at"), reals(steps, "queued_at")))
    # When, as a rank, each change came to each step first; NaN for a step that it skipped.
    first = np.full((change.max(initial=-1) + 1, n_steps), np.nan)
    backwards = by_time[::-1]
    first[change[backwards], step[backwards]] = np.arange(by_time.size)[::-1]
    comes_after = [
        sum(np.nansum(np.sign(first[:, this] - first[:, other])) > 0 for other in range(n_steps))
        for this in range(n_steps)
    ]
    return np.argsort(comes_after, kind="stable")


@measures(
    Metric(
        name="work_in_progress",
        label="work in progress",
        meaning="changes started and not yet ended, mean over time",
        topic="flow",
        dimension="quantity",
        unit="changes",
        better="less",
        prominence="companion",
    )
)
def work_in_progress(tables: Tables, window: Window) -> float:
    """Return the mean over time of the number of changes that are started and not ended."""
    changes = table(tables, "changes")
    hours = overlap(reals(changes, "started_at"), reals(changes, "ended_at"), window)
    return float(hours.sum() / (window[1] - window[0]))


@measures(
    Metric(
        name="throughput_per_week",
        label="throughput",
        meaning="changes deployed",
        topic="flow",
        dimension="quantity",
        unit="per week",
        better="more",
        rests_on="n_changes_deployed",
    )
)
def throughput_per_week(tables: Tables, window: Window) -> float:
    """Return the changes deployed per week of the window."""
    deployed = inside(reals(table(tables, "changes"), "deployed_at"), window)
    return float(deployed.sum() * HOURS_PER_WEEK / (window[1] - window[0]))


@measures(
    Metric(
        name="failed_trainings_per_week",
        label="failed trainings",
        meaning="trainings that ended without a model",
        topic="flow",
        dimension="quantity",
        unit="per week",
        better="less",
    )
)
def failed_trainings_per_week(tables: Tables, window: Window) -> float:
    """Return the trainings that ended without a model in the window, per week.

    Those are the executions of a step whose effect is `trains_model` and whose outcome is `failed`
    (the run had no success) or `unrepeatable` (it could not be repeated). One in which something
    was found that sends the change back (`caught`) did train a model. A training that several
    changes share counts once.
    """
    steps = table(tables, "steps")
    trains = matches(steps, "effect", "trains_model")
    failed = trains & matches(steps, "outcome", "failed", "unrepeatable")
    failed &= inside(reals(steps, "finished_at"), window)
    # An execution belongs to whom its change belongs to.
    changes = identifiers(table(tables, "changes"), "change_id")
    own = pd.Index(identifiers(steps, "change_id")).isin(changes[~is_missing(changes)])
    rows = np.flatnonzero(failed & own)
    # Where nobody recorded which rows are of one execution, each is.
    execution = known(partial(identifiers, steps, "execution_id"), np.arange(len(steps)))[rows]
    shared = ~is_missing(execution)
    n_trainings = (~shared).sum() + pd.unique(execution[shared]).size
    return float(n_trainings * HOURS_PER_WEEK / (window[1] - window[0]))
