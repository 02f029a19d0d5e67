"""Availability, the quality of live models, and how old the data behind them are."""

import numpy as np

from sim.log import Tables
from sim.metrics.arrays import (
    FloatArray,
    Window,
    flags,
    inside,
    known,
    matches,
    median,
    overlap,
    ratio,
    reals,
    service_positions,
    stretches,
    table,
)
from sim.metrics.catalogue import Metric, measures


def outages(tables: Tables, window: Window) -> tuple[FloatArray, FloatArray]:
    """Return start and stop of every outage of a service in the window, in hours.

    Incidents of cause infra take a service down from `started_at` to `restored_at`, open ones to
    the end of the window, whether a deployment, a machine or a service upstream caused them. Where
    several of a service overlap, the time belongs to the one that started first.
    """
    incidents = table(tables, "incidents")
    down = matches(incidents, "cause", "infra")
    started_at = reals(incidents, "started_at")[down]
    restored_at = reals(incidents, "restored_at")[down]
    length = window[1] - window[0]
    hours = overlap(started_at, restored_at, window)
    # The services' windows are laid end to end, so that one pass over all outages in the order of
    # their starts never merges two services.
    shift = service_positions(tables, "incidents")[down] * length - window[0]
    start = np.fmax(started_at, window[0]) + shift
    order = np.flatnonzero(hours > 0)
    order = order[np.argsort(start[order], kind="stable")]
    start, shift = start[order], shift[order]
    stop = start + hours[order]
    down_until = np.maximum.accumulate(np.append(-np.inf, stop))[:-1]
    start = np.maximum(start, down_until)
    begins = start < stop
    return (start - shift)[begins], (stop - shift)[begins]


@measures(
    Metric(
        name="availability",
        label="availability",
        meaning="service time outside infrastructure incidents",
        topic="service",
        dimension="share",
        better="more",
        prominence="companion",
        rests_on="n_services",
        highest=1.0,
    )
)
def availability(tables: Tables, window: Window) -> float:
    """Return 1 - the share of service time in the window that lies inside an outage.

    See :func:`outages`: causes other than infra degrade what a service answers and do not keep it
    from answering. NaN without services.
    """
    start, stop = outages(tables, window)
    n_services = len(table(tables, "services"))
    return 1.0 - ratio((stop - start).sum(), n_services * (window[1] - window[0]))


@measures(
    Metric(
        name="share_below_objective",
        label="time below objective",
        meaning="service time with model quality below its objective",
        topic="service",
        dimension="share",
        better="less",
        prominence="companion",
        rests_on="n_services",
        highest=1.0,
    ),
    Metric(
        name="staleness_h",
        label="staleness of live models",
        meaning="mean age of the data behind the live model",
        topic="service",
        dimension="duration",
        better="less",
        prominence="companion",
        rests_on="n_services",
        is_certainly_positive=True,
    ),
)
def model_quality(tables: Tables, window: Window) -> dict[str, float]:
    """Return the share of time below the objective and the mean staleness of the live model.

    Both are averages over services and time, as far as the table of quality covers them: a row
    holds until the service's next row. Staleness is the age of the data behind the live model.

    Returns:
        `share_below_objective` between 0 and 1 and `staleness_h` in hours; NaN without rows.
    """
    quality = table(tables, "quality")
    order, start, stop = stretches(tables, "quality")
    hours = overlap(start, stop, window)

    def share_below() -> float:
        return ratio(hours[flags(quality, "below")[order]].sum(), hours.sum())

    def staleness() -> float:
        # The mean age over a stretch is the age in its middle.
        middle = np.fmax(start, window[0]) + hours / 2.0
        age = middle - reals(quality, "model_data_from")[order]
        aged = ~np.isnan(age)
        return ratio((age * hours)[aged].sum(), hours[aged].sum())

    return {
        "share_below_objective": known(share_below, np.nan),
        "staleness_h": known(staleness, np.nan),
    }


@measures(
    Metric(
        name="data_to_production_h",
        label="data to production",
        meaning="median from taking the training data to a new model in production",
        topic="service",
        dimension="duration",
        better="less",
        is_certainly_positive=True,
        extremes=("shortest", "longest"),
    )
)
def data_to_production(tables: Tables, window: Window) -> float:
    """Return the median hours from taking the training data to a model in production.

    It is taken over the deployments in the window that brought a new model: one whose data are
    newer than those of every earlier deployment of the service, and than those of the model that
    was live when the table of quality begins. (Different from the previous deployment is not
    enough: the first one after a rollback carries the old model on.) NaN without.
    """
    deployments = table(tables, "deployments")
    deployed_at = reals(deployments, "deployed_at")
    data_from = reals(deployments, "model_data_from")
    known = ~np.isnan(deployed_at) & ~np.isnan(data_from)
    if not known.any():
        return np.nan
    service = service_positions(tables, "deployments")[known]
    deployed_at, data_from = deployed_at[known], data_from[known]
    order = np.lexsort((deployed_at, service))
    # Services are shifted apart by more than the data span, so that the running maximum starts
    # afresh with each of them.
    shifted = (data_from + service * (np.ptp(data_from) + 1.0))[order]
    newest_before = np.maximum.accumulate(np.append(-np.inf, shifted))[:-1]
    is_new = np.empty(order.size, dtype=np.bool_)
    is_new[order] = shifted > newest_before
    initial_at, initial_data = _initial_models(tables)
    is_new &= ~((deployed_at > initial_at[service]) & (data_from <= initial_data[service]))
    return median((deployed_at - data_from)[is_new & inside(deployed_at, window)])


def _initial_models(tables: Tables) -> tuple[FloatArray, FloatArray]:
    """Return when each service's table of quality begins, and from when its model's data were."""
    order, at, _ = stretches(tables, "quality")
    services, first = np.unique(service_positions(tables, "quality")[order], return_index=True)
    n_services = len(table(tables, "services"))
    initial_at, initial_data = np.full(n_services, np.nan), np.full(n_services, np.nan)
    initial_at[services] = at[first]
    initial_data[services] = reals(table(tables, "quality"), "model_data_from")[order][first]
    return initial_at, initial_data
