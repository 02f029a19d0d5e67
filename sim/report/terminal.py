"""What ``python -m sim`` prints: the metrics, where the time goes, and what to beware of."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.document.document import Caveat
from sim.report.units import (
    MINUS,
)
from sim.scenario.errors import printable

_WIDE = 110
"""Columns from which the breakdowns stand side by side and counts have their nouns."""

_BAND_STYLES = {"elite": "green", "high": "cyan", "medium": "yellow", "low": "red"}
_KIND_STYLES = {
    "work": "green",
    "waiting": "yellow",
    "rework": "red",
    "phase": "magenta",
    "effort": "blue",
    "cost": "cyan",
}

# What a terminal that does not speak Unicode gets instead.
_ASCII = str.maketrans({"–": "-", "·": "-", "×": "x", "±": "+/-", "█": "#", MINUS: "-"})
_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Ink:
    """Makes texts that the console can show: without Unicode if it has none."""

    def __init__(self, console: Console) -> None:
        self.ascii_only = console.options.ascii_only

    def text(self, text: str, style: str = "") -> Text:
        """Return a text, with escapes for what the terminal would obey."""
        text = printable(text)
        return Text(text.translate(_ASCII) if self.ascii_only else text, style)

    def bar(self, share: float, width: int, style: str) -> Text:
        """Return a bar that fills this share of the width."""
        eighths = 0 if math.isnan(share) else round(8 * width * min(max(share, 0.0), 1.0))
        if self.ascii_only:
            return Text("#" * round(eighths / 8), style)
        blocks = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        return Text(blocks or ("▏" if share > 0.0 else ""), style)


def caveat_table(found: Sequence[Caveat], ink: Ink) -> Table:
    """Return what to beware of, the serious things in red."""
    table = Table.grid(padding=(0, 1))
    for caveat in found:
        head, colon, rest = caveat.text.partition(": ")
        style = "bold red" if caveat.is_serious else "bold yellow"
        text = Text.assemble(ink.text(head + colon, style), ink.text(rest))
        table.add_row(ink.text("!" if caveat.is_serious else "·", style), text)
    return table
