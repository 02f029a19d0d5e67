"""Simulated runs that are exported, and read back."""

from functools import cache
from pathlib import Path

import pandas as pd

import sim
from sim.experiment.run import Run
from sim.export.command import export
from sim.export.simulated import TABLES
from sim.log import Records

EPOCH = pd.Timestamp("2026-01-05", tz="UTC")


@cache
def small_run() -> Run:
    """Return a run of the default organization over 20 weeks, of which 4 are its warm-up."""
    return run_of("default", 20, 4)


@cache
def run_of(name: str, horizon_weeks: int, warmup_weeks: int) -> Run:
    """Return a run of an organization over some weeks."""
    organization = [] if name == "default" else [f"organization={name}"]
    return sim.simulate(
        sim.load(*organization, f"horizon_weeks={horizon_weeks}", f"warmup_weeks={warmup_weeks}")
    )


def records_of(run: Run) -> Records:
    """Return what an export knows of a run."""
    return Records({name: run.tables[name] for name in TABLES}, run.window)


def exported(run: Run, to: str, folder: Path) -> Path:
    """Export a run, and return the folder."""
    export(records_of(run), EPOCH, to, folder)
    return folder


def days(run: Run) -> dict[str, str]:
    """Return the observed time as the options `since` and `until`."""
    start, end = (EPOCH + pd.Timedelta(hours=edge) for edge in run.window)
    return {"since": f"{start:%Y-%m-%d}", "until": f"{end:%Y-%m-%d}"}
