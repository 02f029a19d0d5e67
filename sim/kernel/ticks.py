"""Instants on a grid of microseconds.

Time is in hours, as a float. Hours that people write (8.4, 14.1, 8 h 20 min) are no binary
fractions, and sums of floats depend on their order, so that two ways to the same instant would
differ in the last digits. Every instant is therefore the float next to a whole number of
microseconds: two instants are equal if and only if their floats are, and differences of floats
decide nothing.
"""

TICKS_PER_H = 3_600_000_000
"""Microseconds per hour."""
LAST_H = 2.0**20
"""Up to here, 6241 weeks, hours and ticks convert into each other without loss."""


def to_ticks(hours: float) -> int:
    """Return the number of microseconds that is nearest to ``hours``."""
    return round(hours * TICKS_PER_H)


def to_hours(ticks: int) -> float:
    """Return the float that stands for a number of microseconds."""
    return ticks / TICKS_PER_H


def snap(hours: float) -> float:
    """Return the instant that is nearest to ``hours``; what is beyond ``LAST_H`` stays as it is."""
    return round(hours * TICKS_PER_H) / TICKS_PER_H if hours < LAST_H else hours
