"""Counts of events that the metrics rest on, and of what was left undone."""

from sim.log import Tables
from sim.metrics.arrays import Window, inside, reals, table
from sim.metrics.catalogue import Metric, measures

_COUNTED = {
    "n_services": ("services", "services", "service"),
    "n_deployments": ("deployments", "deployments in the window", "deployment"),
    "n_changes_deployed": ("changes deployed", "changes deployed in the window", "change"),
    "n_incidents": ("incidents started", "incidents that started in the window", "incident"),
    "n_restored": ("incidents restored", "incidents restored in the window", "incident"),
    "n_unfinished": ("unfinished changes", "changes under way at the end of the window", "change"),
    "n_open_incidents": ("open incidents", "incidents open at the end of the window", "incident"),
    "n_batches": ("batches of data", "batches of data that arrived in the window", "batch"),
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
    changes, incidents = table(tables, "changes"), table(tables, "incidents")
    started_at, restored_at = reals(incidents, "started_at"), reals(incidents, "restored_at")
    deployed_at = reals(table(tables, "deployments"), "deployed_at")
    arrived_at = reals(table(tables, "batches"), "arrived_at")
    _, end = window
    # A missing time is not before anything, so what has no end is not over.
    unfinished = (reals(changes, "started_at") < end) & ~(reals(changes, "ended_at") < end)
    return {
        "n_services": float(len(table(tables, "services"))),
        "n_deployments": float(inside(deployed_at, window).sum()),
        "n_changes_deployed": float(inside(reals(changes, "deployed_at"), window).sum()),
        "n_incidents": float(inside(started_at, window).sum()),
        "n_restored": float(inside(restored_at, window).sum()),
        "n_unfinished": float(unfinished.sum()),
        "n_open_incidents": float(((started_at < end) & ~(restored_at < end)).sum()),
        "n_batches": float(inside(arrived_at, window).sum()),
    }
