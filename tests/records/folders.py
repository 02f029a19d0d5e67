"""Little folders of CSV files."""

from pathlib import Path


def folder(path: Path, **tables: str) -> Path:
    """Write tables of CSV text, and return their folder."""
    path.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
