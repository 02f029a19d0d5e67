"""The page in a real browser: sliders, links, tabs, keyboard, accessibility."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

Open = Callable[..., Page]

SMALL = "a.organization=startup&b.organization=startup&b.automation=0.2&replications=4&seed=3"


def wait_for_all(page: Page, replications: int = 4) -> None:
    done = f"done: {replications} of {replications} replications"
    expect(page.locator("#progress")).to_have_text(done)


def value(page: Page, metric: str, arm: str = "b") -> float:
    place = {"a": 1, "b": 2}[arm]
    cell = page.locator(f'tr[data-row="{metric}"] td:nth-of-type({place})')
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


METRICS = ("deployment_frequency", "lead_time_h", "change_failure_rate", "time_to_restore_h")


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
        page.locator("#yaml-b").click()
    assert download.value.suggested_filename == "playground_b.yaml"
    download.value.save_as(tmp_path / "playground_b.yaml")
    means = command_line(tmp_path, "--config-dir=.", "--config-name=playground_b")
    for metric in METRICS:
        assert value(page, metric) == pytest.approx(means[metric], rel=1e-12)


@pytest.mark.slow
def test_the_command_line_that_a_file_names_gives_the_same_numbers(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    text = page.request.get(page.locator("#yaml-a").evaluate("link => link.href")).text()
    words = next(line for line in text.splitlines() if line.startswith("#   python -m sim orga"))
    means = command_line(tmp_path, *words.removeprefix("#   python -m sim ").split())
    for metric in METRICS:
        assert value(page, metric, "a") == pytest.approx(means[metric], rel=1e-12)


def test_a_link_restores_everything(open_page: Open) -> None:
    page = open_page(SMALL)
    page.get_by_label("testing of A").press("End")
    page.get_by_label("maturity preset of B").select_option("google 2")
    page.get_by_label("standardization of B").fill("0.25")
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
    assert again.get_by_label("maturity preset of B").locator("option:checked").inner_text() == (
        "google 2"
    )


@pytest.mark.slow
def test_two_tabs_do_not_disturb_each_other(open_page: Open) -> None:
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
def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    reached = []
    for _ in range(60):
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
        if focused[1] == "Make B like A":
            assert "testing" in page.url
    controls = page.locator("#controls").locator("input, select, button, a").count()
    assert len(reached) >= controls
    assert "b.automation=0.25" in page.url
    assert "b.testing=full" in page.url
    wait_for_all(page)


@pytest.mark.slow
def test_buttons(open_page: Open) -> None:
    page = open_page(SMALL)
    page.get_by_role("button", name="Make B like A").click()
    wait_for_all(page)
    assert "same organization" in page.inner_text("#why")
    assert value(page, "lead_time_h", "a") == value(page, "lead_time_h", "b")
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_label("organization of A")).to_have_value("midsize")
    assert "replications=20" in page.url


@pytest.mark.slow
def test_the_animation_of_an_arm(open_page: Open) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Watch B").click()
    moving = opened.value
    moving.wait_for_selector(".slider-container")
    frames = moving.evaluate(
        "document.querySelector('.js-plotly-plot').layout.sliders[0].steps.length"
    )
    assert frames > 100
    expect(moving.locator("body")).to_contain_text("in diagnosis")
    expect(moving.locator("h1")).to_have_text("Organization B: startup, moving")
    expect(moving.locator("#wait")).not_to_be_visible()
    found = Axe().run(moving).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


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


def test_axe_finds_nothing_in_a_window_of_any_size(open_page: Open) -> None:
    page = open_page(SMALL)
    wait_for_all(page)
    for width, height in ((1366, 768), (1920, 1080), (420, 800)):
        page.set_viewport_size({"width": width, "height": height})
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
