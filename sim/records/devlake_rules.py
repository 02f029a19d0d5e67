"""What Apache DevLake's DORA plug-in computes from its tables, by its own rules.

They are those of its release of May 2026: `change_lead_time_calculator.go` and
`incident_deploy_connector.go` in `backend/plugins/dora/tasks`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

EVERY = ""
"""The project of tables without a project_mapping."""

METRICS = (
    "pr_coding_time", "pr_pickup_time", "pr_review_time", "pr_deploy_time", "pr_cycle_time",
)  # fmt: skip


def text_of(table: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return a column of texts, missing everywhere if the table lacks it."""
    if column not in table:
        return pd.Series(pd.NA, index=table.index, dtype="string")
    return table[column].astype("string")


def in_projects(
    rows: pd.DataFrame, key: str, kind: str, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return rows with the project that they are mapped to: once for each, those of none left out.

    Args:
        rows: of any table.
        key: the column with the identifier that is mapped.
        kind: what that identifies: ``repos`` or ``cicd_scopes``.
        tables: with `project_mapping`; without it all are of one project.
    """
    mapping = tables.get("project_mapping")
    if mapping is None:
        return rows.assign(project_name=EVERY)
    of_kind = mapping[(mapping["table"] == kind).fillna(False)]
    of_kind = of_kind[["row_id", "project_name"]].dropna().drop_duplicates()
    keyed = rows.assign(row_id=text_of(rows, key))
    return keyed.merge(of_kind.astype("string"), on="row_id").drop(columns="row_id")


def successes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the commits that were deployed to production successfully, once for each project."""
    given = tables.get("cicd_deployment_commits")
    if given is None:
        given = tables["cicd_deployments"]
    number = pd.Series(given.index, index=given.index).astype("string")
    own = text_of(given, "id").fillna("row " + number)
    given = given.assign(
        id=own, cicd_deployment_id=text_of(given, "cicd_deployment_id").fillna(own)
    )
    counted = (text_of(given, "result") == "SUCCESS").fillna(False)
    if "environment" in given:
        counted &= (text_of(given, "environment") == "PRODUCTION").fillna(False)
    return in_projects(given[counted.to_numpy(dtype=bool)], "cicd_scope_id", "cicd_scopes", tables)


def minutes(start: pd.Series, end: pd.Series) -> pd.Series:
    """Return times in whole minutes, rounded up; missing where they are negative."""
    rounded = pd.Series(np.ceil((end - start).dt.total_seconds() / 60.0), index=start.index)
    return rounded.where(rounded >= 0.0)


def times_of(ids: pd.Series, times: pd.Series) -> pd.Series:
    """Return the time of each identifier, NaT where there is none."""
    named = times.set_axis(times.index.astype(object)).astype("datetime64[us, UTC]")
    return pd.Series(named.reindex(ids.astype(object)).array, index=ids.index)


def pull_request_metrics(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return DevLake's `project_pr_metrics`: a row per merged pull request and project.

    Coding lasts from the first commit to the opening, pick-up to the first comment of somebody
    else, review from there to the merge, deployment from the merge to the end of the first
    production deployment whose difference to the one before has the merge. What is negative is left
    out, also of the sum. The first deployment has no one before it, and so no pull requests.

    Args:
        tables: `pull_requests`, and as far as there are any `pull_request_commits`,
            `pull_request_comments`, `cicd_deployment_commits`, `commits_diffs`, `project_mapping`.

    Returns:
        `id`, `project_name`, `deployment_commit_id`, `pr_deployed_date` and :data:`METRICS`, in
        minutes.
    """
    requests = tables["pull_requests"]
    requests = in_projects(
        requests[requests["merged_date"].notna()], "base_repo_id", "repos", tables
    ).reset_index(drop=True)
    missing = pd.Series(pd.NaT, index=requests.index, dtype="datetime64[us, UTC]")
    first_commit, first_review, deployed_at = missing, missing, missing
    commits = tables.get("pull_request_commits")
    if commits is not None:
        of = commits.groupby("pull_request_id")["commit_authored_date"].min()
        first_commit = times_of(requests["id"], of)
    comments = tables.get("pull_request_comments")
    if comments is not None:
        authors = requests[["id"]].assign(author=text_of(requests, "author_id").fillna(""))
        by_others = comments.merge(
            authors.drop_duplicates("id"), left_on="pull_request_id", right_on="id"
        )
        by_others = by_others[(by_others["account_id"] != by_others["author"]).fillna(False)]
        of = by_others.groupby("pull_request_id")["created_date"].min()
        first_review = times_of(requests["id"], of)
    deployment = pd.Series(pd.NA, index=requests.index, dtype="string")
    if "commits_diffs" in tables and "cicd_deployment_commits" in tables:
        found = _first_deployments(requests, tables)
        deployment, deployed_at = found["deployment"], found["at"]
    coding = minutes(first_commit, requests["created_date"])
    until_merge = minutes(requests["created_date"], requests["merged_date"])
    deploy = minutes(requests["merged_date"], deployed_at)
    return pd.DataFrame(
        {
            "id": requests["id"],
            "project_name": requests["project_name"],
            "pr_coding_time": coding,
            "pr_pickup_time": minutes(requests["created_date"], first_review),
            "pr_review_time": minutes(first_review, requests["merged_date"]),
            "pr_deploy_time": deploy,
            "pr_cycle_time": coding.fillna(0) + until_merge.fillna(0) + deploy.fillna(0),
            "deployment_commit_id": deployment,
            "pr_deployed_date": deployed_at,
        }
    )


def _first_deployments(requests: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the deployed commit that has each pull request first, and when it was finished."""
    all_commits, differences = tables["cicd_deployment_commits"], tables["commits_diffs"]
    deployed = successes(tables)
    before = text_of(deployed, "prev_success_deployment_commit_id")
    deployed, before = deployed[before.notna()], before[before.notna()]
    all_commits = all_commits.assign(commit_sha=text_of(all_commits, "commit_sha"))
    of_id = all_commits.drop_duplicates("id").set_index("id")["commit_sha"]
    ends = pd.DataFrame(
        {
            "new": text_of(deployed, "commit_sha"),
            "old": before.map(of_id).astype("string").fillna(""),
            "deployment": deployed["id"],
            "at": deployed["finished_date"],
            "started": deployed.get("started_date", deployed["finished_date"]),
            "project_name": deployed["project_name"],
        }
    )
    pairs = ends.merge(
        differences.assign(old=differences["old_commit_sha"].fillna("")),
        left_on=["new", "old"],
        right_on=["new_commit_sha", "old"],
    ).sort_values(["started", "deployment"], kind="stable")
    pairs = pairs.drop_duplicates(["commit_sha", "project_name"])
    wanted = requests[["project_name"]].assign(commit_sha=text_of(requests, "merge_commit_sha"))
    pairs = pairs[pairs["commit_sha"].notna()]
    return wanted.merge(pairs, on=["commit_sha", "project_name"], how="left")[["deployment", "at"]]


def incident_relationships(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return DevLake's `project_incident_deployment_relationships`: incident, project, deployment.

    An incident belongs to the last commit of its project that was deployed to production before it,
    however long before; one without any to none.

    Args:
        tables: `incidents` and `cicd_deployment_commits`, and `project_mapping` if there is one.
    """
    incidents = tables["incidents"]
    mapping = tables.get("project_mapping")
    columns = ["id", "project_name", "deployment_id"]
    at = incidents[["id", "created_date"]].dropna(subset=["created_date"])
    if mapping is None or not {"table", "scope_id"} <= set(incidents):
        at = at.assign(project_name=EVERY)
        deployed = successes(_unmapped(tables))
    else:
        scoped = at.assign(table=incidents["table"], row_id=incidents["scope_id"]).astype(
            {"table": "string", "row_id": "string"}
        )
        mapping = mapping[["project_name", "table", "row_id"]].dropna()
        at = scoped.merge(mapping, on=["table", "row_id"])
        deployed = successes(tables)
    deployed = deployed.dropna(subset=["finished_date"]).sort_values("finished_date")
    if not len(at) or not len(deployed):
        return pd.DataFrame({name: pd.Series([], dtype="string") for name in columns})
    found = pd.merge_asof(
        at.sort_values("created_date").astype({"project_name": "object"}),
        deployed[["finished_date", "cicd_deployment_id", "project_name"]].astype(
            {"project_name": "object"}
        ),
        left_on="created_date",
        right_on="finished_date",
        by="project_name",
        allow_exact_matches=False,
    ).rename(columns={"cicd_deployment_id": "deployment_id"})
    return found.dropna(subset=["deployment_id"])[columns].reset_index(drop=True)


def _unmapped(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: table for name, table in tables.items() if name != "project_mapping"}
