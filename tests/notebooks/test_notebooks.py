"""The lessons: they run from a clean kernel, what they state holds, and what they keep shows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import sim.metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TITLES = [path.stem for path in NOTEBOOKS]
SECONDS = 600
"""After which a cell is stopped: ten times what a whole lesson takes."""


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_ten_lessons() -> None:
    assert [title[:3] for title in TITLES] == [f"{number:02}_" for number in range(1, 11)]


def trees(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, ast.Module]]:
    """Yield the syntax tree of each code cell with the section that it stands in."""
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (re.findall(r"^## (.+)$", cell.source, re.MULTILINE) or [section])[-1]
        else:
            lines = ["" if line.startswith("%") else line for line in cell.source.splitlines()]
            yield section, ast.parse("\n".join(lines))


def is_check(node: ast.AST) -> bool:
    """Return whether a node is an `assert`, or a call of one of pandas' and numpy's."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr.startswith("assert_")
    return isinstance(node, ast.Assert)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=TITLES)
def test_checks_stand_at_the_end_of_a_lesson(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    sections = [section for section, tree in trees(notebook) if any(map(is_check, ast.walk(tree)))]
    assert "Checks" in sections
    assert set(sections) <= {"Checks", "Solutions, executed"}
    assert list(trees(notebook))[-1][0] == "Checks"
    for cell, (section, _) in zip(code_cells(notebook), trees(notebook), strict=True):
        if section == "Checks":
            assert cell.metadata["jupyter"]["source_hidden"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=TITLES)
def test_a_lesson_imports_what_is_public(path: Path) -> None:
    public = {"sim", "sim.metrics"}
    cells = [tree for _, tree in trees(nbformat.read(path, as_version=4))]
    prose = path.read_text(encoding="utf-8")
    for tree in cells:
        for node in ast.walk(tree):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [str(node.module)]
                if node.module == "sim.metrics":
                    assert {alias.name for alias in node.names} <= set(sim.metrics.__all__)
                assert node.module != "sim"
            assert {name for name in modules if name.partition(".")[0] == "sim"} <= public
    for module in re.findall(r"(?:from|import) (sim\.\w+)", prose):  # in folded solutions too
        assert module in public


def minutes(path: Path) -> int:
    """Return how long a lesson takes, as its first cell says."""
    (said,) = re.findall(
        r"\*About (\d+) minutes\.", nbformat.read(path, as_version=4).cells[0].source
    )
    return int(said)


def rows_with_links(page: Path) -> dict[str, list[int]]:
    """Return the whole numbers in the cells of each row of a table that links to a lesson."""
    found = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and (
            link := re.search(r"\((?:\.\./notebooks/)?(\w+)\.ipynb\)", line)
        ):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[link[1]] = [int(cell) for cell in cells if cell.isdigit()]
    return found


def test_the_length_of_a_lesson_is_the_same_everywhere() -> None:
    lengths = {path.stem: minutes(path) for path in NOTEBOOKS}
    in_teaching = rows_with_links(ROOT / "docs" / "teaching.md")
    assert {title: numbers[-1] for title, numbers in in_teaching.items()} == lengths
    on_map = rows_with_links(FOLDER / "README.md")
    assert {title: numbers[-1] for title, numbers in on_map.items()} == lengths
    said = f"{min(lengths.values())} to {max(lengths.values())} minutes"
    for page in (ROOT / "README.md", ROOT / "docs" / "teaching.md", FOLDER / "README.md"):
        assert re.findall(r"lessons of (\d+ to \d+ minutes)", page.read_text(encoding="utf-8")) == [
            said
        ]


def test_every_lesson_is_on_the_map_and_its_links_lead_somewhere() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page)
    assert {path.name for path in NOTEBOOKS} <= set(links)
    for link in links:
        assert (FOLDER / link).exists(), link
    for other, link in (
        ("README.md", "notebooks/README.md"),
        ("docs/teaching.md", "../notebooks/README.md"),
    ):
        assert f"]({link})" in (ROOT / other).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=TITLES)
def test_the_links_of_a_lesson_lead_somewhere(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", prose):
        assert (FOLDER / link).exists(), link


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=TITLES)
def test_a_lesson_runs_and_its_statements_hold(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    # Its assert cells fail here if a number that it states is no longer so.
    NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=TITLES)
def test_what_a_lesson_keeps_can_be_shown(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|work|tmp|Users)/", text)
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=TITLES)
def test_a_lesson_has_all_its_parts(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for part in ("question", "predict", "exercise"):
        assert part in prose.lower(), part
    assert prose.count("<details>") == prose.count("</details>") >= 2
    asserts = [cell for cell in code_cells(notebook) if "assert " in cell.source]
    assert len(asserts) >= 2
