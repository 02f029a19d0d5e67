"""What a command has loaded when a person first sees something of it: nothing that takes long.

Seconds depend on the machine. What is loaded does not, and is where they go.
"""

import json
import subprocess
import sys

import pytest
from processes import PATIENCE_S

PROGRAM = """
import json, sys
{program}
print(json.dumps(sorted(sys.modules)))
"""
SLOW = {"numpy", "pandas", "scipy", "hydra", "omegaconf", "simpy", "pydantic", "rich", "jinja2"} | {
    "matplotlib",
    "pyarrow",
    "SALib",
}
TO_DRAW = {"matplotlib", "jinja2"}
OF_A_SWEEP = {"sim.experiment.sweep", "pyarrow.parquet", "SALib", "scipy.stats", "matplotlib"}


def loaded(program: str) -> set[str]:
    """Return the modules that are loaded at the end of a program; what it prints is left out."""
    command = [sys.executable, "-c", PROGRAM.format(program=program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(argument: str) -> str:
    """Return a program that runs a command line and does not exit."""
    return f"import sim.app\ntry: sim.app.main(['{argument}'])\nexcept SystemExit: pass"


@pytest.mark.parametrize(
    ("program", "never"),
    [
        pytest.param(command("--help"), SLOW, id="help"),
        pytest.param(command("--version"), SLOW, id="version"),
        # From here on there is a sign of life. What takes longest is loaded while workers are busy.
        pytest.param(
            "import sim.app, sim.configuration.program, sim.report.progress",
            {"pandas", "simpy", "scipy.special"} | TO_DRAW | OF_A_SWEEP,
            id="until it simulates",
        ),
        pytest.param("import sim.experiment.resources", {"pandas", "simpy"}, id="estimate"),
        pytest.param(
            "import sim.experiment.run",
            {"hydra", "omegaconf", "rich", "scipy.stats"} | TO_DRAW | OF_A_SWEEP,
            id="worker",
        ),
        pytest.param(
            "import sim.report.study_document, sim.document.terminal, sim.report.drawing",
            {"scipy.stats"} | TO_DRAW,
            id="table",
        ),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(program: str, never: set[str]) -> None:
    assert loaded(program) & never == set()
