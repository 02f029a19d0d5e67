"""Presets reach steps by the stage that they are, whatever the steps are called."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import sim
from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import STAGES, Pipeline

DEFAULT: dict[str, Any] = yaml.safe_load((SCENARIOS / "default.yaml").read_text(encoding="utf-8"))
NAMES = {stage: f"my_{place}" for place, stage in enumerate(DEFAULT["pipeline"]["steps"])}
OTHERS = ("stage", "returns_to")


def written(folder: Path, data: dict[str, Any]) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def renamed(folder: Path, names: dict[str, str] = NAMES) -> Path:
    """Write the default organization with other names of steps, which say their stages."""
    steps = {}
    for stage, step in DEFAULT["pipeline"]["steps"].items():
        new = {**step} if names[stage] == stage else {**step, "stage": stage}
        if "returns_to" in step:
            new["returns_to"] = names[step["returns_to"]]
        steps[names[stage]] = new
    return written(folder, {**DEFAULT, "pipeline": {**DEFAULT["pipeline"], "steps": steps}})


def test_the_stages_are_the_steps_of_the_default_organization() -> None:
    assert frozenset(NAMES) == STAGES


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["practice/testing=full"],
        ["maturity=google_2"],
        ["maturity=microsoft_4", "practice/cicd=basic", "organization=startup"],
        ["organization=enterprise", "practice/platform=full", "standardization=1"],
    ],
    ids=" ".join,
)
def test_renamed_steps_are_like_those_of_the_standard_names(
    tmp_path: Path, overrides: list[str]
) -> None:
    plain = sim.load(*overrides)
    other = sim.load(*overrides, config=renamed(tmp_path))
    assert list(other.pipeline.steps) == list(NAMES.values())
    for stage, name in NAMES.items():
        step = other.pipeline.steps[name]
        assert step.model_dump(exclude=OTHERS) == plain.pipeline.steps[stage].model_dump(
            exclude=OTHERS
        )
    assert other.practice_reach == {}


def test_only_some_are_renamed(tmp_path: Path) -> None:
    names = {**{stage: stage for stage in NAMES}, "train": "fit", "approve": "board"}
    plain = sim.load("maturity=google_2")
    other = sim.load("maturity=google_2", config=renamed(tmp_path, names))
    assert other.pipeline.steps["fit"].run_h == plain.pipeline.steps["train"].run_h
    assert other.pipeline.steps["unit_test"] == plain.pipeline.steps["unit_test"]
    assert "train" not in other.pipeline.steps


@pytest.mark.parametrize(
    "overrides",
    [["practice/testing=full"], ["organization=startup", "maturity=google_2"]],
    ids=" ".join,
)
def test_logs_are_the_same_but_for_the_names(tmp_path: Path, overrides: list[str]) -> None:
    item = "roadmap=[{practice: testing, level: full, start_week: 3}]"
    short = ["horizon_weeks=20", "warmup_weeks=2", item, *overrides]
    plain = sim.simulate(sim.load(*short)).tables
    other = sim.simulate(sim.load(*short, config=renamed(tmp_path))).tables
    back = {name: stage for stage, name in NAMES.items()}
    for name, table in plain.items():
        mine, expected = other[name], table
        if name == "steps":
            mine = mine.assign(step=mine["step"].astype(str).replace(back))
            expected = table.assign(step=table["step"].astype(str))
        pd.testing.assert_frame_equal(mine, expected, check_categorical=False)


def test_luck_goes_by_stage() -> None:
    def lanes(**stages: str | None) -> dict[str, str]:
        steps = {name: {"stage": stage} for name, stage in stages.items()}
        return Pipeline.model_validate({"steps": steps}).lanes()

    assert lanes(fit="train", ship=None) == {"fit": "train", "ship": "ship"}
    assert lanes(a="train", b="train", c="none") == {"a": "train", "b": "b", "c": "c"}
    assert lanes(a="train", train=None, b="train") == {"a": "a", "train": "train", "b": "b"}


MINE: dict[str, Any] = {
    "defaults": ["default", "_self_"],
    "pipeline": {
        "steps": {
            "lint": {"role": "ml_engineer", "effort_h": 1, "run_h": 3, "stage": "unit_test"},
            "smoke": {"role": "ml_engineer", "effort_h": 1, "stage": "none"},
            "odd": {"role": "ml_engineer", "effort_h": 1},
        }
    },
}
GONE = [f"~pipeline.steps.{stage}" for stage in NAMES if stage != "deploy"]
KEPT = [*GONE, "pipeline.steps.deploy.returns_to=null"]


def test_several_steps_of_a_stage_and_steps_of_none(tmp_path: Path) -> None:
    path = written(tmp_path, MINE)
    found = sim.load("practice/testing=full", config=path).pipeline.steps
    standard = found["unit_test"]
    assert found["lint"].also_automated == standard.also_automated == 0.98
    assert found["lint"].detects == standard.detects
    assert found["smoke"].also_automated == found["odd"].also_automated == 0


OWN = {"also_automated": 0.1, "run_h": 3, "detects": {"code": {"manual": 0.9}}}


def test_what_comes_after_the_presets_counts_more_whatever_the_name(tmp_path: Path) -> None:
    data = {
        **MINE,
        "pipeline": {"steps": {"unit_test": OWN, "lint": {**OWN, "stage": "unit_test"}}},
    }
    for overrides in ([], ["practice/testing=full"], ["maturity=google_2"]):
        found = sim.load(*overrides, config=written(tmp_path, data)).pipeline.steps
        lint, standard = found["lint"], found["unit_test"]
        assert lint.also_automated == standard.also_automated == 0.1
        assert lint.run_h.expectation == standard.run_h.expectation == 3
        assert lint.detects == standard.detects
        assert lint.detects["code"].manual == 0.9
        assert lint.detects["code"].automated > 0.4  # of the practice, as nobody else says it


@pytest.mark.parametrize(
    "run_h",
    [
        3,
        {"dist": "constant", "value": 3},
        {"dist": "uniform", "low": 1, "high": 5},
        None,
        {"dist": "exponential", "mean": 3},
    ],
    ids=str,
)
def test_a_practice_sets_the_mean_however_the_duration_is_written(
    tmp_path: Path, run_h: object
) -> None:
    step = {"role": "ml_engineer", "effort_h": 1, "stage": "unit_test"}
    own = {**step, "run_h": run_h} if run_h is not None else step
    steps = {**DEFAULT["pipeline"]["steps"], "lint": own}
    path = written(tmp_path, {**DEFAULT, "pipeline": {**DEFAULT["pipeline"], "steps": steps}})
    found = sim.load("practice/testing=full", config=path).pipeline.steps["lint"].run_h
    assert found.expectation == 0.25
    assert (found.dist == "exponential") == (isinstance(run_h, dict) and "mean" in run_h)


def test_a_step_of_ones_own_stays_even_if_presets_say_all_that_it_says(tmp_path: Path) -> None:
    steps = {"train": {"run_h": 2}, "ship": {"effect": "deploys"}, "odd": {"stage": "train"}}
    data = {
        "defaults": [{"practice/cicd": "full"}, "_self_"],
        "name": "mine",
        "teams": {"team": {"people": {"ml_engineer": 1}}},
        "services": {"service": {"team": "team"}},
        "pipeline": {"steps": steps},
    }
    found = sim.load("practice/cicd=none", config=written(tmp_path, data)).pipeline.steps
    assert list(found) == ["train", "ship", "odd"]


def test_the_command_line_counts_more_than_a_practice(tmp_path: Path) -> None:
    path = written(tmp_path, MINE)
    found = sim.load("practice/testing=full", "pipeline.steps.lint.run_h=7", config=path)
    assert found.pipeline.steps["lint"].run_h.expectation == 7


def test_how_much_of_a_practice_finds_a_step(tmp_path: Path) -> None:
    found = sim.load("practice/testing=full", *KEPT, config=written(tmp_path, MINE))
    reach = found.practice_reach["testing"]
    # data_validation, two efforts of authors, and four settings of unit tests:
    # also_automated, run_h.mean, and two of what they detect.
    assert reach.here == 3 + 4
    assert reach.settings == 3 + 4 + 4 + 6 + 10
    assert sim.load("practice/testing=full").practice_reach == {}


def test_a_level_that_changes_nothing_is_refused_by_name_only(tmp_path: Path) -> None:
    level = {"pipeline": {"steps": {"train": {"also_automated": 1}}}, "practices": {"odd": "full"}}
    folder = tmp_path / "practice" / "odd"
    folder.mkdir(parents=True)
    header = "# @package _global_\n"
    (folder / "full.yaml").write_text(header + yaml.safe_dump(level), encoding="utf-8")
    path = written(tmp_path, MINE)
    with pytest.raises(ScenarioError, match="'full' changes nothing: no step is of a stage"):
        sim.load("+practice/odd=full", *KEPT, config=path)
    with_it = {**MINE, "defaults": ["default", {"practice/odd": "full"}, "_self_"]}
    assert sim.load(*KEPT, config=written(tmp_path, with_it)).practice_reach["odd"].here == 0
    there = sim.load("+practice/odd=full", config=written(tmp_path, MINE))
    assert there.pipeline.steps["train"].also_automated == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("pipeline.steps.lint.stage=train", "is said in a file"),
        ("+pipeline.steps.new={role: ml_engineer, stage: train}", "is said in a file"),
        ("pipeline.steps={new: {role: ml_engineer, stage: train}}", "is said in a file"),
        ("+pipeline={steps: {new: {stage: train}}}", "is said in a file"),
        ("practice_reach.testing.here=1", "only records"),
    ],
)
def test_what_would_have_no_effect_is_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        sim.load(override, config=written(tmp_path, MINE))


def test_a_step_with_the_name_of_a_stage_is_of_that_stage(tmp_path: Path) -> None:
    steps = {"review": {"stage": "train"}}
    path = written(tmp_path, {**MINE, "pipeline": {"steps": steps}})
    with pytest.raises(ScenarioError, match="a step called 'review' is of that stage"):
        sim.load(config=path)


def test_a_roadmap_reaches_renamed_steps(tmp_path: Path) -> None:
    item = "roadmap=[{practice: testing, level: full, start_week: 3}]"
    plain = sim.load(item).roadmap[0].brings
    other = sim.load(item, config=renamed(tmp_path)).roadmap[0].brings
    back = {f"pipeline.steps.{name}.": f"pipeline.steps.{stage}." for stage, name in NAMES.items()}
    named = {}
    for key, value in other.items():
        start = next((old for old in back if key.startswith(old)), None)
        named[key if start is None else back[start] + key.removeprefix(start)] = value
    assert named == plain
