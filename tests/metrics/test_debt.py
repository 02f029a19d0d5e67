"""Stock of technical debt by hand."""

import numpy as np
import pytest

from sim.metrics.arrays import AbsentError
from sim.metrics.debt import technical_debt

WINDOW = (100.0, 200.0)
SERVICES = [{"service": name, "team": "red"} for name in ("ads", "fraud", "clean", "late")]
DEBT = [
    # Ads: 10 h until 150, 30 h until 160, none after. Rows need not be in order.
    {"service": "ads", "at": 150.0, "debt_h": 30.0},
    {"service": "ads", "at": 50.0, "debt_h": 10.0},
    {"service": "ads", "at": 160.0, "debt_h": 0.0},
    # Fraud: none until 175, then 40 h and on.
    {"service": "fraud", "at": 175.0, "debt_h": 40.0},
    {"service": "fraud", "at": 200.0, "debt_h": 999.0},
    {"service": "late", "at": 250.0, "debt_h": 999.0},
]


def test_debt_is_the_mean_stock_over_services_and_time(make_tables):
    tables = make_tables(services=SERVICES, debt=DEBT)
    expected = (50 * 10 + 10 * 30 + 25 * 40) / (4 * 100)
    assert technical_debt(tables, WINDOW) == pytest.approx(expected)


def test_without_rows_there_is_none_and_without_the_table_nobody_knows(make_tables):
    tables = make_tables(services=SERVICES)
    assert technical_debt(tables, WINDOW) == 0.0
    del tables["debt"]
    with pytest.raises(AbsentError, match="table 'debt' is absent"):
        technical_debt(tables, WINDOW)
    assert np.isnan(technical_debt(make_tables(), WINDOW))
