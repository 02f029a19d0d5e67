"""The axes of a sweep: one for each key, with its values or an interval."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """All numbers between two bounds, for designs that sample.

    Attributes:
        low: the lower bound.
        high: the upper bound.
        whole: only whole numbers are meant, both bounds included.
    """

    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True)
class Axis:
    """One thing that a sweep varies.

    Attributes:
        key: dotted key such as ``automation``, or config group such as ``practice/testing``.
        values: the values to take, or an interval to take them from.
    """

    key: str
    values: tuple[object, ...] | Interval
