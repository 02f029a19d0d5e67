"""The results folder of a study or of records: what is known, with figures and report."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from sim.configuration.dump import to_yaml
from sim.document.html import write_document
from sim.document.picture import Picture, drawn
from sim.ending import temporary_folder
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.experiment.versions import versions
from sim.log import Records
from sim.metrics import compute_metrics
from sim.metrics.dora import CAUSES
from sim.metrics.restore import Restored
from sim.report.drawing import draw_here
from sim.report.payback import ROLLING_WEEKS
from sim.report.pictures import records_pictures
from sim.report.records_document import records_document
from sim.report.study_document import study_document


def write_folder(
    study: Study,
    folder: Path,
    payback: Payback | None = None,
    pictures: Mapping[str, Picture] | None = None,
) -> None:
    """Write everything that is known of ``study`` into ``folder``.

    The folder appears whole or not at all: it is written beside its place and then moved there.

    Args:
        study: the study.
        folder: a folder that does not exist yet, or is empty.
        payback: what its roadmap brings, if it has one.
        pictures: the drawings by name, see :mod:`sim.report.drawing`; by default they are drawn.

    Raises:
        OSError: it cannot be written.
    """
    drawings = draw_here(study, payback) if pictures is None else pictures
    placed(folder, lambda beside: _write(study, beside, payback, drawings))


def write_records_folder(
    records: Records, folder: Path, title: str = "Records", png: bool = False
) -> None:
    """Write the report of records into ``folder``: report, figures and metrics.

    The folder appears whole or not at all.

    Args:
        records: the records.
        folder: a folder that does not exist yet, or is empty.
        title: what the records are called.
        png: whether figures are written as PNG too, beside those in SVG.

    Raises:
        OSError: it cannot be written.
    """

    def write(beside: Path) -> None:
        compute_metrics(records).rename("value").to_csv(
            beside / "metrics.csv", index_label="metric"
        )
        pictures = {name: drawn(each, png) for name, each in records_pictures(records).items()}
        write_document(records_document(records, title, pictures), beside, png)

    placed(folder, write)


def placed(folder: Path, write: Callable[[Path], None]) -> None:
    """Let a folder be written beside its place and move it there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent, f".{folder.name}-") as beside:
        write(beside)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)


def _write(
    study: Study, folder: Path, payback: Payback | None, pictures: Mapping[str, Picture]
) -> None:
    (folder / "scenario.yaml").write_text(to_yaml(study.scenario), encoding="utf-8")
    (folder / "provenance.json").write_text(
        json.dumps(provenance(study), indent=2) + "\n", encoding="utf-8"
    )
    study.runs.to_parquet(folder / "runs.parquet", index=False)
    if study.restored is not None:
        incidents_frame(study.restored).to_parquet(folder / "restored.parquet", index=False)
    study.summary().to_csv(folder / "summary.csv")
    study.weekly.to_parquet(folder / "weekly.parquet", index=False)
    tables = folder / "tables"
    tables.mkdir()
    for name, table in study.first.tables.items():
        table.to_parquet(tables / f"{name}.parquet", index=False)
    if payback is not None:
        payback.waited.weekly.to_parquet(folder / "weekly_without_roadmap.parquet", index=False)
        payback.rolling(ROLLING_WEEKS).to_csv(folder / "payback.csv")
    write_document(study_document(study, payback, pictures), folder, study.scenario.png)


def incidents_frame(restored: Restored) -> pd.DataFrame:
    """Return the incidents that medians are taken over, a row each."""
    causes = np.array([*CAUSES, ""], dtype=object)  # the place -1 is of none of them
    columns = restored._asdict() | {"cause": causes[restored.cause]}
    return pd.DataFrame(columns)[["replication", "cause", "by_deployment", "hours"]]


def provenance(study: Study) -> dict[str, object]:
    """Return what it takes to get the same numbers again: seed and versions."""
    return {
        "scenario": study.scenario.name,
        "seed": study.seed,
        "replications": len(study.runs),
        "tables_of_replication": study.first.replication,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }
