"""Documents: whatever they hold, every medium shows it, and nothing is taken for markup."""

import io
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib.figure import Figure
from rich.console import Console

from sim.document.document import (
    Bar,
    Bullets,
    Caveat,
    Caveats,
    Cell,
    Column,
    Document,
    Embedded,
    Facts,
    Group,
    Listing,
    Paragraph,
    Prose,
    Row,
    Section,
    Table,
    Tile,
    Tiles,
    placed_caveats,
)
from sim.document.html import to_html
from sim.document.markdown import to_markdown
from sim.document.picture import Picture
from sim.document.terminal import print_document

NASTY = "<b>x</b> & [bold]y[/bold] `z` *a* _b_ | c \\ <!-- d -->"


def in_terminal(document, width=80, encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_document(document, Console(file=file, width=width))
    file.flush()
    return raw.getvalue().decode(encoding)


class Words(HTMLParser):
    """Collects what a browser would show as text."""

    def __init__(self, source):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Note a text."""
        self.words.append(data)

    @property
    def text(self):
        """All that can be read, spaces folded."""
        return " ".join(" ".join(self.words).split())


def picture(name):
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    return Picture(name, figure, f"question of {name}", f"caption of {name}", f"words of {name}")


WORDS = st.text("ab <&*_`[]|\\", min_size=1, max_size=12).filter(str.strip)
CELLS = st.one_of(WORDS, st.builds(Cell, WORDS, WORDS))


@st.composite
def tables(draw):
    columns = draw(st.integers(1, 4))
    rows = st.lists(CELLS, min_size=1, max_size=columns).map(Row)
    groups = st.builds(Group, st.lists(rows, min_size=1, max_size=3), st.just(""), st.just(""))
    return Table([Column(f"head {n}") for n in range(columns)], draw(st.lists(groups, min_size=1)))


BLOCKS = st.one_of(
    tables(),
    st.builds(Paragraph, WORDS),
    st.lists(st.builds(Tile, WORDS, WORDS, WORDS, WORDS), min_size=1, max_size=5).map(Tiles),
    st.builds(Bullets, st.lists(WORDS, min_size=1)),
    st.builds(Facts, st.dictionaries(WORDS, WORDS, min_size=1)),
)


def texts_of(block):
    if isinstance(block, Table):
        for row in block.rows:
            for cell in row.cells:
                yield cell if isinstance(cell, str) else cell.text
    elif isinstance(block, Tiles):
        for tile in block.items:
            yield from (tile.label, tile.note, tile.badge)
    elif isinstance(block, Paragraph):
        yield block.text
    elif isinstance(block, Bullets):
        yield from block.items
    else:
        yield from block.items.values()


def folded(text):
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


@given(st.lists(BLOCKS, min_size=1, max_size=4))
def test_every_text_can_be_read_as_it_is_on_paper(blocks):
    document = Document("title", [Section("section", blocks)])
    page = folded(Words(to_html(document)).text)
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(to_markdown(document))
    markdown = folded(Words(rendered).text)
    for block in blocks:
        for text in texts_of(block):
            assert folded(text) in page
            assert folded(text) in markdown


@settings(max_examples=40)
@given(st.lists(BLOCKS, min_size=1, max_size=4), st.integers(60, 130))
def test_a_terminal_takes_every_document(blocks, width):
    text = in_terminal(Document("title", [Section("section", blocks)]), width)
    assert max(map(len, text.splitlines())) <= width
    in_one_line = "".join(text.split())
    for block in blocks:
        if isinstance(block, Paragraph | Bullets):  # long cells of tables are wrapped in columns
            for one in texts_of(block):
                assert "".join(one.split()) in in_one_line


def test_other_peoples_texts_are_no_markup_anywhere():
    document = Document(NASTY, [Section("s", [Paragraph(NASTY)])], description=NASTY)
    assert NASTY in in_terminal(document, 120)
    page = Words(to_html(document))
    assert not [tag for tag, _ in page.tags if tag == "b"]
    assert page.text.count(NASTY) == 4  # in the title of the page, too
    words = Words(MarkdownIt("gfm-like", {"linkify": False}).render(to_markdown(document)))
    assert not [tag for tag, _ in words.tags if tag in ("b", "em", "code", "strong")]
    assert words.text.count(NASTY) == 3


def test_a_section_is_left_out_where_it_has_nothing_to_show():
    document = Document(
        "title",
        [
            Section("on paper", [Paragraph("p", media=frozenset({"html", "markdown"}))]),
            Section("moving", [Embedded("<canvas></canvas>")]),
            Section("terminal alone", [Paragraph("t", media=frozenset({"terminal"}))]),
        ],
    )
    assert in_terminal(document).split() == ["title", "t"]
    assert "on paper" in to_html(document)
    assert "<canvas></canvas>" in to_html(document)
    assert "terminal alone" not in to_html(document)
    assert "moving" not in to_markdown(document)


def test_pictures_are_shown_told_or_refused():
    document = Document("title", [Section("s", [picture("one"), picture("two")])])
    assert list(document.pictures) == ["one", "two"]
    page = Words(to_html(document))
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert [image["alt"] for image in images] == ["words of one", "words of two"]
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in images)
    markdown = to_markdown(document, picture_paths={"one": "figures/one.png"})
    assert "![words of one](figures/one.png)" in markdown
    assert "words of two" in markdown
    again = Document("title", [Section("s", [picture("one")]), Section("t", [picture("one")])])
    with pytest.raises(ValueError, match="same name"):
        _ = again.pictures


def test_the_same_picture_gives_the_same_page():
    pages = {to_html(Document("t", [Section("s", [picture("one")])])) for _ in range(2)}
    assert len(pages) == 1


def test_more_cells_than_columns_are_refused():
    with pytest.raises(ValueError, match="more cells"):
        Table([Column("a")], [Group([Row(["1", "2"])])])


BARS = Table(
    [Column(), Column(is_number=True), Column()],
    [
        Group(
            [
                Row(["work", "25 h", Bar(0.25, "work")]),
                Row(["waiting", "100 h", Bar(1.0, "waiting")]),
                Row(["nothing", "no data", Bar(float("nan"), "waiting")]),
                Row(["total", "125 h"], "total"),
            ]
        )
    ],
    title="Where time goes",
)


def test_bars_are_in_proportion_everywhere():
    lines = in_terminal(Document("t", [Section("s", [BARS])])).splitlines()
    length = {line.split()[0]: line.count("█") for line in lines if line.strip()}
    assert length["work"] == pytest.approx(length["waiting"] / 4, abs=1)
    assert length["nothing"] == 0
    widths = [
        attrs["style"]
        for _, attrs in Words(to_html(Document("t", [Section("s", [BARS])]))).tags
        if "style" in attrs
    ]
    assert widths == ["width: 25.0%", "width: 100.0%", "width: 0.0%"]
    assert "| waiting | 100 h |" in to_markdown(Document("t", [Section("s", [BARS])]))


def test_without_unicode_a_terminal_shows_ascii():
    signs = Paragraph("1 – 2 · ±3 × \N{MINUS SIGN}4 → 5")
    text = in_terminal(Document("t", [Section("s", [BARS, signs])]), encoding="ascii")
    assert "####" in text
    assert "1 - 2 - +/-3 x -4 -> 5" in text


def test_narrow_sections_stand_side_by_side_where_there_is_room():
    halves = [Section(name, [BARS], is_narrow=True) for name in ("one", "two", "three")]
    document = Document("t", [*halves, Section("last", [Paragraph("the end")])])
    assert in_terminal(document, 80).count("Where time goes") == 3
    wide = in_terminal(document, 120).splitlines()
    assert sum(line.count("Where time goes") == 2 for line in wide) == 1
    assert wide[-1].strip() == "the end"
    assert max(map(len, wide)) <= 120


def test_serious_caveats_can_be_told_apart():
    block = Caveats([Caveat(True, "Unstable: it grows."), Caveat(False, "Few: only 3.")])
    document = Document("t", [Section("Before you believe it", [block])])
    assert "! Unstable: it grows." in in_terminal(document)
    assert "· Few: only 3." in in_terminal(document)
    page = Words(to_html(document))
    assert [attrs["class"] for tag, attrs in page.tags if tag == "li"] == ["serious", "note"]


def test_groups_have_headings_over_the_whole_width():
    long = "a claim in many words that no single column has room for, and even longer than that"
    groups = [
        Group([Row(["metric", "1.0"])], long, "D1"),
        Group([Row(["other", "2.0"])], "b", "D2"),
    ]
    table = Table([Column("metric"), Column("mean", is_number=True)], groups)
    document = Document("t", [Section("s", [table])])
    lines = [line.rstrip() for line in in_terminal(document, 60).splitlines()]
    assert f"D1  {long}" == " ".join(line for line in lines if "claim" in line or "longer" in line)
    ends = {line.index("1.0") for line in lines if "1.0" in line}
    assert ends == {line.index("2.0") for line in lines if "2.0" in line}


def test_a_note_of_a_row_stands_below_it_over_the_whole_width():
    long = "moved most: a part with a name that no single column of this table has room for"
    rows = [Row(["one", "1"], note=long), Row(["two", "2"])]
    table = Table([Column("metric"), Column("mean", is_number=True)], [Group(rows)])
    document = Document("t", [Section("s", [table])])
    lines = [line.strip() for line in in_terminal(document, 100).splitlines()]
    assert lines[-3:] == ["one        1", long, "two        2"]
    notes = [attrs for tag, attrs in Words(to_html(document)).tags if "colspan" in attrs]
    assert notes == [{"class": "dim", "colspan": "2"}]
    assert f"| one | 1 |\n| {long} |  |\n| two | 2 |" in to_markdown(document)


def test_a_column_that_wraps_cuts_no_word_and_no_note():
    verdict = Cell("not supported", "[0.25 to 0.75]")
    rows = [Row(["a metric with quite a long name", verdict, Cell("+1", "[\N{MINUS SIGN}2 to 4]")])]
    columns = [Column("metric", may_wrap=True), Column("verdict", may_wrap=True), Column("change")]
    table = Table(columns, [Group(rows, "heading", "D1")])
    text = in_terminal(Document("t", [Section("s", [table])]), 44)
    for word in ("metric", "quite", "name", "supported", "[\N{MINUS SIGN}2 to 4]"):
        assert word in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_our_own_markdown_is_rendered():
    document = Document("t", [Section("s", [Prose("see *this*, `key` and [a](b.csv)")])])
    assert "<em>this</em>" in to_html(document)
    assert "<code>key</code>" in to_html(document)
    assert "[a](b.csv)" in to_markdown(document)
    assert "see this, key and a" in in_terminal(document)


def test_listings_keep_their_lines():
    document = Document("t", [Section("s", [Listing("a: 1\n  b: <x>\n", "YAML")])])
    assert "a: 1\n  b: &lt;x&gt;" in to_html(document)
    assert "```yaml\na: 1\n  b: <x>\n```" in to_markdown(document)


def test_the_answer_and_its_picture_come_before_all_else():
    document = Document(
        "t",
        [Section("Where it goes", [picture("other"), picture("lead")])],
        answer=[Tiles([Tile("lead time", "2.5 days", "2 – 3", "high")]), Paragraph("Most waits.")],
        lead="lead",
        context=["some more"],
    )
    page = Words(to_html(document))
    body = page.text.rpartition("}")[2]  # below the style sheet
    places = [body.index(words) for words in ("lead time", "2.5", "2 – 3", "high", "Most")]
    places += [body.index(words) for words in ("question of lead", "some more", "Where it")]
    assert places == sorted(places)
    assert page.text.count("question of lead") == 1, "it is shown once"
    shown = in_terminal(document)
    assert shown.index("lead time 2.5 days") < shown.index("Most waits.") < shown.index("some more")
    markdown = to_markdown(document)
    assert markdown.index("lead time: 2.5 days (2 – 3)") < markdown.index("## Where it goes")


def test_tiles_break_no_word_at_80_columns():
    tiles = Tiles(
        [
            Tile(label, "2.52 per service and month", "2.27 – 2.75", "between medium and low")
            for label in ("deployment frequency", "time to restore")
        ]
    )
    lines = in_terminal(Document("t", [], answer=[tiles])).splitlines()
    assert max(map(len, lines)) <= 80
    text = "deployment frequency 2.52 per service and month 2.27 – 2.75 between medium low"
    assert set(text.split()) <= set(" ".join(lines).split())


def test_a_table_of_contents_leads_to_every_section():
    sections = [Section(f"Part {n}", [Paragraph("x")]) for n in range(4)]
    page = Words(to_html(Document("t", [*sections, Section("", [Paragraph("y")])])))
    assert [attrs["href"] for tag, attrs in page.tags if tag == "a"] == [
        f"#{attrs['id']}" for tag, attrs in page.tags if tag == "h2"
    ]
    assert ("nav", {"aria-label": "Contents"}) in page.tags
    assert "Contents" not in in_terminal(Document("t", sections))


def test_caveats_stand_beside_what_they_concern_and_serious_ones_leave_a_line():
    caveats = [
        Caveat(False, "about a", "A"),
        Caveat(True, "about b, at length", "B", "b in short"),
        Caveat(False, "about the answer"),
        Caveat(False, "of a section that is not there", "C"),
    ]
    (top,), (a, b) = placed_caveats(caveats, [Section("A", []), Section("B", [Paragraph("x")])])
    assert [(each.is_serious, each.text) for each in top.found] == [
        (True, "b in short"),
        (False, "about the answer"),
        (False, "of a section that is not there"),
    ]
    assert [each.text for each in a.blocks[0].found] == ["about a"]
    assert [each.text for each in b.blocks[0].found] == ["about b, at length"]
