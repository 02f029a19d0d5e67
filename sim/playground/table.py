"""The table of the page as CSV: all metrics of all arms, and how they differ from the first."""

import pandas as pd

from sim.experiment.compare import Comparison
from sim.metrics import catalogue


def as_csv(comparison: Comparison) -> str:
    """Return a row per metric and arm, in the units that the names of the metrics have.

    ``ci_low`` and ``ci_high`` are the 95 % interval of the mean, ``difference_low`` and
    ``difference_high`` that of the paired difference to the first arm, each for itself.
    """
    paired = comparison.differences(adjust="none")[["difference", "ci_low", "ci_high"]]
    paired = paired.rename(columns={"ci_low": "difference_low", "ci_high": "difference_high"})
    frames = []
    for arm in comparison.scenarios:
        summary = comparison.summary(arm)[["mean", "ci_low", "ci_high", "n"]]
        if arm in paired.index.get_level_values("arm"):
            summary = summary.join(paired.xs(arm, level="arm"))
        frames.append(summary.assign(arm=arm.upper()))
    found = pd.concat(frames).rename_axis("metric").reset_index()
    found.insert(1, "label", [catalogue.metric(name).label for name in found["metric"]])
    columns = ["arm", "metric", "label", "mean", "ci_low", "ci_high", "n"]
    columns += ["difference", "difference_low", "difference_high"]
    text: str = found[columns].to_csv(index=False)
    return text
