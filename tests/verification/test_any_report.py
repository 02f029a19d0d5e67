"""Every organization, and every sweep of one, has its report in all media, whatever came of it.

A few are the same each time; many more are drawn anew where slow tests run, which print their seed.
"""

import io
import os
import random
import re
import secrets
import shutil
import warnings
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_scenarios import MOST_ROWS, few_and_more, random_scenario
from rich.console import Console

import sim
from sim.document.document import Document, Listing, Medium
from sim.document.html import to_html
from sim.document.markdown import to_markdown
from sim.document.terminal import print_document
from sim.experiment.axes import Axis, Interval
from sim.experiment.payback import Payback, pay_back
from sim.experiment.sweep import Nobody, design_variants, run_sweep
from sim.experiment.sweep_results import Sweep
from sim.experiment.workload import workload
from sim.report.drawing import draw_here
from sim.report.study_document import study_document
from sim.report.sweep_content import findings
from sim.report.sweep_document import sweep_document
from sim.report.sweep_figures import sweep_pictures
from sim.report.sweep_folder import write_sweep_folder
from sim.scenario.errors import ScenarioError
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.variants import Composed, Variants

MOST_PEOPLE = 300
"""In the organization of a sweep, which is simulated many times."""


@pytest.mark.parametrize("seed", few_and_more(2, 5))
def test_the_report_of_any_organization(seed: int) -> None:
    check_study(seed)


@pytest.mark.parametrize("seed", few_and_more(2, 4))
def test_the_report_of_any_sweep(seed: int, tmp_path: Path) -> None:
    check_sweep(seed, tmp_path)


@pytest.mark.slow
def test_very_many_reports(tmp_path: Path) -> None:
    first = int(os.environ.get("MLDELIVERY_SEED", secrets.randbelow(2**32)))
    print(f"MLDELIVERY_SEED={first} draws these reports again")
    for seed in range(first, first + 8):
        print(f"organization {seed}")
        check_study(seed)
        if seed % 2:
            print(f"sweep {seed}")
            check_sweep(seed, tmp_path)


# --- a study -------------------------------------------------------------------------------------


def check_study(seed: int) -> None:
    chance = random.Random(seed)
    scenario = random_scenario(seed)
    settings = {
        "replications": chance.choice([1, 2, 3]),
        "warmup_weeks": chance.choice([0, min(1, scenario.horizon_weeks - 1)]),
        "n_jobs": 1,
    }
    scenario = scenario.model_copy(update=settings)
    with errors_for_warnings():
        payback: Payback | None = pay_back(scenario) if scenario.roadmap else None
        study = sim.replicate(scenario) if payback is None else payback.invested
        pictures = draw_here(study, payback)
        check_document(study_document(study, payback, pictures), set(pictures))


# --- a sweep -------------------------------------------------------------------------------------


def check_sweep(seed: int, folder: Path) -> None:
    sweep, variants = random_sweep(seed, folder / "sweep")
    with errors_for_warnings():
        found = findings(sweep)
        pictures = sweep_pictures(found)
        document = sweep_document(found, pictures, is_wide=seed % 2 == 0)
        check_document(document, {picture.name for picture in pictures})
        write_sweep_folder(found, sweep_document(found, []), variants, folder / "sweep")
    shutil.rmtree(folder / "sweep")


def random_sweep(seed: int, folder: Path) -> tuple[Sweep, Variants]:
    """Return a small random sweep of a random organization; some points of it may fail."""
    chance = random.Random(seed)
    while True:
        base = random_scenario(chance.randrange(2**32))
        axes = random_axes(chance, base)
        samples = 2 if any(isinstance(axis.values, Interval) for axis in axes) else 0
        settings: dict[str, Any] = {
            "design": chance.choice(["lhs", "sobol", "morris"] if samples else ["grid", "zip"]),
            "replications": chance.choice([1, 2, 3]),
            "n_jobs": 1,
            "seed": seed,
        }
        if samples:
            settings["samples"] = samples
        if chance.random() < 0.3:
            goal = chance.choice(["lead_time_h", "deployment_frequency", "cost_per_week"])
            settings["select"] = {"metric": goal, "budget": chance.choice([0, 4])}
        data = base.model_dump(mode="json", by_alias=True) | settings
        failing = chance.random() if chance.random() < 0.3 else 0.0

        def observe(
            scenario: Scenario, seed: int, replication: int, failing: float = failing
        ) -> Mapping[str, float]:
            if random.Random(scenario.model_dump_json()).random() < failing:
                raise RuntimeError("this point [fails] & <says so>")
            return sim.experiment.scheduler.observe(scenario, seed, replication)

        try:
            validate(data)
            variants = design_variants(axes, lambda _, data=data: Composed(data))
            if not all(is_small(variants.scenario(point)) for point in range(len(variants))):
                continue
            folder.mkdir(exist_ok=True)
            with errors_for_warnings():
                return run_sweep(variants, axes, folder, Nobody(), observe=observe), variants
        except ScenarioError:
            shutil.rmtree(folder, ignore_errors=True)


def is_small(scenario: Scenario) -> bool:
    people = sum(team.count * sum(team.people.values()) for team in scenario.teams.values())
    if people + sum(scenario.shared_people.values()) > MOST_PEOPLE:
        return False
    expected = workload(scenario)
    return expected.total_rows + expected.silent < MOST_ROWS


def random_axes(chance: random.Random, base: Scenario) -> tuple[Axis, ...]:
    """Return one to three axes over values that the organization may have."""
    data = base.model_dump(mode="json", by_alias=True)
    keys = chance.sample([key for key, _ in leaves(data)], chance.choice([1, 1, 2, 3]))
    is_sampled = chance.random() < 0.4
    axes = []
    for key in keys:
        value = dict(leaves(data))[key]
        values: tuple[object, ...] | Interval
        if isinstance(value, dict):
            values = (value, {"dist": "constant", "value": chance.choice([0.5, 3])})
        elif isinstance(value, bool):
            values = (False, True)
        elif is_sampled:
            values = Interval(0, max(value, 1), whole=isinstance(value, int))
        else:
            values = (value, value / 2) if isinstance(value, float) else (value, value + 1)
            values = values[: chance.choice([1, 2, 2])]
        axes.append(Axis(key, values))
    return tuple(axes)


def leaves(data: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what may be varied: numbers, flags, and distributions as a whole."""
    for key, value in data.items():
        if isinstance(value, dict) and "dist" not in value:
            yield from leaves(value, f"{before}{key}.")
        elif isinstance(value, dict | bool | int | float) and (before or key == "automation"):
            yield f"{before}{key}", value


# --- what holds for all of them ------------------------------------------------------------------


class errors_for_warnings:  # noqa: N801 # reads like a context manager of the standard library
    """Warnings, and numbers that are not finite, are errors where they come up."""

    def __enter__(self) -> None:
        """Begin to be strict."""
        self._numbers = np.errstate(over="raise", divide="raise", invalid="raise")
        self._warnings = warnings.catch_warnings()
        self._numbers.__enter__()
        self._warnings.__enter__()
        warnings.simplefilter("error")

    def __exit__(self, *error: Any) -> None:
        """Be as before."""
        self._warnings.__exit__(*error)
        self._numbers.__exit__(*error)


def check_document(document: Document, pictures: set[str]) -> None:
    """Render a document in all media, and look for what nobody could read."""
    assert set(document.pictures) == pictures
    listings = [
        block.text
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Listing)
    ]
    for medium, text in rendered(document):
        for listing in listings:  # where .inf and .nan are YAML
            text = text.replace(listing.rstrip(), "")
        for line in text.splitlines():
            assert not re.search(r"(?<![\w.])(nan|inf)(?!\w)", line), (medium, line)
        for section, blocks in document.sections_in(medium):
            for block in blocks:
                for part in ("rows", "items", "found", "columns", "text"):
                    assert getattr(block, part, True), (medium, section.title, block)


def rendered(document: Document) -> Iterator[tuple[Medium, str]]:
    for width in (60, 100, 160):
        file = io.StringIO()
        print_document(document, Console(file=file, width=width))
        text = file.getvalue()
        assert max(map(len, text.splitlines())) <= width
        yield "terminal", text
    page = Sections(to_html(document))
    assert page.shown, "a document without sections says nothing"
    for title, count in page.shown.items():
        assert count, f"nothing stands below {title}"
    yield "html", "\n".join(page.words)
    markdown = to_markdown(document)
    assert not re.search(r"^## [^\n]*\n+(## |\Z)", markdown, re.MULTILINE), "an empty section"
    yield "markdown", markdown


class Sections(HTMLParser):
    """Counts what there is to see below each heading of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.shown: dict[str, int] = {}
        self._section = self._within = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a heading or an image."""
        self._within = tag
        of = dict(attrs)
        if tag == "section":
            self._section = str(of.get("aria-labelledby") or of["aria-label"])
            self.shown[self._section] = 0
        elif tag == "img":
            assert of["alt"]
            self.shown[self._section] += 1
            self.words.append(str(of["alt"]))

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        if self._within not in ("style", "pre") and data.strip():
            self.words.append(data)
            if self._section and self._within != "h2":
                self.shown[self._section] += 1
