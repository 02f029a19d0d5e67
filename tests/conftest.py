"""What holds for all tests: none depends on the machine's speed, and each file is parsed once."""

import gc
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from omegaconf import OmegaConf

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end: modules, and thousands of tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _each_text_is_parsed_once() -> Iterator[None]:
    """Let Hydra parse a text of YAML once: a composition of the default reads 24 files.

    Files are still read, found and merged by Hydra each time. What is kept is what a text means,
    which nothing but the text decides.
    """
    load = OmegaConf.load
    kept: dict[str, bytes] = {}

    def load_once(file: Any) -> Any:
        if isinstance(file, (str, Path)):
            return load(file)
        text = file.read()
        if text not in kept:
            file.seek(0)
            found = load(file)
            try:
                kept[text] = pickle.dumps(found)
            except RecursionError:  # it is nested more deeply than pickle can follow
                return found
        return pickle.loads(kept[text])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", staticmethod(load_once))
        yield


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current folder, which is empty; what `main` sets in this process is restored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sim"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    return tmp_path
