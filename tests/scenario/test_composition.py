"""Compositions that are kept are what Hydra makes, and are made anew when a file has changed."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import sim
from sim.scenario import composition
from sim.scenario.composition import SCENARIOS, compose
from sim.scenario.load import COMPOSITION_ERRORS

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
]


@pytest.mark.parametrize("overrides", VALUES, ids=" ".join)
def test_it_is_what_hydra_composes(overrides: tuple[str, ...]) -> None:
    afresh = composition._by_hydra(SCENARIOS, "default", overrides)
    for _ in range(2):  # made, and kept
        kept = compose(SCENARIOS, "default", overrides)
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
    ],
    ids=" ".join,
)
def test_it_refuses_what_hydra_refuses_in_the_same_words(overrides: tuple[str, ...]) -> None:
    with pytest.raises(COMPOSITION_ERRORS) as by_hydra:
        composition._by_hydra(SCENARIOS, "default", overrides)
    with pytest.raises(type(by_hydra.value)) as kept:
        compose(SCENARIOS, "default", overrides)
    assert str(kept.value) == str(by_hydra.value)


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
    for module in ("composition", "load"):
        monkeypatch.setattr(f"sim.scenario.{module}.SCENARIOS", folder)
    own = folder / "mine.yaml"
    own.write_text("defaults: [default, _self_]\nautomation: 0.25\n")
    assert sim.load("seed=4", config="mine").automation == 0.25
    own.write_text("defaults: [default, _self_]\nautomation: 0.75\n")
    assert sim.load("seed=4", config="mine").automation == 0.75
