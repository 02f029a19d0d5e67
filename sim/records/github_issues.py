"""Issues with a label as incidents."""

from collections import Counter
from pathlib import Path

import pandas as pd

from sim.words import printable

from .delivery import ROW, Delivery, texts
from .github_objects import Rows, key_of, repository_of
from .json_files import Object, as_text, read_objects
from .options import Options

_TOGETHER = 3
"""So many incidents that are closed within a minute were closed by hand, after the fact."""


def add_incidents(delivery: Delivery, path: Path, options: Options) -> None:
    """Add the issues that have the label of incidents."""
    rows = Rows(path.name, "number", "repository", "title", "created_at", "closed_at")
    wanted = options.incident_label.lower()
    out: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    nameless = []
    for row, found in read_objects(path, delivery.problems):
        names = _labels(found)
        if as_text(found.get("number")) is None:
            nameless.append(row)
        elif "pull_request" in found:
            out["pull requests"] += 1
        elif wanted not in names:
            out["without the label"] += 1
            labels.update(names)
        elif found.get("state_reason") == "duplicate":
            out["duplicates"] += 1
        else:
            values = {key: found.get(key) for key in ("number", "title", "created_at", "closed_at")}
            rows.add(row, **values, repository=repository_of(found))
    nobody = "an issue without a number"
    delivery.problems.add(path.name, "number", nobody, "it is left out", nameless)
    if out:
        said = ", ".join(f"{number:,} {what}" for what, number in out.most_common())
        delivery.remarks.append(f"Issues that are no incidents: {said}.")
    if out["without the label"] and not rows.rows:
        there = ", ".join(printable(name)[:30] for name, _ in labels.most_common(4)) or "none"
        delivery.remarks.append(
            f"No issue has the label '{printable(options.incident_label)}', so that nothing is "
            f"known of incidents; --incident-label names it (there are {there})."
        )
        return
    frame = rows.frame(delivery, options)
    delivery.tables["incidents"] = pd.DataFrame(
        {
            "incident_id": texts(map(key_of, frame["repository"], frame["number"])),
            "service": frame["repository"],
            "title": frame["title"],
            "started_at": frame["created_at"],
            "restored_at": frame["closed_at"],
            ROW: frame[ROW],
        }
    )
    delivery.files["incidents"] = path.name
    delivery.rules |= {
        "incidents.started_at": "when the issue was opened: it began before",
        "incidents.restored_at": "when the issue was closed: service may have been back before",
    }
    minute = frame["closed_at"].dt.floor("min")
    together = (minute.groupby(minute).transform("size") >= _TOGETHER).fillna(False)
    late = together.to_numpy(dtype=bool)
    what = (
        f"closed within a minute with {_TOGETHER - 1} others or more: perhaps long after recovery"
    )
    rows_late = frame[ROW].to_numpy()[late]
    shown = frame["closed_at"][late].astype(str)
    delivery.problems.add(
        path.name, "closed_at", what, "the time is used as it is", rows_late, shown
    )


def _labels(issue: Object) -> set[str]:
    """Return the names of the labels of an issue, in small letters."""
    found = issue.get("labels")
    names = [
        as_text(each.get("name") if isinstance(each, dict) else each)
        for each in (found if isinstance(found, list) else ())
    ]
    return {name.lower() for name in names if name is not None}
