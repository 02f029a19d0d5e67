"""The HTML report: well formed, self-contained, accessible, true to the numbers."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sim.document.html import write_html
from sim.report.content import sentences
from sim.report.pictures import study_pictures
from sim.report.study_document import study_document

_VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Collects what a browser would see, and fails on tags that do not match."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        """Note a tag with its attributes."""
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Expect the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note what can be read."""
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, name):
        """Return the attributes of every such tag."""
        return [attrs for tag, attrs in self.tags if tag == name]


def write(study, path):
    write_html(study_document(study, drawings=study_pictures(study)), path)


@pytest.fixture(scope="module")
def report(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write(study, path)
    return path


@pytest.fixture(scope="module")
def page(report):
    return Page(report.read_text(encoding="utf-8"))


def test_is_self_contained(report, page):
    references = [
        attrs[name] for _, attrs in page.tags for name in ("src", "action") if name in attrs
    ]
    assert len(references) == 11
    assert all(reference.startswith("data:image/svg+xml;base64,") for reference in references)
    links = [attrs["href"] for _, attrs in page.tags if "href" in attrs]
    assert links == [f"#{heading['id']}" for heading in page.all("h2")], "the table of contents"
    source = report.read_text(encoding="utf-8")
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source
    assert page.all("script") == page.all("link") == []


def test_is_accessible(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("title")) == 1
    assert all(len(image["alt"]) > 40 for image in page.all("img"))
    headings = {heading["id"] for heading in page.all("h2")}
    answer, *sections = page.all("section")
    assert answer["aria-label"]
    assert {section["aria-labelledby"] for section in sections} == headings
    assert all("scope" in cell for cell in page.all("th"))


def test_says_what_the_numbers_say(study, page):
    text = page.text.replace("\xa0", " ")
    for sentence in sentences(study):
        assert sentence in text
    assert "seed 7" in text
    assert "warmup_weeks: 8" in text
    assert "Practices: basic (CI/CD, monitoring), full (testing)" in text
    assert "EUR per week people" in text
    assert "net cost" in text


def test_a_bill_of_zeros_is_left_out(study, page):
    assert "What it costs" in page.text
    free = replace(study, runs=study.runs.assign(cost_per_week=0.0, worth_per_week=0.0))
    document = study_document(free, drawings=study_pictures(free))
    assert "What it costs" not in [section.title for section, _ in document.sections_in("html")]


def test_escapes_what_people_wrote(report, page):
    assert "Three teams, <partly> automated" in page.text
    assert "<partly>" not in report.read_text(encoding="utf-8")


def test_same_study_same_file(study, report, tmp_path):
    again = tmp_path / "again.html"
    write(study, again)
    assert again.read_bytes() == report.read_bytes()


def test_every_picture_has_its_place(study):
    pictures = study_pictures(study)
    assert set(study_document(study, drawings=pictures).pictures) == set(pictures)
    for name, picture in pictures.items():
        misplaced = pictures | {name: replace(picture, section="nowhere")}
        with pytest.raises(ValueError, match=f"no section of the report shows {name}: nowhere"):
            study_document(study, drawings=misplaced)


def test_nothing_deployed(empty_study, tmp_path):
    path = tmp_path / "empty.html"
    write(empty_study, path)
    page = Page(path.read_text(encoding="utf-8"))
    assert "Nothing was deployed" in page.text
    assert "no data" in page.text
    assert " nan" not in page.text.lower()
