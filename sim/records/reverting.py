"""How people and hosts write that a change takes another one back."""

import re

PULL_REQUEST = re.compile(r"\(([#!]\d+)\)\s*$")
"""The number of its pull request at the end of a subject."""

REVERTED_COMMIT = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_REVERTED_REQUEST = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?[#!](\d+)\b", re.MULTILINE)
_REVERT_OF = re.compile(r'^Revert "(.*)"')


def reverted_request(body: str) -> str | None:
    """Return the number of the pull request that a text says it takes back."""
    found = _REVERTED_REQUEST.search(body)
    return found[1] if found else None


def reverted_title(title: str) -> str | None:
    """Return the title of what a title says it takes back: ``Revert "Add it"``."""
    found = _REVERT_OF.search(title)
    return found[1].strip() if found else None
