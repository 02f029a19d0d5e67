"""Pull requests as changes: what was merged, and which deployment had it first."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .ancestry import first_with
from .delivery import ROW, Delivery, texts
from .github_objects import Rows, key_of, looked_up, repository_of
from .json_files import as_text, part_of, read_objects
from .options import Options
from .places import Places
from .reverting import reverted_request, reverted_title


def add_changes(
    delivery: Delivery, paths: dict[str, Path], deployed: pd.DataFrame | None, options: Options
) -> None:
    """Add the pull requests that were merged into the default branch."""
    file = paths["pulls"].name
    rows = Rows(
        file, "number", "repository", "created_at", "merged_at", "sha", "title", "reverts", "is_bot"
    )
    first = Rows(file, "key", "first_at")
    out: Counter[str] = Counter()
    nameless: list[int] = []
    for row, found in read_objects(paths["pulls"], delivery.problems):
        number = as_text(found.get("number"))
        base = part_of(found, "base")
        there = part_of(base, "repo")
        default = there.get("default_branch")
        if number is None:
            nameless.append(row)
        elif not found.get("merged_at"):
            out["open" if found.get("state") == "open" else "closed without a merge"] += 1
        elif default is not None and base.get("ref") != default:
            out["merged into another branch than the default one"] += 1
        else:
            repository = as_text(there.get("full_name")) or repository_of(found)
            user = part_of(found, "user")
            login = as_text(user.get("login")) or ""
            is_bot = user.get("type") == "Bot" or login.endswith("[bot]")
            rows.add(
                row,
                number=number,
                repository=repository,
                created_at=found.get("created_at"),
                merged_at=found.get("merged_at"),
                sha=found.get("merge_commit_sha"),
                title=found.get("title"),
                reverts=reverted_request(as_text(found.get("body")) or ""),
                is_bot=is_bot,
            )
            for at in _times_of_commits(found.get("commits")):
                first.add(row, key=key_of(repository, number), first_at=at)
    delivery.problems.add(
        file, "number", "a pull request without a number", "it is left out", nameless
    )
    if out:
        said = ", ".join(f"{number:,} {what}" for what, number in out.most_common())
        delivery.remarks.append(f"Pull requests that are no changes: {said}.")
    frame = rows.frame(delivery, options)
    frame["key"] = texts(map(key_of, frame["repository"], frame["number"]))
    firsts = [first.frame(delivery, options)]
    if "pull_commits" in paths:
        firsts.append(_of_pull_commits(delivery, paths["pull_commits"], frame, options))
    begun = pd.concat(firsts).groupby("key")["first_at"].min()
    first_at = looked_up(frame["key"], begun)
    n_lower = int(first_at.isna().sum())
    delivery.tables["changes"] = pd.DataFrame(
        {
            "change_id": frame["key"],
            "service": frame["repository"],
            "committed_at": first_at.fillna(frame["created_at"]),
            "commit": frame["sha"],
            "by_bot": (frame["is_bot"] == "true").astype("boolean"),
            "reverts": _reverts(frame),
            ROW: frame[ROW],
        }
    )
    delivery.files["changes"] = file
    rule = "the first commit of the pull request"
    if n_lower:
        rule += f"; of {n_lower:,}, when it was opened: a lower bound of the lead time"
        delivery.remarks.append(
            f"Of {n_lower:,} pull requests nobody knows the first commit: their lead times begin "
            "when they were opened, and are lower bounds."
        )
    delivery.rules["changes.committed_at"] = rule
    if deployed is not None:
        _link(delivery, paths, frame, deployed)


def _times_of_commits(commits: Any) -> list[Any]:
    """Return when the commits of a pull request were written."""
    if not isinstance(commits, list):
        return []
    authors = [
        part_of(part_of(each, "commit"), "author") for each in commits if isinstance(each, dict)
    ]
    return [author.get("date") for author in authors]


def _of_pull_commits(
    delivery: Delivery, path: Path, pulls: pd.DataFrame, options: Options
) -> pd.DataFrame:
    """Return when the commits of pull requests were written, from the file beside them."""
    rows = Rows(path.name, "key", "first_at")
    of_number = pulls.drop_duplicates("number").set_index("number")["repository"].to_dict()
    nameless = []
    for row, found in read_objects(path, delivery.problems):
        number = as_text(found.get("number"))
        if number is None:
            nameless.append(row)
            continue
        repository = as_text(found.get("repository")) or of_number.get(number)
        for at in _times_of_commits(found.get("commits")):
            rows.add(row, key=key_of(repository, number), first_at=at)
    what = "commits of no pull request"
    delivery.problems.add(path.name, "number", what, "they are left out", nameless)
    return rows.frame(delivery, options)


def _reverts(pulls: pd.DataFrame) -> "pd.Series[Any]":
    """Return what each pull request takes back; one that takes back a revert: nothing."""
    keys = pulls["key"].astype(object).tolist()
    known = set(keys)
    of_title = {
        (repository, title): key
        for repository, title, key in zip(
            pulls["repository"].fillna(""), pulls["title"].fillna(""), keys, strict=True
        )
    }
    found: list[str | None] = []
    for repository, number, title in zip(
        pulls["repository"], pulls["reverts"], pulls["title"].fillna(""), strict=True
    ):
        key = key_of(repository, number)
        if key not in known and (told := reverted_title(title)) is not None:
            key = of_title.get(("" if pd.isna(repository) else repository, told))
        found.append(key if key in known else None)
    reverting = {key for key, of in zip(keys, found, strict=True) if of is not None}
    return texts(None if of in reverting else of for of in found)


def _link(
    delivery: Delivery, paths: dict[str, Path], pulls: pd.DataFrame, deployed: pd.DataFrame
) -> None:
    """Say of each pull request which deployment has it first.

    With commits.json that is what its history says. Without it, a deployment is taken to have what
    was merged until its own commit was, or until it was created if its commit is no merge of a pull
    request.
    """
    repositories = pulls["repository"].fillna("").to_numpy(dtype=object)
    of_deployment = deployed["repository"].fillna("").to_numpy(dtype=object)
    merged_at = pulls.dropna(subset=["sha"]).drop_duplicates("sha").set_index("sha")["merged_at"]
    exactly = looked_up(deployed["sha"], merged_at)
    until = exactly.fillna(deployed["contained_at"])
    first = np.full(len(pulls), -1, dtype=np.intp)
    merged = pulls["merged_at"].notna().to_numpy(dtype=bool)
    for name in pd.unique(repositories):
        there = np.flatnonzero(of_deployment == name)
        these = np.flatnonzero((repositories == name) & merged)
        latest = until.iloc[there].astype("int64").cummax().to_numpy()
        place = np.searchsorted(latest, pulls["merged_at"].iloc[these].astype("int64").to_numpy())
        has = place < len(there)
        first[these[has]] = there[place[has]]
    rule = "the first deployment that was created after the pull request was merged"
    if "commits" in paths:
        known, by_history = _by_history(delivery, paths["commits"], pulls, deployed)
        first = np.where(known, by_history, first)
        rule = "the first deployment whose history has the merge" + (
            "" if known.all() else f"; of {int((~known).sum()):,}, {rule}"
        )
    else:
        delivery.remarks.append(
            "Nothing says which commits a deployment has: it is taken to have what was merged "
            "before it was created. commits.json would tell."
        )
    names = deployed["deployment_id"].array
    delivery.tables["changes"]["deployment_id"] = names.take(first, allow_fill=True)
    delivery.rules["changes.deployment_id"] = rule


def _by_history(
    delivery: Delivery, path: Path, pulls: pd.DataFrame, deployed: pd.DataFrame
) -> tuple[npt.NDArray[np.bool_], Places]:
    """Return which merges are in the history, and the first deployment that has each."""
    known: dict[str, int] = {}
    parents: list[list[str]] = []
    nameless = []
    for row, found in read_objects(path, delivery.problems):
        sha = as_text(found.get("sha"))
        if sha is None:
            nameless.append(row)
        elif sha not in known:
            known[sha] = len(known)
            given = found.get("parents")
            before = [
                as_text(each.get("sha"))
                for each in (given if isinstance(given, list) else ())
                if isinstance(each, dict)
            ]
            parents.append([name for name in before if name is not None])
    delivery.problems.add(path.name, "sha", "a commit without a hash", "it is left out", nameless)
    commits = [known.get(sha, -1) for sha in deployed["sha"].fillna("")]
    n_lacking = commits.count(-1)
    if n_lacking:
        delivery.remarks.append(
            f"{n_lacking:,} deployments are of commits that {path.name} does not have; nobody "
            "knows what was new in them."
        )
    first = first_with(
        [[known[name] for name in names if name in known] for names in parents], commits
    )
    places = np.array([known.get(sha, -1) for sha in pulls["sha"].fillna("")], dtype=np.intp)
    is_known = places >= 0
    found_first = np.full(len(places), -1, dtype=np.intp)
    found_first[is_known] = first[places[is_known]]
    return is_known, found_first
