"""*Watch*: who is where when, of all organizations of the page, by one clock.

The same places as in the animation of a report, in a table: for each step those that wait for it
and those that are worked on, incidents by phase, people by what they do. The page puts a mark for
everybody into the cells and moves them as its clock goes on. It shows a busy week and a quiet one.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.log import Tables
from sim.report.animation import (
    AUTHORS,
    LOOKS,
    PHASES,
    STATES,
    WAIT,
    WORK,
    stays,
    steps_and_roles,
)
from sim.report.content import step_name
from sim.words import readable

_COLUMNS = 6
"""Of the table, per organization: the parts of the table have one, two or three."""
_DIGITS = 2
"""Of hours that the page is told."""


class Stays(NamedTuple):
    """Who is where when in a replication.

    Attributes:
        found: of :func:`sim.report.animation.stays`, over the whole window.
        steps: the steps of its pipeline, in their order.
        roles: the roles of its people.
        window: first and last hour.
    """

    found: pd.DataFrame
    steps: Sequence[str]
    roles: Sequence[str]
    window: tuple[float, float]


def stays_of(tables: Tables, window: tuple[float, float]) -> Stays:
    """Return who is where when in the observed time of a run."""
    found = stays(tables, *window)
    steps, roles = steps_and_roles(tables, window, found)
    for column in ("what", "name", "place"):
        found[column] = found[column].astype("category")
    return Stays(found, steps, roles, window)


def busy_and_quiet(seen: Sequence[Stays]) -> dict[str, int]:
    """Return the busiest and the quietest week, over all organizations.

    A week is as busy as there are changes on their way to production, and open incidents, in the
    mean of its hours; each organization counts as much as any other.
    """
    first = max(each.window[0] for each in seen)
    last = min(each.window[1] for each in seen)
    weeks = np.arange(int(first // HOURS_PER_WEEK), int(last // HOURS_PER_WEEK))
    total = np.zeros(len(weeks))
    for each in seen:
        hours = _hours_by_week(_on_their_way(each.found), weeks)
        total += hours / max(float(hours.mean()), 1e-9)
    return {"busiest": int(weeks[np.argmax(total)]), "quietest": int(weeks[np.argmin(total)])}


def _on_their_way(found: pd.DataFrame) -> pd.DataFrame:
    place = found["place"].astype(str)
    return found[(found["what"] != "person") & ~place.str.endswith(f" {AUTHORS}")]


def _hours_by_week(found: pd.DataFrame, weeks: Any) -> Any:
    # What began before an edge has lasted until there, or until its end.
    edges = np.append(weeks, weeks[-1] + 1) * HOURS_PER_WEEK
    up_to = _hours_until(found["from_h"].to_numpy(), edges) - _hours_until(
        found["to_h"].to_numpy(), edges
    )
    return np.diff(up_to)


def _hours_until(times: Any, edges: Any) -> Any:
    """Return the sum of the hours that have passed since each time, at each edge."""
    times = np.sort(times)
    before = np.searchsorted(times, edges)
    sums = np.concatenate([[0.0], np.cumsum(times)])
    return edges * before - sums[before]


def watch(seen: Mapping[str, Stays]) -> dict[str, Any]:
    """Return what the page needs: its table as HTML, and who is where in each of the weeks."""
    weeks = busy_and_quiet(list(seen.values()))
    return {
        "html": _table(seen),
        "looks": {what: {"mark": mark, "colour": colour} for what, (mark, colour) in LOOKS.items()},
        "stretches": [
            {
                "name": name,
                "week": week,
                "entities": [
                    entity
                    for arm, each in seen.items()
                    for entity in _entities(arm, each.found, week * HOURS_PER_WEEK)
                ],
            }
            for name, week in weeks.items()
        ],
    }


def _entities(arm: str, found: pd.DataFrame, start_h: float) -> list[dict[str, Any]]:
    """Return everybody who is there in a week: what, which, and where from which hour on."""
    end_h = start_h + HOURS_PER_WEEK
    here = found[(found["to_h"] > start_h) & (found["from_h"] < end_h)]
    entities: dict[int, dict[str, Any]] = {}
    for number, what, name, place, from_h, to_h in zip(
        here["entity_id"].tolist(),
        here["what"].tolist(),
        here["name"].tolist(),
        here["place"].tolist(),
        (here["from_h"].clip(lower=start_h) - start_h).round(_DIGITS).tolist(),
        (here["to_h"].clip(upper=end_h) - start_h).round(_DIGITS).tolist(),
        strict=True,
    ):
        entity = entities.setdefault(number, {"what": what, "name": name, "stays": []})
        entity["stays"].append([f"{arm}|{place}", from_h, to_h])
    return list(entities.values())


def _table(seen: Mapping[str, Stays]) -> str:
    """Return the table, whose cells have the place that they stand for as data."""
    steps = list(dict.fromkeys(step for each in seen.values() for step in each.steps))
    roles = list(dict.fromkeys(role for each in seen.values() for role in each.roles))
    return (
        "<table><caption>Each mark is one: "
        + ", ".join(
            f'<span style="color:{colour}" aria-hidden="true">{mark}</span> {html.escape(what)}'
            for what, (mark, colour) in LOOKS.items()
        )
        + "</caption>"
        + _part(
            "changes",
            seen,
            {"waiting": WAIT + "{}", "in work": WORK + "{}"},
            {step: step_name(step) for step in steps},
        )
        + _part("incidents", seen, {"": "{}"}, {phase: phase for phase in PHASES})
        + _part(
            "people",
            seen,
            {state: f"{{}}: {state}" for state in STATES},
            {role: readable(role) for role in roles},
        )
        + "</table>"
    )


def _part(
    name: str, seen: Mapping[str, Stays], columns: Mapping[str, str], rows: Mapping[str, str]
) -> str:
    """Return a part of the table.

    Args:
        name: what is in it.
        seen: of which organizations.
        columns: headings, and the name of the place with a gap for that of the row.
        rows: names, and how people call them.
    """
    width = _COLUMNS // len(columns)
    headings = "".join(
        f'<th scope="col" colspan="{width}" class="{arm}">{arm.upper()} {html.escape(column)}</th>'
        for arm in seen
        for column in columns
    )
    lines = [f'<tr><th scope="col">{name}</th>{headings}</tr>']
    for row, label in rows.items():
        cells = "".join(
            f'<td colspan="{width}" data-place="{html.escape(f"{arm}|{place.format(row)}")}"></td>'
            for arm in seen
            for place in columns.values()
        )
        lines.append(f'<tr><th scope="row">{html.escape(label)}</th>{cells}</tr>')
    return f"<tbody>{''.join(lines)}</tbody>"
