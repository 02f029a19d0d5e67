"""The economic lot size: how often to deliver where a delivery costs the same whatever its size.

Harris (1913), "How many parts to make at once"; for product development Reinertsen (2009), *The
Principles of Product Development Flow*: the sum of transaction cost, which falls with the size of
a batch, and holding cost, which rises with it, is U-shaped.
"""

from math import inf, sqrt


def economic_interval_h(cost: float, rate_per_h: float, worth_per_h: float) -> float:
    """Return the hours between deliveries at which delivering and waiting cost least.

    Deliveries every t hours cost K / t per hour; the ideas that wait for them, t / 2 on average,
    c λ t / 2. The sum is least at t = sqrt(2 K / (c λ)).

    Args:
        cost: K, money that a delivery takes whatever its size.
        rate_per_h: λ, ideas that are finished per hour.
        worth_per_h: c, money that a delivered idea brings per hour.

    Returns:
        Hours; infinite if nothing is finished or nothing is worth anything.
    """
    held = rate_per_h * worth_per_h
    return sqrt(2 * cost / held) if held > 0 else inf


def economic_size(cost: float, rate_per_h: float, worth_per_h: float) -> float:
    """Return the ideas that such an interval brings; arguments as above."""
    if rate_per_h <= 0:
        return inf
    return rate_per_h * economic_interval_h(cost, rate_per_h, worth_per_h)
