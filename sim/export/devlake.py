"""Records as Apache DevLake's domain tables.

A change is a pull request with one commit, opened when it was committed and merged when its
deployment began; so DevLake's lead time is ours, rounded up to minutes twice. Each service is a
repository and a CI/CD scope, each team a project. An incident is created when users are harmed
first, so that its lead time is the time to restore.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sim.log import Records
from sim.records.devlake_rules import pull_request_metrics, times_of
from sim.records.devlake_tables import TABLES, kind_of

from .instants import commit_sha, instants, iso

NO_TEAM = "all"


def written(records: Records, epoch: pd.Timestamp) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with its name, with all its columns and times as texts.

    Args:
        records: of a simulated run.
        epoch: the Monday that its hours are counted from.
    """
    tables = devlake_tables(records, epoch)
    tables |= relationships(records)
    if "pull_requests" in tables:
        tables["project_pr_metrics"] = _own_metrics(tables)
    for name, columns in TABLES.items():
        if name not in tables:
            continue
        table = tables[name]
        texts = {
            # DevLake's columns of times are datetime(3).
            column: iso(table[column], "ms") if kind_of(column) == "time" else table[column]
            for column in columns
            if column in table
        }
        yield name, pd.DataFrame(texts).reindex(columns=list(columns))


def devlake_tables(records: Records, epoch: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return what DevLake would collect of records, as far as they go; times as instants.

    Its plug-in adds `project_pr_metrics` and `project_incident_deployment_relationships` itself.

    Args:
        records: of any organization.
        epoch: the instant that their hours are counted from.
    """
    tables = _projects(records)
    deployments = records.tables.get("deployments")
    deployed = None
    if deployments is not None and "deployed_at" in deployments:
        deployed = _deployment_commits(deployments, epoch)
        tables["cicd_deployment_commits"] = deployed
        tables["cicd_deployments"] = deployed.assign(id=deployed["cicd_deployment_id"])
    changes = records.tables.get("changes")
    if changes is not None and "committed_at" in changes:
        tables |= _pull_requests(changes, deployments, deployed, epoch)
    incidents = records.tables.get("incidents")
    if incidents is not None and "started_at" in incidents:
        tables["incidents"] = _incidents(incidents, epoch)
    return tables


def relationships(records: Records) -> dict[str, pd.DataFrame]:
    """Return the deployment that each incident is charged to, as a table of DevLake's.

    Its plug-in replaces them by the last deployment before each incident when it runs next.
    """
    incidents = records.tables.get("incidents")
    if incidents is None or "deployment_id" not in incidents:
        return {}
    linked = incidents[incidents["deployment_id"].notna()]
    team = _teams(records)
    return {
        "project_incident_deployment_relationships": pd.DataFrame(
            {
                "id": _named("Incident", linked["incident_id"]),
                "project_name": _services_of(linked).map(team).astype("string").fillna(NO_TEAM),
                "deployment_id": _named("Deployment", linked["deployment_id"]),
            }
        ).reset_index(drop=True)
    }


def _named(kind: str, ids: pd.Series) -> "pd.Series[str]":
    """Return identifiers as DevLake writes them: source, table and number."""
    texts = ids.astype("string")
    return (f"mldelivery:{kind}:" + texts).astype("string")


def _services_of(table: pd.DataFrame) -> "pd.Series[str]":
    if "service" not in table:
        return pd.Series(pd.NA, index=table.index, dtype="string")
    texts = table["service"].astype("string")
    return texts.where(texts != "")


def _teams(records: Records) -> dict[str, str]:
    services = records.tables.get("services")
    if services is None or "service" not in services:
        return {}
    teams = services["team"].astype(str) if "team" in services else [NO_TEAM] * len(services)
    return dict(zip(services["service"].astype(str), teams, strict=True))


def _projects(records: Records) -> dict[str, pd.DataFrame]:
    teams = _teams(records)
    service = pd.Series(list(teams), dtype="string")
    team = pd.Series(list(teams.values()), dtype="string")
    repos = pd.DataFrame(
        {"id": _named("Repo", service), "name": service, "url": _named("repo", service)}
    )
    scopes = repos.assign(id=_named("CicdScope", service))
    mapping = [
        pd.DataFrame({"project_name": team, "table": table, "row_id": of["id"]}, dtype="string")
        for table, of in (("repos", repos), ("cicd_scopes", scopes))
    ]
    return {
        "repos": repos,
        "cicd_scopes": scopes,
        "project_mapping": pd.concat(mapping, ignore_index=True),
    }


def _deployment_commits(deployments: pd.DataFrame, epoch: pd.Timestamp) -> pd.DataFrame:
    deployments = deployments.sort_values("deployed_at", kind="stable").reset_index(drop=True)
    ids, service = deployments["deployment_id"], _services_of(deployments)
    finished = instants(deployments["deployed_at"], epoch)
    started = finished
    if "started_at" in deployments:
        started = instants(deployments["started_at"], epoch).fillna(finished)
    own = _named("DeploymentCommit", ids)
    seconds = (finished - started).dt.total_seconds()
    return pd.DataFrame(
        {
            "id": own,
            "cicd_scope_id": _named("CicdScope", service),
            "cicd_deployment_id": _named("Deployment", ids),
            "name": service.fillna("") + " " + ids.astype("string"),
            "result": "SUCCESS",
            "status": "DONE",
            "environment": "PRODUCTION",
            "created_date": started,
            "started_date": started,
            "finished_date": finished,
            "duration_sec": seconds,
            "commit_sha": commit_sha("deployment " + ids.astype(str)),
            "ref_name": "main",
            "repo_id": _named("Repo", service),
            "repo_url": _named("repo", service),
            "prev_success_deployment_commit_id": own.groupby(service.fillna("")).shift(),
        }
    ).astype(dict.fromkeys(("result", "status", "environment", "ref_name"), "string"))


def _pull_requests(
    changes: pd.DataFrame,
    deployments: pd.DataFrame | None,
    deployed: pd.DataFrame | None,
    epoch: pd.Timestamp,
) -> dict[str, pd.DataFrame]:
    changes = changes[changes["committed_at"].notna()].reset_index(drop=True)
    ids = changes["change_id"]
    created = instants(changes["committed_at"], epoch)
    merged = _merged(changes, deployments, created, epoch)
    sha = commit_sha("change " + ids.astype(str))
    closed = pd.Series(pd.NaT, index=changes.index, dtype="datetime64[us, UTC]")
    if {"status", "ended_at"} <= set(changes):
        given_up = (changes["status"].astype(str) == "abandoned") & merged.isna()
        closed = instants(changes["ended_at"].where(given_up), epoch)
    status = np.select([merged.notna(), closed.notna()], ["MERGED", "CLOSED"], "OPEN")
    requests = pd.DataFrame(
        {
            "id": _named("PullRequest", ids),
            "base_repo_id": _named("Repo", _services_of(changes)),
            "status": pd.array(status, dtype="string"),
            "title": changes["kind"].astype("string") if "kind" in changes else "",
            "created_date": created,
            "merged_date": merged,
            "closed_date": merged.fillna(closed),
            "merge_commit_sha": sha,
            "head_commit_sha": sha,
            "base_ref": "main",
            "pull_request_key": ids.astype("string"),
            "is_draft": "0",
        }
    )
    tables = {
        "pull_requests": requests,
        "pull_request_commits": pd.DataFrame(
            {
                "commit_sha": sha,
                "pull_request_id": requests["id"],
                "commit_authored_date": created,
            }
        ),
    }
    if deployed is not None and "deployment_id" in changes:
        of_id = deployed.set_index("cicd_deployment_id")
        before = deployed["prev_success_deployment_commit_id"].map(
            deployed.set_index("id")["commit_sha"]
        )
        of_id["old"] = before.astype("string").fillna("").to_numpy()
        names = _named("Deployment", changes["deployment_id"])
        tables["commits_diffs"] = pd.DataFrame(
            {
                "new_commit_sha": names.map(of_id["commit_sha"]).astype("string"),
                "old_commit_sha": names.map(of_id["old"]).astype("string"),
                "commit_sha": sha,
            }
        )[names.notna().to_numpy()].reset_index(drop=True)
    return tables


def _merged(
    changes: pd.DataFrame,
    deployments: pd.DataFrame | None,
    created: pd.Series,
    epoch: pd.Timestamp,
) -> pd.Series:
    """Return when each change was merged: when its deployment began, or ended if that is known."""
    if "deployed_at" not in changes:
        return pd.Series(pd.NaT, index=changes.index, dtype="datetime64[us, UTC]")
    deployed = instants(changes["deployed_at"], epoch)
    began = deployed
    if deployments is not None and "deployment_id" in changes and "started_at" in deployments:
        of_id = deployments.set_index("deployment_id")["started_at"]
        began = instants(changes["deployment_id"].map(of_id), epoch).fillna(deployed)
    return began.where(began >= created, created).where(deployed.notna())


def _incidents(incidents: pd.DataFrame, epoch: pd.Timestamp) -> pd.DataFrame:
    incidents = incidents[incidents["started_at"].notna()].reset_index(drop=True)
    created = instants(incidents["started_at"], epoch)
    resolved = pd.Series(pd.NaT, index=incidents.index, dtype="datetime64[us, UTC]")
    if "restored_at" in incidents:
        resolved = instants(incidents["restored_at"], epoch)
    title = pd.Series("", index=incidents.index, dtype="string")
    for column in ("cause", "trigger"):
        if column in incidents:
            title = title + incidents[column].astype("string").fillna("") + " "
    return pd.DataFrame(
        {
            "id": _named("Incident", incidents["incident_id"]),
            "incident_key": incidents["incident_id"].astype("string"),
            "title": title.str.strip(),
            "status": pd.array(np.where(resolved.notna(), "DONE", "IN_PROGRESS"), dtype="string"),
            "resolution_date": resolved,
            "created_date": created,
            "updated_date": resolved.fillna(created),
            "lead_time_minutes": np.floor((resolved - created).dt.total_seconds() / 60.0),
            "component": _services_of(incidents),
            "table": pd.array(["repos"] * len(incidents), dtype="string"),
            "scope_id": _named("Repo", _services_of(incidents)),
        }
    )


def _own_metrics(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return `project_pr_metrics` as DevLake computes it."""
    metrics = pull_request_metrics(tables)
    commits = tables["pull_request_commits"].set_index("pull_request_id")
    requests = tables["pull_requests"].set_index("id")
    return metrics.assign(
        first_commit_sha=metrics["id"].map(commits["commit_sha"]),
        first_commit_authored_date=times_of(metrics["id"], commits["commit_authored_date"]),
        pr_created_date=times_of(metrics["id"], requests["created_date"]),
        pr_merged_date=times_of(metrics["id"], requests["merged_date"]),
    )
