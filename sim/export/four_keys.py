"""Records as the tables of Four Keys: changes, deployments and incidents.

A change is the push of one commit. The root cause of an incident is a change of the deployment that
it is charged to: the last one committed, which is the main commit.
"""

from collections.abc import Iterator

import pandas as pd

from sim.log import Records

from .instants import commit_sha, instants, iso

_SOURCE = "mldelivery"


def written(records: Records, epoch: pd.Timestamp) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with its name, times as texts.

    Args:
        records: of a simulated run.
        epoch: the Monday that its hours are counted from.
    """
    for name, table in four_keys_tables(records, epoch).items():
        times = [column for column in table if str(column).startswith("time_")]
        yield name, table.assign(**{str(column): iso(table[column], "us") for column in times})


def four_keys_tables(records: Records, epoch: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return the tables that Four Keys would have of records, as far as they go.

    Args:
        records: of any organization.
        epoch: the instant that their hours are counted from.

    Returns:
        Tables with times as instants and `changes` as lists of identifiers.
    """
    tables = {}
    deployments = records.tables.get("deployments")
    changes = records.tables.get("changes")
    if changes is not None and "committed_at" in changes:
        changes = changes[changes["committed_at"].notna()].reset_index(drop=True)
        changes = changes.assign(sha=commit_sha("change " + changes["change_id"].astype(str)))
        tables["changes"] = pd.DataFrame(
            {
                "source": _SOURCE,
                "event_type": "push",
                "change_id": changes["sha"],
                "time_created": instants(changes["committed_at"], epoch),
            }
        )
    main: pd.Series | None = None
    if deployments is not None and "deployed_at" in deployments:
        tables["deployments"] = _deployments(deployments, changes, epoch)
        main = pd.Series(
            tables["deployments"]["main_commit"].to_numpy(),
            index=deployments["deployment_id"].astype("string"),
        )
    incidents = records.tables.get("incidents")
    if incidents is not None and "started_at" in incidents:
        tables["incidents"] = _incidents(incidents, main, epoch)
    return tables


def _deployments(
    deployments: pd.DataFrame, changes: pd.DataFrame | None, epoch: pd.Timestamp
) -> pd.DataFrame:
    ids = deployments["deployment_id"].astype("string").reset_index(drop=True)
    has = pd.Series([], dtype=object)
    if changes is not None and {"deployment_id", "sha"} <= set(changes):
        there = changes.dropna(subset=["deployment_id"]).sort_values("committed_at", kind="stable")
        has = there["sha"].groupby(there["deployment_id"].astype("string")).agg(list)
    lists: list[list[str]] = [found if isinstance(found, list) else [] for found in ids.map(has)]
    own = commit_sha("deployment " + ids.astype(str))
    main = [found[-1] if found else sha for found, sha in zip(lists, own, strict=True)]
    return pd.DataFrame(
        {
            "source": _SOURCE,
            "deploy_id": ids,
            "time_created": instants(deployments["deployed_at"].reset_index(drop=True), epoch),
            "main_commit": pd.array(main, dtype="string"),
            "changes": pd.Series(lists, dtype=object),
        }
    )


def _incidents(
    incidents: pd.DataFrame, main: pd.Series | None, epoch: pd.Timestamp
) -> pd.DataFrame:
    incidents = incidents[incidents["started_at"].notna()].reset_index(drop=True)
    resolved = pd.Series(pd.NaT, index=incidents.index, dtype="datetime64[us, UTC]")
    if "restored_at" in incidents:
        resolved = instants(incidents["restored_at"], epoch)
    table = pd.DataFrame(
        {
            "source": _SOURCE,
            "incident_id": incidents["incident_id"].astype("string"),
            "time_created": instants(incidents["started_at"], epoch),
            "time_resolved": resolved,
        }
    )
    if main is not None and "deployment_id" in incidents:
        commits = incidents["deployment_id"].astype("string").map(main)
        causes = [[] if pd.isna(commit) else [str(commit)] for commit in commits]
        table["changes"] = pd.Series(causes, dtype=object)
    return table
