"""Reads and checks the tables of published figures before anything is simulated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError
from yaml import YAMLError

from sim.scenario.errors import Problem, ScenarioError, nearest

from .clusters import CLUSTERS, METRICS
from .entries import DoraMetric, PageSection, RowDefinition
from .meanings import Meaning
from .observe import names
from .page_tables import ScenarioInput, TraceLine
from .population import FAMILIES, places
from .published import PublishedDistributions, Source, answers_of_dora
from .references import Known

TABLES = Path(__file__).parent / "tables"
"""Folder of the tables that come with the package."""

_Data = TypeVar("_Data")


@dataclass(frozen=True)
class SurveyTables:
    """The content of all tables."""

    distributions: PublishedDistributions
    metrics: Mapping[str, DoraMetric]
    sections: Sequence[PageSection]
    meanings: Sequence[Meaning]
    inputs: Sequence[ScenarioInput]
    trace: Sequence[TraceLine]

    def definitions(self) -> list[RowDefinition]:
        """Return what each row compares, in the order of the page."""
        return [
            definition
            for section in self.sections
            for entry in section.rows
            for definition in entry.definitions(section.title, self.metrics)
        ]


@cache
def load_tables(folder: Path = TABLES) -> SurveyTables:
    """Read and check all tables.

    Raises:
        ScenarioError: a file cannot be read or is not valid.
    """
    figures, columns = names()
    known: dict[str, Mapping[str, Any]] = {
        "figure": {name: name for name in figures},
        "column": {name: name for name in columns},
        "preset": {level: level for levels in FAMILIES.values() for level in levels},
        "cluster": {name: name for name in CLUSTERS},
        "place": places(),
    }
    known["source"] = _read(folder / "sources.yaml", dict[str, Source], known)
    distributions = _read(folder / "distributions.yaml", PublishedDistributions, known)
    known["answers"] = {**distributions.answers, **answers_of_dora()}
    known["fit"] = distributions.lognormal_fits
    tables = SurveyTables(
        distributions,
        _read(folder / "dora_metrics.yaml", dict[str, DoraMetric], known),
        _read(folder / "rows.yaml", tuple[PageSection, ...], known),
        _read(folder / "meanings.yaml", tuple[Meaning, ...], known),
        _read(folder / "inputs.yaml", tuple[ScenarioInput, ...], known),
        _read(folder / "trace.yaml", tuple[TraceLine, ...], known),
    )
    if problems := list(_contradictions(tables)):
        raise ScenarioError(problems)
    return tables


def _contradictions(tables: SurveyTables) -> Iterator[Problem]:
    if missing := [name for name in METRICS if name not in tables.metrics]:
        yield Problem("dora_metrics.yaml", f"`{missing[0]}` is missing", "DORA has clusters for it")
        return
    keys = [definition.key for definition in tables.definitions()]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Problem(f"rows.yaml: {key}", "is the key of two rows", "give each its own key")
    for meaning in tables.meanings:
        for start in meaning.rows:
            if not any(key.startswith(start) for key in keys):
                yield Problem(
                    "meanings.yaml", f"no row begins with '{start}'", nearest(start, keys)
                )


def _read(path: Path, kind: type[_Data], known: Known) -> _Data:
    try:
        data = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except (YAMLError, OmegaConfBaseException, UnicodeDecodeError, OSError) as error:
        what = " ".join(line.strip() for line in str(error).splitlines())
        raise ScenarioError([Problem(path.name, f"cannot be read: {what}")]) from None
    try:
        return TypeAdapter(kind).validate_python(data, context=known)
    except ValidationError as error:
        # An invalid item makes pydantic report its list as too short as well.
        details = [d for d in error.errors() if not (d["type"] == "too_short" and d["input"])]
        problems = [_problem(dict(detail), path.name, data) for detail in details]
        raise ScenarioError(list(dict.fromkeys(problems))) from None


def _problem(detail: dict[str, Any], file: str, data: Any) -> Problem:
    """Put an error of pydantic into words, with entries called by their keys."""
    parts: list[str] = []
    for part in detail["loc"]:
        in_list = isinstance(data, list) and isinstance(part, int)
        if not in_list and not (isinstance(data, Mapping) and part in data):
            continue  # the tag of a union
        data = data[part]
        parts.append(str(part))
        if isinstance(data, Mapping) and isinstance(data.get("key"), str):
            parts = [data["key"]]
    where = f"{file}: {'.'.join(parts)}" if parts else file
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return Problem(where, f"`{detail['loc'][-1]}` is missing")
        case "extra_forbidden":
            return Problem(where, "unknown key", "the top of the file lists the keys")
        case "unknown_name":
            return Problem(where, detail["msg"], context["hint"])
        case "literal_error" | "union_tag_invalid":
            value = context.get("tag", data)
            expected = context.get("expected") or context["expected_tags"]
            valid = expected.replace("'", "").replace(" or ", ", ").split(", ")
            return Problem(where, f"unknown value {value!r}", nearest(value, valid))
        case "value_error":
            return Problem(where, detail["msg"].removeprefix("Value error, "))
        case _:
            return Problem(where, f"{data!r} is not allowed", detail["msg"].replace("Input s", "s"))
