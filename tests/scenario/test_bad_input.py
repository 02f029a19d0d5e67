"""What is wrong with a scenario is said with its dotted key, its value and what is allowed."""

import pickle
import shutil
import textwrap
import warnings
from pathlib import Path

import pytest

import sim
from sim.configuration import load
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import ExponentialDecay


def message(*overrides: str, config: str | Path = "default") -> str:
    with pytest.raises(sim.ScenarioError) as caught:
        sim.load(*overrides, config=config)
    text = str(caught.value)
    assert "Traceback" not in text
    return text


def file_in(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


BASED_ON_DEFAULT = "defaults: [default, _self_]\n"

UNKNOWN_KEYS = {
    "atomation=0.5": ["atomation", "0.5", "did you mean 'automation'?"],
    "+atomation=0.5": ["atomation", "0.5", "did you mean 'automation'?"],
    "pipeline.step.train.run_h=3": ["pipeline.step: ", "did you mean 'steps'?"],
    "pipeline.steps.train.runh=3": ["pipeline.steps.train.runh", "3", "did you mean 'run_h'?"],
    "pipeline.steps.train.run_h.meen=3": ["train.run_h.meen", "3", "did you mean 'mean'?"],
    "pipeline.steps.train.adds.modle.manual=0.1": ["train.adds.modle", "did you mean 'model'?"],
    "services.model.data.corruption.schemata=1": ["data.corruption.schemata", "mean 'schema'?"],
    "practise/testing=full": ["practise/testing", "full"],
}

WRONG_TYPES = {
    "automation=much": ["automation", "'much'", "number"],
    "automation=true": ["automation", "true", "number"],
    "automation='0.5'": ["automation", "'0.5'", "number"],
    "automation=null": ["automation", "null", "number"],
    "replications=2.5": ["replications", "2.5", "integer"],
    "teams.product.people.data_scientist=many": ["people.data_scientist", "'many'", "integer"],
    "changes.feature.defects.code=true": ["changes.feature.defects.code", "true", "number"],
    "services=5": ["services", "5", "mapping"],
    "pipeline.steps.train=5": ["pipeline.steps.train", "5", "mapping"],
    "pipeline.steps.train.skipped_by=fix": ["pipeline.steps.train.skipped_by", "'fix'", "list"],
    "pipeline.steps.train.run_h=long": ["pipeline.steps.train.run_h", "'long'", "number", "dist"],
    "pipeline.steps.train.run_h=null": ["pipeline.steps.train.run_h", "null", "number", "dist"],
    "pipeline.steps.train.run_h.mean=true": ["pipeline.steps.train.run_h.mean", "true", "number"],
    "pipeline.steps.train.run_h.dist=lognormall": ["lognormall", "did you mean 'lognormal'?"],
    "services.model.quality.decay.shape=square": ["decay.shape", "'square'", "linear", "plateau"],
    "pipeline.steps.train.effect=train_model": ["train.effect", "did you mean 'trains_model'?"],
    "pipeline.steps.train.run_h={dist: [gamma]}": [
        "run_h.dist",
        "['gamma']",
        "did you mean 'gamma'?",
    ],
    "services.model.quality.decay={shape: [linear]}": [
        "decay.shape",
        "['linear']",
        "mean 'linear'?",
    ],
    "services=[a, b]": ["services", "list", "mapping"],
    "working_hours.days=[mon,tuesday]": ["working_hours.days.1", "did you mean 'tue'?"],
}

OUT_OF_RANGE = {
    "automation=1.5": ["automation", "1.5", "less than or equal to 1"],
    "automation=nan": ["automation", "nan", "finite"],
    "seed=-1": ["seed", "-1", "greater than or equal to 0"],
    "replications=0": ["replications", "0", "greater than or equal to 1"],
    "n_jobs=0": ["n_jobs", "0", "-1"],
    "teams.product.people.data_scientist=-1": ["people.data_scientist", "-1", "or equal to 0"],
    "pipeline.steps.train.fails=1": ["pipeline.steps.train.fails", "1", "0.95"],
    "pipeline.steps.train.run_h=-3": ["pipeline.steps.train.run_h", "-3", "or equal to 0"],
    "pipeline.steps.train.run_h.mean=0": [
        "pipeline.steps.train.run_h.mean",
        "0",
        "or equal to 0.000000001",
    ],
    "pipeline.steps.train.run_h.cv=1e200": ["train.run_h.cv", "1e+200", "or equal to 100"],
    "changes.improvement.interarrival_h=0": ["improvement.interarrival_h", "0 h", "0.001 h or"],
    "changes.feature.exploration_h.mean=1e-9": ["feature.exploration_h", "1e-09", "0.001 h or"],
    "services.model.time_to_outage_h.mean=1e-9": ["time_to_outage_h", "1e-09", "0.001 h or"],
    "services.model.retraining.every_h=1e-7": ["retraining.every_h", "1e-07", "or equal to 0.001"],
    "pipeline.steps.verify.adds={code: {manual: 1}}": ["verify.adds", "after deployment"],
    "working_hours.opens=18": ["working_hours", "opens: 18", "closes: 17", "opens < closes"],
    "compute.gpu.slots=0": ["compute.gpu", "slots: 0", "slots >= 1"],
    "services.model.quality.objective=0.95": ["objective: 0.95", "objective < initial"],
    "name='two words'": ["name", "'two words'", "letter"],
    f"name={'x' * 300}": ["name", "'xxx", "...", "up to 99 letters"],
    "pipeline.steps.train.run_h=1e300": ["train.run_h", "1e+300", "or equal to 1000000000"],
    "pipeline.steps.train.run_h.mean=1e10": ["train.run_h.mean", "or equal to 1000000000"],
    "pipeline.steps.train.run_h.mean=1e-300": ["train.run_h.mean", "1e-300", "0.000000001"],
    "compute.gpu.checkpoint_every_h=1e-300": ["gpu.checkpoint_every_h", "1e-300", "0.001"],
    "working_hours.focus=1e-9": ["working_hours.focus", "1e-09", "or equal to 0.01"],
    "working_hours.closes=9.0000001": ["opens: 9", "closes: 9.0000001", "0.01 h between them"],
    "dependencies.hidden_diagnosis=1e300": ["hidden_diagnosis", "1e+300", "or equal to 1000"],
    "cost.downtime_per_h=1e300": ["cost.downtime_per_h", "1e+300", "or equal to 1000000000"],
    "+precision.half_width.lead_time_h=1e300": ["half_width.lead_time_h", "1e+300", "1000000000"],
    "+precision.half_width.lead_time_h=0%": ["half_width.lead_time_h", "'0%'", "above 0"],
}

REFERENCES = {
    "pipeline.steps.train.returns_to=bild_features": [
        "pipeline.steps.train.returns_to",
        "'bild_features'",
        "did you mean 'build_features'?",
    ],
    "pipeline.steps.train.returns_to=deploy": ["train.returns_to", "after 'train'", "ingest"],
    "pipeline.steps.train.role=data_scientits": [
        "pipeline.steps.train.role",
        "team 'product' has no 'data_scientits'",
        "did you mean 'data_scientist'?",
    ],
    "changes.feature.author=data_scientits": ["changes.feature.author", "mean 'data_scientist'?"],
    "incidents.on_call=[operation]": ["incidents.on_call", "did you mean 'operations'?"],
    "services.model.upstream=[modle]": ["services.model.upstream", "'modle'", "mean 'model'?"],
    "services.model.team=prodct": ["services.model.team", "'prodct'", "did you mean 'product'?"],
    "pipeline.steps.train.compute=gpus": ["pipeline.steps.train.compute", "'gpus'", "mean 'gpu'?"],
    "~pipeline.steps.deploy": ["pipeline.steps", "effect: deploys"],
    "pipeline.steps.verify.effect=takes_data": [
        "pipeline.steps.verify.effect",
        "takes data after 'train' has trained",
        "before",
    ],
}

MISSPELT_NAMES = {
    "pipeline.steps.trian.run_h=3": ["pipeline.steps.trian", "did you mean 'train'?"],
    "teams.produkt.count=2": ["teams.produkt", "did you mean 'product'?"],
    "services.modle.count=2": ["services.modle", "did you mean 'model'?"],
    "compute.gpus.slots=2": ["compute.gpus", "did you mean 'gpu'?"],
    "teams.product.people.ml_engineers=2": ["people.ml_engineers", "did you mean 'ml_engineer'?"],
    "~pipeline.steps.trian": ["pipeline.steps.trian", "is not in this scenario"],
}

NO_EFFECT = {
    "pipeline.steps.train.run_h.low=3": ["train.run_h.low", "3", "dist: lognormal", "mean, cv"],
    "+pipeline.steps.train.run_h.low=3": ["train.run_h.low", "3", "dist: lognormal", "mean, cv"],
    "services.model.quality.decay.half_life_weeks=3": [
        "services.model.quality.decay.half_life_weeks",
        "3",
        "shape: linear",
        "loss_per_week",
    ],
    "~automation=0.5": ["automation", "another value", "~automation"],
    "+seed=3": ["seed", "already", "leave out the +"],
}

EMPTY = {
    "~teams.product": ["teams", "is empty", "at least one"],
    "~services": ["services", "is missing"],
    "services={}": ["services", "{}", "~services.NAME", "model"],
    "pipeline.steps={}": ["pipeline.steps", "{}", "~pipeline.steps.NAME", "ingest"],
    "working_hours.days=[]": ["working_hours.days", "is empty", "at least one"],
}

UNREADABLE = {
    "automation": ["automation", "key=value"],
    "=3": ["=3", "key=value"],
    "pipeline.steps.train.run_h={mean: ": ["pipeline.steps.train.run_h", "key=value"],
    "seed=3,4": ["seed=3,4", "several values", "-m"],
    "seed=range(1,3)": ["seed=range(1,3)", "several values", "-m"],
    "hydra/launcher=basics": ["hydra/launcher", "'basics'", "did you mean 'basic'?"],
    "automation=???": ["automation", "no value", "automation=..."],
    "automation=${standardisation}": [
        "automation",
        "'standardisation'",
        "did you mean 'standardization'?",
    ],
    "automation=${unknown_resolver:1}": ["automation", "unknown_resolver"],
}


CASES = (
    UNKNOWN_KEYS
    | WRONG_TYPES
    | OUT_OF_RANGE
    | REFERENCES
    | MISSPELT_NAMES
    | NO_EFFECT
    | EMPTY
    | UNREADABLE
)


@pytest.mark.parametrize(("override", "parts"), CASES.items(), ids=CASES)
def test_the_message_names_key_value_and_what_is_allowed(override: str, parts: list[str]) -> None:
    text = message(override)
    assert text.count("\n") == 0
    for part in parts:
        assert part in text


@pytest.mark.parametrize("weeks", [26, 20])
def test_a_horizon_within_the_warm_up(weeks: int) -> None:
    text = message(f"horizon_weeks={weeks}", "warmup_weeks=26")
    assert text == f"horizon_weeks: {weeks} is not longer than warmup_weeks=26; use at least 27"


def test_every_mistake_is_named_up_to_five() -> None:
    text = message("automation=2", "seed=-1", "standardization=yess")
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "seed",
        "automation",
        "standardization",
    ]
    names = ("seed", "automation", "standardization", "replications", "horizon_weeks", "n_jobs")
    text = message(*(f"{name}=wrong" for name in names), "warmup_weeks=wrong")
    assert len(text.splitlines()) == 6
    assert text.endswith("... and 2 more")


@pytest.mark.parametrize(
    ("services", "steps", "where"),
    [
        ("{}", "{go: {effect: deploys}}", "services"),
        ("{a: {team: a}}", "{}", "pipeline.steps"),
    ],
)
def test_a_file_with_nothing_where_something_is_needed(
    services: str, steps: str, where: str, tmp_path: Path
) -> None:
    text = f"""
        name: a
        teams: {{a: {{people: {{}}}}}}
        services: {services}
        pipeline: {{steps: {steps}}}
    """
    path = file_in(tmp_path, textwrap.dedent(text))
    assert message(config=path) == f"{where}: is empty; at least one is needed"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name: [a\nb: {", ["mine.yaml, line 2", "not valid YAML"]),
        ("name: a\n\tb: 1", ["mine.yaml, line 2", "not valid YAML", r"'\t'"]),
        ("name: a\nname: b", ["mine.yaml, line 2", "duplicate key name"]),
        ("name: a\0", ["config", "not valid YAML", "#x0000"]),
        ("- a\n- b", ["config", "mapping"]),
        ("3", ["config", "mapping"]),
        ("defaults: default", ["defaults", "must be a list", "[default, _self_]"]),
        ("defaults: [3]", ["defaults", "int", "[default, _self_]"]),
        ("defaults: [mine, _self_]", ["defaults", "builds on itself"]),
        (BASED_ON_DEFAULT + "~: 3", ["config", "NoneType"]),
        (BASED_ON_DEFAULT + "services: [a]", ["'mine'", "list", "keys and values"]),
        (BASED_ON_DEFAULT + "services: {1: {team: product}}", ["services.1", "is not a name"]),
        ("", ["name: is missing", "teams: is missing", "services: is missing"]),
        ("name: ???\nseed: 1", ["name: has no value", "name=..."]),
        (BASED_ON_DEFAULT + "seed: ${sead}", ["seed", "'sead'", "did you mean 'seed'?"]),
        (BASED_ON_DEFAULT + "seed: ${nothing.there}", ["seed", "'nothing.there'"]),
        (BASED_ON_DEFAULT + "seeds: 3", ["seeds", "3", "did you mean 'seed'?"]),
        (BASED_ON_DEFAULT + "teams: null", ["teams", "null", "mapping"]),
        (BASED_ON_DEFAULT + "teams: {my team: {people: {}}}", ["'my team' is not a name"]),
        ("defaults: [defalt, _self_]", ["defalt", "did you mean 'default'?"]),
    ],
)
def test_files_that_cannot_be_used(text: str, parts: list[str], tmp_path: Path) -> None:
    found = message(config=file_in(tmp_path, text))
    for part in parts:
        assert part in found


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: café".encode("latin-1"))
    assert "UTF-8" in message(config=path)


def test_unknown_scenarios(tmp_path: Path) -> None:
    assert "did you mean 'default'?" in message(config="defalt")
    assert "did you mean 'verification/mm1'?" in message(config="verification/mm11")
    assert message(config=tmp_path / "not.yaml") == f"{tmp_path / 'not.yaml'}: no such file"


def test_a_file_with_the_other_ending(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("defaults: [default]", encoding="utf-8")
    assert message(config=path) == f"{path}: its name must end in .yaml"


@pytest.mark.parametrize("defaults", ["[default]", "[default, _self_]"])
def test_a_file_elsewhere_builds_on_the_default(defaults: str, tmp_path: Path) -> None:
    text = f"""
        defaults: {defaults}
        automation: 0.77
        services: {{model: {{quality: {{decay: {{shape: exponential, half_life_weeks: 40}}}}}}}}
        pipeline: {{steps: {{train: {{run_h: {{dist: exponential, mean: 3}}}}}}}}
    """
    path = file_in(tmp_path, textwrap.dedent(text))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scenario = sim.load("standardization=0.1", config=path)
    assert (scenario.automation, scenario.standardization) == (0.77, 0.1)
    decay = scenario.services["model"].quality.decay
    assert decay == ExponentialDecay(shape="exponential", half_life_weeks=40)
    run_h = scenario.pipeline.steps["train"].run_h
    assert run_h.model_dump() == {"dist": "exponential", "mean": 3}
    default = sim.load()
    assert scenario.teams == default.teams
    assert list(scenario.pipeline.steps) == list(default.pipeline.steps)


@pytest.mark.parametrize("name", ["two words", "copy (1), of=mine", "[a] {b}", "Bob's"])
def test_folders_may_have_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, own = tmp_path / name / "scenarios", tmp_path / name / "own"
    shutil.copytree(load.SCENARIOS, shipped)
    own.mkdir()
    monkeypatch.setattr(load, "SCENARIOS", shipped)
    path = file_in(own, "defaults: [default]\nautomation: 0.77")
    assert sim.load(config=path).automation == 0.77


def test_names_can_be_added_on_purpose() -> None:
    scenario = sim.load("+teams.platform.people.operations=1", "+compute.tpu.slots=2")
    assert scenario.teams["platform"].people == {"operations": 1}
    assert scenario.compute["tpu"].slots == 2


def test_keys_at_their_default_can_be_set_without_a_plus() -> None:
    scenario = sim.load("pipeline.max_attempts=3", "services.model.quality.speed=2")
    assert scenario.pipeline.max_attempts == 3
    assert scenario.services["model"].quality.speed == 2


def test_the_error_survives_pickling() -> None:
    error = ScenarioError([Problem("a.b", "is wrong", "try c"), Problem("d", "is wrong too")])
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, ScenarioError)
    assert copy.problems == error.problems
    assert str(copy) == str(error) == "a.b: is wrong; try c\nd: is wrong too"


def test_drift_that_every_new_model_has_is_refused() -> None:
    with pytest.raises(sim.ScenarioError, match=r"margin.*initial"):
        sim.load("services.model.retraining.trigger=drift", "services.model.retraining.margin=0.2")


def test_whoever_may_have_to_roll_back_has_to_be_there() -> None:
    overrides = ["++incidents.rollback={available: 1, effort_h: 1}"]
    sim.load(*overrides, config="verification/mm1")  # no defect, no rollback
    with pytest.raises(sim.ScenarioError, match=r"responses\.infra\.role: .*'operations'"):
        sim.load(*overrides, "changes.feature.defects={infra: 0.1}", config="verification/mm1")


def test_an_author_of_retrainings_is_needed_without_a_trigger_too() -> None:
    with pytest.raises(sim.ScenarioError, match=r"changes\.retrain\.author"):
        sim.load("changes.retrain.rework_h=3", config="verification/mm1")
