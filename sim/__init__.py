"""mldelivery: a discrete-event simulator of organizations that deliver machine-learning systems."""

from sim.experiment.compare import Comparison, compare
from sim.experiment.replicate import Study, replicate
from sim.experiment.run import Run, simulate
from sim.scenario.errors import ScenarioError
from sim.scenario.load import load

__all__ = [
    "Comparison",
    "Run",
    "ScenarioError",
    "Study",
    "compare",
    "load",
    "replicate",
    "simulate",
]
