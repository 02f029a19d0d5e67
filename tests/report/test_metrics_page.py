"""The reference of the metrics is in step with their declarations."""

from sim.report import documentation


def test_the_reference_is_in_step() -> None:
    in_step = documentation.METRICS.read_text(encoding="utf-8") == documentation.metrics_text()
    assert in_step, f"docs/metrics.md is out of step; renew it with: {documentation.COMMAND}"
