"""Names and lists as people write them."""

from collections.abc import Sequence

_ABBREVIATIONS = {"ml": "ML", "gpu": "GPU", "cpu": "CPU", "ci": "CI", "cicd": "CI/CD"}


def readable(name: str) -> str:
    """Return the name of a step, role or resource as people write it: ``unit test``."""
    return " ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_"))


def listed(items: Sequence[str]) -> str:
    """Return a list as people write it: ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def capitalized(text: str) -> str:
    """Return a text as it stands at the beginning of a sentence; abbreviations stay as they are."""
    return text[:1].upper() + text[1:]
