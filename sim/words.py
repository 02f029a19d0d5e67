"""Names and lists as people write them."""

import re
from collections.abc import Sequence

# What a terminal obeys instead of showing it: control characters but for line breaks and tabs,
# lone surrogates, and what turns the direction of writing around.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_ABBREVIATIONS = {"ml": "ML", "gpu": "GPU", "cpu": "CPU", "ci": "CI", "cicd": "CI/CD"}


def readable(name: str) -> str:
    """Return the name of a step, role or resource as people write it: ``unit test``."""
    return " ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_"))


def listed(items: Sequence[str]) -> str:
    """Return a list as people write it: ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def in_number(count: int, one: str, several: str) -> str:
    """Return a count before a clause that agrees with it: ``1 row is``, ``1,200 rows are``."""
    return f"{count:,} {one if count == 1 else several}"


def capitalized(text: str) -> str:
    """Return a text as it stands at the beginning of a sentence; abbreviations stay as they are."""
    return text[:1].upper() + text[1:]


def printable(text: str) -> str:
    """Return ``text`` with escapes for what a terminal would obey instead of showing it."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def is_or_are(label: str) -> str:
    """Return the verb behind the name of a metric: time to restore is, open incidents are."""
    subject = re.split(r", | (?:of|by|per|in|to|for) ", label)[0]
    several = re.search(r"(?<![s'\u2019])s(?= |$)", subject)
    return "are" if several else "is"
