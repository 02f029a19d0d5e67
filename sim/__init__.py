"""mldelivery: a discrete-event simulator of organizations that deliver machine-learning systems."""

from sim.experiment.axes import Interval
from sim.experiment.compare import Comparison, compare
from sim.experiment.replicate import Study, replicate
from sim.experiment.run import Run, simulate
from sim.experiment.sweep import sweep
from sim.experiment.sweep_results import Sweep
from sim.scenario.errors import ScenarioError
from sim.scenario.load import load

__all__ = [
    "Comparison",
    "Interval",
    "Run",
    "ScenarioError",
    "Study",
    "Sweep",
    "compare",
    "load",
    "replicate",
    "simulate",
    "sweep",
]
