"""The values of a scenario that a page has controls for: a closed list with limits."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from sim.scenario.organization import Scenario
from sim.words import readable

Group = Literal["dials", "people", "on call", "prices"]
ON_CALL = "on_call"
_MOST_PEOPLE, _MOST_TEAMS, _MOST_SERVICES = 60, 40, 20
YES, NO = "yes", "no"


class Control(NamedTuple):
    """A number of a scenario that a page can change.

    Attributes:
        key: dotted key of the scenario; of being on call, :data:`ON_CALL` and the role.
        label: what it is called.
        group: controls of the same group stand together.
        text: its value before anybody changes it.
        low: the lowest value.
        high: the highest value.
        is_whole: whether it is a whole number.
        about: what it does in the model.
    """

    key: str
    label: str
    group: Group
    text: str
    low: float
    high: float
    is_whole: bool
    about: str


_DIALS = {
    "automation": "a machine does this share of the step executions: nobody waits for a person, "
    "and what it can test it tests every time",
    "standardization": "this share of the services is on the golden path: in the same environment "
    "as the others, so that less fails that worked elsewhere, and machines are pooled",
}
_PRICES: Mapping[str, tuple[str, float, str]] = {
    "person_per_h": ("person, per hour", 10_000, "what an hour of a person costs, all in"),
    "downtime_per_h": ("downtime, per hour", 1e7, "what an hour without a service costs"),
    "degraded_per_h": ("degraded, per hour", 1e7, "what an hour with a degraded service costs"),
    "feature_worth": ("worth of a feature", 1e8, "what a delivered feature brings over its life"),
    "feature_life_weeks": ("life of a feature, weeks", 5200, "how long a feature brings its worth"),
}


def controls(scenario: Scenario) -> dict[str, Control]:
    """Return the controls of a scenario by key, with its values."""
    return {control.key: control for control in _controls(scenario)}


def _controls(scenario: Scenario) -> Iterator[Control]:
    for dial, about in _DIALS.items():
        yield Control(dial, dial, "dials", _text(getattr(scenario, dial)), 0, 1, False, about)
    for name, team in scenario.teams.items():
        label = f"{readable(name)} teams"
        about = f"how many teams are like the {readable(name)} team; each has its own services"
        yield _number(f"teams.{name}.count", label, team.count, 1, _MOST_TEAMS, about)
        for role, headcount in team.people.items():
            label = f"{readable(role)}, {readable(name)}"
            about = "people of this role in each such team: work waits for them when all are busy"
            key = f"teams.{name}.people.{role}"
            yield _number(key, label, headcount, 0, _MOST_PEOPLE, about)
    for role, headcount in scenario.shared_people.items():
        about = "people of this group, which serves all teams: each change is handed over to them"
        key, label = f"shared_people.{role}", f"{readable(role)}, shared"
        yield _number(key, label, headcount, 0, _MOST_PEOPLE, about)
    for name, service in scenario.services.items():
        about = "services of this kind per team: each has changes, incidents and a model of its own"
        key, label = f"services.{name}.count", f"{readable(name)} services"
        yield _number(key, label, service.count, 1, _MOST_SERVICES, about)
    for role in roles(scenario):
        text = YES if role in scenario.incidents.on_call else NO
        about = "on call, people of this role respond to incidents at night and on weekends too"
        yield Control(f"{ON_CALL}.{role}", readable(role), "on call", text, 0, 1, True, about)
    for price, (label, high, about) in _PRICES.items():
        value = getattr(scenario.cost, price)
        low = 1 if price == "feature_life_weeks" else 0
        high = max(high, value)
        yield Control(f"cost.{price}", label, "prices", _text(value), low, high, False, about)
    for kind, value in scenario.cost.compute_per_h.items():
        label, about = f"{readable(kind)}, per hour", "what an hour of such a machine costs"
        key, high = f"cost.compute_per_h.{kind}", max(10_000, value)
        yield Control(key, label, "prices", _text(value), 0, high, False, about)


def roles(scenario: Scenario) -> list[str]:
    """Return the roles of a scenario: of teams, shared groups, and those that others play."""
    found: dict[str, None] = {}
    for team in scenario.teams.values():
        found |= dict.fromkeys([*team.people, *team.plays])
    return list(found | dict.fromkeys(scenario.shared_people))


def overrides(scenario: Scenario, changed: Mapping[str, str]) -> list[str]:
    """Return what the command line says to change values.

    Args:
        scenario: the one before.
        changed: values by the key of their control.
    """
    plain = [f"{key}={text}" for key, text in changed.items() if not _is_on_call(key)]
    of_roles = {key.partition(".")[2]: text for key, text in changed.items() if _is_on_call(key)}
    if not of_roles:
        return plain
    kept = [role for role in scenario.incidents.on_call if of_roles.get(role) != NO]
    added = [role for role, text in of_roles.items() if text == YES and role not in kept]
    return [*plain, f"incidents.on_call=[{','.join([*kept, *added])}]"]


def _is_on_call(key: str) -> bool:
    return key.partition(".")[0] == ON_CALL


def _number(key: str, label: str, value: int, low: int, high: int, about: str) -> Control:
    return Control(key, label, "people", str(value), low, max(high, value), True, about)


def _text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
