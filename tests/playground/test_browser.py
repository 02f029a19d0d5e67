"""The page in a real browser: controls, links, tabs, keyboard, accessibility, and what fits."""

import csv
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from test_uploads import MINE, bomb

import sim
from sim.playground.choices import mechanism

Open = Callable[..., Page]

SMALL = "a.organization=startup&b.organization=startup&b.automation=0.2&replications=4&seed=3"
METRICS = ("deployment_frequency", "lead_time_h", "change_failure_rate", "time_to_restore_h")
SIZES = ((420, 800), (1024, 768), (1366, 768), (1920, 1080))
VIEWS = ("Compare", "Roadmap", "Watch", "Your organization")


def wait_for_all(page: Page, replications: int = 4) -> None:
    done = f"done: {replications} of {replications} replications"
    expect(page.locator("#progress")).to_have_text(done)


def value(page: Page, metric: str, arm: str = "b") -> float:
    place = "abcd".index(arm) + 1
    cell = page.locator(f'#metrics tr[data-row="{metric}"] td:nth-of-type({place})')
    return float(cell.get_attribute("data-value") or "nan")


def command_line(folder: Path, *arguments: str) -> pd.Series:
    """Return the means that the command line finds."""
    subprocess.run(
        [sys.executable, "-m", "sim", *arguments, "hydra.run.dir=out"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return pd.read_csv(folder / "out" / "summary.csv", index_col=0)["mean"]


def violations(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def show(page: Page, view: str) -> None:
    page.get_by_role("tab", name=view).click()
    if view in VIEWS[:2]:
        wait_for_all(page)
    elif view == "Watch":
        expect(page.locator("#progress")).to_have_text("done")


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_slider_moves_the_numbers_and_the_command_line_agrees(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    lead_time, unchanged = value(page, "lead_time_h"), value(page, "lead_time_h", "a")
    page.get_by_label("automation of B").fill("0.9")
    expect(page.locator("#progress")).not_to_contain_text("done")
    wait_for_all(page)
    assert value(page, "lead_time_h") < lead_time
    assert value(page, "lead_time_h", "a") == unchanged
    assert "shorter" in page.inner_text("#why")
    # The YAML that the page gives away, on the command line: the same numbers.
    with page.expect_download() as download:
        page.get_by_role("link", name="YAML of B").click()
    assert download.value.suggested_filename == "playground_b.yaml"
    download.value.save_as(tmp_path / "playground_b.yaml")
    means = command_line(tmp_path, "--config-dir=.", "--config-name=playground_b")
    for metric in METRICS:
        assert value(page, metric) == pytest.approx(means[metric], rel=1e-12)


@pytest.mark.slow
def test_the_command_line_that_a_file_names_gives_the_same_numbers(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page(SMALL + "&a.maturity=google_0&a.on_call.security=no")
    wait_for_all(page)
    link = page.get_by_role("link", name="YAML of A")
    text = page.request.get(link.evaluate("link => link.href")).text()
    words = next(line for line in text.splitlines() if line.startswith("#   python -m sim orga"))
    means = command_line(tmp_path, *shlex.split(words.removeprefix("#   python -m sim ")))
    for metric in METRICS:
        assert value(page, metric, "a") == pytest.approx(means[metric], rel=1e-12)


def test_presets_move_what_they_set(open_page: Open) -> None:
    page = open_page(SMALL)
    automation = page.get_by_label("automation of B")
    page.get_by_label("maturity of B").select_option("google_1")  # says nothing of automation
    expect(page.get_by_label("testing of B")).to_have_attribute("aria-valuetext", "validation")
    expect(automation).to_have_value("0.2")
    page.get_by_label("maturity of B").select_option("google_0")
    expect(automation).to_have_value("0")
    expect(page.get_by_label("standardization of B")).to_have_value("0")
    page.get_by_label("platform of B").press("End")  # a level that sets a dial
    expect(page.get_by_label("standardization of B")).to_have_value("0.9")
    expect(page.get_by_label("platform of B")).to_be_focused()
    wait_for_all(page)
    assert "b.maturity=google_0&b.platform=full" in page.url
    assert "Automation 0.1 → 0: " in page.inner_text("#why")
    page.get_by_label("organization of B").select_option("midsize")
    expect(page.get_by_label("product teams of B")).to_have_value("3")
    expect(automation).to_have_value("0")  # which no organization says


def test_a_link_restores_everything(open_page: Open) -> None:
    page = open_page(SMALL)
    page.get_by_label("testing of A").press("End")
    page.get_by_label("maturity of B").select_option("google_2")
    page.get_by_label("standardization of B").fill("0.25")
    page.get_by_text("On call", exact=True).click()
    page.get_by_label("ML engineer of A").last.uncheck()
    wait_for_all(page)
    again = open_page(page.url.partition("?")[2])
    wait_for_all(again)
    assert again.url == page.url
    for metric in METRICS:
        for arm in ("a", "b"):
            assert value(again, metric, arm) == value(page, metric, arm)
    assert again.inner_text("#why") == page.inner_text("#why")
    expect(again.get_by_label("standardization of B")).to_have_value("0.25")
    assert again.get_by_label("testing of A").get_attribute("aria-valuetext") == "full"
    expect(again.get_by_label("maturity of B")).to_have_value("google_2")
    expect(again.locator("[name='a.on_call.ml_engineer']")).not_to_be_checked()


def test_four_arms_and_their_table(open_page: Open, tmp_path: Path) -> None:
    page = open_page(SMALL)
    page.get_by_role("button", name="Add C").click()
    page.get_by_role("button", name="Add D").click()
    page.get_by_label("automation of D").fill("0.8")
    expect(page.get_by_role("button", name="Add")).to_have_count(0)
    page.locator("[name=explain]").select_option("b")
    expect(page.locator("#why")).to_contain_text("What is different in B")
    wait_for_all(page)
    assert value(page, "lead_time_h", "c") == value(page, "lead_time_h", "b")  # a copy
    assert value(page, "lead_time_h", "d") < value(page, "lead_time_h", "c")
    assert "Automation 0.1 → 0.2: " in page.inner_text("#why")
    with page.expect_download() as download:
        page.get_by_role("link", name="Table (CSV)").click()
    download.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = {(row["arm"], row["metric"]): row for row in csv.DictReader(file)}
    for metric in METRICS:
        for arm in "abcd":
            row = rows[arm.upper(), metric]
            assert float(row["mean"]) == value(page, metric, arm)
            assert float(row["ci_low"]) <= float(row["mean"]) <= float(row["ci_high"])
    row = rows["D", "lead_time_h"]
    assert float(row["difference_low"]) < float(row["difference"]) < float(row["difference_high"])
    assert rows["A", "lead_time_h"]["difference"] == ""
    page.get_by_role("button", name="Remove D").click()
    page.get_by_role("button", name="Remove C").click()
    wait_for_all(page)
    expect(page.locator("#metrics thead th")).to_have_text(["metric", "A", "B", "B against A"])


# --- tabs -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_roadmap_has_its_curve_and_its_date(open_page: Open) -> None:
    page = open_page(SMALL)
    show(page, "Roadmap")
    expect(page.locator("#roadmap-answer")).to_contain_text("week")
    said = page.inner_text("#roadmap-answer").replace("\xa0", " ")
    expect(page.get_by_role("img")).to_have_attribute("alt", said)
    before = page.inner_text("#roadmap-answer")
    page.locator("[name='roadmap.brings']").select_option("testing=full")
    page.get_by_label("begins in week").fill("60")
    expect(page.locator("#progress")).not_to_contain_text("done")
    wait_for_all(page)
    assert page.inner_text("#roadmap-answer") != before
    assert "the testing steps find most" in page.inner_text("#panel-roadmap")
    assert "roadmap.brings=testing%3Dfull" in page.url
    again = open_page(page.url.partition("?")[2])
    wait_for_all(again)
    assert again.inner_text("#roadmap-answer") == page.inner_text("#roadmap-answer")


def test_watch_has_one_clock_for_all(open_page: Open) -> None:
    page = open_page(SMALL)
    show(page, "Watch")
    scenarios = [
        sim.load("organization=startup", f"automation={dial}", "seed=3") for dial in (0.1, 0.2)
    ]
    tables = [sim.simulate(scenario).tables for scenario in scenarios]
    for stretch in ("busiest", "quietest"):
        page.get_by_label(stretch).check()
        for hour in (30, 106):
            page.get_by_label("hour of the week").fill(str(hour))
            week = int(page.inner_text("#now").split()[1].rstrip(","))
            time_h = week * 168.0 + hour
            day = ("Tuesday 06:00", "Friday 10:00")[hour == 106]
            assert page.inner_text("#now") == f"week {week}, {day}"
            for arm, found in zip("ab", tables, strict=True):
                for place, begins, ends in (
                    ("wait", "queued_at", "started_at"),
                    ("work", "started_at", "finished_at"),
                ):
                    of_step = found["steps"][found["steps"]["step"] == "review"]
                    there = of_step[begins].le(time_h) & ~of_step[ends].le(time_h)
                    cell = page.locator(f'[data-place="{arm}|{place} review"]')
                    expect(cell.locator("i")).to_have_count(int(there.sum()))
    # Clock and play control are seen without scrolling, and so is the whole table.
    for place in ("#play", "#now", "#hour", "#places table"):
        box = page.locator(place).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 768
    page.get_by_label("hour of the week").fill("30")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#now")).not_to_contain_text("Tuesday 06:00")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.slow
def test_two_tabs_of_the_browser_do_not_disturb_each_other(open_page: Open) -> None:
    pages = [open_page(SMALL), open_page(SMALL.replace("automation=0.2", "automation=0.7"))]
    for page in pages:
        page.get_by_label("standardization of B").fill("1")
    for page in pages:
        wait_for_all(page)
    alone = open_page(pages[1].url.partition("?")[2])
    wait_for_all(alone)
    assert value(pages[1], "lead_time_h") == value(alone, "lead_time_h")
    assert value(pages[1], "lead_time_h") < value(pages[0], "lead_time_h")


@pytest.mark.slow
def test_a_tab_that_nobody_sees_waits(open_page: Open) -> None:
    page = open_page(SMALL.replace("replications=4", "replications=30"))
    expect(page.locator("#progress")).to_contain_text("getting sharper")
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    seen = page.inner_text("#progress")
    wait_for_all(open_page(page.url.partition("?")[2]), 30)  # all that it could have shown is there
    assert page.inner_text("#progress") == seen
    page.evaluate(hide, False)
    wait_for_all(page, 30)


# --- uploads --------------------------------------------------------------------------------------


def upload(page: Page, text: str | bytes) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    page.get_by_label("file").set_input_files(
        {"name": "mine.yaml", "mimeType": "application/yaml", "buffer": content}
    )


def test_an_uploaded_organization_is_one_to_choose(open_page: Open) -> None:
    page = open_page(SMALL)
    show(page, "Your organization")
    upload(page, MINE)
    expect(page.locator("#uploaded")).to_contain_text("mine is there")
    page.get_by_role("button", name="Use it as B").click()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    wait_for_all(page)
    expect(page.get_by_label("automation of B")).to_have_value("0.7")
    expect(page.get_by_label("organization of B").locator("option:checked")).to_have_text("mine")
    assert page.get_by_label("testing of B").get_attribute("aria-valuetext") == "full"
    assert value(page, "lead_time_h") < value(page, "lead_time_h", "a")
    again = open_page(page.url.partition("?")[2])
    wait_for_all(again)
    assert value(again, "lead_time_h") == value(page, "lead_time_h")


def test_an_organization_is_described_in_a_form(open_page: Open, tmp_path: Path) -> None:
    page = open_page(f"{SMALL}#own", refused=True)
    page.get_by_label("What is it most like?").select_option("startup")
    page.get_by_label("What is the organization called?").fill("acme")
    page.get_by_label("When does the board meet").fill("every blue moon")
    page.get_by_role("button", name="Make the file").click()
    expect(page.locator("#uploaded")).to_contain_text("board: ")
    page.get_by_label("When does the board meet").fill("wed 14:00")
    page.get_by_role("button", name="Make the file").click()
    expect(page.locator("#uploaded")).to_contain_text("acme is there")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download acme.yaml").click()
    download.value.save_as(tmp_path / "acme.yaml")
    scenario = sim.load(config=tmp_path / "acme.yaml")
    assert scenario.name == "acme"
    window = scenario.pipeline.steps["approve"].window
    assert window is not None
    assert (window.days, window.hour, window.waits.manual) == (("wed",), 14, 1)
    page.get_by_role("button", name="Use it as B").click()
    wait_for_all(page)
    expect(page.get_by_label("organization of B").locator("option:checked")).to_have_text("acme")
    assert value(page, "lead_time_h") > value(page, "lead_time_h", "a")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(), "has more than 20,000 values, aliases followed"),
        ("a: !!python/object/apply:os.system ['true']", "leave tags out"),
        ("name: ${oc.env:HOME}", "refers to something with ${...}"),
        ("defaults: [default, _self_]\nautomation: 7", "automation: 7 is not allowed"),
        ("defaults: [default, _self_]\nhorizon_weeks: 10000", "horizon_weeks: 10000 is not"),
        ("defaults: [default, _self_]\nhorizon_weeks: 5200", "too long for this page"),
        (b"#" * 300_000, "mine.yaml is larger than 256 kB."),
    ],
    ids=["bomb", "tag", "interpolation", "value", "10,000 weeks", "5,200 weeks", "huge"],
)
def test_an_upload_that_is_none_says_why(open_page: Open, content: str | bytes, said: str) -> None:
    page = open_page(f"{SMALL}#own", refused=True)
    upload(page, content)
    expect(page.locator("#uploaded")).to_contain_text(said)
    expect(page.get_by_role("button", name="Use it as")).to_have_count(0)


# --- tips, keyboard, accessibility ----------------------------------------------------------------


def test_a_tip_says_what_each_level_changes(open_page: Open) -> None:
    page = open_page(SMALL)
    name = page.get_by_role("button", name="testing", exact=True)
    tip = page.get_by_role("tooltip").filter(has_text=mechanism("testing", "full"))
    expect(tip).to_have_count(0)  # hidden ones have no role
    name.hover()
    expect(tip).to_be_visible()
    tip.hover()
    expect(tip).to_be_visible()  # as long as the pointer is on it
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    name.focus()
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 768
    page.get_by_label("testing of B").press("End")
    expect(tip).to_have_count(0)
    # The control itself is described by what its level changes.
    described = page.get_by_label("testing of B").evaluate(
        "control => document.getElementById(control.getAttribute('aria-describedby')).textContent"
    )
    assert described == mechanism("testing", "full")


@pytest.mark.slow
def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    reached = []
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.getAttribute('aria-label')"
            " || document.activeElement.textContent,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if focused[0] == "BODY":
            break
        assert focused[2] != "none", f"nobody sees that {focused[1]} has the focus"
        reached.append(focused[1])
        if focused[1] == "automation of B":
            for _ in range(5):
                page.keyboard.press("ArrowRight")
        if focused[1] == "testing of B":
            page.keyboard.press("End")
            page.wait_for_url("**b.testing=full**")
        if focused[1] == "On call":
            page.keyboard.press("Enter")
        if focused[1] == "security of A" and "On call" in reached:
            page.keyboard.press("Space")
    visible = page.locator("#form").locator("input:visible, select:visible, a:visible").count()
    assert len(reached) >= visible
    assert "b.automation=0.25" in page.url
    assert "b.testing=full" in page.url
    assert "a.on_call.security=no" in page.url
    wait_for_all(page)
    # Tabs by arrows.
    page.get_by_role("tab", name="Compare").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Watch")).to_be_focused()
    expect(page.locator("#progress")).to_have_text("done")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#now")).to_contain_text("Monday 10:00")


@pytest.mark.slow
def test_buttons(open_page: Open) -> None:
    page = open_page(SMALL)
    page.get_by_role("button", name="Make B like A").click()
    # The page says that all is done of the answer before until this one begins.
    expect(page.locator("#why")).to_contain_text("same organization")
    wait_for_all(page)
    assert value(page, "lead_time_h", "a") == value(page, "lead_time_h", "b")
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_label("organization of A")).to_have_value("midsize")
    page.wait_for_url("**replications=20**")


def test_a_link_with_mistakes_says_which(open_page: Open) -> None:
    page = open_page("b.automation=7&a.testing=fulll&a.colour=red", refused=True)
    said = page.inner_text("#problem")
    assert "b.automation: '7' is not a number from 0 to 1" in said
    assert "'fulll' is not one of them" in said
    assert "did you mean 'full'" in said
    assert "a.colour" in said
    # It shows what it opens with otherwise.
    expect(page.locator("#progress")).to_contain_text("getting sharper")
    assert "a.colour" in page.inner_text("#problem")
    page.get_by_label("organization of A").select_option("startup")  # and then it works
    expect(page.locator("#problem")).to_have_text("")


@pytest.mark.slow
def test_axe_finds_nothing_in_a_window_of_any_size(open_page: Open) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    for each in ("People and services", "On call", "Prices", "More numbers"):
        page.get_by_text(each, exact=True).click()
    for view in VIEWS:
        show(page, view)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert violations(page) == [], (view, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (view, width)
    show(page, "Compare")
    page.get_by_role("button", name="testing", exact=True).focus()
    assert violations(page) == []


@pytest.mark.parametrize("query", [pytest.param("", marks=pytest.mark.slow), SMALL])
def test_metrics_picture_and_words_are_above_the_fold(open_page: Open, query: str) -> None:
    page = open_page(query)
    wait_for_all(page, 4 if query == SMALL else 20)
    for width, height in ((1366, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("scrollY") == 0
        tops = []
        for place in ("#metrics", "#stream", "#why"):
            box = page.locator(place).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= height, (width, place, box)
            tops.append(box["y"])
        assert tops[0] < tops[1]
        # The controls are beside them.
        for name in ("organization of A", "automation of B", "testing of B"):
            box = page.get_by_label(name, exact=True).bounding_box()
            assert box is not None
            assert box["x"] < 500
            assert 0 < box["y"] < height
    # On a phone the metrics come first.
    page.set_viewport_size({"width": 420, "height": 800})
    order = [page.locator(place).bounding_box() for place in ("#metrics", "#form", "#stream")]
    assert [box["y"] for box in order if box] == sorted(box["y"] for box in order if box)
    assert order[0] is not None
    assert order[0]["y"] + order[0]["height"] <= 800


def test_every_part_of_a_bar_has_a_colour(open_page: Open) -> None:
    page = open_page("b.automation=0.8&replications=4")
    wait_for_all(page)
    keys = page.locator("#stream .key .part")
    assert keys.count() >= 8
    for number in range(keys.count()):
        style = keys.nth(number).evaluate(
            "each => [getComputedStyle(each)].map(of => of.backgroundImage + of.backgroundColor)[0]"
        )
        assert style != "nonergba(0, 0, 0, 0)", keys.nth(number).get_attribute("class")
