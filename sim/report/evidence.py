"""The evidence of a report: the replications of a study, or the records of a real organization.

Both have metrics with a summary, and event tables, so that the same functions report on either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from sim.experiment.breakdowns import COMPUTED_BY, Part
from sim.experiment.intervals import summarize
from sim.experiment.replicate import Study
from sim.experiment.showing import Showing
from sim.log import Records
from sim.metrics import compute_metrics
from sim.report.units import count_noun


@dataclass(frozen=True, repr=False)
class Observation(Showing):
    """An organization of which there are records: what happened, once.

    Attributes:
        records: its tables, window and currency.
    """

    records: Records

    @property
    def interval_method(self) -> str:
        """How its intervals came about; empty if it has none."""
        return ""

    @property
    def basis(self) -> Mapping[str, int]:
        """On how many events a metric rests, where the catalogue names another count."""
        return {}

    @cached_property
    def open_durations(self) -> dict[str, int]:
        """Of the medians that count what is not over, how many durations are not over."""
        return {}

    @property
    def bounded(self) -> frozenset[str]:
        """The metrics of which there are only bounds."""
        return frozenset()

    @cached_property
    def runs(self) -> pd.DataFrame:
        """Its metrics, in one row."""
        return compute_metrics(self.records).to_frame().T

    def summary(self) -> pd.DataFrame:
        """Return each metric as a mean of one; there are no intervals."""
        return self._summary.copy()

    @cached_property
    def _summary(self) -> pd.DataFrame:
        return summarize(self.runs)


Evidence = Study | Observation


def breakdown(evidence: Evidence, part: Part) -> Any:
    """Return where time goes, of all replications together; see :class:`Breakdowns`.

    Raises:
        AbsentError: the records lack a table or a column.
    """
    if isinstance(evidence, Study) and evidence.breakdowns is not None:
        return getattr(evidence.breakdowns, part)
    return COMPUTED_BY[part](evidence.records.tables, evidence.records.window)


def of_all(evidence: Evidence) -> str:
    """Return what the caption of a :func:`breakdown` ends with: over what it is taken."""
    if isinstance(evidence, Observation):
        return ""
    if evidence.breakdowns is None:
        return f" Of replication {evidence.first.replication}."
    return f" Over {count_noun(len(evidence.runs), 'replication')}."


def of_replication(evidence: Evidence) -> str:
    """Return what a title ends with: which replication is shown, if it is one of several."""
    if isinstance(evidence, Observation):
        return ""
    return f" (replication {evidence.first.replication})"


def with_source(caption: str, evidence: Evidence) -> str:
    """Return a caption that says which replication is shown, if it is one of several."""
    if isinstance(evidence, Observation):
        return caption
    return f"{caption} Of replication {evidence.first.replication}, whose tables are kept."
