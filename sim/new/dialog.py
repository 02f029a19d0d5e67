"""The dialog: asks the questions one after the other, and again where an answer cannot be read."""

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from sim.scenario.organization import STAGES, Scenario

from . import grammar
from .organization_yaml import preset_scenario
from .questions import QUESTIONS, Question

Listen = Callable[[str], str]
"""Shows a prompt, and returns the line that somebody writes."""
Say = Callable[[str], None]
_WIDTH = 78
_WELCOME = """\
Twelve questions about your organization. Enter leaves an answer at the guess in brackets, taken
from organization={preset}; ? says why it matters. Nothing is written before the end."""


def ask(
    preset: str, given: Mapping[str, Any], listen: Listen = input, say: Say = print
) -> dict[str, Any]:
    """Return the answers of somebody, besides those that are given.

    Args:
        preset: the organization whose values are the defaults.
        given: answers that need not be asked for.
        listen: gets a line.
        say: shows a line.

    Raises:
        EOFError: there are no more lines.
    """
    say(textwrap.fill(_WELCOME.format(preset=preset), _WIDTH))
    base = preset_scenario(preset)
    answers: dict[str, Any] = {}
    for number, question in enumerate(QUESTIONS, 1):
        if question.key in given:
            answers[question.key] = given[question.key]
            continue
        say(f"\n{number}/{len(QUESTIONS)}  {question.prompt}")
        if question.key == "board" and not grammar.of_stage("approve", answers, base):
            say("    none, as no step is of the stage approve")
            continue
        while (answer := _asked(question, answers, base, listen, say)) is _AGAIN:
            pass
        if answer is not _LEFT:
            answers[question.key] = answer
    return answers


_AGAIN = object()
_LEFT = object()


def _asked(
    question: Question, answers: Mapping[str, Any], base: Scenario, listen: Listen, say: Say
) -> Any:
    default = question.default(base, answers)
    line = _line(default, question.why, question.valid, listen, say)
    if not line:
        return _LEFT
    try:
        read = question.read(line, answers, base)
        if question.kind == "steps" and ":" not in line:
            said = {name: _step(name, answers, base, listen, say) for name in read}
            read = question.read(said, answers, base)
    except grammar.AnswerError as error:
        _complain(error, question.valid, say)
        return _AGAIN
    _show(question, read, say)
    return read


def _line(default: str, why: str, valid: str, listen: Listen, say: Say) -> str:
    """Return what somebody writes, who may ask why first."""
    shown = f"    [{default}]\n    > " if len(default) > 30 else f"    [{default}] > "
    if len(default) > _WIDTH - 6:
        shown = textwrap.fill(
            f"[{default}]", _WIDTH, initial_indent="    ", subsequent_indent="     "
        )
        shown += "\n    > "
    while (line := listen(shown).strip()) == "?":
        say(textwrap.fill(why, _WIDTH, initial_indent="    ", subsequent_indent="    "))
        say(_example(valid))
    return line


def _example(valid: str) -> str:
    lines = [f"    For example: {valid.split(' | ')[0]}"]
    return "\n".join([*lines, *(f"             or: {each}" for each in valid.split(" | ")[1:])])


def _complain(error: Exception, valid: str, say: Say) -> None:
    say(textwrap.fill(str(error), _WIDTH, initial_indent="    ! ", subsequent_indent="      "))
    say(_example(valid))


def _show(question: Question, read: Any, say: Say) -> None:
    """Show how a list of people was understood, as the words may have been others."""
    if question.kind == "teams":
        for name, team in read.items():
            many = f" x{team['count']}" if team["count"] > 1 else ""
            say(f"    = {name}{many}: {grammar.show_counts(team['people'])}")
    elif question.kind == "people":
        say(f"    = {grammar.show_counts(read)}")


def _step(
    name: str, answers: Mapping[str, Any], base: Scenario, listen: Listen, say: Say
) -> dict[str, Any]:
    """Ask which stage a step is, who does it and how long it takes."""
    stage = name if name in STAGES else _stage(name, listen, say)
    like = grammar.like_step(stage, base)
    usual = {
        "role": like.role,
        "by_hand_h": like.effort_h.expectation,
        "machine_h": like.run_h.expectation,
    }
    why = (
        "Who does it by hand (`machine`: nobody), how long that takes in hours of work, and how "
        "long a machine runs."
    )
    valid = "data scientist, 4 h, 8 h | machine, 0, 20 min"
    while True:
        say(f"  {name}: who, how long by hand, how long on a machine?")
        line = _line(grammar.show_step(usual), why, valid, listen, say)
        said = {"stage": stage, **grammar.as_step(line)} if line else {"stage": stage}
        try:
            grammar.read_step(name, said, answers, base)
            return said
        except grammar.AnswerError as error:
            _complain(error, valid, say)


def _stage(name: str, listen: Listen, say: Say) -> str:
    why = (
        "Practices such as testing change the steps of a stage, whatever they are called. `none`: "
        "no practice is about it."
    )
    valid = " | ".join(
        textwrap.wrap(", ".join([*(s for s in preset_stages() if s), "none"]), _WIDTH - 18)
    )
    while True:
        say(f"  {name}: which stage of a pipeline is it?")
        stage = _line(grammar.guessed_stage(name), why, valid, listen, say).lower()
        if not stage:
            return grammar.guessed_stage(name)
        if stage in (*STAGES, "none"):
            return stage
        _complain(grammar.AnswerError(f"no stage is called '{stage}'"), valid, say)


def preset_stages() -> list[str]:
    """Return the stages of a pipeline in their usual order."""
    return list(preset_scenario("midsize").pipeline.steps)
