"""From answers to a scenario: a short file that says what was answered, and what was not."""

import textwrap
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import yaml

from sim.configuration.dump import shortest
from sim.configuration.load import load
from sim.scenario.errors import nearest
from sim.scenario.organization import Scenario

from .grammar import (
    ROLES as GIVEN_WORK,
)
from .grammar import (
    AnswerError,
    like_step,
    of_stage,
    roles_there,
    team_names,
)
from .questions import KEYS, QUESTIONS, Answers

_LEVELS_THAT_AUTOMATE = ("cicd", "testing", "security")
_OF_A_STEP = ("role", "by_hand", "machine")
_STANDS_IN = {
    "operations": ("ml_engineer", "data_engineer", "data_scientist"),
    "security": ("operations", "ml_engineer", "data_engineer", "data_scientist"),
    "data_engineer": ("ml_engineer", "data_scientist"),
    "ml_engineer": ("data_engineer", "data_scientist"),
    "data_scientist": ("ml_engineer", "data_engineer"),
}
"""Who does the work of a role that a team lacks: guesses."""
_WIDTH = 88
_NEVER_ASKED = """\
how much durations spread, which ideas lead nowhere, handoffs, who finds which defects, how models
get worse, how incidents are noticed and diagnosed, technical debt, attacks, prices. All keys, with
range and source: docs/parameters.md. Levels of practices: docs/practices.md."""


@lru_cache(8)
def preset_scenario(preset: str) -> Scenario:
    """Return the organization whose values are the defaults."""
    return load(f"organization={preset}")


def read_answers(said: Mapping[str, object], preset: str = "midsize") -> dict[str, Any]:
    """Read answers as somebody wrote them.

    Args:
        said: texts or plain data by the key of a question; any subset.
        preset: the organization whose values are the defaults.

    Raises:
        AnswerError: an answer cannot be read, or there is no such question.
    """
    for key in said:
        if key not in KEYS:
            raise AnswerError(f"{key}: there is no such question; {nearest(key, KEYS)}")
    answers: dict[str, Any] = {}
    for question in QUESTIONS:
        if question.key in said:
            try:
                read = question.read(said[question.key], answers, preset_scenario(preset))
            except AnswerError as error:
                raise AnswerError(f"{question.key}: {error}") from None
            answers[question.key] = read
    return answers


def organization_yaml(answers: Answers, preset: str = "midsize") -> str:
    """Return a scenario as YAML in which the answers are, and nothing else that one could answer.

    Args:
        answers: as :func:`read_answers` returns them.
        preset: the organization that fills in the rest.
    """
    base = preset_scenario(preset)
    parts = [_head(answers, preset), _defaults(answers, preset)]
    parts += [part for write in _PARTS if (part := write(answers, base))]
    return "\n".join(parts)


def _head(answers: Answers, preset: str) -> str:
    base = preset_scenario(preset)
    guesses = [f"  {line}" for line in left_at_a_guess(answers, base)]
    lines = [
        f"Written by `python -m sim.new --from {preset}`. Values marked `answer` are yours.",
        "Run it with: python -m sim --config-dir=. --config-name=THIS_FILE (without .yaml)",
        "",
        f"Left at a guess, those of organization={preset}:",
        *guesses,
        "Never asked, and at the values of `default`: " + _NEVER_ASKED.replace("\n", " "),
    ]
    wrapped = [
        each
        for line in lines
        for each in textwrap.wrap(line, _WIDTH, subsequent_indent="    ") or [""]
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in wrapped)


def left_at_a_guess(answers: Answers, base: Scenario) -> list[str]:
    """Return what was not answered, with the value of the preset, line by line."""
    left = [
        question
        for question in QUESTIONS
        if question.key not in (*answers, "name")
        and (question.key != "board" or of_stage("approve", answers, base))
    ]
    return [f"{question.key}: {question.default(base, answers)}" for question in left]


def _defaults(answers: Answers, preset: str) -> str:
    lines = ["defaults:", "  - default", "  - _self_", f"  - override organization: {preset}"]
    if "automated" in answers:
        none = "none  # you said yourself what a machine does"
        lines += [f"  - override practice/{name}: {none}" for name in _LEVELS_THAT_AUTOMATE]
    name = answers.get("name", "mine")
    mark = "  # answer" if "name" in answers else ""
    return "\n".join([*lines, "", f"name: {name}{mark}", f"description: {name}, as its people say"])


def _inline(data: object) -> str:
    """Return plain data in one line of YAML."""
    text: str = yaml.safe_dump(data, default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip().removesuffix("...").strip()


# --- people --------------------------------------------------------------------------------------


def _people(answers: Answers, base: Scenario) -> str:
    """Write teams, and who does the work of roles that a team lacks."""
    lines = []
    if "teams" in answers:
        wip = next(iter(base.teams.values())).wip_limit
        lines += ["teams:", "  _replace_: true  # these are all"]
        for name, team in answers["teams"].items():
            lines += [f"  {name}:"]
            lines += [f"    count: {team['count']}  # answer"] if team["count"] > 1 else []
            lines += [f"    people: {_inline(team['people'])}  # answer"]
            lines += _plays(answers, base, team["people"], {})
            lines += [f"    wip_limit: {_inline(wip)}  # guess: most features in progress"]
    else:
        for name, spec in base.teams.items():
            plays = _plays(answers, base, spec.people, spec.plays)
            lines += [f"  {name}:", *plays] if plays else []
        lines = ["teams:", *lines] if lines else []
    if "shared_people" in answers:
        lines += ["", "shared_people:", "  _replace_: true"]
        lines += [f"  {role}: {many}  # answer" for role, many in answers["shared_people"].items()]
    there = _with_people(answers, base)
    if not set(base.pooled_roles) <= there:
        pooled = [role for role in base.pooled_roles if role in there]
        lines += ["", f"pooled_roles: {_inline(pooled)}  # guess"]
    return "\n".join(["", *lines]) if lines else ""


def _with_people(answers: Answers, base: Scenario) -> set[str]:
    if "teams" in answers:
        roles = {role for team in answers["teams"].values() for role in team["people"]}
    else:
        roles = {role for team in base.teams.values() for role in team.people}
    return roles | set(answers.get("shared_people", base.shared_people))


def _plays(
    answers: Answers, base: Scenario, people: Mapping[str, int], played: Mapping[str, str]
) -> list[str]:
    steps = answers.get("steps")
    of_steps = [step["role"] for step in steps.values() if step["role"]] if steps else []
    shared = answers.get("shared_people", base.shared_people)
    there = {*shared, *people, *played}
    lacking = [role for role in dict.fromkeys([*GIVEN_WORK, *of_steps]) if role not in there]
    if not lacking:
        return []
    many = sorted(people, key=lambda role: -people[role])
    plays = {
        role: next((each for each in _STANDS_IN.get(role, ()) if each in people), many[0])
        for role in lacking
    }
    return [f"    plays: {_inline(plays)}  # guess: who does the work of whom"]


# --- machines and services -----------------------------------------------------------------------


def _machines(answers: Answers, base: Scenario) -> str:
    if "machines" not in answers:
        return ""
    lines = ["", "compute:"]
    for kind, slots in answers["machines"].items():
        what = "null" if slots == 0 else f"{{shared: true, slots: {slots}}}"
        lines.append(f"  {kind}: {what}  # answer{': always one free' if slots == 0 else ''}")
    return "\n".join(lines)


def _services(answers: Answers, base: Scenario) -> str:
    fails = answers.get("fails", {})
    if not {"teams", "services"} & set(answers):
        return "\n".join(_failing_services(fails, base))
    team = team_names(answers, base)[0]
    services = answers.get("services") or dict.fromkeys(base.services, team)
    mark = "answer" if "services" in answers else "guess"
    like = next(iter(base.services.values()))
    data = (
        {**shortest(like.data), "corrupted": fails.get("bad_data", like.data.corrupted)}
        if (like.data)
        else {}
    )
    outage = (
        {"dist": "exponential", "mean": _number(fails["outages"] * 168)}
        if "outages" in fails
        else shortest(like.time_to_outage_h)
    )
    lines = ["", "services:", "  _replace_: true  # these are all; each is like the first"]
    for number, (name, owner) in enumerate(services.items()):
        lines += [f"  {name}:", f"    team: {owner}  # {mark}"]
        if number:
            lines += ["    quality: *quality", "    data: *data", "    time_to_outage_h: *outage"]
            continue
        lines += ["    quality: &quality  # guess"]
        lines += [f"      {key}: {_inline(each)}" for key, each in shortest(like.quality).items()]
        lines += ["    data: &data  # guess"]
        lines += [
            f"      {key}: {_inline(each)}{_marked(key == 'corrupted' and 'bad_data' in fails)}"
            for key, each in data.items()
        ]
        lines += [f"    time_to_outage_h: &outage {_inline(outage)}{_marked('outages' in fails)}"]
    return "\n".join(lines)


def _failing_services(fails: Mapping[str, float], base: Scenario) -> list[str]:
    lines = []
    for name, service in base.services.items():
        said = []
        if "outages" in fails:
            mean = _number(fails["outages"] * 168)
            said += [f"    time_to_outage_h: {{dist: exponential, mean: {mean}}}  # answer"]
        if "bad_data" in fails and service.data is not None:
            said += [f"    data: {{corrupted: {fails['bad_data']}}}  # answer"]
        lines += [f"  {name}:", *said] if said else []
    return ["", "services:", *lines] if lines else []


def _marked(is_answer: bool) -> str:
    return "  # answer" if is_answer else ""


def _number(value: float) -> float | int:
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


# --- what is done --------------------------------------------------------------------------------


def _ideas(answers: Answers, base: Scenario) -> str:
    lines = []
    if "exploration" in answers:
        mean = _number(answers["exploration"])
        lines += [f"    exploration_h: {{mean: {mean}}}  # answer, hours of work"]
    if "bugs" in answers.get("fails", {}):
        lines += [f"    defects: {{code: {answers['fails']['bugs']}}}  # answer"]
    return "\n".join(["", "changes:", "  feature:", *lines]) if lines else ""


def _steps(answers: Answers, base: Scenario) -> str:
    lines = []
    if "automated" in answers:
        lines += ["", "automation: 0  # answer: what is not said below is done by people"]
    own = answers.get("steps")
    written = {
        name: said for name in (own or base.pipeline.steps) if (said := _step(name, answers, base))
    }
    if not written:
        return "\n".join(lines)
    lines += ["", "pipeline:", "  steps:"]
    if own:
        lines += ["    _replace_: true  # these are all, in this order"]
        lines += ["    # What a step does not say, it has from the usual step of its stage."]
    for name, said in written.items():
        lines += [f"    {name}:", *(f"      {line}" for line in said)]
    return "\n".join(lines)


def _step(name: str, answers: Answers, base: Scenario) -> list[str]:
    """Return what the file says of a step, line by line."""
    own = answers.get("steps")
    names = list(own or base.pipeline.steps)
    stage = own[name]["stage"] if own else base.pipeline.stage_of(name)
    like = like_step(stage, base)
    lines = []
    if own:
        lines += [f"stage: {stage}"] if stage != name else []
        step = own[name]
        mark = {key: "guess" if key in step["guessed"] else "answer" for key in _OF_A_STEP}
        lines += [f"role: {_inline(step['role'])}  # {mark['role']}"]
        lines += [f"effort_h: {_spread(step['by_hand_h'], like.effort_h)}  # {mark['by_hand']}"]
        lines += [f"run_h: {_spread(step['machine_h'], like.run_h)}  # {mark['machine']}"]
        lines += _fitting_in(name, stage, names, answers, base)
    machines = answers.get("machines", {})
    if like.compute is not None and machines.get(like.compute) == 0:
        lines += ["compute: null  # answer: always one free"]
    if stage == "approve" and "board" in answers:
        lines += _window(answers["board"], like.window is not None and like.window.waits.manual)
    deploying = of_stage("deploy", answers, base)
    if stage == "deploy" and name == deploying[-1] and "release_days" in answers:
        days = answers["release_days"]
        waits = like.window is not None and like.window.waits.manual
        lines += _window({"days": days} if days else None, waits)
    if name in answers.get("automated", {}):
        lines += [f"automation: {_number(answers['automated'][name])}  # answer"]
    if stage == "train" and "trainings" in answers.get("fails", {}):
        lines += [f"fails: {answers['fails']['trainings']}  # answer"]
    return lines


def _fitting_in(
    name: str, stage: str, names: list[str], answers: Answers, base: Scenario
) -> list[str]:
    """Return what a step must not have from the usual step of its stage, where it stands."""
    like = like_step(stage, base)
    place = names.index(name)
    last_deployment = of_stage("deploy", answers, base)[-1]
    trainings = of_stage("train", answers, base)
    lines = []
    if like.effect == "deploys" and name != last_deployment:
        lines += ["effect: null  # the last deployment is the one that counts", "window: null"]
    if like.effect == "takes_data" and trainings and place > names.index(trainings[-1]):
        lines += ["effect: null  # after the training, nothing is taken for it"]
    if like.adds and place > names.index(last_deployment):
        lines += ["adds: {_replace_: true}  # after the deployment, nothing can be added"]
    return lines


def _spread(mean: float, like: Any) -> str:
    """Return a duration with another mean, and the spread that the usual one has."""
    if mean == 0:
        return "0"
    return _inline({"dist": "lognormal", "mean": _number(mean), "cv": getattr(like, "cv", 1)})


def _window(window: Mapping[str, Any] | None, waits: object) -> list[str]:
    if window is None:
        return ["window: null  # answer: no waiting"]
    said = _inline({key: window[key] for key in window})
    if waits:
        return [f"window: {said}  # answer"]
    return [f"window: {{{said[1:-1]}, waits: {{manual: 1, automated: 0}}}}  # answer; waits: guess"]


def _on_call(answers: Answers, base: Scenario) -> str:
    if "on_call" in answers:
        return f"\nincidents:\n  on_call: {_inline(answers['on_call'])}  # answer"
    there = {*roles_there(answers, base), *GIVEN_WORK}
    if set(base.incidents.on_call) <= there:
        return ""
    on_call = [role for role in base.incidents.on_call if role in there]
    return f"\nincidents:\n  on_call: {_inline(on_call)}  # guess"


_PARTS: tuple[Callable[[Answers, Scenario], str], ...] = (
    _people,
    _machines,
    _services,
    _ideas,
    _steps,
    _on_call,
)


def template(preset: str = "midsize") -> str:
    """Return a file of answers in which all questions are there, commented out."""
    base = preset_scenario(preset)
    lines = [
        "# Answers for `python -m sim.new --answers FILE`; take away the # before those you know."
    ]
    for question in QUESTIONS:
        lines += ["", *(f"# {line}" for line in textwrap.wrap(question.prompt, _WIDTH))]
        lines += [f"# {line}" for line in textwrap.wrap(question.why, _WIDTH)]
        default = question.default(base)
        lines += [f"# For example: {question.valid}", f"#{question.key}: {_inline(default)}"]
    return "\n".join([*lines, ""])
