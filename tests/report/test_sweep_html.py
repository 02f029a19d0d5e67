"""The HTML report of a sweep: well formed, self-contained, accessible, true to the numbers."""

import base64
from dataclasses import replace
from importlib import resources

import pytest
from sweeps import grid, sample, with_failure
from test_html import Page
from test_sweep_figures import SWEEPS

from sim.document.html import write_html
from sim.report.sweep_content import answer_tiles, caveats, findings, further_sentences, is_clear
from sim.report.sweep_document import sweep_document
from sim.report.sweep_figures import sweep_pictures


def written(sweep, path, pictures=()):
    write_html(sweep_document(findings(sweep), pictures), path)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sweep():
    return with_failure(grid(automation=[0, 0.5, 1], practice__testing=["none", "full"]), 3)


@pytest.fixture(scope="module")
def path(sweep, tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "report.html"
    written(sweep, path, sweep_pictures(findings(sweep)))
    return path


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def test_is_self_contained(path, page):
    sources = [attrs["src"] for attrs in page.all("img")]
    assert len(sources) == 3
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    source = path.read_text(encoding="utf-8")
    assert "http:" not in source
    assert "https:" not in source
    assert page.all("script") == page.all("link") == []


def test_pictures_are_drawings(page):
    for attrs in page.all("img"):
        drawing = base64.b64decode(attrs["src"].partition(",")[2]).decode()
        assert "<svg" in drawing


def test_a_picture_that_no_section_shows_is_an_error(sweep):
    found = findings(sweep)
    pictures = sweep_pictures(found)
    assert set(sweep_document(found, pictures).pictures) == {picture.name for picture in pictures}
    for picture in pictures:
        with pytest.raises(ValueError, match=f"shows {picture.name}: nowhere"):
            sweep_document(found, [replace(picture, section="nowhere")])


def test_is_accessible(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all(len(image["alt"]) > 40 for image in page.all("img"))
    headings = {heading["id"] for heading in page.all("h2")}
    answer, *others = page.all("section")
    assert answer["aria-label"]
    assert {section["aria-labelledby"] for section in others} == headings
    assert [link["href"] for link in page.all("a")] == [f"#{h['id']}" for h in page.all("h2")]
    assert all("scope" in cell for cell in page.all("th"))


def test_says_what_the_terminal_says(sweep, page):
    found = findings(sweep)
    text = page.text.replace("\xa0", " ")
    for sentence in further_sentences(found):
        assert sentence in text
    for tile in answer_tiles(found).items:
        assert f"{tile.label} {tile.value}" in text
    for caveat in caveats(found):
        assert caveat.text in text
    assert "default: sweep of automation and testing" in text
    assert "Every combination: 6 points × 20 replications" in text


def test_errors_are_not_taken_for_markup(path, page):
    assert "MemoryError: <no> more memory & none to come" in page.text
    assert "&lt;no&gt; more memory &amp; none" in path.read_text(encoding="utf-8")


def test_tables_have_a_row_for_each_point(page):
    rows = [attrs for attrs in page.all("th") if attrs["scope"] == "row"]
    assert len(rows) == 6 + 5
    assert page.all("tr").count({"class": "baseline"}) == 1
    # Nothing is known of a point: five metrics, five differences, and words below the heat map.
    assert page.text.count("no data") == 5 + 5 + 1


def test_differences_that_leave_out_zero_are_bold(page, sweep):
    clear = sum(int(is_clear(rows).sum()) for rows in findings(sweep).effects.values())
    cells = [attrs.get("class", "").split() for attrs in page.all("td")]
    assert sum("strong" in css for css in cells) == clear > 0
    assert ".strong, .doubtful { font-weight: 600; }" in (
        resources.files("sim.document").joinpath("templates/style.css").read_text("utf-8")
    )


def test_only_the_most_different_of_many_points_are_listed(tmp_path):
    many = grid(
        3, automation=[n / 20 for n in range(21)], standardization=[n / 9 for n in range(10)]
    )
    page = written(many, tmp_path / "report.html")
    assert "Of 210 points, the 100 that differ most from the baseline." in page.text
    rows = [attrs for attrs in page.all("th") if attrs["scope"] == "row"]
    assert len(rows) == 100 + 99
    assert all(attrs["tabindex"] == "0" for attrs in page.all("div") if "tall" in attrs["class"])


def test_sections_are_there_if_there_is_something_to_say(tmp_path, page):
    def sections(page):
        return [heading["id"] for heading in page.all("h2")]

    assert sections(page) == [
        "in-words",
        "in-pictures",
        "the-points",
        "differences-to-the-baseline",
        "to-get-the-same-again",
    ]
    keys = ["automation", "standardization"]
    sobol = written(sample("sobol", 32, keys), tmp_path / "sobol.html")
    assert sections(sobol) == [
        "in-words",
        "the-points",
        "which-dial-matters-most",
        "to-get-the-same-again",
    ]
    assert "0.56 [0.49 – 0.63]" in sobol.text  # first order
    morris = written(sample("morris", 32, keys), tmp_path / "morris.html")
    assert "lead time, days automation 5.8 [4.7 – 7.0] 5.8" in morris.text
    chosen = written(SWEEPS["selection"](), tmp_path / "chosen.html")
    assert sections(chosen)[-2] == "the-best-point"
    assert "1 0.5 5 h 90 % 75 % 20" in chosen.text


def test_a_choice_about_which_nothing_is_known_has_no_table(tmp_path):
    sweep = SWEEPS["selection"]()
    table = sweep.selection.table.assign(best_probability=float("nan"))
    unknown = replace(sweep, selection=replace(sweep.selection, best=None, table=table))
    page = written(unknown, tmp_path / "report.html")
    assert "the-best-point" not in [heading["id"] for heading in page.all("h2")]


@pytest.mark.parametrize("name", ["all failed", "one point", "single replication", "no incidents"])
def test_little_to_say_is_no_error(name, tmp_path):
    page = written(SWEEPS[name](), tmp_path / "report.html")
    assert "To get the same again" in page.text


def test_unstable_sweep_is_flagged(tmp_path, sweep):
    page = written(replace(sweep, n_unstable=1), tmp_path / "report.html")
    assert {"class": "flag"} in page.all("p")
    assert "unstable at 1 of 6 points" in page.text


def test_same_sweep_same_file(path, sweep, tmp_path):
    again = tmp_path / "again.html"
    written(sweep, again, sweep_pictures(findings(sweep)))
    assert again.read_bytes() == path.read_bytes()
