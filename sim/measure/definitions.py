"""The four metrics as other tools define them, for comparison with theirs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A metric of another tool.

    Attributes:
        label: what the tool calls it.
        text: its value with its unit.
        rule: how the tool counts.
        value: its value in the tool's unit; NaN if there is none.
    """

    label: str
    text: str
    rule: str
    value: float


@dataclass(frozen=True)
class Definition:
    """What another tool would show.

    Attributes:
        tool: its name.
        lines: its metrics.
        remark: what else it does differently.
    """

    tool: str
    lines: tuple[Line, ...]
    remark: str = ""
