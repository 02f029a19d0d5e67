"""The versions of Python and of the packages that the numbers depend on."""

import platform
from importlib import metadata

_PACKAGES = ("mldelivery", "simpy", "numpy", "scipy", "pandas")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed: run from a source checkout"
    return found
