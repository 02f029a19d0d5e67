"""Which commits of a history are the same patch, and which take another one back."""

import re
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .git_history import History
from .places import Places
from .reverting import PULL_REQUEST, REVERTED_COMMIT, reverted_request, reverted_title

_MERGED = re.compile(r"^Merge pull request #(\d+) ")
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)")
_BACKPORT = re.compile(r"^\[(?:backport|back-port|bp)\b[^\]]*\]\s*", re.IGNORECASE)


def patches(
    history: History, written: "pd.Series[pd.Timestamp]", committed: "pd.Series[pd.Timestamp]"
) -> Places:
    """Return of each commit the one that had its patch first.

    A commit is the same patch as another one if it says so (``git cherry-pick -x``), if author,
    time and subject are the same, or if its subject is the other one's with the number of one more
    pull request, as GitHub entitles backports.
    """
    above = list(range(len(history.hashes)))

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    fields = history.fields
    lookup = _Lookup(history.hashes)
    subjects: dict[str, int] = {}
    same: dict[tuple[str, str, str], int] = {}
    commits = [place for place, is_merge in enumerate(history.is_merge) if not is_merge]
    for place in commits:
        subject = fields["S"][place]
        if PULL_REQUEST.search(subject):
            subjects.setdefault(subject.strip(), place)
        key = (fields["N"][place], fields["A"][place], subject)
        above[top(place)] = top(same.setdefault(key, place))
    for place in commits:
        origins = [lookup.place(name) for name in _PICKED.findall(fields["B"][place])]
        titled = _BACKPORT.sub("", fields["S"][place])
        if found := PULL_REQUEST.search(titled):
            origins.append(subjects.get(titled[: found.start()].strip(), -1))
        for origin in origins:
            if origin >= 0 and not history.is_merge[origin]:
                above[top(place)] = top(origin)
    tops = np.array([top(place) for place in range(len(above))], dtype=np.intp)
    # The earliest of each group; a time that is not known comes last.
    never = pd.Timestamp.max.tz_localize("UTC").as_unit("us")
    order = np.lexsort((committed.fillna(never), written.fillna(never), tops))
    starts = np.flatnonzero(np.diff(tops[order], prepend=-1))
    earliest = np.empty(len(tops), dtype=np.intp)
    earliest[tops[order][starts]] = order[starts]
    found_first: Places = earliest[tops]
    return found_first


class _Lookup:
    """Finds commits by the beginning of their hash."""

    def __init__(self, hashes: Sequence[str]) -> None:
        self._order = sorted(range(len(hashes)), key=hashes.__getitem__)
        self._sorted = [hashes[place] for place in self._order]

    def place(self, name: str) -> int:
        """Return the place of the commit, -1 if there is none or several."""
        at = bisect_left(self._sorted, name)
        fits = [each.startswith(name) for each in self._sorted[at : at + 2]]
        return self._order[at] if fits[:1] == [True] and fits[1:] != [True] else -1


def reverts(history: History, of_patch: Places) -> dict[int, int]:
    """Return by the patches that take others back the patches that they take back.

    Those that take back a revert only are left out: they do again what was wanted.
    """
    fields = history.fields
    lookup = _Lookup(history.hashes)
    of_request: dict[str, int] = {}
    of_subject: dict[str, int] = {}
    for place, subject in enumerate(fields["S"]):
        if numbered := PULL_REQUEST.search(subject) or _MERGED.search(subject):
            of_request.setdefault(numbered[1].lstrip("#!"), place)
        of_subject.setdefault(subject.strip(), place)
    found: dict[int, int] = {}
    for place, body in enumerate(fields["B"]):
        subject = fields["S"][place]
        if history.is_merge[place] or "evert" not in subject + body:
            continue
        origin = -1
        if told := REVERTED_COMMIT.search(body):
            origin = lookup.place(told[1])
        if origin < 0 and (number := reverted_request(body)):
            origin = of_request.get(number, -1)
        if origin < 0 and (title := reverted_title(subject)):
            origin = of_subject.get(title, -1)
        if origin >= 0:
            origin = _brought(history, origin)
        if origin >= 0 and of_patch[origin] != of_patch[place]:
            found[int(of_patch[place])] = int(of_patch[origin])
    return {patch: origin for patch, origin in found.items() if origin not in found}


def _brought(history: History, place: int) -> int:
    """Return a commit, or of a merge the last commit that it brought; -1 if that is not there."""
    if not history.is_merge[place]:
        return place
    parents = history.parents[place]
    place = parents[-1] if len(parents) > 1 else -1
    seen = set()
    while place >= 0 and history.is_merge[place] and place not in seen:
        seen.add(place)
        place = history.parents[place][0] if history.parents[place] else -1
    return place if place not in seen else -1
