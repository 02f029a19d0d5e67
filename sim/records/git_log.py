"""The text of ``git log``: tags or merges as deployments, commits as changes, reverts as failures.

A repository itself is not opened, since Git runs programs that the configuration of a repository
names. What writes the text is in :data:`sim.records.git_history.COMMANDS`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.words import in_number

from .ancestry import first_parents, first_with
from .csv_files import SourceError, refuse_too_large
from .delivery import ROW, Delivery, texts
from .git_history import COMMANDS, History, paths_of, read_history
from .git_patches import patches, reverts
from .options import Options
from .places import Places
from .release_tags import is_final, once_per_version, prefix_of
from .reverting import PULL_REQUEST
from .services import fitting
from .times import instants

NAME = "git"
WANTED = "the text of `git log`, as the command in docs/records.md writes it"

_BOT = re.compile(
    r"\[bot\]|^(?:dependabot|renovate|github-actions|pre-commit-ci|greenkeeper|snyk-bot|mergify"
    r"|codecov|allcontributors|semantic-release-bot|[\w-]+-bot)\b|\bbot@",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Deployed:
    """The deployments of a history, in the order of time.

    Attributes:
        names: of each.
        commits: the commit of each.
        times: of each.
        prefixes: what stands before the number of a tag.
    """

    names: list[str]
    commits: list[int]
    times: "pd.Series[pd.Timestamp]"
    prefixes: list[str]


def can_open(source: str) -> bool:
    """Return whether a source is the text of ``git log`` or a repository, of which it tells how."""
    path = Path(source)
    if _is_repository(path):
        return True
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return re.match(rb"\0[HT]|commit [0-9a-f]{40}\b", start) is not None


def read(source: str, options: Options) -> Delivery:
    """Return what a history says.

    Args:
        source: the file with the text.
        options: of these, what a deployment is and the services are used here.

    Raises:
        SourceError: it is a repository, or another kind of text; the message says what to do.
    """
    path = Path(source)
    if _is_repository(path):
        raise SourceError(
            f"{path.name or path} is a repository, in which Git would run what its configuration "
            f"says; write its history to a file, in a clone of your own:\n{COMMANDS}"
        )
    refuse_too_large({path.name: path})
    delivery = Delivery("a Git history", links_are_complete=False)
    history = read_history(path, delivery.problems)
    if not history.hashes:
        raise SourceError(
            f"{path.name} has no commits as the reader needs them; write it by:\n{COMMANDS}"
        )
    _tell(delivery, path.name, history, options)
    return delivery


def _is_repository(path: Path) -> bool:
    return (path / ".git").exists() or all(
        (path / each).exists() for each in ("HEAD", "objects", "refs")
    )


def _tell(delivery: Delivery, file: str, history: History, options: Options) -> None:
    """Fill the tables of a delivery."""
    rows = np.array(history.rows)
    written, committed = (
        instants(pd.Series(history.fields[key], name=key), rows, file, delivery.problems)
        for key in "AC"
    )
    late = (written > committed).to_numpy(dtype=bool)
    what, end = "written after it was committed", "the time of the commit is taken"
    texts = np.array(history.fields["A"], dtype=object)
    delivery.problems.add(file, "A", what, end, rows[late], texts[late])
    written = written.where(~late, committed)
    deployed = _deployments(delivery, file, history, options, committed)
    if history.n_lacking:
        delivery.remarks.append(
            f"The history is not whole (a shallow clone?): it lacks {history.n_lacking:,} parents, "
            "so that what is new in a deployment may be too much or too little."
        )
    line = first_parents(history.parents, history.head)
    delivery.ended_at = max(committed[line].max(), deployed.times.max())
    if pd.isna(delivery.ended_at):
        delivery.ended_at = None
    squashed = _squashed(history, written, committed)
    _told_of_squashes(delivery, history, squashed)
    of_patch = patches(history, written, committed)
    taken_back = reverts(history, of_patch)
    groups = _groups(history, deployed, options)
    changes, deployments = [], []
    for group in groups:
        new, of = _tables(history, deployed, group, of_patch, taken_back, written, squashed)
        changes.append(new)
        deployments.append(of)
    delivery.tables["changes"] = pd.concat(changes, ignore_index=True)
    delivery.tables["deployments"] = pd.concat(deployments, ignore_index=True)
    delivery.files |= {"changes": file, "deployments": file}
    delivery.services_are_assigned = options.services is not None
    _told_of_changes(delivery, history, of_patch, taken_back, options)


def _deployments(
    delivery: Delivery,
    file: str,
    history: History,
    options: Options,
    committed: "pd.Series[pd.Timestamp]",
) -> _Deployed:
    """Return the deployments, in the order of time."""
    final = {name: place for name, place in history.tags.items() if is_final(name)}
    if options.deployments == "tags" and not final:
        raise SourceError(
            f"{file} has no tag of a release ({len(history.tags):,} other tags); fetch the tags "
            "(git fetch --tags), or give --deployments merges"
        )
    if options.deployments == "merges" or not final:
        line = first_parents(history.parents, history.head)
        delivery.remarks.append(
            f"Deployments are the {len(line):,} commits and merges on the main line of the history"
            + (" (--deployments tags takes releases)." if final else "; no tag is of a release.")
        )
        delivery.rules["deployments.deployed_at"] = "when it was committed to the main branch"
        return _Deployed(
            [history.hashes[place] for place in line],
            line,
            committed[line].reset_index(drop=True),
            [""] * len(line),
        )
    names = once_per_version(final)
    n_other, n_same = len(history.tags) - len(final), len(final) - len(names)
    delivery.remarks.append(
        f"Deployments are the tags of releases, {len(names):,}; "
        + in_number(n_other, "tag that is", "tags that are")
        + " no number alone, as of a release candidate, "
        + ("is" if n_other == 1 else "are")
        + " left out"
        + (f", and {n_same:,} second names of a release." if n_same else ".")
    )
    made = pd.Series([history.tagged_at.get(name, "") for name in names], dtype=object, name="R")
    rows = np.array([history.rows[final[name]] for name in names])
    times = instants(made, rows, file, delivery.problems)
    rule = "when the tag was made"
    if times.isna().any():
        rule = "when the tagged commit was made, where nobody knows when the tag was"
        times = times.fillna(committed[[final[name] for name in names]].reset_index(drop=True))
    delivery.rules["deployments.deployed_at"] = rule
    order = times.to_numpy().argsort(kind="stable")
    chosen = [names[place] for place in order]
    return _Deployed(
        chosen,
        [final[name] for name in chosen],
        times[order].reset_index(drop=True),
        [prefix_of(name) for name in chosen],
    )


def _squashed(
    history: History, written: "pd.Series[pd.Timestamp]", committed: "pd.Series[pd.Timestamp]"
) -> npt.NDArray[np.bool_]:
    """Return which commits are squash merges, whose times are both that of the merge."""
    by_host = [
        name == "GitHub" or PULL_REQUEST.search(subject) is not None
        for name, subject in zip(history.fields["G"], history.fields["S"], strict=True)
    ]
    same = (written == committed).to_numpy(dtype=bool)
    found: npt.NDArray[np.bool_] = same & np.array(by_host) & ~np.array(history.is_merge)
    return found


def _told_of_squashes(
    delivery: Delivery, history: History, squashed: npt.NDArray[np.bool_]
) -> None:
    """Say how many lead times are lower bounds."""
    rule = "when the author wrote the commit"
    if squashed.any():
        share = squashed.sum() / (len(history.hashes) - sum(history.is_merge))
        delivery.remarks.append(
            f"{share:.0%} of the commits are squash merges, which carry the time of the merge: "
            "their lead times are lower bounds, without the time from first commit to merge."
        )
        rule += f"; for the {share:.0%} that are squash merges when they were merged: a lower bound"
    delivery.rules["changes.committed_at"] = rule


@dataclass(frozen=True)
class _Group:
    """A service of the repository, or all of it.

    Attributes:
        service: its name; empty for all of it.
        has: which commits touch it.
        deployments: the places of the deployments that can be of it.
    """

    service: str
    has: npt.NDArray[np.bool_]
    deployments: list[int]


def _groups(history: History, deployed: _Deployed, options: Options) -> list[_Group]:
    """Return the services, by the paths that commits touch and what stands before a tag's number.

    A commit that touches several services is a change of each.
    """
    is_change = ~np.array(history.is_merge, dtype=np.bool_)
    everything = list(range(len(deployed.names)))
    if options.services is None:
        return [_Group("", is_change, everything)]
    if not any(text.strip() for text in history.fields["F"]):
        raise SourceError("the text has no paths for --services; write it with --name-only")
    service = fitting(options.services)
    has: dict[str, npt.NDArray[np.bool_]] = {}
    for place, text in enumerate(history.fields["F"]):
        for name in {service(path) for path in paths_of(text)}:
            if name is not None and not history.is_merge[place]:
                has.setdefault(name, np.zeros(len(is_change), dtype=np.bool_))[place] = True
    if not has:
        raise SourceError("no path of any commit fits a pattern of --services")
    of_prefix = {prefix: service(prefix) for prefix in set(deployed.prefixes) if prefix}
    only = [of_prefix.get(prefix) for prefix in deployed.prefixes]
    return [
        _Group(name, touched, [place for place in everything if only[place] in (None, name)])
        for name, touched in sorted(has.items())
    ]


def _tables(
    history: History,
    deployed: _Deployed,
    group: _Group,
    of_patch: Places,
    taken_back: dict[int, int],
    written: "pd.Series[pd.Timestamp]",
    squashed: npt.NDArray[np.bool_],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the changes and the deployments of a service."""
    n_commits, n_deployments = len(history.hashes), len(group.deployments)
    first = first_with(history.parents, [deployed.commits[place] for place in group.deployments])
    on_main = first_with(history.parents, [history.head]) == 0
    # The same patch goes out once, with the first deployment that has any commit of it.
    of_first = np.full(n_commits, n_deployments)
    patches = of_patch[group.has]
    np.minimum.at(of_first, patches, np.where(first < 0, n_deployments, first)[group.has])
    is_kept = np.zeros(n_commits, dtype=np.bool_)
    is_kept[patches] = (first[group.has] >= 0) | on_main[group.has]
    is_kept[of_patch[group.has & ((first >= 0) | on_main)]] = True
    kept = np.flatnonzero(is_kept)
    suffix = f" {group.service}" if group.service else ""
    names = texts([deployed.names[place] + suffix for place in group.deployments])
    times = deployed.times[group.deployments].reset_index(drop=True)
    place = np.where(of_first[kept] < n_deployments, of_first[kept], -1)
    at = written[kept].reset_index(drop=True)
    deployed_at = pd.Series(times.array.take(place, allow_fill=True), dtype=times.dtype)
    # Of a squash merge that is the deployment itself the lower bound is 0, which says nothing.
    at = at.where(~(squashed[kept] & (at >= deployed_at).to_numpy(dtype=bool)))
    hashes, rows = np.array(history.hashes, dtype=object), np.array(history.rows)
    reverting = [taken_back.get(int(patch), -1) for patch in kept]
    changes = pd.DataFrame(
        {
            "change_id": texts(hashes[kept] + suffix),
            "commit": texts(hashes[kept]),
            "committed_at": at,
            "deployment_id": names.array.take(place, allow_fill=True),
            "by_bot": pd.array(
                [_BOT.search(history.fields["N"][patch]) is not None for patch in kept], "boolean"
            ),
            "reverts": texts(
                [None if patch < 0 else hashes[patch] + suffix for patch in reverting]
            ),
            ROW: rows[kept],
        }
    )
    commits = np.array([deployed.commits[place] for place in group.deployments], dtype=np.intp)
    deployments = pd.DataFrame(
        {
            "deployment_id": names,
            "deployed_at": times,
            "commit": texts(hashes[commits]),
            ROW: rows[commits],
        }
    )
    if group.service:
        brings = np.isin(np.arange(n_deployments), place)
        deployments = deployments[brings]
        for table in (changes, deployments):
            table["service"] = texts([group.service] * len(table))
    return changes, deployments


def _told_of_changes(
    delivery: Delivery,
    history: History,
    of_patch: Places,
    taken_back: dict[int, int],
    options: Options,
) -> None:
    """Say which commits are no changes of their own, and what reverts are taken for."""
    is_change = ~np.array(history.is_merge, dtype=np.bool_)
    n_again = int((is_change & (of_patch != np.arange(len(of_patch)))).sum())
    kept = set(delivery.tables["changes"]["commit"])
    n_lost = sum(history.hashes[place] not in kept for place in set(of_patch[is_change].tolist()))
    n_merges = len(is_change) - int(is_change.sum())
    said = f"A change is a commit; {in_number(n_merges, 'merge is', 'merges are')} none"
    changes = delivery.tables["changes"]
    n_unknown = int((changes["committed_at"].isna() & changes["deployment_id"].notna()).sum())
    if n_unknown:
        delivery.remarks.append(
            f"{n_unknown:,} of {len(changes):,} changes have no lead time, since they were "
            "squashed into their own deployment; the lead time is that of the others alone."
        )
    if n_again:
        said += f", and {n_again:,} backports and other copies have the patch of another commit"
    delivery.remarks.append(f"{said}.")
    if n_lost:
        where = "are on no main line and in no deployment"
        if options.services is not None:
            where += ", or touch no service"
        delivery.remarks.append(f"{n_lost:,} commits {where}, and are left out.")
    if taken_back:
        delivery.remarks.append(
            in_number(len(taken_back), "commit reverts", "commits revert")
            + " another. A deployment whose change a later one "
            "reverts counts as failed: a proxy, since nobody recorded incidents."
        )
    delivery.rules["changes.deployment_id"] = "the first deployment whose history has the commit"
    if options.services is not None:
        for table in ("changes", "deployments"):
            delivery.rules[f"{table}.service"] = "the pattern that fits the paths of its commits"
