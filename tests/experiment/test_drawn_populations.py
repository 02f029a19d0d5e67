"""Populations: the same organizations in Python and on the command line, resumed and refused."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from little_sweeps import Diary, read_log, written_down

import sim
from sim.app import main
from sim.configuration.composition import read, shipped
from sim.configuration.population import population_sweep
from sim.experiment.axes import Axis
from sim.experiment.sweep import run_sweep
from sim.metrics.answers import ANSWERS, answer_of
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

MINE = """\
# @package _global_
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      organization: {startup: 3, midsize: 1}
      practice/testing: {none: 1, full: 1}
      teams.*.people.data_scientist: {1: 1, 2: 2}
      teams.*:
        values:
          - {}
          - {people: {data_engineer: 0}, plays: {data_engineer: data_scientist}}
        weights: [1, 1]
      pipeline.steps.train.run_h.mean: {dist: lognormal, mean: 12, cv: 2}
      automation: interval(0, 1)
name: mine
description: A small population
design: random
samples: 5
replications: 1
horizon_weeks: 30
warmup_weeks: 4
n_jobs: 1
"""


@pytest.fixture
def here(here: Path, tmp_path: Path) -> Path:
    """The current folder, with a scenario `own.yaml` and a population `mine` beside it."""
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(MINE)
    (tmp_path / "own.yaml").write_text("defaults: [default, _self_]\n")
    return tmp_path


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as done:
        main(["--config-dir=.", "--config-name=own", *arguments])
    return done.value.code


def mine(*overrides: str, **arguments: Any) -> Any:
    return sim.population(*overrides, experiment="mine", config="own.yaml", **arguments)


def members_of_command(
    monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> list[tuple[dict[str, object], Scenario]]:
    """Return what a command line draws, without simulating it."""
    seen: list[Any] = []

    def instead(axes: Sequence[Axis], variants: Variants, *_: object) -> None:
        keys = [axis.key for axis in axes]
        for point in range(len(variants)):
            drawn = dict(zip(keys, variants.points[point], strict=False))
            seen.append((drawn, variants.scenario(point)))

    monkeypatch.setattr("sim.app._sweep", instead)
    assert status("+experiment=mine", *arguments) == 0
    return seen


@pytest.mark.parametrize(
    "overrides",
    [(), ("organization=startup",), ("teams.founders.people.data_scientist=4", "samples=20"),
     ("design=lhs", "seed=3"), ("automation=0.5",)],
)  # fmt: skip
def test_a_command_draws_the_organizations_of_python(
    here: Path, monkeypatch: pytest.MonkeyPatch, overrides: tuple[str, ...]
) -> None:
    only_startups = ("organization=startup",) if "founders" in str(overrides) else ()
    asked = (*only_startups, *overrides)
    assert members_of_command(monkeypatch, *asked) == list(map(tuple, mine(*asked)))


def test_a_member_is_what_its_draws_make(here: Path) -> None:
    for drawn, scenario in mine(n=20):
        for name, team in scenario.teams.items():
            plays = drawn["teams.*"] != {}
            without = {"founders": "ml_engineer"}.get(name)  # who plays it in the start-up anyway
            assert team.plays.get("data_engineer") == ("data_scientist" if plays else without)
            assert team.people["data_scientist"] == drawn["teams.*.people.data_scientist"]
            assert drawn["organization"] == {"founders": "startup", "product": "midsize"}[name]
            engineers = 0 if plays else {"product": 1}.get(name, 0)
            assert team.people.get("data_engineer", 0) == engineers
        assert scenario.automation == drawn["automation"]
        assert scenario.practices.get("testing", "none") == drawn["practice/testing"]
        assert scenario.pipeline.steps["train"].run_h.expectation == pytest.approx(
            drawn["pipeline.steps.train.run_h.mean"]
        )


def test_the_command_line_goes_before_what_is_drawn(here: Path) -> None:
    members = mine("organization=startup", "teams.founders.people.data_scientist=4", n=20)
    assert {m.scenario.teams["founders"].people["data_scientist"] for m in members} == {4}


def test_what_is_given_may_also_take_something_away(here: Path) -> None:
    for member in mine("~pipeline.steps.security_review", "organization=startup", n=3):
        assert "security_review" not in member.scenario.pipeline.steps
        plays = "data_scientist" if member.drawn["teams.*"] != {} else "ml_engineer"
        assert member.scenario.teams["founders"].plays["data_engineer"] == plays


def test_a_sweep_in_python_draws_as_well() -> None:
    base = sim.load(
        "design=random",
        "samples=4",
        "horizon_weeks=8",
        "warmup_weeks=1",
        "replications=1",
        "n_jobs=1",
    )
    axes = {
        "teams.*.people.data_scientist": {2: 1, 3: 1},
        "automation": {"dist": "uniform", "low": 0.2, "high": 0.6},
    }
    swept = sim.sweep(base, axes)
    drawn = swept.points
    assert set(drawn["teams.*.people.data_scientist"]) <= {2, 3}
    assert drawn["automation"].between(0.2, 0.6).all()
    assert drawn["seed"].nunique() == 4
    for row in swept.runs.to_dict("records"):
        people = f"teams.product.people.data_scientist={row['teams.*.people.data_scientist']}"
        alone = sim.load(
            "horizon_weeks=8", "warmup_weeks=1", people, f"automation={row['automation']!r}"
        )
        expected = sim.simulate(alone, seed=row["seed"]).metrics()
        np.testing.assert_array_equal(row["cost_per_week"], expected["cost_per_week"])


def test_a_member_is_the_same_whatever_their_number_and_what_is_given(here: Path) -> None:
    few, many = mine(n=3), mine(n=8)
    assert [_without_number(member) for member in few] == list(map(_without_number, many[:3]))
    for given, free in zip(mine("automation=0.5", n=8), many, strict=True):
        others = {key: value for key, value in free.drawn.items() if key != "automation"}
        assert given.drawn == others
        assert given.scenario.seed == free.scenario.seed
    assert len({member.scenario.seed for member in many}) == 8  # luck of its own
    assert [member.drawn for member in mine(n=3, seed=5)] != [member.drawn for member in few]


def _without_number(member: Any) -> tuple[dict[str, object], Scenario]:
    return member.drawn, member.scenario.model_copy(update={"samples": 2})


def test_metrics_in_python_and_of_the_command_are_the_same(here: Path) -> None:
    assert status("+experiment=mine", "hydra.sweep.dir=out") == 0
    runs = pd.read_parquet("out/runs.parquet")
    members = mine()
    assert len(runs) == len(members) == 5
    for row, member in zip(runs.to_dict("records"), members, strict=True):
        run = sim.simulate(member.scenario)
        for name, value in run.metrics().items():
            np.testing.assert_array_equal(row[str(name)], value, err_msg=str(name))
        teams = run.metrics_by("team")
        for metric, answers in ANSWERS.items():
            given = [answer_of(metric, value) for value in teams[metric]]
            counted = [row[f"teams_{metric}_{n + 1}"] for n in range(len(answers))]
            assert counted == [given.count(n) for n in range(len(answers))]
    shares = pd.read_csv("out/population.csv").groupby("metric")["organizations"].sum()
    assert shares.to_dict() == pytest.approx(dict.fromkeys(ANSWERS, 1.0))
    report = Path("out/report.html").read_text()
    assert "Beside the answers of DORA 2025" in report
    assert not Path("out/effects.csv").exists()  # its organizations share no luck
    alone = yaml.safe_load(Path("out/scenarios/point-3.yaml").read_text())
    assert alone["defaults"][-1] == "_self_"
    loaded = sim.load(config="out/scenarios/point-3.yaml")
    assert loaded == members[3].scenario


def test_a_population_is_resumed_and_grows(here: Path) -> None:
    """The first two of four are there already; the other two are all that is simulated."""
    diaries = []
    for folder, samples in (("out", 2), ("out", 4), ("whole", 4)):
        log = here / f"{folder}.{samples}"
        axes, variants = population_sweep([f"samples={samples}"], "mine", "own.yaml")
        (here / folder).mkdir(exist_ok=True)
        noted = partial(written_down, str(log), "run", 0.0)
        run_sweep(variants, axes, here / folder, Diary(), observe=noted)
        diaries.append(read_log(log)["automation"].tolist())
    automation = [member.scenario.automation for member in mine(n=4)]
    assert diaries[0] == automation[:2]
    assert diaries[1] == automation[2:]
    pd.testing.assert_frame_equal(
        pd.read_parquet("out/runs.parquet"), pd.read_parquet("whole/runs.parquet")
    )


def test_a_smaller_population_does_not_replace_a_larger_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("+experiment=mine", "samples=3", "hydra.sweep.dir=out") == 0
    before = Path("out/runs.parquet").read_bytes()
    assert status("+experiment=mine", "samples=2", "hydra.sweep.dir=out") == 1
    assert "it has 3 points, and the tables would lose some" in capsys.readouterr().err
    assert Path("out/runs.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("organization: {startup: 1, giant: 1}", "giant"),
        ("automatoin: {dist: uniform, low: 0, high: 1}", "automatoin: .*automation"),
        ("teams.nobody.people.data_scientist: {1: 1}", "teams.nobody"),
        (
            "teams.*.people.data_scientist: {1: 1, 0: 9}",
            r"no 'data_scientist', .*\(at teams\.\*\.people\.data_scientist=0 seed=\d+\)",
        ),
        ("compute.gpu.*.slots: {1: 1}", "compute.gpu.*"),
        ("automation: {dist: uniform, low: 0, high: 9}", "automation: .* is not allowed"),
        ("automation: {often: 1}", "automation"),
        ("seed: {1: 1}", "seed: cannot be swept by random; one seed draws the points"),
        ("replications: 2", "draws from intervals, and there are none"),
    ],
)
def test_what_makes_no_organization_is_refused_before_anything_is_simulated(
    here: Path, capsys: pytest.CaptureFixture[str], params: str, message: str
) -> None:
    text = MINE[: MINE.index("      organization")] + f"      {params}\n"
    text += MINE[MINE.index("name: mine") :]
    (here / "experiment" / "mine.yaml").write_text(text)
    assert status("+experiment=mine", "hydra.sweep.dir=out") == 2
    said = capsys.readouterr().err
    assert re.search(message, said), said
    assert not Path("out").exists()
    with pytest.raises(sim.ScenarioError):
        mine()


def test_a_file_that_draws_nothing_is_refused(here: Path) -> None:
    (here / "experiment" / "empty.yaml").write_text("# @package _global_\nname: empty\n")
    with pytest.raises(sim.ScenarioError, match="experiment=empty: draws nothing; write"):
        sim.population(experiment="empty", config="own.yaml")
    with pytest.raises(sim.ScenarioError, match="populatoin"):
        sim.population(experiment="populatoin")


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("baseline={organization: startup}", "baseline"),
        ("+select={metric: lead_time_h}", "select"),
        ("+precision={half_width: {lead_time_h: 5%}, of: differences}", "precision.of"),
    ],
)
def test_members_are_not_compared_one_by_one(here: Path, setting: str, key: str) -> None:
    with pytest.raises(sim.ScenarioError, match=f"{key}: is not for design=random"):
        mine(setting, "replications=3")


# The population of the package


def test_no_draw_sets_what_a_practice_sets() -> None:
    """A draw would take the mechanism of the practice away."""
    sweep = read(shipped("default"), ["+experiment=population"]).sweep
    assert isinstance(sweep, dict)
    drawn = {leaf for key, said in sweep.items() for leaf in _set_by(key, said)}
    practiced = set()
    for path in (SCENARIOS / "practice").rglob("*.yaml"):
        practiced |= set(_leaves("", yaml.safe_load(path.read_text()) or {}))
    both = {key for key in drawn if any(_same(key, other) for other in practiced)}
    # A regulator asks for a person's approval, whatever practice would automate it.
    assert both == {"pipeline.steps.approve.also_automated"}


def _set_by(key: str, said: Any) -> list[str]:
    if isinstance(said, dict) and said.keys() == {"values", "weights"}:
        return [leaf for value in said["values"] for leaf in _leaves(key, value)]
    return [key]


def _leaves(key: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [key]
    inner = [(f"{key}.{part}".lstrip("."), each) for part, each in value.items()]
    return [leaf for at, each in inner for leaf in _leaves(at, each)]


def _same(one: str, other: str) -> bool:
    ones, others = one.split("."), other.split(".")
    pairs = zip(ones, others, strict=False)
    return all(part == its or "*" in (part, its) for part, its in pairs)


@pytest.mark.slow
def test_every_organization_of_the_population_is_valid() -> None:
    members = sim.population(n=600)
    assert len(members) == 600
    for key in ("organization", "maturity"):
        counts = pd.Series([member.drawn[key] for member in members]).value_counts()
        assert (counts > 0).all()
        assert len(counts) == {"organization": 4, "maturity": 5}[key]
