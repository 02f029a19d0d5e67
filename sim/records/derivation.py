"""From what a source says to the event tables: every rule by which something is derived.

Each rule is a function that takes a delivery and changes its tables; what it leaves out is counted.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.log import SCHEMAS, Records
from sim.words import in_number, printable

from .attribution import Attribution, charged, within_window
from .csv_files import SourceError
from .delivery import ROW, Delivery
from .delivery_records import DeliveryRecords
from .environments import counting
from .knowledge import knowledge_of
from .options import Options
from .places import Places, are_among, places
from .services import assigned

Flags = npt.NDArray[np.bool_]

ALL = "all"
"""The name of the one service and team of records that name none."""

_SUCCEEDED = {"success", "succeeded", "successful", "ok", "true", "1", "active", "inactive"}
_PHASES = ("detected_at", "responded_at", "diagnosed_at")


def to_records(delivery: Delivery, options: Options) -> DeliveryRecords:
    """Return the records that a delivery is, with all that was derived, left out or not known.

    Raises:
        SourceError: nothing can be measured, and why.
    """
    _in_environment(delivery, options)
    _incidents_in_environment(delivery, options)
    _successful_once(delivery)
    _once(delivery, "changes", "change_id")
    _once(delivery, "incidents", "incident_id")
    _without_planned(delivery, options)
    _given_services(delivery, options)
    failures = _without_rollbacks(delivery)
    _first_deployments(delivery)
    _in_order(delivery)
    span = _span(delivery, options)
    attribution = _attribute(delivery, failures, options, span)
    epoch = _monday(span[0], options.clock)
    tables = {
        name: _in_hours(name, table, epoch)
        for name, table in delivery.tables.items()
        if name in SCHEMAS
    }
    _number(tables)
    window = tuple((edge - epoch) / pd.Timedelta(hours=1) for edge in span)
    known = Records(tables, (window[0], window[1]), timezone=options.clock)
    return DeliveryRecords(
        tables=known.tables,
        window=known.window,
        timezone=known.timezone,
        epoch=epoch,
        source=delivery.source,
        problems=delivery.problems,
        remarks=tuple(delivery.remarks),
        knowledge=knowledge_of(known, delivery.rules),
        attribution=attribution,
        by_bot=_by_bot(delivery.tables.get("changes")),
        tool=delivery.tool,
        tool_tables=delivery.tool_tables,
    )


def _by_bot(changes: pd.DataFrame | None) -> Flags | None:
    if changes is None or "by_bot" not in changes or changes["by_bot"].isna().all():
        return None
    return changes["by_bot"].fillna(False).to_numpy(dtype=bool)


def _drop(delivery: Delivery, name: str, lost: Flags) -> None:
    table = delivery.tables[name]
    if name == "deployments" and "deployment_id" in table:
        delivery.left_out.update(table["deployment_id"][lost].dropna())
    delivery.tables[name] = delivery.tables[name][~lost].reset_index(drop=True)


def _list(delivery: Delivery, name: str, column: str, kind: str, end: str, rows: Flags) -> None:
    """List rows of a table that have a problem."""
    table = delivery.tables[name]
    values = table.loc[rows, column] if column in table else pd.Series([], dtype=object)
    values = values.astype(object).where(values.notna(), "")
    delivery.problems.add(
        delivery.files.get(name, name), column, kind, end, table.loc[rows, ROW].to_numpy(), values
    )


def _in_environment(delivery: Delivery, options: Options) -> None:
    """Keep what was deployed to production, or wherever deployments count."""
    table = delivery.tables.get("deployments")
    if table is None or "environment" not in table:
        if options.environment is not None and table is not None:
            raise SourceError(
                f"no deployment names its environment, so none can be '{options.environment}'; "
                "leave out --environment"
            )
        return
    there = table["environment"].fillna("")
    names = sorted(set(map(str, there.unique())) - {""})
    counted = counting(there, options)
    if not counted.any() and len(table):
        wanted = "production" if options.environment is None else f"'{options.environment}'"
        raise SourceError(
            f"no deployment is to {printable(wanted)}; name the environment "
            f"with --environment (there are {', '.join(names[:8]) or 'none'})"
        )
    lost = ~counted
    if lost.any():
        others = ", ".join(f"'{name}'" for name in sorted(map(str, there[lost].unique()))[:4])
        delivery.remarks.append(
            in_number(
                int(lost.sum()),
                f"deployment to another environment ({others}) is left out.",
                f"deployments to other environments ({others}) are left out.",
            )
        )
    _drop(delivery, "deployments", lost)


def _incidents_in_environment(delivery: Delivery, options: Options) -> None:
    """Leave out incidents elsewhere; those that name no environment stay."""
    table = delivery.tables.get("incidents")
    if table is None or "environment" not in table:
        return
    there = table["environment"].fillna("")
    lost = (there != "").to_numpy(dtype=bool) & ~counting(there, options)
    if lost.any():
        one = "incident in another environment is left out."
        several = "incidents in other environments are left out."
        delivery.remarks.append(in_number(int(lost.sum()), one, several))
    _drop(delivery, "incidents", lost)


def _successful_once(delivery: Delivery) -> None:
    """Keep each deployment once, as it first succeeded."""
    table = delivery.tables.get("deployments")
    if table is None:
        return
    if "result" in table:
        result = table["result"].str.lower()
        failed = result.notna().to_numpy(dtype=bool) & ~are_among(result, _SUCCEEDED)
        if failed.any():
            one = "deployment that did not succeed is left out."
            several = "deployments that did not succeed are left out."
            delivery.remarks.append(in_number(int(failed.sum()), one, several))
        _drop(delivery, "deployments", failed)
        table = delivery.tables["deployments"]
    if "deployed_at" not in table:
        del delivery.tables["deployments"]
        if len(table):
            what = "nothing says when deployments happened"
            file = delivery.files["deployments"]
            delivery.problems.add_file(file, what, "none of them is used", "deployed_at")
        return
    never = table["deployed_at"].isna().to_numpy(dtype=bool)
    _list(delivery, "deployments", "deployed_at", "no time of deployment", "it is left out", never)
    _drop(delivery, "deployments", never)
    table = delivery.tables["deployments"].sort_values("deployed_at", kind="stable")
    if "deployment_id" in table:
        again = table["deployment_id"].duplicated() & table["deployment_id"].notna()
        if again.any():
            times = in_number(int(again.sum()), "row repeats", "rows repeat")
            delivery.remarks.append(f"{times} a deployment; its earliest success counts.")
            table = table[~again]
    table = table.reset_index(drop=True)
    own = "row " + table[ROW].astype("string")
    if "deployment_id" not in table:
        table["deployment_id"] = own
        delivery.rules["deployments.deployment_id"] = "a row is a deployment"
    else:
        table["deployment_id"] = table["deployment_id"].astype("string").fillna(own)
    delivery.tables["deployments"] = table


def _once(delivery: Delivery, name: str, key: str) -> None:
    """Keep each change and each incident once; one without an identifier is told by its row."""
    table = delivery.tables.get(name)
    if table is None:
        return
    own = "row " + table[ROW].astype("string")
    if key not in table:
        table[key] = own
        delivery.rules[f"{name}.{key}"] = "a row is one"
    table[key] = table[key].astype("string").fillna(own)
    again = table[key].duplicated().to_numpy(dtype=bool)
    _list(delivery, name, key, "the identifier is there twice", "the first row is used", again)
    _drop(delivery, name, again)


def _without_planned(delivery: Delivery, options: Options) -> None:
    """Leave out maintenance that was announced: it is no incident."""
    table = delivery.tables.get("incidents")
    if table is None:
        return
    planned = np.zeros(len(table), dtype=np.bool_)
    if "planned" in table:
        planned = table["planned"].fillna(False).to_numpy(dtype=bool)
    if options.planned is not None:
        if "title" not in table:
            raise SourceError("incidents have no title that --planned could be found in")
        titles = table["title"].fillna("")
        planned = planned | np.array([bool(options.planned.search(title)) for title in titles])
    if planned.any():
        one, several = "planned entry is no incident.", "planned entries are no incidents."
        delivery.remarks.append(in_number(int(planned.sum()), one, several))
    _drop(delivery, "incidents", planned)


def _given_services(delivery: Delivery, options: Options) -> None:
    """Give everything a service: its own, that of its path or job, or the one that there is."""
    tables = delivery.tables
    if options.services is not None:
        assigned(delivery, options.services)
    named = [tables[name] for name in ("deployments", "changes", "incidents") if name in tables]
    known = [
        str(s) for table in named if "service" in table for s in table["service"].dropna().unique()
    ]
    listed = tables.get("services")
    if listed is not None and "service" in listed:
        nameless = (listed["service"].isna() | listed["service"].duplicated()).to_numpy(dtype=bool)
        _list(delivery, "services", "service", "no name of its own", "it is left out", nameless)
        _drop(delivery, "services", nameless)
    else:
        tables["services"] = pd.DataFrame({"service": pd.Series([], dtype="string"), ROW: []})
    services = tables["services"]
    new = [name for name in dict.fromkeys(known) if name not in set(services["service"])]
    if not len(services) and not new:
        new = [ALL]
        delivery.remarks.append(
            "Nothing names a service, so all is taken for one; --services tells several apart."
        )
        delivery.rules["services.service"] = "one for all"
    elif new:
        delivery.rules.setdefault("services.service", "the services that anything names")
    added = pd.DataFrame({"service": pd.array(new, dtype="string"), ROW: 0})
    services = pd.concat([services, added], ignore_index=True) if new else services
    if "team" not in services:
        services["team"] = pd.array([ALL] * len(services), dtype="string")
        delivery.rules["services.team"] = "one for all"
    services["team"] = services["team"].astype("string").fillna(ALL)
    tables["services"] = services
    for name in ("deployments", "changes", "incidents"):
        if name not in tables:
            continue
        table = tables[name]
        if len(services) == 1:
            table["service"] = pd.array([str(services["service"][0])] * len(table), dtype="string")
        elif "service" not in table:
            table["service"] = pd.array([pd.NA] * len(table), dtype="string")
            file = delivery.files.get(name, name)
            what = "no row says of which service it is"
            delivery.problems.add_file(file, what, "they count for none of them", "service")
        elif table["service"].isna().any():
            missing = table["service"].isna().to_numpy(dtype=bool)
            _list(delivery, name, "service", "no service", "it counts for none of them", missing)


def _without_rollbacks(delivery: Delivery) -> pd.DataFrame:
    """Take rollbacks out of the deployments; return the deployments that failed by them.

    A rollback is the deployment of an earlier version. It is no deployment of its own, and the one
    before it of the same service has failed.
    """
    nothing = pd.DataFrame(
        {"deployment_id": pd.Series([], dtype="string"), "service": [], "at": []}
    )
    table = delivery.tables.get("deployments")
    if table is None or "is_rollback" not in table:
        return nothing
    back = table["is_rollback"].fillna(False).to_numpy(dtype=bool)
    if not back.any():
        return nothing
    service = table["service"]
    ahead = table["deployment_id"].where(~back)
    before = ahead.groupby(service.fillna("")).ffill()
    failed = pd.DataFrame(
        {"deployment_id": before[back], "service": service[back], "at": table["deployed_at"][back]}
    )
    delivery.remarks.append(
        in_number(
            int(back.sum()),
            "rollback is no deployment; the deployment before it has failed.",
            "rollbacks are no deployments; the deployment before each has failed.",
        )
    )
    _drop(delivery, "deployments", back)
    links = delivery.tables.get("deployed_changes")
    if links is not None and {"deployment_id", "change_id"} <= set(links):
        kept = are_among(links["deployment_id"], delivery.tables["deployments"]["deployment_id"])
        delivery.tables["deployed_changes"] = links[kept].reset_index(drop=True)
    return failed.dropna(subset="deployment_id").drop_duplicates("deployment_id")


def _first_deployments(delivery: Delivery) -> None:
    """Say of each change which deployment brought it into production first, and when."""
    changes, deployments = delivery.tables.get("changes"), delivery.tables.get("deployments")
    links = delivery.tables.pop("deployed_changes", None)
    if changes is None or deployments is None:
        return
    pairs = []
    if "deployment_id" in changes:
        pairs.append(changes[["change_id", "deployment_id"]].dropna())
    if links is not None and {"deployment_id", "change_id"} <= set(links):
        pairs.append(links[["change_id", "deployment_id"]].dropna())
    if not pairs:
        return
    joined = pd.concat(pairs, ignore_index=True) if len(pairs) > 1 else pairs[0]
    found = pd.DataFrame(
        {
            "change": places(joined["change_id"], changes["change_id"]),
            "deployment": places(joined["deployment_id"], deployments["deployment_id"]),
        }
    )
    found = found[(found >= 0).all(axis=1)].drop_duplicates()
    # Deployments are in the order of time, so that the first one has the smallest place.
    first = np.full(len(changes), len(deployments))
    np.minimum.at(first, found["change"], found["deployment"])
    is_deployed = first < len(deployments)
    if "deployment_id" in changes and links is None:
        named = changes["deployment_id"]
        unknown = named.notna().to_numpy(dtype=bool) & ~is_deployed
        unknown &= ~are_among(named, delivery.left_out)
        what, end = "it does not name a deployment that counts", "the change is not deployed by it"
        _list(delivery, "changes", "deployment_id", what, end, unknown)
    place = np.where(is_deployed, first, -1)
    changes["deployment_id"] = _taken(deployments["deployment_id"], place)
    deployed_at = _taken(deployments["deployed_at"], place)
    if "deployed_at" in changes:
        deployed_at = deployed_at.fillna(changes["deployed_at"])
    changes["deployed_at"] = deployed_at
    delivery.rules["changes.deployed_at"] = (
        "when the first deployment that has the change succeeded"
    )
    if "n_changes" not in deployments:
        counts = np.bincount(found["deployment"], minlength=len(deployments))
        deployments["n_changes"] = counts
        delivery.rules["deployments.n_changes"] = "the changes that name it"
    if not delivery.links_are_complete and len(deployments) and "committed_at" in changes:
        firsts = deployments["deployment_id"][~deployments["service"].fillna("").duplicated()]
        of_first = are_among(changes["deployment_id"], firsts)
        if of_first.any():
            changes.loc[of_first, "committed_at"] = pd.NaT
            delivery.remarks.append(
                "The first deployment of a service brings all that there was before: "
                + in_number(int(of_first.sum()), "change of it has", "changes of it have")
                + " no lead time."
            )


def _taken(values: pd.Series, at: Places) -> "pd.Series[Any]":
    """Return the values at some places, and none at the place -1."""
    taken = values.array.take(at, allow_fill=True)
    return pd.Series(taken, dtype=values.dtype)


def _in_order(delivery: Delivery) -> None:
    """Take away times that contradict each other; their rows stay, as far as they are known."""
    changes, incidents = delivery.tables.get("changes"), delivery.tables.get("incidents")
    if changes is not None and {"committed_at", "deployed_at"} <= set(changes):
        late = (changes["committed_at"] > changes["deployed_at"]).to_numpy(dtype=bool)
        what, end = "committed after it was deployed", "the change has no lead time"
        _list(delivery, "changes", "committed_at", what, end, late)
        changes.loc[late, "committed_at"] = pd.NaT
    if incidents is None:
        return
    unknown = pd.Series(pd.NaT, index=incidents.index, dtype="datetime64[us, UTC]")
    begun = incidents.get("started_at", unknown)
    last = begun
    for phase in (each for each in _PHASES if each in incidents):
        wrong = (incidents[phase] < last).to_numpy(dtype=bool)
        what = f"{phase.removesuffix('_at')} before what comes before it"
        _list(delivery, "incidents", phase, what, "the value is left out", wrong)
        incidents.loc[wrong, phase] = pd.NaT
        begun = begun.fillna(incidents[phase])
        last = incidents[phase].fillna(last)
    if "restored_at" in incidents:
        wrong = (incidents["restored_at"] < begun).to_numpy(dtype=bool)
        what, end = "restored before it started", "its times are not used"
        _list(delivery, "incidents", "restored_at", what, end, wrong)
        times = [c for c in ("started_at", *_PHASES, "restored_at") if c in incidents]
        incidents.loc[wrong, times] = pd.NaT


def _span(delivery: Delivery, options: Options) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the observed time: whole days from the first deployment to the last event."""
    tables = delivery.tables
    times = {
        f"{name}.{column}": table[column]
        for name, table in tables.items()
        for column in table
        if str(column).endswith("_at") and name != "services"
    }
    known = {name: column for name, column in times.items() if column.notna().any()}
    if not known and delivery.left_out and not len(delivery.problems):
        raise SourceError(
            "every deployment failed or is a rollback, and nothing else has a time; there is "
            "nothing to measure"
        )
    if not known:
        raise SourceError(
            "no time of a deployment, change or incident could be read; "
            + (str(next(iter(delivery.problems))) if len(delivery.problems) else "is it empty?")
        )
    begun = known.get("deployments.deployed_at")
    if begun is None:
        begun = known.get("incidents.started_at")
    first = min(c.min() for c in known.values()) if begun is None else begun.min()
    last = max(column.max() for column in known.values())
    if delivery.ended_at is not None:
        last = max(delivery.ended_at, first)
    clock = options.clock
    start = first.tz_convert(clock).normalize()
    end = (last.tz_convert(clock) + pd.Timedelta(days=1)).normalize()
    if options.since is not None:
        start = options.since.tz_localize(clock)
    if options.until is not None:
        end = options.until.tz_localize(clock)
    if not start < end:
        raise SourceError(
            f"nothing is left between {start:%Y-%m-%d} and {end:%Y-%m-%d}: the records go from "
            f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
        )
    return start.tz_convert("UTC"), end.tz_convert("UTC")


def _monday(start: pd.Timestamp, clock: str) -> pd.Timestamp:
    """Return Monday 00:00 of the week of a time, by the local clock, as an instant."""
    local = start.tz_convert(clock).tz_localize(None).normalize()
    monday = local - pd.Timedelta(days=local.weekday())
    return monday.tz_localize(clock, ambiguous=True, nonexistent="shift_forward").tz_convert("UTC")


def _attribute(
    delivery: Delivery,
    failures: pd.DataFrame,
    options: Options,
    span: tuple[pd.Timestamp, pd.Timestamp],
) -> Attribution | None:
    """Charge incidents to deployments; where nobody can say which, no deployment is charged.

    Returns:
        None if there are no deployments, or neither incidents nor failures are recorded.
    """
    deployments, incidents = delivery.tables.get("deployments"), delivery.tables.get("incidents")
    changes = delivery.tables.get("changes")
    reverted = failures if deployments is None else _reverted(changes, failures)
    if deployments is None:
        for name in {"incidents", "changes"} & delivery.tables.keys():
            delivery.tables[name] = delivery.tables[name].drop(
                columns="deployment_id", errors="ignore"
            )
        return None
    if incidents is None and not len(reverted):
        return None
    if incidents is None:
        incidents = pd.DataFrame({"incident_id": pd.Series([], dtype="string"), ROW: []})
        delivery.rules["incidents.incident_id"] = "rollbacks and reverts"
    linked, by_commit = charged(incidents, deployments, changes)
    other = np.zeros(len(incidents), dtype=np.bool_)
    if "deployment_id" in incidents:
        named = incidents["deployment_id"]
        # It names one, so that no other did it.
        other = linked.isna().to_numpy(dtype=bool) & are_among(named, delivery.left_out)
        lost = (named.notna() & linked.isna()).to_numpy(dtype=bool) & ~other
        what = "it does not name a deployment that counts"
        _list(delivery, "incidents", "deployment_id", what, "it is charged to none", lost)
    if "trigger" in incidents:
        trigger = incidents["trigger"]
        by_itself = trigger.notna() & (trigger != "deployment") & linked.isna()
        other = other | by_itself.to_numpy(dtype=bool)
    missing = pd.Series(pd.NaT, index=incidents.index, dtype="datetime64[us, UTC]")
    started_at = incidents.get("started_at", missing)
    # No deployment of the observed time can have caused what began before it.
    other = other | ((started_at < span[0]) & linked.isna()).to_numpy(dtype=bool)
    is_open = linked.isna().to_numpy(dtype=bool) & ~other
    n_timed, in_window, chance = within_window(
        started_at[is_open],
        incidents.get("service", pd.Series(pd.NA, index=incidents.index, dtype="string"))[is_open],
        deployments,
        options.window_h,
        span,
    )
    seen = linked.dropna()
    new = reverted[~are_among(reverted["deployment_id"], seen)]
    inside = (deployments["deployed_at"] >= span[0]) & (deployments["deployed_at"] < span[1])
    have_failed = np.zeros(len(deployments), dtype=np.bool_)
    for names in (seen, reverted["deployment_id"]):
        at = places(names, deployments["deployment_id"])
        have_failed[at[at >= 0]] = True
    failed = np.count_nonzero(have_failed & inside.to_numpy(dtype=bool))
    total = max(int(inside.sum()), 1)
    n_open = int(is_open.sum())
    attribution = Attribution(
        n_incidents=len(incidents),
        n_linked=int((linked.notna() & ~pd.Series(by_commit, index=linked.index)).sum()),
        n_by_commit=int(by_commit.sum()),
        n_reverted=len(new),
        n_other=int(other.sum()),
        n_open=n_open,
        n_timed=n_timed,
        n_in_window=in_window,
        window_h=options.window_h,
        chance=chance,
        lowest=failed / total,
        highest=min((failed + n_open) / total, 1.0),
    )
    incidents["deployment_id"] = linked
    if by_commit.any():
        delivery.rules["incidents.deployment_id"] = "its link, else the deployment of its commit"
    if len(new):
        rows = pd.DataFrame(
            {
                "incident_id": "rollback of " + new["deployment_id"].astype("string"),
                "service": new["service"],
                "deployment_id": new["deployment_id"],
                "trigger": "deployment",
                "remedy": "rollback",
                "restored_at": new["at"],
                ROW: 0,
            }
        )
        for column in ("trigger", "remedy"):
            if column not in incidents and len(incidents):
                rows = rows.drop(columns=column)  # of the others nobody knows it
        incidents = pd.concat([incidents, rows], ignore_index=True)
        delivery.rules.setdefault("incidents.deployment_id", "the one before a rollback or revert")
    if not attribution.is_certain:
        incidents = incidents.drop(columns="deployment_id")
    delivery.tables["incidents"] = incidents
    return attribution


def _reverted(changes: pd.DataFrame | None, failures: pd.DataFrame) -> pd.DataFrame:
    """Return the deployments that failed as rollbacks and reverts show, each once."""
    found = [failures]
    if changes is not None and {"reverts", "deployment_id"} <= set(changes):
        reverting = changes[changes["reverts"].notna()]
        of_change = changes.set_index("change_id")["deployment_id"]
        failed = reverting["reverts"].map(of_change[~of_change.index.duplicated()])
        # Taken back before it was deployed, it has harmed nobody.
        harmed = failed.notna() & (failed != reverting["deployment_id"]).fillna(True)
        found.append(
            pd.DataFrame(
                {
                    "deployment_id": failed[harmed],
                    "service": reverting["service"][harmed],
                    "at": reverting["deployed_at"][harmed],
                }
            )
        )
    some = [each for each in found if len(each)]
    if not some:
        return failures
    return pd.concat(some, ignore_index=True).drop_duplicates("deployment_id")


def _in_hours(name: str, table: pd.DataFrame, epoch: pd.Timestamp) -> pd.DataFrame:
    """Return a table with times in hours, and with none but the columns of the event tables."""
    columns: dict[str, Any] = {}
    for column in SCHEMAS[name]:
        if column not in table:
            continue
        values = table[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            columns[column] = (values - epoch) / pd.Timedelta(hours=1)
        elif SCHEMAS[name][column].kind == "text":
            columns[column] = values.astype("object").fillna("").astype("category")
        elif SCHEMAS[name][column].kind == "flag":
            columns[column] = values.fillna(False).to_numpy(dtype=bool)
        else:
            columns[column] = values
    return pd.DataFrame(columns)


def _number(tables: dict[str, pd.DataFrame]) -> None:
    """Make identifiers whole numbers, places among their names, as metrics compare them a lot."""
    for name, key in (("changes", "change_id"), ("deployments", "deployment_id")):
        if name in tables:
            names = tables[name][key].copy()
            for table in tables.values():
                if key in table:
                    at = places(table[key], names)
                    table[key] = pd.arrays.IntegerArray(at.astype(np.int64), at < 0)
