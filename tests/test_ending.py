"""How a command ends when it is told to, and what it needs for that: control from the start."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import PATIENCE_S, started, until

import sim

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from sim.ending import ended_when_told, last_words, temporary_folder, undisturbed, unfinished

def wait(word):
    print(word, flush=True)
    time.sleep(1000)

with ended_when_told():
{block}
"""


def program(block: str) -> list[str]:
    lines = "\n".join(f"    {line}" for line in block.strip().splitlines())
    return [sys.executable, "-c", PROGRAM.format(block=lines)]


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_tidies_up_says_a_line_and_has_the_status_of_a_shell(
    number: signal.Signals, tmp_path: Path
) -> None:
    block = """
with last_words(lambda: "these"), temporary_folder(Path(), ".part-") as folder:
    (folder / "half").write_text("half")
    with unfinished(Path("file")):
        Path("file").write_text("half")
        try:
            wait("waits")
        except BaseException:
            print("an exception was raised")
"""
    with started(program(block), tmp_path) as command:
        until(lambda: command.printed == "waits\n")
        assert len(list(tmp_path.iterdir())) == 2
        command.tell(number)
        assert command.wait() == 128 + number
        assert (command.printed, command.errors) == ("waits\n", "these\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
def test_a_second_signal_while_it_tidies_up_changes_nothing(tmp_path: Path) -> None:
    block = """
def say():
    print("tidies up", flush=True)
    while not Path("go on").exists():
        time.sleep(0.01)
    return "these"
with last_words(say):
    wait("waits")
"""
    with started(program(block), tmp_path) as command:
        until(lambda: command.printed == "waits\n")
        command.tell(signal.SIGINT)
        until(lambda: command.printed.endswith("tidies up\n"))
        command.tell(signal.SIGINT)
        command.tell(signal.SIGTERM)
        (tmp_path / "go on").touch()
        assert command.wait() == 130
        assert command.errors == "these\n"


@pytest.mark.processes
def test_nothing_is_said_of_a_tracker_of_semaphores_that_a_hang_up_ends_first(
    tmp_path: Path,
) -> None:
    block = """
from loky.backend.resource_tracker import _resource_tracker as tracker
tracker.ensure_running()
os.kill(tracker._pid, signal.SIGHUP)
os.waitid(os.P_PID, tracker._pid, os.WEXITED | os.WNOWAIT)
tracker.ensure_running()
print("has another", flush=True)
"""
    with started(program(block), tmp_path) as command:
        assert command.wait() == 0
        assert (command.printed, command.errors) == ("has another\n", "")


@pytest.mark.processes
def test_what_is_undisturbed_is_done_before_the_end(tmp_path: Path) -> None:
    block = """
with undisturbed():
    os.kill(os.getpid(), signal.SIGINT)
    print("done", flush=True)
print("not reached")
"""
    with started(program(block), tmp_path) as command:
        assert command.wait() == 130
        assert command.printed == "done\n"
        assert command.errors == "interrupted; nothing was written\n"


@pytest.mark.processes
def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    program = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from sim.ending import ended_when_told
with ended_when_told():
    os.kill(os.getpid(), signal.SIGINT)
    print("goes on")
"""
    with started([sys.executable, "-c", program], tmp_path) as command:
        assert command.wait() == 0
        assert command.printed == "goes on\n"


@pytest.mark.processes
@pytest.mark.parametrize(
    "module", ["sim", "sim.claims", "sim.validation", "sim.playground"], ids=str
)
def test_a_command_is_in_control_before_it_imports_anything_slow(
    module: str, tmp_path: Path
) -> None:
    """At the first import of anything but Python's own it is interrupted."""
    program = f"""
import os, runpy, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top != "sim":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["{module}"]
runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""
    with started([sys.executable, "-c", program], tmp_path) as command:
        assert command.wait() == 130
        assert command.printed == ""
        assert command.errors in ("interrupted; nothing was written\n", "interrupted\n")


def test_importing_the_package_imports_nothing_else() -> None:
    program = """
import sys
import sim
import sim.experiment.worker_processes, sim.playground.abandoned
slow = {"numpy", "pandas", "scipy", "hydra", "simpy", "pydantic", "matplotlib", "starlette"}
sys.exit(", ".join(slow & set(sys.modules)) or 0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)


def test_public_names_are_found_when_they_are_asked_for() -> None:
    assert set(sim.__all__) <= set(dir(sim))
    for name in sim.__all__:
        assert getattr(sim, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'sim' has no attribute 'laod'"):
        sim.laod  # noqa: B018
    with pytest.raises(ImportError, match="laod"):
        from sim import laod  # noqa: F401


def test_type_checkers_are_told_the_same_names() -> None:
    stub = Path(str(sim.__file__)).with_suffix(".pyi").read_text(encoding="utf-8").splitlines()
    told = {line.rpartition(" ")[2]: line.split()[1] for line in stub if line}
    assert told == {name: getattr(sim, name).__module__ for name in sim.__all__}
