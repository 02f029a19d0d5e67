"""The questions about one's own organization as a form, the same as ``python -m sim.new`` asks."""

import html
import json
from functools import cache

from sim.new.grammar import AnswerError
from sim.new.organization_yaml import organization_yaml, preset_scenario, read_answers
from sim.new.questions import PRESETS, QUESTIONS
from sim.scenario.errors import Problem, ScenarioError

MOST_BYTES = 32_000
_LONGEST = 2000
_PRESET = "preset"


@cache
def questions_form() -> str:
    """Return a field for each question, with what is taken if it is left empty."""
    preset = preset_scenario("midsize")
    options = "".join(
        f"<option{' selected' if name == 'midsize' else ''}>{name}</option>" for name in PRESETS
    )
    fields = [
        '<p><label for="q-preset">What is it most like?</label> '
        f'<select id="q-preset" name="{_PRESET}">{options}</select>'
        "<small>What you leave empty is taken from there.</small></p>"
    ]
    for question in QUESTIONS:
        field, default = f"q-{question.key}", html.escape(question.default(preset))
        why = html.escape(question.why.replace("`", ""))
        fields.append(
            f'<p><label for="{field}">{html.escape(question.prompt)}</label>'
            f'<input id="{field}" name="{question.key}" maxlength="{_LONGEST}" '
            f'placeholder="{default}" aria-describedby="{field}-why">'
            f'<small id="{field}-why">{why} '
            f"Such as: {html.escape(question.valid)}</small></p>"
        )
    return "".join(fields)


def yaml_of_answers(content: bytes) -> str:
    """Return the organization that a filled form describes, as a short file.

    Args:
        content: JSON: the preset, and what was written into the fields.

    Raises:
        ScenarioError: an answer cannot be read.
    """
    if len(content) > MOST_BYTES:
        raise ScenarioError([Problem("the form", f"is larger than {MOST_BYTES // 1000} kB")])
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not all(
        isinstance(text, str) and len(text) <= _LONGEST for text in said.values()
    ):
        raise ScenarioError([Problem("the form", "cannot be read", "send it from the page")])
    preset = said.pop(_PRESET, "midsize")
    if preset not in PRESETS:
        raise ScenarioError([Problem(_PRESET, "is not one of them", ", ".join(PRESETS))])
    try:
        answers = read_answers({key: text for key, text in said.items() if text.strip()}, preset)
    except AnswerError as error:
        key, _, what = str(error).partition(": ")
        raise ScenarioError([Problem(key, what)]) from None
    return organization_yaml(answers, preset)
