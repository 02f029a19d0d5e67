"""The questions about an organization, as data: a dialog and a form ask the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sim.scenario.organization import Scenario

from . import grammar

Answers = Mapping[str, Any]
"""Answers by the key of the question, as plain data."""


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        key: names the answer.
        prompt: what is asked.
        kind: of the answer: ``name``, ``teams``, ``people``, ``services``, ``steps``, ``board``,
            ``days``, ``machines``, ``roles``, ``shares``, ``failures`` or ``duration``.
        valid: an example of each way to write the answer.
        why: what hangs on it.
        read: reads an answer, which is a text or plain data, given the answers so far.
        show: returns the answer of a preset as a text, given the answers so far.
    """

    key: str
    prompt: str
    kind: str
    valid: str
    why: str
    read: Callable[[object, Answers, Scenario], Any]
    show: Callable[[Scenario, Answers], str]

    def default(self, preset: Scenario, so_far: Answers = MappingProxyType({})) -> str:
        """Return the answer of a preset as a text, given the answers so far."""
        return self.show(preset, so_far)


QUESTIONS: tuple[Question, ...] = (
    Question(
        "name",
        "What is the organization called?",
        "name",
        "a letter, then letters, digits, _ and -: acme",
        "Reports and folders of results carry the name.",
        grammar.read_name,
        lambda *_: "mine",
    ),
    Question(
        "teams",
        "Which teams make the models, and who is in each?",
        "teams",
        "3 data scientists, 2 ml engineers | product x3: 3 data scientists; core: 2 ml engineers",
        "Work waits for people. Too few of a role, or a role that only other teams have, is where "
        "changes queue. `x3` means three such teams.",
        grammar.read_teams,
        lambda preset, _: grammar.show_teams(preset),
    ),
    Question(
        "shared_people",
        "Who works outside these teams, for all of them?",
        "people",
        "2 operations, 1 security | none",
        "Each piece of work that goes to a group outside is a handoff: a ticket in a queue.",
        grammar.read_people,
        lambda preset, _: grammar.show_counts(preset.shared_people),
    ),
    Question(
        "services",
        "Which services (models in production) are there, and whose are they?",
        "services",
        "recommender: product, churn: product | recommender, churn",
        "Each service has its own changes, outages and a model that gets worse. Of several such "
        "teams each has its own.",
        grammar.read_services,
        grammar.show_services,
    ),
    Question(
        "steps",
        "Which steps does a change take from commit to production?",
        "steps",
        "data prep, fit, ship | fit: data scientist, 4 h, 8 h; ship: operations, 1 h, 5 min",
        "Lead time is what these steps take, and the waiting between them. Say who does a step, "
        "how long it takes by hand, and how long a machine runs for it.",
        grammar.read_steps,
        lambda preset, _: grammar.show_steps(preset),
    ),
    Question(
        "board",
        "When does the board meet that approves releases?",
        "board",
        "wed 14:00 | every 2 weeks on wed at 14 | none",
        "Finished changes wait for it: half its period, on average.",
        grammar.read_board,
        lambda preset, _: grammar.show_board(preset),
    ),
    Question(
        "release_days",
        "On which days are releases made?",
        "days",
        "tue, thu | any",
        "What is finished the day after a release day waits for the next one.",
        grammar.read_days,
        lambda preset, _: grammar.show_days(preset),
    ),
    Question(
        "machines",
        "How many GPU slots for training, and CI slots for builds and tests?",
        "machines",
        "1 gpu, 2 ci | 0 gpu, 4 ci (0: there is always one free)",
        "Trainings and tests queue when all slots are taken.",
        grammar.read_machines,
        lambda preset, _: grammar.show_machines(preset),
    ),
    Question(
        "on_call",
        "Who is on call, day and night?",
        "roles",
        "operations, ml engineers | nobody",
        "Without anybody on call an incident of Friday night waits until Monday.",
        grammar.read_roles,
        grammar.show_on_call,
    ),
    Question(
        "automated",
        "Which steps does a machine do without people, and in what share of cases?",
        "shares",
        "fit 80%, ship | nothing",
        "Automated steps need no person, no handoff and no board; automation breaks at times.",
        grammar.read_shares,
        lambda *_: grammar.AS_LEVELS,
    ),
    Question(
        "fails",
        "What usually fails, and how often?",
        "failures",
        "outages 15 weeks, bad data 2%, trainings 17%, bugs 30%",
        "Failures cause the change failure rate and the time to restore. Weeks are between two "
        "outages of a service; shares are of batches of data, trainings and new features.",
        grammar.read_failures,
        lambda preset, _: grammar.show_failures(preset),
    ),
    Question(
        "exploration",
        "How long does one person work on an idea until it is committed?",
        "duration",
        "60 h | 8 days | 2 weeks (a day is 8 h of work)",
        "It decides how many changes there are to deliver.",
        grammar.read_effort,
        lambda preset, _: grammar.show_exploration(preset),
    ),
)
KEYS = tuple(question.key for question in QUESTIONS)
PRESETS = ("startup", "midsize", "scaleup", "enterprise")
"""Organizations whose values are the defaults."""
