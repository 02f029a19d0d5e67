"""The one error that a scenario can cause, and how it is put into words."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.words import printable

_MOST_SHOWN = 5
_LONGEST_WORD = 120
_LONGEST_LINE = 380


def in_one_line(text: str) -> str:
    """Return ``text`` as one short line: long words lose their middle, long lines their end."""
    text = printable(text.replace("\n", "\\n"))
    text = re.sub(
        rf"\S{{{_LONGEST_WORD},}}", lambda found: f"{found[0][:57]}...{found[0][-20:]}", text
    )
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 3] + "..."


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the dotted key, what is wrong with it, and what would be valid.

    As a text it is one short line that is safe to print, whatever somebody wrote.
    """

    key: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return in_one_line(f"{self.key}: {self.what}{hint}")


class ScenarioError(Exception):
    """A scenario cannot be used; the message names each key, its value and what is allowed.

    Attributes:
        problems: what is wrong, in the order of the scenario.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        lines = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        left = len(self.problems) - len(lines)
        return lines if left == 0 else [*lines, f"... and {left} more"]

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


def nearest(name: object, valid: Iterable[str]) -> str:
    """Return a hint naming the valid name closest to ``name``, or all of them if none is close."""
    names = list(valid)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return "nothing is defined there"
    return "valid: " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
