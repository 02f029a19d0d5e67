"""The results folder of a sweep: tables, figures, report, and the scenario of each point."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from sim.configuration.overlay import overlay_of
from sim.document.document import Document
from sim.document.html import write_document
from sim.ending import temporary_folder, undisturbed
from sim.experiment.designs import OWN_LUCK
from sim.experiment.sweep_results import Sweep
from sim.experiment.versions import versions
from sim.report.population_content import is_population, population_frame
from sim.report.surface_content import surface_table
from sim.report.sweep_content import Findings
from sim.scenario.files import groups
from sim.scenario.variants import Variants, with_value, word

_MOST_SCENARIOS = 10_000
_DIGITS = "%.6g"
_FAILED = "failed"
_BESIDE = ".report-"
_ONLY_SOMETIMES = {
    "failures.csv",
    "skipped.csv",
    "sensitivity.csv",
    "selection.csv",
    "precision.csv",
    "surface.csv",
    "population.csv",
}
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml, where PyYAML was built with it


def write_sweep_folder(
    found: Findings, document: Document, variants: Variants, folder: Path
) -> None:
    """Write everything that is known of a sweep into its folder, beside its replications.

    Each file appears whole or not at all, and takes the place of the one of an earlier run.

    Args:
        found: the sweep, with what was found.
        document: its report.
        variants: the scenarios of its points.
        folder: where its replications are.

    Raises:
        OSError: it cannot be written.
    """
    sweep = found.sweep
    for left in folder.glob(f"{_BESIDE}*"):  # by a run that was killed here
        shutil.rmtree(left, ignore_errors=True)
    with temporary_folder(folder, _BESIDE) as beside:
        _write_tables(found, beside)
        _write_scenarios(sweep, variants, beside / "scenarios")
        (beside / "provenance.json").write_text(
            json.dumps(provenance(sweep), indent=2) + "\n", encoding="utf-8"
        )
        write_document(document, beside, sweep.base.png)
        written = sorted(path.name for path in beside.iterdir())
        with undisturbed():
            for name in written:
                _replace(beside / name, folder / name)
            for name in _ONLY_SOMETIMES.difference(written):  # of an earlier run
                (folder / name).unlink(missing_ok=True)


def _replace(new: Path, old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)


def _write_tables(found: Findings, folder: Path) -> None:
    sweep = found.sweep
    summary = folder / "summary.csv"
    for number, part in enumerate(sweep.summaries()):
        first = number == 0
        part.to_csv(summary, mode="a", header=first, index=False, float_format=_DIGITS)
    failed = pd.DataFrame(
        [
            {"point": f.point, "overrides": f.overrides, "error": f.error, "details": f.details}
            for f in sweep.failures
        ]
    )
    if len(failed):
        rows = sweep.points.loc[failed["point"]].reset_index().assign(metric=_FAILED, n=0)
        columns = ["point", *sweep.points.columns, "metric", "mean", "ci_low", "ci_high", "n"]
        rows.reindex(columns=columns).to_csv(
            summary, mode="a", header=not summary.exists(), index=False
        )
        failed.to_csv(folder / "failures.csv", index=False)
    if sweep.skipped:
        skipped = [{"overrides": each.overrides, "error": each.error} for each in sweep.skipped]
        pd.DataFrame(skipped).to_csv(folder / "skipped.csv", index=False)
    if sweep.design not in OWN_LUCK:
        sweep.effects().to_csv(folder / "effects.csv", index=False, float_format=_DIGITS)
    if found.indices is not None:
        found.indices.to_csv(folder / "sensitivity.csv", float_format=_DIGITS)
    if found.selection is not None:
        named = sweep.points.join(found.selection.table, how="right")
        named.to_csv(folder / "selection.csv", float_format=_DIGITS)
    if found.precision is not None:
        found.precision.to_csv(folder / "precision.csv", index=False, float_format=_DIGITS)
    if is_population(found):
        answers = population_frame(found)
        answers.to_csv(folder / "population.csv", index=False, float_format=_DIGITS)
    if found.told is not None:
        surfaces = surface_table(found.told)
        surfaces.to_csv(folder / "surface.csv", index=False, float_format=_DIGITS)


def _write_scenarios(sweep: Sweep, variants: Variants, folder: Path) -> None:
    """Write the scenario of each point, as what it changes in that of a point alike.

    ``sim.load(config=PATH)`` reads them, and so does ``python -m sim --config-dir=FOLDER``.
    """
    folder.mkdir()
    bases: dict[tuple[str, ...], str] = {}
    width = len(str(len(variants) - 1))
    for point in range(min(len(variants), _MOST_SCENARIOS)):
        composed = tuple(map(word, variants.base(point)))
        if composed not in bases:
            bases[composed] = f"base-{len(bases)}"
            choices = _choices(variants, point)
            text = overlay_of(variants.scenario(point), choices, command=variants.label(point))
            (folder / f"{bases[composed]}.yaml").write_text(text, encoding="utf-8")
        overlay: dict[str, Any] = {"defaults": [bases[composed], "_self_"]}
        for key, value in variants.set_values(point).items():
            overlay = with_value(overlay, key, value)
        text = f"# {variants.label(point)}\n" + yaml.dump(overlay, Dumper=_DUMPER, sort_keys=False)
        (folder / f"point-{point:0{width}}.yaml").write_text(text, encoding="utf-8")


def _choices(variants: Variants, point: int) -> dict[str, str | None]:
    """Return what a point chooses from config groups, as far as its overrides say so."""
    pairs = [fixed.lstrip("+").partition("=")[::2] for fixed in variants.fixed or ()]
    chosen = dict([*pairs, *variants.values(point).items()])
    there = set(groups())
    return {
        key: None if value is None else str(value) for key, value in chosen.items() if key in there
    }


def provenance(sweep: Sweep) -> Mapping[str, object]:
    """Return what it takes to get the same numbers again: sweep, seed and versions."""
    made = sweep.made
    return {
        "scenario": sweep.base.name,
        "command": None if made is None else made.command,
        "axes": {axis.key: str(axis.values) for axis in sweep.axes},
        "design": sweep.design,
        "points": len(sweep.points),
        "replications": int(sweep.replications.sum()),
        "failed_points": [failure.point for failure in sweep.failures],
        "seed": sweep.seed,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": None if made is None else made.model,
        "versions": versions() if made is None else dict(made.versions),
    }
