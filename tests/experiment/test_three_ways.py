"""A run, a point of a sweep and ``sim.load`` make the same scenario of the same overrides.

Command lines are composed at random from Hydra's grammar: values of every kind, the same key twice,
references, removals, additions, choices, misspelt keys. All three ways give the same scenario, or
all give an error.
"""

import itertools
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import sim
from sim.app import main
from sim.experiment.axes import Axis
from sim.scenario.errors import ScenarioError
from sim.scenario.organization import Scenario
from sim.scenario.variants import Variants

FILES = {
    "mini.yaml": """\
defaults: [_self_, size: small, practice/testing: own]
name: mini
replications: 2
seed: 1
horizon_weeks: 2
n_jobs: 1
working_hours: {days: [mon, tue], opens: 9, closes: 17}
changes: {feature: {author: ml_engineer, arrivals: open, interarrival_h: 10}}
pipeline:
  steps:
    build: {role: ml_engineer, effort_h: 1}
    deploy: {role: operations, effort_h: {dist: exponential, mean: 1}, effect: deploys}
incidents:
  on_call: [operations]
  responses:
    infra: {role: operations, diagnosis_h: 2, repair_h: 5}
    security: ${incidents.responses.infra}
""",
    "size/small.yaml": """\
# @package _global_
teams: {team: {people: {ml_engineer: 1, operations: 1}}}
services: {service: {team: team}}
""",
    "size/big.yaml": """\
# @package _global_
teams: {team: {people: {ml_engineer: 3, operations: 2, data_scientist: 1}}}
services: {service: {team: team}, other: {team: team, upstream: [service]}}
automation: ${standardization}
""",
    "size/elsewhere.yaml": """\
# @package _global_
teams: {crew: {people: {ml_engineer: 2, operations: 1, data_engineer: 1}}}
services: {product: {team: crew}}
""",
    "practice/testing/own.yaml": "# @package _global_\npractices: {testing: own}\n",
    "practice/testing/none.yaml": """\
# @package _global_
practices: {testing: none}
pipeline: {steps: {build: {automation: 0.25}}}
""",
    "practice/testing/better.yaml": """\
# @package _global_
practices: {testing: better}
pipeline: {steps: {build: {automation: 0.75, effort_h: 2}}}
""",
    "plan/road.yaml": """\
# @package _global_
roadmap: [{practice: testing, level: better, start_week: 1}]
""",
    "plan/quick.yaml": "# @package _global_\npipeline: {steps: {build: {effort_h: 0.5}}}\n",
}


class Slot(NamedTuple):
    """An override: what stands before its value, and the words of its values."""

    start: str
    values: tuple[str, ...] = ("",)


# The first ones are valid as a rule, and are drawn more often.
SHARES = ("0", "0.5", "1", "${standardization}", "0.25", "1e-3", "float(1)", "5.0e-1", "int(0.7)")
SHARES = (*SHARES, "${pipeline.steps.build.automation}", "${oc.env:NOT_SET_HERE,0.5}", "null", "")
SHARES = (*SHARES, "'0.5'", "str(0.5)", "true", "2", "${seed}", "${nowhere}", "???")
HOURS = ("3", "0.5", "{dist: exponential, mean: 2}", "{value: 1, dist: constant}", "int('4')")
HOURS = (*HOURS, "${pipeline.steps.build.effort_h}", "{mean: 3}", "[1, 2]")
PEOPLE = ("{ml_engineer: 2}", "{operations: 3}", "{data_scientist: 1, ml_engineer: 4}")
PEOPLE = (*PEOPLE, "{ml_engineer: ${replications}}", "int({operations: 2.5})", "{}", "5", "null")
TEXTS = ("plain", "'a, b = c'", '"\\"quoted\\" {x}"', r"esc\,aped\ \(text\)", "'\\${seed}'", "x:y")
TEXTS = (*TEXTS, "'null'", "'1'", "str(1.5)", "'tab\there'", "${name}", "'{a: 1}'", "null")
DAYS = (
    "[mon]",
    "[wed, thu, fri]",
    "[]",
    "sort([wed, mon])",
    "mon",
    "[mon, ${working_hours.days.0}]",
)
OUTSIDE = "${oc.env:NOT_SET,big}"
RESPONSES = ("{repair_h: 8}", "${incidents.responses.infra}", "{role: ml_engineer}", "{}")
INFRA, SECURITY = "incidents.responses.infra", "incidents.responses.security"
KINDS: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("automation", "standardization", "pipeline.steps.build.automation"), SHARES),
    (("pipeline.steps.deploy.automation", "pipeline.steps.build.fails", "data_validation"), SHARES),
    (("pipeline.steps.build.effort_h", "pipeline.steps.deploy.effort_h"), HOURS),
    (("pipeline.steps.deploy.effort_h.mean", "pipeline.steps.build.effort_h.mean"), ("1", "2.5")),
    (("pipeline.steps.deploy.effort_h.dist",), ("constant", "exponential", "gama")),
    ((f"{SECURITY}.repair_h", f"{INFRA}.repair_h", f"{INFRA}.diagnosis_h"), HOURS),
    ((SECURITY, "incidents.responses.code", INFRA), RESPONSES),
    (("incidents.responses",), ("{security: {repair_h: 7}}", "{infra: {repair_h: 7}}")),
    (("teams.team.people", "teams.second.people"), PEOPLE),
    (("teams.team.people.ml_engineer", "teams.team.count"), ("1", "2", "${replications}", "1.5")),
    (("teams", "teams.team"), ("{team: {count: 2}}", "{people: {ml_engineer: 2}}", "{}")),
    (("description", "name"), TEXTS),
    (("working_hours.days",), DAYS),
    (("working_hours.days.0", "working_hours.days.1", "working_hours.days.4"), ("sat", "tue", "x")),
    (("working_hours.always",), ("true", "False", "bool('true')", "0")),
    (("working_hours", "working_hours.opens"), ("{opens: 8}", "{always: true}", "10", "18")),
    (("services.service.upstream", "services"), ("[]", "{third: {team: team}}", "[other]", "{}")),
    (("pipeline.steps.deploy.role", "changes.feature.author"), ("ml_engineer", "operations")),
    (("pipeline.max_attempts", "horizon_weeks", "seed"), ("3", "4", "1_0", "3.5", "-1")),
    (("automatoin", "pipeline.steps.biuld.effort_h", "practices.testing"), ("1", "none")),
    (("teams.crew.people.ml_engineer", "teams.crew.people.operations", "teams.crew.count"), ("2",)),
    (("teams.crew.people", "teams.crew"), ("{ml_engineer: 4}", "{count: 2}", "{}")),
    (("services.product.count", "services.service.count", "services.product.team"), ("2", "crew")),
    (("size",), ("small", "elsewhere", "big", "'big'", "huge", "null", "[small, big]", OUTSIDE)),
    (("practice/testing",), ("none", "own", "better", "basic", "nothing")),
    (("plan", "practice/cicd"), ("road", "quick", "none", "full")),
)  # fmt: skip
REMOVED = (
    "teams.team.people.operations", "teams.team.people", "teams.team", "teams", "name",
    "automation",
    "working_hours.days.0", "working_hours.days", "working_hours.always", "working_hours",
    f"{SECURITY}.repair_h", SECURITY, INFRA, f"{INFRA}.role", "incidents", "incidents.on_call.0",
    "pipeline.steps.build", "pipeline.steps.build.automation", "pipeline.steps.build.effort_h",
    "pipeline.steps.biuld", "services.other", "services.other.upstream.0", "size", "size=big",
    "practice/testing", "plan", "practice", "seed=1", "seed=2", "practice/testing=own", "x",
)  # fmt: skip
NUMBERS = ("automation", "standardization", "pipeline.steps.build.automation")
RANGES = {
    "range(0,1,0.25)": ("0.0", "0.25", "0.5", "0.75"),
    "range(1,-0.1,-0.5)": ("1.0", "0.5", "0.0"),
    "sort(range(1,-0.1,-0.5))": ("0.0", "0.5", "1.0"),
    "sort(1,0.5,0)": ("0", "0.5", "1"),
    "sort(choice(0,0.5,1),reverse=true)": ("1", "0.5", "0"),
    "float(choice(0,1))": ("0.0", "1.0"),
    "tag(some,choice(0,0.5))": ("0", "0.5"),
    "shuffle(choice(0.5,0.25))": ("0.5", "0.25"),
    "float(range(0,2))": ("0.0", "1.0"),
}


def slot(rng: random.Random) -> Slot:
    """Return an override at random, with one value or several."""
    if rng.random() < 0.1:
        return Slot(f"~{rng.choice(REMOVED)}")
    keys, values = rng.choice(KINDS)
    sign = rng.choices(("", "+", "++"), (10, 1, 2))[0]
    weights = [(len(values) - place) ** 2 for place in range(len(values))]
    some = dict.fromkeys(rng.choices(values, weights, k=rng.randint(1, 3)))
    return Slot(f"{sign}{rng.choice(keys)}=", tuple(some))


class Line(NamedTuple):
    """A command line: its words in a sweep, and the overrides of each point."""

    words: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]


def command_line(rng: random.Random) -> Line:
    """Return a command line at random, that sweeps over some of its keys."""
    slots = [slot(rng) for _ in range(rng.randint(1, 4))]
    words, elements = [], []
    swept: set[str] = set()
    for each in slots:
        key = each.start.lstrip("+~").rstrip("=")
        whole = key in ("name", "description")
        number = rng.choice(NUMBERS)
        if rng.random() < 0.15 and len(swept) < 2 and number not in swept:
            form = rng.choice(list(RANGES))
            words.append(f"{number}={form}")
            elements.append([f"{number}={value}" for value in RANGES[form]])
            swept.add(number)
        elif len(each.values) > 1 and len(swept) < 2 and key not in swept and not whole:
            swept.add(key)
            listed = [value for value in each.values if value] or ["0"]
            some = ",".join(listed)
            chosen = some if "null" in listed else f"choice({some})"  # no function takes null
            form = some if len(listed) > 1 else chosen
            words.append(each.start + rng.choice((form, chosen)))
            elements.append([each.start + value for value in listed])
        else:
            words.append(each.start + each.values[0])
            elements.append(words[-1:])
    return Line(tuple(words), tuple(itertools.product(*elements)))


Outcome = Scenario | str
"""A scenario, or what is wrong."""


def known(scenario: Callable[[], Scenario]) -> Outcome:
    try:
        return scenario()
    except ScenarioError as error:
        return str(error)


class Ways:
    """The three ways from overrides to a scenario, for the files of this module."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder / "mine"
        self._monkeypatch = monkeypatch
        for name, text in FILES.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["sim"])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")

    def load(self, overrides: Sequence[str]) -> Outcome:
        """Return what `sim.load` makes."""
        return known(lambda: sim.load(*overrides, config=self._folder / "mini.yaml"))

    def run(self, overrides: Sequence[str]) -> Outcome:
        """Return the scenario that the command line would simulate."""
        seen: list[Scenario] = []

        def instead(scenario: Scenario) -> None:
            seen.append(scenario)
            sys.exit(0)

        self._monkeypatch.setattr("sim.app._simulate", instead)
        status = self._main(overrides)
        return seen[0] if seen else f"status {status}"

    def sweep(self, words: Sequence[str]) -> list[Outcome] | str:
        """Return the scenarios of the points, or that there is no sweep."""
        seen: list[list[Outcome]] = []

        def instead(axes: Sequence[Axis], variants: Variants, *_: object) -> None:
            points = range(len(variants))
            seen.append([known(lambda point=point: variants.scenario(point)) for point in points])

        self._monkeypatch.setattr("sim.app._sweep", instead)
        status = self._main(["-m", "engine=dask", "address=here", *words])
        return seen[0] if seen else f"status {status}"

    def _main(self, arguments: Sequence[str]) -> object:
        with pytest.raises(SystemExit) as done:
            main(["--config-dir=mine", "--config-name=mini", *arguments])
        assert done.value.code in (0, 2)
        return done.value.code


OF_A_CLUSTER = ("engine=dask", "address=here")
"""So that no worker processes are started, which nobody needs."""


def differences(ways: Ways, line: Line) -> Iterator[str]:
    """Yield where the three ways do not agree."""
    loaded = [ways.load([*OF_A_CLUSTER, *overrides]) for overrides in line.points]
    swept = ways.sweep(line.words)
    if isinstance(swept, str):
        if isinstance(loaded[0], Scenario):
            yield f"refused as a sweep, not by load: {line.words}"
        return
    if len(swept) != len(loaded):
        yield f"{len(swept)} points instead of {len(loaded)}: {line.words}"
    for overrides, point, alone in zip(line.points, swept, loaded, strict=False):
        if not same(point, alone):
            yield f"{overrides} in {line.words}:\n  sweep {point}\n  load {alone}"


def same(one: Outcome, two: Outcome) -> bool:
    """Return whether both are the same scenario, in the same order, or both are errors."""
    if isinstance(one, Scenario) and isinstance(two, Scenario):
        return one.model_dump_json(by_alias=True) == two.model_dump_json(by_alias=True)
    return isinstance(one, str) and isinstance(two, str)


def look_for_differences(ways: Ways, seed: int, count: int) -> tuple[list[str], int]:
    """Return the differences in so many command lines, and how many points were scenarios."""
    found: list[str] = []
    valid = 0
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        line = command_line(rng)
        found += differences(ways, line)
        overrides = rng.choice(line.points)
        run, alone = ways.run(overrides), ways.load(overrides)
        valid += isinstance(alone, Scenario)
        if not same(run, alone):
            found.append(f"{overrides}:\n  run {run}\n  load {alone}")
    return found, valid


def test_names_are_checked_at_every_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = Ways(tmp_path, monkeypatch)
    for override in ("teams.crew.people.ml_engineer=4", "teams.crew={people: {ml_engineer: 4}}"):
        there, missing = ways.sweep(["size=elsewhere,small", override])
        assert isinstance(there, Scenario)
        assert there.teams["crew"].people["ml_engineer"] == 4
        alone = ways.load([*OF_A_CLUSTER, "size=small", override])
        assert (
            missing
            == alone
            == "teams.crew: is not in this scenario; valid: team (+teams.crew=... adds it)"
        )


def test_random_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, valid = look_for_differences(Ways(tmp_path, monkeypatch), seed=1, count=6)
    assert not found, "\n".join(found)
    assert valid >= 2


@pytest.mark.slow
def test_many_random_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    found, valid = look_for_differences(Ways(tmp_path, monkeypatch), seed, count=30)
    assert not found, f"seed {seed}\n" + "\n".join(found)
    assert valid >= 2  # two in five are; so few would be chance once in a hundred thousand runs
