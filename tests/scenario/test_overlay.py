"""An overlay is short and composes to the same scenario; records cannot be edited unnoticed."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.app import main
from sim.configuration.composition import shipped
from sim.configuration.dump import to_yaml
from sim.configuration.load import files_of
from sim.configuration.overlay import overlay, overlay_of
from sim.scenario.errors import ScenarioError
from sim.scenario.files import groups, scenario_names
from sim.scenario.organization import Scenario

CHOICES = {
    group: shipped("default").options(group)
    for group in groups()
    if group.startswith(("practice/", "organization", "maturity"))
}
VALUES = [
    "automation=0.5",
    "teams_differ.effort=0.125",
    "pipeline.steps.train.run_h.mean=3",
    "pipeline.steps.train.run_h=7",
    "pipeline.steps.train.run_h={dist: gamma, mean: 3, cv: 2}",
    "~pipeline.steps.approve",
    "~pipeline.steps.verify.detects.code",
    "pipeline.steps.deploy.window=null",
    "changes.feature=null",
    "changes.improvement.interarrival_h=null",
    "retraining={trigger: schedule, every_h: 24}",
    "incidents.on_call=[]",
    "cost.person_per_h_of={security: 200}",
    "+shared_people.platform=2",
    "description='${seed} and ??? # \"odd\"'",
    "roadmap=[{practice: cicd, level: full, start_week: 30, effort_h: {ml_engineer: 10}}]",
    "roadmap=[{practice: own, level: own, start_week: 3, brings: {automation: 0.75}}]",
    "pipeline.steps={_replace_: true, train: {}, review: {}, deploy: {role: ml_engineer}}",
    "+experiment=jcurve",
]


def in_order(data: Any) -> Any:
    if isinstance(data, dict):
        return [(key, in_order(value)) for key, value in data.items()]
    return data


def dumped(scenario: Scenario) -> Any:
    """Return a scenario as data in which the order of steps counts, as it does in the world."""
    return in_order(scenario.model_dump(mode="json", by_alias=True))


def loaded(text: str, *overrides: str) -> Scenario:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return sim.load(*overrides, config=path)


@st.composite
def overrides_at_random(draw: st.DrawFn) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(sorted(CHOICES)), unique=True, max_size=3))
    choices = [f"{group}={draw(st.sampled_from(CHOICES[group]))}" for group in chosen]
    return [*choices, *draw(st.lists(st.sampled_from(VALUES), unique=True, max_size=3))]


@settings(deadline=None, max_examples=12)
@given(overrides_at_random())
def test_an_overlay_composes_to_the_same_scenario(overrides: list[str]) -> None:
    try:
        scenario = sim.load(*overrides)
    except ScenarioError:  # two that do not go together
        return
    text = overlay(shipped("default"), overrides)
    assert dumped(loaded(text)) == dumped(scenario)
    assert text.startswith("defaults:\n  - default\n  - _self_\n")


@pytest.mark.parametrize("name", scenario_names())
def test_each_scenario_of_the_package_is_its_own_overlay(name: str) -> None:
    text = overlay(shipped(name), [])
    assert dumped(loaded(text)) == dumped(sim.load(config=name))
    assert len(text.splitlines()) == 3


def test_it_says_what_differs_and_nothing_else() -> None:
    choices = ["maturity=google_2", "practice/testing=basic"]
    values = ["automation=0.5", "~services.embedding", "services.model.upstream=[]"]
    command = "python -m sim maturity=google_2"
    text = overlay(shipped("default"), [*choices, *values], command)
    assert text == (
        "# python -m sim maturity=google_2\n"
        "defaults:\n  - default\n  - _self_\n"
        "  - override maturity: google_2\n  - override practice/testing: basic\n\n"
        "automation: 0.5\n"
        "services:\n  model:\n    upstream: []\n  embedding: null\n"
    )


def test_what_is_described_elsewhere_is_said_in_the_overlay(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    steps = {"_replace_": True, "fit": {"stage": "train"}, "ship": {"stage": "deploy"}}
    parts = {"defaults": ["default", "_self_"], "pipeline": {"steps": steps}}
    path.write_text(yaml.safe_dump(parts, sort_keys=False), encoding="utf-8")
    text = overlay(files_of(path), ["practice/cicd=full"])
    path.unlink()
    found = loaded(text)
    assert list(found.pipeline.steps) == ["fit", "ship"]
    assert found.pipeline.steps["fit"].also_automated == 0.95
    assert loaded(text, "practice/cicd=none").pipeline.steps["fit"].also_automated == 0


@settings(deadline=None, max_examples=5)
@given(overrides_at_random())
def test_choices_that_are_not_known_make_it_longer_only(overrides: list[str]) -> None:
    try:
        scenario = sim.load(*overrides)
    except ScenarioError:
        return
    assert dumped(loaded(overlay_of(scenario, {}))) == dumped(scenario)


def test_the_command_prints_it_and_in_full_on_request(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sim"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")

    def printed(*arguments: str) -> str:
        with pytest.raises(SystemExit) as done:
            main(arguments)
        assert done.value.code == 0
        return capfd.readouterr().out

    asked = ("automation=0.5", "practice/testing=full")
    short = printed("--cfg", "job", *asked)
    full = printed("--cfg", "job", "--resolve", *asked)
    assert short.startswith("# python -m sim automation=0.5 practice/testing=full\ndefaults:\n")
    assert len(short.splitlines()) < 10
    assert len(full.splitlines()) > 300
    assert dumped(loaded(short)) == dumped(loaded(full)) == dumped(sim.load(*asked))


FULL = to_yaml(sim.load("practice/testing=full"))


def test_a_record_that_was_edited_is_noticed() -> None:
    assert loaded(FULL).practices["testing"] == "full"
    edited = FULL.replace("  testing: full\n", "  testing: none\n", 1)
    assert edited != FULL
    with pytest.raises(ScenarioError) as error:
        loaded(edited)
    assert str(error.value) == (
        "practices: only records levels, and was edited (_record_); under defaults, "
        "`- override practice/NAME: LEVEL` chooses one"
    )


def test_a_scenario_of_an_earlier_version_is_still_read() -> None:
    before = "".join(
        line for line in FULL.splitlines(keepends=True) if not line.startswith("_record_")
    )
    assert before != FULL
    assert loaded(before).practices["testing"] == "full"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"practices": {"testing": "full"}},
            "practices: only records levels and changes nothing; under defaults, "
            "`- override practice/testing: full` chooses one",
        ),
        (
            {"practice_reach": {"testing": {"here": 1, "settings": 2}}},
            "practice_reach: only records what the levels find; leave it out",
        ),
    ],
    ids=["practices", "reach"],
)
def test_a_record_in_ones_own_file_says_how_to_choose(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        loaded(yaml.safe_dump({"defaults": ["default", "_self_"], **parts}))
    assert str(error.value) == message


def test_a_level_of_ones_own_records_itself(tmp_path: Path) -> None:
    folder = tmp_path / "practice" / "testing"
    folder.mkdir(parents=True)
    copied = "# @package _global_\npractices: {testing: full}\nautomation: 0.5\n"
    (folder / "strict.yaml").write_text(copied)
    path = tmp_path / "mine.yaml"
    path.write_text("defaults: [default, _self_]\n")
    with pytest.raises(ScenarioError, match="records itself, which is testing: strict in this"):
        sim.load("practice/testing=strict", config=path)
    (folder / "strict.yaml").write_text(copied.replace("full", "strict"))
    assert sim.load("practice/testing=strict", config=path).practices["testing"] == "strict"
