"""Apache DevLake's domain tables, and what they say about deliveries.

Columns and meanings are those of https://devlake.apache.org/docs/DataModels/DevLakeDomainLayerSchema.
DevLake keeps all times in UTC, so that a time without an offset is one of UTC.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .csv_files import SourceError
from .delivery import ROW, Delivery, Kind, read_as
from .devlake_rules import incident_relationships, text_of
from .places import are_among
from .problems import Problems
from .utc_times import with_offset

_DEPLOYMENT = (
    "id", "cicd_scope_id", "cicd_deployment_id", "name", "result", "status", "original_status",
    "original_result", "environment", "original_environment", "display_title", "url", "commit_msg",
    "created_date", "queued_date", "started_date", "finished_date", "duration_sec",
    "queued_duration_sec", "commit_sha", "ref_name", "repo_id", "repo_url",
    "prev_success_deployment_commit_id", "subtask_name",
)  # fmt: skip
_OF_A_COMMIT = {
    "cicd_deployment_id", "commit_msg", "commit_sha", "ref_name", "repo_id", "repo_url",
    "prev_success_deployment_commit_id", "subtask_name",
}  # fmt: skip

TABLES: Mapping[str, tuple[str, ...]] = {
    "cicd_deployment_commits": _DEPLOYMENT,
    "cicd_deployments": tuple(name for name in _DEPLOYMENT if name not in _OF_A_COMMIT),
    "incidents": (
        "id", "url", "incident_key", "title", "description", "status", "original_status",
        "resolution_date", "created_date", "updated_date", "lead_time_minutes", "priority",
        "severity", "urgency", "component", "table", "scope_id",
    ),
    "issues": (
        "id", "type", "title", "status", "resolution_date", "created_date", "lead_time_minutes",
        "severity",
    ),
    "project_incident_deployment_relationships": ("id", "project_name", "deployment_id"),
    "project_issue_metrics": ("id", "project_name", "deployment_id"),
    "pull_requests": (
        "id", "base_repo_id", "author_id", "status", "title", "url", "created_date", "merged_date",
        "closed_date", "merge_commit_sha", "head_commit_sha", "base_ref", "head_ref",
        "pull_request_key", "additions", "deletions", "is_draft",
    ),
    "project_pr_metrics": (
        "id", "project_name", "first_commit_sha", "pr_coding_time", "first_review_id",
        "pr_pickup_time", "pr_review_time", "deployment_commit_id", "pr_deploy_time",
        "pr_cycle_time", "first_commit_authored_date", "first_comment_date", "pr_created_date",
        "pr_merged_date", "pr_deployed_date",
    ),
    "project_mapping": ("project_name", "table", "row_id"),
    "commits_diffs": ("new_commit_sha", "old_commit_sha", "commit_sha"),
    "pull_request_commits": ("commit_sha", "pull_request_id", "commit_authored_date"),
    "pull_request_comments": ("id", "pull_request_id", "created_date", "account_id"),
    "repos": ("id", "name", "url"),
    "cicd_scopes": ("id", "name", "url"),
}  # fmt: skip
"""The tables that are read, by name, with the columns that are."""

_NEEDED = {
    "cicd_deployment_commits": ("finished_date", "result"),
    "cicd_deployments": ("id", "finished_date", "result"),
    "incidents": ("id", "created_date"),
    "issues": ("id", "type", "created_date"),
    "project_incident_deployment_relationships": ("id", "deployment_id"),
    "project_issue_metrics": ("id", "deployment_id"),
    "pull_requests": ("id", "created_date", "merged_date"),
    "project_pr_metrics": ("id",),
    "project_mapping": ("project_name", "table", "row_id"),
    "commits_diffs": ("new_commit_sha", "old_commit_sha", "commit_sha"),
    "pull_request_commits": ("pull_request_id", "commit_authored_date"),
    "pull_request_comments": ("pull_request_id", "created_date", "account_id"),
    "repos": ("id",),
    "cicd_scopes": ("id",),
}
"""The columns without which a table says nothing."""
_NUMBERS = {
    "lead_time_minutes", "pr_coding_time", "pr_pickup_time", "pr_review_time", "pr_deploy_time",
    "pr_cycle_time",
}  # fmt: skip
_OLDER = {"project_incident_deployment_relationships": "project_issue_metrics"}
"""What older versions call a table."""


def kind_of(column: str) -> Kind:
    """Return what a column holds."""
    if column.endswith("_date"):
        return "time"
    return "number" if column in _NUMBERS else "text"


def typed(name: str, texts: pd.DataFrame, file: str, problems: Problems) -> pd.DataFrame | None:
    """Return a table with its known columns read as what they hold, and those left out listed.

    Args:
        name: of the table.
        texts: its rows as texts, or as times where a database has them as such, with their number.
        file: where it is from.
        problems: gets what is wrong with it.

    Returns:
        None, which is listed, if it lacks a column that it cannot do without.
    """
    for column in _NEEDED[name]:
        if column not in texts:
            problems.add_file(file, "the column is missing", "the table is not used", column)
            return None
    rows = texts[ROW].to_numpy(dtype=np.int64)
    known = [column for column in TABLES[name] if column in texts]
    columns = {
        column: read_as(
            kind_of(column),
            with_offset(texts[column]) if kind_of(column) == "time" else texts[column],
            rows,
            file,
            problems,
            "UTC",
        )
        for column in known
    }
    return pd.DataFrame(columns | {ROW: rows})


def to_delivery(
    source: str, tables: dict[str, pd.DataFrame], files: Mapping[str, str], problems: Problems
) -> Delivery:
    """Return what DevLake's tables say about deliveries.

    A service is a repository if the deployments name theirs, else a CI/CD scope; its team is the
    project that it is mapped to.

    Args:
        source: what kind of source they are from.
        tables: as :func:`typed` returns them.
        files: by table, where it is from.
        problems: what is wrong with them.

    Raises:
        SourceError: there are no deployments among them.
    """
    for new, old in _OLDER.items():
        if new not in tables and old in tables:
            tables[new] = tables.pop(old)
    delivery = Delivery(source, problems=problems, tool="devlake", tool_tables=tables)
    delivery.links_are_complete = False
    deployed = _deployed(tables)
    services = _Services(tables, deployed)
    of_scope = services.of_deployment(deployed)
    group = deployed["cicd_deployment_id"].fillna(deployed["id"])
    # A pipeline that deploys several services is a deployment of each of them.
    several = of_scope.groupby(group).transform("nunique") > 1
    deployed["group"] = group.where(~several, group + " (" + of_scope.fillna("") + ")")
    deployed["service"] = of_scope
    delivery.tables["deployments"] = _deployments(deployed)
    name = "cicd_deployment_commits" if "cicd_deployment_commits" in tables else "cicd_deployments"
    delivery.files["deployments"] = files.get(name, name)
    links = _add_changes(delivery, tables, files, deployed, services)
    services.add_to(delivery, links, deployed)
    _add_incidents(delivery, tables, files, deployed, services)
    return delivery


def _deployed(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the deployed commits, or the deployments where nothing names their commits."""
    found = tables.get("cicd_deployment_commits")
    if found is None:
        found = tables.get("cicd_deployments")
        if found is None:
            raise SourceError(
                "there is no table cicd_deployment_commits that can be read; export it with its "
                "columns cicd_deployment_id, result, environment and finished_date"
            )
        found = found.assign(cicd_deployment_id=found["id"])
    found = found.copy()
    for column in ("id", "cicd_deployment_id"):
        found[column] = text_of(found, column).fillna("row " + found[ROW].astype("string"))
    return found.sort_values("finished_date", kind="stable").reset_index(drop=True)


def _deployments(deployed: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "deployment_id": deployed["group"],
        "service": deployed["service"],
        "deployed_at": deployed["finished_date"],
        # What is not over has no result yet; without one it would be taken for a success.
        "result": deployed["result"].fillna("none"),
        ROW: deployed[ROW],
    }
    for column, theirs in (
        ("started_at", "started_date"),
        ("commit", "commit_sha"),
        ("environment", "environment"),
    ):
        if theirs in deployed:
            columns[column] = deployed[theirs]
    return pd.DataFrame(columns)


class _Services:
    """Which service a row belongs to, and which project looks after it."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], deployed: pd.DataFrame) -> None:
        repos = tables.get("repos", pd.DataFrame({"id": pd.Series([], dtype="string")}))
        self._repository = self._of_deployed(repos, deployed)
        self.are_repositories = bool(self._repository.notna().any())
        self.kind = "repos" if self.are_repositories else "cicd_scopes"
        named = repos if self.are_repositories else tables.get("cicd_scopes")
        self._names = _names(named)
        mapping = tables.get("project_mapping")
        self._mapped = pd.DataFrame({"row_id": [], "project_name": []}, dtype="string")
        if mapping is not None:
            of_kind = mapping[(mapping["table"] == self.kind).fillna(False)]
            self._mapped = of_kind[["row_id", "project_name"]].dropna()

    def of_deployment(self, deployed: pd.DataFrame) -> pd.Series:
        """Return the service of each deployed commit."""
        found = self._repository if self.are_repositories else text_of(deployed, "cicd_scope_id")
        return self.named(found)

    def of_scope(
        self, table: pd.Series, scope: pd.Series, deployed: pd.DataFrame
    ) -> "pd.Series[str]":
        """Return the service of each incident: its scope, or what its CI/CD scope alone deploys."""
        found = self.named(scope.where((table == self.kind).fillna(False)))
        if self.are_repositories and "cicd_scope_id" in deployed:
            pairs = deployed[["cicd_scope_id", "service"]].dropna().drop_duplicates()
            only = pairs[~pairs["cicd_scope_id"].duplicated(keep=False)]
            of_scope = only.set_index("cicd_scope_id")["service"]
            by_scope = scope.where((table == "cicd_scopes").fillna(False)).map(of_scope)
            found = found.fillna(by_scope.astype("string"))
        return found

    @staticmethod
    def _of_deployed(repos: pd.DataFrame, deployed: pd.DataFrame) -> pd.Series:
        """Return the repository of each deployed commit, by its identifier or its address."""
        by_id = text_of(deployed, "repo_id")
        if "url" not in repos or "repo_url" not in deployed:
            return by_id
        url = _address(repos["url"])
        of_url = pd.Series(repos["id"].to_numpy(), index=url)
        of_url = of_url[of_url.index.notna() & ~of_url.index.duplicated()]
        return by_id.fillna(_address(deployed["repo_url"]).map(of_url).astype("string"))

    def named(self, ids: pd.Series) -> pd.Series:
        """Return the names of repositories or scopes, or their identifiers without one."""
        return ids.map(self._names).astype("string").fillna(ids.astype("string"))

    def add_to(self, delivery: Delivery, changes: pd.DataFrame, deployed: pd.DataFrame) -> None:
        """Add the services: those that are mapped to a project, and those that anything names."""
        where = "repository" if self.are_repositories else "CI/CD scope"
        delivery.rules["deployments.service"] = f"its {where}"
        if not len(self._mapped):
            return
        names = self.named(self._mapped["row_id"])
        table = pd.DataFrame({"service": names, "team": self._mapped["project_name"], ROW: 0})
        several = table["service"].duplicated().to_numpy()
        if several.any():
            delivery.remarks.append(
                f"{several.sum():,} services are in several projects; the first one is taken for "
                "their team."
            )
        seen = pd.concat([changes.get("service", names), deployed["service"]]).dropna().unique()
        rest = [name for name in seen if name not in set(names)]
        others = pd.DataFrame({"service": rest, "team": pd.NA, ROW: 0}, dtype=object)
        both = pd.concat([table[~several].astype(object), others], ignore_index=True)
        delivery.tables["services"] = both.astype(
            {"service": "string", "team": "string", ROW: "int64"}
        )
        delivery.files["services"] = "project_mapping"
        delivery.rules["services.team"] = "the project that it is mapped to"


def _address(urls: pd.Series) -> pd.Series:
    return urls.astype("string").str.lower().str.removesuffix("/").str.removesuffix(".git")


def _names(table: pd.DataFrame | None) -> "pd.Series[str]":
    """Return names by identifier, where no two share theirs."""
    if table is None or "name" not in table:
        return pd.Series([], dtype="string", index=pd.Index([], dtype=object))
    there = table.dropna(subset=["id", "name"])
    there = there[~there["id"].duplicated() & ~there["name"].duplicated(keep=False)]
    return pd.Series(there["name"].to_numpy(), index=there["id"].astype(object), dtype="string")


def _add_changes(
    delivery: Delivery,
    tables: Mapping[str, pd.DataFrame],
    files: Mapping[str, str],
    deployed: pd.DataFrame,
    services: _Services,
) -> pd.DataFrame:
    """Add the pull requests as changes, with the deployments that have them; return them."""
    given = tables.get("pull_requests")
    if given is None:
        return pd.DataFrame()
    requests = given[given["id"].notna()]
    nameless = len(given) - len(requests)
    file = files.get("pull_requests", "pull_requests")
    if nameless:
        lost = given.loc[given["id"].isna(), ROW].to_numpy()
        delivery.problems.add(file, "id", "no identifier", "it is left out", lost)
    gone = requests["merged_date"].isna() & (text_of(requests, "status").str.upper() == "CLOSED")
    if "closed_date" in requests:
        gone |= requests["merged_date"].isna() & requests["closed_date"].notna()
    dropped = gone.fillna(False).to_numpy(dtype=bool)
    if dropped.any():
        delivery.remarks.append(
            f"{dropped.sum():,} pull requests that were closed without a merge are no changes."
        )
    requests = requests[~dropped].reset_index(drop=True)
    first = _first_commits(tables).reindex(requests["id"].astype(object)).reset_index(drop=True)
    unknown = first.isna().to_numpy()
    if unknown.any():
        delivery.remarks.append(
            f"The first commits of {unknown.sum():,} pull requests are not known; their lead times "
            "begin when they were opened and are lower bounds."
        )
    delivery.rules["changes.committed_at"] = "its first commit, else when it was opened"
    changes = pd.DataFrame(
        {
            "change_id": requests["id"],
            "committed_at": first.fillna(requests["created_date"]),
            "commit": text_of(requests, "merge_commit_sha"),
            ROW: requests[ROW],
        }
    )
    links = _links(delivery, tables, changes, deployed)
    if links is None:
        return _only_deployed_themselves(delivery, changes, deployed, requests, services, file)
    if services.are_repositories:
        changes["service"] = services.named(text_of(requests, "base_repo_id"))
        delivery.rules["changes.service"] = "the repository that it was merged into"
    else:
        _by_deployment(delivery, changes, links, deployed)
    delivery.tables["changes"] = changes
    delivery.tables["deployed_changes"] = links.assign(**{ROW: 0})
    delivery.files["changes"] = file
    return changes


def _by_deployment(
    delivery: Delivery, changes: pd.DataFrame, links: pd.DataFrame, deployed: pd.DataFrame
) -> None:
    of_group = deployed.drop_duplicates("group").set_index("group")["service"]
    first = links.drop_duplicates("change_id").set_index("change_id")["deployment_id"]
    deployment = changes["change_id"].map(first)
    changes["service"] = deployment.map(of_group).astype("string")
    delivery.rules["changes.service"] = "the CI/CD scope that deployed it"


def _only_deployed_themselves(
    delivery: Delivery,
    changes: pd.DataFrame,
    deployed: pd.DataFrame,
    requests: pd.DataFrame,
    services: _Services,
    file: str,
) -> pd.DataFrame:
    """Keep the pull requests whose own commit was deployed: of the others nothing says whether."""
    commits = deployed[["commit_sha", "group"]] if "commit_sha" in deployed else None
    if commits is None:
        delivery.remarks.append("Nothing says which deployment has which pull request.")
        return pd.DataFrame()
    links = changes.merge(commits, left_on="commit", right_on="commit_sha")
    kept = changes["change_id"].isin(links["change_id"])
    delivery.remarks.append(
        f"Without commits_diffs or project_pr_metrics, only {kept.sum():,} of {len(changes):,} "
        "pull requests can be told to be deployed: those whose own merge was. The others are left "
        "out."
    )
    changes = changes[kept].reset_index(drop=True)
    if not len(changes):
        return changes
    joined = links.rename(columns={"group": "deployment_id"})[["deployment_id", "change_id"]]
    _by_deployment(delivery, changes, joined, deployed)
    delivery.tables["changes"] = changes
    delivery.tables["deployed_changes"] = joined.drop_duplicates().assign(**{ROW: 0})
    delivery.files["changes"] = file
    return changes


def _first_commits(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Return the time of the first commit of each pull request, as far as it is known."""
    found = []
    metrics = tables.get("project_pr_metrics")
    if metrics is not None and "first_commit_authored_date" in metrics:
        found.append(metrics[["id", "first_commit_authored_date"]].set_axis(["id", "at"], axis=1))
    commits = tables.get("pull_request_commits")
    if commits is not None:
        pairs = commits[["pull_request_id", "commit_authored_date"]]
        found.append(pairs.set_axis(["id", "at"], axis=1))
    if not found:
        return pd.Series([], dtype="datetime64[us, UTC]", index=pd.Index([], dtype=object))
    both = pd.concat(found, ignore_index=True).dropna()
    first = both.groupby(both["id"].astype(object))["at"].min()
    return first.astype("datetime64[us, UTC]")


def _links(
    delivery: Delivery,
    tables: Mapping[str, pd.DataFrame],
    changes: pd.DataFrame,
    deployed: pd.DataFrame,
) -> pd.DataFrame | None:
    """Return which deployments have which changes; None if no table says so."""
    found = []
    metrics = tables.get("project_pr_metrics")
    if metrics is not None and "deployment_commit_id" in metrics:
        pairs = metrics[["id", "deployment_commit_id"]].dropna()
        pairs = pairs.merge(
            deployed[["id", "group"]], left_on="deployment_commit_id", right_on="id"
        )
        found.append(pairs[["group", "id_x"]].set_axis(["deployment_id", "change_id"], axis=1))
    differences = tables.get("commits_diffs")
    if differences is not None and "commit_sha" in deployed:
        ends = deployed[["commit_sha", "group"]].assign(old=previous_commit(deployed))
        pairs = ends.merge(
            differences.assign(old=differences["old_commit_sha"].fillna("")),
            left_on=["commit_sha", "old"],
            right_on=["new_commit_sha", "old"],
        )
        pairs = pairs.merge(changes, left_on="commit_sha_y", right_on="commit")
        found.append(pairs[["group", "change_id"]].set_axis(["deployment_id", "change_id"], axis=1))
    if not found:
        return None
    delivery.rules["changes.deployment_id"] = (
        "the first deployment whose commits_diffs or project_pr_metrics have it"
    )
    return pd.concat(found, ignore_index=True).drop_duplicates()


def previous_commit(deployed: pd.DataFrame) -> pd.Series:
    """Return the commit of the successful deployment before each, empty if there is none."""
    before = text_of(deployed, "prev_success_deployment_commit_id")
    of_id = deployed.drop_duplicates("id").set_index("id")["commit_sha"]
    return before.map(of_id).astype("string").fillna("")


def _add_incidents(
    delivery: Delivery,
    tables: Mapping[str, pd.DataFrame],
    files: Mapping[str, str],
    deployed: pd.DataFrame,
    services: _Services,
) -> None:
    given = tables.get("incidents")
    name = "incidents"
    if given is None and "issues" in tables:
        name, issues = "issues", tables["issues"]
        given = issues[(issues["type"].str.upper() == "INCIDENT").fillna(False)]
        given = given.reset_index(drop=True)
        tables_of_tool = delivery.tool_tables
        tables_of_tool["incidents"] = given
    if given is None:
        return
    incidents = pd.DataFrame(
        {
            "incident_id": given["id"],
            "started_at": given["created_date"],
            ROW: given[ROW],
        }
    )
    if "resolution_date" in given:
        incidents["restored_at"] = given["resolution_date"]
    for column in ("severity", "title"):
        if column in given:
            incidents[column] = given[column]
    linked = _linked(delivery, tables, given, deployed)
    service = services.of_scope(text_of(given, "table"), text_of(given, "scope_id"), deployed)
    if linked is not None:
        of_group = deployed.drop_duplicates("group").set_index("group")["service"]
        incidents["deployment_id"] = _of_service(linked, service, deployed)
        service = service.fillna(incidents["deployment_id"].map(of_group).astype("string"))
    incidents["service"] = service
    delivery.rules["incidents.service"] = "its scope, else that of its deployment"
    delivery.tables["incidents"] = incidents
    delivery.files["incidents"] = files.get(name, name)


def _of_service(linked: pd.Series, service: pd.Series, deployed: pd.DataFrame) -> pd.Series:
    """Return the deployment of the incident's service, where the linked one is of several."""
    groups = deployed.drop_duplicates("group")
    counts = groups["cicd_deployment_id"].value_counts()
    only = groups.drop_duplicates("cicd_deployment_id").set_index("cicd_deployment_id")["group"]
    is_one = linked.map(counts).fillna(1) == 1
    found = linked.map(only).astype("string").where(is_one)
    among = (linked + " (" + service + ")").astype("string")
    among = among.where(are_among(among, groups["group"]))
    # What names no deployment that there is stays as it is, and is listed as such.
    return found.fillna(among).fillna(linked)


def _linked(
    delivery: Delivery,
    tables: Mapping[str, pd.DataFrame],
    incidents: pd.DataFrame,
    deployed: pd.DataFrame,
) -> pd.Series | None:
    """Return the deployment that each incident is linked to by more than time; None without any.

    DevLake itself links an incident to the last deployment of its project before it, which says
    nothing about what caused it. Only where some links are others did somebody else make them.
    """
    given = tables.get("project_incident_deployment_relationships")
    if given is None or not len(given):
        return None
    given = given.dropna(subset=["id", "deployment_id"])
    by_time = incident_relationships({**tables, "incidents": incidents})
    pairs = set(zip(by_time["id"], by_time["deployment_id"], strict=True))
    theirs = list(zip(given["id"], given["deployment_id"], strict=True))
    there = set(incidents["id"].dropna())
    if all(pair in pairs for pair in theirs if pair[0] in there):
        delivery.remarks.append(
            "Each incident is linked to the last deployment before it, as DevLake does by itself; "
            "that is no evidence, so these links are not used."
        )
        return None
    of_incident = given.drop_duplicates("id").set_index("id")["deployment_id"]
    return incidents["id"].map(of_incident).astype("string")
