"""Makes the pictures that the README shows: ``python docs/figures/make.py``, some minutes.

The picture of the playground needs Chromium and the extra ``test``.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import sim
from sim.document.picture import Picture
from sim.experiment.payback import pay_back
from sim.report.payback_figures import payback_picture
from sim.report.pictures import study_pictures
from sim.report.sweep_content import findings
from sim.report.sweep_figures import sweep_pictures

FOLDER = Path(__file__).parent
DIALS = {"automation": sim.Interval(0, 1), "standardization": sim.Interval(0, 1)}
SMALL = ("organization=startup", "horizon_weeks=104")


def save(name: str, picture: Picture) -> None:
    """Keep a picture, small enough for a page."""
    picture.figure.savefig(FOLDER / f"{name}.png", dpi=80)
    print(name, flush=True)


def main() -> None:
    """Make all of them."""
    for name, picture in study_pictures(sim.replicate(sim.load())).items():
        if name not in ("effort", "cost"):
            save(name, picture)
    save("payback", payback_picture(pay_back(sim.load("+experiment=jcurve"))))
    sampled = sim.sweep(sim.load(*SMALL, "design=sobol", "samples=16"), DIALS, replications=4)
    for picture in sweep_pictures(findings(sampled)):
        if picture.name in ("sensitivity", "pareto"):
            save(picture.name, picture)
    listed = {"automation": [0.0, 0.25, 0.5, 0.75, 1.0]}
    compared = sim.sweep(sim.load(*SMALL), listed, replications=20)
    for picture in sweep_pictures(findings(compared)):
        if picture.name == "effects":
            save(picture.name, picture)
    photograph_playground()


def photograph_playground() -> None:
    """Take a picture of the page as it opens, once all replications are in."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "sim.playground", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            page.goto(address)
            page.wait_for_function("progress.textContent.startsWith('done')", timeout=300_000)
            page.screenshot(path=FOLDER / "playground.png")
            browser.close()
        server.terminate()
    print("playground")


if __name__ == "__main__":
    main()
