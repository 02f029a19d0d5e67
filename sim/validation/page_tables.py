"""The tables of the page without verdicts: inputs of the scenarios, and the trace."""

from typing import Literal

from pydantic import Field

from sim.scenario.spec import Spec

from .entries import SourceByName
from .readings import FigureName


class ScenarioInput(Spec):
    """A published figure that scenarios take as an input."""

    published: str = Field(description="The figure, in words.")
    source: SourceByName = Field(description="Where it is from.")
    scenario_key: str = Field(description="Where it goes in a scenario.")


class TraceLine(Spec):
    """A line of the last table: a figure of each preset."""

    label: str = Field(description="Name and unit of the figure.")
    figure: FigureName = Field(description="Its name in the observations.")
    unit: Literal["h", "%", "per year"] = Field(description="Unit it is shown in.")
