"""mldelivery: a discrete-event simulator of organizations that deliver machine-learning systems."""

import importlib

_MODULES = {
    "Comparison": "experiment.compare",
    "Interval": "experiment.axes",
    "Payback": "experiment.payback",
    "Records": "log.records",
    "RecordsError": "log.contract",
    "ResultsError": "experiment.store",
    "Run": "experiment.run",
    "ScenarioError": "scenario.errors",
    "Study": "experiment.replicate",
    "Sweep": "experiment.sweep_results",
    "animate": "report.animation",
    "compare": "experiment.compare",
    "figures": "report.sweep_report",
    "load": "configuration.load",
    "open": "configuration.opened",
    "pay_back": "experiment.payback",
    "population": "configuration.population",
    "read": "records.reading",
    "replicate": "experiment.replicate",
    "simulate": "experiment.run",
    "sweep": "configuration.sweep",
    "write_report": "report.sweep_report",
}
"""Where each public name is from; ``__init__.pyi`` says the same to type checkers."""

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562).

    Commands and worker processes import this package first. They have to be in control of signals,
    and of their own end, before they import what takes a second.
    """
    if name not in _MODULES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"sim.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
