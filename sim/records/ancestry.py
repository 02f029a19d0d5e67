"""What is new in a deployment, by the history of a repository."""

from collections.abc import Iterable, Sequence

import numpy as np

from .places import Places


def first_with(parents: Sequence[Sequence[int]], commits: Iterable[int]) -> Places:
    """Return of each commit the first deployment whose history has it, -1 if none has.

    New in a deployment is what none before it had, and not what the one before it lacked: releases
    of a branch would bring everything again that the main branch has released already. The history
    of a commit that a deployment has is the deployment's too, so that each commit is looked at
    once.

    Args:
        parents: of each commit, the places of its parents.
        commits: the deployed commits, in the order of the deployments; -1 where it is not known.
    """
    first = np.full(len(parents), -1, dtype=np.intp)
    for deployment, commit in enumerate(commits):
        waiting = [commit] if commit >= 0 else []
        while waiting:
            commit = waiting.pop()
            if first[commit] < 0:
                first[commit] = deployment
                waiting += parents[commit]
    return first


def first_parents(parents: Sequence[Sequence[int]], head: int) -> list[int]:
    """Return the main line that ends at a commit, from its first commit on."""
    line, seen = [head], {head}
    while parents[line[-1]] and (before := parents[line[-1]][0]) not in seen:
        line.append(before)
        seen.add(before)
    return line[::-1]
