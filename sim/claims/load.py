"""From claims files to experiments that can be run: everything is checked before the first run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import MarkedYAMLError, YAMLError

from sim.configuration.load import load
from sim.experiment.parallel import Progress, in_parallel
from sim.experiment.run import metric_names
from sim.metrics import catalogue
from sim.metrics.series import weekly_columns
from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.files import SCENARIOS
from sim.scenario.organization import Scenario

from .claim import Claim, ClaimsFile, Expectation, contrast_of

CLAIMS = SCENARIOS / "claims"
"""The folder of the claims that come with the package."""


@dataclass(frozen=True)
class Trial:
    """A claim with the scenarios of its arms."""

    claim: Claim
    scenarios: Mapping[str, Scenario]


def load_trials(
    organization: str,
    folder: Path = CLAIMS,
    only: Sequence[str] = (),
    n_jobs: int = 1,
    start: Callable[[int], Progress] | None = None,
) -> list[Trial]:
    """Read the claims of ``folder`` and compose the scenarios of their arms.

    Args:
        organization: name of a file of ``scenarios/organization/``.
        folder: the claims files.
        only: ids of the claims to read; none for all.
        n_jobs: parallel processes; -1 uses one per core.
        start: called with the number of scenarios to come; what it returns is called with the
            number of those composed, each time one is.

    Raises:
        ScenarioError: anything is not valid: a file, a claim, an arm, a metric.
    """
    settings, claims = read_claims(folder)
    known = [claim.id for claim in claims]
    if unknown := [name for name in only if name not in known]:
        raise ScenarioError(
            [Problem("--only", f"no claim '{name}'", nearest(name, known)) for name in unknown]
        )
    claims = [claim for claim in claims if not only or claim.id in only]
    common = (f"organization={organization}", *settings)
    load(*common)  # What is wrong with these is said once, not for every arm.
    arms = [(*common, *overrides) for claim in claims for overrides in claim.overrides.values()]
    distinct = list(dict.fromkeys(arms))
    progress = None if start is None else start(len(distinct))
    composed = in_parallel(_compose, [(overrides,) for overrides in distinct], n_jobs, progress)
    outcomes = dict(zip(distinct, composed, strict=True))
    problems: list[Problem] = []
    trials = []
    for claim in claims:
        scenarios = {}
        for arm, overrides in claim.overrides.items():
            outcome = outcomes[(*common, *overrides)]
            if isinstance(outcome, Scenario):
                scenarios[arm] = outcome
            else:
                where = f"{claim.id}, arm {arm}: "
                problems += [Problem(where + p.key, p.what, p.hint) for p in outcome.problems]
        trials.append(Trial(claim, scenarios))
        problems += _wrong_names(claim, scenarios)
    if problems:
        raise ScenarioError(problems)
    return trials


def _compose(overrides: tuple[str, ...]) -> Scenario | ScenarioError:
    try:
        return load(*_without_stars(overrides))
    except ScenarioError as error:
        return error


def read_claims(folder: Path) -> tuple[tuple[str, ...], list[Claim]]:
    """Return the settings and the claims of all files of ``folder``, in the order of their names.

    Raises:
        ScenarioError: there is no such folder, or anything in its files is not valid.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        what = "holds no .yaml file" if folder.is_dir() else "no such folder"
        raise ScenarioError([Problem(str(folder), what)])
    files = [_read(path) for path in paths]
    claims = [claim for file in files for claim in file.claims]
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise ScenarioError([Problem(claim.id, "is the id of two claims")])
        seen.add(claim.id)
    if not claims:
        raise ScenarioError([Problem(str(folder), "holds no claim")])
    return tuple(setting for file in files for setting in file.settings), claims


def _read(path: Path) -> ClaimsFile:
    try:
        data = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = f"not valid YAML: {error.problem}"
        raise ScenarioError([Problem(f"{path.name}{at}", what)]) from None
    except (YAMLError, OmegaConfBaseException, UnicodeDecodeError, OSError) as error:
        what = f"cannot be read: {str(error).splitlines()[0]}"
        raise ScenarioError([Problem(path.name, what)]) from None
    if not isinstance(data, dict):
        raise ScenarioError([Problem(path.name, "the file holds no mapping", "claims: [...]")])
    try:
        return ClaimsFile.model_validate(data)
    except ValidationError as error:
        details = [_translate(dict(detail), path.name, data) for detail in error.errors()]
        raise ScenarioError(list(dict.fromkeys(details))) from None


def _translate(detail: dict[str, Any], file: str, data: Any) -> Problem:
    """Put an error of pydantic into words, with claims called by their ids."""
    location = detail["loc"]
    names: list[str] = []
    for part in location:
        in_list = isinstance(part, int) and isinstance(data, list)
        if in_list or (isinstance(data, dict) and part in data):
            data = data[part]
            is_claim = names == ["claims"] and isinstance(data, dict)
            names = [str(data.get("id", part))] if is_claim else [*names, str(part)]
    key = f"{file}: {'.'.join(names)}" if names else file
    if detail["type"] == "missing":
        return Problem(key, f"`{location[-1]}` is missing")
    if detail["type"] == "extra_forbidden":
        depth = sum(isinstance(part, int) for part in location)
        keys = (ClaimsFile, Claim, Expectation)[depth].model_fields
        return Problem(key, "unknown key", nearest(location[-1], keys))
    if detail["type"] == "literal_error":
        return Problem(key, f"unknown value {data!r}", f"must be {detail['ctx']['expected']}")
    if detail["type"] == "value_error":
        return Problem(key, "is not complete", detail["msg"].removeprefix("Value error, "))
    message = detail["msg"].replace("Input should", "must")
    return Problem(key, f"{data!r} is not allowed", message[0].lower() + message[1:])


def _without_stars(overrides: Sequence[str]) -> list[str]:
    """Replace each override with a ``*`` in its key by one for each name that is there.

    ``services.*.quality.speed=2`` says it of every service, ``shared_people.platform*=1`` only
    where there is a platform group. The meaning of a star is read off the scenario that the other
    overrides make; it may stand for nothing.

    Raises:
        ScenarioError: what stands around the stars is not there.
    """
    starred = [override for override in overrides if "*" in override.partition("=")[0]]
    if not starred:
        return list(overrides)
    data = _composed_data(tuple(override for override in overrides if override not in starred))
    result = []
    for override in overrides:
        if override not in starred:
            result.append(override)
            continue
        key, _, value = override.partition("=")
        keys = _matching(key.split("."), data)
        if keys is None:
            raise ScenarioError([Problem(key, "matches nothing in this scenario")])
        result += [f"{key}={value}" for key in keys]
    return result


@lru_cache(maxsize=8)
def _composed_data(overrides: tuple[str, ...]) -> dict[str, Any]:
    return load(*overrides).model_dump(by_alias=True)


def _matching(parts: Sequence[str], data: Any) -> list[str] | None:
    """Return the dotted keys that ``parts`` stand for, None if they do not fit to ``data``.

    All but the last part have to be there, at one of the names that a star stands for at least.
    """
    first, *rest = parts
    if not isinstance(data, Mapping):
        return None
    if "*" not in first and not rest:
        return [first]
    names = [name for name in data if fnmatchcase(name, first)]
    if not rest or ("*" in first and not names):
        return names
    below = {name: _matching(rest, data[name]) for name in names}
    if all(keys is None for keys in below.values()):
        return None
    return [f"{name}.{key}" for name, keys in below.items() for key in keys or ()]


def _wrong_names(claim: Claim, scenarios: Mapping[str, Scenario]) -> Iterator[Problem]:
    """Find arms and metrics that are not there."""
    wholes = [metric.name for metric in catalogue.metrics() if metric.parts]
    if isinstance(claim.trace, str) and claim.trace not in wholes:
        what = f"'{claim.trace}' is no metric with parts"
        yield Problem(f"{claim.id}.trace", what, nearest(claim.trace, wholes))
        return
    metrics = list(dict.fromkeys(name for s in scenarios.values() for name in metric_names(s)))
    for number, expectation in enumerate(claim.expectations):
        where = f"{claim.id}.expectations.{number}"
        for arm in contrast_of(expectation):
            if arm not in claim.overrides:
                hint = nearest(arm, claim.overrides)
                yield Problem(f"{where}.contrast", f"unknown arm '{arm}'", hint)
        if expectation.weeks is not None:
            columns = list(weekly_columns())
            yield from _unknown_metrics(f"{where}.metric", [expectation.metric], columns)
            horizon = min((s.horizon_weeks for s in scenarios.values()), default=0)
            if scenarios and expectation.weeks[1] > horizon:
                what = f"ends after the horizon of {horizon} weeks"
                yield Problem(f"{where}.weeks", what, "base: [horizon_weeks=...] makes it longer")
        else:
            yield from _unknown_metrics(f"{where}.metric", [expectation.metric], metrics)
        step = expectation.own_time_of
        for scenario in scenarios.values():
            if step is not None and step not in scenario.pipeline.steps:
                hint = nearest(step, scenario.pipeline.steps)
                yield Problem(f"{where}.own_time_of", f"unknown step '{step}'", hint)
                break
        if isinstance(expectation.trace, str) and expectation.trace not in wholes:
            what = f"'{expectation.trace}' is no metric with parts"
            yield Problem(f"{where}.trace", what, nearest(expectation.trace, wholes))
        else:
            yield from _unknown_metrics(f"{where}.trace", claim.trace_of(expectation), metrics)


def _unknown_metrics(where: str, names: Iterable[str], known: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(where, f"unknown metric '{name}'", nearest(name, known))
