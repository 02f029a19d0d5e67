"""The content of a report: title, sentences, caveats, tables and pictures.

A document holds content only. :mod:`sim.document.terminal`, :mod:`sim.document.html` and
:mod:`sim.document.markdown` show it; none of them knows what it is about.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .picture import Picture

Medium = Literal["terminal", "html", "markdown"]
EVERYWHERE: frozenset[Medium] = frozenset({"terminal", "html", "markdown"})
ON_PAPER: frozenset[Medium] = frozenset({"html", "markdown"})
IN_HTML: frozenset[Medium] = frozenset({"html"})
IN_TERMINAL: frozenset[Medium] = frozenset({"terminal"})

Tone = Literal["", "strong", "dim", "elite", "high", "medium", "low", "good", "doubtful", "bad"]
"""The emphasis of a text. The four bands of DORA have a tone each."""
BarKind = Literal["work", "waiting", "rework", "phase", "effort", "cost", "load"]
"""The kinds of amounts that a bar stands for, each with a colour and a pattern."""
RowRole = Literal["", "headline", "total", "below", "baseline"]


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says.
        note: what stands below it in small letters, such as an interval.
        tone: how it stands out.
        value: the number that it shows, for programs that read a page; None if it shows none.
    """

    text: str
    note: str = ""
    tone: Tone = ""
    value: float | None = None


@dataclass(frozen=True)
class Part:
    """A part of a :class:`Stack`.

    Attributes:
        share: of the full length, between 0 and 1.
        name: what decides on its colour and pattern.
        label: what it is called.
        text: how large it is.
    """

    share: float
    name: str
    label: str
    text: str


@dataclass(frozen=True)
class Stack(Cell):
    """A cell whose text is drawn behind a bar of several parts, where a medium can draw.

    Attributes:
        parts: the parts, from left to right.
    """

    parts: Sequence[Part] = ()


@dataclass(frozen=True)
class Stretch:
    """A part of a :class:`Scale` that has a name.

    Attributes:
        label: its name; empty if there is no room for it.
        name: what decides on its colour.
        start: where it begins, as a share of the scale.
        end: where it ends.
    """

    label: str
    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Mark:
    """A mark on a :class:`Scale`.

    Attributes:
        name: what decides on its shape and colour.
        place: where it stands, as a share of the scale.
        low: where its interval begins; NaN if there is none.
        high: where its interval ends.
    """

    name: str
    place: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """A drawing of where the values of a row stand among named stretches.

    Attributes:
        stretches: the stretches, from left to right.
        marks: what stands there.
    """

    stretches: Sequence[Stretch]
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Bar:
    """A cell that is drawn as a bar; the number stands in a cell beside it.

    Attributes:
        share: of the full length, between 0 and 1; NaN is drawn as nothing.
        kind: what it stands for.
    """

    share: float
    kind: BarKind


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its heading.
        note: what stands below the heading, such as the unit.
        is_number: its cells are aligned at the right.
        may_wrap: its texts may be broken into lines where there is little room.
        least_width: letters that a terminal gives it at least.
    """

    heading: str = ""
    note: str = ""
    is_number: bool = False
    may_wrap: bool = False
    least_width: int = 0


@dataclass(frozen=True)
class Row:
    """A row of a table; its first cell is its heading.

    Attributes:
        cells: a cell per column, the last ones may be left out.
        role: what sets it apart from the others.
        note: what stands below its cells, over the whole width.
        name: what programs that read a page know it by.
        scale: drawn below its cells where a medium can draw; the cells say the same.
    """

    cells: Sequence[Cell | Bar | str]
    role: RowRole = ""
    note: str = ""
    name: str = ""
    scale: Scale | None = None


@dataclass(frozen=True)
class Group:
    """Rows that belong together; a line separates them from the next group.

    Attributes:
        rows: the rows.
        heading: what stands above them, over the whole width.
        label: what the heading begins with, in strong letters.
    """

    rows: Sequence[Row]
    heading: str = ""
    label: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: its columns; a table without any heading is shown without a head.
        groups: its rows.
        caption: how to read it.
        title: what stands above it where sections have no headings, as in a terminal, which then
            leaves out the caption.
        is_dense: it has so many columns that it is set in smaller letters.
        media: where it is shown.

    Raises:
        ValueError: a row has more cells than there are columns.
    """

    columns: Sequence[Column]
    groups: Sequence[Group]
    caption: str = ""
    title: str = ""
    is_dense: bool = False
    media: frozenset[Medium] = EVERYWHERE

    def __post_init__(self) -> None:
        """Refuse cells that no medium would show."""
        if any(len(row.cells) > len(self.columns) for row in self.rows):
            raise ValueError("a row has more cells than the table has columns")

    @property
    def rows(self) -> list[Row]:
        """All rows, of all groups."""
        return [row for group in self.groups for row in group.rows]

    @property
    def bar_kinds(self) -> list[BarKind]:
        """The kinds of its bars, in the order in which they come first."""
        bars = (cell for row in self.rows for cell in row.cells if isinstance(cell, Bar))
        return list(dict.fromkeys(bar.kind for bar in bars))

    @property
    def part_labels(self) -> dict[str, str]:
        """The labels of the parts of its stacks, by name."""
        stacks = (cell for row in self.rows for cell in row.cells if isinstance(cell, Stack))
        return {part.name: part.label for stack in stacks for part in stack.parts}


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text.

    Attributes:
        text: what it says.
        tone: how it stands out.
        media: where it is shown.
    """

    text: str
    tone: Tone = ""
    media: frozenset[Medium] = EVERYWHERE


@dataclass(frozen=True)
class Prose:
    """Text of our own in Markdown; never a text that somebody else wrote.

    Attributes:
        text: one or more paragraphs.
        media: where it is shown.
    """

    text: str
    media: frozenset[Medium] = EVERYWHERE


@dataclass(frozen=True)
class Bullets:
    """A list of sentences.

    Attributes:
        items: the sentences.
        media: where it is shown.
    """

    items: Sequence[str]
    media: frozenset[Medium] = EVERYWHERE


@dataclass(frozen=True)
class Tile:
    """A number that a reader came for, with what it means.

    Attributes:
        label: what it is the number of.
        value: the number, with its unit.
        note: its interval; empty if there is none.
        badge: what the number means, such as a band or whether a change is for the better.
        tone: how the badge stands out.
        detail: what else belongs to it, such as where it was found.
        name: what programs that read a page know it by.
    """

    label: str
    value: str
    note: str = ""
    badge: str = ""
    tone: Tone = ""
    detail: str = ""
    name: str = ""


@dataclass(frozen=True)
class Tiles:
    """The numbers that a document begins with, side by side where there is room.

    Attributes:
        items: the tiles; a few.
        caption: how to read them, in a line.
        media: where they are shown.
    """

    items: Sequence[Tile]
    caption: str = ""
    media: frozenset[Medium] = EVERYWHERE


@dataclass(frozen=True)
class Caveat:
    """Something that a reader has to know before believing the numbers.

    Attributes:
        is_serious: the numbers may mislead without it.
        text: what it is, as ``name: explanation``.
        section: title of the section that it concerns; empty if it concerns the answer.
        short: the same in a line, for the top of a document if it is serious and stands elsewhere.
    """

    is_serious: bool
    text: str
    section: str = ""
    short: str = ""


@dataclass(frozen=True)
class Caveats:
    """Caveats, the serious ones first.

    Attributes:
        found: the caveats.
        media: where they are shown.
    """

    found: Sequence[Caveat]
    media: frozenset[Medium] = EVERYWHERE


@dataclass(frozen=True)
class Listing:
    """Text to be copied, such as a scenario in YAML.

    Attributes:
        text: the text, whose lines are kept.
        label: what it is.
        media: where it is shown.
    """

    text: str
    label: str
    media: frozenset[Medium] = ON_PAPER


@dataclass(frozen=True)
class Facts:
    """Names and their values, a line each.

    Attributes:
        items: value by name.
        media: where they are shown.
    """

    items: Mapping[str, str]
    media: frozenset[Medium] = ON_PAPER


@dataclass(frozen=True)
class Embedded:
    """HTML that a library made; never a text that somebody else wrote.

    Attributes:
        html: the markup.
        media: HTML alone can show it.
    """

    html: str
    media: frozenset[Medium] = frozenset({"html"})


Block = Tiles | Table | Paragraph | Prose | Bullets | Caveats | Listing | Facts | Embedded | Picture


@dataclass(frozen=True)
class Section:
    """A part of a document with a heading.

    Attributes:
        title: its heading.
        blocks: what it holds, in order.
        is_narrow: where there is room, a terminal may set it beside its neighbour.
    """

    title: str
    blocks: Sequence[Block]
    is_narrow: bool = False

    def shown_in(self, medium: Medium) -> list[Block]:
        """Return the blocks that a medium shows."""
        return [block for block in self.blocks if medium in block.media]


def with_pictures(sections: Sequence[Section], pictures: Iterable[Picture]) -> list[Section]:
    """Return sections with pictures, each at the end of the section that it names.

    Raises:
        ValueError: no section has the title that a picture names.
    """
    found = list(sections)
    titles = [section.title for section in found]
    for picture in pictures:
        if picture.section not in titles:
            raise ValueError(f"no section of the report shows {picture.name}: {picture.section}")
        place = titles.index(picture.section)
        found[place] = replace(found[place], blocks=[*found[place].blocks, picture])
    return found


def placed_caveats(
    caveats: Sequence[Caveat], sections: Sequence[Section]
) -> tuple[list[Block], list[Section]]:
    """Put caveats beside what they concern.

    Args:
        caveats: the caveats.
        sections: the sections, each of which gets its own at its beginning.

    Returns:
        What stands with the answer: the caveats that concern it, and the serious ones of sections
        in a line each; and the sections.
    """
    titles = {section.title for section in sections}
    here = [caveat for caveat in caveats if caveat.section not in titles]
    lines = [
        Caveat(True, caveat.short or caveat.text)
        for caveat in caveats
        if caveat.is_serious and caveat.section in titles
    ]
    top = sorted([*here, *lines], key=lambda caveat: not caveat.is_serious)
    found = []
    for section in sections:
        own = [caveat for caveat in caveats if caveat.section == section.title]
        blocks = [Caveats(own), *section.blocks] if own else section.blocks
        found.append(replace(section, blocks=blocks))
    return [Caveats(top)] if top else [], found


@dataclass(frozen=True)
class Document:
    """A report, which begins with the answer.

    Attributes:
        title: what it is about.
        sections: its parts; one that has nothing to show in a medium is left out there.
        answer: what a reader came for: tiles, a sentence or two, what to beware of.
        lead: name of the picture that stands with the answer instead of in its section.
        kind: what kind of document it is, above the title.
        description: what somebody wrote about the subject.
        context: what else to know about the subject, a line each.
        setting: what the numbers rest on.
        flag: a warning that goes with all tables and pictures; empty if there is none.
    """

    title: str
    sections: Sequence[Section]
    answer: Sequence[Block] = field(default=())
    lead: str = ""
    kind: str = "Delivery of machine learning, simulated"
    description: str = ""
    context: Sequence[str] = field(default=())
    setting: str = ""
    flag: str = ""

    def answer_in(self, medium: Medium) -> list[Block]:
        """Return the blocks of the answer that a medium shows, its picture last."""
        picture = self.pictures.get(self.lead)
        blocks = [*self.answer, *([] if picture is None else [picture])]
        return [block for block in blocks if medium in block.media]

    def sections_in(self, medium: Medium) -> Iterator[tuple[Section, list[Block]]]:
        """Yield the sections that a medium shows, each with the blocks that it shows."""
        for section in self.sections:
            blocks = [block for block in section.shown_in(medium) if not self._leads(block)]
            if blocks:
                yield section, blocks

    def contents_in(self, medium: Medium) -> list[str]:
        """Return the titles of a table of contents: of sections that a medium shows by title."""
        return [section.title for section, _ in self.sections_in(medium) if section.title]

    def _leads(self, block: Block) -> bool:
        return isinstance(block, Picture) and block.name == self.lead

    @property
    def pictures(self) -> dict[str, Picture]:
        """All pictures by name.

        Raises:
            ValueError: two pictures have the same name.
        """
        found = [
            block
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Picture)
        ]
        by_name = {picture.name: picture for picture in found}
        if len(by_name) < len(found):
            raise ValueError("two pictures of a document have the same name")
        return by_name


def illustrated(document: Document, pictures: Iterable[Picture]) -> Document:
    """Return a document with pictures, each at the end of the section that it names.

    Raises:
        ValueError: no section has the title that a picture names.
    """
    return replace(document, sections=with_pictures(document.sections, pictures))
