"""CDEvents, the open standard for events of delivery (versions 0.3 to 0.5 of the specification).

A deployment is a service that was deployed or upgraded; one that was rolled back is a rollback. A
change goes out with the artifact that was packaged of it, or with what has the same chain; one
that was merged in between goes out with the next one of its repository that did.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sim.words import printable

from .csv_files import SourceError, refuse_too_large
from .delivery import ROW, Delivery, texts
from .json_files import Object, as_text, begins_as_json, part_of, read_objects
from .options import Options
from .times import instants

NAME = "cdevents"
WANTED = "CDEvents as JSON, one event per line or an array of them"

_TYPE = re.compile(r"dev\.cdevents\.([a-z]+\.[a-z]+)\.")
_DEPLOYED = ("service.deployed", "service.upgraded", "service.rolledback", "service.published")
_INCIDENTS = ("incident.detected", "incident.reported", "incident.resolved")
_CHANGES = ("change.created", "change.merged")
_ARTIFACTS = ("artifact.packaged",)
_USED = {*_DEPLOYED, *_INCIDENTS, *_CHANGES, *_ARTIFACTS}
_CONTEXT = {"event": "id", "source": "source", "at": "timestamp", "chain": "chainId"}
_SUBJECT = {"subject": "id", "subject_source": "source"}
_CONTENT = {
    "environment": ("environment", "id"),
    "environment_name": ("environment", "name"),
    "service": ("service", "id"),
    "repository": ("repository", "id"),
    "change": ("change", "id"),
    "change_source": ("change", "source"),
}


def can_open(source: str) -> bool:
    """Return whether a source is a file whose beginning speaks of CDEvents."""
    path = Path(source)
    if not path.is_file() or not begins_as_json(path):
        return False
    with path.open("rb") as file:
        start = file.read(1 << 16)
    return b"dev.cdevents." in start.replace(b"\0", b"")


def read(source: str, options: Options) -> Delivery:
    """Return what the events say.

    Args:
        source: the file.
        options: of these, the time zone is used here.

    Raises:
        SourceError: no event is one of a deployment, change or incident.
    """
    path = Path(source)
    refuse_too_large({path.name: path})
    delivery = Delivery("CDEvents")
    events = _events(path, delivery, options)
    deployed = _deployments(delivery, path.name, events)
    if deployed is not None:
        _changes(delivery, path.name, events, deployed)
    elif n_others := int(events["kind"].isin((*_CHANGES, *_ARTIFACTS)).sum()):
        delivery.remarks.append(f"{n_others:,} events of changes lack any of a deployment.")
    _incidents(delivery, path.name, events, deployed)
    if not delivery.tables:
        raise SourceError(
            f"{path.name} has no event of a deployment or an incident"
            + (f"; {delivery.remarks[0]}" if delivery.remarks else "")
        )
    return delivery


def _events(path: Path, delivery: Delivery, options: Options) -> pd.DataFrame:
    """Return the events that are used, each once; the others are counted."""
    rows: list[int] = []
    kinds: list[str] = []
    names = (*_CONTEXT, *_SUBJECT, *_CONTENT, "artifact")
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    others: Counter[str] = Counter()
    nameless: list[int] = []
    for row, event in read_objects(path, delivery.problems):
        event = _unwrapped(event)
        context = part_of(event, "context")
        written = as_text(context.get("type"))
        if written is None:
            nameless.append(row)
            continue
        kind = found[1] if (found := _TYPE.match(written)) else written
        if kind not in _USED:
            others[kind] += 1
            continue
        rows.append(row)
        kinds.append(kind)
        subject = part_of(event, "subject")
        content = part_of(subject, "content")
        for name, key in _CONTEXT.items():
            columns[name].append(as_text(context.get(key)))
        for name, key in _SUBJECT.items():
            columns[name].append(as_text(subject.get(key)))
        for name, (part, key) in _CONTENT.items():
            columns[name].append(
                as_text(part_of(content, part).get(key)) if part in content else None
            )
        columns["artifact"].append(as_text(content.get("artifactId")))
    file = path.name
    what = "no event: its context has no type"
    delivery.problems.add(file, "context.type", what, "it is left out", nameless)
    if others:
        most = ", ".join(f"{n:,} {printable(kind)[:40]}" for kind, n in others.most_common(4))
        more = f" and {len(others) - 4:,} more kinds" if len(others) > 4 else ""
        delivery.remarks.append(
            f"{others.total():,} events say nothing of deployments, changes or incidents: "
            f"{most}{more}."
        )
    events = pd.DataFrame(
        {name: texts(values) for name, values in columns.items() if name != "at"}
        | {"kind": pd.Series(kinds, dtype="category"), ROW: np.array(rows, dtype=np.int64)}
    )
    written_at = pd.Series(columns["at"], dtype="string[pyarrow]", name="context.timestamp")
    numbers = np.array(rows, dtype=np.int64)
    events["at"] = instants(written_at, numbers, file, delivery.problems, options.timezone)
    events["environment"] = events["environment"].fillna(events["environment_name"])
    again = events["event"].notna() & events.duplicated(["kind", "source", "event"])
    if again.any():
        delivery.remarks.append(f"{again.sum():,} events were sent again and count once.")
    return events[~again].reset_index(drop=True)


def _unwrapped(event: Object) -> Object:
    """Return an event without the CloudEvent that may carry it."""
    data = event.get("data")
    return data if isinstance(data, dict) and "context" not in event else event


def _deployments(delivery: Delivery, file: str, events: pd.DataFrame) -> pd.DataFrame | None:
    """Add the deployments, and return them with their artifacts and chains; None if there are none.

    That a service was published is a deployment only if nothing says that it was deployed: where
    both are sent, they are two events of one deployment.
    """
    found = events[events["kind"].isin(_DEPLOYED)]
    published = found["kind"] == "service.published"
    of_deployed = found["subject"].isin(set(found["subject"][~published].dropna()))
    beside = published & of_deployed
    if beside.any():
        delivery.remarks.append(
            f"{beside.sum():,} events that a service was published count with its deployments."
        )
    found = found[~beside]
    if not len(found):
        return None
    names = found["event"]
    several = names.duplicated(keep=False) & names.notna()
    names = names.mask(several, found["source"].fillna("") + " " + names)
    found = found.assign(
        deployment_id=names.fillna("row " + found[ROW].astype("string[pyarrow]"))
    ).reset_index(drop=True)
    delivery.tables["deployments"] = pd.DataFrame(
        {
            "deployment_id": found["deployment_id"],
            "service": found["subject"],
            "deployed_at": found["at"],
            "environment": found["environment"],
            "commit": found["artifact"],
            "is_rollback": (found["kind"] == "service.rolledback").astype("boolean"),
            ROW: found[ROW],
        }
    )
    delivery.files["deployments"] = file
    return found


def _changes(delivery: Delivery, file: str, events: pd.DataFrame, deployed: pd.DataFrame) -> None:
    """Add the changes that were merged, and which deployments have them."""
    found = events[events["kind"].isin(_CHANGES)]
    nameless = found["subject"].isna().to_numpy(dtype=bool)
    what = "a change without an identifier"
    rows = found[ROW].to_numpy()[nameless]
    delivery.problems.add(file, "subject.id", what, "it is left out", rows)
    found = found[~nameless]
    merged = _first_of_each(found[found["kind"] == "change.merged"])
    created = _first_of_each(found[found["kind"] == "change.created"])
    n_unmerged = int((~created["key"].isin(merged["key"])).sum())
    if n_unmerged:
        delivery.remarks.append(f"{n_unmerged:,} changes were not merged, and are left out.")
    if not len(merged):
        return
    opened_at = created.set_index("key")["at"].reindex(merged["key"]).reset_index(drop=True)
    pairs = _pairs(events, merged, deployed)
    of_key = dict(zip(deployed["deployment_id"], deployed["subject"], strict=True))
    service = {change: of_key[deployment] for change, deployment in reversed(pairs)}
    delivery.tables["changes"] = pd.DataFrame(
        {
            "change_id": merged["key"],
            "service": texts([service.get(key) for key in merged["key"]]),
            "committed_at": opened_at.fillna(merged["at"]),
            ROW: merged[ROW],
        }
    )
    delivery.tables["deployed_changes"] = pd.DataFrame(
        {
            "deployment_id": texts([deployment for _, deployment in pairs]),
            "change_id": texts([change for change, _ in pairs]),
            ROW: np.zeros(len(pairs), dtype=np.int64),
        }
    )
    delivery.files |= {"changes": file, "deployed_changes": file}
    n_merged = int(opened_at.isna().sum())
    delivery.rules |= {
        "changes.committed_at": "when the change was created, which is after its first commit"
        + (f"; of {n_merged:,}, when it was merged" if n_merged else ""),
        "changes.deployment_id": "by artifact, else chain, else the next change of its repository",
        "changes.service": "the service that it was deployed to",
    }
    delivery.remarks.append(
        "Lead times are lower bounds: events tell when a change was created or merged, and not "
        "when its first commit was made."
    )


def _first_of_each(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the first event of each change, with a key that names it and its repository."""
    repository = changes["repository"].fillna("")
    keyed = changes.assign(key=(repository + " " + changes["subject"]).str.strip())
    first = keyed.sort_values("at", kind="stable").drop_duplicates("key")
    return first.sort_values(ROW).reset_index(drop=True)


def _pairs(
    events: pd.DataFrame, merged: pd.DataFrame, deployed: pd.DataFrame
) -> list[tuple[str, str]]:
    """Return the changes and the deployments that have them, each pair once."""
    # Of the deployments of an artifact to the same place the first one is enough.
    forward = deployed[deployed["at"].notna() & (deployed["kind"] != "service.rolledback")]
    forward = forward.sort_values("at", kind="stable")
    firsts: list[dict[str, list[str]]] = []
    for name in ("artifact", "chain"):
        named = forward[forward[name].notna()]
        of = named.drop_duplicates([name, "environment", "subject"]).groupby(name, sort=False)
        firsts.append({str(key): list(them) for key, them in of["deployment_id"]})
    by_artifact, by_chain = firsts
    artifacts: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    packaged = events[(events["kind"] == "artifact.packaged") & events["change"].notna()]
    for artifact, change, source in _columns(packaged, "subject", "change", "change_source"):
        if artifact is not None and change is not None:
            artifacts[change].append((artifact, source))
    direct: dict[int, list[str]] = {}
    twice = set(merged["subject"][merged["subject"].duplicated()])
    for number, (change, source, chain) in enumerate(
        _columns(merged, "subject", "subject_source", "chain")
    ):
        assert change is not None
        having = {
            deployment
            for artifact, of in artifacts.get(change, ())
            if change not in twice or of == source
            for deployment in by_artifact.get(artifact, ())
        }
        if not having and chain is not None:
            having = set(by_chain.get(chain, ()))
        if having:
            direct[number] = sorted(having)
    # What was merged before a change of the same repository that was deployed goes out with it.
    found: list[tuple[str, str]] = []
    keys = merged["key"].astype(object).to_numpy()
    next_of: dict[str, int] = {}
    times = merged["at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    repositories = merged["repository"].fillna("").astype(object).to_numpy()
    known = merged["at"].notna().to_numpy(dtype=bool)
    for number in np.argsort(times, kind="stable")[::-1].tolist():
        if number in direct:
            carrier: int | None = number
            if known[number]:
                next_of[repositories[number]] = number
        else:
            carrier = next_of.get(repositories[number]) if known[number] else None
        if carrier is not None:
            found += [(keys[number], deployment) for deployment in direct[carrier]]
    return found


def _columns(frame: pd.DataFrame, *names: str) -> Any:
    """Yield the texts of some columns by row, None where there is none."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None) for name in names]
    return zip(*columns, strict=True)


def _incidents(
    delivery: Delivery, file: str, events: pd.DataFrame, deployed: pd.DataFrame | None
) -> None:
    """Add the incidents: from the first time one was detected until it was resolved for good."""
    found = events[events["kind"].isin(_INCIDENTS)]
    nameless = found["subject"].isna().to_numpy(dtype=bool)
    what = "an incident without an identifier"
    rows = found[ROW].to_numpy()[nameless]
    delivery.problems.add(file, "subject.id", what, "it is left out", rows)
    found = found[~nameless].sort_values("at", kind="stable")
    if not len(found):
        return
    is_end = found["kind"] == "incident.resolved"
    begun, ended = found[~is_end].groupby("subject"), found[is_end].groupby("subject")
    table = found.drop_duplicates("subject").sort_values(ROW).set_index("subject")
    started_at, seen_at = begun["at"].min(), begun["at"].max()
    restored_at = ended["at"].max().reindex(table.index)
    # It was detected again after that.
    restored_at = restored_at.mask((restored_at < seen_at.reindex(table.index)).fillna(False))
    for name in ("service", "environment"):
        table[name] = found.groupby("subject")[name].first().reindex(table.index)
    table["artifact"] = begun["artifact"].first().reindex(table.index)
    table["started_at"] = started_at.reindex(table.index)
    table["restored_at"] = restored_at
    table = table.reset_index()
    delivery.tables["incidents"] = pd.DataFrame(
        {
            "incident_id": table["subject"],
            "service": table["service"],
            "environment": table["environment"],
            "started_at": table["started_at"].dt.as_unit("us"),
            "restored_at": table["restored_at"].dt.as_unit("us"),
            ROW: table[ROW],
        }
    )
    delivery.files["incidents"] = file
    delivery.rules["incidents.started_at"] = (
        "when it was detected or reported first: it began before"
    )
    if deployed is not None and table["artifact"].notna().any():
        charged = texts(_running(table, deployed))
        delivery.tables["incidents"]["deployment_id"] = charged
        delivery.rules["incidents.deployment_id"] = (
            "the last deployment of the artifact that the incident names"
        )


def _running(incidents: pd.DataFrame, deployed: pd.DataFrame) -> list[str | None]:
    """Return the last deployment of its artifact before each incident, None if there is none."""
    fields = ("artifact", "deployment_id", "subject", "environment")
    at = deployed["at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    known = deployed["at"].notna().to_numpy(dtype=bool)
    rows = list(_columns(deployed, *fields))
    of: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place in np.argsort(at, kind="stable").tolist():
        artifact = rows[place][0]
        if artifact is not None and known[place]:
            of[artifact][0].append(int(at[place]))
            of[artifact][1].append(place)
    begun = incidents["started_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    has_begun = incidents["started_at"].notna().to_numpy(dtype=bool)
    found: list[str | None] = []
    for number, (artifact, service, environment) in enumerate(
        _columns(incidents, "artifact", "service", "environment")
    ):
        name = None
        times, places = of.get(artifact, ([], [])) if has_begun[number] else ([], [])
        for place in reversed(places[: bisect_right(times, int(begun[number]))]):
            _, deployment, its_service, its_environment = rows[place]
            if service in (None, its_service) and environment in (None, its_environment):
                name = deployment
                break
        found.append(name)
    return found
