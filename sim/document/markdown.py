"""A document as Markdown, for pages that code hosts show."""

import re
from collections.abc import Iterator, Mapping, Sequence

from .document import (
    Bar,
    Block,
    Bullets,
    Caveats,
    Cell,
    Document,
    Facts,
    Listing,
    Paragraph,
    Prose,
    Table,
    Tiles,
)
from .picture import Picture


def to_markdown(
    document: Document, note: str = "", picture_paths: Mapping[str, str] | None = None
) -> str:
    """Return a document as a Markdown page.

    Args:
        document: the document.
        note: a comment at the top that readers of the page do not see.
        picture_paths: where pictures lie, by name; one without a path is told in words.
    """
    parts = [f"# {_escaped(document.title)}"]
    if note:
        parts.append(f"<!-- {note} -->")
    parts += [_escaped(document.description)] if document.description else []
    if document.setting:
        parts.append(_escaped(document.setting))
    if document.flag:
        parts.append(f"**{_escaped(document.flag)}**")
    for block in document.answer_in("markdown"):
        parts += _block(block, picture_paths or {})
    parts += [_escaped(line) for line in document.context if line]
    for section, blocks in document.sections_in("markdown"):
        if section.title:
            parts.append(f"## {_escaped(section.title)}")
        for block in blocks:
            parts += _block(block, picture_paths or {})
    return "\n\n".join(parts) + "\n"


def _block(block: Block, picture_paths: Mapping[str, str]) -> Iterator[str]:
    if isinstance(block, Tiles):
        if block.caption:
            yield _escaped(block.caption)
        yield _bullets(
            [
                " · ".join(
                    part
                    for part in (
                        f"{tile.label}: {tile.value}" + (f" ({tile.note})" if tile.note else ""),
                        tile.badge,
                        tile.detail,
                    )
                    if part
                )
                for tile in block.items
            ]
        )
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Paragraph):
        text = _escaped(block.text)
        yield f"**{text}**" if block.tone in ("strong", "bad") else text
    elif isinstance(block, Prose):
        yield block.text
    elif isinstance(block, Bullets):
        yield _bullets(block.items)
    elif isinstance(block, Caveats):
        yield _bullets([caveat.text for caveat in block.found])
    elif isinstance(block, Facts):
        yield _bullets([f"{name}: {value}" for name, value in block.items.items()])
    elif isinstance(block, Listing):
        yield f"```yaml\n{block.text.rstrip()}\n```"
    elif isinstance(block, Picture):
        if block.name in picture_paths:
            yield f"![{_escaped(block.alt)}]({picture_paths[block.name]})"
            yield _escaped(block.caption)
        else:
            yield f"*{_escaped(block.title)}* {_escaped(block.alt)}"
    else:
        raise TypeError(f"Markdown cannot show {type(block).__name__}")


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield _escaped(table.caption)
    # Markdown cannot draw bars, whose numbers stand beside them anyway.
    shown = [
        place
        for place in range(len(table.columns))
        if not any(
            isinstance(row.cells[place], Bar) for row in table.rows if place < len(row.cells)
        )
    ]
    heads = [
        ", ".join(
            part for part in (table.columns[place].heading, table.columns[place].note) if part
        )
        for place in shown
    ]
    rules = ["---:" if table.columns[place].is_number else "---" for place in shown]
    lines = [_line([_in_cell(head) for head in heads]), _line(rules)]
    for group in table.groups:
        if group.label or group.heading:
            label = f"**{_in_cell(group.label)}** " if group.label else ""
            heading = label + _in_cell(group.heading)
            lines.append(_line([heading, *[""] * (len(shown) - 1)]))
        for row in group.rows:
            cells = [_cell(row.cells[p]) if p < len(row.cells) else "" for p in shown]
            if row.role in ("headline", "total", "baseline"):
                cells = [f"**{cell}**" if cell else "" for cell in cells]
            lines.append(_line(cells))
            if row.note:
                lines.append(_line([_in_cell(row.note), *[""] * (len(shown) - 1)]))
    yield "\n".join(lines)


def _cell(cell: Cell | Bar | str) -> str:
    if isinstance(cell, Bar):
        return ""
    if isinstance(cell, str):
        return _in_cell(cell)
    note = f" ({_in_cell(cell.note)})" if cell.note else ""
    return f"{_in_cell(cell.text)}{note}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {_escaped(item)}" for item in items)


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_<>"})
_LINK = re.compile(r"^\[|\](?=[(\[:])")
"""A bracket that may begin a box to tick, a link or the address of one; others stay readable."""


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, with its signs escaped."""
    return _LINK.sub(r"\\\g<0>", " ".join(text.translate(_MARKS).split()))


def _in_cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|")
