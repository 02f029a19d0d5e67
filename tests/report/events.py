"""Small event tables made by hand, by arithmetic alone: they are the same on every machine."""

import numpy as np
import pandas as pd

WEEK = 168.0
WINDOW = (0.0, 4 * WEEK)
PARTS = ("handoff_h", "window_h", "people_h", "effort_h", "compute_h", "run_h")
# Step, role, and which share of the lead time goes into each part.
STEPS = (
    ("build", "ml_engineer", (0.06, 0.0, 0.14, 0.05, 0.0, 0.0)),
    ("train", "data_scientist", (0.0, 0.0, 0.0, 0.0, 0.10, 0.10)),
    ("review", "ml_engineer", (0.04, 0.0, 0.16, 0.05, 0.0, 0.0)),
    ("approve", "operations", (0.05, 0.20, 0.02, 0.02, 0.0, 0.01)),
)


def make_changes() -> pd.DataFrame:
    """Return 24 changes, one begun every 25 h; every eighth is given up before its commit."""
    number = np.arange(24)
    started_at = 25.0 * number + 3.0
    committed_at = started_at + 20.0 + 13.0 * number % 40
    deployed_at = committed_at + 60.0 + 29.0 * number % 80
    given_up = number % 8 == 5
    return pd.DataFrame(
        {
            "change_id": number,
            "service": np.where(number % 2, "shop.search", "shop.ranking"),
            "kind": np.where(number % 3, "feature", "retrain"),
            "started_at": started_at,
            "committed_at": np.where(given_up, np.nan, committed_at),
            "deployed_at": np.where(given_up, np.nan, deployed_at),
            "ended_at": np.where(given_up, committed_at, deployed_at),
        }
    )


def make_steps(changes: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for change in changes.dropna(subset="committed_at").itertuples():
        now = change.committed_at
        lead_time_h = change.deployed_at - change.committed_at
        for step, role, shares in STEPS:
            hours = lead_time_h * np.array(shares)
            rows.append(
                dict(zip(PARTS, hours, strict=True))
                | {"change_id": change.change_id, "step": step, "role": role, "queued_at": now}
                | {"finished_at": now + hours.sum()}
                | {"rework": step == "review" and change.change_id % 3 == 0}
            )
            now += hours.sum()
    return pd.DataFrame(rows)


def make_incidents() -> pd.DataFrame:
    """Return 14 incidents; of the fourth nobody wrote down when it was diagnosed."""
    number = np.arange(14)
    started_at = 30.0 + 44.0 * number
    detected_at = started_at + 1.0 + 7.0 * number % 11
    responded_at = detected_at + 2.0 + 5.0 * number % 7
    diagnosed_at = responded_at + 1.0 + 3.0 * number % 5
    restored_at = diagnosed_at + 3.0 + 17.0 * number % 31
    return pd.DataFrame(
        {
            "incident_id": number,
            "service": np.where(number % 2, "shop.search", "shop.ranking"),
            "cause": np.array(["infra", "data", "model", "code"])[number % 4],
            "trigger": np.array(["outage", "batch", "decay", "deployment"])[number % 4],
            "remedy": np.array(["failover", "repair", "retrain", "rollback"])[number % 4],
            "started_at": started_at,
            "detected_at": detected_at,
            "responded_at": responded_at,
            "diagnosed_at": np.where(number == 3, np.nan, diagnosed_at),
            "restored_at": restored_at,
        }
    )


def make_quality() -> pd.DataFrame:
    """Return a model that loses 0.02 a week, is impaired for 30 h, and is replaced on day 17."""
    rows = [
        # at, quality, data from, below
        (0.0, 0.84, 0.0, False),
        (168.0, 0.82, 0.0, False),
        (336.0, 0.80, 0.0, True),
        (408.0, 0.88, 400.0, False),
        (480.0, 0.72, 400.0, True),
        (510.0, 0.87, 400.0, False),
    ]
    frame = pd.DataFrame(rows, columns=["at", "quality", "model_data_from", "below"])
    return frame.assign(service="shop.search", slo=0.8)


def make_work() -> pd.DataFrame:
    """Return four weeks, each like the other, of two roles that work from 9 to 17 on weekdays.

    The two engineers begin something at 9 and finish it at 17 on Mondays, one of them at noon on
    the other days; on Thursdays the other one has something from Thursday noon to Friday noon. The
    one in operations is on call, and up at night from Saturday 22:00 to Sunday 2:00.
    """
    rows = []
    for week in range(4):
        monday = WEEK * week
        rows += [("ml_engineer", n, monday + 9, monday + 17, 5.6, "feature") for n in range(2)]
        rows += [
            ("ml_engineer", 0, monday + 24 * day + 9, monday + 24 * day + 12, 2.1, "feature")
            for day in range(1, 5)
        ]
        rows.append(("ml_engineer", 1, monday + 84, monday + 108, 5.6, "feature"))
        rows.append(("operations", 0, monday + 33, monday + 41, 5.6, "retraining"))
        rows.append(("operations", 0, monday + 142, monday + 146, 4.0, "incident"))
    columns = ["role", "person", "started_at", "finished_at", "effort_h", "activity"]
    work = pd.DataFrame(rows, columns=columns)
    return work.assign(
        pool="shop/" + work["role"],
        outcome="finished",
        around_the_clock=work["activity"] == "incident",
    )


def make_tables() -> dict[str, pd.DataFrame]:
    changes = make_changes()
    capacity = [
        {
            "pool": f"shop/{role}",
            "resource": role,
            "people": True,
            "opens_at": WEEK * week + 24.0 * day + 9.0,
            "closes_at": WEEK * week + 24.0 * day + 17.0,
            "available_h": hours / 5.0,
            "paid_h": hours / 5.0 / 0.7,  # meetings take the rest
        }
        for week in range(4)
        for day in range(5)
        for role, hours in (("ml_engineer", 56.0), ("operations", 28.0))
    ]
    deployments = pd.DataFrame(
        {
            "service": ["shop.search", "shop.search", "shop.ranking"],
            "deployed_at": [100.0, 408.0, 500.0],
            # The first brings no newer model than the one from before the beginning.
            "model_data_from": [0.0, 400.0, 450.0],
        }
    )
    return {
        "services": pd.DataFrame({"service": ["shop.search", "shop.ranking"]}),
        "changes": changes,
        "steps": make_steps(changes),
        "incidents": make_incidents(),
        "quality": make_quality(),
        "deployments": deployments,
        "work": make_work(),
        "capacity": pd.DataFrame(capacity),
    }
