"""Surfaces through noisy means: known functions, known noise."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from sim.experiment.intervals import FloatArray
from sim.experiment.surface import NoSurfaceError, Surface, smoothed_variance

LATTICE = np.array([(x, y) for x in np.linspace(0, 1, 11) for y in np.linspace(0, 1, 11)])


def plane(places: FloatArray) -> FloatArray:
    return np.asarray(10.0 + 5.0 * places[:, 0] - 3.0 * places[:, 1])


def branin(places: FloatArray) -> FloatArray:
    """Return Branin's function over the unit square, plus 20 so that it is positive."""
    x, y = 15.0 * places[:, 0] - 5.0, 15.0 * places[:, 1]
    bend = y - 5.1 / (4.0 * np.pi**2) * x**2 + 5.0 / np.pi * x - 6.0
    return np.asarray(20.0 + bend**2 + 10.0 * (1.0 - 1.0 / (8.0 * np.pi)) * np.cos(x) + 10.0)


def replicated(
    means: FloatArray, deviation: FloatArray | float, n: int, rng: np.random.Generator
) -> list[FloatArray]:
    deviations = np.broadcast_to(deviation, means.shape)
    return [mean + sd * rng.standard_normal(n) for mean, sd in zip(means, deviations, strict=True)]


@pytest.mark.parametrize(
    ("function", "noise", "points"),
    [(plane, 1.0, 25), pytest.param(plane, 3.0, 25, marks=pytest.mark.slow), (branin, 5.0, 40)],
)
def test_intervals_cover_the_truth(function, noise: float, points: int) -> None:
    rng = np.random.default_rng(3)
    covered, errors = [], []
    for seed in range(15):
        places = rng.random((points, 2))
        surface = Surface.of(places, replicated(function(places), noise, 4, rng), seed)
        bands = surface.at(LATTICE)
        truth = function(LATTICE)
        covered.append(np.mean((bands.low <= truth) & (truth <= bands.high)))
        errors.append(np.mean((bands.mean - truth) ** 2))
    # Places of a surface err together; over 15 surfaces the share has a standard error of 3 %.
    assert 0.86 <= np.mean(covered) <= 1.0
    # The surface borrows from its neighbours: it is better than the mean of a point.
    assert np.mean(errors) < noise**2 / 4 or function is branin


def test_without_noise_it_goes_through_the_points() -> None:
    places = np.random.default_rng(1).random((20, 2))
    values = [np.full(3, value) for value in plane(places)]
    surface = Surface.of(places, values, 1)
    bands = surface.at(places)
    np.testing.assert_allclose(bands.mean, plane(places), rtol=1e-3)
    assert (bands.high - bands.low < 0.05).all()


def test_what_is_the_same_everywhere_has_no_width() -> None:
    places = np.random.default_rng(1).random((6, 2))
    for value in (7.0, 0.0, -3.0):
        surface = Surface.of(places, [np.full(2, value)] * 6, 1)
        bands = surface.at(LATTICE)
        np.testing.assert_allclose(bands.mean, value, rtol=1e-12)
        np.testing.assert_allclose(bands.low, bands.high)
        assert list(surface.leave_one_out()) == [0.0] * 6


def test_positive_metrics_are_fitted_by_their_logarithms_without_bias() -> None:
    rng = np.random.default_rng(5)
    truth = np.exp(1.0 + 2.0 * LATTICE[:, 0])
    ratios = []
    for seed in range(20):
        places = rng.random((40, 2))
        means = np.exp(1.0 + 2.0 * places[:, 0])
        # Gamma with a coefficient of variation of 0.4: its mean is `means`.
        values = [mean * rng.gamma(6.25, 1 / 6.25, 3) for mean in means]
        surface = Surface.of(places, values, seed)
        assert surface.logarithmic
        ratios.append(np.mean(surface.at(LATTICE).mean / truth))
    # Without the correction, logarithms of means of 3 would be 2.7 % too low.
    assert np.mean(ratios) == pytest.approx(1.0, abs=3 * 0.4 / np.sqrt(20 * 120))


def test_metrics_that_may_be_zero_are_fitted_as_they_are() -> None:
    rng = np.random.default_rng(5)
    places = rng.random((20, 2))
    for values in (
        replicated(plane(places) - 10.0, 0.5, 3, rng),
        [rng.poisson(0.2, 3).astype(float) for _ in places],
    ):
        assert not Surface.of(places, values, 1).logarithmic


def test_leave_one_out_is_what_the_others_say() -> None:
    rng = np.random.default_rng(2)
    places = rng.random((12, 2))
    surface = Surface.of(places, replicated(plane(places), 1.0, 4, rng), 1)
    fitted = surface.process
    for left in range(12):
        rest = np.arange(12) != left
        others = GaussianProcessRegressor(fitted.kernel_, alpha=fitted.alpha[rest], optimizer=None)
        others.fit(places[rest], fitted.y_train_[rest])
        mean, deviation = others.predict(places[[left]], return_std=True)
        missed = (fitted.y_train_[left] - mean[0]) / np.hypot(
            deviation[0], np.sqrt(fitted.alpha[left])
        )
        assert surface.leave_one_out()[left] == pytest.approx(missed, rel=1e-6)


def test_points_without_data_are_left_out_and_too_few_make_no_surface() -> None:
    rng = np.random.default_rng(2)
    places = rng.random((12, 2))
    values = replicated(plane(places), 1.0, 4, rng)
    values[3] = np.full(4, np.nan)
    values[4] = np.empty(0)
    values[5] = np.array([np.nan, 12.0, np.nan, 13.0])
    surface = Surface.of(places, values, 1)
    assert len(surface.places) == 10
    np.testing.assert_allclose(surface.means[3], 12.5)
    with pytest.raises(NoSurfaceError, match="data at 4 of 12 points"):
        Surface.of(places, [*values[6:10], *[np.full(2, np.nan)] * 8], 1)
    with pytest.raises(NoSurfaceError, match="no point has two replications"):
        Surface.of(places, [np.array([value]) for value in plane(places)], 1)


def test_the_noise_is_smoothed_and_follows_its_trend() -> None:
    rng = np.random.default_rng(4)
    places = rng.random((400, 2))
    deviation = 1.0 + 2.0 * places[:, 0]
    values = np.array(replicated(np.zeros(400), deviation, 4, rng))
    variance = values.var(axis=1, ddof=1)
    variance[7] = np.nan
    smooth = smoothed_variance(places, variance, np.full(400, 4))
    # Those of four replications alone are off by 80 %.
    inside = np.abs(places[:, 0] - 0.5) < 0.2
    off = smooth[inside] / deviation[inside] ** 2 - 1.0
    assert np.sqrt(np.mean(off**2)) < 0.25
    assert np.mean(smooth[places[:, 0] > 0.8]) > 2.0 * np.mean(smooth[places[:, 0] < 0.2])
    np.testing.assert_allclose(smoothed_variance(places, np.full(400, 2.0), np.full(400, 4)), 2.0)
