"""``python -m sim.new`` at a terminal, in a pipe, and with a file of answers."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from processes import PATIENCE_S

import sim
from sim.new.command import main
from sim.new.questions import KEYS

COMMAND = [sys.executable, "-m", "sim.new"]


class Terminal:
    """A command at a terminal of 80 columns, and the person who sits before it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, env={**os.environ, "COLUMNS": "80"},
        )  # fmt: skip
        os.close(slave)
        self.shown = ""

    def until(self, words: str) -> str:
        """Wait until words appear, and return what was shown since the last ones."""
        begun = time.monotonic()
        while words not in self.shown:
            assert time.monotonic() - begun < PATIENCE_S, f"{words!r} never came: {self.shown}"
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                try:
                    self.shown += os.read(self.master, 4096).decode().replace("\r\n", "\n")
                except OSError:  # the command has ended
                    assert words in self.shown, self.shown
        before, _, self.shown = self.shown.partition(words)
        return before + words

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self.master, f"{line}\n".encode())


@contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[Terminal]:
    opened = Terminal(folder, *arguments)
    try:
        yield opened
    finally:
        with suppress(ProcessLookupError):
            opened.process.kill()
        opened.process.wait()
        os.close(opened.master)


DIALOG = [
    ("is the organization called", "acme"),
    ("who is in each", "?"),
    ("Too few of a role", "3 data scientists, 2 ML engineers"),
    ("= team: 3 data_scientist, 2 ml_engineer", None),
    ("outside these teams", "none"),
    ("whose are they", "recommender, churn"),
    ("from commit to production", "data prep, fit, board, ship"),
    ("data_prep: which stage", ""),
    ("data_prep: who, how long", "data scientist, 1 day, 2 h"),
    ("fit: which stage", "trian"),
    ("no stage is called 'trian'", ""),
    ("fit: who, how long", "wizard, 4 h, 8 h"),
    ("nobody is a 'wizard'", ""),
    ("board: which stage", "approve"),
    ("board: who", "ml engineer, 30 min, -"),
    ("ship: which stage", ""),
    ("ship: who", "ml engineer, 3 h, 20 min"),
    ("When does the board meet", "every 2 weeks on tue at 9:30"),
    ("releases made", "tue, thu"),
    ("GPU slots", "1 gpu, 2 ci"),
    ("on call", "ml engineers"),
    ("do without people", "fit 50%"),
    ("usually fails", "bugs often"),
    ("'bugs often' does not say how often", "outages 10 weeks, bugs 20%"),
    ("until it is committed", ""),
]  # fmt: skip


@pytest.mark.processes
def test_a_sketch_becomes_an_organization_at_a_terminal(tmp_path: Path) -> None:
    seen = ""
    with terminal(tmp_path) as opened:
        for words, answer in DIALOG:
            seen += opened.until(words)
            if answer is not None:
                seen += opened.until("> ")
                opened.types(answer)
        seen += opened.until("practice/testing=full")
        assert opened.process.wait(PATIENCE_S) == 0
    assert all(len(line) <= 80 for line in seen.splitlines())
    assert "python -m sim --config-dir=. --config-name=mine" in seen
    scenario = sim.load(config=tmp_path / "mine.yaml")
    assert scenario.teams["team"].people == {"data_scientist": 3, "ml_engineer": 2}
    assert list(scenario.pipeline.steps) == ["data_prep", "fit", "board", "ship"]
    window = scenario.pipeline.steps["board"].window
    assert window is not None
    assert (window.every_weeks, window.days, window.hour) == (2, ("tue",), 9.5)
    assert os.listdir(tmp_path) == ["mine.yaml"]


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_and_writes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with terminal(tmp_path) as opened:
        opened.until("> ")
        opened.types("acme")
        opened.until("who is in each")
        opened.process.send_signal(number)
        opened.until("interrupted; nothing was written")
        assert opened.process.wait(PATIENCE_S) == 128 + number
    assert os.listdir(tmp_path) == []


@pytest.mark.processes
def test_answers_that_end_early_write_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        COMMAND, cwd=tmp_path, input="acme\n3 analysts\n", capture_output=True, text=True,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == "the answers ended before the last question; nothing was written"
    assert os.listdir(tmp_path) == []


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    return done.value.code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_answers_needs_no_questions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "answers.yaml").write_text("teams: 2 ml engineers\nmachines: {gpu: 4}\n")
    assert status("--answers", "answers.yaml", "--output", "ours.yaml", "--from", "startup") == 0
    shown = capsys.readouterr().out
    assert "--config-name=ours" in shown
    assert "on_call:" in shown
    assert sim.load(config="ours.yaml").compute["gpu"].slots == 4
    before = (folder / "ours.yaml").read_text()
    assert status("--answers", "answers.yaml", "--output", "ours.yaml") == 2
    assert "is there already; --force writes over it" in capsys.readouterr().err
    assert (folder / "ours.yaml").read_text() == before
    assert status("--answers", "answers.yaml", "--output", "ours.yaml", "--force") == 0
    assert (folder / "ours.yaml").read_text() != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("team: 2", "answers.yaml: team: there is no such question; did you mean 'teams'?"),
        ("- a", f"answers.yaml: answers by question are needed: {', '.join(KEYS)}"),
        ("a: [", "answers.yaml: not valid YAML: while parsing a flow node"),
        ("on_call: wizard", "answers.yaml: on_call: nobody is a 'wizard'"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (folder / "answers.yaml").write_text(text)
    assert status("--answers", "answers.yaml") == 2
    assert capsys.readouterr().err.startswith(message)
    assert os.listdir(folder) == ["answers.yaml"]


def test_the_template_is_printed_and_accepted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("--template") == 0
    (folder / "answers.yaml").write_text(capsys.readouterr().out)
    assert status("--answers", "answers.yaml") == 0
    mine, plain = sim.load(config="mine.yaml"), sim.load()
    assert mine.pipeline == plain.pipeline
    assert mine.teams == plain.teams
