"""The surface of a metric over the swept keys: a Gaussian process through noisy means.

Stochastic kriging (Ankenman, Nelson and Staum 2010, *Stochastic kriging for simulation
metamodeling*, Operations Research 58(2)): the noise of each mean is what its replications show, and
the rest of what the means have of ups and downs is the surface. Means have to be independent of
each other, so points must not share their luck.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import stdtrit

from .intervals import Estimates, FloatArray, estimate

FEWEST_POINTS = 5
"""Points with data below which there is no surface."""
WIDEST_LOGARITHM = 50.0
"""Half-width of an interval of a logarithm; wider ones say no more, and may not be finite."""

_NOISE_REACHES = 0.3
"""Standard deviation of the weights with which the noise is smoothed, in sides of the region."""
_LARGEST_SPREAD = 0.4
"""Standard error of a mean, relative to it, up to which its logarithm is about normal."""
_SMALLEST_NOISE = 1e-8
"""Variance, relative to that of the means, that keeps the equations solvable."""
_RESTARTS = 1


class Bands(NamedTuple):
    """A metric at some places, with the ends of its 95 % intervals."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


class NoSurfaceError(Exception):
    """No surface can be fitted; the message says why."""


@dataclass(frozen=True)
class Surface:
    """A metric over the region, with 95 % intervals of its mean.

    Attributes:
        places: of the points with data, in the unit cube, (points, keys).
        means: of the metric there.
        logarithmic: the process is of the logarithm.
        noise: variance of each mean, on the scale of the process.
        centre: of the process.
        scale: of the process; 0 if the metric is the same everywhere, without any noise.
        process: the fitted Gaussian process, of (value - centre) / scale.
        replication_noise: variance of a single replication at these places, on the same scale.
    """

    places: FloatArray
    means: FloatArray
    logarithmic: bool
    noise: FloatArray
    centre: float
    scale: float
    process: Any
    replication_noise: FloatArray

    @classmethod
    def of(cls, places: FloatArray, values: Sequence[FloatArray], seed: int) -> Self:
        """Return the surface through the means of some points.

        Args:
            places: of the points, in the unit cube, (points, keys).
            values: of the replications of each point; NaN where there is none. A point without any
                is left out.
            seed: of the search for the parameters of the process.

        Raises:
            NoSurfaceError: too few points have data.
        """
        estimates = _estimates(values)
        known = np.flatnonzero(estimates.n > 0)
        if known.size < FEWEST_POINTS or len(np.unique(places[known], axis=0)) < FEWEST_POINTS:
            raise NoSurfaceError(f"there is data at {known.size} of {len(places)} points only")
        if not (estimates.n > 1).any():
            raise NoSurfaceError("no point has two replications with data")
        places = places[known]
        mean, n = estimates.mean[known], estimates.n[known]
        variance = estimates.standard_error[known] ** 2 * n  # NaN for n = 1
        relative = smoothed_variance(places, variance / np.where(mean == 0.0, np.nan, mean) ** 2, n)
        logarithmic = bool((mean > 0.0).all() and (relative / n < _LARGEST_SPREAD**2).all())
        if logarithmic:
            each = relative
            # The mean of the logarithm of a mean is less than the logarithm of what it estimates.
            target = np.log(mean) + relative / (2.0 * n)
        else:
            each = smoothed_variance(places, variance, n)
            target = mean
        centre, scale = float(target.mean()), float(target.std())
        noise = each / n
        if scale <= 1e-12 * max(abs(centre), 1e-300) and not noise.any():
            return cls(places, mean, logarithmic, noise, centre, 0.0, None, each)
        scale = max(scale, float(np.sqrt(noise.max())))
        process = _process(places.shape[1], noise / scale**2 + _SMALLEST_NOISE, seed)
        with warnings.catch_warnings():
            # A parameter at its bound is an answer too: the surface does not depend on that key.
            warnings.simplefilter("ignore")
            process.fit(places, (target - centre) / scale)
        return cls(places, mean, logarithmic, noise, centre, scale, process, each)

    def process_at(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and covariance of the process, on its scale: (places,), (places, places)."""
        if self.process is None:
            return np.full(len(places), self.centre), np.zeros((len(places), len(places)))
        mean, covariance = self.process.predict(places, return_cov=True)
        return self.centre + self.scale * mean, self.scale**2 * covariance

    def at(self, places: FloatArray) -> Bands:
        """Return the metric, with its 95 % interval, at some places."""
        if self.process is None:
            return self.in_unit(np.full(len(places), self.centre), np.zeros(len(places)))
        mean, deviation = self.process.predict(places, return_std=True)
        return self.in_unit(self.centre + self.scale * mean, self.scale * deviation)

    def in_unit(self, mean: FloatArray, deviation: FloatArray) -> Bands:
        """Return the metric, with its interval, given mean and deviation of the process."""
        half = self.quantile * deviation
        if not self.logarithmic:
            return Bands(mean, mean - half, mean + half)
        half = np.minimum(half, WIDEST_LOGARITHM)
        return Bands(np.exp(mean), np.exp(mean - half), np.exp(mean + half))

    @property
    def quantile(self) -> float:
        """Half the width of a 95 % interval, in standard deviations of the process.

        That of Student's distribution, as its parameters are estimated from the points, too.
        """
        keys = self.places.shape[1]
        return float(stdtrit(max(1.0, len(self.places) - keys - 1.0), 0.975))

    def noise_at(self, places: FloatArray) -> FloatArray:
        """Return the variance of a replication at some places, on the scale of the process."""
        weights = _weights(places, self.places)
        noise: FloatArray = weights @ self.replication_noise / weights.sum(axis=1)
        return noise

    def leave_one_out(self) -> FloatArray:
        """Return by how many standard deviations each mean misses what the others make of it.

        From the process with its parameters (Dubrule 1983, *Cross validation of kriging in a unique
        neighborhood*, Journal of the International Association for Mathematical Geology 15(6)).
        """
        if self.process is None:
            return np.zeros(len(self.places))
        covariance = self.process.kernel_(self.places)
        covariance[np.diag_indices_from(covariance)] += self.process.alpha
        inverse = np.linalg.inv(covariance)
        missed: FloatArray = inverse @ self.process.y_train_ / np.sqrt(np.diag(inverse))
        return missed


def _process(keys: int, noise: FloatArray, seed: int) -> Any:
    # It takes a second to import, and only this design needs it.
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern

    kernel = ConstantKernel(1.0, (1e-3, 1e3)) * Matern(np.full(keys, 0.7), (0.08, 30.0), nu=2.5)
    return GaussianProcessRegressor(
        kernel, alpha=noise, n_restarts_optimizer=_RESTARTS, random_state=seed % 2**32
    )


def _estimates(values: Sequence[FloatArray]) -> Estimates:
    each = [estimate(of_point[:, np.newaxis]) for of_point in values]
    return Estimates(
        np.concatenate([one.mean for one in each]),
        np.concatenate([one.standard_error for one in each]),
        np.concatenate([one.n for one in each]),
    )


def smoothed_variance(
    places: FloatArray, variance: FloatArray, n: "np.ndarray[Any, Any]"
) -> FloatArray:
    """Return the variance of a replication at each place, smoothed over the places around it.

    That of a few replications alone may be a tenth or twice of the truth, and would be believed.

    Args:
        places: in the unit cube, (points, keys).
        variance: between the replications of each point; NaN where it is unknown.
        n: replications of each point.
    """
    degrees = np.where(np.isnan(variance), 0.0, n - 1.0)
    weights = _weights(places, places) * degrees
    total = weights.sum(axis=1)
    sums = weights @ np.nan_to_num(variance)
    smooth: FloatArray = np.divide(sums, total, out=np.zeros(len(places)), where=total > 0.0)
    return smooth


def _weights(places: FloatArray, others: FloatArray) -> FloatArray:
    squares = ((places[:, np.newaxis] - others) ** 2).sum(axis=2)
    weights: FloatArray = np.exp(-0.5 * squares / _NOISE_REACHES**2)
    return weights
