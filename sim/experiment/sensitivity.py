"""Which dial matters most: sensitivity indices from the points of a `sobol` or `morris` design."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from .axes import Axis, Interval
from .designs import part, unit_sample
from .intervals import FloatArray, estimate, interval

_CONFIDENCE = 0.95

_RESAMPLES = 300
"""Of the bootstrap; the half-width of an interval is then known to about 4 %."""

_SAME = 1e-12
"""Range in terms of the largest absolute value, up to which an output is constant but for rounding
errors."""

_MOST_LEFT_OUT = 0.1
"""Share of the base points of a `sobol` design. What is left of it is no longer a sample of all
combinations of the axes, which the indices are about."""


def sensitivity(
    axes: Sequence[Axis],
    design: Literal["sobol", "morris"],
    samples: int,
    seed: int,
    values: pd.DataFrame,
) -> pd.DataFrame:
    """Return how much each axis matters for each metric, with intervals of 95 % confidence.

    `sobol` (estimators of Saltelli et al. 2010, Computer Physics Communications 181(2)): `first` is
    the share of the variance that goes away on average if the axis is fixed, `total` the share that
    is left on average if all others are. The interval is that of a bootstrap over the base points.
    Estimates may be a little below 0 or above 1.

    `morris` (Morris 1991, Technometrics 33(2); Campolongo, Cariboni and Saltelli 2007): `mu` is the
    mean effect of an axis, `mu_star` that of the absolute effects, `sigma` their standard
    deviation, which is large if the effect is not linear or depends on other axes. The effect of an
    interval is the slope times its length; that of an axis with listed values, which have no
    distances, the difference between two of them. The interval is Student's over the trajectories.

    Intervals say how well the indices are known with the values as they are. They do not contain
    the noise of the replications behind these: that looks like interaction and adds to `total` and
    `sigma`, less so with more replications and with common random numbers.

    A point without a value leaves out its trajectory, or its base point with all points made from
    it; `n` says how many are left. If that costs a `sobol` design more than a tenth, its indices
    are NaN. With a constant metric no axis matters: all indices are 0.

    Args:
        axes: those of the design, as its samples and its seed.
        design: which one.
        samples: base points or trajectories.
        seed: of the design.
        values: a row per point in the order of the design, a column per metric, NaN where unknown.

    Returns:
        A row per metric and axis (index `metric`, `key`) with the columns `first`, `first_low`,
        `first_high`, `total`, `total_low`, `total_high` and `n`, or `mu_star`, `mu_star_low`,
        `mu_star_high`, `mu`, `sigma` and `n`.

    Raises:
        ValueError: the number of values is not that of the points.
    """
    per_sample = len(axes) + (2 if design == "sobol" else 1)
    if len(values) != samples * per_sample:
        raise ValueError(f"the design has {samples * per_sample} points, not {len(values)}")
    blocks = values.to_numpy(dtype=np.float64, na_value=np.nan).T.reshape(-1, samples, per_sample)
    if design == "sobol":
        tables = [_sobol(block, seed) for block in blocks]
    else:
        changes = _changes(axes, samples, seed)
        tables = [_morris(block, changes) for block in blocks]
    keys = pd.Index([axis.key for axis in axes], name="key")
    return pd.concat(
        [pd.DataFrame(table, index=keys) for table in tables],
        keys=[str(name) for name in values.columns],
        names=["metric"],
    )


def _sobol(outputs: FloatArray, seed: int) -> dict[str, FloatArray]:
    """Return the indices from the outputs of Saltelli's sample, (base points, axes + 2)."""
    samples, n_axes = outputs.shape[0], outputs.shape[1] - 2
    known = outputs[~np.isnan(outputs).any(axis=1)]
    table = {
        name: np.full(n_axes, np.nan)
        for name in ("first", "first_low", "first_high", "total", "total_low", "total_high")
    }
    if len(known) >= max(2.0, samples * (1.0 - _MOST_LEFT_OUT)):
        # The variance is that of the two independent points of each block.
        if _constant(known[:, [0, -1]]):
            table = {name: np.zeros(n_axes) for name in table}
        else:
            # SALib takes long to import, and most sweeps do without it.
            from SALib.analyze import sobol

            found = sobol.analyze(
                {"num_vars": n_axes, "names": [str(axis) for axis in range(n_axes)]},
                known.ravel(),
                calc_second_order=False,
                num_resamples=_RESAMPLES,
                conf_level=_CONFIDENCE,
                # A generator, since SALib takes the seed 0 for none.
                seed=np.random.default_rng(seed),
            )
            for name, index in (("first", "S1"), ("total", "ST")):
                estimates, half_width = np.asarray(found[index]), np.asarray(found[f"{index}_conf"])
                table[name] = estimates
                table[f"{name}_low"] = estimates - half_width
                table[f"{name}_high"] = estimates + half_width
    return {**table, "n": np.full(n_axes, len(known))}


def _morris(outputs: FloatArray, changes: FloatArray) -> dict[str, FloatArray]:
    """Return the indices of the axes.

    Args:
        outputs: (trajectories, axes + 1).
        changes: what each step of a trajectory changes, (trajectories, axes, axes).
    """
    known = ~np.isnan(outputs).any(axis=1)
    outputs, changes = outputs[known], changes[known]
    n_axes = changes.shape[1]
    steps = np.zeros((len(outputs), n_axes)) if _constant(outputs) else np.diff(outputs, axis=1)
    # The step that moves the axis, over how far it moves; where no step can, as with a single
    # listed value, there is no effect.
    moves = changes != 0.0
    effects = np.divide(
        steps[:, :, np.newaxis], changes, out=np.zeros_like(changes), where=moves
    ).sum(axis=1)
    absolute = estimate(np.abs(effects))
    low, high = interval(absolute, _CONFIDENCE)
    signed = estimate(effects)
    return {
        "mu_star": absolute.mean,
        "mu_star_low": np.maximum(low, 0.0),
        "mu_star_high": high,
        "mu": signed.mean,
        "sigma": signed.standard_error * np.sqrt(signed.n),
        "n": np.full(n_axes, len(outputs)),
    }


def _changes(axes: Sequence[Axis], samples: int, seed: int) -> FloatArray:
    """Return what each step of each trajectory changes, (trajectories, axes, axes).

    An interval changes by a share of its length, to which whole numbers are rounded; an axis with
    listed values by 1 or -1.
    """
    sample = unit_sample(len(axes), "morris", samples, seed)
    columns = []
    for axis, places in zip(axes, sample.T, strict=True):
        values = axis.values
        if isinstance(values, Interval):
            steps = int(values.high) - int(values.low) if values.whole else None
            columns.append(
                places if steps is None else [part(place, steps + 1) / steps for place in places]
            )
        else:
            columns.append([float(part(place, len(axis.listed or ()))) for place in places])
    changes = np.diff(np.column_stack(columns).reshape(samples, len(axes) + 1, len(axes)), axis=1)
    listed = [axis.listed is not None for axis in axes]
    return np.where(listed, np.sign(changes), changes)


def _constant(outputs: FloatArray) -> bool:
    """Return whether all outputs are the same but for rounding errors."""
    return outputs.size == 0 or bool(np.ptp(outputs) <= _SAME * np.abs(outputs).max())
