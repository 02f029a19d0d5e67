"""Time to restore, and the phases it is made of."""

import numpy as np

from sim.log import Tables
from sim.metrics.arrays import Window, inside, matches, mean, median, reals, table


def restore_times(tables: Tables, window: Window) -> dict[str, float]:
    """Return the times from degraded to restored, over the incidents restored in the window.

    The four phases (means) end with detected, responded, diagnosed and restored, and add up to
    `time_to_restore_mean_h`. A phase may be skipped, because an incident is resolved early (a new
    version supersedes the bad one before anybody looked) or because nobody wrote its end down: a
    missing time is taken to be the next known one, so the time since the last known phase counts
    for the phase that the incident was in when it was restored.

    `failed_deployment_recovery_time_h` is taken over the incidents that a deployment triggered;
    those that spread from one to services downstream (trigger `upstream`) end with it and are not
    counted again.

    Returns:
        Hours; NaN without such an incident.
    """
    incidents = table(tables, "incidents")
    started_at, restored_at = reals(incidents, "started_at"), reals(incidents, "restored_at")
    restored = inside(restored_at, window) & ~np.isnan(started_at)
    hours = (restored_at - started_at)[restored]
    # fmin passes over NaN; it also cuts off what people did after service was back.
    diagnosed_at = np.fmin(reals(incidents, "diagnosed_at"), restored_at)
    responded_at = np.fmin(reals(incidents, "responded_at"), diagnosed_at)
    detected_at = np.fmin(reals(incidents, "detected_at"), responded_at)
    by_deployment = matches(incidents, "trigger", "deployment")
    return {
        "time_to_restore_h": median(hours),
        "time_to_restore_mean_h": mean(hours),
        "detect_mean_h": mean((detected_at - started_at)[restored]),
        "respond_mean_h": mean((responded_at - detected_at)[restored]),
        "diagnose_mean_h": mean((diagnosed_at - responded_at)[restored]),
        "remedy_mean_h": mean((restored_at - diagnosed_at)[restored]),
        "failed_deployment_recovery_time_h": median(hours[by_deployment[restored]]),
    }
