"""The utilization of people and machines."""

import numpy as np
import pandas as pd

from sim.log import Tables
from sim.metrics.arrays import (
    BoolArray,
    FloatArray,
    Window,
    flags,
    known,
    label_positions,
    labels,
    overlap,
    ratio,
    reals,
    table,
)
from sim.metrics.catalogue import Metric, measures
from sim.metrics.effort import available_hours, stint_hours


@measures(
    Metric(
        name="utilization_",
        label="utilization",
        meaning="hours of work or of occupied slots, of those available",
        topic="people and machines",
        dimension="share",
        # Emergency work of people on call can push a role above 1.
        is_family=True,
    )
)
def utilization(tables: Tables, window: Window) -> dict[str, float]:
    """Return busy ÷ available hours of every role and kind of compute.

    People are busy with the focused hours (`effort_h`) of their stints, machines while a job holds
    a slot. At the edges of the window a job is cut in proportion to elapsed time, and a stint as
    :func:`sim.metrics.effort.stint_hours` says. Work on incidents outside working hours counts as
    busy but adds nothing to what is available, so a role on call may exceed 1.

    Args:
        tables: Event tables, of which `capacity`, `work` and `jobs` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        `utilization_<resource>` by resource of the table of capacity, in its order; NaN where
        nothing is available in the window, or nobody knows how busy it was.
    """
    capacity = table(tables, "capacity")
    resources = labels(capacity, "resource")

    def total(frame: pd.DataFrame, name: str, hours: FloatArray) -> FloatArray:
        # A row of a resource that has no capacity goes to an extra bin at the end.
        where = label_positions(frame, name, resources) % (len(resources) + 1)
        return np.bincount(where, hours, minlength=len(resources) + 1).astype(np.float64)

    def available_h() -> FloatArray:
        return total(capacity, "resource", available_hours(capacity, window))

    def worked_h() -> FloatArray:
        work = table(tables, "work")
        return total(work, "role", stint_hours(work, capacity, window))

    def held_h() -> FloatArray:
        jobs = table(tables, "jobs")
        held = overlap(reals(jobs, "started_at"), reals(jobs, "finished_at"), window)
        return total(jobs, "resource", held)

    def of_people() -> BoolArray:
        return total(capacity, "resource", flags(capacity, "people").astype(np.float64)) > 0.0

    nobody_knows = np.full(len(resources) + 1, np.nan)
    available = known(available_h, nobody_knows)
    worked, held = known(worked_h, nobody_knows), known(held_h, nobody_knows)
    busy = worked + held
    if np.isnan(busy).any():  # stints without jobs tell of people, jobs without stints of machines
        busy = known(lambda: np.where(of_people(), worked, held), nobody_knows)
    return {
        f"utilization_{resource}": ratio(hours, whole)
        for resource, hours, whole in zip(resources, busy, available, strict=False)
    }
