"""Quantile functions, means and coefficients of variation against closed forms and scipy.stats."""

import itertools
import math
import warnings
from collections.abc import Callable
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from scipy import stats

from sim.scenario.distributions import KINDS, Distribution
from sim.scenario.documentation import MOMENTS

read = TypeAdapter[Any](Distribution).validate_python
reproducible = settings(
    derandomize=True, deadline=None, max_examples=50, phases=[Phase.explicit, Phase.generate]
)

UNIFORMS = np.concatenate([[0.0], np.linspace(0.001, 0.999, 999), [1 - 2**-53]])
means = st.floats(0.01, 1e4)
cvs = st.floats(0.05, 4)


@st.composite
def three_points(draw: Callable[..., Any]) -> tuple[float, float, float]:
    low = draw(st.floats(0, 100))
    span = draw(st.floats(0.1, 100))
    return low, low + span * draw(st.floats(0, 1)), low + span


def written() -> st.SearchStrategy[dict[str, Any]]:
    """Any distribution as a scenario writes it."""

    def of(dist: str, **parameters: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"dist": st.just(dist), **parameters})

    def estimate(dist: str) -> st.SearchStrategy[dict[str, Any]]:
        return three_points().map(lambda p: {"dist": dist, "low": p[0], "mode": p[1], "high": p[2]})

    return st.one_of(
        of("constant", value=st.floats(0, 1e4)),
        of("exponential", mean=means),
        of("lognormal", mean=means, cv=cvs),
        of("gamma", mean=means, cv=cvs),
        estimate("triangular"),
        estimate("pert"),
        three_points().map(lambda p: {"dist": "uniform", "low": p[0], "high": p[2]}),
        of("empirical", values=st.lists(st.floats(0, 1e4), min_size=1, max_size=20)),
    )


@reproducible
@given(means)
def test_exponential_quantiles(mean: float) -> None:
    ours = read({"dist": "exponential", "mean": mean}).quantile(UNIFORMS)
    np.testing.assert_allclose(ours, stats.expon.ppf(UNIFORMS, scale=mean), rtol=1e-9)


@reproducible
@given(means, cvs)
def test_lognormal_quantiles(mean: float, cv: float) -> None:
    ours = read({"dist": "lognormal", "mean": mean, "cv": cv}).quantile(UNIFORMS)
    sigma = math.sqrt(math.log(1 + cv**2))
    median = mean / math.sqrt(1 + cv**2)
    theirs = stats.lognorm.ppf(UNIFORMS, s=sigma, scale=median)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@reproducible
@given(means, cvs)
def test_gamma_quantiles(mean: float, cv: float) -> None:
    ours = read({"dist": "gamma", "mean": mean, "cv": cv}).quantile(UNIFORMS)
    theirs = stats.gamma.ppf(UNIFORMS, a=1 / cv**2, scale=mean * cv**2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@reproducible
@given(three_points())
def test_triangular_quantiles(points: tuple[float, float, float]) -> None:
    low, mode, high = points
    ours = read({"dist": "triangular", "low": low, "mode": mode, "high": high}).quantile(UNIFORMS)
    peak = (mode - low) / (high - low)
    theirs = stats.triang.ppf(UNIFORMS, c=min(peak, 1.0), loc=low, scale=high - low)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@reproducible
@given(three_points())
def test_pert_quantiles(points: tuple[float, float, float]) -> None:
    low, mode, high = points
    ours = read({"dist": "pert", "low": low, "mode": mode, "high": high}).quantile(UNIFORMS)
    alpha = 1 + 4 * (mode - low) / (high - low)
    theirs = stats.beta.ppf(UNIFORMS, alpha, 6 - alpha, loc=low, scale=high - low)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@reproducible
@given(three_points())
def test_uniform_quantiles(points: tuple[float, float, float]) -> None:
    low, _, high = points
    ours = read({"dist": "uniform", "low": low, "high": high}).quantile(UNIFORMS)
    np.testing.assert_allclose(ours, stats.uniform.ppf(UNIFORMS, loc=low, scale=high - low))


@reproducible
@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=20))
def test_empirical_gives_each_value_the_same_share(values: list[float]) -> None:
    grid = (np.arange(100 * len(values)) + 0.5) / (100 * len(values))
    ours = read({"dist": "empirical", "values": values}).quantile(grid)
    np.testing.assert_array_equal(ours, np.repeat(np.sort(values), 100))


@reproducible
@given(written())
def test_quantiles_integrate_to_the_documented_mean_and_cv(data: dict[str, Any]) -> None:
    distribution = read(data)
    functions = {"sqrt": math.sqrt, "fmean": fmean, "pstdev": pstdev}
    mean, cv = MOMENTS[data["dist"]]
    expected_mean = eval(mean, functions, data)
    assert distribution.expectation == pytest.approx(expected_mean, rel=1e-12)
    found_mean, found_cv = _mean_and_cv(distribution)
    assert found_mean == pytest.approx(expected_mean, rel=1e-3)
    if expected_mean > 0:
        expected_cv = eval(cv, functions, {**data, "mean": expected_mean})
        assert found_cv == pytest.approx(expected_cv, rel=5e-3, abs=1e-6)


def _mean_and_cv(distribution: Any) -> tuple[float, float]:
    """Integrate the quantile function by the midpoint rule, the upper tail on a finer grid.

    The integral of the quantile function over (0, 1) is the mean. Tails are resolved down to
    2**-50 by halving the last cell again and again, each time with a grid of its own.
    """
    cells = np.concatenate([[0.0], 1 - 0.5 ** np.arange(1, 51)])
    widths = np.diff(cells)
    inside = (np.arange(1000) + 0.5) / 1000
    values = distribution.quantile(cells[:-1, None] + widths[:, None] * inside)
    mean = float(values.mean(axis=1) @ widths)
    variance = float(((values - mean) ** 2).mean(axis=1) @ widths)
    return mean, math.sqrt(variance) / mean if mean else 0.0


@reproducible
@given(written())
def test_quantiles_never_fall_and_are_finite_and_not_negative(data: dict[str, Any]) -> None:
    values = read(data).quantile(UNIFORMS)
    assert values.shape == UNIFORMS.shape
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert (np.diff(values) >= -1e-9 * values[1:]).all()


@reproducible
@given(written(), st.sampled_from([(3,), (2, 3), (2, 1, 2)]))
def test_quantiles_keep_the_shape_of_the_uniforms(
    data: dict[str, Any], shape: tuple[int, ...]
) -> None:
    assert read(data).quantile(np.full(shape, 0.5)).shape == shape


@reproducible
@given(three_points(), st.sampled_from(["triangular", "pert"]))
def test_three_points_bound_the_values(points: tuple[float, float, float], dist: str) -> None:
    low, mode, high = points
    values = read({"dist": dist, "low": low, "mode": mode, "high": high}).quantile(UNIFORMS)
    assert values[0] == pytest.approx(low)
    assert values.min() >= low - 1e-12 * high
    assert values.max() <= high * (1 + 1e-12)


@pytest.mark.parametrize("number", [0, 3, 2.5])
def test_a_bare_number_is_a_constant(number: float) -> None:
    distribution = read(number)
    assert distribution == read({"dist": "constant", "value": number})
    assert distribution.expectation == number
    np.testing.assert_array_equal(distribution.quantile(np.array([0.0, 0.5])), [number, number])


@pytest.mark.parametrize("wrong", [True, -1, math.nan, math.inf, "3 hours", None, [1, 2], {}])
def test_other_things_are_not_a_distribution(wrong: object) -> None:
    with pytest.raises(ValidationError):
        read(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dist": "exponential", "mean": 0},
        {"dist": "exponential", "mean": math.inf},
        {"dist": "lognormal", "mean": 1, "cv": 0},
        {"dist": "lognormal", "mean": 1, "cv": 1e200},
        {"dist": "gamma", "mean": 1, "cv": 1e-200},
        {"dist": "lognormal", "mean": 1},
        {"dist": "triangular", "low": 2, "mode": 1, "high": 3},
        {"dist": "pert", "low": 1, "mode": 1, "high": 1},
        {"dist": "uniform", "low": 3, "high": 3},
        {"dist": "uniform", "low": -1, "high": 3},
        {"dist": "empirical", "values": []},
        {"dist": "empirical", "values": [1, -1]},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(wrong)


def bounds_of(field: FieldInfo) -> list[float]:
    """Return the smallest and the largest number that a parameter may be."""
    limits = [
        value
        for limit in field.metadata
        for name in ("ge", "le")
        if (value := getattr(limit, name, None)) is not None
    ]
    assert len(limits) == 2
    return [float(limit) for limit in limits]


def at_the_bounds(dist: str) -> list[dict[str, Any]]:
    """Return one kind of distribution with every parameter at the smallest and the largest."""
    fields = {key: field for key, field in KINDS[dist].model_fields.items() if key != "dist"}
    if dist == "empirical":
        highest = bounds_of(KINDS["constant"].model_fields["value"])[1]
        return [{"dist": dist, "values": values} for values in ([0.0], [highest, 0.0], [highest])]
    if {"low", "high"} <= fields.keys():
        lowest, highest = bounds_of(fields["high"])
        near = float(np.nextafter(lowest, highest)), float(np.nextafter(highest, lowest))
        ends = [(lowest, highest), (lowest, near[0]), (near[1], highest)]
        modes = [{"mode": mode} for mode in (0, 1)] if "mode" in fields else [{}]
        return [
            {"dist": dist, "low": low, "high": high}
            | {key: (low, high)[m] for key, m in mode.items()}
            for low, high in ends
            for mode in modes
        ]
    values = itertools.product(*(bounds_of(field) for field in fields.values()))
    return [{"dist": dist, **dict(zip(fields, each, strict=True))} for each in values]


EXTREMES = [extreme for dist in KINDS for extreme in at_the_bounds(dist)]
EXTREME_UNIFORMS = np.array([0.0, 2**-53, 1e-9, 0.5, 1 - 1e-9, 1 - 2**-53])


def by_scipy(parameters: dict[str, Any]) -> Any:
    """Return the same quantiles from scipy.stats."""
    given = parameters
    match given["dist"]:
        case "exponential":
            return stats.expon(scale=given["mean"])
        case "lognormal":
            sigma = math.sqrt(math.log1p(given["cv"] ** 2))
            return stats.lognorm(sigma, scale=given["mean"] * math.exp(-(sigma**2) / 2))
        case "gamma":
            return stats.gamma(given["cv"] ** -2, scale=given["mean"] * given["cv"] ** 2)
        case "uniform":
            return stats.uniform(given["low"], given["high"] - given["low"])
    return None


@pytest.mark.parametrize("parameters", EXTREMES, ids=str)
def test_quantiles_at_the_bounds(parameters: dict[str, Any]) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        distribution = read(parameters)
        quantiles = distribution.quantile(EXTREME_UNIFORMS)
    assert np.isfinite(quantiles).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles) >= 0).all()
    assert math.isfinite(distribution.expectation)
    if parameters["dist"] in ("exponential", "lognormal"):
        assert quantiles[1] > 0  # 0 itself only for the uniform 0, once in 2**53 draws
    other = by_scipy(parameters)
    if other is not None:
        np.testing.assert_allclose(quantiles, other.ppf(EXTREME_UNIFORMS), rtol=1e-9)
    if "low" in parameters:
        assert (quantiles >= parameters["low"]).all()
        assert (quantiles <= parameters["high"]).all()


@pytest.mark.parametrize("parameters", EXTREMES, ids=str)
def test_nothing_beyond_the_bounds(parameters: dict[str, Any]) -> None:
    for key, value in parameters.items():
        if isinstance(value, float) and value >= 1e9:
            with pytest.raises(ValidationError):
                read({**parameters, key: value * 1.001})


@pytest.mark.parametrize("dist", KINDS)
def test_parameters_that_a_replaced_distribution_left_behind_are_ignored(dist: str) -> None:
    everything = {"value": 1, "mean": 2, "cv": 1, "low": 1, "mode": 2, "high": 3, "values": [1, 2]}
    own = {key: value for key, value in everything.items() if key in KINDS[dist].model_fields}
    assert read({"dist": dist, **everything}) == read({"dist": dist, **own})


def test_misspelt_parameters_are_not_ignored() -> None:
    with pytest.raises(ValidationError, match="meen"):
        read({"dist": "lognormal", "mean": 1, "cv": 1, "meen": 2})
