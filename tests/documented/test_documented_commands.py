"""Every command and example of the README and the docs is run as it stands, with small settings.

The blocks of a document are run one after the other in one folder that was empty. A shell runs
those marked ``sh``; it finds small programs in front of its path that add small settings, and
others in the place of what needs a network. Blocks marked ``yaml`` begin with the name of their
file, perhaps with a command that uses it: ``# mine.yaml: python -m sim ...``.
"""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
from processes import PATIENCE_S

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    if re.search(r"^```(sh|yaml|python)$", path.read_text(encoding="utf-8"), re.MULTILINE)
)
NOT_RUN = {
    "pytest": "these are the tests",
    "gh api": "needs an account at GitHub",
    "SLURMCluster": "needs a cluster",
    "tcp://10.1.2.3": "needs a cluster",
}
"""Why a block that has these words is not run."""

_PYTHON = """\
#!{python}
import os, sys

arguments = sys.argv[1:]
module = arguments[1] if arguments[:1] == ["-m"] else ""
said = arguments[2:]
as_it_is = {{"--help", "--version", "--cfg", "resume", "replay"}}
if module == "sim" and not as_it_is & set(said):
    invests = any("roadmap=" in each or "experiment=jcurve" in each for each in said)
    said += [f"horizon_weeks={{60 if invests else 8}}", "warmup_weeks=2"]
    said += ["replications=4", "n_jobs=1"]
    if any("samples=" in each for each in said):
        said.append("samples=4")
    if any("experiment=population" in each for each in said):
        said += ["samples=2", "replications=1"]
    if "design=adaptive" in said:
        said += ["adaptive.points=5", "adaptive.replications=2", "adaptive.max_runs=10"]
if module == "sim.claims":
    said += ["--organization", "startup", "--replications", "2"]
    if "--only" not in said:
        said += ["--only", "D5"]
if module in ("sim.playground", "sim.validation"):
    said += ["--help"]  # what they do is fixed, and tested elsewhere
os.execv({python!r}, [{python!r}, *arguments[:2], *said])
"""
_STANDING_IN = {
    "pip": "",  # what it installs is there
    "jupyter": 'for last; do :; done; test -e "$PROJECT/$last"',  # lessons are run elsewhere
}


class Block(NamedTuple):
    """A block of code in a document."""

    language: str
    text: str
    line: int


def blocks(document: str) -> Iterator[Block]:
    text = (PROJECT / document).read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2], text[: found.start()].count("\n") + 2)


@pytest.fixture
def shell(here: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a shell in an empty folder, whose programs are small."""
    programs = tmp_path_factory.mktemp("programs")
    texts = {"python": _PYTHON.format(python=sys.executable)} | {
        name: f"#!/bin/bash\n{text}\n" for name, text in _STANDING_IN.items()
    }
    for name, text in texts.items():
        path = programs / name
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PROJECT": str(PROJECT),
        "PYTHONPATH": str(PROJECT),
    }


def run_in(folder: Path, commands: str, shell: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=shell,
        input="\n" * 100,  # to questions: as it stands in brackets
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 4,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def make_a_history(folder: Path, shell: dict[str, str]) -> None:
    """Make the clone that a reader of the documents about records would be in."""
    commands = """
        git init --quiet --initial-branch=main .
        git config user.name A; git config user.email a@example.com
        for week in 01 02 03 04 05 06 07 08 09 10 11 12; do
          export GIT_AUTHOR_DATE="2026-$week-05T10:00Z" GIT_COMMITTER_DATE="2026-$week-06T10:00Z"
          git commit --quiet --allow-empty --message "Change $week"
          git tag "v1.$week"
        done
    """
    run_in(folder, dedent(commands), shell)
    text = (PROJECT / "docs/records.md").read_text(encoding="utf-8")
    writes = re.search(r"^git --no-pager log.*?(?=^python)", text, re.MULTILINE | re.DOTALL)
    assert writes is not None
    run_in(folder, writes[0], shell)


def run_python(block: Block, document: str, names: dict[str, object]) -> None:
    text = re.sub(r"replications=\d+", "replications=4", block.text)
    text = re.sub(r"\bn=\d+", "n=2", text)
    exec(compile("\n" * (block.line - 1) + text, document, "exec"), names)


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_tells_to_run_runs(
    document: str, here: Path, shell: dict[str, str]
) -> None:
    if any("history.txt" in block.text for block in blocks(document)):
        make_a_history(here, shell)
    names: dict[str, object] = {}
    for block in blocks(document):
        if any(words in block.text for words in NOT_RUN):
            continue
        if block.language == "sh":
            run_in(here, block.text, shell)
        elif block.language == "python":
            run_python(block, document, names)
        elif block.language == "yaml":
            file = re.search(r"^# (\S+[.]yaml)(?:: (.+))?$", block.text, re.MULTILINE)
            assert file is not None, f"{document}, line {block.line}: which file is this?"
            (here / file[1]).parent.mkdir(parents=True, exist_ok=True)
            (here / file[1]).write_text(block.text, encoding="utf-8")
            if file[2]:
                run_in(here, file[2], shell)


@pytest.mark.parametrize("words", NOT_RUN)
def test_what_is_not_run_is_still_there(words: str) -> None:
    assert any(words in block.text for document in DOCUMENTS for block in blocks(document))
