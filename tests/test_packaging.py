"""What the packaging files promise of each other."""

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned_versions() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pins}


def test_constraints_pin_a_permitted_version_of_every_dependency() -> None:
    pinned = pinned_versions()
    extras = project()["optional-dependencies"].values()
    declared = chain(project()["dependencies"], *extras)
    for requirement in map(Requirement, declared):
        if requirement.name != project()["name"]:
            assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


def test_constraints_hold_no_addresses() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://| @ |^-", text, flags=re.MULTILINE)


def test_the_citation_names_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project()['version']}\n" in citation
