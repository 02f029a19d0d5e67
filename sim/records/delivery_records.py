"""The records of a real organization, with what is known about how they came about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sim.log import Records

from .attribution import Attribution
from .knowledge import Known
from .problems import Problems


@dataclass(frozen=True)
class DeliveryRecords(Records):
    """Records that were read from the exports of an organization's tools.

    Attributes:
        epoch: the instant that hours are counted from, a Monday 00:00.
        source: what kind of source they are from.
        problems: what is wrong with them, all of it.
        remarks: what a reader has to know about them, in sentences.
        knowledge: of every column, whether it was observed.
        attribution: how incidents were charged to deployments; None if there is nothing to charge.
        by_bot: which changes no person wrote; None if nobody recorded it.
        tool: the tool whose tables they are from, if it has definitions of its own.
        tool_tables: these tables.
    """

    epoch: pd.Timestamp = field(default_factory=lambda: pd.Timestamp(0, tz="UTC"))
    source: str = ""
    problems: Problems = field(default_factory=Problems)
    remarks: tuple[str, ...] = ()
    knowledge: tuple[Known, ...] = ()
    attribution: Attribution | None = None
    by_bot: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None" = None
    tool: str = ""
    tool_tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
