"""Pure functions from event tables to numbers.

The tables are those of :mod:`sim.log`, simulated or exported from a real organization; nothing here
knows the model.
"""

from importlib import import_module
from pkgutil import iter_modules

from sim.metrics.bands import dora_band
from sim.metrics.flow import waiting_by_step
from sim.metrics.series import rolling_metrics, weekly_series
from sim.metrics.stability import is_unstable
from sim.metrics.summary import compute_metrics, compute_metrics_by
from sim.metrics.warmup import mser5, welch

# Each module declares its metrics in the catalogue.
for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "compute_metrics",
    "compute_metrics_by",
    "dora_band",
    "is_unstable",
    "mser5",
    "rolling_metrics",
    "waiting_by_step",
    "weekly_series",
    "welch",
]
