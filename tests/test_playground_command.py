"""``python -m sim.playground``: what it prints, what it refuses, and how it ends."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from processes import interrupt

from sim.playground.__main__ import main

COMMAND = [sys.executable, "-m", "sim.playground", "--no-browser"]


@pytest.mark.processes
def test_ctrl_c_ends_it_without_a_word(tmp_path: Path) -> None:
    status, printed, errors = interrupt(
        COMMAND, tmp_path, lambda command: command.printed.endswith("Ctrl-C ends it.\n")
    )
    assert errors == ""
    assert status == 0
    assert re.fullmatch(r"Playground: http://127\.0\.0\.1:\d+/\nCtrl-C ends it\.\n", printed)


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--no-browser", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert (
        said
        == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port\n"
    )


@pytest.mark.parametrize("options", [["--port", "0"], ["--port", "x"], ["--workers", "0"]])
def test_bad_options(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(options)
    assert done.value.code == 2
    assert f"'{options[1]}' is not a" in capsys.readouterr().err


def test_without_its_packages_it_says_what_to_install() -> None:
    program = """
import sys
sys.modules["uvicorn"] = None
from sim.playground.__main__ import main
sys.exit(main([]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr == "the playground needs more packages: pip install 'mldelivery[playground]'\n"
    )
