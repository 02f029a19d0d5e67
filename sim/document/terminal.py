"""A document in a terminal, by rich."""

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from sim.words import printable

from .document import (
    Bar,
    BarKind,
    Block,
    Bullets,
    Caveats,
    Cell,
    Column,
    Document,
    Facts,
    Listing,
    Paragraph,
    Prose,
    Row,
    Section,
    Table,
    Tiles,
    Tone,
)
from .document import (
    Group as Rows,
)

WIDE = 110
"""Columns from which narrow sections stand side by side."""

_TONES: dict[Tone, str] = {
    "": "",
    "strong": "bold",
    "dim": "dim",
    "elite": "green",
    "high": "cyan",
    "medium": "yellow",
    "low": "red",
    "good": "green",
    "doubtful": "yellow",
    "bad": "bold red",
}
_BARS: dict[BarKind, str] = {
    "work": "green",
    "waiting": "yellow",
    "rework": "red",
    "phase": "magenta",
    "effort": "blue",
    "cost": "cyan",
    "load": "blue",
}
_ROLES = {"": "", "headline": "bold", "total": "bold", "below": "", "baseline": "bold"}

# What a terminal without Unicode gets instead.
_ASCII = str.maketrans(
    {
        "–": "-",
        "\N{MINUS SIGN}": "-",
        "·": "-",
        "×": "x",
        "±": "+/-",
        "→": "->",
        "█": "#",
        "…": "...",
    }
)
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_GAP = 3
"""Columns between sections that stand side by side."""
_BETWEEN = 2
"""Columns between those of a table with a head."""


def print_document(document: Document, console: Console) -> None:
    """Print a document.

    Args:
        document: the document; its pictures are not shown.
        console: where to print. Its width decides whether narrow sections stand side by side, its
            encoding whether bars and dashes are drawn in ASCII.
    """
    printer = _Printer(console)
    for line in printer.head(document):
        console.print(line)
    for block in document.answer_in("terminal"):
        console.print()
        console.print(printer.block(block, console.width))
    if document.context and document.answer:
        console.print()
        for line in printer.context(document):
            console.print(line)
    narrow: list[RenderableType] = []
    for section, blocks in document.sections_in("terminal"):
        body = printer.section(section, blocks)
        if section.is_narrow and printer.is_wide:
            narrow.append(body)
            continue
        printer.side_by_side(narrow)
        console.print()
        console.print(body)
    printer.side_by_side(narrow)


class _Printer:
    """Makes what rich can print of a document."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii_only = console.options.ascii_only
        self.is_wide = console.width >= WIDE

    def head(self, document: Document) -> list[Text]:
        """Return the lines above the sections."""
        lines = [self._text(document.title, "bold")]
        lines += [self._text(document.description)] if document.description else []
        if not document.answer:
            lines += self.context(document)
        if document.setting:
            lines.append(self._text(document.setting, "dim"))
        if document.flag:
            lines.append(self._text(document.flag, "bold red"))
        return lines

    def context(self, document: Document) -> list[Text]:
        """Return what else to know about the subject."""
        return [self._text(line) for line in document.context if line]

    def section(self, section: Section, blocks: Sequence[Block]) -> RenderableType:
        """Return the blocks of a section, an empty line between two of them."""
        width = (self._console.width - _GAP) // 2 if self.is_wide else self._console.width
        parts: list[RenderableType] = []
        for number, block in enumerate(blocks):
            if number:
                parts.append("")
            parts.append(self.block(block, width if section.is_narrow else self._console.width))
        return Group(*parts)

    def side_by_side(self, bodies: list[RenderableType]) -> None:
        """Print narrow sections in two columns, each below the shorter one, and forget them."""
        if not bodies:
            return
        columns: tuple[list[RenderableType], list[RenderableType]] = ([], [])
        heights = [0, 0]
        for body in bodies:
            place = heights.index(min(heights))
            if columns[place]:
                columns[place].append("")
            columns[place].append(body)
            heights[place] += len(self._console.render_lines(body)) + 1
        grid = RichTable.grid(padding=(0, _GAP))
        grid.add_row(Group(*columns[0]), Group(*columns[1]))
        self._console.print()
        self._console.print(grid)
        bodies.clear()

    def block(self, block: Block, width: int) -> RenderableType:
        """Return a block that may be so many columns wide."""
        if isinstance(block, Tiles):
            return self._tiles(block, width)
        if isinstance(block, Table):
            return self._table(block, width)
        if isinstance(block, Paragraph):
            return self._text(block.text, _TONES[block.tone])
        if isinstance(block, Prose):
            return Markdown(self._plain(block.text))
        if isinstance(block, Bullets):
            return self._bullets(block)
        if isinstance(block, Caveats):
            return self._caveats(block)
        if isinstance(block, Facts):
            return self._facts(block)
        if isinstance(block, Listing):
            return self._text(block.text)
        raise TypeError(f"a terminal cannot show {type(block).__name__}")

    def _plain(self, text: str) -> str:
        return text.translate(_ASCII) if self._ascii_only else text

    def _text(self, text: str, style: str = "") -> Text:
        return Text(self._plain(printable(text)), style)

    def _table(self, table: Table, width: int) -> RenderableType:
        has_head = any(column.heading or column.note for column in table.columns)
        made = self._frame(table, has_head, shows_head=has_head)
        parts: list[RenderableType] = [made]
        bar_width = self._room_for_bars(table, width)

        # What goes over the whole width stands between tables: rich's have no cells so wide.
        def go_on_below(*texts: RenderableType) -> RichTable:
            parts.extend([*texts, next_part := self._frame(table, has_head, shows_head=False)])
            return next_part

        for group in table.groups:
            if group.label or group.heading:
                label = self._text(group.label + ("  " if group.label else ""), "bold")
                made = go_on_below("", Text.assemble(label, self._text(group.heading)))
            for row in group.rows:
                made.add_row(*self._cells(row, bar_width), style=_ROLES[row.role])
                if row.note:
                    made = go_on_below(Padding(self._text(row.note, "dim"), (0, 0, 0, 4)))
            if has_head:
                made.add_section()
        tables = [part for part in parts if isinstance(part, RichTable)]
        if len(tables) > 1:
            widths = self._widths(table, width)
            for part in tables:
                for column, column_width in zip(part.columns, widths, strict=True):
                    column.width = column_width
        parts = [
            part
            for part in parts
            if not isinstance(part, RichTable) or part.row_count or part.show_header
        ]
        if table.title:
            parts.insert(0, self._text(table.title, "bold"))
        if table.caption and not table.title:
            parts += ["", self._text(table.caption, "dim")]
        return Group(*parts)

    def _frame(self, table: Table, has_head: bool, shows_head: bool) -> RichTable:
        """Return a table without rows."""
        made = RichTable(
            box=box.SIMPLE_HEAD if has_head else None,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            show_header=shows_head,
        )
        tallest = max(_head(column).count("\n") for column in table.columns)
        for column in table.columns:
            head = _head(column)  # stands at the bottom; cells stand at the top
            made.add_column(
                self._text("\n" * (tallest - head.count("\n")) + head),
                justify="right" if column.is_number else "left",
                vertical="top",
                # What is too long ends in an ellipsis, which ASCII lacks.
                no_wrap=not column.may_wrap and (column.is_number or not self._ascii_only),
                overflow="fold" if self._ascii_only else "ellipsis",
                min_width=column.least_width or None,
                header_style="bold",
            )
        return made

    def _widths(self, table: Table, width: int) -> list[int]:
        """Return the widths of columns that are the same in all parts of a table."""
        widths, room = [], []
        for n, column in enumerate(table.columns):
            cells = [row.cells[n] for row in table.rows if n < len(row.cells)]
            lines = _head(column).split("\n")
            if column.may_wrap:
                lines += map(_words, cells)
                longest_word = max(
                    (len(word) for line in lines for word in line.split()), default=0
                )
            else:
                lines += [line for cell in cells for line in (_words(cell), _note(cell))]
            widths.append(max(map(len, lines)))
            room.append(widths[-1] - longest_word if column.may_wrap else 0)
        # Columns that may wrap give what is missing, in proportion to what they can give.
        missing = sum(widths) + _BETWEEN * (len(widths) - 1) - width
        if missing > 0 and (given := sum(room)):
            share = min(missing / given, 1.0)
            widths = [w - math.ceil(share * r) for w, r in zip(widths, room, strict=True)]
        return widths

    def _room_for_bars(self, table: Table, width: int) -> int:
        """Return the columns that are left for bars beside the texts of a table."""
        texts = [[_words(cell) for cell in row.cells] for row in table.rows]
        widest = [
            max([column.least_width, *(len(row[n]) for row in texts if n < len(row))])
            for n, column in enumerate(table.columns)
        ]
        return max(width - sum(widest) - len(widest), 8)

    def _cells(self, row: Row, bar_width: int) -> list[Text]:
        cells = []
        for cell in row.cells:
            if isinstance(cell, Bar):
                cells.append(self._bar(cell, bar_width))
            elif isinstance(cell, Cell):
                note = f"\n{cell.note}" if cell.note else ""
                style = _TONES[cell.tone]
                cells.append(Text.assemble(self._text(cell.text, style), self._text(note, "dim")))
            else:
                cells.append(self._text(cell))
        return cells

    def _bar(self, bar: Bar, width: int) -> Text:
        style = _BARS[bar.kind]
        share = 0.0 if math.isnan(bar.share) else min(max(bar.share, 0.0), 1.0)
        eighths = round(8 * width * share)
        if self._ascii_only:
            return Text("#" * round(eighths / 8), style)
        blocks = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        return Text(blocks or ("▏" if share > 0.0 else ""), style)

    def _tiles(self, tiles: Tiles, width: int) -> RenderableType:
        """Return a row for each tile: side by side, four of them would break their words."""
        texts = [(tile.label, tile.value, tile.note, tile.badge) for tile in tiles.items]
        kept = [place for place in range(4) if any(row[place] for row in texts)]
        rows = [
            Row(
                [
                    Cell(text, tone=tile.tone if place == 3 else "strong" if place == 1 else "")
                    for place, text in enumerate(row)
                    if place in kept
                ],
                note=tile.detail,
            )
            for tile, row in zip(tiles.items, texts, strict=True)
        ]
        # Only a badge wraps, and a label if even that leaves too little room.
        widths = [max(len(row[place]) for row in texts) for place in kept if place < 3]
        words = [len(word) for row in texts for word in row[3].split()]
        needed = sum(widths) + max(words, default=0) + _BETWEEN * len(widths)
        wrapping = (0, 3) if needed > width else (3,)
        columns = [Column(is_number=place in (1, 2), may_wrap=place in wrapping) for place in kept]
        return self._table(Table(columns, [Rows(rows)], tiles.caption), width)

    def _bullets(self, bullets: Bullets) -> RenderableType:
        made = RichTable.grid(padding=(0, 1))
        for item in bullets.items:
            made.add_row(self._text("·"), self._text(item))
        return made

    def _caveats(self, caveats: Caveats) -> RenderableType:
        made = RichTable.grid(padding=(0, 1))
        for caveat in caveats.found:
            head, colon, rest = caveat.text.partition(": ")
            style = "bold red" if caveat.is_serious else "bold yellow"
            text = Text.assemble(self._text(head + colon, style), self._text(rest))
            made.add_row(self._text("!" if caveat.is_serious else "·", style), text)
        return made

    def _facts(self, facts: Facts) -> RenderableType:
        made = RichTable.grid(padding=(0, 1))
        for name, value in facts.items.items():
            made.add_row(self._text(name, "dim"), self._text(value))
        return made


def _head(column: Column) -> str:
    return "\n".join(part for part in (column.heading, column.note) if part)


def _note(cell: Cell | Bar | str) -> str:
    return cell.note if isinstance(cell, Cell) else ""


def _words(cell: Cell | Bar | str) -> str:
    if isinstance(cell, Bar):
        return ""
    return cell.text if isinstance(cell, Cell) else cell
