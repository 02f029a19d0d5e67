"""Records as an object-centric event log, OCEL 2.0 in JSON (https://www.ocel-standard.org).

Objects are changes, deployments, incidents, services and teams. Events are the start and the finish
of each step, commits, deployments, and the phases of incidents.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sim.log import Records
from sim.words import readable

from .instants import instants, iso

_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "change": {"kind": "string", "trigger": "string", "status": "string"},
    "deployment": {"kind": "string", "failed": "boolean", "unplanned": "boolean"},
    "incident": {"cause": "string", "trigger": "string", "remedy": "string"},
    "service": {"golden_path": "boolean"},
    "team": {},
}
"""Types of objects with their attributes and the types of these."""
_OF_A_STEP: Mapping[str, str] = {
    "attempt": "integer",
    "mode": "string",
    "role": "string",
    "outcome": "string",
    "effort_h": "float",
    "people_h": "float",
    "run_h": "float",
}
"""Attributes of the finish of a step."""
_PHASES = {
    "started_at": "incident started",
    "detected_at": "incident detected",
    "responded_at": "incident responded",
    "diagnosed_at": "incident diagnosed",
    "restored_at": "incident restored",
}
_CHUNK = 10_000

Element = dict[str, Any]


def write_ocel(
    records: Records, epoch: pd.Timestamp, path: Path, say: Callable[[str, int], None]
) -> None:
    """Write records piece by piece, so that they are never in memory as text.

    Args:
        records: of a simulated run.
        epoch: the Monday that its hours are counted from.
        path: the file.
        say: is told what was written, and how many.
    """
    steps = sorted(set(_texts(records, "steps", "step")))
    with path.open("w", encoding="utf-8") as file:
        file.write('{"objectTypes":')
        file.write(json.dumps([_type(name, of) for name, of in _ATTRIBUTES.items()]))
        file.write(',\n"eventTypes":')
        file.write(json.dumps(_event_types(steps)))
        for key, elements in (
            ("objects", _objects(records, epoch)),
            ("events", _events(records, epoch)),
        ):
            file.write(f',\n"{key}":[')
            count = 0
            for count, element in enumerate(elements, 1):
                file.write((",\n" if count > 1 else "\n") + json.dumps(element, allow_nan=False))
            file.write("]")
            say(key, count)
        file.write("}\n")


def _type(name: str, attributes: Mapping[str, str]) -> Element:
    return {
        "name": name,
        "attributes": [{"name": each, "type": kind} for each, kind in attributes.items()],
    }


def _event_types(steps: Sequence[str]) -> list[Element]:
    types = []
    for step in steps:
        types += [
            _type(f"{readable(step)} started", {}),
            _type(f"{readable(step)} finished", _OF_A_STEP),
        ]
    names = ("change committed", "service deployed", *_PHASES.values())
    return types + [_type(name, {}) for name in names]


def _texts(records: Records, name: str, column: str) -> Iterable[str]:
    table = records.tables.get(name)
    if table is None or column not in table:
        return ()
    return (str(text) for text in table[column].dropna().unique())


def _objects(records: Records, epoch: pd.Timestamp) -> Iterator[Element]:
    start = _text(epoch)
    of_team = records.tables["services"]
    for team in dict.fromkeys(of_team["team"].astype(str)):
        yield _object("team", team, [], [])
    for row in _rows(of_team):
        related = [_to("team", row["team"], "looked after by")]
        yield _object("service", row["service"], _values("service", row, start), related)
    for row in _rows(records.tables["changes"]):
        related = [_to("service", row["service"], "of")]
        if row.get("deployment_id") is not None:
            related.append(_to("deployment", row["deployment_id"], "deployed by"))
        yield _object("change", row["change_id"], _values("change", row, start), related)
    for row in _rows(records.tables["deployments"]):
        related = [_to("service", row["service"], "of")]
        yield _object(
            "deployment", row["deployment_id"], _values("deployment", row, start), related
        )
    for row in _rows(records.tables["incidents"]):
        related = [_to("service", row["service"], "of")]
        if row.get("deployment_id") is not None:
            related.append(_to("deployment", row["deployment_id"], "caused by"))
        yield _object("incident", row["incident_id"], _values("incident", row, start), related)


def _events(records: Records, epoch: pd.Timestamp) -> Iterator[Element]:
    if "steps" in records.tables:
        yield from _of_steps(records.tables["steps"], epoch)
    changes = _timed(records.tables["changes"], ["committed_at"], epoch)
    for row in _rows(changes[changes["committed_at"].notna()]):
        of = row["change_id"]
        related = [_to("change", of, "committed"), _to("service", row["service"], "of")]
        yield _event(f"change {of} committed", "change committed", row["committed_at"], related)
    deployments = _timed(records.tables["deployments"], ["deployed_at"], epoch)
    shipped = records.tables["changes"].dropna(subset=["deployment_id"])
    of_deployment = shipped.groupby("deployment_id")["change_id"].agg(list).to_dict()
    for row in _rows(deployments[deployments["deployed_at"].notna()]):
        of = row["deployment_id"]
        related = [
            _to("deployment", of, "deployed"),
            _to("service", row["service"], "of"),
            *(_to("change", change, "with") for change in of_deployment.get(of, ())),
        ]
        yield _event(f"deployment {of} deployed", "service deployed", row["deployed_at"], related)
    incidents = _timed(records.tables["incidents"], [*_PHASES], epoch)
    for row in _rows(incidents):
        of = row["incident_id"]
        related = [_to("incident", of, "of"), _to("service", row["service"], "at")]
        if row.get("deployment_id") is not None:
            related.append(_to("deployment", row["deployment_id"], "caused by"))
        for column, name in _PHASES.items():
            if row.get(column) is not None:
                yield _event(f"incident {of} {column}", name, row[column], related)


def _of_steps(steps: pd.DataFrame, epoch: pd.Timestamp) -> Iterator[Element]:
    timed = _timed(steps, ["started_at", "finished_at"], epoch)
    for number, row in enumerate(_rows(timed)):
        name = readable(row["step"])
        related = [_to("change", row["change_id"], "of"), _to("service", row["service"], "at")]
        yield _event(f"step {number} started", f"{name} started", row["started_at"], related)
        attributes = [
            {"name": each, "value": row[each]} for each in _OF_A_STEP if row.get(each) is not None
        ]
        yield _event(
            f"step {number} finished", f"{name} finished", row["finished_at"], related, attributes
        )


def _timed(table: pd.DataFrame, columns: Sequence[str], epoch: pd.Timestamp) -> pd.DataFrame:
    return table.assign(
        **{each: iso(instants(table[each], epoch), "us") for each in columns if each in table}
    )


def _rows(table: pd.DataFrame) -> Iterator[Element]:
    """Yield each row with its values as JSON has them, None where there is none."""
    names = [str(name) for name in table]
    for begin in range(0, len(table), _CHUNK):
        piece = table.iloc[begin : begin + _CHUNK].astype(object)
        for row in piece.where(piece.notna(), None).itertuples(index=False, name=None):
            yield dict(zip(names, row, strict=True))


def _text(time: pd.Timestamp) -> str:
    return f"{time.tz_convert('UTC'):%Y-%m-%dT%H:%M:%S}Z"


def _values(kind: str, row: Element, start: str) -> list[Element]:
    return [
        {"name": name, "time": start, "value": _value(row[name])}
        for name in _ATTRIBUTES[kind]
        if row.get(name) is not None
    ]


def _value(value: Any) -> bool | str:
    return value if isinstance(value, bool) else str(value)


def _object(
    kind: str, name: object, attributes: list[Element], relationships: list[Element]
) -> Element:
    return {
        "id": f"{kind} {name}",
        "type": kind,
        "attributes": attributes,
        "relationships": relationships,
    }


def _to(kind: str, name: object, qualifier: str) -> Element:
    return {"objectId": f"{kind} {name}", "qualifier": qualifier}


def _event(
    name: str,
    kind: str,
    time: str,
    relationships: list[Element],
    attributes: Sequence[Element] = (),
) -> Element:
    return {
        "id": name,
        "type": kind,
        "time": time,
        "attributes": list(attributes),
        "relationships": relationships,
    }
