"""The cost of an organization, and the worth of its features.

Amounts are in the currency of the table of prices. A price holds from its `since` to the next row
of its item. What has a price that nobody knows (no row, or none yet) costs NaN and not nothing, and
so does a sum with such a part: who gets something for free says so with a price of 0.
"""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from sim.hours import HOURS_PER_WEEK
from sim.log import Tables
from sim.metrics.arrays import (
    FloatArray,
    Window,
    cut,
    flags,
    inside,
    known,
    label_positions,
    labels,
    matches,
    ratio,
    reals,
    stretches,
    table,
)
from sim.metrics.catalogue import Metric, measures
from sim.metrics.reliability import outages

HEADS = {
    "people": "people",
    "compute": "compute",
    "tools": "tools",
    "downtime": "downtime",
    "degraded": "degraded models",
}
"""The heads of the bill, which add up to the cost, and what they are called."""


def _money(name: str, label: str, meaning: str, **properties: Any) -> Metric:
    return Metric(
        name=name,
        label=label,
        meaning=meaning,
        topic="cost",
        **{"dimension": "money", "unit": "per week", "better": "less"} | properties,
    )


@measures(
    *(
        _money(
            f"cost_{head}_per_week",
            f"cost of {label}",
            f"cost of {label}",
            part_label=label,
            part_kind="cost",
            is_certainly_positive=True,
        )
        for head, label in HEADS.items()
    ),
    _money(
        "cost_per_week",
        "cost",
        "all costs together",
        parts=tuple(f"cost_{head}_per_week" for head in HEADS),
        is_certainly_positive=True,
    ),
    _money(
        "cost_per_deployment",
        "cost per deployment",
        "all costs together, per deployment",
        unit="per deployment",
        rests_on="n_deployments",
        is_certainly_positive=True,
    ),
    _money("worth_per_week", "worth of features", "worth of the features deployed", better="more"),
    _money("net_cost_per_week", "net cost", "cost less the worth of features", lowest=-math.inf),
)
def costs(tables: Tables, window: Window) -> dict[str, float]:
    """Return the cost per week by head, their sum, the cost per deployment, and the net cost.

    *   people and compute: the paid hours of the table of capacity times
        `person/<role>` and `compute/<resource>`.
    *   tools: the price `tools` a week.
    *   downtime: the hours of outage of all services (see :func:`sim.metrics.reliability.outages`)
        times `downtime`; degraded: the hours of all services below their quality objective times
        `degraded`.
    *   worth: the features deployed, times the price `feature` at that time; a slice of an idea
        counts as its share of it. One that is rolled back is worth nothing; its author's second
        try, which is a change of its own, is.

    Args:
        tables: Event tables, of which `prices`, `capacity`, `incidents`, `quality`, `changes` and
            `deployments` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        `cost_<head>_per_week` of HEADS, `cost_per_week` (their sum), `cost_per_deployment` (all
        cost of the window ÷ its deployments), `worth_per_week` and `net_cost_per_week` (cost less
        worth). NaN where a price or a table is missing.
    """
    weeks = (window[1] - window[0]) / HOURS_PER_WEEK
    bill = {name: float(amounts[0]) for name, amounts in bills(tables, np.array(window)).items()}
    cost = sum(bill[head] for head in HEADS)

    def deployed() -> float:
        return float(inside(reals(table(tables, "deployments"), "deployed_at"), window).sum())

    return {
        **{f"cost_{head}_per_week": bill[head] / weeks for head in HEADS},
        "cost_per_week": cost / weeks,
        "cost_per_deployment": ratio(cost, known(deployed, np.nan)),
        "worth_per_week": bill["worth"] / weeks,
        "net_cost_per_week": (cost - bill["worth"]) / weeks,
    }


def bills(tables: Tables, edges: FloatArray) -> dict[str, FloatArray]:
    """Return what each period costs.

    Args:
        tables: As for :func:`costs`.
        edges: Ends of the periods in hours, ascending, (periods + 1,).

    Returns:
        Amounts by head, and `worth`, (periods,) each; see :func:`costs`.
    """
    n_periods = edges.size - 1
    nothing: dict[str, tuple[FloatArray, FloatArray]] = {}
    prices = known(partial(_prices, tables), nothing)
    if not prices:
        return {name: np.full(n_periods, np.nan) for name in (*HEADS, "worth")}
    window = (float(edges[0]), float(edges[-1]))
    pieces = _cut(edges, prices)
    begin = pieces[:-1]
    period = np.searchsorted(edges, begin, side="right") - 1

    def by_period(amounts: FloatArray) -> FloatArray:
        return np.bincount(period, amounts, minlength=n_periods).astype(np.float64)

    def price(item: str) -> FloatArray:
        return _price_at(prices, item, begin)

    def paid() -> dict[str, FloatArray]:
        heads = {"people": np.zeros(n_periods), "compute": np.zeros(n_periods)}
        for head, resource, paid_h in _paid_hours(tables, pieces):
            item = f"{'person' if head == 'people' else head}/{resource}"
            # What nobody is paid for needs no price.
            heads[head] += by_period(np.where(paid_h > 0.0, paid_h * price(item), 0.0))
        return heads

    def downtime() -> FloatArray:
        return by_period(_hours_within(*outages(tables, window), pieces) * price("downtime"))

    def degraded() -> FloatArray:
        order, start, stop = stretches(tables, "quality")
        below = flags(table(tables, "quality"), "below")[order]
        return by_period(_hours_within(start[below], stop[below], pieces) * price("degraded"))

    def worth() -> FloatArray:
        return _worth(tables, prices, edges)

    nobody_knows = np.full(n_periods, np.nan)
    return {
        **known(paid, {"people": nobody_knows, "compute": nobody_knows}),
        "tools": by_period(np.diff(pieces) / HOURS_PER_WEEK * price("tools")),
        "downtime": known(downtime, nobody_knows),
        "degraded": known(degraded, nobody_knows),
        "worth": known(worth, nobody_knows),
    }


def _prices(tables: Tables) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the times from which the prices of each item hold, ascending, and the prices."""
    prices = table(tables, "prices")
    items = labels(prices, "item")
    item = label_positions(prices, "item", items)
    since, price = reals(prices, "since"), reals(prices, "price")
    order = np.argsort(since, kind="stable")
    item, since, price = item[order], since[order], price[order]
    return {
        str(name): (since[item == number], price[item == number])
        for number, name in enumerate(items)
    }


def _price_at(
    prices: dict[str, tuple[FloatArray, FloatArray]], item: str, times: FloatArray
) -> FloatArray:
    """Return the price of an item at each time, NaN if there is none (yet)."""
    if item not in prices:
        return np.full(times.size, np.nan)
    since, price = prices[item]
    return np.append(np.nan, price)[np.searchsorted(since, times, side="right")]


def _cut(edges: FloatArray, prices: dict[str, tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Return ends of pieces of time within which neither period nor price changes."""
    ends = np.concatenate([edges, *(since for since, _ in prices.values())])
    return np.unique(ends[(ends >= edges[0]) & (ends <= edges[-1])])


def _paid_hours(tables: Tables, pieces: FloatArray) -> Iterator[tuple[str, str, FloatArray]]:
    """Yield head of the bill, resource and paid hours in each piece, (pieces,)."""
    capacity = table(tables, "capacity")
    resources = labels(capacity, "resource")
    resource = label_positions(capacity, "resource", resources)
    row, piece, share = cut(reals(capacity, "opens_at"), reals(capacity, "closes_at"), pieces)
    paid_h = share * reals(capacity, "paid_h")[row]
    people = flags(capacity, "people")[row]
    n_pieces = pieces.size - 1
    place = resource[row] * n_pieces + piece
    for head, bits in (("people", people), ("compute", ~people)):
        bits = bits & (place >= 0)
        by_place = np.bincount(place[bits], paid_h[bits], minlength=len(resources) * n_pieces)
        by_resource = by_place.astype(np.float64).reshape(len(resources), n_pieces)
        for name, hours in zip(resources, by_resource, strict=True):
            yield head, name, hours


def _hours_within(start: FloatArray, stop: FloatArray, pieces: FloatArray) -> FloatArray:
    """Return the hours that all stretches together have in each piece, (pieces,).

    A stretch without a stop lasts to the end of the pieces.
    """
    stop = np.fmin(stop, pieces[-1])

    def since(times: FloatArray) -> FloatArray:
        """Return the hours since each time, summed over the times, at the ends of the pieces."""
        times = np.sort(np.fmax(times, pieces[0]))
        passed = np.searchsorted(times, pieces)
        hours: FloatArray = passed * pieces - np.append(0.0, np.cumsum(times))[passed]
        return hours

    # Rounding must not leave a piece with less than nothing.
    return np.maximum(np.diff(since(start) - since(stop)), 0.0)


def _worth(
    tables: Tables, prices: dict[str, tuple[FloatArray, FloatArray]], edges: FloatArray
) -> FloatArray:
    """Return the worth of the features deployed in each period, (periods,)."""
    n_periods = edges.size - 1
    if "feature" not in prices:
        return np.full(n_periods, np.nan)
    changes = table(tables, "changes")
    deployed_at = reals(changes, "deployed_at")
    counts = inside(deployed_at, (float(edges[0]), float(edges[-1])))
    counts &= matches(changes, "kind", "feature") & ~matches(changes, "status", "rolled_back")
    period = np.searchsorted(edges, deployed_at[counts], side="right") - 1
    share = known(partial(reals, changes, "idea_share"), np.ones(len(changes)))
    share = np.where(np.isnan(share), 1.0, share)[counts]
    worth = _price_at(prices, "feature", deployed_at[counts]) * share
    return np.bincount(period, worth, minlength=n_periods).astype(np.float64)
