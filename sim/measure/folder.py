"""The folder of measured records: report, figures, metrics and the list of problems."""

from pathlib import Path

import pandas as pd

from sim.document.document import Document
from sim.document.html import write_document
from sim.report.folder import placed

from .measured import Measured

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_measured_folder(measured: Measured, document: Document, folder: Path, png: bool) -> None:
    """Write everything that is known of measured records into ``folder``.

    The folder appears whole or not at all.

    Args:
        measured: the records and their metrics.
        document: the report on them, with its pictures.
        folder: a folder that does not exist yet, or is empty.
        png: whether figures are written as PNG too.

    Raises:
        OSError: it cannot be written.
    """

    def write(beside: Path) -> None:
        summary = measured.summary()[["mean", "ci_low", "ci_high"]]
        summary.rename(columns={"mean": "value"}).to_csv(beside / "metrics.csv")
        harmless(measured.records.problems.frame()).to_csv(beside / "problems.csv", index=False)
        pd.DataFrame(measured.records.knowledge).to_csv(beside / "knowledge.csv", index=False)
        tables = beside / "tables"
        tables.mkdir()
        for name, table in measured.records.tables.items():
            table.to_parquet(tables / f"{name}.parquet", index=False)
        write_document(document, beside, png)

    placed(folder, write)


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text would be taken for a formula by a spreadsheet."""

    def quoted(value: object) -> object:
        is_formula = isinstance(value, str) and value.startswith(_FORMULA)
        return f"'{value}" if is_formula else value

    return frame.map(quoted)
