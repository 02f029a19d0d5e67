"""Sweeps: the same luck at all points, what comes of them, and what is refused beforehand."""

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from little_sweeps import (
    AUTOMATION,
    DEADLY,
    GRID,
    Diary,
    numbers,
    raises,
    read_log,
    run,
    run_written_down,
    small,
    written_down,
)

import sim
from sim.experiment.axes import Interval
from sim.experiment.compare import Comparison
from sim.experiment.fingerprint import model_version, scenario_digest
from sim.experiment.intervals import mean_of
from sim.experiment.run import metric_names
from sim.experiment.scheduler import RESTORED, observe
from sim.experiment.store import ResultsError, Store
from sim.experiment.sweep import STORE, TABLE
from sim.experiment.sweep_record import READABLE
from sim.metrics.catalogue import headlines, metric
from sim.scenario.errors import ScenarioError
from sim.scenario.from_data import validate
from sim.scenario.variants import with_value

FORBIDDEN = "nothing is to be simulated"


def never(*_: object) -> dict[str, float]:
    raise AssertionError(FORBIDDEN)


def organization(**settings: object) -> sim.scenario.organization.Scenario:
    return validate(small(**settings))


# What is simulated


def test_a_point_has_the_metrics_of_its_scenario_alone() -> None:
    base = organization(replications=3)
    key = "pipeline.steps.test.effort_h.mean"
    sweep = sim.sweep(base, {"automation": [0.0, 1.0], key: [2, 8]})
    assert [tuple(point) for point in sweep.points.to_numpy()] == [(0, 2), (0, 8), (1, 2), (1, 8)]
    for number, (automation, mean) in enumerate([(0.0, 2), (0.0, 8), (1.0, 2), (1.0, 8)]):
        data = with_value(small(replications=3), "automation", automation)
        alone = sim.replicate(validate(with_value(data, key, mean))).runs
        rows = sweep.runs[sweep.runs["point"] == number].reset_index(drop=True)
        assert (rows["automation"] == automation).all()
        assert (rows[key] == mean).all()
        pd.testing.assert_frame_equal(
            rows.drop(columns=["point", "automation", key]),
            alone,
            check_exact=True,
            check_dtype=False,  # the number of a replication
        )


ALIKE = {"automation": (0.0, 0.5), "teams.team.people.ml_engineer": Interval(2, 3, whole=True)}
"""Sampled eight times, some points are the same."""


def test_points_that_are_alike_meet_the_same_luck_and_are_simulated_once(tmp_path: Path) -> None:
    diary = Diary()
    log = tmp_path / "log"
    writes = partial(written_down, str(log), "x", 0.0)
    sweep = run(tmp_path / "s", ALIKE, writes, watcher=diary, design="lhs", samples=8)
    groups = sweep.points.groupby(list(ALIKE)).groups.values()
    assert 2 <= len(groups) < 8
    assert len(read_log(log)) == len(groups) * 4
    assert (diary.points, diary.points_done) == (8, 8)
    assert (diary.replications, diary.replications_done) == (32, 32)
    for alike in groups:
        parts = [
            sweep.runs.loc[sweep.runs["point"] == point, headlines()].reset_index(drop=True)
            for point in alike
        ]
        for part in parts[1:]:
            pd.testing.assert_frame_equal(parts[0], part)


EFFORT = "pipeline.steps.test.effort_h"
SAME: dict[str, tuple[dict[str, Sequence[object]], str]] = {
    "a value": ({"automation": (0.0, 0.5, 0.0)}, "automation: automation=0.0 is listed twice"),
    "an equal number": ({"automation": (0, 0.5, 0.0)}, "automation: 0 and 0.0 make the same"),
    "a mapping in another order": (
        {EFFORT: ({"dist": "exponential", "mean": 2}, {"mean": 2, "dist": "exponential"})},
        "effort_h: {dist:exponential,mean:2} and {mean:2,dist:exponential} make the same scenario",
    ),
    "a number and a distribution": (
        {EFFORT: (3, {"dist": "constant", "value": 3})},
        "effort_h: 3 and {dist:constant,value:3} make the same scenario",
    ),
    "side by side": (
        {"automation": (0.0, 0.5, 0.0), "standardization": (1.0, 0.0, 1)},
        "standardization: 1.0 and 1 make the same scenario",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_points_that_are_the_same_are_refused_before_the_first_run(
    case: str, tmp_path: Path
) -> None:
    axes, said = SAME[case]
    design = "zip" if case == "side by side" else "grid"
    with pytest.raises(ScenarioError) as error:
        run(tmp_path, axes, never, design=design)
    assert said in str(error.value)


def test_a_value_may_come_again_where_the_points_differ(tmp_path: Path) -> None:
    axes = {"automation": (0.0, 0.0, 0.5), "standardization": (0.0, 1.0, 1.0)}
    assert len(run(tmp_path, axes, design="zip").points) == 3


def test_replications_and_seed_of_the_call_go_before_those_of_the_scenario() -> None:
    base = organization()
    here = sim.sweep(base, {"automation": [0, 1]}, replications=2, seed=5)
    there = sim.sweep(organization(seed=5, replications=2), {"automation": [0, 1]})
    assert (here.seed, here.base.replications) == (5, 2)
    pd.testing.assert_frame_equal(here.runs, there.runs, check_exact=True)
    other = sim.sweep(base, {"automation": [0, 1]}, replications=2, seed=6).runs
    assert not other.drop(columns="point").equals(here.runs.drop(columns="point"))


def test_more_replications_begin_with_the_same_ones(tmp_path: Path) -> None:
    few = run(tmp_path / "few", replications=3).runs
    many = run(tmp_path / "many", replications=9).runs
    beginning = many[many["replication"] < 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, beginning, check_exact=True)


def test_columns_have_the_type_of_their_values(tmp_path: Path) -> None:
    for number, (values, kind) in enumerate(
        [((0, 1), "int64"), ((0, 0.5), "float64"), ((0.25, 0.5), "float64")]
    ):
        runs = run(tmp_path / f"{number}", {"automation": values}).runs
        assert runs["automation"].dtype == kind
        assert list(runs["automation"].unique()) == list(values)
    limits = run(tmp_path / "limits", {"teams.team.wip_limit": (3, None)}).runs
    assert list(limits["teams.team.wip_limit"].drop_duplicates().fillna(-1)) == [3, -1]
    days = run(tmp_path / "days", {"working_hours.always": (True, False)}).runs
    assert days["working_hours.always"].dtype == bool


@pytest.mark.parametrize("design", ["lhs", "sobol", "morris"])
def test_sampled_designs(design: str, tmp_path: Path) -> None:
    axes = {"automation": sim.Interval(0.2, 0.8), "standardization": sim.Interval(0.0, 1.0)}
    sweep = run(tmp_path, axes, design=design, samples=8, replications=2)
    assert len(sweep.points) == {"lhs": 8, "sobol": 8 * 4, "morris": 8 * 3}[design]
    assert sweep.points["automation"].between(0.2, 0.8).all()
    again = run(tmp_path, axes, design=design, samples=8, replications=2, observe=never)
    pd.testing.assert_frame_equal(again.runs, sweep.runs)
    table = sweep.sensitivity()
    if design == "lhs":
        assert table is None
        return
    assert table is not None
    shown = [*headlines(), "cost_per_week"]
    assert set(table.index) == {(metric, key) for metric in shown for key in axes}
    # The metrics grow by 5 with automation, of which 0.6 are swept, and fall by 3 with the other.
    effect = table.loc["lead_time_h"]
    if design == "morris":
        assert effect.loc["automation", "mu"] == pytest.approx(3.0, abs=1.0)
        assert effect.loc["standardization", "mu"] == pytest.approx(-3.0, abs=1.0)


def test_zip_takes_the_values_together(tmp_path: Path) -> None:
    axes = {"automation": (0.0, 0.5, 1.0), "standardization": (1.0, 0.0, 0.5)}
    sweep = run(tmp_path / "zip", axes, design="zip")
    assert sweep.points.to_numpy().tolist() == [[0.0, 1.0], [0.5, 0.0], [1.0, 0.5]]
    grid = run(tmp_path / "grid").runs
    for point, (automation, standardization) in sweep.points.iterrows():
        here = sweep.runs[sweep.runs["point"] == point]
        there = grid[
            (grid["automation"] == automation) & (grid["standardization"] == standardization)
        ]
        np.testing.assert_array_equal(here[headlines()], there[headlines()])


def test_in_memory_it_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sweep = sim.sweep(organization(), {"automation": [0, 1]}, replications=2)
    assert len(sweep.runs) == 4
    assert list(tmp_path.iterdir()) == []


# What comes of it


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> sim.Sweep:
    """A grid with values missing here and there, and metrics that only some points have."""
    return run(tmp_path_factory.mktemp("swept"), replications=7)


def as_comparison(sweep: sim.Sweep) -> Comparison:
    """Return the same numbers as a comparison whose arms are the points, the baseline first."""
    points = [sweep.baseline, *(n for n in sweep.points.index if n != sweep.baseline)]
    runs = sweep.runs.drop(columns=list(sweep.points)).rename(columns={"point": "arm"})
    return Comparison(dict.fromkeys(points), sweep.seed, runs)  # type: ignore[arg-type]


def test_the_numbers_are_those_that_were_made(swept: sim.Sweep) -> None:
    runs = swept.runs
    assert runs["time_to_restore_h"].isna().any()
    assert runs["rework_rate"].isna().sum() == 5 * 7
    for row in runs.to_dict("records"):
        scenario = organization(
            automation=row["automation"], standardization=row["standardization"]
        )
        expected = numbers(scenario, 7, row["replication"])
        for name, value in expected.items():
            np.testing.assert_equal(row[name], value)


def test_means_and_intervals_are_those_of_the_replications(swept: sim.Sweep) -> None:
    summary = swept.summary(confidence=0.9)
    assert len(summary) == 15 * 6
    for row in summary.to_dict("records"):
        at_point = swept.runs[swept.runs["point"] == row["point"]]
        assert (at_point["automation"] == row["automation"]).all()
        values = at_point[row["metric"]]
        assert row["n"] == values.notna().sum()
        found = mean_of(values.to_numpy()[:, np.newaxis], [metric(row["metric"])], 0.9)
        expected = (values.mean(), found.low[0], found.high[0])
        assert tuple(row[name] for name in ("mean", "ci_low", "ci_high")) == pytest.approx(
            expected, nan_ok=True
        )


def test_the_summary_of_a_point_is_that_of_a_study(swept: sim.Sweep) -> None:
    for point, rows in swept.runs.groupby("point"):
        metrics = rows.drop(columns=["point", *swept.points])
        study = sim.Study(swept.base, swept.seed, metrics, pd.DataFrame(), None)  # type: ignore[arg-type]
        here = swept.summary()
        here = here[here["point"] == point].set_index("metric")[["mean", "ci_low", "ci_high", "n"]]
        pd.testing.assert_frame_equal(here, study.summary(), check_dtype=False)


@pytest.mark.parametrize("baseline", [0, 7, 14])
@pytest.mark.parametrize("adjust", ["holm", "none"])
def test_effects_are_those_of_a_comparison(baseline: int, adjust: str, swept: sim.Sweep) -> None:
    sweep = sim.Sweep(**{**swept.__dict__, "baseline": baseline})
    metrics = [*headlines(), "rework_rate"]
    effects = sweep.effects(metrics, 0.9, adjust)  # type: ignore[arg-type]
    assert list(effects["automation"]) == [
        sweep.points["automation"][point] for point in effects["point"]
    ]
    there = as_comparison(sweep).differences(0.9, metrics, adjust)  # type: ignore[arg-type]
    here = effects.rename(columns={"point": "arm", "mean_baseline": "mean_first"})
    here = here.set_index(["arm", "metric"]).drop(columns=list(sweep.points))
    pd.testing.assert_frame_equal(here[there.columns], there, check_dtype=False)


def test_effects_pair_what_both_have_if_the_baseline_has_fewer(tmp_path: Path) -> None:
    base = run(tmp_path, replications=6)
    runs = base.runs
    few = runs[(runs["point"] != 0) | (runs["replication"] < 3)]
    path = tmp_path / "few.parquet"
    few.to_parquet(path, index=False)
    import pyarrow.parquet as pq

    sweep = sim.Sweep(**{**base.__dict__, "table": pq.ParquetFile(path)})
    effects = sweep.effects(["lead_time_h"])
    assert (effects["n"] == 3).all()
    of = few.pivot(index="point", columns="replication", values="lead_time_h")
    expected = (of - of.loc[0])[[0, 1, 2]].mean(axis=1).drop(0)
    np.testing.assert_allclose(effects["difference"], expected)
    np.testing.assert_allclose(effects["mean_baseline"], of.loc[0, [0, 1, 2]].mean())


def test_a_baseline_that_failed_leaves_no_effects(tmp_path: Path) -> None:
    sweep = run(tmp_path, observe=raises, baseline={"automation": DEADLY})
    assert sweep.baseline == 6
    assert sweep.effects().empty
    assert {"difference", "adjusted_p_value"} <= set(sweep.effects())
    assert set(sweep.summary()["point"]) == set(range(15)) - {6, 7, 8}


def test_all_points_failed(tmp_path: Path) -> None:
    sweep = run(tmp_path, {"automation": (DEADLY,)}, observe=raises)
    assert len(sweep.failures) == 1
    assert sweep.runs.empty
    assert sweep.summary().empty
    assert sweep.effects().empty
    assert sweep.n_unstable == 0


def test_an_error_says_where_it_happened(tmp_path: Path) -> None:
    sweep = run(tmp_path, {"automation": (0.0, DEADLY)}, observe=raises)
    (failure,) = sweep.failures
    assert failure.error.startswith("ZeroDivisionError: nobody is left (little_sweeps.py, line ")
    assert failure.details.splitlines()[0] == "Traceback (most recent call last):"
    assert 'raise ZeroDivisionError("nobody\\nis left")' in failure.details


def test_the_front_is_made_of_points_that_nobody_beats(swept: sim.Sweep) -> None:
    front = swept.pareto("lead_time_h")
    means = swept.runs.groupby("point")[["cost_per_week", "lead_time_h"]].mean()
    unbeaten = [
        point
        for point, mean in means.iterrows()
        if not ((means <= mean).all(axis=1) & (means < mean).any(axis=1)).any()
    ]
    assert sorted(front["point"]) == unbeaten
    assert front["cost_per_week"].is_monotonic_increasing
    assert front["lead_time_h"].is_monotonic_decreasing


def test_unknown_metrics(swept: sim.Sweep) -> None:
    for ask in (swept.summary, swept.effects):
        with pytest.raises(ValueError, match="unknown metric 'lead_time'; did you mean"):
            ask(["lead_time"])
        with pytest.raises(ValueError, match="between 0 and 1"):
            ask(confidence=95)
    with pytest.raises(ValueError, match="unknown metric"):
        swept.pareto("lead_time")


# What is refused, and what is not touched


@pytest.mark.parametrize(
    ("axes", "settings", "said"),
    [
        ({"automation": (0, 0.5, 2)}, {}, "automation: 2 is not allowed"),
        ({"atomation": (0, 1)}, {}, "atomation: unknown key"),
        ({"automation": ()}, {}, "automation: there are no values to sweep over"),
        ({"automation": sim.Interval(0, 1)}, {}, "automation: "),
        ({"automation": sim.Interval(1, 0)}, {"design": "lhs"}, "automation: "),
        ({"automation": (0, 1)}, {"design": "sobol"}, ": "),
        ({"automation": sim.Interval(0, 1)}, {"design": "sobol", "samples": 7}, "samples: "),
        ({"automation": (0, 1), "standardization": (0, 0.5, 1)}, {"design": "zip"}, ": "),
        ({"pipeline.steps.tset.effort_h": (1, 2)}, {}, "pipeline.steps.tset: is not in this"),
        ({"seed": (1, 2)}, {"select": {"metric": "led_time_h"}}, "select.metric: no metric"),
        ({"n_jobs": (1, 2)}, {}, "n_jobs: belongs to the whole sweep"),
        ({"precision.look_ahead": (1, 2)}, {}, "precision.look_ahead: belongs to the whole"),
        ({"automation": (0, 1)}, {"baseline": {"automation": 0.3}}, "baseline: no point has"),
        ({"automation": (0, 1)}, {"baseline": {"seed": 3}}, "baseline.seed: is not swept"),
    ],
    ids=str,
)
def test_everything_is_checked_before_anything_is_simulated(
    axes: dict[str, Sequence[object]], settings: dict[str, object], said: str, tmp_path: Path
) -> None:
    known = dict.fromkeys(numbers(organization(), 1, 0), 0.0)

    def tells_its_metrics(scenario: object, seed: int, replication: int) -> dict[str, float]:
        assert (seed, replication) == (0, 0), FORBIDDEN
        return known

    folder = tmp_path / "sweep"
    with pytest.raises(sim.ScenarioError) as error:
        run(folder, axes, observe=tells_its_metrics, **settings)
    assert said in str(error.value)
    assert list(tmp_path.rglob("*")) in ([], [folder])


def test_each_wrong_value_is_named_once_and_with_its_point_if_it_takes_two(tmp_path: Path) -> None:
    with pytest.raises(sim.ScenarioError) as error:
        run(tmp_path, {"automation": (0, 2, 3), "standardization": (0, 0.5)}, observe=never)
    assert [problem.key for problem in error.value.problems] == ["automation", "automation"]
    axes = {"horizon_weeks": (12, 20), "warmup_weeks": (5, 15)}
    with pytest.raises(sim.ScenarioError, match=r"\(at horizon_weeks=12 warmup_weeks=15\)|warmup"):
        run(tmp_path, axes, observe=never)
    assert list(tmp_path.iterdir()) == []


def test_groups_need_a_scenario_that_was_composed() -> None:
    with pytest.raises(sim.ScenarioError, match="practice/testing: is chosen while"):
        sim.sweep(organization(), {"practice/testing": ["none", "full"]})


def test_a_second_sweep_in_the_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    diary = Diary()
    said = []

    def look(replications: int, points: int) -> None:
        if not said:
            with pytest.raises(ResultsError, match="another sweep is running in") as error:
                run(tmp_path)
            said.append(str(error.value))

    diary.finished = look  # type: ignore[method-assign]
    first = run(tmp_path, watcher=diary)
    assert said
    assert len(first.runs) == 60


CHANGES = [
    {"replications": 2},
    {"axes": {"automation": (0.0, 1.0)}},
    {"axes": {**GRID, "seed": (7, 8)}},
    {"axes": {"automation": AUTOMATION[:4], "standardization": (0.0, 0.5, 1.0)}},
    {"axes": {"automation": AUTOMATION, "standardization": (0.5, 1.0)}},
    {"seed": 8},
    {"horizon_weeks": 13},
    {"changes": {}},
    {"axes": {"automation": (0.0, 0.5), "standardization": (0.0, 0.5)}, "design": "zip"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_another_sweep_in_the_folder_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    run(tmp_path)
    table = (tmp_path / TABLE).read_bytes()
    with pytest.raises(ResultsError, match=r"the folder holds another sweep \(.*sweep.dir=FOLDER"):
        run(tmp_path, observe=never, **change)
    assert (tmp_path / TABLE).read_bytes() == table
    run(tmp_path, observe=never)  # the same one is welcome as ever, and has all it needs
    assert (tmp_path / TABLE).read_bytes() == table


@pytest.mark.parametrize(
    ("axes", "settings", "further"),
    [
        ({**GRID, "automation": (0.0, 0.1, *AUTOMATION[1:])}, {}, 12),
        ({**GRID, "automation": tuple(reversed(AUTOMATION))}, {}, 0),
        ({**GRID, "standardization": (0.0, 0.5, 1.0, 0.75)}, {}, 20),
        (GRID, {"replications": 6}, 30),
        (GRID, {"n_jobs": 2, "name": "other", "baseline": {"automation": 1.0}}, 0),
    ],
    ids=str,
)
def test_further_values_and_replications_are_welcome(
    axes: dict[str, Sequence[object]], settings: dict[str, object], further: int, tmp_path: Path
) -> None:
    run(tmp_path / "folder")
    log = tmp_path / "log"
    more = run_written_down(tmp_path / "folder", log, "more", 0.0, axes=axes, **settings)
    assert len(read_log(log)) == further
    afresh = run(tmp_path / "afresh", axes, **settings)
    pd.testing.assert_frame_equal(more.runs, afresh.runs, check_exact=True)


def test_a_full_disk_stops_the_sweep_and_it_goes_on_when_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Store._open

    def small_disk(store: Store, there: bool) -> None:
        opened(store, there)
        store._database.execute("PRAGMA max_page_count = 16")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_open", small_disk)
        with pytest.raises(ResultsError, match=r"cannot be written: .*full"):
            run(tmp_path, replications=50)
    with Store(tmp_path / STORE) as store:
        there = store.count()
    assert there > 0
    log = tmp_path / "log"
    resumed = run_written_down(tmp_path, log, "again", 0.0, replications=50)
    assert len(read_log(log)) == 15 * 50 - there
    pd.testing.assert_frame_equal(resumed.runs, run(tmp_path / "afresh", replications=50).runs)


def test_a_damaged_store_is_not_touched_nor_is_the_table(tmp_path: Path) -> None:
    run(tmp_path)
    path = tmp_path / STORE
    data = bytearray(path.read_bytes())
    data[4096:4500] = b"x" * 404
    path.write_bytes(data)
    table = (tmp_path / TABLE).read_bytes()
    with pytest.raises(ResultsError, match="is damaged and was left as it is"):
        run(tmp_path, observe=never)
    assert path.read_bytes() == data
    assert (tmp_path / TABLE).read_bytes() == table


def test_a_number_that_changed_in_the_store_does_not_get_into_the_table(tmp_path: Path) -> None:
    run(tmp_path)
    table = (tmp_path / TABLE).read_bytes()
    database = sqlite3.connect(tmp_path / STORE)
    database.execute("UPDATE runs SET numbers = zeroblob(length(numbers)) WHERE replication = 2")
    database.commit()
    database.close()
    with pytest.raises(ResultsError, match="damaged"):
        run(tmp_path, observe=never)
    assert (tmp_path / TABLE).read_bytes() == table
    assert sorted(path.name for path in tmp_path.iterdir()) == [STORE, TABLE, READABLE]


# Fingerprints


def test_a_fingerprint_changes_with_all_that_matters_and_nothing_else() -> None:
    base = organization()
    same = [
        organization(name="other", description="words", replications=9, n_jobs=2),
        organization(engine="ray", address="127.0.0.1:1", design="lhs", samples=99),
        organization(baseline={"automation": 1.0}, select={"metric": "lead_time_h"}),
    ]
    assert {scenario_digest(scenario) for scenario in same} == {scenario_digest(base)}
    steps = small()["pipeline"]["steps"]  # type: ignore[index]
    others = [
        organization(seed=8),
        organization(automation=1e-12),
        organization(horizon_weeks=13),
        organization(warmup_weeks=0),
        organization(pipeline={"steps": dict(reversed(steps.items()))}),
    ]
    prints = {scenario_digest(scenario) for scenario in [base, *others]}
    assert len(prints) == 1 + len(others)


def test_results_of_another_model_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "folder")
    before = model_version()
    monkeypatch.setattr("sim.experiment.fingerprint.model_version", lambda: before + "x")
    log = tmp_path / "log"
    run_written_down(tmp_path / "folder", log, "again", 0.0)
    assert len(read_log(log)) == 60


def test_every_replication_of_a_scenario_has_the_same_metrics_in_the_same_order() -> None:
    # Those of a chunk are kept under the names of the first.
    for scenario in (
        organization(),
        organization(changes={}),
        organization(horizon_weeks=1, warmup_weeks=0),
        sim.load("horizon_weeks=3", "warmup_weeks=0"),
        sim.load("horizon_weeks=12", "warmup_weeks=4", config="verification/mmc"),
    ):
        for seed in range(3):
            assert list(observe(scenario, seed, 0)) == [*metric_names(scenario), RESTORED]


def test_points_that_are_alike_fail_together(tmp_path: Path) -> None:
    diary = Diary()
    sampled = run(tmp_path, ALIKE, raises, watcher=diary, design="lhs", samples=8)
    deadly = [int(point) for point in sampled.points.index[sampled.points["automation"] == DEADLY]]
    assert [failure.point for failure in sampled.failures] == deadly
    assert len(diary.failures) == len(deadly) == 4
    assert sorted(set(sampled.runs["point"])) == sorted(set(range(8)).difference(deadly))


def test_numpy_numbers_are_numbers() -> None:
    base = validate(small(replications=1))
    swept = sim.sweep(
        base, {"automation": np.linspace(0.0, 1.0, 4), "horizon_weeks": np.arange(11, 13)}
    )
    assert swept.runs["automation"].dtype == np.float64
    assert swept.runs["horizon_weeks"].dtype == np.int64
    assert swept.label(3) == "automation=0.333333 horizon_weeks=12"


def test_a_value_alone_is_no_list() -> None:
    with pytest.raises(ScenarioError, match=r"automation: 0\.5 is no list of values"):
        sim.sweep(validate(small()), {"automation": 0.5})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("axes", "settings", "said"),
    [
        (
            {"automation": Interval(0, 1), "seed": (1, 2)},
            {"design": "morris", "samples": 4},
            "seed: ",
        ),
        (
            {"automation": (0, 1), "replications": (3, 4)},
            {"select": {"metric": "lead_time_h"}},
            "replications: cannot be swept with select",
        ),
        (
            {"automation": (0, 1), "replications": (3, 4)},
            {"precision": {"half_width": {"lead_time_h": 1}}},
            "replications: cannot be swept with precision",
        ),
    ],
)
def test_what_belongs_to_the_whole_design_is_not_swept(
    axes: dict[str, Sequence[object]], settings: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError, match=said):
        run(tmp_path, axes, never, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"select": {"metric": "lead_time_h"}, "replications": 2}, "2 are too few to choose"),
        (
            {
                "select": {"metric": "lead_time_h"},
                "precision": {"half_width": {"lead_time_h": 1}},
            },
            "select: cannot be had together with precision",
        ),
    ],
)
def test_settings_that_contradict_each_other(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        validate(small(**settings))


@pytest.mark.parametrize("design", ["sobol", "morris"])
def test_a_sweep_of_which_every_point_failed_has_no_indices(design: str, tmp_path: Path) -> None:
    settings = {"automation": DEADLY, "design": design, "samples": 2, "replications": 2}
    axes = {"standardization": sim.Interval(0, 1)}
    sweep = run(tmp_path, axes, raises, **settings)
    assert len(sweep.failures) == len(sweep.points)
    assert sweep.sensitivity() is None


def test_a_sweep_of_which_every_point_failed_has_no_best_point(tmp_path: Path) -> None:
    settings = {"automation": DEADLY, "select": {"metric": "lead_time_h"}, "replications": 3}
    sweep = run(tmp_path, {"standardization": (0, 1)}, raises, **settings)
    assert len(sweep.failures) == 2
    assert sweep.selection is None
