"""The files that come with the package: scenarios, and groups of parts to choose from."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_IN_WHEEL = _PACKAGE / "scenarios"
SCENARIOS = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent / "scenarios"
"""The folder of the scenarios that come with the package."""
_NO_GROUPS = {"verification", "claims"}  # folders of files that stand for themselves


def scenario_names() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    paths = [*SCENARIOS.glob("*.yaml"), *SCENARIOS.glob("verification/*.yaml")]
    return sorted(path.relative_to(SCENARIOS).with_suffix("").as_posix() for path in paths)


def groups() -> list[str]:
    """Return the config groups that come with the package, e.g. ``practice/testing``."""
    folders = {path.parent.relative_to(SCENARIOS).as_posix() for path in SCENARIOS.rglob("*.yaml")}
    return sorted(folders - {"."} - _NO_GROUPS)


def level_order(name: str) -> tuple[int, str]:
    """Order the levels of a practice: those of every practice around those of its own."""
    return {"none": 0, "basic": 1, "full": 3}.get(name, 2), name


def is_choice(key: str) -> bool:
    """Return whether a key is that of a config group, and not a dotted key of a scenario."""
    from .organization import Scenario  # NumPy and pydantic, which a list of files does not need

    return key.partition(".")[0] not in Scenario.model_fields
