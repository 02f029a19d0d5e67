"""Which tags of a repository are releases."""

import re

_VERSION = re.compile(
    r"(?P<prefix>.*?)(?P<number>\d+(?:[._-]\d+)*)(?:[._-](?:final|ga|release)|\+[\w.-]+)?",
    re.IGNORECASE,
)
_NO_PREFIX = re.compile(
    r"\d\.\d|(?:^|[\W\d_])(?:a|b|c|rc|cr|m|alpha|beta|pre|preview|prerelease|dev|snapshot|nightly"
    r"|canary|milestone|post|test)[\W_]*$",
    re.IGNORECASE,
)
_LONGEST = 255
_PLAIN = {"", "r", "rel", "release", "releases", "version"}


def _version(tag: str) -> re.Match[str] | None:
    found = _VERSION.fullmatch(tag) if len(tag) <= _LONGEST else None
    return None if found is None or _NO_PREFIX.search(found["prefix"]) else found


def is_final(tag: str) -> bool:
    """Return whether a tag is that of a release: a number, and nothing behind it.

    As in Semantic Versioning, all that stands behind the number makes it another thing than the
    release: ``v1.2.0-rc1``, ``v1.2.0a3``, ``v1.2.0-post0``. A tag without a number is none.
    """
    return _version(tag) is not None


def prefix_of(tag: str) -> str:
    """Return what stands before the number of a release and says what is released, as ``client/``.

    Empty if it says nothing: ``v``, ``release-``.
    """
    found = _version(tag)
    prefix = re.sub(r"(?:^|[@/_-])[vV]?$", "", found["prefix"]) if found else ""
    return "" if prefix.lower() in _PLAIN else prefix


def once_per_version(tags: dict[str, int]) -> list[str]:
    """Return tags without second names: the same number on the same commit, as v1.0 and 1.0."""
    seen: set[tuple[int, str, str]] = set()
    names = []
    for name, place in sorted(tags.items(), key=lambda tag: (len(tag[0]), tag[0])):
        found = _version(name)
        key = (place, prefix_of(name), found["number"] if found else name)
        if key not in seen:
            seen.add(key)
            names.append(name)
    return names
