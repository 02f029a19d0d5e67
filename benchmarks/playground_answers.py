"""How long an answer takes: ``python benchmarks/playground_answers.py [PRESET [REPLICATIONS]]``.

In headless Chromium, from the moment a slider moves to the first impression, to the answer of one
replication and to that of all of them, beside the time of a single replication in this process. By
default of the organization ``midsize`` and 20 replications.
"""

import shutil
import statistics
import subprocess
import sys
import time

from playwright.sync_api import Page, sync_playwright

import sim

MOVES = 7
_WATCH = """
() => {
  window.seen = {};
  const progress = document.getElementById("progress");
  const look = () => {
    const text = progress.textContent;
    const kind = text.startsWith("first") ? "first impression"
      : text.startsWith("done") ? "all replications"
      : text.startsWith("getting") ? "a replication" : null;
    if (kind && !(kind in window.seen)) window.seen[kind] = performance.now() - window.moved;
  };
  const what = { childList: true, characterData: true, subtree: true };
  new MutationObserver(look).observe(progress, what);
}
"""
_MOVE = """
(value) => {
  window.seen = {};
  window.moved = performance.now();
  const slider = document.querySelector('[name="b.automation"]');
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}
"""


def measure(page: Page) -> dict[str, list[float]]:
    """Move the slider of B to ever new values, and return seconds by kind of answer."""
    page.evaluate(_WATCH)
    found: dict[str, list[float]] = {}
    for number in range(MOVES):
        page.evaluate(_MOVE, f"{0.31 + number / 20:.2f}")
        page.wait_for_function("'all replications' in window.seen", timeout=600_000)
        for kind, milliseconds in page.evaluate("window.seen").items():
            found.setdefault(kind, []).append(milliseconds / 1000)
    return found


def main() -> None:
    """Print the medians and ranges."""
    preset, replications = [*sys.argv[1:], *("midsize", "20")[len(sys.argv) - 1 :]]
    scenario = sim.load(f"organization={preset}")
    alone = []
    for replication in range(MOVES):
        begun = time.perf_counter()
        sim.simulate(scenario, replication=replication).metrics()
        alone.append(time.perf_counter() - begun)
    command = [sys.executable, "-m", "sim.playground", "--no-browser", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page()
            arms = f"a.organization={preset}&b.organization={preset}"
            page.goto(f"{address}?{arms}&replications={replications}")
            page.wait_for_function("progress.textContent.startsWith('done')", timeout=600_000)
            found = measure(page)
            browser.close()
        server.terminate()
    unit = statistics.median(alone)
    print("| what | median s | smallest s | largest s | in replications |")
    print("|---|---|---|---|---|")
    for kind, seconds in {"one replication, here": alone, **found}.items():
        median = statistics.median(seconds)
        ends = f"{min(seconds):.2f} | {max(seconds):.2f}"
        print(f"| {kind} | {median:.2f} | {ends} | {median / unit:.1f} |")


if __name__ == "__main__":
    main()
