"""Settings that have no effect on a command are refused: somebody expects one.

What a file says is left alone, as the same file may serve a run and a sweep.
"""

from collections.abc import Iterable

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import Scenario
from sim.scenario.settings import OF_A_SWEEP

ALSO_OF_A_RUN = frozenset({"n_jobs", "allow_large", "dry_run"})
"""Settings of a sweep that a single run heeds, too."""
_DESIGNS_WITH_SAMPLES = ("random", "lhs", "sobol", "morris")


def refuse_on_a_run(keys: Iterable[str]) -> None:
    """Refuse settings of a sweep on a single run.

    Args:
        keys: what the command line sets.

    Raises:
        ScenarioError: one of them is such a setting.
    """
    for key in sorted(keys):
        if key.partition(".")[0] in OF_A_SWEEP - ALSO_OF_A_RUN:
            hint = "-m and several values of a key make a sweep"
            raise ScenarioError([Problem(key, "has no effect on a single run", hint)])


def refuse_in_a_sweep(keys: Iterable[str], settings: Scenario) -> None:
    """Refuse settings that the design of a sweep does not heed, and that no other check refuses.

    Args:
        keys: what the command line sets.
        settings: of the sweep.

    Raises:
        ScenarioError: one of them is such a setting.
    """
    if "samples" in keys and settings.design not in _DESIGNS_WITH_SAMPLES:
        designs = ", ".join(_DESIGNS_WITH_SAMPLES)
        what = f"has no effect on design={settings.design}"
        raise ScenarioError([Problem("samples", what, f"it is for {designs}")])
