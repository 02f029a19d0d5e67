"""What is said of metrics of records at the edges of what can be known."""

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import sim
from sim.measure.measured import Measured, exact_interval
from sim.report.content import caveats

MONDAYS = pd.date_range("2026-01-05T10:00Z", periods=12, freq="7D")


def measured(folder: Path, incidents: str) -> Measured:
    """Measure twelve weekly deployments, and these incidents."""
    rows = [f"d{number},{at.isoformat()}" for number, at in enumerate(MONDAYS)]
    text = "\n".join(["deployment_id,deployed_at", *rows])
    (folder / "deployments.csv").write_text(text, encoding="utf-8")
    (folder / "incidents.csv").write_text(incidents, encoding="utf-8")
    return Measured(sim.read(folder))


def test_where_all_deployments_failed_the_next_one_may_succeed(tmp_path: Path) -> None:
    """Clopper and Pearson's lower end for n of n is the rate p of which p^n is 2.5 %."""
    rows = [f"d{number},{at.isoformat()}" for number, at in enumerate(MONDAYS)]
    found = measured(tmp_path, "\n".join(["deployment_id,started_at", *rows]))
    low, high = found.intervals["change_failure_rate"]
    assert low**12 == pytest.approx(0.025)
    assert high == 1.0


def test_where_no_deployment_failed_the_next_one_may_fail(tmp_path: Path) -> None:
    low, high = measured(tmp_path, "deployment_id,started_at\n").intervals["change_failure_rate"]
    assert low == 0.0
    assert (1.0 - high) ** 12 == pytest.approx(0.025)


def test_what_a_median_counts_is_not_called_left_out(tmp_path: Path) -> None:
    text = "deployment_id,started_at,restored_at\nd1,2026-01-12T10:00Z,\n"
    texts = [each.text for each in caveats(measured(tmp_path, text))]
    (said,) = [text for text in texts if text.startswith("Still going on")]
    assert said.endswith("Only Kaplan and Meier's medians count the times of unfinished work.")


def test_a_rate_with_bounds_is_not_called_unknown(tmp_path: Path) -> None:
    found = measured(tmp_path, "started_at,restored_at\n2026-01-12T10:00Z,2026-01-12T11:00Z\n")
    attribution = found.records.attribution
    assert attribution is not None
    assert (attribution.lowest, attribution.highest) == (0, 1 / 12)
    (said,) = [each.text for each in caveats(found) if each.text.startswith("No data for")]
    assert said.startswith("No data for lead time:")


def test_the_median_of_a_service_counts_what_is_not_over_too(tmp_path: Path) -> None:
    """Of a, one change took 24 h and two have waited longer: more than half are not over."""
    rows = ["d1,a,2026-01-08T00:00Z", "d2,b,2026-01-05T00:00Z"]
    text = "\n".join(["deployment_id,service,deployed_at", *rows])
    (tmp_path / "deployments.csv").write_text(text, encoding="utf-8")
    rows = [
        "1,a,2026-01-07T00:00Z,d1",
        "2,a,2026-01-05T00:00Z,",
        "3,a,2026-01-06T00:00Z,",
        "4,b,2026-01-03T00:00Z,d2",
    ]
    text = "\n".join(["change_id,service,committed_at,deployment_id", *rows])
    (tmp_path / "changes.csv").write_text(text, encoding="utf-8")
    (tmp_path / "services.csv").write_text("service,team\na,x\nb,y\n", encoding="utf-8")
    found = Measured(sim.read(tmp_path))
    for by in ("service", "team"):
        lead_times = found.runs_by(by)["lead_time_h"].tolist()  # type: ignore[arg-type]
        assert lead_times == [pytest.approx(float("nan"), nan_ok=True), 48.0]


def test_few_failures_have_the_exact_interval_of_a_share() -> None:
    # Clopper and Pearson's own ends solve the binomial tails.
    low, high = exact_interval(1, 12)
    assert stats.binom.sf(0, 12, low) == pytest.approx(0.025)
    assert stats.binom.cdf(1, 12, high) == pytest.approx(0.025)
    assert exact_interval(0, 20) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert exact_interval(20, 20) == (pytest.approx(0.025 ** (1 / 20)), 1.0)
