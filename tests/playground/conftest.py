"""A playground that runs, and a headless Chromium to look at it with."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from processes import PATIENCE_S

REQUIRED = "MLDELIVERY_REQUIRES_CHROMIUM"
"""An environment variable: without Chromium, tests then fail instead of being skipped."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TIMEOUT_MS = 1000 * PATIENCE_S
_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def playground(*options: str) -> Iterator[str]:
    """Start the playground as its command does, and yield its address."""
    command = [sys.executable, "-m", "sim.playground", "--no-browser", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", first)
        assert address, first
        yield address[0]
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with playground("--workers", "2") as found:
        yield found


# Ends with its module: as long as it runs, no other test of this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = "there is no Chromium here (Debian: apt-get install chromium)"
        pytest.fail(message) if os.environ.get(REQUIRED) else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens the playground in a tab; none may log an error."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    # Far from the noise of a busy machine: what is waited for has to come, not to come soon.
    context.set_default_timeout(_TIMEOUT_MS)
    expect.set_options(timeout=_TIMEOUT_MS)
    complaints: list[str] = []

    def opened(query: str = "", refused: bool = False) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                # What the browser itself says of a refused link is no error of the page.
                if said.type in ("error", "warning")
                and not (refused and "status of 400" in said.text)
                else None
            ),
        )
        page.goto(f"{address}?{query}")
        return page

    yield opened
    context.close()
    assert complaints == []
