"""``python -m sim -m`` as a person meets it: Hydra's habits, the folder, faults and Ctrl-C."""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hydra
import pandas as pd
import pytest
import yaml
from processes import PATIENCE_S, finished_replications, interrupt

import sim
from sim.app import main
from sim.experiment.axes import Axis
from sim.experiment.store import DiskError, Store
from sim.experiment.sweep import STORE, TABLE
from sim.experiment.sweep_table import INCIDENTS
from sim.report.sweep_folder import _write_scenarios
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

TINY = ("--config-name=verification/mm1", "horizon_weeks=5", "warmup_weeks=1", "replications=2")
ONE = "n_jobs=1"


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    return done.value.code


def swept(
    monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[Sequence[Axis], list[Scenario], Variants]:
    """Return the axes of a command line and the scenarios of its points, without running them."""
    return looked_at(monkeypatch, "-m", *arguments)


def looked_at(
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    look: Callable[[Variants], object] = lambda _: None,
) -> tuple[Sequence[Axis], list[Scenario], Variants]:
    """The same for a whole command line; ``look`` is called while Hydra is still there."""
    seen: list[tuple[Sequence[Axis], list[Scenario], Variants]] = []

    def instead(axes: Sequence[Axis], variants: Variants, *_: object) -> None:
        points = [variants.scenario(point) for point in range(len(variants))]
        seen.append((axes, points, variants))
        look(variants)

    monkeypatch.setattr("sim.app._sweep", instead)
    assert status(*arguments) == 0
    (found,) = seen
    return found


# Points are what Hydra would make of them

STEP = "pipeline.steps.train"
TRAIN_H = f"{STEP}.run_h"


@pytest.mark.parametrize(
    ("fixed", "words", "points"),
    [
        pytest.param(
            ["standardization=0.3"],
            ["automation=0,0.5", "practice/testing=none,full"],
            [["automation=0", "practice/testing=none"], ["automation=0", "practice/testing=full"],
             ["automation=0.5", "practice/testing=none"],
             ["automation=0.5", "practice/testing=full"]],
            id="groups and values",
        ),
        pytest.param(
            [],
            ["practice/cicd=none,full", f"{TRAIN_H}.mean=choice(4)",
             "organization=startup,midsize"],
            [[f"practice/cicd={c}", f"{TRAIN_H}.mean=4", f"organization={o}"]
             for c in ("none", "full") for o in ("startup", "midsize")],
            id="two groups and a value deep inside", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], ["automation=range(0.1,0.5,0.1)"],
            [["automation=0.1"], ["automation=0.2"], ["automation=0.3"], ["automation=0.4"]],
            id="range",
        ),
        pytest.param(
            [], ["horizon_weeks=range(60,81,20)", "warmup_weeks=choice(10,20)"],
            [[f"horizon_weeks={h}", f"warmup_weeks={w}"] for h in (60, 80) for w in (10, 20)],
            id="range of whole numbers and choice", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], ["practice/testing=glob(*,exclude=v*)"],
            [[f"practice/testing={level}"] for level in ("none", "basic", "full")],
            id="glob", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], ["practice/testing=shuffle(none,basic,full)"],
            [[f"practice/testing={level}"] for level in ("none", "basic", "full")],
            id="shuffle: in order, as order changes nothing",
        ),
        pytest.param(
            [], ["automation=sort(0.5,0,1,reverse=true)"],
            [["automation=1"], ["automation=0.5"], ["automation=0"]],
            id="sort", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["description='a, b=c'"],
            ["pipeline.steps.deploy.role='operations',\"ml_engineer\",data_scientist"],
            [[f"pipeline.steps.deploy.role={role}"]
             for role in ("operations", "ml_engineer", "data_scientist")],
            id="quoted strings",
        ),
        pytest.param(
            [], [f"{TRAIN_H}=3,{{dist:exponential,mean:2}},{{dist:constant,value:5}}"],
            [[f"{TRAIN_H}=3"], [f"{TRAIN_H}={{dist:exponential,mean:2}}"],
             [f"{TRAIN_H}={{dist:constant,value:5}}"]],
            id="mappings",
        ),
        pytest.param(
            [], [f"{STEP}.skipped_by=[fix],[fix,improvement]"],
            [[f"{STEP}.skipped_by=[fix]"], [f"{STEP}.skipped_by=[fix,improvement]"]],
            id="lists", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["standardization=${automation}"], ["automation=0.2,0.7"],
            [["automation=0.2"], ["automation=0.7"]],
            id="an interpolation of what is swept",
        ),
        pytest.param(
            ["standardization=0.4"], ["automation=0.2,${standardization}"],
            [["automation=0.2"], ["automation=${standardization}"]],
            id="an interpolation is swept", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["~pipeline.steps.approve"], ["automation=0,1"],
            [["automation=0"], ["automation=1"]],
            id="a step is removed",
        ),
        pytest.param(
            [], ["+teams.second.people.ml_engineer=1,2"],
            [["+teams.second.people.ml_engineer=1"], ["+teams.second.people.ml_engineer=2"]],
            id="a new team", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["+experiment=jcurve"], ["automation=0.1,0.3"],
            [["automation=0.1"], ["automation=0.3"]],
            id="a roadmap", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["+experiment=jcurve"], ["practice/testing=none,full", f"{TRAIN_H}.mean=4,5"],
            [[f"practice/testing={level}", f"{TRAIN_H}.mean={mean}"]
             for level in ("none", "full") for mean in (4, 5)],
            id="a roadmap over groups", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["practice/testing=full"], ["maturity=google_0,google_2"],
            [["maturity=google_0"], ["maturity=google_2"]],
            id="presets", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["automation=0.3"], ["practice/cicd=none,full"],
            [["practice/cicd=none"], ["practice/cicd=full"]],
            id="a value counts more than a group", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], ["practice/testing=none,full", "pipeline.steps.unit_test.run_h.mean=1,2"],
            [[f"practice/testing={level}", f"pipeline.steps.unit_test.run_h.mean={mean}"]
             for level in ("none", "full") for mean in (1, 2)],
            id="a value that the groups set", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], ["practice/monitoring=none,full", "incidents.responses.model.monitored=0,0.5",
                 "working_hours.always=true,false"],
            [[f"practice/monitoring={level}", f"incidents.responses.model.monitored={share}",
              f"working_hours.always={always}"]
             for level in ("none", "full") for share in (0, 0.5) for always in ("true", "false")],
            id="a group and two values", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], ["teams.product.wip_limit=null,3"],
            [["teams.product.wip_limit=null"], ["teams.product.wip_limit=3"]],
            id="null", marks=pytest.mark.slow,
        ),
        pytest.param(
            ["+cost.compute_per_h.tpu=3"], ["cost.person_per_h=90,110"],
            [["cost.person_per_h=90"], ["cost.person_per_h=110"]],
            id="something is added to all points", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], [f"{TRAIN_H}={{dist:exponential,mean:3}},{{dist:exponential,mean:4}}",
                 f"{TRAIN_H}.mean=8,9"],
            [[f"{TRAIN_H}={{dist:exponential,mean:{a}}}", f"{TRAIN_H}.mean={b}"]
             for a in (3, 4) for b in (8, 9)],
            id="a mapping and a part of it", marks=pytest.mark.slow,
        ),
        pytest.param(
            [], [f"{TRAIN_H}.mean=6,12", "pipeline.steps.deploy.effort_h.mean=1,3"],
            [[f"{TRAIN_H}.mean={a}", f"pipeline.steps.deploy.effort_h.mean={b}"]
             for a in (6, 12) for b in (1, 3)],
            id="two steps",
        ),
        pytest.param(
            [f"{STEP}.automation=0.5", "pipeline.steps.deploy.automation=${data_validation}"],
            ["data_validation=0,0.5"],
            [["data_validation=0"], ["data_validation=0.5"]],
            id="a reference to a swept key",
        ),
        pytest.param(
            ["pipeline.steps.evaluate.automation=${pipeline.steps.train.automation}"],
            ["pipeline.steps.train.automation=0,0.5"],
            [["pipeline.steps.train.automation=0"], ["pipeline.steps.train.automation=0.5"]],
            id="a reference to a swept key that the files do not mention",
        ),
        pytest.param(
            ["~shared_people.platform"], ["organization=enterprise,scaleup"],
            [["organization=enterprise"], ["organization=scaleup"]],
            id="what is removed is there in the swept organizations only",
        ),
        pytest.param(
            [], ["pipeline.max_attempts=3,5"],
            [["pipeline.max_attempts=3"], ["pipeline.max_attempts=5"]],
            id="a key that the files do not mention",
        ),
    ],
)  # fmt: skip
def test_each_point_is_what_load_makes_of_its_overrides(
    fixed: list[str],
    words: list[str],
    points: list[list[str]],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, scenarios, variants = swept(monkeypatch, *fixed, *words)
    assert [sim.load(*fixed, *point) for point in points] == scenarios
    assert list(variants.keys) == [word.partition("=")[0].lstrip("+") for word in words]


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

PEOPLE = "teams.team.people"


@pytest.mark.parametrize(
    ("words", "people"),
    [
        ([f"{PEOPLE}={{ml_engineer:2}}", f"{PEOPLE}={{operations:3}}"], [(2, 3)]),
        ([f"{PEOPLE}={{operations:3}}", f"{PEOPLE}.operations=4,5"], [(1, 4), (1, 5)]),
        ([f"{PEOPLE}={{ml_engineer:2}},{{ml_engineer:4}}", f"{PEOPLE}={{operations:3}}"],
         [(2, 3), (4, 3)]),
        ([f"~{PEOPLE}", f"+{PEOPLE}={{ml_engineer:2,operations:1}},{{ml_engineer:1,operations:2}}"],
         [(2, 1), (1, 2)]),
        ([f"{PEOPLE}.operations=7", f"{PEOPLE}={{operations:3}},{{ml_engineer:3}}"],
         [(1, 3), (3, 7)]),
        ([f"{PEOPLE}.operations=7", f"{PEOPLE}.operations=8,9"], [(1, 8), (1, 9)]),
    ],
)  # fmt: skip
def test_overrides_of_one_key_are_all_applied_in_their_order(
    words: list[str],
    people: list[tuple[int, int]],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The team of the file has one ML engineer and one operator; each point changes some."""
    (here / "mini.yaml").write_text(MINI)
    _, points, _ = swept(monkeypatch, "--config-dir=.", "--config-name=mini", *words)
    teams = [point.teams["team"].people for point in points]
    assert [(team["ml_engineer"], team["operations"]) for team in teams] == people


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["automation=0,0"], "automation: automation=0 is listed twice; list it once"),
        (["automation=0,0.0"], "automation: 0 and 0.0 make the same scenario"),
        (["automation=0.5,0.5"], "automation: automation=0.5 is listed twice"),
        (["practice/testing=full,full"], "practice/testing: practice/testing=full is listed twice"),
        (["practice/testing=full,'full'"], "practice/testing: practice/testing=full is listed tw"),
        ([f"{TRAIN_H}={{dist:exponential,mean:2}},{{mean:2,dist:exponential}}"],
         f"{TRAIN_H}: {{dist:exponential,mean:2}} and {{mean:2,dist:exponential}} make the same"),
        (["automation=0,1", "automation=0.5"], "automation: 0 and 1 make the same scenario; list "),
        (["standardization=0.5", "automation=0.5,${standardization}"],
         "automation: 0.5 and '${standardization}' make the same scenario"),
        (["automation=0,1", "automation=0.5,0.25"], "automation: is swept twice; give all values "),
        (["teams.product.people={ml_engineer:2},{ml_engineer:3}",
          "teams.product.people={operations:3},{operations:4}"],
         "teams.product.people: is swept twice"),
        (["practice/testing=none,full", "+practice/testing=basic,full"], "is swept twice"),
        (["organization=enterprise,startup", "~shared_people.platform"],
         "shared_people.platform: is not in this scenario, so that it cannot be removed (at "
         "organization=startup)"),
        (["organization=midsize,startup", "teams.product.count=2"],
         "teams.product: is not in this scenario"),
        (["automation=0,1", "~working_hours.days.0"],
         "working_hours.days: place 0 of a list cannot be removed; set the whole list with"),
        (["automation=0,1", f"{TRAIN_H}.low=3"], f"{TRAIN_H}.low: 3 has no effect on dist"),
        (["automation=range(0,1,0)"], "automation: is no range"),
    ],
)  # fmt: skip
def test_what_a_run_would_refuse_or_could_not_be_told_apart_is_refused(
    words: list[str],
    said: str,
    here: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "sim.experiment.scheduler.Scheduler.run",
        lambda *_: pytest.fail("something would be simulated"),
    )
    assert status("-m", ONE, *words) == 2
    printed = capfd.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert list(here.iterdir()) == []


def test_two_steps_make_a_report(here: Path) -> None:
    """A sweep over two names of one mapping writes scenarios that can be loaded."""
    (here / "mini.yaml").write_text(MINI)
    words = ("pipeline.steps.build.effort_h=1,2", "pipeline.steps.deploy.effort_h=1,3")
    command = ("--config-dir=.", "--config-name=mini", "hydra.sweep.dir=mine")
    assert status("-m", *command, *words) == 0
    assert (here / "mine" / "report.html").exists()
    for point, (build, deploy) in enumerate([(1, 1), (1, 3), (2, 1), (2, 3)]):
        overrides = (words[0][:-3] + str(build), words[1][:-3] + str(deploy))
        written = sim.load(config=here / "mine" / "scenarios" / f"point-{point}.yaml")
        assert written == sim.load(*overrides, config=here / "mini.yaml")


def test_plain_values_are_composed_once_for_each_combination_of_groups(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed: list[object] = []
    compose = hydra.compose
    monkeypatch.setattr(
        "sim.configuration.composition.hydra.compose",
        lambda *a, **k: composed.append(a) or compose(*a, **k),
    )
    _, scenarios, _ = swept(
        monkeypatch,
        "practice/testing=none,full",
        "automation=range(0,1,0.1)",
        "standardization=0,1",
    )
    assert len(scenarios) == 2 * 10 * 2
    assert len(composed) == 2


def test_zip_and_the_first_value_of_everything_else(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("practice/testing=none,full", "automation=0.2,0.8")
    _, scenarios, _ = swept(monkeypatch, "design=zip", *words)
    assert scenarios == [
        sim.load("design=zip", "practice/testing=none", "automation=0.2"),
        sim.load("design=zip", "practice/testing=full", "automation=0.8"),
    ]


def test_an_interval_of_whole_numbers_and_one_of_others(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("teams.product.wip_limit=int(interval(1,4))", "automation=interval(0,1)")
    axes, scenarios, _ = swept(monkeypatch, "design=lhs", "samples=9", *words)
    assert [axis.values for axis in axes] == [
        sim.Interval(1, 4, whole=True),
        sim.Interval(0.0, 1.0),
    ]
    assert len(scenarios) == 9
    assert {scenario.teams["product"].wip_limit for scenario in scenarios} == {1, 2, 3, 4}


# Sweeps that are stored in a file

STORED = """\
# @package _global_
defaults:
  - override /practice/cicd: none
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      automation: 0, 0.5
      practice/testing: none, full
      pipeline.steps.train.run_h.mean: range(4, 5)
name: stored
engine: loky
n_jobs: 1
horizon_weeks: 30
"""


@pytest.fixture
def stored(here: Path) -> str:
    """The option that makes the experiments `stored` and `by_dask` known."""
    (here / "mine" / "experiment").mkdir(parents=True)
    (here / "mine" / "experiment" / "stored.yaml").write_text(STORED)
    by_dask = STORED.replace("engine: loky", "engine: dask\naddress: '127.0.0.1:1'")
    (here / "mine" / "experiment" / "by_dask.yaml").write_text(by_dask)
    return "--config-dir=mine"


def loaded(*overrides: str) -> Scenario:
    own = ("practice/cicd=none", "name=stored", "engine=loky", "n_jobs=1", "horizon_weeks=30")
    return sim.load(*own, *overrides)


def test_a_stored_sweep(stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, points, _ = looked_at(monkeypatch, stored, "+experiment=stored")
    assert points == [
        loaded(f"automation={a}", f"practice/testing={t}", f"{TRAIN_H}.mean=4")
        for a in (0, 0.5)
        for t in ("none", "full")
    ]


def test_the_command_line_goes_before_a_stored_sweep(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (stored, "+experiment=stored", "automation=0.9", "practice/testing=basic,full")
    _, points, _ = looked_at(monkeypatch, *arguments, "seed=5")
    assert points == [
        loaded("automation=0.9", f"practice/testing={t}", f"{TRAIN_H}.mean=4", "seed=5")
        for t in ("basic", "full")
    ]


def test_the_engine_of_a_stored_sweep_is_used(
    stored: str, here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.experiment.engines._CONNECT_TIMEOUT_S", 1)
    assert status(stored, "+experiment=by_dask") == 2
    assert "address: no dask cluster answers at '127.0.0.1:1'" in capfd.readouterr().err
    assert [path.name for path in here.iterdir()] == ["mine"]


def test_the_scenario_of_a_stored_sweep_can_be_printed(
    stored: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status(stored, "+experiment=stored", "--cfg", "job") == 0
    printed = yaml.safe_load(capfd.readouterr().out)
    assert printed["name"] == "stored"
    assert printed["horizon_weeks"] == 30
    assert [path.name for path in here.iterdir()] == ["mine"]


@pytest.mark.parametrize("words", ["stored,plain", "plain,stored"])
def test_a_stored_sweep_among_choices_is_refused(
    words: str, stored: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own axes would be lost at its points, or taken by those of the other."""
    plain = here / "mine" / "experiment" / "plain.yaml"
    plain.write_text("# @package _global_\nautomation: 0.4\n")
    assert status("-m", stored, f"+experiment={words}", ONE) == 2
    said = capfd.readouterr().err
    assert "the stored sweep alone" in said
    assert "sweep" in said.partition(";")[0]
    assert [path.name for path in here.iterdir()] == ["mine"]


def test_several_files_that_store_the_same_sweep_are_refused(
    stored: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Their points would be the same scenarios, compared with each other."""
    folder = here / "mine" / "experiment"
    (folder / "copy.yaml").write_text((folder / "stored.yaml").read_text() + "\npng: true\n")
    assert status("-m", stored, "+experiment=stored,copy", ONE, "hydra.sweep.dir=out") == 2
    said = capfd.readouterr().err
    assert said.startswith("experiment: a file that stores a sweep cannot be one of several")
    assert not (here / "out").exists()


def test_stored_values_keep_all_their_digits(
    stored: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = STORED.replace("automation: 0, 0.5", "automation: [0.123456789, 0.5]")
    (here / "mine" / "experiment" / "stored.yaml").write_text(text)
    _, points, _ = looked_at(monkeypatch, stored, "+experiment=stored")
    assert {point.automation for point in points} == {0.123456789, 0.5}


# Files of one's own folder


def own_level(here: Path, level: str, automation: float) -> None:
    """Write a level of the practice `testing` into a folder of one's own."""
    path = here / "mine" / "practice" / "testing" / f"{level}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"# @package _global_\npractices: {{testing: {level}}}\nautomation: {automation}\n"
    )


@pytest.mark.parametrize("level", ["special", "full"])
def test_a_level_of_ones_own_goes_before_one_that_comes_with_the_package(
    level: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_level(here, level, 0.321)
    words = ("--config-dir=mine", f"practice/testing=basic,{level}")
    _, points, _ = looked_at(monkeypatch, "-m", *words)
    assert [point.automation for point in points] == [0.1, 0.321]
    seen: list[Scenario] = []
    monkeypatch.setattr("sim.app._simulate", lambda scenario: sys.exit(seen.append(scenario)))
    assert status("--config-dir=mine", f"practice/testing={level}") is None
    assert seen == points[1:]
    assert sim.load().automation == 0.1  # the folder is searched by that command only


def test_a_level_of_ones_own_in_a_roadmap(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_level(here, "special", 0.321)
    (here / "mine" / "road.yaml").write_text(
        "defaults: [default, _self_]\n"
        "roadmap: [{practice: testing, level: special, start_week: 40}]\n"
    )
    (item,) = sim.load(config=here / "mine" / "road.yaml").roadmap
    assert item.brings["automation"] == 0.321
    seen: list[Scenario] = []
    monkeypatch.setattr("sim.app._simulate", lambda scenario: sys.exit(seen.append(scenario)))
    assert status("--config-dir=mine", "--config-name=road") is None
    assert seen[0].roadmap == (item,)
    roadmap = "roadmap=[{practice: testing, level: special, start_week: 40}]"
    _, points, _ = looked_at(monkeypatch, "-m", "--config-dir=mine", roadmap, "horizon_weeks=90,99")
    assert all(point.roadmap == (item,) for point in points)


def test_a_practice_of_ones_own_in_a_roadmap(here: Path) -> None:
    """The scenario does not choose it before."""
    path = here / "practice" / "luck" / "good.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# @package _global_\nautomation: 0.77\n")
    (here / "road.yaml").write_text(
        "defaults: [default, _self_]\nroadmap: [{practice: luck, level: good, start_week: 40}]\n"
    )
    (item,) = sim.load(config=here / "road.yaml").roadmap
    assert item.brings == {"automation": 0.77}


def test_a_group_of_ones_own_that_the_scenario_does_not_choose_from(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = here / "mine" / "practice" / "luck" / "good.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# @package _global_\nautomation: 0.77\n")
    no_choice = "practice/luck: this scenario does not choose from that group"
    for words in (["practice/luck=good"], ["-m", "practice/luck=good,bad"]):
        assert status("--config-dir=mine", *words) == 2
        assert capfd.readouterr().err == f"{no_choice}; +practice/luck=... chooses\n"
    assert status("--config-dir=mine", "~practice/luck") == 2
    assert capfd.readouterr().err == f"{no_choice}\n"


@pytest.mark.parametrize("edited", ["first", "later"])
def test_a_file_that_is_edited_between_runs_ends_in_a_refusal(
    edited: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "mini.yaml").write_text("defaults: [_self_, extra: first]\n" + MINI)
    for name, automation in (("first", 0), ("later", 0.5)):
        path = here / "mine" / "extra" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# @package _global_\nautomation: {automation}\n")
    command = ("--config-dir=mine", "--config-name=mini", "hydra.sweep.dir=out")
    assert status("-m", *command, "extra=first,later") == 0
    table = (here / "out" / TABLE).read_bytes()
    capfd.readouterr()
    (here / "mine" / "extra" / f"{edited}.yaml").write_text(
        "# @package _global_\nautomation: 0.75\n"
    )
    assert status("-m", *command, "extra=first,later") == 1
    said = capfd.readouterr().err
    assert said == (
        f"the folder holds another sweep (its scenario is another one at extra={edited}); choose "
        "another with hydra.sweep.dir=FOLDER\n"
    )
    assert (here / "out" / TABLE).read_bytes() == table


# The folder


def test_the_folder_of_a_sweep(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ("automation=0,1", "changes.feature.interarrival_h.mean=2.5,4")
    assert status("-m", *TINY, ONE, *words, "hydra.sweep.dir=mine") == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    assert printed.out.rstrip().endswith("mine/")
    folder = here / "mine"
    files = {path.name for path in folder.iterdir()}
    assert files == {
        STORE, TABLE, "summary.csv",
        "sweep.log", "effects.csv", "figures", "report.html", "scenarios",
        "provenance.json", "sweep.yaml",
    }  # fmt: skip
    assert list(here.iterdir()) == [folder]
    combinations = [(a, m) for a in (0, 1) for m in (2.5, 4.0)]
    fixed = (*TINY[1:], ONE)
    runs = pd.read_parquet(folder / TABLE).drop(columns=list(INCIDENTS))
    for point, (automation, mean) in enumerate(combinations):
        overrides = (f"automation={automation}", f"changes.feature.interarrival_h.mean={mean}")
        scenario = sim.load(*fixed, *overrides, config="verification/mm1")
        assert sim.load(config=folder / "scenarios" / f"point-{point}.yaml") == scenario
        rows = runs[runs["point"] == point].reset_index(drop=True)
        alone = sim.replicate(scenario).runs
        pd.testing.assert_frame_equal(
            rows.drop(columns=["point", "automation", "changes.feature.interarrival_h.mean"]),
            alone, check_exact=True, check_dtype=False,
        )  # fmt: skip
    summary = pd.read_csv(folder / "summary.csv")
    means = runs.groupby("point").mean(numeric_only=True)
    for row in summary.to_dict("records"):
        expected = means.loc[row["point"], row["metric"]]
        assert row["mean"] == pytest.approx(expected, rel=1e-5, nan_ok=True)
    effects = pd.read_csv(folder / "effects.csv")
    assert set(effects["point"]) == {1, 2, 3}
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["points"] == 4
    assert provenance["failed_points"] == []
    # The same command again runs nothing, and the table is the same.
    table = (folder / TABLE).read_bytes()
    assert status("-m", *TINY, ONE, *words, "hydra.sweep.dir=mine") == 0
    assert (folder / TABLE).read_bytes() == table


@pytest.mark.parametrize(
    "words",
    [
        ["practice/testing=none,full", f"{TRAIN_H}.mean=4,16"],
        pytest.param(["+experiment=jcurve", "automation=0.3,0.6"], marks=pytest.mark.slow),
        ["description='a # b: \\${c}'", f"{TRAIN_H}=3,{{dist:exponential,mean:2}}"],
    ],
    ids=" ".join,
)
def test_scenarios_are_written_so_that_they_can_be_loaded(
    words: list[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = here / "scenarios"
    _, scenarios, _ = looked_at(
        monkeypatch, "-m", *words,
        look=lambda variants: _write_scenarios(None, variants, folder),  # type: ignore[arg-type]
    )  # fmt: skip
    for point, scenario in enumerate(scenarios):
        assert sim.load(config=folder / f"point-{point}.yaml") == scenario


def test_a_folder_with_something_else_in_it_is_left_as_it_is(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("precious")
    assert status("-m", *TINY, ONE, "automation=0,1", "hydra.sweep.dir=mine") == 2
    said = capfd.readouterr().err
    assert said.startswith("hydra.sweep.dir: ")
    assert "is not empty and has no sweep" in said
    files = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    assert files <= {"mine/notes.txt"}
    assert (here / "mine" / "notes.txt").read_text() == "precious"


ADAPTIVE = ["design=adaptive", "automation=interval(0,1)", "adaptive.surface.lead_time_h=5%"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["automation=0,0.5,2"], "automation: 2 is not allowed"),
        (["atomation=0,1"], "atomation: unknown key"),
        (["practice/testing=none,fll"], "practice/testing: unknown value 'fll'; did you mean"),
        (["automation=interval(0,1)"], "automation: "),
        (["design=lhs", "automation=interval(1,0)"], "automation: "),
        (["design=sobol", "automation=0,1"], "design: "),
        (["automation=range(1,1)"], "automation: there are no values"),
        (["automation="], "automation: "),
        (["n_jobs=1,2"], "n_jobs: belongs to the whole sweep"),
        (["automation=0,1", "pipeline.steps.tset.run_h=1,2"], "pipeline.steps.tset: is not in"),
        (["hydra/launcher=joblib", "automation=0,1"], "hydra/launcher"),
        (["automation=0,1", "baseline.automation=0.5"], "baseline: no point has automation=0.5"),
        (["automation=0,1", "address=127.0.0.1:1"], "address: is of a cluster"),
        (["automation=0,1", "precision={half_width:{lead_tme_h:5%}}"], "precision.half_width"),
        (["automation=0,1", "select={metric:lead_tme_h}"], "select.metric: no metric"),
        (["design=lhs", "automation=interval"], "automation"),
        ([*ADAPTIVE, "practice/testing=none,full"], "practice/testing: has listed values"),
        (ADAPTIVE, "design: adaptive takes two or three keys, not 1; sweep one key with design="),
        (["automation=0,1", ADAPTIVE[2]], "adaptive: is not for design=grid; add design=adaptive"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_before_anything_is_simulated(
    arguments: list[str],
    said: str,
    here: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "sim.experiment.scheduler.Scheduler.run",
        lambda *_: pytest.fail("something would be simulated"),
    )
    assert status("-m", *arguments) == 2
    printed = capfd.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert list(here.iterdir()) == []


def test_a_sweep_without_the_option_is_refused(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status("automation=0,1") == 2
    assert "-m runs a scenario for each" in capfd.readouterr().err
    assert list(here.iterdir()) == []


def test_a_single_point(here: Path) -> None:
    assert status("-m", *TINY, ONE, "hydra.sweep.dir=mine") == 0
    assert len(pd.read_parquet(here / "mine" / TABLE)) == 2
    assert sim.load(config=here / "mine" / "scenarios" / "point-0.yaml").name == "mm1"


# Faults


@pytest.mark.parametrize("bad", ["1", "0,1"])
def test_a_point_that_fails(
    bad: str, here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The points fail in this process: a fake engine runs them here."""
    from concurrent.futures import Future
    from contextlib import nullcontext

    from sim.experiment import scheduler

    def broken(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
        if str(int(scenario.automation)) in bad.split(","):
            raise ValueError("a bug\nin two lines")
        return dict(sound(scenario, seed, replication))

    class Here:
        workers = 1

        def submit(self, function: object, *arguments: object) -> "Future[object]":
            future: Future[object] = Future()
            future.set_result(function(*arguments))  # type: ignore[operator]
            return future

        def check(self, error: BaseException | None) -> None:
            pass

    sound = scheduler.observe
    monkeypatch.setattr("sim.experiment.sweep.engine", lambda *_: nullcontext(Here()))
    monkeypatch.setattr("sim.experiment.sweep.run_sweep.__defaults__", (None, broken, None))
    assert status("-m", *TINY, "automation=0,1", "hydra.sweep.dir=mine") == 1
    printed = capfd.readouterr()
    failed = [point for point in (0, 1) if str(point) in bad]
    for point in failed:
        where = f"point {point} failed (automation={point}): ValueError: a bug in two lines"
        assert printed.err.count(where) == 1
    assert f"automation={failed[0]}" in printed.out
    failures = pd.read_csv(here / "mine" / "failures.csv")
    assert list(failures["point"]) == failed
    assert list(failures["overrides"]) == [f"automation={point}" for point in failed]
    assert failures["error"].str.startswith("ValueError: a bug in two lines").all()
    assert failures["details"].str.startswith("Traceback").all()
    summary = pd.read_csv(here / "mine" / "summary.csv")
    assert list(summary.loc[summary["metric"] == "failed", "point"]) == failed
    assert set(pd.read_parquet(here / "mine" / TABLE)["point"]) == {0, 1} - set(failed)
    assert (here / "mine" / "report.html").exists()
    # Mended, the same command runs the rest, and says no more of failures.
    monkeypatch.setattr("sim.experiment.sweep.run_sweep.__defaults__", (None, sound, None))
    assert status("-m", *TINY, "automation=0,1", "hydra.sweep.dir=mine") == 0
    assert set(pd.read_parquet(here / "mine" / TABLE)["point"]) == {0, 1}
    assert "failed" not in set(pd.read_csv(here / "mine" / "summary.csv")["metric"])
    assert not (here / "mine" / "failures.csv").exists()


def test_a_damaged_store_and_another_sweep(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = ("-m", *TINY, ONE, "hydra.sweep.dir=mine")
    assert status(*command, "automation=0,1") == 0
    path = here / "mine" / STORE
    report = (here / "mine" / "report.html").read_bytes()
    capfd.readouterr()
    assert status(*command, "standardization=0,1") == 1
    said = capfd.readouterr().err
    assert said.startswith("the folder holds another sweep (it sweeps automation); ")
    assert said.count("\n") == 1
    with Store(path):
        assert status(*command, "automation=0,1") == 1
    assert capfd.readouterr().err.startswith("another sweep is running in ")
    path.write_bytes(b"x" * 5000)
    assert status(*command, "automation=0,1") == 1
    assert "is damaged and was left as it is; move it away" in capfd.readouterr().err
    assert path.read_bytes() == b"x" * 5000
    assert (here / "mine" / "report.html").read_bytes() == report


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_finished(tmp_path: Path) -> None:
    long = ("--config-name=verification/mm1", "horizon_weeks=20", "warmup_weeks=1")
    words = ("automation=0,0.25,0.5,0.75,1", "replications=40", "n_jobs=2")
    command = [sys.executable, "-m", "sim", "-m", *long, *words, "hydra.sweep.dir=mine"]
    path = tmp_path / "mine" / STORE
    code, printed, errors = interrupt(command, tmp_path, lambda _: finished_replications(path) > 3)
    assert code == 130
    assert errors == (
        "interrupted; what was finished is kept, and the same command with hydra.sweep.dir=mine "
        "goes on from there\n"
    )
    assert printed == ""
    with Store(tmp_path / "mine" / STORE) as store:
        assert 0 < store.count() < 200
    again = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert again.returncode == 0, again.stderr
    runs = pd.read_parquet(tmp_path / "mine" / TABLE)
    assert len(runs) == 200
    alone = sim.replicate(
        sim.load(*long[1:], "automation=0.5", config="verification/mm1"), 3, n_jobs=1
    ).runs
    here = runs[(runs["automation"] == 0.5) & (runs["replication"] < 3)]
    assert list(here["lead_time_h"]) == list(alone["lead_time_h"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["automation=range(0,1,1e-9)"], "automation: has more than 1,000,000 values; take fewer"),
        (["automation=range(0,1,1e-300)"], "automation: has more than 1,000,000 values"),
        (["automation=range(1,0,-1e-9)"], "automation: has more than 1,000,000 values"),
        (["seed=range(1000000000)"], "seed: has more than 1,000,000 values"),
        (["automation=sort(range(0,1,1e-9),reverse=true)"], "automation: has more than 1,000,000"),
        (["automation=shuffle(range(0,1,1e-9))"], "automation: has more than 1,000,000 values"),
        (["automation=range(0,1,0)"], "automation: is no range; range(start, stop, step) with"),
        (["automation=range(0,inf)"], "automation: is no range"),
        (
            ["automation=range(0,1,1e-4)", "standardization=range(0,1,1e-3)"],
            "design: grid has 10,000,000 points; at most 1,000,000; take fewer values or samples",
        ),
        (
            ["design=sobol", "samples=524288", "automation=interval(0,1)"],
            "design: sobol has 1,572,864 points; at most 1,000,000",
        ),
        (
            ["design=lhs", "samples=1000000", "replications=101", "automation=interval(0,1)"],
            "replications: 101 at each of 1,000,000 points are 101,000,000; at most 100,000,000",
        ),
    ],
)
def test_too_many_points_are_refused_before_they_are_made(
    arguments: list[str], words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("-m", "--config-name=verification/mm1", "engine=loky", *arguments) == 2
    text = capsys.readouterr().err
    assert text.startswith(words)
    assert text.count("\n") == 1
    assert not any(here.iterdir())


def test_python_refuses_too_many_points_too(here: Path) -> None:
    base = sim.load(config="verification/mm1")
    for values in (range(10**12), itertools.count()):
        with pytest.raises(sim.ScenarioError, match="automation: has more than 1,000,000 values"):
            sim.sweep(base, {"automation": values})  # type: ignore[dict-item]


def test_a_large_sweep_says_before_it_begins_what_it_wants(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise DiskError("the simulation has begun")

    monkeypatch.setattr("sim.experiment.scheduler.Scheduler.run", stop)
    assert status("-m", ONE, "horizon_weeks=5200", "automation=0,1") == 1
    said, begun, *_ = capfd.readouterr().err.splitlines()
    assert re.fullmatch(
        r"40 replications of up to [0-9,]+ log rows: expected to take [0-9.]+ minutes and "
        r"[0-9]+ MB of memory",
        said,
    )
    assert begun.startswith("the simulation has begun")


def test_a_sweep_that_does_not_fit_is_refused_unless_told_otherwise(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.experiment.resources.machine_memory", lambda: 3e8)
    large = ("-m", ONE, "horizon_weeks=5200", "automation=0,1")
    assert status(*large) == 2
    assert re.fullmatch(
        r"[a-z_.*]+: [0-9,]+ log rows per replication would take [0-9]+ MB of memory, of 300 MB; "
        r"reduce it, or simulate fewer weeks; allow_large=true runs it all the same\n",
        capfd.readouterr().err,
    )
    assert not any(here.iterdir())
    monkeypatch.setattr(
        "sim.experiment.sweep.run_sweep", lambda *_, **__: pytest.fail("it would begin")
    )
    with pytest.raises(pytest.fail.Exception, match="it would begin"):
        main([*large, "allow_large=true"])


# Looking before, watching, and choosing what is shown


@pytest.mark.parametrize("asked", ["--dry-run", "dry_run=true"])
def test_a_dry_run_says_what_there_would_be_and_leaves_nothing(
    here: Path, capfd: pytest.CaptureFixture[str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def simulate(*_: object) -> None:
        raise AssertionError("something is simulated")

    monkeypatch.setattr("sim.experiment.sweep.run_sweep", simulate)
    monkeypatch.setattr("sim.app._simulate", simulate)
    arguments = ["-m", *TINY, ONE, "automation=0,0.5,1", "standardization=0,1", asked]
    assert status(*arguments) == 0
    out = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r"6 points, about [\d.]+ MB on disk", out[0])
    assert re.fullmatch(r"12 replications of up to .* log rows: expected to take .* memory", out[1])
    assert out[2:] == ["nothing was simulated or written (dry_run=true)"]
    assert status(*TINY, ONE, asked) == 0
    assert capfd.readouterr().out.startswith("2 replications of up to ")
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ["precision.half_width.lead_time_h=5%", "precision.most_replications=1500"],
            "precision may ask for more, up to 1,500 replications of each point",
        ),
        (["select.metric=lead_time_h"], "select may ask for up to 9 more"),
        (["select.metric=lead_time_h", "select.budget=0"], "select may ask for up to 0 more"),
    ],
)
def test_a_dry_run_says_what_may_be_asked_for_later(
    here: Path, capfd: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    assert (
        status("-m", *TINY, ONE, "automation=0,0.5,1", "replications=3", *asked, "--dry-run") == 0
    )
    out = capfd.readouterr().out.splitlines()
    assert out[1].startswith("9 replications of up to ")
    assert out[2:] == [said, "nothing was simulated or written (dry_run=true)"]


def test_a_dry_run_checks_all_points(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert status("-m", *TINY, ONE, "automation=0,0.5,2", "--dry-run") == 2
    assert capfd.readouterr().err.startswith("automation: 2 is not allowed")
    assert not list(here.iterdir())


def test_progress_is_written_to_a_file(here: Path) -> None:
    assert status("-m", *TINY, ONE, "automation=0,1", "hydra.sweep.dir=out") == 0
    begun, done = (here / "out/sweep.log").read_text(encoding="utf-8").splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    assert re.fullmatch(f"{time} 4 replications of 2 points", begun)
    last = "done: 4 of 4 replications, 2 of 2 points, after [0-9.]+ min"
    assert re.fullmatch(f"{time} {last}", done)


def test_the_metrics_of_a_sweep_are_chosen(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ("-m", *TINY, ONE, "automation=0,0.5,1", "hydra.sweep.dir=out")
    assert status(*arguments, "metrics=[lead_time_h,n_deployments]") == 0
    effects = pd.read_csv(here / "out/effects.csv")
    assert effects["metric"].to_list() == ["lead_time_h", "n_deployments"] * 2
    assert "ailure rate" not in capfd.readouterr().out
    assert status(*arguments, "metrics=[lead_tme_h]") == 2
    message = "metrics: no metric 'lead_tme_h'; did you mean 'lead_time_h'?\n"
    assert capfd.readouterr().err == message


def test_cost_is_shown_where_there_are_prices(here: Path) -> None:
    arguments = ("-m", *TINY, ONE, "automation=0,0.5")
    assert status(*arguments, "hydra.sweep.dir=free") == 0
    price = "cost.person_per_h=100"
    assert status(*arguments, price, "hydra.sweep.dir=priced") == 0
    metrics = [
        pd.read_csv(here / name / "effects.csv")["metric"].to_list() for name in ("free", "priced")
    ]
    assert metrics[1] == [*metrics[0], "cost_per_week"]
    assert "cost_per_week" not in metrics[0]


def test_the_time_limit_ends_in_a_line_that_says_how_to_go_on(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ("-m", *TINY, ONE, "automation=0,1", "hydra.sweep.dir=out")
    assert status(*arguments, "time_limit_h=1e-9") == 1
    missing = "missing are 4 of 4 replications, at 2 of 2 points"
    again = "the same command with hydra.sweep.dir=out goes on from there"
    line = f"stopped after 1e-09 h (time_limit_h); {missing}; {again}\n"
    assert capfd.readouterr().err == line
    assert status(*arguments) == 0


def test_an_excluded_combination_is_in_a_stored_sweep(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = here / "mine/experiment"
    folder.mkdir(parents=True)
    (folder / "few.yaml").write_text(
        "# @package _global_\n"
        "hydra: {mode: MULTIRUN, sweeper: {params: {automation: [0, 0.5, 1], "
        "practice/testing: 'none,full'}}}\n"
        "exclude: [{automation: [0, 0.5], practice/testing: full}]\n"
    )
    assert status("--config-dir=mine", "+experiment=few", "--dry-run") == 0
    assert capfd.readouterr().out.startswith("4 points, ")
    assert status("--config-dir=mine", "+experiment=few", "exclude=[]", "--dry-run") == 0
    assert capfd.readouterr().out.startswith("6 points, ")


def test_keys_that_move_together_are_a_group_of_ones_own(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = here / "mine/arm"
    folder.mkdir(parents=True)
    for name, organization, automation in (("lean", "startup", 0.2), ("heavy", "enterprise", 0.8)):
        (folder / f"{name}.yaml").write_text(
            "# @package _global_\n"
            f"defaults: [{{override /organization: {organization}}}]\n"
            f"automation: {automation}\n"
        )
    groups = ("--config-dir=mine", "+arm=lean,heavy", "practice/testing=none,full")
    _, points, variants = swept(monkeypatch, *groups, "engine=dask", "address=here")
    assert variants.keys == ("arm", "practice/testing")
    assert [(list(point.teams), point.automation) for point in points] == [
        *[(["founders"], 0.2)] * 2,
        *[(["product", "analytics", "core"], 0.8)] * 2,
    ]
    assert [point.practices.get("testing", "none") for point in points] == ["none", "full"] * 2
