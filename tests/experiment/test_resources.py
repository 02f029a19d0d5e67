"""What is expected of a run before it starts; what does not fit is refused."""

from collections.abc import Sequence

import numpy as np
import pytest

import sim
from sim.experiment.payback import pay_back
from sim.experiment.resources import (
    BYTES_PER_PROCESS,
    BYTES_PER_ROW,
    Demand,
    demand,
    duration,
    refuse_too_large,
    size,
)
from sim.experiment.workload import workload


def rows(run: sim.Run) -> int:
    return sum(len(table) for table in run.tables.values())


@pytest.mark.parametrize(
    ("config", "overrides"),
    [
        ("default", ["horizon_weeks=26"]),
        ("default", ["horizon_weeks=26", "organization=startup"]),
        ("default", ["horizon_weeks=26", "maturity=google_0"]),
        ("default", ["horizon_weeks=26", "maturity=microsoft_4"]),
        ("verification/mm1", ["horizon_weeks=20"]),
        ("verification/mmc", ["horizon_weeks=20"]),
        ("verification/priorities", ["horizon_weeks=20"]),
        ("verification/tandem", ["horizon_weeks=20"]),
        # Overloads: more arrives than people, machines or the limit of work let through.
        ("verification/mm1", ["horizon_weeks=4", "changes.feature.interarrival_h.mean=0.05"]),
        ("default", ["horizon_weeks=26", "compute.gpu.slots=1", "compute.ci.slots=1"]),
        ("default", ["horizon_weeks=26", "teams.product.wip_limit=1"]),
        ("default", ["horizon_weeks=26", "compute.gpu.preemptions_per_h=5"]),
    ],
)
def test_expected_rows_are_right_within_a_factor_of_three(
    config: str, overrides: Sequence[str]
) -> None:
    scenario = sim.load("warmup_weeks=0", *overrides, config=config)
    found = rows(sim.simulate(scenario))
    assert found / 3 < workload(scenario).total_rows < 3 * found


def test_twice_the_time_is_twice_the_rows() -> None:
    short, long = (workload(sim.load(f"horizon_weeks={weeks}")).total_rows for weeks in (520, 1040))
    assert long == pytest.approx(2 * short, rel=0.05)


def test_those_who_introduce_a_practice_are_expected() -> None:
    """Half of the 101 people of each of 7 teams, with a row each, and one for the item."""
    item = "{practice: testing, level: full, start_week: 1, effort_h: {ml_engineer: 1e6}"
    organization = (
        "warmup_weeks=0",
        "teams.product.count=7",
        "teams.product.people.ml_engineer=101",
    )
    scenario = sim.load(
        "horizon_weeks=4", *organization, f"roadmap=[{item}, brings: {{automation: 0.5}}}}]"
    )
    assert workload(scenario).rows["roadmap"] == 7 * 51 + 1
    work = sim.simulate(scenario).work
    assert (work["activity"] == "investment").sum() == 7 * 51


def test_most_rows_come_from_what_happens_most_often() -> None:
    scenario = sim.load("services.model.data.interarrival_h=0.01")
    assert workload(scenario).main_source == "services.*.data"


def test_memory_is_that_of_the_replications_at_a_time() -> None:
    scenario = sim.load("horizon_weeks=104")
    expected = workload(scenario).total_rows
    each = BYTES_PER_PROCESS + BYTES_PER_ROW * expected
    assert demand([(scenario, 10)], 1).bytes == pytest.approx(each)
    assert demand([(scenario, 10)], 4).bytes == pytest.approx(4 * each)
    assert demand([(scenario, 3)], 4).bytes == pytest.approx(3 * each)


def test_time_is_shared_by_the_processes() -> None:
    scenario = sim.load("horizon_weeks=104")
    alone, together = demand([(scenario, 10)], 1), demand([(scenario, 10)], 5)
    assert alone.seconds == pytest.approx(5 * together.seconds)


def of(**changed: float) -> Demand:
    usual = {"seconds": 1.0, "events": 3e6, "bytes": 5e8}
    numbers = {**usual, **changed}
    return Demand(20, 3e6, "changes.feature", 2, **numbers)


def test_what_does_not_fit_is_refused_in_one_line_that_says_what_to_reduce() -> None:
    refuse_too_large(of(bytes=15e9), False, memory=16e9)
    with pytest.raises(sim.ScenarioError) as caught:
        refuse_too_large(of(bytes=17e9), False, memory=16e9)
    assert str(caught.value) == (
        "changes.feature: 3,000,000 log rows per replication would take 17 GB of memory, of 16 GB, "
        "in 2 processes; reduce it or n_jobs, or simulate fewer weeks; "
        "allow_large=true runs it all the same"
    )
    refuse_too_large(of(bytes=17e9), True, memory=16e9)


def test_more_events_than_any_organization_makes_are_refused() -> None:
    with pytest.raises(sim.ScenarioError) as caught:
        refuse_too_large(of(events=2e9, seconds=72000.0), False, memory=16e9)
    assert str(caught.value) == (
        "changes.feature: 2,000,000,000 events per replication would take very long (20 hours); "
        "reduce it or n_jobs, or simulate fewer weeks; allow_large=true runs it all the same"
    )


def test_a_large_run_says_how_long_it_takes_and_what_it_wants() -> None:
    assert not of().is_large
    assert of(seconds=61.0).is_large
    assert of(bytes=2e9).is_large
    assert str(of(seconds=300.0, bytes=2e9)) == (
        "20 replications of up to 3,000,000 log rows: expected to take 5 minutes and 2 GB of memory"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.0, "3 s"), (119.0, "120 s"), (180.0, "3 minutes"), (1e6, "12 days")]
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_in_words() -> None:
    assert [size(2.4e8), size(3.2e9)] == ["240 MB", "3.2 GB"]


HUGE = ["services.model.data.interarrival_h=0.001", "horizon_weeks=5200", "teams.product.count=99"]


def test_python_refuses_it_before_anything_is_simulated() -> None:
    scenario = sim.load(*HUGE)
    for call in (
        lambda: sim.simulate(scenario),
        lambda: sim.replicate(scenario),
        lambda: sim.compare({"a": scenario, "b": scenario}),
        lambda: sim.sweep(scenario, {"automation": [0, 1]}),
    ):
        with pytest.raises(
            sim.ScenarioError,
            match=r"^services\.\*\.data: .* allow_large=true runs it all the same$",
        ):
            call()


NONE, NEGATIVE = "replications: 0 is not allowed; must be", "seed: -1 is not allowed; must be"
NO_JOBS = "n_jobs: 0 processes can do nothing; use -1 for one per core, or a positive number"


def test_numbers_that_python_passes_are_refused_in_the_words_of_load() -> None:
    scenario = sim.load("horizon_weeks=1", "warmup_weeks=0")
    arms = {"a": scenario, "b": scenario}
    axes = {"automation": [0]}
    for call, words in (
        (lambda: sim.simulate(scenario, seed=-1), NEGATIVE),
        (lambda: sim.replicate(scenario, replications=0), NONE),
        (lambda: sim.replicate(scenario, replications=100_001), "replications: 100001 is not allo"),
        (lambda: sim.replicate(scenario, replications=1.5), "replications: 1.5 is not allowed; m"),
        (lambda: sim.replicate(scenario, seed=-1), NEGATIVE),
        (lambda: sim.replicate(scenario, seed=True), "seed: true is not allowed; must be a valid "),
        (lambda: sim.replicate(scenario, n_jobs=0), NO_JOBS),
        (lambda: sim.replicate(scenario, n_jobs=-2), "n_jobs: -2 is not allowed; must be greater"),
        (lambda: sim.compare(arms, replications=0), NONE),
        (lambda: sim.compare(arms, seed=-1), NEGATIVE),
        (lambda: sim.compare(arms, n_jobs=0), NO_JOBS),
        (lambda: sim.sweep(scenario, axes, replications=0), NONE),
        (lambda: sim.sweep(scenario, axes, seed=-1), NEGATIVE),
        (lambda: sim.sweep(scenario, axes, n_jobs=0), NO_JOBS),
        (lambda: pay_back(sim.load("+experiment=jcurve"), replications=0), NONE),
    ):
        with pytest.raises(sim.ScenarioError) as caught:
            call()
        assert str(caught.value).startswith(words)
    for override in ("replications=0", "seed=-1", "n_jobs=0"):
        with pytest.raises(sim.ScenarioError) as there:
            sim.load(override)
        name, _, value = override.partition("=")
        with pytest.raises(sim.ScenarioError) as here:
            sim.replicate(scenario, **{name: int(value)})
        assert str(here.value) == str(there.value)
    with pytest.raises(ValueError, match="replication is -1; the first is 0"):
        sim.simulate(scenario, replication=-1)


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    scenario = sim.load("horizon_weeks=1", "warmup_weeks=0")
    study = sim.replicate(scenario, np.int64(2), np.int64(3), np.int64(1))
    assert study.runs.equals(sim.replicate(scenario, 2, 3, 1).runs)
    assert (len(study.runs), study.seed) == (2, 3)
