"""What somebody says of her organization is in the scenario that is made of it, exactly."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.configuration.load import composed_data, files_of
from sim.new.grammar import ROLES, AnswerError, guessed_stage, hours
from sim.new.organization_yaml import organization_yaml, preset_scenario, read_answers, template
from sim.new.questions import KEYS, PRESETS, QUESTIONS
from sim.scenario.organization import DAYS, STAGES, Scenario

STAGES_IN_ORDER = list(preset_scenario("midsize").pipeline.steps)
ROLE = st.sampled_from([*ROLES, "analyst", "site_engineer"])
PEOPLE = st.dictionaries(ROLE, st.integers(1, 5), min_size=1, max_size=4)
NAME = st.sampled_from(["core", "product", "data_2", "a-b", "x"])
HOURS = st.sampled_from([0.0, 0.25, 1.0, 8.0, 24.0, 100.5])
SHARE = st.sampled_from([0.0, 0.05, 0.5, 0.9, 1.0])


@st.composite
def some_answers(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a preset and plain data that answer some of the questions."""
    preset = draw(st.sampled_from(PRESETS))
    base = preset_scenario(preset)
    keys = draw(st.sets(st.sampled_from(KEYS), min_size=1))
    said: dict[str, Any] = {}
    if "name" in keys:
        said["name"] = draw(NAME)
    if "teams" in keys:
        team = st.fixed_dictionaries({"count": st.integers(1, 3), "people": PEOPLE})
        said["teams"] = draw(st.dictionaries(NAME, team, min_size=1, max_size=3))
    if "shared_people" in keys:
        said["shared_people"] = draw(st.dictionaries(ROLE, st.integers(1, 3), max_size=3))
    teams = list(said.get("teams", base.teams))
    if "services" in keys:
        owner = st.sampled_from(teams)
        said["services"] = draw(st.dictionaries(NAME, owner, min_size=1, max_size=3))
    stages = STAGES_IN_ORDER
    if "steps" in keys:
        some = draw(st.sets(st.sampled_from(STAGES_IN_ORDER)))
        stages = [stage for stage in STAGES_IN_ORDER if stage in {*some, "deploy"}]
        steps = {}
        for stage in stages:
            name = draw(st.sampled_from([stage, f"our_{stage}"]))
            role = draw(st.sampled_from([None, *ROLES]))
            if role is None:
                role = "machine"
            step = {"role": role, "by_hand": draw(HOURS), "machine": draw(HOURS)}
            steps[name] = {**step, "stage": stage}
        if draw(st.booleans()):
            steps["tea"] = {"stage": "none", "role": ROLES[0], "by_hand": 0.5, "machine": 0.0}
        said["steps"] = steps
    names = list(said.get("steps", STAGES_IN_ORDER))
    days = st.sets(st.sampled_from(DAYS), min_size=1).map(
        lambda some: [d for d in DAYS if d in some]
    )
    if "board" in keys:
        board = {"every_weeks": draw(st.integers(1, 4)), "days": draw(days), "hour": 9.5}
        said["board"] = draw(st.sampled_from([None, board])) if "approve" in stages else None
    if "release_days" in keys:
        said["release_days"] = draw(st.just([]) | days)
    if "machines" in keys:
        kinds = st.sampled_from(["gpu", "ci"])
        said["machines"] = draw(st.dictionaries(kinds, st.integers(0, 9), min_size=1))
    if "automated" in keys:
        said["automated"] = draw(st.dictionaries(st.sampled_from(names), SHARE))
    if "fails" in keys:
        some = {"outages": 12.5, "bad_data": 0.25, "bugs": 0.5}
        some |= {"trainings": 0.125} if "train" in stages else {}
        chosen = draw(st.sets(st.sampled_from(sorted(some)), min_size=1))
        said["fails"] = {kind: some[kind] for kind in chosen}
    if "exploration" in keys:
        said["exploration"] = draw(st.sampled_from([1.0, 40.0, 250.5]))
    if "on_call" in keys:
        people = [role for team in said.get("teams", {}).values() for role in team["people"]]
        if "teams" not in said:
            people = [role for team in base.teams.values() for role in team.people]
        said["on_call"] = draw(st.lists(st.sampled_from(people), unique=True, max_size=2))
    return preset, said


def scenario_of(said: dict[str, Any], preset: str, *overrides: str) -> Scenario:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(organization_yaml(read_answers(said, preset), preset), encoding="utf-8")
        return sim.load(*overrides, config=path)


def assert_is_there(said: dict[str, Any], scenario: Scenario, preset: str) -> None:
    """Look for each answer in a scenario, without the code that has written it."""
    steps = scenario.pipeline.steps
    base = preset_scenario(preset)
    if "name" in said:
        assert scenario.name == said["name"]
    if "teams" in said:
        found = {n: {"count": t.count, "people": t.people} for n, t in scenario.teams.items()}
        assert found == said["teams"]
    if "shared_people" in said:
        assert scenario.shared_people == said["shared_people"]
    if "services" in said:
        assert {name: s.team for name, s in scenario.services.items()} == said["services"]
    if "steps" in said:
        assert list(steps) == list(said["steps"])
        for name, told in said["steps"].items():
            assert steps[name].role == (None if told["role"] == "machine" else told["role"])
            assert steps[name].effort_h.expectation == pytest.approx(told["by_hand"])
            assert steps[name].run_h.expectation == pytest.approx(told["machine"])
            assert scenario.pipeline.stage_of(name) == told["stage"].replace("none", "")
    of_stage = {scenario.pipeline.stage_of(name): step for name, step in steps.items()}
    if "board" in said and "approve" in of_stage:
        window = of_stage["approve"].window
        if said["board"] is None:
            assert window is None
        else:
            assert window is not None
            assert window.waits.manual > 0
            assert window.model_dump(include=set(said["board"])) == {
                **said["board"],
                "days": tuple(said["board"]["days"]),
            }
    if "release_days" in said:
        window = of_stage["deploy"].window
        assert (() if window is None else window.days) == tuple(said["release_days"])
        assert window is None or window.waits.manual > 0
    for kind, slots in said.get("machines", {}).items():
        if slots:
            assert (scenario.compute[kind].slots, scenario.compute[kind].shared) == (slots, True)
        else:
            assert kind not in scenario.compute
            assert kind not in {step.compute for step in steps.values()}
    if "on_call" in said:
        assert scenario.incidents.on_call == tuple(said["on_call"])
    if "automated" in said:
        for name, step in steps.items():
            assert scenario.automated(step) == pytest.approx(said["automated"].get(name, 0))
    fails = said.get("fails", {})
    for name, service in scenario.services.items():
        was = base.services.get(name) if not {"teams", "services"} & set(said) else None
        assert service.data is not None or was is not None
        if "outages" in fails:
            assert service.time_to_outage_h is not None
            assert service.time_to_outage_h.expectation == pytest.approx(fails["outages"] * 168)
        if "bad_data" in fails and service.data is not None:
            assert service.data.corrupted == fails["bad_data"]
    if "trainings" in fails:
        assert of_stage["train"].fails == fails["trainings"]
    assert scenario.changes.feature is not None
    if "bugs" in fails:
        assert scenario.changes.feature.defects["code"] == fails["bugs"]
    if "exploration" in said:
        assert scenario.changes.feature.exploration_h.expectation == said["exploration"]


@settings(deadline=None, max_examples=40)
@given(some_answers())
def test_each_answer_is_in_the_scenario(drawn: tuple[str, dict[str, Any]]) -> None:
    preset, said = drawn
    assert_is_there(said, scenario_of(said, preset), preset)


@settings(deadline=None, max_examples=5)
@given(some_answers())
def test_whatever_is_answered_can_be_simulated(drawn: tuple[str, dict[str, Any]]) -> None:
    preset, said = drawn
    run = sim.simulate(scenario_of(said, preset, "horizon_weeks=6", "warmup_weeks=1"))
    done = set(run.tables["steps"]["step"].astype(str)) & STAGES
    assert done <= set(said.get("steps", STAGES))


@settings(deadline=None, max_examples=8)
@given(some_answers(), st.sampled_from(["testing", "cicd", "monitoring"]))
def test_practices_change_the_rest_and_no_answer(
    drawn: tuple[str, dict[str, Any]], practice: str
) -> None:
    preset, said = drawn
    said.pop("automated", None)  # levels automate on top of it
    plain = scenario_of(said, preset)
    changed = scenario_of(said, preset, f"practice/{practice}=full")
    assert changed != plain
    assert_is_there(said, changed, preset)


SKETCH = {
    "teams": "3 data scientists, 2 ML engineers",
    "shared_people": "none",
    "services": "recommender, churn",
    "steps": "data prep: data scientist, 1 day, 2 h; fit: data scientist, 4 h, 8 h; "
    "code review: ml engineer, 1 h, -; ship: ml engineer, 3 h, 20 min",
    "automated": "fit 50%",
}


def test_a_roadmap_changes_own_steps() -> None:
    item = "roadmap=[{practice: cicd, level: full, start_week: 30}]"
    brings = scenario_of(SKETCH, "midsize", item).roadmap[0].brings
    assert brings["pipeline.steps.fit.also_automated"] == 0.95
    assert brings["pipeline.steps.ship.also_automated"] == 0.95
    assert not any(key.endswith(("effort_h", "run_h", "run_h.mean")) for key in brings)


def test_what_is_left_out_of_a_step_is_marked_as_a_guess() -> None:
    said = {"steps": {"fit": {"role": "data scientist"}, "ship": "operations, 2 h, 1 h"}}
    lines = organization_yaml(read_answers(said)).splitlines()
    fit = lines[lines.index("    fit:") :][:5]
    assert [line.partition("# ")[2] for line in fit] == ["", "", "answer", "guess", "guess"]
    ship = lines[lines.index("    ship:") :][:5]
    assert [line.partition("# ")[2] for line in ship] == ["", "", "answer", "answer", "answer"]


def test_it_is_short_and_says_what_was_left() -> None:
    text = organization_yaml(read_answers(SKETCH), "midsize")
    assert len(text.splitlines()) < 100
    assert "people: {data_scientist: 3, ml_engineer: 2}  # answer" in text
    assert "#   on_call: ml_engineer" not in text
    assert "#   on_call: operations" in text
    assert "#   board" not in text  # no step is an approval
    assert yaml.safe_load(text)["pipeline"]["steps"]["_replace_"] is True


TEXTS = [
    ("teams", "product x3: 3 DS, 2 mle; core: 1 data engineer and 2 ops",
     {"product": {"count": 3, "people": {"data_scientist": 3, "ml_engineer": 2}},
      "core": {"count": 1, "people": {"data_engineer": 1, "operations": 2}}}),
    ("teams", "data_scientist: 3, ml_engineer: 2",
     {"team": {"count": 1, "people": {"data_scientist": 3, "ml_engineer": 2}}}),
    ("shared_people", "Security: 1", {"security": 1}),
    ("services", "Fraud check of product, rank", {"fraud_check": "product", "rank": "product"}),
    ("board", "every 2 weeks on Wednesday at 14",
     {"every_weeks": 2, "days": ["wed"], "hour": 14}),
    ("board", "mon 9:30", {"every_weeks": 1, "days": ["mon"], "hour": 9.5}),
    ("board", "fri at 2 pm, fortnightly", {"every_weeks": 2, "days": ["fri"], "hour": 14}),
    ("board", "tue at 9:30 am", {"every_weeks": 1, "days": ["tue"], "hour": 9.5}),
    ("board", "none", None),
    ("release_days", "Thursdays and Tuesdays", ["tue", "thu"]),
    ("release_days", "any", []),
    ("machines", "2 GPU slots, ci: 4", {"gpu": 2, "ci": 4}),
    ("automated", "train 80%, unit test", {"train": 0.8, "unit_test": 1.0}),
    ("fails", "outages every 10 weeks, bad data 2 %, bugs: 0.3",
     {"outages": 10.0, "bad_data": 0.02, "bugs": 0.3}),
    ("exploration", "2 weeks", 80.0),
]  # fmt: skip


@pytest.mark.parametrize(("key", "text", "expected"), TEXTS, ids=lambda value: str(value)[:30])
def test_answers_are_read_as_people_write_them(key: str, text: str, expected: object) -> None:
    assert read_answers({key: text})[key] == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_default_says_is_read_as_what_the_preset_has(preset: str) -> None:
    base = preset_scenario(preset)
    said = {q.key: q.default(base) for q in QUESTIONS if q.key not in ("name", "automated")}
    read = read_answers(said, preset)
    assert {n: t["people"] for n, t in read["teams"].items()} == {
        name: team.people for name, team in base.teams.items()
    }
    assert read["shared_people"] == base.shared_people
    assert read["services"] == {name: service.team for name, service in base.services.items()}
    assert read["machines"] == {kind: base.compute[kind].slots for kind in ("gpu", "ci")}
    for name, step in read["steps"].items():
        assert step["stage"] == name
        assert step["by_hand_h"] == pytest.approx(base.pipeline.steps[name].effort_h.expectation)
    assert tuple(read["on_call"]) == base.incidents.on_call
    assert read["exploration"] == base.changes.feature.exploration_h.expectation  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"team": "1 analyst"}, "team: there is no such question; did you mean 'teams'?"),
        ({"teams": "many"}, "teams: 'many' is no number of people"),
        ({"teams": "0 analysts"}, "teams: nobody is in the team 'team'"),
        ({"services": "a: nobody"}, "services: no team is called 'nobody'; valid: product"),
        ({"steps": "fit, test"}, "steps: one step must bring the change into production: stage de"),
        ({"steps": "ship: wizard, 1 h, 1 h"}, "steps: ship: nobody is a 'wizard'; valid: "),
        ({"steps": "ship: security, long, 1 h"}, "steps: 'long' is no duration: 2 h, 3 days, 30"),
        ({"steps": {"ship": {"stge": "deploy"}}}, "steps: steps: unknown key 'stge'; did you mean"),
        ({"release_days": "someday"}, "release_days: 'som' is no day of the week: mon, tue, "),
        ({"machines": "3 tpu"}, "machines: 'tpu' is neither gpu nor ci"),
        ({"on_call": "wizards"}, "on_call: nobody is a 'wizard'; valid: "),
        ({"automated": "fit"}, "automated: no step is called 'fit'; valid: ingest"),
        ({"automated": "train 150%"}, "automated: '150%' is no share: 80% or 0.8"),
        ({"fails": "luck 3%"}, "fails: 'luck' is none of outages, bad_data, trainings, bugs"),
        ({"exploration": True}, "exploration: 'True' is no duration"),
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_is_none_says_what_is_valid(said: dict[str, Any], message: str) -> None:
    with pytest.raises(AnswerError) as error:
        read_answers(said)
    assert str(error.value).startswith(message)


def test_stages_are_guessed_from_names() -> None:
    expected = {
        "fit": "train", "data prep": "build_features", "Code review": "review", "go-live": "deploy",
        "unit tests": "unit_test", "e2e tests": "integration_test", "CAB": "approve",
        "pull data": "ingest", "smoke test": "verify", "docker build": "package", "tea": "none",
        "security review": "security_review", "backtest": "evaluate", "check data": "validate_data",
    }  # fmt: skip
    assert {name: guessed_stage(name) for name in expected} == expected
    assert all(guessed_stage(stage) == stage for stage in STAGES)


def test_a_day_is_longer_for_a_machine() -> None:
    assert hours("1 day", "by_hand") == 8
    assert hours("1 day", "machine") == 24
    assert hours("half an hour", "machine") == 0.5
    assert hours("90 min", "by_hand") == 1.5


def test_the_template_has_each_question_and_says_nothing_yet() -> None:
    text = template("midsize")
    assert yaml.safe_load(text) is None
    plain = "\n".join(
        line[1:] if line.startswith("#") and line[1:].partition(":")[0] in KEYS else line
        for line in text.splitlines()
    )
    said = yaml.safe_load(plain)
    assert set(said) == set(KEYS)
    del said["automated"]
    read_answers(said)


def test_nothing_answered_is_the_preset() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(organization_yaml({}, "startup"), encoding="utf-8")
        mine = composed_data(files_of(path), [])
    plain = sim.load("organization=startup").model_dump(mode="json", by_alias=True)
    found = sim.scenario.from_data.validate(mine).model_dump(mode="json", by_alias=True)
    assert {**found, "name": "", "description": ""} == {**plain, "name": "", "description": ""}
