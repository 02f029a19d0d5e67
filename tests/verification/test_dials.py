"""The two dials, `automation` and `standardization`: their extremes and what lies between."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from replications import half_width, observe

import sim
from sim.scenario.files import SCENARIOS

PRACTICES = sorted(path.name for path in (SCENARIOS / "practice").iterdir())
NONE = tuple(f"practice/{practice}=none" for practice in PRACTICES)
AUTHORS = {"exploration", "authoring", "rework", "reconstruction"}
FINE = tuple(np.linspace(0, 1, 11).round(1).tolist())


def run_of(*overrides: str) -> sim.Run:
    return sim.simulate(sim.load(*SHORT, *overrides), seed=2)


def executions(run: sim.Run) -> pd.DataFrame:
    """Return the executions of steps of the pipeline."""
    return run.steps[~run.steps["step"].isin(AUTHORS)]


@pytest.fixture(scope="module")
def automated() -> sim.Run:
    return run_of(*NONE, "automation=1", "upkeep.time_to_break_h=null")


def test_all_automated_leaves_nobody_anything_to_do_in_the_steps(automated: sim.Run) -> None:
    steps = automated.scenario.pipeline.steps
    own = {name for name, step in steps.items() if step.automation is not None}
    assert own == {"review"}  # a review needs a human
    done = executions(automated)
    assert set(done["step"]) == set(steps)
    others = done[~done["step"].isin(own)]
    assert set(others["mode"]) == {"automated"}
    for column in ("effort_h", "people_h", "handoff_h", "window_h"):
        assert (others[column] == 0).all(), column
    assert set(done[done["step"].isin(own)]["mode"]) == {"manual"}


def test_all_automated_leaves_people_to_author_review_and_respond(automated: sim.Run) -> None:
    done = executions(automated)
    reviews_h = done[done["step"] == "review"]["effort_h"].sum()
    authored_h = automated.steps[automated.steps["step"].isin(AUTHORS)]["effort_h"].sum()
    finished = automated.work.dropna(subset="change_id")
    finished = finished[finished["change_id"].isin(automated.changes["change_id"])]
    # What is still under way at the end is in `work` and not in `steps` yet.
    under_way = automated.changes[automated.changes["ended_at"].isna()]["change_id"]
    finished = finished[~finished["change_id"].isin(under_way)]
    ended = automated.steps[~automated.steps["change_id"].isin(under_way)]
    assert finished["effort_h"].sum() == pytest.approx(ended["effort_h"].sum(), rel=1e-9)
    assert reviews_h > 0
    assert authored_h > 0


def test_without_automation_machines_do_nothing_by_themselves() -> None:
    run = run_of(*NONE, "automation=0")
    assert set(executions(run)["mode"]) == {"manual"}
    assert not (run.work["activity"] == "toil").any()  # nothing that could break


@pytest.mark.parametrize("standardization", [0, 1])
def test_the_extremes_of_standardization_have_no_service_in_between(standardization: int) -> None:
    run = run_of("organization=scaleup", "horizon_weeks=20", f"standardization={standardization}")
    assert set(run.tables["services"]["golden_path"]) == {bool(standardization)}
    team_of = run.changes.set_index("change_id")["team"].astype(str)
    jobs = run.jobs[run.jobs["resource"] == "gpu"].dropna(subset="started_at")
    elsewhere = jobs["team"].astype(str).to_numpy() != team_of.loc[jobs["change_id"]].to_numpy()
    toil = run.work[run.work["activity"] == "toil"]
    own_stacks = toil[toil["role"] != "platform"]
    if standardization:
        assert elsewhere.any()
        assert set(toil["role"]) == {"platform"}
    else:
        assert not elsewhere.any()
        assert len(own_stacks) == len(toil)


def responses(
    dial: str, metrics: Sequence[str], grid: Sequence[float], replications: int, *overrides: str
) -> np.ndarray:
    """Return the metrics by (point of the grid, replication, metric), under the same luck."""

    def statistic(run: sim.Run) -> list[float]:
        found = run.metrics()
        return [found[metric] for metric in metrics]

    return np.stack(
        [
            observe(sim.load(*overrides, f"{dial}={value}"), statistic, replications)
            for value in grid
        ]
    )


def assert_falls(course: np.ndarray) -> None:
    """Assert that a metric falls: nowhere clearly up, in small steps and large, and down in all.

    Args:
        course: the metric by (point of the grid, replication).
    """
    halves = course[:: (len(course) - 1) // 2]
    for difference in (*np.diff(course, axis=0), *np.diff(halves, axis=0)):
        assert difference.mean() - half_width(difference) <= 0
    total = course[-1] - course[0]
    assert total.mean() + half_width(total) < 0, f"{total.mean()} +- {half_width(total)}"


TOUCH_AND_LEAD = ("lead_time_touch_h", "lead_time_mean_h", "lead_time_h")
FAILURES = ("change_failure_rate_infra",)
SHORT = ("horizon_weeks=60", "warmup_weeks=10")
LONG = ("horizon_weeks=80", "warmup_weeks=16")


@pytest.mark.slow
def test_touch_time_and_lead_time_fall_with_automation_and_without_a_jump() -> None:
    """Of ten steps none takes more than half of the whole way: smooth enough to plot."""
    courses = responses("automation", TOUCH_AND_LEAD, FINE, 10, *LONG)
    for metric in range(len(TOUCH_AND_LEAD)):
        assert_falls(courses[:, :, metric])
        course = courses[:, :, metric].mean(axis=1)
        assert np.abs(np.diff(course)).max() < 0.5 * abs(course[-1] - course[0]), course


@pytest.mark.slow
@pytest.mark.parametrize(("organization", "replications"), [("midsize", 10), ("scaleup", 6)])
def test_failures_of_environments_fall_with_standardization_on_a_fine_grid(
    organization: str, replications: int
) -> None:
    courses = responses(
        "standardization", FAILURES, FINE, replications, *LONG, f"organization={organization}"
    )
    assert_falls(courses[:, :, 0])
