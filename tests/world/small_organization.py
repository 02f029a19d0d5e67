"""Small organizations of constants, whose timelines can be computed by hand."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

import sim
from sim.scenario.from_data import validate

NEVER_H = 1e9


def simulate(weeks: int = 8, **parts: Any) -> sim.Run:
    """Simulate an organization in which nothing happens but what ``parts`` say."""
    scenario = {
        "name": "small",
        "horizon_weeks": weeks,
        "working_hours": {"always": True},
        "teams": {"team": {"people": {"ml_engineer": 9, "data_scientist": 9}}},
        "services": {"service": {"team": "team"}},
        "changes": {},
        "pipeline": {"steps": {"deploy": {"effect": "deploys"}}},
    }
    return sim.simulate(validate({**scenario, **parts}), seed=1)


def idea_every(hours: float, **feature: Any) -> dict[str, Any]:
    """Return changes in which a feature is committed every so many hours."""
    return {"feature": {"arrivals": "open", "interarrival_h": hours, **feature}}


def steps_of(run: sim.Run, change_id: int) -> list[tuple[Any, ...]]:
    """Return (step, attempt, queued, started, finished, outcome) of one change, in order."""
    columns = ["step", "attempt", "queued_at", "started_at", "finished_at", "outcome"]
    rows = run.steps[run.steps["change_id"] == change_id][columns]
    return [tuple(row) for row in rows.astype(object).itertuples(index=False)]


def by_week(stretches: pd.DataFrame, weeks: int, column: str = "available_h") -> list[float]:
    """Return the hours of working time in each week, of rows of the table of capacity."""
    return [
        sum(
            hours
            * max(0.0, min(closes, 168 * (week + 1)) - max(opens, 168 * week))
            / (closes - opens)
            for opens, closes, hours in zip(
                stretches["opens_at"], stretches["closes_at"], stretches[column], strict=True
            )
        )
        for week in range(weeks)
    ]


def row(frame: pd.DataFrame, number: int) -> Mapping[str, Any]:
    """Return one row of ``frame`` as a mapping."""
    return frame.iloc[number].to_dict()
