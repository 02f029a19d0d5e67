"""Quality and the time it crosses a level: closed formulas, and a search by bisection."""

from itertools import islice
from math import e, exp, inf, log, log2

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.hours import HOURS_PER_WEEK as WEEK_H
from sim.scenario.organization import (
    ExponentialDecay,
    LinearDecay,
    LogisticDecay,
    PlateauDecay,
    Quality,
)
from sim.world.decay import QualityCurve, Shocks

EXAMPLES = settings(derandomize=True, phases=[Phase.generate], deadline=None)
HORIZON_H = 5200 * WEEK_H

LINEAR = LinearDecay(shape="linear", loss_per_week=0.01)
EXPONENTIAL = ExponentialDecay(shape="exponential", half_life_weeks=20)
PLATEAU = PlateauDecay(shape="plateau", plateau_weeks=12, loss_per_week=0.05)
LOGISTIC = LogisticDecay(shape="logistic", midpoint_weeks=15, scale_weeks=3, loss=0.4)
SHAPES = {
    "linear": LINEAR,
    "exponential": EXPONENTIAL,
    "plateau": PLATEAU,
    "logistic": LOGISTIC,
    "none": None,
}


class Given:
    """A draw table whose rows are given, over and over."""

    def __init__(self, rows: list[tuple[float, ...]]) -> None:
        self.rows = rows

    def take(self, k: int) -> list[float]:
        """Return row ``k``."""
        return [*self.rows[k % len(self.rows)]]


def shocks(gaps_h: list[float], losses: list[float]) -> Shocks:
    """Return shocks with the given gaps and losses, over and over."""
    return Shocks(Given(list(zip(gaps_h, losses, strict=True))))


def curve(shape: str, drift: Shocks | None = None, **fields: float) -> QualityCurve:
    spec = Quality(**{"initial": 0.9, "decay": SHAPES[shape], **fields})
    return QualityCurve(spec, drift if drift is not None else Shocks(None))


def moved(weeks: float) -> float:
    """Return the logistic function of the example, from 0 at age 0 to 1."""
    start = 1 / (1 + exp(15 / 3))
    return (1 / (1 + exp((15 - weeks) / 3)) - start) / (1 - start)


@pytest.mark.parametrize(
    ("shape", "age_weeks", "quality"),
    [
        ("linear", 0, 0.9),
        ("linear", 10, 0.8),
        ("linear", 200, 0.0),  # never below nothing
        ("exponential", 0, 0.9),
        ("exponential", 20, 0.45),
        ("exponential", 60, 0.1125),
        ("plateau", 12, 0.9),
        ("plateau", 14, 0.8),
        ("logistic", 0, 0.9),
        ("logistic", 15, 0.9 - 0.4 * moved(15)),
        ("logistic", 1000, 0.5),
        ("none", 1000, 0.9),
    ],
)
def test_quality_by_age(shape: str, age_weeks: float, quality: float) -> None:
    data_from = 123.0
    at = curve(shape).at(data_from, data_from + age_weeks * WEEK_H)
    assert at == pytest.approx(quality, abs=1e-12)


@pytest.mark.parametrize(
    ("shape", "level", "age_weeks"),
    [
        ("linear", 0.7, 20),
        ("exponential", 0.7, 20 * log2(0.9 / 0.7)),
        ("plateau", 0.7, 12 + 4),
        # A loss of 0.2 is half of it all, counted from the little that the curve has at age 0.
        ("logistic", 0.7, 15 + 3 * log((0.5 + 0.5 / (1 + e**5)) / (0.5 - 0.5 / (1 + e**5)))),
        ("linear", 0.9, 0),
        ("exponential", 0.9, 0),
        ("logistic", 0.9, 0),
        ("plateau", 0.9, 12),  # on the plateau quality is at the level, not below it
        ("logistic", 0.4, inf),  # more than it loses in the end
        ("exponential", 0.0, inf),
        ("none", 0.7, inf),
        ("none", 0.9, inf),
        ("linear", 0.0, inf),  # quality ends at nothing
        ("plateau", 0.0, inf),
    ],
)
@pytest.mark.parametrize("speed", [1.0, 0.25, 8.0])
def test_crossing_by_formula(shape: str, level: float, age_weeks: float, speed: float) -> None:
    data_from = 1000.0
    crossing = curve(shape, speed=speed).crossing(data_from, level, 1000.0, HORIZON_H)
    assert crossing == pytest.approx(data_from + age_weeks / speed * WEEK_H, abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_level_above_initial_is_crossed_from_the_beginning(shape: str) -> None:
    assert curve(shape).crossing(500.0, 0.95, 510.0, HORIZON_H) == 510.0


@pytest.mark.parametrize("shape", SHAPES)
def test_standing_still(shape: str) -> None:
    still = curve(shape, speed=0.0)
    assert still.at(0.0, HORIZON_H) == 0.9
    assert still.crossing(0.0, 0.5, 0.0, HORIZON_H) == inf
    assert still.crossing(0.0, 0.95, 3.0, HORIZON_H) == 3.0


def test_crossing_is_looked_for_between_now_and_until_only() -> None:
    linear = curve("linear")
    crossed_at = 20 * WEEK_H
    assert linear.crossing(0.0, 0.7, 5 * WEEK_H, HORIZON_H) == pytest.approx(crossed_at)
    assert linear.crossing(0.0, 0.7, 30 * WEEK_H, HORIZON_H) == 30 * WEEK_H
    assert linear.crossing(0.0, 0.7, 0.0, crossed_at - 1) == inf
    assert linear.crossing(0.0, 0.7, 0.0, crossed_at + 1) == pytest.approx(crossed_at)


def test_quality_counts_from_the_data_and_not_from_now() -> None:
    old, new = (curve("linear").at(data_from, 2000.0) for data_from in (0.0, 1500.0))
    assert (old, new) == pytest.approx((0.9 - 0.01 * 2000 / 168, 0.9 - 0.01 * 500 / 168))


def test_shock_costs_older_models_at_once_and_newer_ones_nothing() -> None:
    drifting = curve("none", shocks([100.0], [0.15]))  # at 100, 200, 300, ...
    assert drifting.at(0.0, 99.0) == 0.9
    assert drifting.at(0.0, 100.0) == pytest.approx(0.75)
    assert drifting.at(0.0, 250.0) == pytest.approx(0.6)
    assert drifting.at(100.0, 150.0) == 0.9  # data of that very moment knows of the shock
    assert drifting.at(150.0, 250.0) == pytest.approx(0.75)
    assert drifting.at(0.0, 5000.0) == 0.0


def test_shocks_do_not_depend_on_who_asks_first() -> None:
    expected = [(100.0, 0.1), (130.0, 0.2), (230.0, 0.1), (260.0, 0.2)]
    drift = shocks([100.0, 30.0], [0.1, 0.2])
    slow = drift.after(0.0)
    assert next(slow) == expected[0]
    assert next(drift.after(240.0)) == expected[3]
    assert list(islice(slow, 3)) == expected[1:]
    assert list(islice(drift.after(100.0), 2)) == expected[1:3]
    assert list(islice(drift.after(99.0), 2)) == expected[:2]
    assert next(shocks([100.0, 30.0], [0.1, 0.2]).after(100.0)) == expected[1]
    assert list(Shocks(None).after(0.0)) == []


@pytest.mark.parametrize(
    ("level", "now", "crossing"),
    [
        (0.85, 0.0, 100.0),  # the first shock jumps below
        (0.75, 0.0, 100.0),
        (0.70, 0.0, 200.0),
        (0.85, 150.0, 150.0),  # has happened already
        (0.50, 220.0, 300.0),
        (0.0, 0.0, inf),
    ],
)
def test_crossing_by_shocks_alone(level: float, now: float, crossing: float) -> None:
    drifting = curve("none", shocks([100.0], [0.1501]))
    assert drifting.crossing(0.0, level, now, HORIZON_H) == crossing


def test_shape_carries_on_after_a_shock() -> None:
    drifting = curve("linear", shocks([840.0, 10**7], [0.1, 0.0]))  # once, in the fifth week
    # 0.05 + 0.1 after five weeks; a fall of 0.2 five weeks later, one of 0.04 before the shock.
    assert drifting.crossing(0.0, 0.7, 0.0, HORIZON_H) == pytest.approx(10 * WEEK_H)
    assert drifting.crossing(0.0, 0.86, 0.0, HORIZON_H) == pytest.approx(4 * WEEK_H)
    assert drifting.crossing(0.0, 0.8, 0.0, HORIZON_H) == 840.0


def test_very_sudden_logistic_move() -> None:
    sudden = LogisticDecay(shape="logistic", midpoint_weeks=50, scale_weeks=0.01, loss=0.4)
    stepped = QualityCurve(Quality(initial=0.9, decay=sudden), Shocks(None))
    assert stepped.at(0.0, 49 * WEEK_H) == pytest.approx(0.9)
    assert stepped.at(0.0, 50 * WEEK_H) == pytest.approx(0.7)
    assert stepped.at(0.0, 51 * WEEK_H) == pytest.approx(0.5)
    assert stepped.crossing(0.0, 0.8, 0.0, HORIZON_H) == pytest.approx(
        (50 - 0.01 * log(3)) * WEEK_H
    )


DECAYS = st.one_of(
    st.none(),
    st.builds(LinearDecay, shape=st.just("linear"), loss_per_week=st.floats(0, 0.2)),
    st.builds(ExponentialDecay, shape=st.just("exponential"), half_life_weeks=st.floats(0.5, 200)),
    st.builds(
        PlateauDecay,
        shape=st.just("plateau"),
        plateau_weeks=st.floats(0, 30),
        loss_per_week=st.floats(0.001, 1),
    ),
    st.builds(
        LogisticDecay,
        shape=st.just("logistic"),
        midpoint_weeks=st.floats(0.1, 30),
        scale_weeks=st.floats(0.01, 10),
        loss=st.floats(0.05, 1),
    ),
)
CURVES = st.builds(
    lambda decay, speed, gaps, losses: QualityCurve(
        Quality(initial=0.9, decay=decay, speed=speed), shocks(gaps, losses[: len(gaps)])
    ),
    DECAYS,
    st.sampled_from([0.0, 0.5, 1.0, 10.0]),
    st.lists(st.floats(50, 3000), min_size=1, max_size=5),
    st.lists(st.floats(0, 0.3), min_size=5, max_size=5),
)


@EXAMPLES
@given(CURVES, st.floats(0, 2000))
def test_quality_never_rises(quality: QualityCurve, data_from: float) -> None:
    course = np.array([quality.at(data_from, data_from + hours) for hours in range(0, 9000, 60)])
    assert (np.diff(course) <= 1e-12).all()
    assert course[0] == 0.9
    assert course.min() >= 0


@EXAMPLES
@given(CURVES, st.floats(0, 2000), st.floats(0, 1), st.floats(0, 4000))
def test_crossing_by_search(
    quality: QualityCurve, data_from: float, level: float, since: float
) -> None:
    now, until = data_from + since, data_from + 8000.0
    crossing = quality.crossing(data_from, level, now, until)
    found = inf  # by bisection, as quality never rises
    if quality.at(data_from, now) < level:
        found = now
    elif quality.at(data_from, until) < level:
        above, found = now, until
        for _ in range(60):
            middle = (above + found) / 2
            if quality.at(data_from, middle) < level:
                found = middle
            else:
                above = middle
    if crossing == pytest.approx(found, abs=1e-3):
        return
    # Where the curve is flat, rounding decides when it falls below: compare the qualities.
    assert quality.at(data_from, min(crossing, until)) == pytest.approx(level, abs=1e-9)
    assert quality.at(data_from, min(found, until)) == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize("initial_percent", range(50, 101, 7))
@pytest.mark.parametrize("losses", [[5, 5], [1, 2, 3], [7], [10, 10, 10]], ids=str)
def test_shocks_that_end_exactly_at_the_objective_meet_it(
    initial_percent: int, losses: list[int]
) -> None:
    """Sums of percentages, which as floats are off by a last digit one way or the other."""
    rows = [percent / 100 for percent in losses]
    drifting = curve("none", shocks([100.0] * len(rows), rows), initial=initial_percent / 100)
    level = (initial_percent - sum(losses)) / 100
    last = 100.0 * len(losses)
    assert drifting.at(0.0, last) == level
    for when in (0.0, 50.0, last, last + 50.0):
        assert not drifting.is_below(0.0, level, when)
    assert drifting.crossing(0.0, level, 0.0, HORIZON_H) == last + 100.0  # with the next one
    assert drifting.is_below(0.0, level, last + 100.0)
