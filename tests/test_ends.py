"""Commands that are ended at any moment: one line or none, no half of anything, nobody left.

The moments are drawn anew each time, from the one at which a command has taken over the handling of
signals (before, it is Python that is starting) to its natural end. Which moment it is, depends on
the machine; what has to hold does not.
"""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from processes import PATIENCE_S, Command, started, until

from sim.experiment.sweep import TABLE

pytestmark = pytest.mark.processes

SIM = (sys.executable, "-m", "sim")
TINY = ("--config-name=verification/mm1", "horizon_weeks=5", "warmup_weeks=1", "n_jobs=2")
RUN = (*SIM, *TINY, "replications=3", "hydra.run.dir=out/mine")
SWEEP = (*SIM, "-m", *TINY, "automation=0,1", "replications=6", "hydra.sweep.dir=out/mine")
PLAYGROUND = (sys.executable, "-m", "sim.playground", "--no-browser", "--workers", "2")
PAGE = "a.organization=startup&b.organization=startup"
AGAIN = "the same command with hydra.sweep.dir=out/mine goes on from there"

_OF_A_PLAYGROUND_S = 5.0
"""It has no end of its own: it is ended within this time."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


@pytest.fixture
def rng() -> np.random.Generator:
    """Yield random numbers that are others each time; a failure shows what gives them again."""
    seed = int(os.environ.get("MLDELIVERY_SEED", secrets.randbelow(2**32)))
    print(f"MLDELIVERY_SEED={seed} draws these moments again")
    return np.random.default_rng(seed)


def times(few: int, many: int) -> pytest.MarkDecorator:
    """Return what repeats a test a few times, and many times if it may be slow."""
    return pytest.mark.parametrize("ends", [few, pytest.param(many, marks=pytest.mark.slow)])


def ended(running: Command, rng: np.random.Generator, longest_s: float) -> signal.Signals:
    """End a command at some moment, sometimes twice, and check what holds for all of them."""
    until(lambda: running.process.poll() is not None or running.is_in_control())
    number = signal.Signals(rng.choice(SIGNALS))
    with suppress(subprocess.TimeoutExpired):
        running.process.wait(rng.uniform(0.0, longest_s))
    running.tell(number)
    if rng.random() < 0.5:
        running.tell(number)
    running.wait()
    until(lambda: not running.others())
    print(number.name, running.process.returncode, running.errors)
    assert "Traceback" not in running.printed + running.errors
    assert "Warning" not in running.errors
    assert running.errors.count("\n") <= 1
    return number


def wanted_status(number: signal.Signals) -> set[int]:
    """Return the statuses of a command that is ended by a signal, or has come to its end."""
    # At the very end the signal itself ends it, of which a shell makes 128 + number.
    return {0, -number} if number == signal.SIGKILL else {0, 128 + number, -number}


def whole(command: Sequence[str], folder: Path) -> tuple[Path, float]:
    """Return a folder as it is if nobody ends the command, and how long that takes."""
    begun = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder, time.monotonic() - begun


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    return whole(RUN, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def whole_sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    return whole(SWEEP, tmp_path_factory.mktemp("sweep"))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@times(1, 6)
def test_a_run(
    ends: int, whole_run: tuple[Path, float], rng: np.random.Generator, tmp_path: Path
) -> None:
    folder, longest_s = whole_run
    for number in map(str, range(ends)):
        here = tmp_path / number
        here.mkdir()
        with started(RUN, here) as running:
            told = ended(running, rng, longest_s)
            assert running.process.returncode in wanted_status(told)
            said = running.errors
        if (here / "out" / "mine" / "report.html").exists():
            assert files(here) == files(folder)
            runs = pd.read_parquet(here / "out" / "mine" / "runs.parquet")
            expected = pd.read_parquet(folder / "out" / "mine" / "runs.parquet")
            pd.testing.assert_frame_equal(runs, expected, check_exact=True)
        elif told == signal.SIGKILL:  # nobody was left to tidy up
            assert not (here / "out" / "mine").exists() or not files(here / "out" / "mine")
        else:
            assert list(here.iterdir()) == []
            assert said in (
                "",
                "interrupted; nothing was written\n",
                "interrupted; this run wrote nothing\n",
            )


@times(1, 6)
def test_a_sweep_goes_on_as_if_nothing_had_happened(
    ends: int, whole_sweep: tuple[Path, float], rng: np.random.Generator, tmp_path: Path
) -> None:
    folder, longest_s = whole_sweep
    for number in map(str, range(ends)):
        here = tmp_path / number
        here.mkdir()
        with started(SWEEP, here) as running:
            told = ended(running, rng, longest_s)
            assert running.process.returncode in wanted_status(told)
            said = running.errors
        if told != signal.SIGKILL:
            left = {name for name in files(here) if "/." in name or name.endswith(".part")}
            assert left == set()
            assert said in (
                "",
                "interrupted; nothing was written\n",
                "interrupted; this run wrote nothing\n",
                f"interrupted; what was finished is kept, and {AGAIN}\n",
            )
            assert (AGAIN in said) <= (here / "out" / "mine").exists()
        again = subprocess.run(
            SWEEP, cwd=here, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert again.returncode == 0
        there = r"(\d+ of 12 replications are there(, \d+ are simulated)?\n)?"
        assert re.fullmatch(there, again.stderr)
        assert files(here) == files(folder)
        table = Path("out", "mine", TABLE)
        assert (here / table).read_bytes() == (folder / table).read_bytes()


@times(1, 6)
def test_a_playground(ends: int, rng: np.random.Generator, tmp_path: Path) -> None:
    for _ in range(ends):
        with started(PLAYGROUND, tmp_path) as running:
            page = None
            if rng.random() < 0.7:
                until(lambda: running.printed.endswith("Ctrl-C ends it.\n"))
                port = int(running.printed.partition("\n")[0].rstrip("/").rpartition(":")[2])
                page = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
                page.sendall(f"GET /answers?{PAGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            told = ended(running, rng, _OF_A_PLAYGROUND_S)
            if page is not None:
                page.close()
            assert running.process.returncode in wanted_status(told)
            assert running.errors in ("", "interrupted\n")
        assert list(tmp_path.iterdir()) == []
