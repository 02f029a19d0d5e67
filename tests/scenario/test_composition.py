"""What is composed is what Hydra makes, and is made anew when a file has changed."""

import re
import shutil
from pathlib import Path

import hydra
import pytest
from omegaconf import DictConfig, OmegaConf

import sim
from sim.configuration.composition import compose, shipped
from sim.configuration.problems import COMPOSITION_ERRORS
from sim.scenario.distributions import Constant
from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS


def by_hydra(overrides: tuple[str, ...]) -> DictConfig:
    with hydra.initialize_config_dir(str(SCENARIOS), version_base="1.3"):
        return hydra.compose("default", list(overrides))


VALUES = [
    (),
    ("++automation=0.5",),
    ("++automation=0.5", "++automation=0.25", "++seed=7"),
    ("++description='a b, c'", '++description="${seed}"'),
    ("++name=${seed}",),
    ("++standardization=null", "++automation=true"),
    ("++people.ops.pools.ops.size=4",),
    ("++pipeline.steps.build={run_h: 0.5}", "++pipeline.steps.build.run_h=0.75"),
    ("++roadmap=[]",),
    ("++not.there.at_all=1",),
    ("++seed=3", "practice/testing=full", "organization=scaleup", "++horizon_weeks=9"),
    ("organization=enterprise", "practice/testing=none", "++practices.testing=full"),
    ("~practice/testing", "++automation=1"),
    ("++automation=1", "~automation"),
    ("+brand_new=3", "++brand_new=4"),
    ("++hydra.job.name=x", "++automation=0"),
    ("~teams.product.people", "+teams.product.people={operations: 3}"),
    ("~teams.product.people", "++teams.product.people.operations=3", "~teams.product.count"),
    ("+changes.feature.author=operations", "practice/testing=full", "practice/testing=none"),
    ("++working_hours.days.1=sat", "++working_hours.days=[mon]", "++working_hours.days.0=sun"),
]


@pytest.mark.parametrize("overrides", VALUES, ids=" ".join)
def test_it_is_what_hydra_composes(overrides: tuple[str, ...]) -> None:
    afresh = by_hydra(overrides)
    for _ in range(2):  # made, and kept
        kept = compose(shipped("default"), overrides)
        assert OmegaConf.to_yaml(kept) == OmegaConf.to_yaml(afresh)
        resolved = OmegaConf.to_container(kept, resolve=True)
        assert resolved == OmegaConf.to_container(afresh, resolve=True)


@pytest.mark.parametrize(
    "overrides",
    [
        ("++practice=x",),
        ("++hydra/launcher=basic",),
        ("++description='${'",),
        ("++automation=1,2",),
        ("organization=giant",),
        ("++seed@x=1",),
        ("+automation=1",),
        ("~automation=7",),
    ],
    ids=" ".join,
)
def test_it_refuses_what_hydra_refuses_in_the_same_words(overrides: tuple[str, ...]) -> None:
    with pytest.raises(COMPOSITION_ERRORS) as afresh:
        by_hydra(overrides)
    with pytest.raises(type(afresh.value)) as kept:
        compose(shipped("default"), overrides)
    assert str(kept.value) == str(afresh.value)


def test_what_a_choice_refers_to_is_looked_up_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for organization, team in (("startup", "founders"), ("midsize", "product")):
        monkeypatch.setenv("A_PRESET", organization)
        assert set(sim.load("organization=${oc.env:A_PRESET}").teams) == {team}


def test_a_value_is_set_in_a_copy() -> None:
    before = sim.load()
    assert sim.load("automation=0.123").automation == 0.123
    assert sim.load() == before


def test_files_that_have_changed_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scenarios"
    shutil.copytree(SCENARIOS, folder)
    monkeypatch.setattr("sim.configuration.composition.SCENARIOS", folder)
    own = folder / "mine.yaml"
    own.write_text("defaults: [default, _self_]\nautomation: 0.25\n")
    assert sim.load("seed=4", config="mine").automation == 0.25
    own.write_text("defaults: [default, _self_]\nautomation: 0.75\n")
    assert sim.load("seed=4", config="mine").automation == 0.75


def mini(folder: Path, more: str = "") -> Path:
    """Write the scenario `mini.yaml`, whose organization is small."""
    path = folder / "mini.yaml"
    path.write_text(MINI + more, encoding="utf-8")
    return path


MINI = """\
name: mini
replications: 2
seed: 1
horizon_weeks: 2
n_jobs: 1
working_hours: {always: true}
teams: {team: {people: {ml_engineer: 1, operations: 1}}}
services: {service: {team: team}}
changes: {feature: {author: ml_engineer, arrivals: open, interarrival_h: 10}}
pipeline:
  steps:
    build: {role: ml_engineer, effort_h: 1}
    deploy: {role: operations, effort_h: 1, effect: deploys}
"""


@pytest.mark.parametrize(
    ("overrides", "people"),
    [
        (("people={ml_engineer:2}", "people={operations:3}"), {"ml_engineer": 2, "operations": 3}),
        (("people={operations: 3}", "people.operations=4"), {"ml_engineer": 1, "operations": 4}),
        (("people.operations=4", "people={operations: 3}"), {"ml_engineer": 1, "operations": 3}),
        (("people.operations=4", "people.operations=5"), {"ml_engineer": 1, "operations": 5}),
    ],
)  # fmt: skip
def test_overrides_of_one_key_are_applied_in_their_order(
    overrides: tuple[str, ...], people: dict[str, int], tmp_path: Path
) -> None:
    words = [f"teams.team.{override}" for override in overrides]
    assert sim.load(*words, config=mini(tmp_path)).teams["team"].people == people


def test_what_is_removed_can_be_added_anew(tmp_path: Path) -> None:
    words = ("~teams.team.people", "+teams.team.people={ml_engineer: 3, operations: 1}")
    people = sim.load(*words, config=mini(tmp_path)).teams["team"].people
    assert people == {"ml_engineer": 3, "operations": 1}


REFERS = """\
incidents:
  on_call: [operations]
  responses:
    infra: {role: ml_engineer, diagnosis_h: 2, repair_h: 5}
    security: ${incidents.responses.infra}
"""
INFRA, SECURITY = ("incidents.responses.infra", "incidents.responses.security")


@pytest.mark.parametrize(
    ("overrides", "infra", "security"),
    [
        ((f"{SECURITY}.repair_h=8",), (2, 5), (2, 8)),
        ((f"+{SECURITY}.repair_h=8",), (2, 5), None),  # it is there already
        ((f"++{SECURITY}.repair_h=8",), (2, 5), (2, 8)),
        ((f"{SECURITY}={{repair_h: 8}}",), (2, 5), (2, 8)),
        (("incidents.responses={security: {repair_h: 8}}",), (2, 5), (2, 8)),
        ((f"{INFRA}.repair_h=8",), (2, 8), (2, 8)),
        ((f"{INFRA}.repair_h=8", f"{SECURITY}.repair_h=9"), (2, 8), (2, 9)),
        ((f"{SECURITY}.repair_h=9", f"{INFRA}.repair_h=8"), (2, 8), (2, 9)),
    ],
)
def test_a_part_of_a_block_that_refers_to_another_can_be_set(
    overrides: tuple[str, ...],
    infra: tuple[int, int],
    security: tuple[int, int] | None,
    tmp_path: Path,
) -> None:
    path = mini(tmp_path, REFERS)
    if security is None:
        with pytest.raises(sim.ScenarioError, match="leave out the"):
            sim.load(*overrides, config=path)
        return
    responses = sim.load(*overrides, config=path).incidents.responses
    for response, (diagnosis_h, repair_h) in (
        (responses.infra, infra),
        (responses.security, security),
    ):
        assert response.role == "ml_engineer"
        assert response.diagnosis_h == Constant(dist="constant", value=diagnosis_h)
        assert response.repair_h == Constant(dist="constant", value=repair_h)


def test_what_is_removed_from_a_block_that_refers_to_another_stays_in_the_other(
    tmp_path: Path,
) -> None:
    responses = sim.load(f"~{SECURITY}.role", config=mini(tmp_path, REFERS)).incidents.responses
    assert (responses.infra.role, responses.security.role) == ("ml_engineer", "operations")
    assert responses.infra.repair_h == responses.security.repair_h


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("~working_hours.days.0", "working_hours.days: place 0 of a list cannot be removed; set"),
        ("~working_hours.days.7", "working_hours.days: place 7 of a list cannot be removed; set"),
        ("working_hours.days.5=sat", "working_hours.days: there is no place '5'; the list has pl"),
        ("working_hours.days.x=sat", "working_hours.days: there is no place 'x'; the list has pl"),
        ("~services.model.upstream.0", "services.model.upstream: place 0 of a list cannot be rem"),
        ("~name", "name: is missing; required here"),
        ("~services.model.team", "services.model.team: is missing; required here"),
        ("~pipeline.steps.train.run_h.mean", "pipeline.steps.train.run_h.mean: is missing; requ"),
        ("~pipeline.steps.train.run_h.dist", "pipeline.steps.train.run_h: needs `dist`; one of "),
        ("~organization", "teams: is missing; required here"),
        ("~practice", "practice: is a folder of groups"),
        ("~practice/tests", "practice/tests: is not in this scenario, so that it cannot be remov"),
        ("~automation.mean", "automation.mean: is not in this scenario, so that it cannot be rem"),
        ("~seed=3", "seed: has another value; ~seed removes it whatever its value"),
    ],
)  # fmt: skip
def test_what_cannot_be_removed(override: str, said: str) -> None:
    with pytest.raises(sim.ScenarioError) as caught:
        sim.load(override)
    assert str(caught.value).startswith(said)


ONLY_WHAT_IS_SET = "a reference needs a key that a file or an override sets"


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("working_hours.always", ONLY_WHAT_IS_SET),
        ("pipeline.steps.trian.automation", ONLY_WHAT_IS_SET),
        ("automatoin", "did you mean 'automation'?"),
    ],
)
def test_what_cannot_be_referred_to(reference: str, hint: str) -> None:
    with pytest.raises(sim.ScenarioError, match=re.escape(hint)) as said:
        sim.load(f"incidents.failover.available=${{{reference}}}")
    assert str(said.value).startswith("incidents.failover.available: no key '")


@pytest.mark.parametrize("function", ["choice(null,0,1)", "shuffle(0,null)"])
def test_what_hydra_cannot_give_to_a_function_has_a_remedy(function: str) -> None:
    with pytest.raises(ScenarioError) as error:
        sim.load(f"pipeline.steps.deploy.automation={function}")
    key = "pipeline.steps.deploy.automation"
    assert str(error.value) == f"{key}: no function takes null; list the values: {key}=null,..."
