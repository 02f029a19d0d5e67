"""Records of which levels of practices were put together, which change nothing by themselves.

A level writes its own record. A scenario that is written down in full has the records of its
levels, and a checksum of them, so that an edited record is noticed: somebody means to choose
another level there, and would get the values of the old one.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from sim.scenario.errors import Problem, ScenarioError

RECORD = "_record_"
"""The key of the checksum."""
RECORDS = ("practices", "practice_reach")


def checksum(data: Mapping[str, Any]) -> str | None:
    """Return the checksum of the records in a scenario; None if it has none."""
    records = {key: data[key] for key in RECORDS if data.get(key)}
    if not records:
        return None
    text = json.dumps(records, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def with_checksum(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario as plain data with the checksum behind its records."""
    found = checksum(data)
    written: dict[str, Any] = {}
    for key, value in data.items():
        written[key] = value
        if key == RECORDS[-1] and found is not None:
            written[RECORD] = found
    return written


def refuse_records(said: DictConfig, path: str) -> None:
    """Refuse what a file says of records, unless it is a level or was written down in full.

    Args:
        said: what the file says; the checksum is taken out of it.
        path: of the file, from the folder of the groups.

    Raises:
        ScenarioError: a record is not what was chosen.
    """
    if not {*RECORDS, RECORD} & set(said):
        return
    part = OmegaConf.masked_copy(said, [key for key in (*RECORDS, RECORD) if key in said])
    data = OmegaConf.to_container(part)
    assert isinstance(data, dict)
    _, practice, level = ["", "", *path.split("/")][-3:]
    if path.startswith("practice/"):
        if data.get("practices") not in (None, {practice: level}):
            what = f"a level records itself, which is {practice}: {level} in this file"
            raise ScenarioError([Problem(f"{path}: practices", what)])
        return
    if data.get(RECORD) != checksum({str(key): value for key, value in data.items()}):
        raise ScenarioError([_not_chosen(data)])
    with open_dict(said):
        said.pop(RECORD, None)


def _not_chosen(data: Mapping[Any, Any]) -> Problem:
    if not data.get("practices"):
        return Problem("practice_reach", "only records what the levels find", "leave it out")
    levels = data["practices"]
    chosen = next(iter(levels.items())) if isinstance(levels, Mapping) else ("NAME", "LEVEL")
    if data.get(RECORD) is None:
        hint = f"under defaults, `- override practice/{chosen[0]}: {chosen[1]}` chooses one"
        return Problem("practices", "only records levels and changes nothing", hint)
    hint = "under defaults, `- override practice/NAME: LEVEL` chooses one"
    return Problem("practices", f"only records levels, and was edited ({RECORD})", hint)
