"""Sensitivity indices against analytic ones and a second implementation."""

import math
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import morris as salib_morris

from sim.experiment.axes import Axis, Interval
from sim.experiment.designs import points, unit_sample
from sim.experiment.sensitivity import sensitivity

CUBE = [Axis(key, Interval(0, 1)) for key in "abc"]
ANGLES = [Axis(key, Interval(-math.pi, math.pi)) for key in ("x1", "x2", "x3")]


def outputs(
    axes: list[Axis], design: str, samples: int, seed: int, model: Callable[..., object]
) -> pd.DataFrame:
    made = points(axes, design, samples, seed)  # type: ignore[arg-type]  # one of two names
    return pd.DataFrame({"y": [float(model(*point)) for point in made]})  # type: ignore[arg-type]


def ishigami(x1: float, x2: float, x3: float) -> float:
    return math.sin(x1) + 7 * math.sin(x2) ** 2 + 0.1 * x3**4 * math.sin(x1)


def linear(a: float, b: float, c: float) -> float:
    return 5 + 4 * a - 2 * b + 0 * c


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sobol_indices_of_the_ishigami_function(seed: int) -> None:
    # Ishigami and Homma 1990, a = 7, b = 0.1; b enters with the moments pi^4 / 5 and pi^8 / 18.
    of_x1 = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2
    of_x2 = 7**2 / 8
    of_x1_x3 = 0.1**2 * math.pi**8 * (1 / 18 - 1 / 50)
    variance = of_x1 + of_x2 + of_x1_x3
    first = np.array([of_x1, of_x2, 0.0]) / variance
    total = np.array([of_x1 + of_x1_x3, of_x2, of_x1_x3]) / variance
    assert first == pytest.approx([0.314, 0.442, 0.0], abs=5e-4)
    assert total == pytest.approx([0.558, 0.442, 0.244], abs=5e-4)

    found = sensitivity(
        ANGLES, "sobol", 1024, seed, outputs(ANGLES, "sobol", 1024, seed, ishigami)
    ).loc["y"]
    assert list(found.index) == ["x1", "x2", "x3"]
    assert (found["n"] == 1024).all()
    # The bootstrap takes the base points for random; they are more even, and the estimates better.
    assert ((found["first_low"] < first) & (first < found["first_high"])).all()
    assert ((found["total_low"] < total) & (total < found["total_high"])).all()
    assert found["first"].to_numpy() == pytest.approx(first, abs=0.03)
    assert found["total"].to_numpy() == pytest.approx(total, abs=0.03)
    assert (found["first_high"] - found["first_low"] < 0.3).all()


def test_the_same_seed_gives_the_same_table_whatever_happens_to_global_random_numbers() -> None:
    values = outputs(ANGLES, "sobol", 64, 0, ishigami)
    one = sensitivity(ANGLES, "sobol", 64, 0, values)
    np.random.seed(99)  # noqa: NPY002  # what must not matter
    pd.testing.assert_frame_equal(one, sensitivity(ANGLES, "sobol", 64, 0, values))


def test_morris_finds_the_coefficients_of_a_linear_function() -> None:
    found = sensitivity(CUBE, "morris", 10, 3, outputs(CUBE, "morris", 10, 3, linear)).loc["y"]
    for name in ("mu_star", "mu_star_low", "mu_star_high"):
        assert found[name].to_numpy() == pytest.approx([4, 2, 0], abs=1e-9)
    assert found["mu"].to_numpy() == pytest.approx([4, -2, 0], abs=1e-9)
    assert found["sigma"].to_numpy() == pytest.approx([0, 0, 0], abs=1e-9)
    # Over an interval of another length the effect is that of its whole length.
    longer = [Axis("a", Interval(10, 20)), *CUBE[1:]]
    found = sensitivity(longer, "morris", 10, 3, outputs(longer, "morris", 10, 3, linear)).loc["y"]
    assert found.loc["a", "mu"] == pytest.approx(40)


def test_morris_agrees_with_salib() -> None:
    values = outputs(ANGLES, "morris", 30, 4, ishigami)
    found = sensitivity(ANGLES, "morris", 30, 4, values).loc["y"]
    problem = {"num_vars": 3, "names": ["x1", "x2", "x3"], "bounds": [[0, 1]] * 3}
    expected = salib_morris.analyze(
        problem, unit_sample(3, "morris", 30, 4), values["y"].to_numpy(), seed=1
    )
    for name in ("mu", "mu_star", "sigma"):
        assert found[name].to_numpy() == pytest.approx(np.asarray(expected[name], dtype=float))
    half_width = (found["mu_star_high"] - found["mu_star_low"]) / 2
    bootstrap = np.asarray(expected["mu_star_conf"], dtype=float)
    assert half_width.to_numpy() == pytest.approx(bootstrap, rel=0.25)


def test_listed_values_and_whole_numbers_have_their_own_distances() -> None:
    axes = [
        Axis("slope", Interval(0, 1)),
        Axis("switch", (False, True)),
        Axis("count", Interval(1, 5, whole=True)),
        Axis("kind", ("none", "some", "full")),
        Axis("only", ("one",)),
    ]

    def model(slope: float, switch: bool, count: int, kind: str, only: str) -> float:
        return slope + 3 * switch + 2 * count + {"none": 0, "some": 6, "full": 6}[kind]

    found = sensitivity(axes, "morris", 40, 1, outputs(axes, "morris", 40, 1, model)).loc["y"]
    # Switched on or off; from 1 to 5 people; and from none to full, or from some to full.
    assert found.loc[["slope", "switch", "count"], "mu"].to_numpy() == pytest.approx([1, 3, 8])
    assert 0 < found.loc["kind", "mu_star"] < 6
    assert tuple(found.loc["only", ["mu_star", "sigma"]]) == (0, 0)


@pytest.mark.parametrize(("design", "samples"), [("sobol", 16), ("morris", 16)])
def test_what_is_constant_or_unknown(design: str, samples: int) -> None:
    values = outputs(CUBE, design, samples, 1, linear)
    size = len(values)
    values["constant"] = 0.1
    # As a mean over replications may have it.
    values["nearly"] = 0.1 + 1e-16 * (np.arange(size) % 2)
    values["zero"] = 0.0
    values["never"] = np.nan
    values["once"] = values["y"].where(np.arange(size) != 2)
    values["seldom"] = values["y"].where(np.arange(size) >= size * 0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sensitivity(CUBE, design, samples, 1, values)  # type: ignore[arg-type]
    assert list(found.index.get_level_values("metric").unique()) == list(values.columns)
    indices = found.drop(columns="n")
    for name in ("constant", "nearly", "zero"):
        assert (indices.loc[name] == 0).all(axis=None)
    assert indices.loc["never"].isna().all(axis=None)
    assert (found.loc["never", "n"] == 0).all()
    assert indices.loc["once"].notna().all(axis=None)
    assert (found.loc["once", "n"] == samples - 1).all()
    assert (found.loc["seldom", "n"] == 11).all()
    if design == "sobol":
        assert indices.loc["seldom"].isna().all(axis=None)
    else:
        assert found.loc["seldom", "mu"].to_numpy() == pytest.approx([4, -2, 0], abs=1e-9)


def test_values_of_another_design_are_refused() -> None:
    with pytest.raises(ValueError, match="has 40 points, not 39"):
        sensitivity(CUBE, "sobol", 8, 1, pd.DataFrame({"y": np.zeros(39)}))
