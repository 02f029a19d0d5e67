"""The reference of the metrics, generated from their catalogue: ``docs/metrics.md``.

``python -m sim.report.documentation`` writes it.
"""

import sys
from pathlib import Path

from sim.experiment.pooled import FEWEST
from sim.metrics import catalogue
from sim.metrics.catalogue import TOPICS, Metric
from sim.metrics.restore import POOLED
from sim.words import listed

COMMAND = "python -m sim.report.documentation"
METRICS = Path(__file__).parents[2] / "docs" / "metrics.md"

_INTRODUCTION = f"""\
# Metrics

<!-- Generated from the declarations in sim/metrics/ by `{COMMAND}`; edit those. -->

What `sim.compute_metrics` returns for the window after the warm-up, and what every table, report,
sweep and claim calls it, in the order of the columns of `runs.parquet`. A metric without data is
NaN; the count that it rests on says why. In bold the four metrics of DORA; in italics those that
stand beside them in every report.

What several replications say is the mean of what each says, with an interval that holds for
skewed metrics and ends where they do (`sim/experiment/intervals.py`). But
{listed([f"`{name}`" for name in POOLED])}
are medians over incidents, of which a replication may have one or none. They are taken over the
incidents of all replications together, with an interval from the share of the incidents that are
shorter (Woodruff's; `sim/experiment/pooled.py`), and with none for fewer than {FEWEST} incidents.
"""

_UNITS = {"frequency": "per service and day", "duration": "h", "share": "0 to 1"}


def main() -> None:
    """Write the file."""
    if not METRICS.parent.is_dir():
        sys.exit(f"{METRICS.parent} does not exist: run this in the source tree")
    METRICS.write_text(metrics_text(), encoding="utf-8")
    print(f"wrote {METRICS}")


def metrics_text() -> str:
    """Return the reference of the metrics as Markdown, a table for each topic."""
    sections = [_INTRODUCTION]
    for topic, heading in TOPICS.items():
        rows = [_row(metric) for metric in catalogue.metrics() if metric.topic == topic]
        head = ("name", "label", "what it is", "unit", "better", "rests on", "parts")
        lines = [f"## {heading}", "", _line(head), _line(["---"] * len(head)), *map(_line, rows)]
        sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)


def _row(metric: Metric) -> list[str]:
    name = f"{metric.name}<resource>" if metric.is_family else metric.name
    mark = {"headline": "**", "companion": "*"}.get(metric.prominence, "")
    unit = _UNITS.get(metric.dimension) or metric.unit or "-"
    if metric.dimension == "money":
        unit = f"currency {unit}"
    return [
        f"`{name}`",
        f"{mark}{metric.label}{mark}",
        metric.meaning,
        unit,
        metric.better or "-",
        f"`{metric.rests_on}`" if metric.rests_on else "-",
        ", ".join(f"`{part}`" for part in metric.parts) or "-",
    ]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
