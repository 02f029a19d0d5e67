"""Adaptive sweeps: they find what is known to be there, with few runs, and the same again."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from little_sweeps import Diary, check_interruptions_and_processes, numbers, run, small
from test_surface import branin, plane

import sim
from sim.experiment.adaptive import (
    Answer,
    Region,
    answer,
    first_points,
    next_picks,
    region_of,
)
from sim.experiment.axes import Axis, Interval
from sim.experiment.designs import seed_of
from sim.experiment.intervals import FloatArray
from sim.experiment.store import ResultsError, Store
from sim.experiment.sweep import STORE
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.settings import AdaptiveSpec

UNIT = Interval(0.0, 1.0)
SQUARE = Region((UNIT, UNIT))
DIALS = {"automation": UNIT, "standardization": UNIT}
SURFACE = {"surface": {"lead_time_h": "4%"}, "points": 8, "max_runs": 80}


def asked(
    spec: AdaptiveSpec,
    function: Callable[[FloatArray], FloatArray],
    noise: float,
    seed: int,
    region: Region = SQUARE,
) -> tuple[Answer, list[tuple[object, ...]], list[int]]:
    """Ask about a function of places with known noise; return answer, points and replications."""
    points = list(first_points(region, spec, seed))
    wanted = [spec.replications] * len(points)
    (name,) = spec.metrics
    while True:
        means = function(region.places(points))
        values = [
            mean + noise * np.random.default_rng([seed, 1, number]).standard_normal(500)[:n]
            for number, (mean, n) in enumerate(zip(means, wanted, strict=True))
        ]
        now = answer(spec, region, points, {name: values}, seed)
        picks = next_picks(spec, now, region.places(points), wanted, {name: values})
        if not picks:
            return now, points, wanted
        for what, n in picks:
            if isinstance(what, int):
                wanted[what] += n
            else:
                points.append(region.point(what))
                wanted.append(n)


# --- answers ------------------------------------------------------------------------------------


def test_a_surface_is_known_as_closely_as_asked_with_few_runs() -> None:
    spec = AdaptiveSpec(surface={"lead_time_h": "6%"}, max_runs=300)
    covered = []
    for seed in range(6):
        now, _, wanted = asked(spec, plane, 1.0, seed)
        assert now.reached
        bands = now.fits["lead_time_h"].bands
        assert ((bands.high - bands.low) / 2 <= 0.06 * bands.mean + 1e-9).all()
        truth = plane(now.fits["lead_time_h"].candidates)
        covered.append(np.mean((bands.low <= truth) & (truth <= bands.high)))
        # A grid whose points have such intervals: (1.96 * 1 / (0.06 * 10))^2 = 11 at each.
        assert sum(wanted) <= 200 < 121 * 11
    assert np.mean(covered) > 0.85


def test_runs_go_where_the_interval_is_widest() -> None:
    spec = AdaptiveSpec(surface={"lead_time_h": 0.4}, max_runs=200)
    _, points, wanted = asked(spec, plane, 1.0, 2)
    places = SQUARE.places(points)
    first, further = wanted[: spec.points], wanted[spec.points :]
    assert sum(first) + sum(further) <= 200
    # Nothing lies beyond the edge, so that the surface is known least there.
    edge = (np.minimum(places, 1.0 - places) < 0.1).any(axis=1)
    runs = np.array(wanted)
    assert runs[edge].sum() / runs.sum() > 1.4 * edge[: spec.points].mean()


def test_a_crossing_is_found_where_it_is() -> None:
    # 10 + 5 x - 3 y = 11 where x = 0.2 + 0.6 y.
    spec = AdaptiveSpec(crossing={"lead_time_h": 11.0}, undecided=0.12, max_runs=600)
    for seed in range(3):
        now, points, wanted = asked(spec, plane, 0.5, seed)
        assert now.reached
        fit = now.fits["lead_time_h"]
        truth = plane(fit.candidates)
        wrong = ((fit.bands.low > 11.0) & (truth < 11.0)) | ((fit.bands.high < 11.0) & (truth > 11))
        assert np.mean(wrong) <= 0.02
        # Further runs are near the line.
        distance = np.abs(plane(SQUARE.places(points)) - 11.0)
        later = distance[spec.points :]
        assert later.size == 0 or np.median(later) < np.median(distance[: spec.points])
        assert sum(wanted) <= 600


def test_what_is_never_crossed_is_soon_known() -> None:
    spec = AdaptiveSpec(crossing={"lead_time_h": 50.0}, max_runs=400)
    now, _, wanted = asked(spec, plane, 1.0, 1)
    assert now.reached
    assert now.widths[0].now == 0.0
    assert sum(wanted) == 12 * 4


@pytest.mark.parametrize(("wish", "best"), [("smallest", (0.0, 1.0)), ("largest", (1.0, 0.0))])
def test_the_best_place_is_found(wish: str, best: tuple[float, float]) -> None:
    spec = AdaptiveSpec(best={"lead_time_h": wish}, regret=0.05, max_runs=400)
    for seed in range(3):
        now, _, wanted = asked(spec, plane, 0.7, seed)
        assert now.reached
        assert now.best is not None
        ideal, found = (plane(np.array([place]))[0] for place in (best, now.best))
        assert abs(found - ideal) <= 0.05 * found
        assert sum(wanted) < 400


def test_one_of_the_three_best_places_of_branin_is_found() -> None:
    spec = AdaptiveSpec(best={"lead_time_h": "smallest"}, regret=0.15, points=20, max_runs=600)
    now, _, _ = asked(spec, branin, 2.0, 3)
    assert now.best is not None
    # The smallest value is 0.397887 + 20.
    assert branin(np.array([now.best]))[0] <= 20.4 * 1.15


def test_what_is_asked_too_closely_ends_with_the_runs() -> None:
    spec = AdaptiveSpec(surface={"lead_time_h": "0.01%"}, max_runs=77)
    now, _, wanted = asked(spec, plane, 1.0, 1)
    assert not now.reached
    assert sum(wanted) == 77
    assert "target ±0.01 %" in now.in_words()


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_asked_about_whatever_function(data: st.DataObject) -> None:
    keys = data.draw(st.sampled_from([2, 2, 3]), "keys")
    lows = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=keys, max_size=keys), "lows")
    sizes = data.draw(st.lists(st.floats(1e-3, 1e6), min_size=keys, max_size=keys), "sizes")
    whole = data.draw(st.lists(st.booleans(), min_size=keys, max_size=keys), "whole")
    region = Region(
        tuple(
            Interval(int(low), int(low) + max(1, int(size)), True)
            if only_whole
            else Interval(low, low + size)
            for low, size, only_whole in zip(lows, sizes, whole, strict=True)
        )
    )
    level = data.draw(st.sampled_from([0.0, 1.0, -5.0, 1e-6, 1e9]), "level")
    slope = data.draw(st.sampled_from([0.0, 1e-9, 1.0, -3.0, 1e6]), "slope")
    noise = data.draw(st.sampled_from([0.0, 1e-6, 1.0, 1e6]), "noise")
    empty = data.draw(st.sampled_from([0.0, 0.3, 0.8, 2.0]), "empty")
    question = data.draw(
        st.sampled_from(
            [
                {"surface": {"lead_time_h": "5%"}},
                {"surface": {"lead_time_h": 0.1}},
                {"crossing": {"lead_time_h": 0.0}},
                {"crossing": {"lead_time_h": 1.5}},
                {"best": {"lead_time_h": "smallest"}},
                {"best": {"lead_time_h": "largest"}},
            ]
        ),
        "question",
    )
    spec = AdaptiveSpec(**question, points=6, replications=2, max_runs=24)

    def function(places: FloatArray) -> FloatArray:
        values = level + slope * places[:, 0] ** 2 + 0.1 * slope * places[:, 1]
        return np.where(places[:, 0] < empty, np.nan, values) if empty else values

    now, points, wanted = asked(spec, function, noise, data.draw(st.integers(0, 2**40)), region)
    assert sum(wanted) <= 24
    for point in points:
        for value, interval in zip(point, region.intervals, strict=True):
            assert isinstance(value, int) == interval.whole
            assert interval.low <= float(str(value)) <= interval.high
    for width in now.widths:
        assert not math.isnan(width.now)
        assert width.now >= -1e-6
    assert set(now.fits) | set(now.lacking) == {"lead_time_h"}
    for fit in now.fits.values():
        assert np.isfinite(fit.bands.mean).all()
        assert (fit.bands.low <= fit.bands.mean).all()


# --- regions ------------------------------------------------------------------------------------


def test_points_lie_in_the_region_and_whole_numbers_stay_whole() -> None:
    region = Region((Interval(2.0, 5.0), Interval(1, 4, True)))
    spec = AdaptiveSpec(surface={"lead_time_h": "5%"}, points=30)
    points = first_points(region, spec, 3)
    assert points == first_points(region, spec, 3)
    assert points != first_points(region, spec, 4)
    assert {point[1] for point in points} == {1, 2, 3, 4}
    assert all(2.0 <= float(str(point[0])) <= 5.0 for point in points)
    assert list(region.lattice()[1]) == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0])
    assert len(region.candidates()) == 21 * 4
    for point in points:
        assert region.point(region.places([point])[0]) == point


def test_seeds_of_points_differ_and_the_first_has_that_of_the_sweep() -> None:
    seeds = [seed_of(7, point) for point in range(1000)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 1000
    assert not set(seeds[1:]) & {seed_of(8, point) for point in range(1000)}


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ([Axis("automation", UNIT)], "adaptive takes two or three keys, not 1"),
        ([Axis(f"key{n}", UNIT) for n in range(4)], "adaptive takes two or three keys, not 4"),
        ([Axis("practice/testing", ("none", "full")), Axis("a", UNIT)], "practice/testing: has"),
        ([Axis("automation", (0.0, 1.0)), Axis("a", UNIT)], "automation: has listed values"),
        ([Axis("automation", Interval(1.0, 0.0)), Axis("a", UNIT)], "is no interval"),
        ([Axis("automation", Interval(0.0, math.inf)), Axis("a", UNIT)], "is no interval"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_spans_no_region(axes: list[Axis], said: str) -> None:
    with pytest.raises(sim.ScenarioError) as error:
        region_of(axes)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


# --- sweeps -------------------------------------------------------------------------------------


def test_a_sweep_answers_and_says_how_wide_it_is(tmp_path: Path) -> None:
    diary = Diary()
    sweep = run(tmp_path, DIALS, watcher=diary, design="adaptive", adaptive=SURFACE)
    assert sweep.answer is not None
    assert sum(sweep.replications) == len(sweep.runs) <= 80
    assert diary.replications == diary.replications_done == len(sweep.runs)
    assert diary.points == diary.points_done == len(sweep.points)
    assert diary.widths[-1] == sweep.answer.in_words()
    assert all("(target ±4 %)" in widths for widths in diary.widths)
    # The truth of the made-up metrics is a plane.
    fit = sweep.answer.fits["lead_time_h"]
    truth = plane(fit.candidates)
    assert np.mean((fit.bands.low <= truth) & (truth <= fit.bands.high)) > 0.8


def test_points_are_what_a_plain_sweep_makes_of_them(tmp_path: Path) -> None:
    ours = run(tmp_path / "ours", DIALS, design="adaptive", adaptive=SURFACE)
    axes = {key: tuple(ours.points[key].tolist()) for key in ("automation", "standardization")}
    axes["seed"] = tuple(int(seed) for seed in ours.points["seed"])
    most = int(ours.replications.max())
    plain = run(tmp_path / "plain", axes, design="zip", replications=most)
    kept = plain.runs.merge(ours.runs[["point", "replication"]])
    pd.testing.assert_frame_equal(ours.runs, kept, check_exact=True)


@pytest.mark.parametrize(
    "question",
    [
        {"surface": {"lead_time_h": "4%"}},
        pytest.param({"best": {"cost_per_week": "smallest"}}, marks=pytest.mark.slow),
    ],
)
def test_the_result_depends_on_neither_processes_nor_interruptions(
    question: dict[str, Any], tmp_path: Path
) -> None:
    given_ = {"design": "adaptive", "adaptive": {**question, "points": 6, "max_runs": 60}}
    one, resumed = check_interruptions_and_processes(tmp_path, DIALS, (1, 9, 17), **given_)
    assert resumed.answer is not None
    assert one.answer is not None
    assert resumed.answer.in_words() == one.answer.in_words()


def test_decisions_are_kept_so_that_another_library_goes_on_to_the_same(tmp_path: Path) -> None:
    first = run(tmp_path, DIALS, design="adaptive", adaptive=SURFACE)
    with Store(tmp_path / STORE) as store:
        plan = json.loads(store.note("adaptive") or "")
        # What another version of the library might have decided instead.
        plan["points"][-1][0] = 0.123
        store.write_note("adaptive", json.dumps(plan))
    again = run(tmp_path, DIALS, design="adaptive", adaptive=SURFACE)
    assert again.points["automation"].iloc[-1] == 0.123
    pd.testing.assert_frame_equal(again.points.iloc[:-1], first.points.iloc[:-1])


def test_more_runs_or_another_question_go_on_from_what_is_there(tmp_path: Path) -> None:
    few = run(tmp_path, DIALS, design="adaptive", adaptive={**SURFACE, "max_runs": 48})
    more = run(tmp_path, DIALS, design="adaptive", adaptive=SURFACE)
    assert len(few.runs) < len(more.runs)
    pd.testing.assert_frame_equal(few.points, more.points.iloc[: len(few.points)])
    other = {"crossing": {"cost_per_week": 11.0}, "points": 8, "max_runs": 80}
    crossing = run(tmp_path, DIALS, design="adaptive", adaptive=other)
    assert len(crossing.runs) >= len(more.runs)
    assert crossing.answer is not None
    assert crossing.answer.spec.kind == "crossing"
    for changed in ({"points": 9}, {"replications": 3}):
        with pytest.raises(ResultsError, match="holds another sweep"):
            run(tmp_path, DIALS, design="adaptive", adaptive={**SURFACE, **changed})
    with pytest.raises(ResultsError, match="holds another sweep"):
        run(tmp_path, DIALS, design="lhs", samples=8)


def made_up(kind: str, scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return made-up metrics with a lead time of some kind."""
    metrics = numbers(scenario, seed, replication)
    x = scenario.automation
    return (
        metrics
        | {
            "half": {"lead_time_h": metrics["lead_time_h"] if x > 0.5 else math.nan},
            "never": {"lead_time_h": math.nan},
            "constant": {"lead_time_h": 3.0},
            "certain": {"lead_time_h": 3.0 + x},
            "zero": {"lead_time_h": 0.0},
            "rare": {"lead_time_h": float(replication == 2 and x > 0.3)},
        }[kind]
    )


def fails_low(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return made-up metrics, or raise where automation is low."""
    if scenario.automation < 0.3:
        raise ZeroDivisionError("nobody is left")
    return numbers(scenario, seed, replication)


def strange(tmp_path: Path, kind: str) -> sim.Sweep:
    wish = {"surface": {"lead_time_h": "5%"}, "points": 10, "max_runs": 60}
    return run(tmp_path, DIALS, partial(made_up, kind), design="adaptive", adaptive=wish)


def test_where_a_metric_is_undefined_nothing_more_is_looked_for(tmp_path: Path) -> None:
    sweep = strange(tmp_path, "half")
    assert sweep.answer is not None
    fit = sweep.answer.fits["lead_time_h"]
    assert 0.3 < fit.defined.mean() < 0.7
    assert np.mean(fit.candidates[fit.defined][:, 0] > 0.4) > 0.9
    later = sweep.points["automation"].iloc[10:]
    assert (later > 0.3).all()


def test_a_metric_that_has_no_data_anywhere_ends_it_at_once(tmp_path: Path) -> None:
    sweep = strange(tmp_path, "never")
    assert sweep.answer is not None
    assert not sweep.answer.reached
    assert sweep.answer.lacking == {"lead_time_h": "there is data at 0 of 10 points only"}
    assert len(sweep.runs) == 40


@pytest.mark.parametrize("kind", ["constant", "zero", "certain"])
def test_without_any_noise_the_first_points_suffice(kind: str, tmp_path: Path) -> None:
    sweep = strange(tmp_path, kind)
    assert sweep.answer is not None
    assert sweep.answer.reached
    assert len(sweep.runs) == 40
    mean = sweep.answer.fits["lead_time_h"].bands.mean
    truth = {"constant": 3.0, "zero": 0.0}.get(kind)
    if truth is not None:
        np.testing.assert_allclose(mean, truth)


def test_a_relative_width_of_what_is_mostly_zero_is_never_reached(tmp_path: Path) -> None:
    sweep = strange(tmp_path, "rare")
    assert sweep.answer is not None
    assert not sweep.answer.reached
    assert len(sweep.runs) == 60


def test_where_points_fail_nothing_more_is_looked_for(tmp_path: Path) -> None:
    diary = Diary()
    wish = {"surface": {"lead_time_h": "1%"}, "points": 10, "max_runs": 60}
    sweep = run(tmp_path, DIALS, fails_low, watcher=diary, design="adaptive", adaptive=wish)
    assert 1 <= len(sweep.failures) <= 5
    assert len(diary.failures) == len(sweep.failures)
    assert sweep.answer is not None
    assert not sweep.answer.reached
    fit = sweep.answer.fits["lead_time_h"]
    assert fit.defined.mean() < 0.9


def test_keys_with_dots_and_whole_numbers_with_real_simulations() -> None:
    wish = {"surface": {"lead_time_h": "60%"}, "points": 5, "replications": 2, "max_runs": 16}
    base = validate(small(design="adaptive", adaptive=wish))
    axes = {
        "pipeline.steps.test.effort_h.mean": Interval(1.0, 6.0),
        "horizon_weeks": Interval(8, 14, True),
        "automation": UNIT,
    }
    sweep = sim.sweep(base, axes)
    assert sweep.answer is not None
    assert len(sweep.runs) <= 16
    assert sweep.runs["lead_time_h"].notna().any()
    point = sweep.points.iloc[-1]
    alone = small(horizon_weeks=int(point["horizon_weeks"]), automation=point["automation"])
    effort = point["pipeline.steps.test.effort_h.mean"]
    alone["pipeline"]["steps"]["test"]["effort_h"]["mean"] = effort
    metrics = sim.simulate(validate(alone), seed=int(point["seed"]), replication=1).metrics()
    rows = sweep.runs[(sweep.runs["point"] == len(sweep.points) - 1)].set_index("replication")
    assert rows.loc[1, "lead_time_h"] == metrics["lead_time_h"]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "adaptive: design=adaptive needs a question; such as adaptive.surface"),
        ({"adaptive": {}}, "needs one of surface, crossing and best"),
        (
            {"adaptive": {"surface": {"lead_time_h": 1}, "best": {"lead_time_h": "largest"}}},
            "needs one of surface, crossing and best",
        ),
        ({"adaptive": {"best": {"lead_time_h": "least"}}}, "adaptive.best.lead_time_h"),
        ({"adaptive": {"surface": {"lead_time": 1}}}, "no metric 'lead_time'; did you mean"),
        ({"adaptive": {"surface": {"lead_time_h": "0%"}}}, "must be a number above 0"),
        ({"adaptive": {**SURFACE, "points": 40}}, "begins with 40 points × 4 replications = 160"),
        ({"adaptive": {**SURFACE, "points": 4}}, "adaptive.points"),
        ({"adaptive": {**SURFACE, "max_runs": 10**6}}, "adaptive.max_runs"),
        (
            {"adaptive": SURFACE, "precision": {"half_width": {"lead_time_h": 1}}},
            "precision: is not for design=adaptive",
        ),
        ({"adaptive": SURFACE, "baseline": {"automation": 0.5}}, "baseline: is not for design"),
        ({"adaptive": SURFACE, "design": "lhs"}, "adaptive: is not for design=lhs"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant(given_: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(sim.ScenarioError) as error:
        run(tmp_path, DIALS, **{"design": "adaptive", **given_})
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_valid_at_a_corner_is_told_first(tmp_path: Path) -> None:
    axes = {"automation": Interval(0.0, 1.5), "standardization": UNIT}
    with pytest.raises(sim.ScenarioError, match=r"automation: 1\.5 is not allowed"):
        run(tmp_path, axes, design="adaptive", adaptive=SURFACE)
    for key in ("seed", "replications"):
        swept = {**DIALS, key: Interval(2, 9, True)}
        with pytest.raises(sim.ScenarioError, match=f"{key}: cannot be swept"):
            run(tmp_path, swept, design="adaptive", adaptive=SURFACE)


def test_without_scikit_learn_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.experiment.adaptive_sweep.find_spec", lambda _: None)
    with pytest.raises(sim.ScenarioError) as error:
        run(tmp_path, DIALS, design="adaptive", adaptive=SURFACE)
    assert str(error.value).endswith("pip install 'mldelivery[adaptive]'")
