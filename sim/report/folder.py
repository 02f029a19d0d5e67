"""The results folder of a study or of records: what is known, with figures and report."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sim.document.document import Document
from sim.document.html import write_html
from sim.document.picture import save_picture
from sim.ending import temporary_folder
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.log import Records
from sim.metrics import compute_metrics
from sim.report.figures import records_pictures, study_pictures
from sim.report.payback import ROLLING_WEEKS, payback_picture
from sim.report.records_document import records_document
from sim.report.study_document import study_document
from sim.report.versions import versions
from sim.scenario.load import to_yaml


def write_folder(study: Study, folder: Path, payback: Payback | None = None) -> None:
    """Write everything that is known of ``study`` into ``folder``.

    The folder appears whole or not at all: it is written beside its place and then moved there.

    Args:
        study: the study.
        folder: a folder that does not exist yet, or is empty.
        payback: what its roadmap brings, if it has one.

    Raises:
        OSError: it cannot be written.
    """
    _place(folder, lambda beside: _write(study, beside, payback))


def write_records_folder(records: Records, folder: Path, title: str = "Records") -> None:
    """Write the report of records into ``folder``: report, figures and metrics.

    The folder appears whole or not at all.

    Args:
        records: the records.
        folder: a folder that does not exist yet, or is empty.
        title: what the records are called.

    Raises:
        OSError: it cannot be written.
    """

    def write(beside: Path) -> None:
        compute_metrics(records).rename("value").to_csv(
            beside / "metrics.csv", index_label="metric"
        )
        _write_document(records_document(records, title, records_pictures(records)), beside)

    _place(folder, write)


def _place(folder: Path, write: Callable[[Path], None]) -> None:
    """Let a folder be written beside its place and move it there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent, f".{folder.name}-") as beside:
        write(beside)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)


def _write_document(document: Document, folder: Path) -> None:
    figures = folder / "figures"
    figures.mkdir()
    for name, picture in document.pictures.items():
        save_picture(picture, figures / f"{name}.png")
    write_html(document, folder / "report.html")


def _write(study: Study, folder: Path, payback: Payback | None) -> None:
    (folder / "scenario.yaml").write_text(to_yaml(study.scenario), encoding="utf-8")
    (folder / "provenance.json").write_text(
        json.dumps(provenance(study), indent=2) + "\n", encoding="utf-8"
    )
    study.runs.to_parquet(folder / "runs.parquet", index=False)
    study.summary().to_csv(folder / "summary.csv")
    study.weekly.to_parquet(folder / "weekly.parquet", index=False)
    tables = folder / "tables"
    tables.mkdir()
    for name, table in study.first.tables.items():
        table.to_parquet(tables / f"{name}.parquet", index=False)
    pictures = study_pictures(study)
    if payback is not None:
        pictures["payback"] = payback_picture(payback)
        payback.waited.weekly.to_parquet(folder / "weekly_without_roadmap.parquet", index=False)
        payback.rolling(ROLLING_WEEKS).to_csv(folder / "payback.csv")
    _write_document(study_document(study, payback, pictures), folder)


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
