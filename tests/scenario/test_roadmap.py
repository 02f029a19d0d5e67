"""The roadmap in a scenario: what its items bring, and what is wrong with one."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import sim
from sim.app import main
from sim.configuration.dump import to_yaml
from sim.scenario.files import SCENARIOS
from sim.scenario.from_data import validate
from sim.scenario.roadmap import stages

SHORT = ("horizon_weeks=40", "warmup_weeks=0")
PRACTICES = sorted(path.name for path in (SCENARIOS / "practice").iterdir())


def item(text: str = "practice: cicd, level: full, start_week: 4") -> str:
    return f"roadmap=[{{{text}}}]"


def message(*overrides: str, config: str | Path = "default") -> str:
    with pytest.raises(sim.ScenarioError) as caught:
        sim.load(*SHORT, *overrides, config=config)
    text = str(caught.value)
    assert "Traceback" not in text
    return text


# Each with the parts that the message has to have: the key, what is wrong, what would be right.
WRONG_NAMES = {
    "practice: cicdd, level: full, start_week: 4": [
        "roadmap.0.practice",
        "'cicdd'",
        "did you mean 'cicd'?",
    ],
    "practice: quantum, level: full, start_week: 4": ["roadmap.0.practice", "'quantum'", "testing"],
    "practice: cicd, level: ful, start_week: 4": [
        "roadmap.0.level",
        "'ful'",
        "did you mean 'full'?",
    ],
    "practice: cicd, level: expert, start_week: 4": ["roadmap.0.level", "'expert'", "basic"],
}
WRONG = {
    "practice: cicd, start_week: 4": ["roadmap.0.level", "is missing"],
    "level: full, start_week: 4": ["roadmap.0.practice", "is missing"],
    "practice: cicd, level: full": ["roadmap.0.start_week", "is missing"],
    "practice: cicd, level: full, start_week: -1": ["roadmap.0.start_week", "-1", "0"],
    "practice: cicd, level: full, start_week: 40": [
        "roadmap.0.start_week",
        "40 is after the end",
        "at most 39",
    ],
    "practice: cicd, level: full, start_week: 2.5": ["roadmap.0.start_week", "2.5", "integer"],
    "practice: cicd, level: full, start_week: soon": ["roadmap.0.start_week", "'soon'", "integer"],
    "practice: cicd, level: full, start_week: 4, effort_h: {astronaut: 8}": [
        "roadmap.0.effort_h.astronaut",
        "'astronaut'",
        "ml_engineer",
    ],
    "practice: cicd, level: full, start_week: 4, effort_h: {ml_engineer: -8}": [
        "roadmap.0.effort_h.ml_engineer",
        "-8",
        "greater than or equal to 0",
    ],
    "practice: cicd, level: full, start_week: 4, effort_h: {ml_engineer: .inf}": [
        "roadmap.0.effort_h.ml_engineer",
        "inf",
    ],
    "practice: cicd, level: full, start_week: 4, effort_h: 40": [
        "roadmap.0.effort_h",
        "40",
        "mapping",
    ],
    "practice: cicd, level: full, start_week: 4, efort_h: {ml_engineer: 8}": [
        "roadmap.0.efort_h",
        "unknown key",
        "did you mean 'effort_h'?",
    ],
    "practice: cicd, level: full, start_week: 4, learning_weeks: -1": [
        "roadmap.0.learning_weeks",
        "-1",
    ],
    "practice: cicd, level: full, start_week: 4, learning_slowdown: 11": [
        "roadmap.0.learning_slowdown",
        "11",
        "10",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {teams.product.count: 5}": [
        "roadmap.0.brings.teams.product.count",
        "cannot change while the simulation runs",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {services.model.count: 5}": [
        "roadmap.0.brings.services.model.count",
        "cannot change while the simulation runs",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {horizon_weeks: 90}": [
        "roadmap.0.brings.horizon_weeks",
        "cannot change while the simulation runs",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {shared_people.operations: 9}": [
        "roadmap.0.brings.shared_people.operations",
        "cannot change while the simulation runs",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {roadmap: []}": [
        "roadmap.0.brings.roadmap",
        "cannot change while the simulation runs",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {atomation: 1}": [
        "roadmap.0.brings.atomation",
        "did you mean 'automation'?",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {automation: 2}": [
        "after roadmap.0 (cicd=full)",
        "automation",
        "2",
        "less than or equal to 1",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {retraining.trigger: driftt}": [
        "after roadmap.0 (cicd=full)",
        "retraining.trigger",
        "did you mean 'drift'?",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {pipeline.steps.train.compute: tpu}": [
        "after roadmap.0 (cicd=full)",
        "pipeline.steps.train.compute",
        "'tpu'",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {pipeline.steps.deploy.effect: null}": [
        "after roadmap.0 (cicd=full)",
        "exactly one step needs effect: deploys",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {pipeline.steps.train.role: nobody}": [
        "after roadmap.0 (cicd=full)",
        "pipeline.steps.train.role",
        "nobody",
    ],
    # What would be taken for something new, or have no effect.
    "practice: cicd, level: full, start_week: 4, brings: {pipeline.steps.trian.run_h: 3}": [
        "roadmap.0",
        "pipeline.steps",
        "cannot change while the simulation runs",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {compute.gpus.slots: 3}": [
        "roadmap.0",
        "compute",
    ],
    "practice: cicd, level: full, start_week: 4, brings: {services.model.data.interarrival_h: 3}": [
        "roadmap.0",
        "cannot change while the simulation runs",
    ],
}


@pytest.mark.parametrize(("text", "parts"), WRONG_NAMES.items(), ids=WRONG_NAMES)
def test_a_wrong_name_is_said_with_what_would_be_right(text: str, parts: list[str]) -> None:
    found = message(item(text))
    for part in parts:
        assert part in found


@pytest.fixture(scope="module")
def default() -> dict[str, Any]:
    return sim.load(*SHORT).model_dump(mode="json", by_alias=True)


def refusal(default: dict[str, Any], text: str) -> str:
    """Return what is said of a roadmap with that item; its names are known to be right."""
    with pytest.raises(sim.ScenarioError) as caught:
        validate({**default, "roadmap": [yaml.safe_load(f"{{{text}}}")]})
    return str(caught.value)


@pytest.mark.parametrize(("text", "parts"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_said_with_what_would_be_right(
    text: str, parts: list[str], default: dict[str, Any]
) -> None:
    found = refusal(default, text)
    for part in parts:
        assert part in found


@pytest.mark.parametrize(
    "brings",
    [
        "{pipeline.steps: {deploy: {effect: deploys}}}",  # without the other steps
        "{compute: {}}",
        "{changes.feature: null}",
    ],
)
def test_what_is_at_work_cannot_be_taken_away(brings: str, default: dict[str, Any]) -> None:
    text = f"practice: cicd, level: full, start_week: 4, brings: {brings}"
    assert "roadmap.0" in refusal(default, text)


@pytest.mark.parametrize(
    ("text", "part"),
    [("{practice: cicd}", "list"), ("5", "list"), ("cicd", "list"), ("[5]", "roadmap.0")],
)
def test_a_roadmap_is_a_list_of_items(text: str, part: str) -> None:
    assert part in message(f"roadmap={text}")


def test_the_second_item_is_named_as_such() -> None:
    fine = "{practice: cicd, level: full, start_week: 4}"
    wrong = "{practice: cicd, level: fulll, start_week: 4}"
    assert "roadmap.1.level" in message(f"roadmap=[{fine},{wrong}]")
    wrong = "{practice: testing, level: full, start_week: 99}"
    assert "roadmap.1.start_week" in message(f"roadmap=[{fine},{wrong}]")


def test_errors_come_before_any_simulation_and_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sim"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    with pytest.raises(SystemExit) as done:
        main([*SHORT, item("practice: x, level: full, start_week: 1")])
    assert done.value.code == 2
    said = capfd.readouterr()
    assert said.err.startswith("roadmap.0.practice")
    assert (said.err.count("\n"), said.out) == (1, "")
    assert list(tmp_path.iterdir()) == []


def assert_brings(practice: str, levels: list[str]) -> None:
    """Assert that items that introduce ``levels`` one by one lead to what choosing them says."""
    items = [f"{{practice: {practice}, level: {level}, start_week: 4}}" for level in levels]
    scenario = sim.load(*SHORT, f"roadmap=[{','.join(items)}]")
    for level, stage in zip(levels, stages(scenario), strict=True):
        assert stage == sim.load(*SHORT, f"practice/{practice}={level}")


@pytest.mark.parametrize("practice", ["cicd", "platform", "retraining", "security"])
def test_an_item_brings_what_its_practice_changes(practice: str) -> None:
    assert_brings(practice, ["full"])


@pytest.mark.parametrize("practice", ["testing", "compute"])
def test_an_item_may_lead_back(practice: str) -> None:
    assert_brings(practice, ["none", "full", "basic"])


def test_from_a_level_with_a_price_to_one_without() -> None:
    assert_brings("retraining", ["full", "basic"])


@pytest.mark.slow
@pytest.mark.parametrize("practice", PRACTICES)
def test_items_lead_from_each_level_to_the_next(practice: str) -> None:
    levels = sorted(path.stem for path in (SCENARIOS / "practice" / practice).glob("*.yaml"))
    assert_brings(practice, [*levels, *reversed(levels)])


def test_items_build_on_each_other() -> None:
    scenario = sim.load(
        *SHORT,
        "roadmap=[{practice: cicd, level: full, start_week: 4},"
        "{practice: platform, level: full, start_week: 6},"
        "{practice: cicd, level: none, start_week: 9}]",
    )
    first, second, third = stages(scenario)
    assert first == sim.load(*SHORT, "practice/cicd=full")
    assert second == sim.load(*SHORT, "practice/cicd=full", "practice/platform=full")
    without = sim.load(*SHORT, "practice/cicd=none", "practice/platform=full")
    assert third.pipeline == without.pipeline
    assert third.standardization == 0.9


def test_the_base_of_an_item_is_the_scenario_with_its_overrides() -> None:
    scenario = sim.load(
        *SHORT, "organization=scaleup", "maturity=google_0", "automation=0.3", item()
    )
    (stage,) = stages(scenario)
    assert stage.automation == 0.3
    assert stage.teams == scenario.teams
    direct = sim.load(
        *SHORT, "organization=scaleup", "maturity=google_0", "practice/cicd=full", "automation=0.3"
    )
    assert stage == direct


def test_own_keys_instead_of_those_of_the_practice() -> None:
    text = "practice: habit, level: new, start_week: 4, brings: {automation: 0.7}"
    scenario = sim.load(*SHORT, item(text))
    (stage,) = stages(scenario)
    assert stage == scenario.model_copy(update={"automation": 0.7, "roadmap": ()})


TWO_ITEMS = (
    "roadmap=[{practice: cicd, level: full, start_week: 4, effort_h: {ml_engineer: 40,"
    " operations: 12.5}, learning_weeks: 6, learning_slowdown: 0.25},"
    "{practice: compute, level: autoscaled, start_week: 9},"
    "{practice: habit, level: new, start_week: 12, brings: {automation: 0.7,"
    " pipeline.steps.train.run_h: {dist: gamma, mean: 3, cv: 0.5}}}]"
)


@pytest.mark.parametrize("organization", ["midsize", "scaleup"])
def test_written_and_read_again_it_is_the_same_scenario(organization: str, tmp_path: Path) -> None:
    scenario = sim.load(*SHORT, f"organization={organization}", TWO_ITEMS)
    path = tmp_path / "again.yaml"
    path.write_text(to_yaml(scenario), encoding="utf-8")
    again = sim.load(config=path)
    assert again == scenario
    assert stages(again) == stages(scenario)


def test_a_file_elsewhere_may_have_a_roadmap(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    data = {
        "defaults": ["default", "_self_"],
        "roadmap": [{"practice": "testing", "level": "full", "start_week": 8}],
    }
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    scenario = sim.load(config=path)
    assert scenario.roadmap[0].brings["practices.testing"] == "full"
    assert scenario.roadmap[0].brings["data_validation"] == 0.9


def test_the_last_week_is_early_enough() -> None:
    text = "practice: cicd, level: full, start_week: 39"
    assert sim.load(*SHORT, item(text)).roadmap[0].start_week == 39


def test_effort_of_roles_that_only_some_teams_have() -> None:
    text = "practice: cicd, level: full, start_week: 4, effort_h: {platform: 20}"
    assert sim.load(*SHORT, "organization=scaleup", item(text)).roadmap[0].effort_h == {
        "platform": 20
    }
    assert "roadmap.0.effort_h.platform" in message(item(text))
