"""Tables of the page that are not rows: inputs of the scenarios, and the trace."""

from typing import Literal

from pydantic import Field

from sim.scenario.spec import Spec

from .entries import SourceByName
from .readings import FigureName


class ScenarioInput(Spec):
    """A published figure that the scenarios take as it is."""

    published: str = Field(description="The figure, in words.")
    source: SourceByName = Field(description="Where it is from.")
    put_in: str = Field(description="The key of a scenario that it goes into.")


class TraceLine(Spec):
    """A line of the last table: a figure of each preset."""

    label: str = Field(description="What the figure is, with its unit.")
    figure: FigureName = Field(description="Its name in the observations.")
    unit: Literal["h", "%", "per year"] = Field(description="The unit that it is shown in.")
