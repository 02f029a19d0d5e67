"""Counts of events that the metrics rest on, and of what was left undone."""

import math
from collections.abc import Callable
from functools import partial

from sim.log import Tables
from sim.metrics.arrays import Window, inside, known, matches, reals, table
from sim.metrics.catalogue import Metric, measures
from sim.metrics.dora import CAUSES, KINDS

_COUNTED = {
    "n_services": ("services", "services", "service"),
    "n_deployments": ("deployments", "deployments in the window", "deployment"),
    "n_changes_deployed": ("changes deployed", "changes deployed in the window", "change"),
    "n_incidents": ("incidents started", "incidents that started in the window", "incident"),
    "n_restored": ("incidents restored", "incidents restored in the window", "incident"),
    "n_unfinished": ("unfinished changes", "changes under way at the end of the window", "change"),
    "n_open_incidents": ("open incidents", "incidents open at the end of the window", "incident"),
    "n_batches": ("batches of data", "batches of data that arrived in the window", "batch"),
    **{
        f"n_changes_deployed_{kind}": (
            f"{several} deployed",
            f"{several} deployed in the window",
            "change",
        )
        for kind, several in KINDS.items()
    },
    **{
        f"n_restored_{cause}": (
            f"incidents by {words} restored",
            f"incidents by {words} restored in the window",
            "incident",
        )
        for cause, words in CAUSES.items()
    },
}


@measures(
    *(
        Metric(
            name=name,
            label=label,
            meaning=meaning,
            topic="count",
            dimension="quantity",
            noun=noun,
        )
        for name, (label, meaning, noun) in _COUNTED.items()
    )
)
def counts(tables: Tables, window: Window) -> dict[str, float]:
    """Return the counts that the metrics rest on, and what was left undone at the window's end."""

    def within(name: str, column: str) -> float:
        return float(inside(reals(table(tables, name), column), window).sum())

    def of_kind(name: str, at: str, column: str, kind: str) -> float:
        frame = table(tables, name)
        return float((inside(reals(frame, at), window) & matches(frame, column, kind)).sum())

    def open_at_the_end(name: str, start: str, stop: str) -> float:
        frame, (_, end) = table(tables, name), window
        # A missing time is not before anything, so what has no end is not over.
        return float(((reals(frame, start) < end) & ~(reals(frame, stop) < end)).sum())

    counted: dict[str, Callable[[], float]] = {
        "n_services": lambda: float(len(table(tables, "services"))),
        "n_deployments": lambda: within("deployments", "deployed_at"),
        "n_changes_deployed": lambda: within("changes", "deployed_at"),
        "n_incidents": lambda: within("incidents", "started_at"),
        "n_restored": lambda: within("incidents", "restored_at"),
        "n_unfinished": lambda: open_at_the_end("changes", "started_at", "ended_at"),
        "n_open_incidents": lambda: open_at_the_end("incidents", "started_at", "restored_at"),
        "n_batches": lambda: within("batches", "arrived_at"),
        **{
            f"n_changes_deployed_{kind}": partial(of_kind, "changes", "deployed_at", "kind", kind)
            for kind in KINDS
        },
        **{
            f"n_restored_{cause}": partial(of_kind, "incidents", "restored_at", "cause", cause)
            for cause in CAUSES
        },
    }
    return {name: known(count, math.nan) for name, count in counted.items()}
