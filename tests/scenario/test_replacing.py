"""A file drops and replaces entries of what it builds on; the rest stays as it is."""

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.configuration.load import composed_data, files_of
from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import STAGES

CHOICES = st.lists(
    st.sampled_from(
        ["practice/testing=full", "maturity=google_2", "practice/cicd=none", "organization=startup"]
    ),
    unique=True,
    max_size=3,
)
MAPPINGS = ("services", "teams", "shared_people", "compute", "pipeline.steps", "cost.compute_per_h")
OWN: dict[str, Any] = {
    "services": {"mine": {"team": "we"}},
    "teams": {"we": {"people": {"ml_engineer": 2}}},
    "shared_people": {"platform": 3},
    "compute": {"cluster": {"slots": 4}},
    "cost.compute_per_h": {"cluster": 9},
}


def composed(data: dict[str, Any], *overrides: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        return composed_data(files_of(path), overrides)


def mine(**parts: Any) -> dict[str, Any]:
    return {"defaults": ["default", "_self_"], **parts}


def nested(key: str, value: object) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def at(data: Any, key: str) -> Any:
    for part in key.split("."):
        data = data.setdefault(part, {})
    return data


def in_order(data: Any) -> list[Any]:
    """Return data with the order of its keys, which does not count in a comparison of mappings."""
    if isinstance(data, dict):
        return [[key, in_order(value)] for key, value in data.items()]
    return data  # type: ignore[no-any-return]


@settings(deadline=None, max_examples=6)
@given(CHOICES, st.sampled_from(MAPPINGS), st.data())
def test_null_drops_an_entry_and_nothing_else(
    choices: list[str], key: str, data: st.DataObject
) -> None:
    expected = composed(mine(), *choices)
    names = sorted(at(expected, key))
    dropped = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    found = composed(mine(**nested(key, dict.fromkeys(dropped))), *choices)
    on_the_line = composed(mine(), *choices, *(f"~{key}.{name}" for name in dropped))
    in_words = composed(mine(), *choices, *(f"{key}.{name}=null" for name in dropped))
    for name in dropped:
        del at(expected, key)[name]
    expected.pop("practice_reach", None)
    for way in (found, on_the_line, in_words):
        way.pop("practice_reach", None)
        at(way, key)  # also where there is none
        assert in_order(way) == in_order(expected)


@settings(deadline=None, max_examples=4)
@given(CHOICES, st.sampled_from(sorted(OWN)))
def test_entries_that_replace_are_all_there_is(choices: list[str], key: str) -> None:
    expected = composed(mine(), *choices)
    at(expected, key).clear()
    at(expected, key).update(OWN[key])
    replacing = {"_replace_": True, **OWN[key]}
    words = ", ".join(f"{name}: {value}" for name, value in replacing.items()).replace("'", "")
    on_the_line = f"{key}={{{words}}}".replace("True", "true")
    assert in_order(composed(mine(**nested(key, replacing)), *choices)) == in_order(expected)
    assert in_order(composed(mine(), *choices, on_the_line)) == in_order(expected)


@settings(deadline=None, max_examples=8)
@given(CHOICES, st.permutations(sorted(STAGES)), st.integers(1, 13), st.data())
def test_a_step_that_replaces_begins_as_the_one_of_its_stage(
    choices: list[str], stages: list[str], number: int, data: st.DataObject
) -> None:
    kept = stages[:number]
    renamed = {stage for stage in kept if data.draw(st.booleans())}
    names = {stage: f"my_{stage}" if stage in renamed else stage for stage in kept}
    says = {
        stage: data.draw(st.sampled_from([{}, {"role": "boss", "fails": 0.5}])) for stage in kept
    }
    steps = {
        names[stage]: {**says[stage], **({"stage": stage} if stage in renamed else {})}
        for stage in kept
    }
    found = composed(mine(pipeline={"steps": {"_replace_": True, **steps}}), *choices)
    before = composed(mine(), *choices)["pipeline"]["steps"]
    assert list(found["pipeline"]["steps"]) == list(steps)
    for place, stage in enumerate(kept):
        expected = {**copy.deepcopy(before[stage]), **steps[names[stage]]}
        back = expected.pop("returns_to", None)
        if back in kept[: place + 1]:
            expected["returns_to"] = names[back]
        assert found["pipeline"]["steps"][names[stage]] == expected


def test_steps_of_an_own_base_are_kept_by_name_and_reached_by_practices(tmp_path: Path) -> None:
    base = mine(
        pipeline={
            "steps": {
                "_replace_": True,
                "fit": {"stage": "train", "role": "data_scientist"},
                "smoke": {"role": "ml_engineer", "effort_h": 7},
                "ship": {"stage": "deploy"},
            }
        }
    )
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base, sort_keys=False), encoding="utf-8")
    steps = {"_replace_": True, "smoke": {}, "learn": {"stage": "train"}}
    own = {
        "defaults": ["base", "_self_", {"override practice/cicd": "full"}],
        "pipeline": {"steps": {**steps, "ship": {"stage": "deploy"}}},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")
    found = sim.load(config=path).pipeline.steps
    assert list(found) == ["smoke", "learn", "ship"]
    assert found["smoke"].effort_h.expectation == 7
    assert found["learn"].also_automated == found["ship"].also_automated == 0.95
    assert sim.load("practice/cicd=none", config=path).pipeline.steps["learn"].also_automated == 0


def test_an_organization_of_ones_own_may_replace_the_pipeline(tmp_path: Path) -> None:
    folder = tmp_path / "organization"
    folder.mkdir()
    steps = {"_replace_": True, "train": {}, "deploy": {}}
    text = "# @package _global_\n" + yaml.safe_dump({"pipeline": {"steps": steps}}, sort_keys=False)
    shipped = (SCENARIOS / "organization" / "midsize.yaml").read_text("utf-8")
    (folder / "ours.yaml").write_text(shipped + text.partition("\n")[2], encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(mine()), encoding="utf-8")
    found = sim.load("organization=ours", "practice/cicd=full", config=path).pipeline.steps
    assert list(found) == ["train", "deploy"]
    assert found["train"].also_automated == 0.95
    assert found["train"].role == "data_scientist"


def test_a_level_of_ones_own_drops_the_steps_of_a_stage_whatever_their_names(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "practice" / "board"
    folder.mkdir(parents=True)
    level = {"pipeline": {"steps": {"approve": None}}, "practices": {"board": "gone"}}
    (folder / "gone.yaml").write_text("# @package _global_\n" + yaml.safe_dump(level), "utf-8")
    path = tmp_path / "mine.yaml"
    steps = {"_replace_": True, "train": {}, "board": {"stage": "approve"}, "deploy": {}}
    path.write_text(yaml.safe_dump(mine(pipeline={"steps": steps}), sort_keys=False), "utf-8")
    # The level of the command line comes after the file.
    found = sim.load("+practice/board=gone", config=path).pipeline.steps
    assert list(found) == ["train", "deploy"]
    path.write_text(yaml.safe_dump(mine()), "utf-8")
    found = sim.load("+practice/board=gone", config=path).pipeline.steps
    assert list(found) == [name for name in sim.load().pipeline.steps if name != "approve"]


def test_a_roadmap_and_a_sweep_see_what_was_replaced(tmp_path: Path) -> None:
    steps = {"_replace_": True, "fit": {"stage": "train"}, "ship": {"stage": "deploy"}}
    roadmap = [{"practice": "cicd", "level": "full", "start_week": 9}]
    path = tmp_path / "mine.yaml"
    parts = mine(pipeline={"steps": steps}, roadmap=roadmap, services={"embedding": None})
    parts["services"]["model"] = {"upstream": []}
    path.write_text(yaml.safe_dump(parts, sort_keys=False), encoding="utf-8")
    scenario = sim.load("horizon_weeks=20", "warmup_weeks=2", "n_jobs=1", config=path)
    brings = scenario.roadmap[0].brings
    assert brings["pipeline.steps.fit.also_automated"] == 0.95
    assert not any("embedding" in key or "steps.train" in key for key in brings)
    sweep = sim.sweep(scenario, {"practice/testing": ["none", "full"]}, replications=2)
    done = set(sweep.replay(1, 0).tables["steps"]["step"].astype(str))
    assert {"fit", "ship"} <= done
    assert not done & STAGES


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"services": {"embeding": None}},
            "services.embeding: null drops nothing: it is not there; did you mean 'embedding'?",
        ),
        (
            {"teams": {"_replace_": False}},
            "teams._replace_: false is not allowed; true, or leave it out",
        ),
        ({"pipeline": {"_replace_": True}}, "pipeline._replace_: only entries with names of their"),
        ({"_replace_": True}, "_replace_: only entries with names of their own can be replaced"),
        ({"teams": {"_replace_": True}}, "teams: is empty; at least one is needed"),
        ({"pipeline": {"steps": {"_replace_": True}}}, "pipeline.steps: is empty; at least one"),
        (
            {"pipeline": {"steps": {"_replace_": True, "deploy": {}, "review": None}}},
            "pipeline.steps.review: null drops nothing where _replace_ has replaced everything; "
            "leave it out, or write {} to keep what it was",
        ),
        (
            {"teams": {"_replace_": True, "we": {"people": {"ml_engineer": 1}}}},
            "services.model.team: no team is called 'product'; valid: we; services.model: null "
            "drops the service",
        ),
        (
            {"pipeline": {"steps": {"deploy": None}}},
            "pipeline.steps: exactly one step needs effect: deploys (no step does)",
        ),
        (
            {"roadmap": [{"practice": "cicd", "effort_h": {"_replace_": True}}]},
            "roadmap._replace_: a list replaces another one anyway; leave it out",
        ),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:40],
)
def test_mistakes_say_what_to_do(tmp_path: Path, parts: dict[str, Any], message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(mine(**parts), sort_keys=False), encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        sim.load(config=path)
    assert str(error.value).startswith(message)


def test_an_empty_mapping_on_the_command_line_says_how_to_replace() -> None:
    with pytest.raises(ScenarioError) as error:
        sim.load("services={}")
    assert str(error.value) == (
        "services: {} would be merged and change nothing; ~services.NAME drops one of model, "
        "embedding; {_replace_: true, ...} replaces all"
    )


def test_a_roadmap_that_finds_nothing_is_refused(tmp_path: Path) -> None:
    item = {"practice": "odd", "level": "full", "start_week": 9}
    folder = tmp_path / "practice" / "odd"
    folder.mkdir(parents=True)
    level = {"pipeline": {"steps": {"train": {"fails": 0}}}, "practices": {"odd": "full"}}
    (folder / "full.yaml").write_text("# @package _global_\n" + yaml.safe_dump(level), "utf-8")
    path = tmp_path / "mine.yaml"
    steps = {"_replace_": True, "deploy": {}}
    path.write_text(yaml.safe_dump(mine(pipeline={"steps": steps}, roadmap=[item])), "utf-8")
    with pytest.raises(ScenarioError, match="level 'full' of 'odd' changes nothing: no step is"):
        sim.load(config=path)
