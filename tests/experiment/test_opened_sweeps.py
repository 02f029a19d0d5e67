"""Folders of sweeps: opened again they are what was run, whoever made them, finished or not."""

import itertools
import json
import shutil
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from little_sweeps import GRID, Diary, numbers, raises, run, small

import sim
from sim.experiment import fingerprint, sweep_record
from sim.experiment.axes import Interval
from sim.experiment.store import Store
from sim.experiment.sweep import STORE, TABLE
from sim.metrics.catalogue import headlines
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario

OLD = Path(__file__).parent / "folder_of_before"
"""Made by the version before folders said which replications belong to which point, by
`python -m sim -m organization=startup automation=0.2,0.8 replications=2 horizon_weeks=10
warmup_weeks=2 n_jobs=2`; without its report and figures."""

DIALS = {"automation": Interval(0.0, 1.0), "standardization": Interval(0.0, 1.0)}
SWEEPS: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]] = {
    "grid": (GRID, {"baseline": {"automation": 0.5, "standardization": 1.0}}),
    "zip": ({"automation": (0.0, 1.0), "standardization": (0.5, 0.0)}, {"design": "zip"}),
    "select": (GRID, {"select": {"metric": "lead_time_h", "budget": 40}}),
    "precision": (GRID, {"precision": {"half_width": {"lead_time_h": 1.0}}}),
    "null": ({"compute.gpu.max_slots": (None, 2)}, {"compute": {"gpu": {"slots": 1}}}),
    "random": (DIALS, {"design": "random", "samples": 5}),
    "lhs": (DIALS, {"design": "lhs", "samples": 5}),
    "sobol": (DIALS, {"design": "sobol", "samples": 8}),
    "morris": (DIALS, {"design": "morris", "samples": 5}),
    "adaptive": (
        DIALS,
        {
            "design": "adaptive",
            "adaptive": {"crossing": {"lead_time_h": 12.0}, "max_runs": 40, "points": 6},
        },
    ),
}


class _Interrupting(Diary):
    """A watcher that interrupts after some replications."""

    def finished(self, replications: int, points: int) -> None:
        """Interrupt."""
        super().finished(replications, points)
        if self.replications_done >= 10:
            raise KeyboardInterrupt


def check_same(opened: sim.Sweep, there: sim.Sweep) -> None:
    """Check that an opened sweep says what the one that was run says."""
    pd.testing.assert_frame_equal(opened.runs, there.runs, check_exact=True)
    pd.testing.assert_frame_equal(opened.points, there.points, check_exact=True)
    assert opened.axes == there.axes
    assert opened.base == there.base
    assert opened.baseline == there.baseline
    assert opened.replications.tolist() == there.replications.tolist()
    assert opened.failures == there.failures
    assert opened.made == there.made
    for of in ("summary", "effects", "sensitivity"):
        one, other = getattr(opened, of)(), getattr(there, of)()
        assert (one is None) == (other is None)
        if one is not None:
            pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert repr(opened.selection) == repr(there.selection)
    assert repr(opened.answer) == repr(there.answer)
    pd.testing.assert_frame_equal(opened.pareto("lead_time_h"), there.pareto("lead_time_h"))


@pytest.mark.parametrize("name", SWEEPS)
def test_opened_again_it_is_what_was_run(name: str, tmp_path: Path) -> None:
    axes, settings = SWEEPS[name]
    there = run(tmp_path, axes, **settings)  # type: ignore[arg-type]
    opened = sim.open(tmp_path)
    check_same(opened, there)
    assert opened.remarks == ()
    (tmp_path / TABLE).unlink()  # the store is enough
    check_same(sim.open(tmp_path), there)


def test_a_folder_is_only_read(tmp_path: Path) -> None:
    run(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    sim.open(tmp_path).summary()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_one_that_is_not_finished_has_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, watcher=_Interrupting(), replications=6)
    opened = sim.open(tmp_path)
    there = int(opened.replications.sum())
    assert 10 <= there < 15 * 6
    remark = f"it is not finished: {there} of 90 replications are there"
    assert opened.remarks == (remark,)
    sim.write_report(opened, tmp_path / "so far")
    assert f"Its folder: {remark}." in (tmp_path / "so far" / "report.html").read_text()
    whole = run(tmp_path, replications=6).runs.set_index(["point", "replication"])
    here = opened.runs.set_index(["point", "replication"])
    pd.testing.assert_frame_equal(here, whole.loc[here.index], check_exact=True)
    assert sim.open(tmp_path).remarks == ()


def test_failures_are_known(tmp_path: Path) -> None:
    there = run(tmp_path, observe=raises)
    assert len(there.failures) == 3
    check_same(sim.open(tmp_path), there)


def test_the_model_of_today_need_not_be_that_of_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = run(tmp_path)
    _another_model(monkeypatch)
    opened = sim.open(tmp_path)
    check_same(opened, there)
    assert opened.made is not None
    assert opened.made.changes() == [
        "the source of the model has changed",
        "numpy was " + np.__version__ + " and is 9.9",
    ]


def test_what_is_simulated_again_is_said_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = Diary()
    run(tmp_path, watcher=diary)
    assert diary.words == []
    run(tmp_path, watcher=diary)
    assert diary.words.pop() == "60 of 60 replications are there"
    run(tmp_path, watcher=diary, replications=6)
    assert diary.words.pop() == "60 of 90 replications are there, 30 are simulated"
    _another_model(monkeypatch)
    again = Diary()
    run(tmp_path, watcher=again, replications=6)
    assert again.replications == again.replications_done == 90
    assert again.words == [
        "0 of 90 replications are there, 90 are simulated. Not used any more are 90 others: "
        f"the source of the model has changed; numpy was {np.__version__} and is 9.9"
    ]


def test_a_model_with_further_fields_is_no_other_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    _another_model(monkeypatch)

    def with_a_field_more(scenario: Scenario) -> str:
        return fingerprint.scenario_digest(scenario) + "more"

    monkeypatch.setattr("sim.experiment.sweep.scenario_digest", with_a_field_more)
    diary = Diary()
    run(tmp_path, watcher=diary)
    assert diary.replications_done == 60
    with pytest.raises(sim.ResultsError, match="organization, seed or horizon is another"):
        run(tmp_path, horizon_weeks=13)


def _another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model be another one, with another NumPy."""
    _, _, libraries = fingerprint.model_version().partition(", ")
    words = libraries.split(" ")
    words[words.index("numpy") + 1] = "9.9"
    changed = "0123456789abcdef, " + " ".join(words)
    monkeypatch.setattr(fingerprint, "model_version", lambda: changed)
    monkeypatch.setattr(sweep_record, "model_version", lambda: changed)


def test_a_scenario_that_is_not_valid_any_more_leaves_the_numbers(tmp_path: Path) -> None:
    there = run(tmp_path)
    with closing(sqlite3.connect(tmp_path / STORE, isolation_level=None)) as database:
        (data,) = database.execute("SELECT data FROM scenarios").fetchone()
    text = json.loads(zlib.decompress(data)) | {"gone": 1}
    data = zlib.compress(json.dumps(text).encode())
    with closing(sqlite3.connect(tmp_path / STORE, isolation_level=None)) as database:
        database.execute("UPDATE scenarios SET data = ?, checksum = ?", (data, zlib.crc32(data)))
    opened = sim.open(tmp_path)
    (remark,) = opened.remarks
    assert "gone" in remark
    assert "nothing of it can be simulated again" in remark
    pd.testing.assert_frame_equal(opened.effects(), there.effects())
    assert opened.design == "grid"
    assert opened.seed == 7
    with pytest.raises(sim.ResultsError, match="point 3 is not valid"):
        opened.replay(3, 0)
    sim.write_report(opened, tmp_path / "report")
    assert (tmp_path / "report" / "report.html").exists()


def test_a_damaged_record_is_found(tmp_path: Path) -> None:
    run(tmp_path)
    with closing(sqlite3.connect(tmp_path / STORE, isolation_level=None)) as database:
        database.execute("UPDATE points SET about = '{}' WHERE number = 3")
    with pytest.raises(sim.ResultsError, match="is damaged"):
        sim.open(tmp_path)


def test_where_there_is_nothing_to_open(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder to open"):
        sim.open()
    with pytest.raises(sim.ResultsError, match="there is no folder"):
        sim.open(tmp_path / "nowhere")
    with pytest.raises(sim.ResultsError, match="has no sweep"):
        sim.open(tmp_path)
    pd.DataFrame({"replication": [0], "lead_time_h": [1.0]}).to_parquet(tmp_path / TABLE)
    with pytest.raises(sim.ResultsError, match="has the results of a single run, and no sweep"):
        sim.open(tmp_path)


def test_one_that_runs_is_waited_for(tmp_path: Path) -> None:
    run(tmp_path)
    with Store(tmp_path / STORE) as store:
        store.write_note("writes", "now")
        with pytest.raises(sim.ResultsError, match="another sweep is running"):
            sim.open(tmp_path)


# Folders of the version before


def test_a_folder_of_the_version_before_opens(tmp_path: Path) -> None:
    opened = sim.open(OLD)
    assert opened.design == "grid"
    assert opened.points["automation"].tolist() == [0.2, 0.8]
    assert [axis.listed for axis in opened.axes] == [(0.2, 0.8)]
    assert opened.replications.tolist() == [2, 2]
    assert opened.base.horizon_weeks == 10
    assert opened.remarks == (
        "it was made before its command and the version of its model were kept",
    )
    runs = pd.read_parquet(OLD / TABLE)
    of = runs.pivot(index="replication", columns="point", values="deployment_frequency")
    effects = opened.effects(["deployment_frequency"]).iloc[0]
    assert effects["difference"] == pytest.approx((of[1] - of[0]).mean())
    assert opened.effects(["deployment_frequency"], baseline={"automation": 0.8}).iloc[0][
        "difference"
    ] == pytest.approx((of[0] - of[1]).mean())
    sim.write_report(opened, tmp_path)
    assert {path.stem for path in (tmp_path / "figures").iterdir()} >= {"metrics", "effects"}


@pytest.mark.filterwarnings("ignore:.*the model may have changed since")
def test_its_replications_can_be_looked_at() -> None:
    run = sim.open(OLD).replay(1, 1)
    assert run.scenario.automation == 0.8
    assert run.replication == 1
    assert len(run.changes) > 0


def test_without_its_scenarios_it_opens_and_says_so(tmp_path: Path) -> None:
    shutil.copy(OLD / TABLE, tmp_path)
    opened = sim.open(tmp_path)
    whole = sim.open(OLD)
    pd.testing.assert_frame_equal(opened.effects(), whole.effects())
    assert any("does not have the scenario" in remark for remark in opened.remarks)
    with pytest.raises(sim.ResultsError, match="does not have the scenario of point 0"):
        opened.replay(0, 0)


def test_one_that_was_killed_says_what_to_do(tmp_path: Path) -> None:
    shutil.copy(OLD / STORE, tmp_path)
    with pytest.raises(sim.ResultsError, match=r"the same command with hydra\.sweep\.dir="):
        sim.open(tmp_path)


# Several folders


def test_a_sweep_that_was_run_in_parts_joins(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    for name, values in (("b", (1.0, 0.25)), ("a", (0.0, 0.5)), ("c", (0.5, 0.75))):
        run(tmp_path / name, {**GRID, "automation": values})
    joined = sim.open(*(tmp_path / name for name in "abc"))
    assert joined.design == "grid"
    check = joined.with_baseline(whole.baseline)
    pd.testing.assert_frame_equal(check.runs, whole.runs, check_exact=True)
    pd.testing.assert_frame_equal(check.effects(), whole.effects(), check_exact=True)
    assert [axis.listed for axis in joined.axes] == [axis.listed for axis in whole.axes]


def test_parts_that_leave_gaps_are_a_list_of_points(tmp_path: Path) -> None:
    run(tmp_path / "a", {"automation": (0.0,), "standardization": (0.0, 0.5)})
    run(tmp_path / "b", {"automation": (1.0,), "standardization": (0.5, 1.0)})
    joined = sim.open(tmp_path / "a", tmp_path / "b")
    assert joined.design == "zip"
    assert joined.points.to_numpy().tolist() == [[0.0, 0.0], [0.0, 0.5], [1.0, 0.5], [1.0, 1.0]]
    assert len(joined.effects(["lead_time_h"])) == 3


def test_of_a_point_in_both_the_longer_counts(tmp_path: Path) -> None:
    run(tmp_path / "a", {"automation": (0.0, 0.5)}, replications=2)
    run(tmp_path / "b", {"automation": (0.5, 1.0)}, replications=5)
    joined = sim.open(tmp_path / "a", tmp_path / "b")
    assert joined.replications.tolist() == [2, 5, 5]
    assert joined.effects(["lead_time_h"], baseline=2)["n"].tolist() == [2, 5]


def other_numbers(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return numbers that are a little different."""
    return {name: value + 1e-9 for name, value in numbers(scenario, seed, replication).items()}


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    axes = {"automation": (0.0, 0.5)}
    run(tmp_path / "a", axes)
    others = {
        "horizon_weeks is 12 in one and 13 in the other": ({"automation": (1.0,)}, 13, numbers),
        "one sweeps automation, the other standardization": (
            {"standardization": (1.0,)},
            12,
            numbers,
        ),
        "other numbers for the same point, automation=0.5": (
            {"automation": (0.5,)},
            12,
            other_numbers,
        ),
    }
    for number, (words, (other, weeks, observe)) in enumerate(others.items()):
        run(tmp_path / str(number), other, horizon_weeks=weeks, observe=observe)
        with pytest.raises(sim.ResultsError, match=words):
            sim.open(tmp_path / "a", tmp_path / str(number))
    run(tmp_path / "seed", axes, seed=8)
    with pytest.raises(sim.ResultsError, match="seed is 7 in one and 8 in the other"):
        sim.open(tmp_path / "a", tmp_path / "seed")
    for samples in (4, 8):
        run(tmp_path / f"sobol{samples}", DIALS, design="sobol", samples=samples)
    with pytest.raises(sim.ResultsError, match="the points of design=sobol belong together"):
        sim.open(tmp_path / "sobol4", tmp_path / "sobol8")
    run(tmp_path / "random", {"automation": DIALS["automation"]}, design="random", samples=2)
    with pytest.raises(sim.ResultsError, match="one has design=grid, the other design=random"):
        sim.open(tmp_path / "a", tmp_path / "random")


# Growing


@pytest.mark.parametrize("design", ["random", "sobol", "morris"])
def test_more_samples_go_on_from_the_fewer(design: str, tmp_path: Path) -> None:
    few = run(tmp_path / "grown", DIALS, design=design, samples=4)
    diary = Diary()
    more = run(tmp_path / "grown", DIALS, design=design, samples=8, watcher=diary)
    n = len(few.points)
    known = set(few.points.itertuples(index=False, name=None))  # trajectories meet now and then
    there = 4 * sum(point in known for point in more.points.itertuples(index=False, name=None))
    now = len(more.runs)
    assert len(few.runs) <= there < now
    assert diary.words == [f"{there} of {now} replications are there, {now - there} are simulated"]
    pd.testing.assert_frame_equal(more.points.iloc[:n], few.points, check_exact=True)
    pd.testing.assert_frame_equal(more.runs.iloc[: len(few.runs)], few.runs, check_exact=True)
    at_once = run(tmp_path / "at once", DIALS, design=design, samples=8)
    check_same(sim.open(tmp_path / "grown"), at_once)
    with pytest.raises(sim.ResultsError, match=f"it has {len(more.points)} points"):
        run(tmp_path / "grown", DIALS, design=design, samples=4)


def test_a_latin_hypercube_cannot_grow_and_says_why(tmp_path: Path) -> None:
    run(tmp_path, DIALS, design="lhs", samples=4)
    with pytest.raises(sim.ResultsError, match="lhs of 4: more samples of it are other points"):
        run(tmp_path, DIALS, design="lhs", samples=8)


def test_points_that_decide_together_do_not_grow(tmp_path: Path) -> None:
    select = {"metric": "lead_time_h", "budget": 4}
    run(tmp_path, DIALS, design="sobol", samples=2, select=select)
    with pytest.raises(sim.ResultsError, match="8 points, which decide together"):
        run(tmp_path, DIALS, design="sobol", samples=4, select=select)


# Any reference, and other forms


def test_any_point_can_be_the_reference(tmp_path: Path) -> None:
    sweep = run(tmp_path)
    as_number = sweep.effects(baseline=7)
    pd.testing.assert_frame_equal(
        as_number, sweep.effects(baseline={"standardization": 0.5, "automation": 0.5})
    )
    pd.testing.assert_frame_equal(as_number, sweep.with_baseline(7).effects())
    assert sweep.with_baseline(7).base.automation == 0.5
    one = sweep.effects(["lead_time_h"], 0.8, baseline=7, points=[{"automation": 1.0}])
    other = sweep.effects(["lead_time_h"], 0.8, baseline=12, points=[7])
    assert (len(one), len(other)) == (1, 1)
    assert one["difference"][0] == -other["difference"][0]
    assert (one["ci_low"][0], one["ci_high"][0]) == (-other["ci_high"][0], -other["ci_low"][0])
    assert one["adjusted_p_value"][0] == one["p_value"][0]  # of one comparison alone
    with pytest.raises(ValueError, match=r"no point has automation=0\.3"):
        sweep.effects(baseline={"automation": 0.3})
    with pytest.raises(ValueError, match="'automatoin' is not swept; did you mean 'automation'"):
        sweep.effects(baseline={"automatoin": 0.3})
    with pytest.raises(ValueError, match="there is no point 15; the last is 14"):
        sweep.effects(baseline=15)
    drawn = run(tmp_path / "random", DIALS, design="random", samples=3)
    with pytest.raises(ValueError, match="do not share their luck"):
        drawn.effects(baseline=1)


def test_another_reference_can_be_written_down(tmp_path: Path) -> None:
    """Its values are numbers of Python, of whatever kind the axes are."""
    axes = {
        "automation": [0, 0.5],
        "services.service.count": [1, 2],
        "working_hours.always": [False, True],
    }
    sweep = run(tmp_path, axes)
    for point, values in sweep.points[list(axes)].iterrows():
        base = sweep.with_baseline(int(str(point))).base
        assert base.baseline == dict(values)
        assert json.loads(base.model_dump_json())["baseline"] == dict(values)


def test_any_arm_can_be_the_reference() -> None:
    scenarios = {
        name: validate(small(automation=value)) for name, value in (("a", 0.0), ("b", 1.0))
    }
    compared = sim.compare(scenarios, replications=3)
    here = compared.differences(metrics=headlines(), reference="b")
    turned = sim.compare({name: scenarios[name] for name in "ba"}, replications=3)
    pd.testing.assert_frame_equal(here, turned.differences(metrics=headlines()))
    with pytest.raises(ValueError, match="there is no arm 'c'"):
        compared.differences(reference="c")


def test_the_long_format_has_a_row_for_each_number(tmp_path: Path) -> None:
    sweep = run(tmp_path)
    long = sweep.long()
    assert list(long) == [
        "point",
        "automation",
        "standardization",
        "replication",
        "metric",
        "value",
    ]
    runs = sweep.runs.set_index(["point", "replication"])
    assert len(long) == len(runs) * len(sweep.metrics)
    wide = long.pivot(index=["point", "replication"], columns="metric", values="value")
    pd.testing.assert_frame_equal(wide, runs[sorted(sweep.metrics)], check_names=False)
    assert set(sweep.long(["lead_time_h"])["metric"]) == {"lead_time_h"}
    with pytest.raises(ValueError, match="unknown metric"):
        sweep.long(["led_time_h"])


def test_a_grid_is_an_array_with_its_axes_as_dimensions(tmp_path: Path) -> None:
    sweep = run(tmp_path, observe=raises)
    dataset = sweep.to_xarray()
    assert dict(dataset.sizes) == {"automation": 5, "standardization": 3, "replication": 4}
    assert dataset["lead_time_h"].attrs == {"long_name": "lead time", "units": "h"}
    runs = sweep.runs
    for automation, standardization in itertools.product(*GRID.values()):
        at = dataset["lead_time_h"].sel(automation=automation, standardization=standardization)
        rows = runs[
            (runs["automation"] == automation) & (runs["standardization"] == standardization)
        ]
        expected = rows["lead_time_h"].to_numpy() if len(rows) else np.full(4, np.nan)
        np.testing.assert_array_equal(at, expected)
    summary = sweep.summary(["change_failure_rate"]).set_index(["automation", "standardization"])
    means = dataset["change_failure_rate"].mean("replication").to_series().dropna()
    np.testing.assert_allclose(means, summary["mean"].loc[means.index])


def test_other_designs_are_arrays_over_their_points(tmp_path: Path) -> None:
    sweep = run(tmp_path, DIALS, design="random", samples=5)
    dataset = sweep.to_xarray(["lead_time_h"])
    assert dict(dataset.sizes) == {"point": 5, "replication": 4}
    np.testing.assert_array_equal(dataset["automation"], sweep.points["automation"])
    np.testing.assert_array_equal(
        dataset["lead_time_h"].stack(row=("point", "replication")), sweep.runs["lead_time_h"]
    )


# Replications looked at again


def test_a_replay_has_the_metrics_of_the_sweep_and_its_event_tables() -> None:
    base = validate(small())
    sweep = sim.sweep(base, {"automation": [0.0, 1.0]}, replications=3)
    run = sweep.replay({"automation": 1.0}, 2)
    direct = sim.simulate(validate(small(automation=1.0)), replication=2)
    for name, table in direct.tables.items():
        pd.testing.assert_frame_equal(run.tables[name], table)
    assert list(run.metrics_by("service").index) == ["team.service"]
    with pytest.raises(ValueError, match="point 1 has no replication 3; the last is 2"):
        sweep.replay(1, 3)


def test_a_replay_says_if_its_metrics_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, {"automation": (0.0, 1.0)})  # with numbers that are made up
    with pytest.warns(UserWarning, match="this machine calculates differently"):
        sim.open(tmp_path).replay(1, 2)
    _another_model(monkeypatch)
    with pytest.warns(UserWarning, match="the source of the model has changed; numpy was"):
        sim.open(tmp_path).replay(1, 2)
