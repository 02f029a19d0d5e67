"""What is in somebody's own folder is found, and named where something else was meant."""

from pathlib import Path

import pytest

import sim
from sim.app import main
from sim.configuration.composition import Files
from sim.configuration.sweeper import _Line, _values
from sim.configuration.without_effect import ALSO_OF_A_RUN, refuse_in_a_sweep, refuse_on_a_run
from sim.scenario.errors import ScenarioError
from sim.scenario.files import SCENARIOS, groups
from sim.scenario.settings import OF_A_SWEEP


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["sim"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    (tmp_path / "mine.yaml").write_text("defaults: [default, _self_]\n")
    group = tmp_path / "practice" / "rituals"
    group.mkdir(parents=True)
    (group / "daily.yaml").write_text("# @package _global_\npractices: {rituals: daily}\n")
    (tmp_path / "practice" / "testing").mkdir()
    level = "# @package _global_\npractices: {testing: heroic}\nautomation: 0.25\n"
    (tmp_path / "practice" / "testing" / "heroic.yaml").write_text(level)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config-name=mien"], "config: no scenario 'mien'; did you mean 'mine'?"),
        (["+practice/ritual=daily"], "did you mean 'practice/rituals'?"),
        (["practice/testing=heroical"], "unknown value 'heroical'; did you mean 'heroic'?"),
        (["practice/testing=zzz"], "valid: none, basic, heroic, validation, full"),
        (["+practice/rituals=weekly"], "practice/rituals: unknown value 'weekly'; valid: daily"),
        (["~services.modl"], "did you mean 'model'?"),
    ],
)
def test_what_was_meant_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--config-dir=.", *arguments])
    assert done.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["point-7", "point-07", "point-007"])
@pytest.mark.parametrize("written", ["point-7", "point-07"])
def test_a_point_is_found_whatever_the_zeros_before_its_number(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, written: str
) -> None:
    (here / f"{written}.yaml").write_text("defaults: [default, _self_]\nautomation: 0.625\n")
    (here / "point-70.yaml").write_text("defaults: [default, _self_]\n")
    assert sim.load(config=here / f"{name}.yaml").automation == 0.625
    with pytest.raises(SystemExit) as done:
        main(["--config-dir=.", f"--config-name={name}", "--cfg", "job"])
    assert done.value.code == 0
    assert "automation: 0.625" in capsys.readouterr().out


@pytest.mark.parametrize("group", [group for group in groups() if group.startswith("practice/")])
def test_levels_are_swept_from_none_to_full(group: str) -> None:
    files = Files("default", folder=SCENARIOS)
    levels = list(_values(_Line.of(f"{group}=glob(*)"), files))
    assert set(levels) == {path.stem for path in (SCENARIOS / group).glob("*.yaml")}
    assert (levels[0], levels[1], levels[-1]) == ("none", "basic", "full")
    some = list(_values(_Line.of(f"{group}=glob([none,full])"), files))
    assert some == ["none", "full"]
    assert list(_values(_Line.of(f"{group}=choice(full,none)"), files)) == ["full", "none"]


@pytest.mark.parametrize("setting", sorted(OF_A_SWEEP))
def test_a_setting_of_a_sweep_is_refused_on_a_run_unless_it_is_heeded(setting: str) -> None:
    keys = ["automation", f"{setting}.part"]
    if setting in ALSO_OF_A_RUN:
        refuse_on_a_run(keys)
    else:
        with pytest.raises(ScenarioError) as error:
            refuse_on_a_run(keys)
        assert str(error.value) == (
            f"{setting}.part: has no effect on a single run; -m and several values of a key make "
            "a sweep"
        )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["samples=8"], "samples: has no effect on design=grid; it is for random, lhs, sobol, mo"),
        (["samples=8", "design=zip"], "samples: has no effect on design=zip"),
        (["samples=8", "design=lhs"], None),
    ],
)
def test_what_a_sweep_does_not_heed_is_refused(overrides: list[str], message: str | None) -> None:
    keys = {override.partition("=")[0] for override in overrides}
    if message is None:
        refuse_in_a_sweep(keys, sim.load(*overrides))
    else:
        with pytest.raises(ScenarioError) as error:
            refuse_in_a_sweep(keys, sim.load(*overrides))
        assert str(error.value).startswith(message)


def test_the_command_refuses_what_has_no_effect(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.iterdir())
    for arguments, key in (
        (["select.metric=lead_time_h"], "select.metric"),
        (["-m", "automation=0,1", "samples=8"], "samples"),
    ):
        with pytest.raises(SystemExit) as done:
            main(arguments)
        assert done.value.code == 2
        assert capsys.readouterr().err.startswith(f"{key}: has no effect on ")
    assert sorted(here.iterdir()) == before
