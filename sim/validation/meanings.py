"""The meaning of verdicts for the model, by the key of the row."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from sim.scenario.spec import Spec

from .agreement import Verdict


class Meaning(Spec):
    """A text that goes with certain verdicts of certain rows."""

    rows: tuple[str, ...] = Field(min_length=1, description="Beginnings of the rows' keys.")
    when: Literal["agrees", "disagrees or undecided", "open"] = Field(
        description="The verdicts that the text explains."
    )
    text: str


def meaning_of(key: str, verdict: Verdict, meanings: Sequence[Meaning]) -> str:
    """Return the first text for a row and its verdict; empty if there is none."""
    for meaning in meanings:
        if key.startswith(meaning.rows) and verdict in meaning.when.split(" or "):
            return meaning.text
    return ""
