"""Append-only typed event tables: what a simulated organization leaves behind.

The log knows nothing of the model that writes it, nor of the metrics that read it; tables of a
real organization with these columns serve the metrics just as well. Times are hours since Monday
00:00 of week 0; a missing time is NaN, a missing identifier is ``<NA>``.
"""

from array import array
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

ColumnKind = Literal["real", "count", "id", "flag", "text"]
Tables = Mapping[str, pd.DataFrame]

NO_ID = -1
"""How a row says that it has no identifier in an ``id`` column."""

SCHEMAS: dict[str, dict[str, ColumnKind]] = {
    # One row per service: what the other tables refer to.
    "services": {
        "service": "text",
        "team": "text",
        "golden_path": "flag",  # at the beginning
        "quality_objective": "real",
    },
    # One row per unit of delivery. `trigger` says why it exists, `ended_at` when it stopped being
    # work in progress (deployed or abandoned), `origin_id` which rolled-back change it redoes.
    "changes": {
        "change_id": "count",
        "service": "text",
        "team": "text",
        "kind": "text",  # feature, retrain, fix, improvement
        "trigger": "text",  # backlog, arrival, schedule, new_data, drift, always_on, incident, ...
        "created_at": "real",
        "started_at": "real",
        "committed_at": "real",
        "deployed_at": "real",
        "ended_at": "real",
        "deployment_id": "id",
        "incident_id": "id",
        "origin_id": "id",
        "data_from": "real",
        "status": "text",  # exploring, delivering, deployed, rolled_back, abandoned
    },
    # One row per finished execution of a pipeline step, as the change lives it:
    # finished_at - queued_at = handoff_h + window_h + people_h + effort_h + compute_h + run_h.
    # The author's work is logged under `exploration`, `authoring`, `rework` and `reconstruction`.
    "steps": {
        "change_id": "count",
        "service": "text",
        "step": "text",
        "attempt": "count",
        "mode": "text",  # manual, automated
        "role": "text",
        "queued_at": "real",
        "started_at": "real",
        "finished_at": "real",
        "handoff_h": "real",  # delay of passing work from one role to another
        "window_h": "real",  # waiting for an approval board or a release window
        "people_h": "real",  # waiting for people, nights, meetings and interruptions included
        "effort_h": "real",  # focused hours of a person
        "compute_h": "real",  # waiting for a slot on a machine
        "run_h": "real",  # holding a slot, lost and repeated work included
        "rework": "flag",  # something had already sent this change back
        "outcome": "text",  # passed, caught, failed, unrepeatable, abandoned
    },
    # One row per uninterrupted stint of a person on a task, and one per task still waiting at the
    # end. Waiting in the queue of the pool lasts from queued_at to started_at.
    "work": {
        "pool": "text",
        "role": "text",
        "team": "text",
        "person": "id",
        "activity": "text",  # the priority class: incident, retraining, toil, investment, ...
        "change_id": "id",
        "incident_id": "id",
        "queued_at": "real",
        "started_at": "real",
        "finished_at": "real",
        "effort_h": "real",
        "outcome": "text",  # finished, interrupted, unfinished, waiting
        "around_the_clock": "flag",  # by somebody on call: without regard to hours and meetings
    },
    # The same for compute: one row per occupation of a slot.
    "jobs": {
        "pool": "text",
        "resource": "text",
        "team": "text",
        "slot": "id",
        "change_id": "id",
        "queued_at": "real",
        "started_at": "real",
        "finished_at": "real",
        "outcome": "text",  # finished, failed, preempted, unfinished, waiting
    },
    # One row per pool and stretch of its working time, in which the same people or slots could have
    # worked all the time: a working day, or as long as a number of slots stayed the same. The
    # stretches of a pool do not overlap.
    "capacity": {
        "pool": "text",
        "resource": "text",  # a role, or a kind of compute
        "team": "text",
        "people": "flag",
        "opens_at": "real",
        "closes_at": "real",
        "available_h": "real",
        "paid_h": "real",  # meetings included
    },
    "deployments": {
        "deployment_id": "count",
        "service": "text",
        "team": "text",
        "kind": "text",
        "n_changes": "count",
        "started_at": "real",
        "deployed_at": "real",
        "retired_at": "real",  # the last time; after a rollback the one before is live again
        "failed": "flag",  # it caused an incident (decay of its model not counted)
        "unplanned": "flag",  # it remedies an incident or redoes a rolled-back change
        "model_data_from": "real",
    },
    "incidents": {
        "incident_id": "count",
        "service": "text",
        "team": "text",
        "cause": "text",  # infra, data, model, code, security, dependency
        "trigger": "text",  # deployment, outage, batch, decay, upstream, attack
        "deployment_id": "id",
        "started_at": "real",
        "detected_at": "real",
        "responded_at": "real",
        "diagnosed_at": "real",
        "restored_at": "real",
        "detected_by": "text",  # monitoring, people, verification
        "remedy": "text",  # rollback, failover, repair, fix, retrain, superseded, upstream
    },
    "batches": {
        "batch_id": "count",
        "service": "text",
        "arrived_at": "real",
        "usable_at": "real",
        "corrupted": "flag",
        "corruption": "text",  # schema, missing, delayed
        "caught": "flag",
    },
    # The trajectory of each service's quality: a row wherever it bends or jumps, and at least one
    # a week; `below` holds from its row to the next.
    "quality": {
        "service": "text",
        "at": "real",
        "quality": "real",
        "slo": "real",
        "model_data_from": "real",
        "below": "flag",
    },
    # The stock of technical debt of each service, in hours of clean-up work: a row wherever it
    # changes, which holds to the next. A service without a row has none.
    "debt": {
        "service": "text",
        "at": "real",
        "debt_h": "real",
    },
    # What things cost from a time on: `person/<role>`, `compute/<resource>`, `downtime` and
    # `degraded` an hour, `tools` a week, `feature` (what one is worth) apiece.
    "prices": {
        "item": "text",
        "since": "real",
        "price": "real",
    },
    # Practices that people began to introduce during the run.
    "investments": {
        "practice": "text",
        "level": "text",
        "started_at": "real",
        "adopted_at": "real",
        "learned_at": "real",
    },
}

_TYPECODES: dict[ColumnKind, str] = {"real": "d", "count": "q", "id": "q", "flag": "b", "text": "i"}


class _Codes(dict[str, int]):
    """Numbers texts in the order in which they are first asked for."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


class Table:
    """One event table under construction.

    Rows are appended as tuples in the order of the schema; :meth:`compact` moves them into typed
    columns, which keeps a row at about 8 bytes a column however long the run.
    """

    def __init__(self, schema: Mapping[str, ColumnKind]) -> None:
        self._schema = schema
        self._rows: list[tuple[Any, ...]] = []
        self._columns = [array(_TYPECODES[kind]) for kind in schema.values()]
        self._codes = [_Codes() for _ in schema]
        self.append = self._rows.append

    def compact(self) -> None:
        """Move the appended rows into the typed columns."""
        if not self._rows:
            return
        for values, kind, column, codes in zip(
            zip(*self._rows, strict=True),
            self._schema.values(),
            self._columns,
            self._codes,
            strict=True,
        ):
            # From a list an array takes its items three times faster than from other iterables.
            column.fromlist(list(map(codes.__getitem__, values) if kind == "text" else values))
        self._rows.clear()

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a frame with one row per event, in the order of appending."""
        self.compact()
        columns: dict[str, Any] = {}
        for (name, kind), column, codes in zip(
            self._schema.items(), self._columns, self._codes, strict=True
        ):
            values = np.frombuffer(column, dtype=column.typecode).copy()
            if kind == "text":
                columns[name] = pd.Categorical.from_codes(values, categories=pd.Index(list(codes)))
            elif kind == "flag":
                columns[name] = values.astype(bool)
            elif kind == "id":
                columns[name] = pd.arrays.IntegerArray(values, values == NO_ID)
            else:
                columns[name] = values
        return pd.DataFrame(columns, copy=False)


class EventLog:
    """The event tables of one simulated organization, one :class:`Table` per schema."""

    def __init__(self) -> None:
        self.services = Table(SCHEMAS["services"])
        self.changes = Table(SCHEMAS["changes"])
        self.steps = Table(SCHEMAS["steps"])
        self.work = Table(SCHEMAS["work"])
        self.jobs = Table(SCHEMAS["jobs"])
        self.capacity = Table(SCHEMAS["capacity"])
        self.deployments = Table(SCHEMAS["deployments"])
        self.incidents = Table(SCHEMAS["incidents"])
        self.batches = Table(SCHEMAS["batches"])
        self.quality = Table(SCHEMAS["quality"])
        self.debt = Table(SCHEMAS["debt"])
        self.prices = Table(SCHEMAS["prices"])
        self.investments = Table(SCHEMAS["investments"])

    def compact(self) -> None:
        """Move all appended rows into typed columns."""
        for name in SCHEMAS:
            getattr(self, name).compact()

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return every table as a frame, by name."""
        return {name: getattr(self, name).to_frame() for name in SCHEMAS}
