"""What GitHub's API says: deployments with their statuses, pull requests, issues, releases.

The files are what ``gh api --paginate`` writes; docs/records.md has the commands.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from .csv_files import SourceError, refuse_too_large
from .delivery import ROW, Delivery, texts
from .environments import PRODUCTION, counting
from .github_issues import add_incidents
from .github_objects import Rows, looked_up, repository_of
from .github_pulls import add_changes
from .json_files import as_text, begins_as_json, keys_of, read_objects
from .options import Options

NAME = "github"
WANTED = "a folder with deployments.json, releases.json, pulls.json or issues.json of gh api"

_MAIN = ("deployments", "releases", "pulls", "issues")
_OF_FOUR_KEYS = {"deploy_id", "time_created"}
"""Keys of another tool's objects in a file of the same name."""
_FILES = (*_MAIN, "deployment_statuses", "pull_commits", "commits")


def can_open(source: str) -> bool:
    """Return whether a source is a folder with one of the files, of no other tool."""
    paths = [Path(source, f"{name}.json") for name in _MAIN]
    return any(begins_as_json(path) and not keys_of(path) & _OF_FOUR_KEYS for path in paths)


def read(source: str, options: Options) -> Delivery:
    """Return what the files say.

    Args:
        source: the folder.
        options: of these, the environment, the time zone and the label of incidents are used here.

    Raises:
        SourceError: nothing in them can be measured.
    """
    paths = {name: Path(source, f"{name}.json") for name in _FILES}
    paths = {name: path for name, path in paths.items() if path.is_file()}
    refuse_too_large({path.name: path for path in paths.values()})
    delivery = Delivery("exports of GitHub's API", links_are_complete=False)
    if "deployments" in paths:
        deployed = _deployments(delivery, paths, options)
    elif "releases" in paths:
        deployed = _releases(delivery, paths["releases"], options)
    else:
        deployed = None
    if "pulls" in paths:
        add_changes(delivery, paths, deployed, options)
    if "issues" in paths:
        add_incidents(delivery, paths["issues"], options)
    if not delivery.tables:
        why = delivery.remarks or [str(problem) for problem in delivery.problems]
        raise SourceError("; ".join(["the files say nothing that can be measured", *why[:2]]))
    return delivery


def _deployments(
    delivery: Delivery, paths: dict[str, Path], options: Options
) -> pd.DataFrame | None:
    """Add the deployments, each at its earliest success; None if no status of any is there.

    Returns:
        Those that count, in the order of time, with `contained_at`: what was merged until then may
        be in it.
    """
    file = paths["deployments"].name
    rows = Rows(file, "id", "sha", "environment", "repository", "created_at")
    within = Rows(file, "id", "state", "status_at")
    apart = Rows("deployment_statuses.json", "id", "state", "status_at")
    n_renamed = 0
    for row, found in read_objects(paths["deployments"], delivery.problems):
        environment = as_text(found.get("environment"))
        if options.environment is None and found.get("production_environment") is True:
            n_renamed += (environment or "").lower() not in PRODUCTION
            environment = "production"
        values = {key: found.get(key) for key in ("id", "sha", "created_at")}
        rows.add(row, **values, environment=environment, repository=repository_of(found))
        statuses = found.get("statuses")
        for status in statuses if isinstance(statuses, list) else ():
            if isinstance(status, dict):
                at = status.get("created_at")
                within.add(row, id=found.get("id"), state=status.get("state"), status_at=at)
    if "deployment_statuses" in paths:
        strays = []
        for row, status in read_objects(paths["deployment_statuses"], delivery.problems):
            of = as_text(status.get("deployment_url"))
            if of is None:
                strays.append(row)
                continue
            name = of.rstrip("/").rsplit("/", 1)[-1]
            apart.add(row, id=name, state=status.get("state"), status_at=status.get("created_at"))
        what = "a status of no deployment"
        delivery.problems.add(apart.file, "deployment_url", what, "it is left out", strays)
    frame = rows.frame(delivery, options)
    statuses = pd.concat([each.frame(delivery, options) for each in (within, apart)])
    if not len(statuses):
        what = "no deployment has a status, so that nobody knows which succeeded"
        delivery.problems.add_file(file, what, "none of them is used", "statuses")
        return None
    if n_renamed:
        delivery.remarks.append(
            f"{n_renamed:,} deployments count as production because GitHub's "
            "production_environment says so."
        )
    elsewhere = ~statuses["id"].isin(set(frame["id"].dropna()))
    if elsewhere.any():
        delivery.remarks.append(
            f"{elsewhere.sum():,} statuses are of deployments that are not in {file}."
        )
    statuses = statuses[~elsewhere].sort_values("status_at", kind="stable")
    success = statuses[statuses["state"].str.lower() == "success"].groupby("id")["status_at"].min()
    last = statuses.groupby("id")["state"].last()
    deployed_at = looked_up(frame["id"], success)
    result = looked_up(frame["id"], last)
    frame["deployment_id"] = frame["id"].fillna("row " + frame[ROW].astype("string[pyarrow]"))
    frame["deployed_at"] = deployed_at
    frame["is_rollback"] = _rollbacks(frame)
    delivery.tables["deployments"] = pd.DataFrame(
        {
            "deployment_id": frame["deployment_id"],
            "service": frame["repository"],
            "deployed_at": deployed_at,
            "environment": frame["environment"],
            "result": result.mask(deployed_at.notna(), "success"),
            "commit": frame["sha"],
            "is_rollback": frame["is_rollback"].astype("boolean"),
            ROW: frame[ROW],
        }
    )
    delivery.files["deployments"] = file
    delivery.rules["deployments.deployed_at"] = "the earliest success among its statuses"
    here = counting(frame["environment"].fillna(""), options)
    counts = here & deployed_at.notna().to_numpy(dtype=bool) & ~frame["is_rollback"].to_numpy()
    frame["contained_at"] = frame["created_at"].fillna(deployed_at)
    once = frame[counts].sort_values("deployed_at", kind="stable").drop_duplicates("deployment_id")
    ordered: pd.DataFrame = once.reset_index(drop=True)
    return ordered


def _rollbacks(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which deployments are of a commit that was deployed before the one that is there.

    The first deployment of a commit says how new it is: to deploy again what was rolled back is no
    rollback, and neither is to deploy once more what is there.
    """
    found = np.zeros(len(frame), dtype=np.bool_)
    known = frame["deployed_at"].notna() & frame["sha"].notna()
    order = frame[known].sort_values("deployed_at", kind="stable")
    now: dict[tuple[str, str], int] = {}
    ages: dict[tuple[str, str, str], int] = {}
    places = zip(
        order.index,
        order["repository"].fillna(""),
        order["environment"].fillna(""),
        order["sha"],
        strict=True,
    )
    for place, repository, environment, sha in places:
        age = ages.setdefault((repository, environment, sha), len(ages))
        found[place] = age < now.get((repository, environment), -1)
        now[repository, environment] = age
    return found


def _releases(delivery: Delivery, path: Path, options: Options) -> pd.DataFrame:
    """Add the releases as deployments, and return them with `contained_at`."""
    rows = Rows(path.name, "deployment_id", "repository", "deployed_at", "contained_at")
    n_others = 0
    for row, found in read_objects(path, delivery.problems):
        if found.get("draft") is True or found.get("prerelease") is True:
            n_others += 1
            continue
        name = found.get("tag_name", found.get("id"))
        # GitHub calls the time of the tagged commit created_at.
        until = found.get("created_at")
        at = found.get("published_at")
        rows.add(
            row,
            deployment_id=name,
            repository=repository_of(found),
            deployed_at=at,
            contained_at=until,
        )
    frame = rows.frame(delivery, options)
    if n_others:
        delivery.remarks.append(f"{n_others:,} drafts and pre-releases are no deployments.")
    named = frame["deployment_id"].fillna("row " + frame[ROW].astype("string[pyarrow]"))
    several = frame["repository"].nunique() > 1
    frame["deployment_id"] = frame["repository"].fillna("") + " " + named if several else named
    delivery.tables["deployments"] = pd.DataFrame(
        {
            "deployment_id": frame["deployment_id"],
            "service": frame["repository"],
            "deployed_at": frame["deployed_at"],
            ROW: frame[ROW],
        }
    )
    delivery.files["deployments"] = path.name
    delivery.remarks.append("Deployments are releases, since deployments.json is not there.")
    delivery.rules["deployments.deployed_at"] = "when the release was published"
    frame["sha"] = texts([None] * len(frame))
    frame["contained_at"] = frame["contained_at"].fillna(frame["deployed_at"])
    ordered = frame[frame["deployed_at"].notna()].sort_values("deployed_at", kind="stable")
    return ordered.drop_duplicates("deployment_id").reset_index(drop=True)
