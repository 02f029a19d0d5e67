"""The tables of Four Keys, as CSV or JSON lines: changes, deployments and incidents.

Their columns are those of its views, see https://github.com/dora-team/fourkeys/tree/main/queries.
"""

from pathlib import Path

import pandas as pd

from .csv_files import SourceError, header_of, read_texts, refuse_too_large
from .delivery import ROW, Delivery, Kind, read_as
from .json_files import keys_of, read_texts_of_objects
from .options import Options
from .problems import Problems
from .utc_times import with_offset

NAME = "fourkeys"
WANTED = "a folder with the tables of Four Keys: deployments.csv or .jsonl with deploy_id, ..."

TABLES: dict[str, dict[str, Kind]] = {
    "changes": {
        "source": "text",
        "event_type": "text",
        "change_id": "text",
        "time_created": "time",
    },
    "deployments": {
        "source": "text",
        "deploy_id": "text",
        "time_created": "time",
        "main_commit": "text",
        "changes": "text",
    },
    "incidents": {
        "source": "text",
        "incident_id": "text",
        "time_created": "time",
        "time_resolved": "time",
        "changes": "text",
    },
}
"""The tables with what their columns hold; `changes` is a list of change_id."""
_KEYS = {"changes": "change_id", "deployments": "deploy_id", "incidents": "incident_id"}
_JSON = (".jsonl", ".ndjson", ".json")


def can_open(source: str) -> bool:
    """Return whether a source is a folder with the table of deployments."""
    path = _path(Path(source), "deployments")
    return path is not None and {"deploy_id", "time_created"} <= _columns(path)


def read(source: str, options: Options) -> Delivery:
    """Return what the tables say.

    Args:
        source: the folder.
        options: of these, none is used here: BigQuery keeps times in UTC.

    Raises:
        SourceError: a file cannot be read, or there are no deployments.
    """
    problems = Problems()
    paths = {name: path for name in TABLES if (path := _path(Path(source), name))}
    refuse_too_large(paths)
    tables = {}
    for name, path in paths.items():
        texts = (
            read_texts_of_objects(path, list(TABLES[name]), problems)
            if path.suffix in _JSON
            else read_texts(path, problems)
        )
        lacking = [key for key in (_KEYS[name], "time_created") if key not in texts]
        if lacking:
            problems.add_file(
                path.name, "the column is missing", "the table is not used", lacking[0]
            )
            continue
        rows = texts[ROW].to_numpy()
        columns = {
            column: read_as(
                kind,
                with_offset(texts[column]) if kind == "time" else texts[column],
                rows,
                path.name,
                problems,
                "UTC",
            )
            for column, kind in TABLES[name].items()
            if column in texts
        }
        tables[name] = pd.DataFrame(columns | {ROW: rows})
    if "deployments" not in tables:
        raise SourceError("deployments have no deploy_id or no time_created; export both")
    files = {name: path.name for name, path in paths.items()}
    return _delivery(tables, files, problems)


def _delivery(
    tables: dict[str, pd.DataFrame], files: dict[str, str], problems: Problems
) -> Delivery:
    delivery = Delivery(
        "tables of Four Keys",
        files=files,
        problems=problems,
        tool="fourkeys",
        tool_tables=tables,
    )
    given = tables["deployments"]
    deployments = given[["deploy_id", "time_created", ROW]].set_axis(
        ["deployment_id", "deployed_at", ROW], axis=1
    )
    if "main_commit" in given:
        deployments["commit"] = given["main_commit"]
    delivery.tables["deployments"] = deployments
    links = deployed_changes(given)
    if "changes" in tables:
        # A change with several events was made at the first of them.
        made = tables["changes"].sort_values("time_created", kind="stable")
        again = made["change_id"].duplicated() & made["change_id"].notna()
        if again.any():
            delivery.remarks.append(
                f"{again.sum():,} rows repeat a change; its earliest event counts."
            )
        made = made[~again].sort_values(ROW).reset_index(drop=True)
        changes = made[["change_id", "time_created", ROW]].set_axis(
            ["change_id", "committed_at", ROW], axis=1
        )
        changes["commit"] = changes["change_id"]
        delivery.tables["changes"] = changes
        delivery.tables["deployed_changes"] = links.set_axis(
            ["deployment_id", "change_id"], axis=1
        ).assign(**{ROW: 0})
        delivery.rules["changes.deployment_id"] = "the first deployment whose changes have it"
    if "incidents" in tables:
        delivery.tables["incidents"] = _incidents(tables["incidents"], links)
        delivery.remarks.append(
            "Four Keys lets an incident begin with the deployment of its root cause, if known."
        )
    return delivery


def _incidents(given: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    incidents = given[["incident_id", "time_created", ROW]].set_axis(
        ["incident_id", "started_at", ROW], axis=1
    )
    if "time_resolved" in given:
        incidents["restored_at"] = given["time_resolved"]
    if "changes" in given:
        causes = given["changes"].str.findall(_ITEM).explode().dropna()
        known = causes[causes.isin(links["change_id"])]
        first = known[~known.index.duplicated()]
        any_cause = causes[~causes.index.duplicated()]
        commit = first.reindex(given.index).fillna(any_cause.reindex(given.index))
        incidents["commit"] = commit.astype("string")
    return incidents


_ITEM = r"[^\s,;\[\]{}'\"]+"
"""An element of a list in JSON, or as databases and spreadsheets write it."""


def deployed_changes(deployments: pd.DataFrame) -> pd.DataFrame:
    """Return which deployments have which changes: `deploy_id` and `change_id`, each pair once."""
    pairs = []
    if "changes" in deployments:
        listed = deployments.set_index("deploy_id")["changes"].str.findall(_ITEM).explode()
        pairs.append(listed)
    if "main_commit" in deployments:
        pairs.append(deployments.set_index("deploy_id")["main_commit"])
    if not pairs:
        return pd.DataFrame({"deploy_id": [], "change_id": []}, dtype="string")
    both = pd.concat([pair.astype("string") for pair in pairs]).dropna()
    frame = both.rename("change_id").reset_index()
    return frame[frame["deploy_id"].notna()].drop_duplicates().reset_index(drop=True)


def incident_changes(incidents: pd.DataFrame) -> pd.DataFrame:
    """Return which incidents name which changes: `incident_id` and `change_id`, each pair once."""
    if "changes" not in incidents:
        return pd.DataFrame({"incident_id": [], "change_id": []}, dtype="string")
    listed = incidents.set_index("incident_id")["changes"].str.findall(_ITEM).explode()
    frame = listed.astype("string").dropna().rename("change_id").reset_index()
    return frame.drop_duplicates().reset_index(drop=True)


def _path(folder: Path, name: str) -> Path | None:
    for suffix in (".csv", *_JSON):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            return path
    return None


def _columns(path: Path) -> set[str]:
    return keys_of(path) if path.suffix in _JSON else set(header_of(path))
