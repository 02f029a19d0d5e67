"""Who may import whom: imports run downwards, and never in a circle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SIM = Path(__file__).parents[1] / "sim"

BOTTOM = {"words", "hours", "ending"}
"""They serve everybody and import nothing."""

MAY_IMPORT = {
    "scenario": BOTTOM,
    "kernel": BOTTOM | {"scenario"},
    "log": BOTTOM | {"scenario", "kernel"},
    "world": BOTTOM | {"scenario", "kernel", "log"},
    "metrics": BOTTOM | {"log"},  # of any organization: it knows no world and no scenario
    "experiment": BOTTOM | {"scenario", "log", "world", "metrics"},
    "configuration": BOTTOM | {"scenario", "experiment"},
    "new": BOTTOM | {"scenario", "configuration"},
    "records": BOTTOM | {"scenario", "log", "metrics", "experiment"},
    "document": BOTTOM | {"metrics"},
    "report": BOTTOM | {"scenario", "log", "metrics", "experiment", "configuration", "document"},
    "export": BOTTOM | {"log", "records", "configuration", "scenario"},
    "measure": BOTTOM | {"log", "metrics", "experiment", "document", "report", "records", "export"},
}
"""What each package may import, from the ground up."""
AT_THE_TOP = set(MAY_IMPORT) | BOTTOM
"""What everything else may import, which nobody imports."""
COMMANDS = {"app", "__main__"}
"""One command: they may import each other."""

WORLD = [
    {"clock", "calendar", "windows", "randomness", "decay"},  # primitives
    {"people", "compute"},  # pools
    {"entities", "steps"},  # what there is, as plain data
    {"context"},  # the context: what exists, and what follows from what happens
    {  # mechanisms
        "adoption",
        "arrivals",
        "authoring",
        "batches",
        "data",
        "debt",
        "dependencies",
        "differences",
        "difficulty",
        "effects",
        "effort",
        "failures",
        "ideas",
        "incidents",
        "investment",
        "pickup",
        "pipeline",
        "planning",
        "pools",
        "prices",
        "quality",
        "release",
        "release_calendar",
        "remediation",
        "retraining",
        "self_service",
        "sources",
        "standard_changes",
        "standardization",
        "threats",
        "transients",
        "upkeep",
    },
    {"build", "simulation"},  # what puts it together, and runs it
]
"""The floors of the simulated organization, from the ground up."""


def _modules() -> dict[str, Path]:
    """Return the modules of the package by name: `world.people`, and `world` for its `__init__`."""
    modules = {}
    for path in sorted(SIM.rglob("*.py")):
        parts = path.relative_to(SIM).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


MODULES = _modules()


def _imported(module: str) -> Iterator[str]:
    """Yield the modules of the package that a module imports, wherever in its source."""
    path = MODULES[module]
    package = ["sim", *path.relative_to(SIM).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            names = [".".join([*base, alias.name]) for alias in node.names]
        for name in names:
            root, _, inside = name.partition(".")
            if root == "sim":
                parent = inside.rpartition(".")[0]
                yield inside if inside in MODULES else parent


IMPORTS = {module: set(_imported(module)) - {module, ""} for module in MODULES}


def _layer(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("layer", sorted({_layer(module) for module in MODULES} - {""}))
def test_a_layer_imports_nothing_but_what_is_below(layer: str) -> None:
    allowed = set() if layer in BOTTOM else MAY_IMPORT.get(layer, AT_THE_TOP)
    if layer in COMMANDS:
        allowed = allowed | COMMANDS
    for module in MODULES:
        if _layer(module) == layer:
            found = {_layer(other) for other in IMPORTS[module]} - {layer}
            assert found <= allowed, f"{module} imports {sorted(found - allowed)}"


def test_hydra_is_known_to_one_package_alone() -> None:
    for module, path in MODULES.items():
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module).partition(".")[0])
        assert ("hydra" not in names) or _layer(module) == "configuration", module


def test_only_one_module_knows_of_databases() -> None:
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if "sqlalchemy" in names:
                assert module == "records.database", f"{module}, line {node.lineno}"


def test_no_package_has_a_circle_of_imports() -> None:
    list(TopologicalSorter(IMPORTS).static_order())  # raises CycleError


def test_the_world_is_imported_floor_by_floor() -> None:
    floor = {module: number for number, modules in enumerate(WORLD) for module in modules}
    assert {f"world.{name}" for name in floor} == {
        module for module in MODULES if module.startswith("world.")
    }
    for name, number in floor.items():
        for other in IMPORTS[f"world.{name}"]:
            if _layer(other) == "world":
                above = floor[other.removeprefix("world.")] > number
                assert not above, f"world.{name} imports {other}, which is above it"


def test_no_file_of_the_world_is_imported_for_its_types_alone() -> None:
    for module, path in MODULES.items():
        if _layer(module) == "world":
            assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8"), module


def test_imports_are_found_in_whatever_way_they_are_written() -> None:
    assert {"world.debt", "world.effort", "world.steps", "log.rows"} <= IMPORTS["world.pipeline"]
    assert "world.simulation" in IMPORTS["experiment.run"]
    assert "scenario.organization" in IMPORTS["log.rows"]
