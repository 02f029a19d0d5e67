"""The bill by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics.arrays import cut
from sim.metrics.cost import bills, costs

WINDOW = (168.0, 504.0)  # weeks 1 and 2
SERVICES = [{"service": name, "team": "red"} for name in ("ads", "fraud", "search")]


def price(item, amount, since=0.0):
    return {"item": item, "since": since, "price": amount}


def capacity(resource, week, paid_h, people=True, team="red"):
    return {
        "pool": f"{team}/{resource}",
        "resource": resource,
        "team": team,
        "people": people,
        "opens_at": 168.0 * week,
        "closes_at": 168.0 * (week + 1),
        "available_h": 0.7 * paid_h,
        "paid_h": paid_h,
    }


CAPACITY = [
    *(capacity("operations", week, 40.0) for week in range(4)),
    *(capacity("operations", week, 80.0, team="blue") for week in range(4)),
    *(capacity("data_scientist", week, 100.0) for week in range(4)),
    *(capacity("gpu", week, paid_h, people=False) for week, paid_h in enumerate((9, 84, 168, 9))),
    capacity("consultant", 0, 40.0),  # gone before the window; nobody knows what they took
]
PRICES = [
    price("person/operations", 50.0),
    # Before the window, in the middle of week 1, at the end of the window. Not in order.
    price("person/data_scientist", 100.0, since=252.0),
    price("person/data_scientist", 10.0),
    price("person/data_scientist", 60.0, since=100.0),
    price("person/data_scientist", 9999.0, since=504.0),
    price("compute/gpu", 2.0),
    price("tools", 700.0),
    price("tools", 1400.0, since=420.0),
    price("downtime", 1000.0),
    price("downtime", 2000.0, since=300.0),
    price("degraded", 10.0),
    price("feature", 5000.0),
    price("feature", 8000.0, since=400.0),
]
INCIDENTS = [
    # 10 h, of which 4 h are twice as dear; overlapping: 1 h more; of another service at that time.
    {"service": "ads", "cause": "infra", "started_at": 294.0, "restored_at": 304.0},
    {"service": "ads", "cause": "infra", "started_at": 300.0, "restored_at": 305.0},
    {"service": "fraud", "cause": "infra", "started_at": 303.0, "restored_at": 305.0},
    {"service": "search", "cause": "infra", "trigger": "upstream", "started_at": 503.0},
    {"service": "ads", "cause": "code", "started_at": 200.0, "restored_at": 300.0},
    {"service": "ads", "cause": "infra", "started_at": 100.0, "restored_at": 168.0},
]
QUALITY = [
    {"service": "ads", "at": 0.0, "below": False},
    {"service": "ads", "at": 200.0, "below": True},
    {"service": "ads", "at": 230.0, "below": True},
    {"service": "ads", "at": 250.0, "below": False},
    {"service": "fraud", "at": 500.0, "below": True},
]
CHANGES = [
    {"change_id": number, "service": "ads", "kind": kind, "deployed_at": at, "status": status}
    for number, (kind, at, status) in enumerate(
        [
            ("feature", 168.0, "deployed"),
            ("feature", 400.0, "deployed"),
            ("feature", 410.0, "rolled_back"),
            ("feature", 504.0, "deployed"),
            ("feature", np.nan, "delivering"),
            ("retrain", 300.0, "deployed"),
        ]
    )
]
DEPLOYMENTS = [
    {"deployment_id": number, "service": "ads", "deployed_at": at}
    for number, at in enumerate((168.0, 300.0, 400.0, 410.0, 504.0))
]


@pytest.fixture
def tables(make_tables):
    return make_tables(
        services=SERVICES,
        capacity=CAPACITY,
        prices=PRICES,
        incidents=INCIDENTS,
        quality=QUALITY,
        changes=CHANGES,
        deployments=DEPLOYMENTS,
    )


def test_the_bill_by_hand(tables):
    people = 2 * 120 * 50 + (50 * 60 + 50 * 100 + 100 * 100)
    compute = (84 + 168) * 2
    tools = 700 + 0.5 * 700 + 0.5 * 1400
    downtime = 6 * 1000 + (5 + 2 + 1) * 2000
    degraded = (50 + 4) * 10
    worth = 5000 + 8000
    cost = people + compute + tools + downtime + degraded
    assert costs(tables, WINDOW) == pytest.approx(
        {
            "cost_people_per_week": people / 2,
            "cost_compute_per_week": compute / 2,
            "cost_tools_per_week": tools / 2,
            "cost_downtime_per_week": downtime / 2,
            "cost_degraded_per_week": degraded / 2,
            "cost_per_week": cost / 2,
            "cost_per_deployment": cost / 4,
            "worth_per_week": worth / 2,
            "net_cost_per_week": (cost - worth) / 2,
        }
    )


def test_a_window_within_a_week_pays_its_share_of_that_week(tables):
    # From the middle of week 1, with the higher salary, to the middle of week 2.
    bill = costs(tables, (252.0, 420.0))
    assert bill["cost_people_per_week"] == pytest.approx(120 * 50 + 100 * 100)
    assert bill["cost_compute_per_week"] == pytest.approx((42 + 84) * 2)
    assert bill["cost_tools_per_week"] == pytest.approx(700)


def test_the_last_of_two_prices_at_the_same_time_counts(make_tables):
    prices = [price("tools", 5.0, since=168.0), price("tools", 7.0, since=168.0)]
    assert costs(make_tables(prices=prices), WINDOW)["cost_tools_per_week"] == pytest.approx(7.0)


def test_without_deployments_there_is_no_cost_of_one(tables):
    tables["deployments"] = tables["deployments"].iloc[:0]
    bill = costs(tables, WINDOW)
    assert np.isnan(bill["cost_per_deployment"])
    assert bill["cost_per_week"] > 0.0


def test_without_prices_nothing_is_known(tables):
    tables["prices"] = tables["prices"].iloc[:0]
    assert np.isnan(list(costs(tables, WINDOW).values())).all()
    del tables["prices"]
    assert np.isnan(list(costs(tables, WINDOW).values())).all()


@pytest.mark.parametrize(
    ("item", "unknown"),
    [
        ("person/operations", ["people"]),
        ("compute/gpu", ["compute"]),
        ("tools", ["tools"]),
        ("downtime", ["downtime"]),
        ("degraded", ["degraded"]),
        ("feature", ["worth"]),
    ],
)
def test_what_has_no_price_is_not_free(tables, item, unknown):
    everything = bills(tables, np.array(WINDOW))
    tables["prices"] = tables["prices"][tables["prices"]["item"] != item]
    bill = bills(tables, np.array(WINDOW))
    assert [name for name, amounts in bill.items() if np.isnan(amounts).any()] == unknown
    for name in bill.keys() - {*unknown}:
        assert bill[name] == pytest.approx(everything[name])


def test_a_price_that_comes_too_late_is_unknown_until_then(make_tables):
    tables = make_tables(prices=[price("tools", 7.0, since=252.0)])
    weekly = bills(tables, 168.0 * np.arange(4))["tools"]
    np.testing.assert_allclose(weekly, [np.nan, np.nan, 7.0])
    assert costs(tables, (252.0, 420.0))["cost_tools_per_week"] == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("name", "unknown"), [("capacity", ("people", "compute")), ("quality", ("degraded",))]
)
def test_what_nobody_recorded_is_not_known(tables, name, unknown):
    del tables[name]
    bill = bills(tables, np.array(WINDOW))
    assert tuple(name for name, amounts in bill.items() if np.isnan(amounts).any()) == unknown


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(0.0, 672.0), min_size=2, max_size=12, unique=True),
    st.lists(st.tuples(st.floats(0.0, 672.0), st.floats(0.0, 672.0)), max_size=8),
    st.floats(0.0, 672.0),
)
def test_however_time_is_cut_the_periods_add_up(cuts, outages, raise_at):
    edges = np.sort(np.array(cuts))
    incidents = [
        {"service": "ads", "cause": "infra", "started_at": min(ends), "restored_at": max(ends)}
        for ends in outages
    ]
    prices = [*PRICES, price("person/operations", 70.0, since=raise_at)]
    tables = {
        "services": pd.DataFrame(SERVICES),
        "capacity": pd.DataFrame(CAPACITY[:-1]),
        "prices": pd.DataFrame(prices),
        "incidents": pd.DataFrame(incidents, columns=list(INCIDENTS[0])),
        "quality": pd.DataFrame(QUALITY),
        "changes": pd.DataFrame(CHANGES),
    }
    whole = bills(tables, edges[[0, -1]])
    for name, amounts in bills(tables, edges).items():
        assert amounts.sum() == pytest.approx(whole[name][0], rel=1e-9, abs=1e-6)


def test_a_night_costs_nothing_and_a_machine_does(make_tables):
    day = {"opens_at": 9.0, "closes_at": 17.0, "available_h": 6.0, "paid_h": 8.0}
    hours = {"opens_at": 0.0, "closes_at": 504.0, "available_h": 1008.0, "paid_h": 1008.0}
    tables = make_tables(
        capacity=[
            {"pool": "red/operations", "resource": "operations", "people": True, **day},
            {"pool": "gpu", "resource": "gpu", "people": False, **hours},
        ],
        prices=[price("person/operations", 10.0), price("compute/gpu", 1.0, since=12.0)],
    )
    bill = bills(tables, np.array([0.0, 12.0, 13.5, 17.0, 33.0]))
    assert bill["people"] == pytest.approx([30.0, 15.0, 35.0, 0.0])
    assert bill["compute"][1:] == pytest.approx([3.0, 7.0, 32.0])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(-20, 120), st.floats(-20, 120)), max_size=12),
    st.lists(st.integers(0, 100), min_size=2, max_size=6, unique=True),
)
def test_stretches_are_cut_at_the_edges_of_periods(stretches, edges):
    start = np.array([min(pair) for pair in stretches])
    stop = np.array([max(pair) for pair in stretches])
    edges = np.array(sorted(edges), dtype=float)
    stretch, period, share = cut(start, stop, edges)
    found = np.zeros((len(stretches), edges.size - 1))
    found[stretch, period] = share * (stop - start)[stretch]
    assert len(set(zip(stretch, period, strict=True))) == len(stretch)
    for row, (begin, end) in enumerate(zip(start, stop, strict=True)):
        for column, (low, high) in enumerate(pairwise(edges)):
            expected = max(0.0, min(end, high) - max(begin, low))
            assert found[row, column] == pytest.approx(expected, abs=1e-9)
