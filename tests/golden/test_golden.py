"""Back tests: results have not changed by accident."""

import json

import pytest
from golden import SCENARIOS, metrics_of, stored


@pytest.mark.parametrize("name", SCENARIOS)
def test_metrics_are_what_they_were(name: str) -> None:
    before = json.loads(stored(name).read_text(encoding="utf-8"))
    now = metrics_of(name)
    # Libraries of different versions may differ in the last digits of a quantile.
    assert now == pytest.approx(before, rel=1e-6, nan_ok=True), (
        "results have changed; if that was meant: python tests/golden/golden.py"
    )
