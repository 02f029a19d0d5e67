"""Whatever somebody writes on the command line is answered in a short line, safe to print."""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sim
from sim.app import main
from sim.scenario.errors import Problem
from sim.words import printable

ESCAPE, TURN = "\x1b[31m", "\u202e"
NEVER = "replications=0"  # which ends every command that would simulate otherwise
TINY = ("--config-name=verification/mm1", "horizon_weeks=2", "warmup_weeks=0", "replications=2")


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    return done.value.code


def test_what_a_terminal_obeys_is_shown_instead() -> None:
    assert printable("a\x1b[31m\u202eb\x00\x9b\r\ud800") == r"a\x1b[31m\u202eb\x00\x9b\r\ud800"
    assert printable("two\nlines\tand ünïcödé 漢字 ⚙") == "two\nlines\tand ünïcödé 漢字 ⚙"


def test_a_problem_is_one_short_line() -> None:
    text = str(Problem("k" * 5000, "two\nlines " + "v" * 5000, "hint " * 5000))
    assert len(text) <= 380
    assert text.startswith("kkk")
    assert "...kkk" in text
    assert r"two\nlines vvv" in text
    assert text.endswith("...")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("automation=" + "[" * 2000 + "]" * 2000, "is nested more than 30 levels deep"),
        ("automation=" + "{a:" * 2000 + "1" + "}" * 2000, "is nested more than 30 levels deep"),
        ("automation=" + "${oc.env:" * 500 + "x" + "}" * 500, "nested more than 30 levels"),
        ("automation=" + "x" * 100_000, "xxx... is not allowed; must be a valid number"),
        ("x" * 100_000, "cannot be read as key=value"),
        ("x" * 100_000 + "=1", "is too long"),
        ("a." * 3000 + "a=1", "is too long"),
        ("~" + "x" * 100_000, "is too long"),
        ("pipeline.steps." + "x" * 100_000 + ".run_h=1", "is too long"),
        ("practice/testing=" + "x" * 100_000, "is too long"),
        ("automation=${" + "x" * 100_000 + "}", "automation: no key 'xxx"),
        ("name=" + "x" * 300, "name: 'xxx"),
        ("roadmap=[{brings: {a: " + "[" * 500 + "]" * 500 + "}}]", "nested more than 30 levels"),
        (f"automation={ESCAPE}", r"automation=\x1b[31m: cannot be read"),
        (f"automation='{ESCAPE}'", r"automation: '\x1b[31m' is not allowed"),
        (f"{TURN}=1", r"\u202e=1: cannot be read"),
        (f"name='{TURN}'", r"name: '\u202e' is not a name"),
        (f"cost.currency='{ESCAPE}'", "must not have control characters"),
        ("automation=a\nb", r"automation=a\nb: cannot be read"),
        (f"roadmap=[{{practice: '{TURN}', level: y, start_week: 0}}]", r"no practice '\u202e'"),
    ],
    ids=lambda text: printable(text[:40]),
)
def test_overrides_of_any_length_depth_and_alphabet(
    override: str, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ([override], ["-m", "engine=loky", "seed=1,2", override]):
        assert status(*arguments) == 2
        text = capsys.readouterr().err
        assert words in text
        assert text.count("\n") == 1
        assert len(text) < 400
        assert printable(text) == text
        assert not any(here.iterdir())
    with pytest.raises(sim.ScenarioError) as caught:
        sim.load(override)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--config-name=" + "x" * 5000, "is too long"),
        ("--config-dir=" + "x" * 5000, "is too long"),
        ("--" + "x" * 5000, "is too long"),
        (f"--config-name={ESCAPE}", r"--config-name=\x1b[31m: has control characters"),
        (f"--{TURN}", r"--\u202e: has control characters"),
        ("--config-name=a\0b", r"--config-name=a\x00b: has control characters"),
    ],
    ids=lambda text: printable(text[:40]),
)
def test_options_that_cannot_be_meant(
    option: str, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(option) == 2
    text = capsys.readouterr().err
    assert words in text
    assert len(text) < 400
    assert not any(here.iterdir())


@pytest.mark.parametrize(
    "setting",
    [
        "hydra/job_logging=default",
        "hydra/hydra_logging=default",
        "hydra/output=default",
        "hydra.output_subdir=x",
        "hydra.job.chdir=true",
        "hydra.job.name=x",
        "hydra.mode=MULTIRUN",
        "hydra.verbose=true",
        "+hydra.callbacks.mine._target_=os.getcwd",
        "hydra.sweep.subdir=x",
    ],
)
def test_settings_of_hydra_without_a_meaning_here_are_refused_before_anything_is_written(
    setting: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for several in ([], ["-m", "engine=loky", "automation=0,1"]):
        assert status(*TINY, setting, *several) == 2
        key = setting.lstrip("+").partition("=")[0]
        assert capsys.readouterr().err == (
            f"{key}: cannot be set here; results go to hydra.run.dir=FOLDER, those of a sweep to "
            "hydra.sweep.dir=FOLDER\n"
        )
        assert not any(here.iterdir())


@pytest.mark.parametrize("key", ["hydra.run.dir", "hydra.sweep.dir"])
def test_a_folder_whose_name_is_too_long(
    key: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(*TINY, f"{key}=new/{'x' * 300}") == 2
    assert "is too long" in capsys.readouterr().err
    assert not any(here.iterdir())


def test_settings_in_a_file_leave_no_half_written_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.yaml").write_text(
        "defaults:\n  - verification/mm1\n  - override /hydra/job_logging: default\n  - _self_\n"
        "hydra: {output_subdir: x, job: {chdir: true}}\nreplications: 0\n",
        encoding="utf-8",
    )
    assert status("--config-dir=.", "--config-name=mine") == 2
    assert capsys.readouterr().err.startswith("replications: 0 is not allowed")
    assert [path.name for path in here.iterdir()] == ["mine.yaml"]


def test_a_description_is_shown_and_not_obeyed(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = f"description='{ESCAPE}red{TURN}'"
    assert status(*TINY, "n_jobs=1", "hydra.run.dir=out", described) == 0
    printed = capsys.readouterr().out
    assert r"\x1b[31mred\u202e" in printed
    assert printable(printed) == printed


@pytest.mark.parametrize("depth", [100, 300, 1000, pytest.param(3000, marks=pytest.mark.slow)])
def test_a_value_that_is_nested_too_deeply_in_a_file(
    depth: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"defaults: [verification/mm1]\nautomation: {'[' * depth}{']' * depth}\n"
    (here / "mine.yaml").write_text(text, encoding="utf-8")
    assert status("--config-dir=.", "--config-name=mine") == 2
    line = capsys.readouterr().err
    assert "is nested too deeply" in line or line.startswith("automation: [[[")
    assert len(line) < 400


CHARACTERS = st.one_of(
    st.characters(),
    st.sampled_from("\0\x1b\x9b\u202e\u2066\ud800\n\r\t'\"\\${}[](),:=+~@/.%#&|<> "),
)
JUNK = st.text(CHARACTERS, max_size=30)
LONG = st.builds(lambda text, times: text * times, JUNK, st.sampled_from([10, 1000, 20_000]))
NESTED = st.builds(
    lambda pair, depth, inner: pair[0] * depth + inner + pair[1] * depth,
    st.sampled_from([("[", "]"), ("{a: ", "}"), ("${", "}"), ("(", ")"), ("choice(", ")")]),
    st.sampled_from([1, 5, 29, 31, 100, 1000]),
    st.sampled_from(["", "1", "a"]),
)
KEY = st.one_of(
    st.sampled_from(
        [
            *("automation", "name", "description", "pipeline.steps.train.run_h", "services"),
            *("practice/testing", "organization", "teams.product.people", "roadmap", "select"),
            *("baseline", "hydra.run.dir", "hydra/launcher", "hydra.searchpath", "cost.currency"),
        ]
    ),
    JUNK,
    LONG,
)
VALUE = st.one_of(JUNK, LONG, NESTED, JUNK.map(lambda text: f"'{text}'"), st.just("1,2"))
OVERRIDE = st.builds(
    lambda sign, key, equals, value: f"{sign}{key}{equals}{value}",
    st.sampled_from(["", "", "+", "++", "~"]),
    KEY,
    st.sampled_from(["=", "=", "=", ""]),
    VALUE,
)
ARGUMENTS = st.lists(
    st.one_of(OVERRIDE, JUNK, st.builds(lambda text: f"--config-name={text}", JUNK)), max_size=3
)
budget = settings(
    deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
)


@settings(budget, max_examples=30, derandomize=True)
@given(arguments=ARGUMENTS, several=st.booleans())
def test_anything_is_answered_in_a_few_short_lines(arguments: list[str], several: bool) -> None:
    check(arguments, several)


@pytest.mark.slow
@settings(budget, max_examples=400)
@given(arguments=ARGUMENTS, several=st.booleans())
def test_very_many_things_are_answered_in_a_few_short_lines(
    arguments: list[str], several: bool
) -> None:
    check(arguments, several)


def check(arguments: list[str], several: bool) -> None:
    """Call the command line in a folder of its own, and look at what it says and leaves."""
    said = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["sim"])
        patch.setenv("HYDRA_FULL_ERROR", "0")
        more = ["-m", "engine=loky", "seed=1,2"] if several else []
        ended = status(*arguments, *more, NEVER)
        left = list(Path(folder).rglob("*"))
    text = said.getvalue()
    usage = text.startswith("usage: ")  # of an option that Hydra does not know
    shown = any(option in arguments for option in ("--help", "-h", "--version"))
    assert ended == 2 or shown, arguments
    assert usage or shown or len(text) < 2000, arguments
    assert printable(text) == text, arguments
    assert not left, arguments
