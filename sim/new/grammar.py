"""How answers are written: forgiving texts, or plain data in a file.

Each ``read_...`` takes what somebody wrote and returns plain data, or raises :class:`AnswerError`
with what is valid. Each ``show_...`` returns the answer of a scenario as such a text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sim.scenario.errors import nearest
from sim.scenario.organization import DAYS, STAGES, Scenario, Step

AS_LEVELS = "as the levels of the practices say"
"""The answer of a preset to what is automated."""
DAY_H = {"by_hand": 8.0, "machine": 24.0}
_WEEK_H = {"by_hand": 40.0, "machine": 168.0}
_NONE = {"", "none", "nobody", "nothing", "no", "-", "0"}
_PLURALS = {"operations", "ops", "devops", "analytics", "mlops", "sre"}
_ALIASES = {"ops": "operations", "operation": "operations", "ds": "data_scientist"}
_ALIASES |= {"mle": "ml_engineer", "de": "data_engineer", "operator": "operations"}
ROLES = ("data_scientist", "ml_engineer", "data_engineer", "operations", "security")
"""The roles that a scenario gives work to, besides those of its steps."""
MACHINES = {"gpu": "gpu", "gpus": "gpu", "ci": "ci", "ci runner": "ci", "ci runners": "ci"}
FAILURES = {
    "outages": ("outage", "outages"),
    "bad_data": ("bad data", "data", "bad_data", "corrupted data"),
    "trainings": ("training", "trainings", "failed trainings", "failed training"),
    "bugs": ("bug", "bugs", "code"),
}
_STAGES_BY_WORD = (
    ("verify", "canary monitor verif smoke after-release"),
    ("security_review", "secur pentest vulnerab"),
    ("approve", "approv board cab sign-off signoff release-gate"),
    ("review", "review pull-request merge-request"),
    ("validate_data", "validate-data data-valid check-data data-check data-quality data-test"),
    ("integration_test", "integration e2e end-to-end system-test staging-test acceptance qa"),
    ("unit_test", "unit lint test"),
    ("evaluate", "eval offline-test backtest score-model"),
    ("deploy", "deploy ship releas roll-out rollout go-live publish launch production"),
    ("package", "packag build container docker image bundle"),
    ("ingest", "ingest extract collect load-data get-data fetch pull-data"),
    ("build_features", "feature prep prepar clean transform wrangl label"),
    ("train", "train fit learn tune model"),
)


class AnswerError(ValueError):
    """An answer cannot be read; the message says what is wrong with it."""


def read_name(said: object, so_far: Mapping[str, Any], preset: Scenario) -> str:
    """Read the name of the organization."""
    return _name(str(said).strip().replace(" ", "_"))


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,99}", text):
        raise AnswerError(f"'{text}' is not a name: a letter, then letters, digits, _ and -")
    return text


def role_name(text: str) -> str:
    """Return the name of a role: of ``ML engineers`` it is ``ml_engineer``."""
    name = re.sub(r"[\s-]+", "_", text.strip().lower())
    if name not in _PLURALS | _ALIASES.keys() and name.endswith("s") and not name.endswith("ss"):
        name = name[:-1]
    return _name(_ALIASES.get(name, name))


def step_name(text: str) -> str:
    """Return the name of a step: of ``Data prep`` it is ``data_prep``."""
    return _name(re.sub(r"[\s/]+", "_", text.strip().lower()))


def read_people(said: object, so_far: Mapping[str, Any], preset: Scenario) -> dict[str, int]:
    """Read headcounts by role."""
    return _counts(said)


def _counts(said: object) -> dict[str, int]:
    pairs: Iterable[tuple[str, object]]
    if isinstance(said, Mapping):
        pairs = [(str(role), number) for role, number in said.items()]
    elif said is None or str(said).strip().lower() in _NONE:
        pairs = []
    else:
        pairs = [_count(part) for part in _parts(str(said), ",")]
    found: dict[str, int] = {}
    for role, number in pairs:
        count = _whole(number)
        if role_name(role) in found:
            raise AnswerError(f"'{role_name(role)}' is there twice")
        if count:
            found[role_name(role)] = count
    return found


def _count(part: str) -> tuple[str, object]:
    found = re.fullmatch(r"(\d+) *x? +(\D.*)|([^:=]+?) *(?:[:=] *| +x? *)(\d+)", part)
    if found is None:
        raise AnswerError(f"'{part}' is no number of people")
    return (found[2], found[1]) if found[1] else (found[3], found[4])


def _whole(number: object, most: int = 10_000) -> int:
    text = str(number).strip()
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= most:
        raise AnswerError(f"'{text}' is no whole number from 0 to {most}")
    return int(text)


def _parts(text: str, separator: str) -> list[str]:
    words = re.sub(r"\band\b", separator, text) if separator == "," else text
    return [part.strip() for part in words.split(separator) if part.strip()]


def show_counts(counts: Mapping[str, int]) -> str:
    """Return headcounts as text."""
    return ", ".join(f"{number} {role}" for role, number in counts.items() if number) or "none"


def read_teams(
    said: object, so_far: Mapping[str, Any], preset: Scenario
) -> dict[str, dict[str, Any]]:
    """Read teams: by name how many there are (``count``), and ``people`` by role."""
    teams: dict[str, dict[str, Any]] = {}
    if isinstance(said, Mapping):
        for name, team in said.items():
            is_full = isinstance(team, Mapping) and "people" in team
            _refuse_other_keys(team if is_full else {}, ("count", "people"), f"teams.{name}")
            people = team["people"] if is_full else team
            count = _whole(team.get("count", 1), 1000) if is_full else 1
            teams[step_name(str(name))] = {"count": count, "people": _counts(people)}
    else:
        for part in _parts(str(said), ";"):
            named = re.fullmatch(r"([^:,0-9][^:,]*?)(?: *x *(\d+))? *: *(\D*\d.*)", part)
            is_one = named is None or re.match(r"\d+ *(,|$)", named[3]) is not None
            name = "team" if is_one or named is None else step_name(named[1])
            count = 1 if is_one or named is None else _whole(named[2] or 1, 1000)
            if name in teams:
                raise AnswerError(f"the team '{name}' is there twice")
            people = part if is_one or named is None else named[3]
            teams[name] = {"count": count, "people": _counts(people)}
    if not teams:
        raise AnswerError("at least one team is needed")
    for name, team in teams.items():
        if not team["people"]:
            raise AnswerError(f"nobody is in the team '{name}'")
        if team["count"] == 0:
            raise AnswerError(f"there are 0 teams '{name}'")
    return teams


def show_teams(preset: Scenario) -> str:
    """Return the teams of a scenario as text."""
    return "; ".join(
        f"{name}{f' x{team.count}' if team.count > 1 else ''}: {show_counts(team.people)}"
        for name, team in preset.teams.items()
    )


def team_names(so_far: Mapping[str, Any], preset: Scenario) -> list[str]:
    """Return the names of the teams, as answered or those of the preset."""
    return list(so_far.get("teams") or preset.teams)


def roles_there(so_far: Mapping[str, Any], preset: Scenario) -> list[str]:
    """Return the roles that somebody has, as answered or as in the preset."""
    if "teams" in so_far:
        roles = [role for team in so_far["teams"].values() for role in team["people"]]
    else:
        roles = [role for team in preset.teams.values() for role in (*team.people, *team.plays)]
    shared = so_far.get("shared_people", preset.shared_people)
    return list(dict.fromkeys([*roles, *shared]))


def read_services(said: object, so_far: Mapping[str, Any], preset: Scenario) -> dict[str, str]:
    """Read services: by name the team that owns it."""
    teams = team_names(so_far, preset)
    pairs: list[tuple[str, str]] = []
    if isinstance(said, Mapping):
        pairs = [(str(name), str(team)) for name, team in said.items()]
    else:
        texts = (
            [str(each) for each in said]
            if isinstance(said, Sequence) and not isinstance(said, str)
            else _parts(str(said), ",")
        )
        for part in texts:
            found = re.split(r" *: *| +of +", part, maxsplit=1)
            pairs.append((found[0], found[1] if len(found) > 1 else teams[0]))
    services: dict[str, str] = {}
    for name, team in pairs:
        owner = step_name(team)
        if owner not in map(str.lower, teams):
            raise AnswerError(f"no team is called '{team}'; {nearest(team, teams)}")
        if step_name(name) in services:
            raise AnswerError(f"the service '{name}' is there twice")
        services[step_name(name)] = next(each for each in teams if each.lower() == owner)
    if not services:
        raise AnswerError("at least one service is needed")
    return services


def show_services(preset: Scenario, so_far: Mapping[str, Any]) -> str:
    """Return the services of a scenario as text; of teams that are others, the first has all."""
    if "teams" in so_far:
        return f"{', '.join(preset.services)}: {team_names(so_far, preset)[0]}"
    return ", ".join(f"{name}: {service.team}" for name, service in preset.services.items())


def read_steps(
    said: object, so_far: Mapping[str, Any], preset: Scenario
) -> dict[str, dict[str, Any]]:
    """Read steps in their order: by name ``stage``, ``role``, ``by_hand_h`` and ``machine_h``.

    What is left out is ``guessed``: the stage from the name, the rest from the preset's step of
    that stage. The role None means that only machines do it, the stage ``none`` that it is none of
    those that practices speak of.
    """
    steps: dict[str, dict[str, Any]] = {}
    for name, step in _said_of_steps(said):
        if name in steps:
            raise AnswerError(f"the step '{name}' is there twice")
        steps[name] = read_step(name, step, so_far, preset)
    if not steps:
        raise AnswerError("at least one step is needed")
    if not any(step["stage"] == "deploy" for step in steps.values()):
        raise AnswerError("one step must bring the change into production: stage deploy")
    return steps


def _said_of_steps(said: object) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(said, Mapping):
        return [(step_name(str(name)), as_step(step)) for name, step in said.items()]
    if isinstance(said, Sequence) and not isinstance(said, str):
        return [(step_name(str(name)), {}) for name in said]
    text = str(said)
    if ":" not in text:
        return [(step_name(part), {}) for part in re.split(r"[,;]|->|→", text) if part.strip()]
    found = []
    for part in _parts(text, ";"):
        name, _, rest = part.partition(":")
        found.append((step_name(name), as_step(rest)))
    return found


def as_step(said: object) -> Mapping[str, Any]:
    """Return what a text or a mapping says of a step, by what it is about."""
    if said is None:
        return {}
    if isinstance(said, Mapping):
        _refuse_other_keys(said, ("stage", "role", "by_hand", "machine"), "steps")
        return said
    parts = _parts(str(said), ",")
    if len(parts) > 3:
        raise AnswerError(f"'{said}' has more than who, time by hand and time on a machine")
    return dict(zip(("role", "by_hand", "machine"), parts, strict=False))


def read_step(
    name: str, said: Mapping[str, Any], so_far: Mapping[str, Any], preset: Scenario
) -> dict[str, Any]:
    """Return a step in full; what is not said is guessed."""
    stage = str(said.get("stage") or guessed_stage(name))
    if stage not in (*STAGES, "none"):
        raise AnswerError(f"{name}: no stage is called '{stage}'; {nearest(stage, sorted(STAGES))}")
    if name in STAGES and stage != name:
        raise AnswerError(f"{name}: a step of this name is of that stage; give it another name")
    like = like_step(stage, preset)
    said_role = said.get("role", like.role)
    is_machine = said_role is None or str(said_role).lower() in {*_NONE, "machine", "null"}
    role = None if is_machine else role_name(str(said_role))
    there = list(dict.fromkeys([*roles_there(so_far, preset), *ROLES]))
    if role is not None and role not in there:
        raise AnswerError(f"{name}: nobody is a '{role}'; {nearest(role, there)}")
    return {
        "stage": stage,
        "role": role,
        "by_hand_h": hours(said.get("by_hand", like.effort_h.expectation), "by_hand"),
        "machine_h": hours(said.get("machine", like.run_h.expectation), "machine"),
        "guessed": [key for key in ("role", "by_hand", "machine") if key not in said],
    }


def like_step(stage: str, preset: Scenario) -> Step:
    """Return the preset's step of a stage; of none, a step of an ML engineer that takes an hour."""
    steps = preset.pipeline.steps
    plain = Step.model_validate({"role": "ml_engineer", "effort_h": 1})
    return next((steps[n] for n in steps if preset.pipeline.stage_of(n) == stage), plain)


def guessed_stage(name: str) -> str:
    """Return the stage that the name of a step suggests; ``none`` if it suggests none."""
    if name in STAGES:
        return name
    text = re.sub(r"[_\s]+", "-", name.lower())
    for stage, words in _STAGES_BY_WORD:
        if any(re.search(rf"(^|-){word}", text) for word in words.split()):
            return stage
    return "none"


def show_steps(preset: Scenario) -> str:
    """Return the steps of a scenario as text."""
    return ", ".join(preset.pipeline.steps)


def show_step(step: Mapping[str, Any]) -> str:
    """Return a step as the text that reads it."""
    times = f"{step['by_hand_h']:.3g} h, {step['machine_h']:.3g} h"
    return f"{step['role'] or 'machine'}, {times}"


def hours(said: object, kind: str) -> float:
    """Read a duration in hours; a day of work by hand has 8 of them, one of a machine 24."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        value = float(said)
    else:
        text = str(said).strip().lower()
        if text in _NONE:
            return 0.0
        found = re.fullmatch(r"(\d+(?:[.,]\d+)?|half an|an?) *([a-z]*)\.?", text)
        if found is None:
            raise AnswerError(f"'{said}' is no duration: 2 h, 3 days, 30 min")
        words = {"a": 1.0, "an": 1.0, "half an": 0.5}
        number = words[found[1]] if found[1] in words else float(found[1].replace(",", "."))
        value = number * _unit_h(found[2] or "h", kind)
    if not 0 <= value <= 10_000:
        raise AnswerError(f"'{said}' is not between 0 and 10,000 h")
    return round(value, 6)


def _unit_h(unit: str, kind: str) -> float:
    units = {"h": 1.0, "hr": 1.0, "hrs": 1.0, "hour": 1.0, "hours": 1.0}
    units |= dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 1 / 60)
    units |= dict.fromkeys(("d", "day", "days"), DAY_H[kind])
    units |= dict.fromkeys(("w", "wk", "week", "weeks"), _WEEK_H[kind])
    if unit not in units:
        raise AnswerError(f"'{unit}' is no unit of time: min, h, days or weeks")
    return units[unit]


def read_effort(said: object, so_far: Mapping[str, Any], preset: Scenario) -> float:
    """Read the hours of one person's work on an idea."""
    value = hours(said, "by_hand")
    if value < 0.01:
        raise AnswerError("an idea takes more than no time")
    return value


def show_exploration(preset: Scenario) -> str:
    """Return the hours of work on an idea as text."""
    feature = preset.changes.feature
    return f"{feature.exploration_h.expectation:g} h" if feature else "0 h"


def read_board(said: object, so_far: Mapping[str, Any], preset: Scenario) -> dict[str, Any] | None:
    """Read when a board meets: ``every_weeks``, ``days`` and ``hour``; None if there is none."""
    if said is None or str(said).strip().lower() in _NONE:
        return None
    if not of_stage("approve", so_far, preset):
        raise AnswerError("no step is of the stage approve, in which a board decides: none")
    if isinstance(said, Mapping):
        _refuse_other_keys(said, ("every_weeks", "days", "hour"), "board")
        days = said.get("days", ["wed"])
        hour, weeks = said.get("hour", 14), said.get("every_weeks", 1)
    else:
        text = str(said).lower()
        clock = re.search(r"(?:\bat )?(\d{1,2}):(\d\d) *(pm|am)?|\bat (\d{1,2}) *(pm|am)?", text)
        rest = text if clock is None else text.replace(clock[0], " ")
        period = re.search(r"(?:every|each)? *(\d+|two|three|four|other) *-?weeks?", rest)
        numbers = {"two": 2, "three": 3, "four": 4, "other": 2}
        weeks = 1 if period is None else numbers.get(period[1], period[1])
        if re.search(r"bi-?weekly|fortnight", rest):
            weeks = 2
        days = re.findall(r"\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*", rest)
        if not days:
            raise AnswerError(f"'{said}' names no day of the week: wed 14:00")
        hour = _hour(clock) if clock is not None else 14
    return {
        "every_weeks": _between(weeks, 1, 52, "weeks"),
        "days": _days(days),
        "hour": _of_the_day(hour),
    }


def _hour(clock: "re.Match[str]") -> float:
    hour = int(clock[1] or clock[4])
    hour += 12 if "pm" in (clock[3], clock[5]) and hour < 12 else 0
    return hour + int(clock[2] or 0) / 60


def _of_the_day(hour: object) -> float:
    value = float(hour) if isinstance(hour, int | float) and not isinstance(hour, bool) else -1
    if not 0 <= value < 24:
        raise AnswerError(f"'{hour}' is no hour of the day: 14")
    return round(value, 4)


def _between(number: object, low: int, high: int, unit: str) -> int:
    value = _whole(number, high)
    if value < low:
        raise AnswerError(f"{value} {unit} are not between {low} and {high}")
    return value


def show_board(preset: Scenario) -> str:
    """Return when the board of a scenario meets as text."""
    window = like_step("approve", preset).window
    if window is None or window.waits.manual == 0:
        return "none"
    every = f"every {window.every_weeks} weeks on " if window.every_weeks > 1 else ""
    return f"{every}{', '.join(window.days)} at {window.hour:g}"


def of_stage(stage: str, so_far: Mapping[str, Any], preset: Scenario) -> list[str]:
    """Return the names of the steps of a stage, as answered or those of the preset."""
    if "steps" in so_far:
        return [name for name, step in so_far["steps"].items() if step["stage"] == stage]
    steps = preset.pipeline.steps
    return [name for name in steps if preset.pipeline.stage_of(name) == stage]


def read_days(said: object, so_far: Mapping[str, Any], preset: Scenario) -> list[str]:
    """Read days of the week; an empty list stands for any time."""
    if isinstance(said, Sequence) and not isinstance(said, str):
        return _days(said) if said else []
    text = str(said).lower()
    if said is None or text.strip() in {*_NONE, "any", "any day", "every day", "anytime"}:
        return []
    return _days(re.split(r"[\s,;]+|and", text))


def _days(said: object) -> list[str]:
    words = [said] if isinstance(said, str) else list(said) if isinstance(said, Sequence) else []
    days = [str(word).strip().lower()[:3] for word in words if str(word).strip()]
    for day in days:
        if day not in DAYS:
            raise AnswerError(f"'{day}' is no day of the week: {', '.join(DAYS)}")
    if not days:
        raise AnswerError("at least one day of the week is needed")
    return [day for day in DAYS if day in days]


def show_days(preset: Scenario) -> str:
    """Return the release days of a scenario as text."""
    window = like_step("deploy", preset).window
    return "any" if window is None or window.waits.manual == 0 else ", ".join(window.days)


def read_machines(said: object, so_far: Mapping[str, Any], preset: Scenario) -> dict[str, int]:
    """Read slots of ``gpu`` and ``ci``; 0 is as many as are wanted."""
    if isinstance(said, Mapping):
        pairs = [(str(kind), number) for kind, number in said.items()]
    else:
        pairs = [_count(part) for part in _parts(str(said), ",")]
    found: dict[str, int] = {}
    for kind, number in pairs:
        word = re.sub(r"[\s_]*slots?", "", str(kind).strip().lower())
        if word not in MACHINES:
            raise AnswerError(f"'{kind}' is neither gpu nor ci")
        found[MACHINES[word]] = _whole(number)
    if not found:
        raise AnswerError("how many of gpu and of ci is wanted")
    return found


def show_machines(preset: Scenario) -> str:
    """Return the slots of a scenario as text."""
    return ", ".join(f"{preset.compute[kind].slots} {kind}" for kind in ("gpu", "ci"))


def show_on_call(preset: Scenario, so_far: Mapping[str, Any]) -> str:
    """Return who is on call in a scenario as text, of those who are there."""
    there = {*roles_there(so_far, preset), *ROLES}
    return ", ".join(role for role in preset.incidents.on_call if role in there) or "nobody"


def read_roles(said: object, so_far: Mapping[str, Any], preset: Scenario) -> list[str]:
    """Read roles that somebody has."""
    if isinstance(said, Sequence) and not isinstance(said, str):
        words = [str(each) for each in said]
    else:
        words = [] if said is None or str(said).lower() in _NONE else _parts(str(said), ",")
    roles = list(dict.fromkeys(role_name(word) for word in words))
    there = list(dict.fromkeys([*roles_there(so_far, preset), *ROLES]))
    for role in roles:
        if role not in there:
            raise AnswerError(f"nobody is a '{role}'; {nearest(role, there)}")
    return roles


def read_shares(said: object, so_far: Mapping[str, Any], preset: Scenario) -> dict[str, float]:
    """Read by step the share of executions that need no human; steps left out need one."""
    steps = list(so_far.get("steps") or preset.pipeline.steps)
    pairs: list[tuple[str, object]] = []
    if isinstance(said, Mapping):
        pairs = [(str(step), share) for step, share in said.items()]
    elif said is not None and str(said).strip().lower() not in _NONE:
        for part in _parts(str(said), ","):
            found = re.fullmatch(r"(.*?)(?:[\s:=]+(\d+(?:\.\d+)? *%?))?", part)
            assert found is not None
            pairs.append((found[1], found[2] or "100%"))
    shares: dict[str, float] = {}
    for name, share in pairs:
        step = step_name(name)
        if step not in steps:
            raise AnswerError(f"no step is called '{name}'; {nearest(step, steps)}")
        shares[step] = _share(share)
    return shares


def _share(said: object) -> float:
    text = str(said).strip()
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(%?)", text)
    value = -1.0 if found is None else float(found[1]) / (100 if found[2] else 1)
    if not 0 <= value <= 1:
        raise AnswerError(f"'{text}' is no share: 80% or 0.8")
    return round(value, 6)


def read_failures(said: object, so_far: Mapping[str, Any], preset: Scenario) -> dict[str, float]:
    """Read weeks between ``outages``, and the shares ``bad_data``, ``trainings`` and ``bugs``."""
    pairs: list[tuple[str, object]] = []
    if isinstance(said, Mapping):
        pairs = [(str(kind), number) for kind, number in said.items()]
    else:
        for part in _parts(str(said), ","):
            found = re.fullmatch(r"(\D+?)[\s:=]*(?:every *)?(\d.*)", part)
            if found is None:
                raise AnswerError(f"'{part}' does not say how often: bugs 30%")
            pairs.append((found[1], found[2]))
    failures: dict[str, float] = {}
    for text, number in pairs:
        word = text.strip().lower().removesuffix("every").strip().replace("_", " ")
        kind = next((kind for kind, words in FAILURES.items() if word in words), None)
        if kind is None:
            raise AnswerError(f"'{text.strip()}' is none of {', '.join(FAILURES)}")
        failures[kind] = _weeks(number) if kind == "outages" else _share(number)
    if failures.get("trainings", 0) > 0.95:
        raise AnswerError("if more than 95% of trainings fail, nothing is ever delivered")
    if "trainings" in failures and not of_stage("train", so_far, preset):
        raise AnswerError("no step is of the stage train, so that no training can fail")
    return failures


def _weeks(said: object) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(?:w|wk|weeks?)?", str(said).strip())
    value = -1.0 if found is None else float(found[1])
    if not 0.01 <= value <= 5200:
        raise AnswerError(f"'{said}' is no number of weeks: 15 weeks")
    return value


def show_failures(preset: Scenario) -> str:
    """Return what fails in a scenario as text."""
    said = []
    service = next(iter(preset.services.values()))
    if service.time_to_outage_h is not None:
        said.append(f"outages {service.time_to_outage_h.expectation / 168:.3g} weeks")
    if service.data is not None:
        said.append(f"bad data {service.data.corrupted * 100:g}%")
    train = like_step("train", preset)
    said.append(f"trainings {train.fails * 100:g}%")
    feature = preset.changes.feature
    if feature is not None:
        said.append(f"bugs {feature.defects.get('code', 0) * 100:g}%")
    return ", ".join(said)


def _refuse_other_keys(said: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in said:
        if key not in keys:
            raise AnswerError(f"{where}: unknown key '{key}'; {nearest(key, keys)}")
