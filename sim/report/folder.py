"""The results folder of a study: tables, scenario, provenance, figures and report."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sim.configuration.dump import to_yaml
from sim.document.html import write_html
from sim.document.picture import save_picture
from sim.ending import temporary_folder
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.report.payback import ROLLING_WEEKS, payback_picture
from sim.report.pictures import study_pictures
from sim.report.study_document import study_document
from sim.report.versions import versions


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
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent, f".{folder.name}-") as beside:
        _write(study, beside, payback)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)


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
    figures = folder / "figures"
    figures.mkdir()
    document = study_document(study, payback, pictures)
    for name, picture in document.pictures.items():
        save_picture(picture, figures / f"{name}.png")
    write_html(document, folder / "report.html")


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
