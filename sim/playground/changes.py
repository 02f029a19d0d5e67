"""What is different in another organization, read from the two scenarios, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from sim.report.units import count_noun, format_given
from sim.scenario.organization import STAGES, Scenario
from sim.words import capitalized, listed, readable

from .choices import file_of, leaves, mechanism, said
from .controls import YES, Control, Group, controls
from .state import NO_LEVEL, levels_of

_SETTINGS = frozenset(
    {"name", "description", "practices", "practice_reach", "seed", "replications"}
)
"""Parts of a scenario that are no mechanism."""
_MOST_SHOWN = 6
_Values = dict[str, tuple[object, object]]
"""Of two scenarios, by dotted key; None for what one of them does not have."""


def changes(first: Scenario, other: Scenario) -> list[str]:
    """Say in which values two scenarios differ, by mechanism, and what each does in the model."""
    is_another = not _has_same_parts(first, other)
    lines = [*_size(first, other)] if is_another else []
    lines += _of_controls(first, other, is_another)
    known = set(controls(first)) | set(controls(other))
    left = {
        key: pair
        for key, pair in _differing(first, other).items()
        if not _is_told(key, known, is_another)
    }
    levels = [levels_of(scenario) for scenario in (first, other)]
    for practice, level in levels[1].items():
        before = levels[0][practice]
        if before != level:
            gone = level == NO_LEVEL
            how = mechanism(practice, before if gone else level)
            name = f"{capitalized(readable(practice))} {readable(before)} → {readable(level)}"
            lines.append(f"{name}: {'no longer: ' if gone else ''}{how[0].lower()}{how[1:]}")
            left = _without_level(left, practice, before, level, other)
    return lines + list(_others(left))


def _differing(first: Scenario, other: Scenario) -> _Values:
    one, two = (_leaves(each.model_dump(mode="json", by_alias=True)) for each in (first, other))
    return {
        key: (one.get(key), two.get(key))
        for key in dict.fromkeys([*one, *two])
        if one.get(key) != two.get(key) and key.split(".")[0] not in _SETTINGS
    }


def _leaves(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted key; a distribution is one value, and an empty mapping is none."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and "dist" not in value:
            found |= {f"{key}.{rest}": inner for rest, inner in _leaves(value).items()}
        else:
            found[key] = value
    return found


# --- what has a control ---------------------------------------------------------------------------


def _has_same_parts(first: Scenario, other: Scenario) -> bool:
    return all(
        getattr(first, part).keys() == getattr(other, part).keys()
        for part in ("teams", "shared_people", "services")
    )


def _size(first: Scenario, other: Scenario) -> Iterator[str]:
    """Say how large both are."""
    before, after = (_in_numbers(scenario) for scenario in (first, other))
    yield f"Another organization, with {after} instead of {before}."


def _in_numbers(scenario: Scenario) -> str:
    teams = sum(team.count for team in scenario.teams.values())
    people = sum(team.count * sum(team.people.values()) for team in scenario.teams.values())
    services = sum(
        scenario.teams[service.team].count * service.count for service in scenario.services.values()
    )
    everybody = people + sum(scenario.shared_people.values())
    numbers = [count_noun(teams, "team"), count_noun(everybody, "person")]
    numbers[1] = numbers[1].replace("persons", "people")
    return listed([*numbers, count_noun(services, "service")])


def _of_controls(first: Scenario, other: Scenario, is_another: bool) -> Iterator[str]:
    """Say which values with a control differ, where both scenarios have it."""
    before, after = controls(first), controls(other)
    moved = [
        (before[key], control)
        for key, control in after.items()
        if key in before
        and before[key].text != control.text
        and not (is_another and control.group == "people")
    ]
    for old, new in moved:
        if new.group == "dials":
            yield f"{capitalized(new.label)} {_change(old, new)}: {new.about}."
    for group, name in _LISTED.items():
        of_group = [pair for pair in moved if pair[1].group == group]
        if of_group:
            told = listed([f"{new.label} {_change(old, new)}" for old, new in of_group])
            abouts = dict.fromkeys(new.about for _, new in of_group)
            why = f": {next(iter(abouts))}" if len(abouts) == 1 else ""
            yield f"{name}: {told}{why}."


_LISTED: Mapping[Group, str] = {
    "people": "People and services",
    "on call": "On call",
    "prices": "Prices",
}


def _change(old: Control, new: Control) -> str:
    if new.group == "on call":
        return "joins" if new.text == YES else "leaves"
    return f"{format_given(float(old.text))} → {format_given(float(new.text))}"


def _is_told(key: str, known: set[str], is_another: bool) -> bool:
    """Return whether the lines about controls and size already say this."""
    part = key.partition(".")[0]
    return (
        key in known
        or key == "incidents.on_call"
        or (is_another and part in ("teams", "shared_people", "services"))
    )


# --- levels, and what is left ---------------------------------------------------------------------


def _without_level(
    left: _Values, practice: str, before: str, level: str, other: Scenario
) -> _Values:
    """Return the differences that the levels of a practice do not explain.

    A level explains a value that it sets, and one that the level before has set. What the scenario
    itself says instead is not the level's.
    """
    old, new = (leaves(said(file_of(f"practice/{practice}", each))) for each in (before, level))

    def explains(key: str, before: object, after: object) -> bool:
        of_stage = _of_stage(key, other)
        if any(each == of_stage or each.startswith(f"{of_stage}.") for each in new):
            return _sets(new, of_stage, after)
        return _sets(old, of_stage, before)

    return {key: pair for key, pair in left.items() if not explains(key, *pair)}


def _sets(level: Mapping[str, Any], key: str, value: object) -> bool:
    """Return whether a level sets a key, of a distribution some part, to a value."""
    if key in level:
        return bool(level[key] == value)
    of_parts = {each.removeprefix(f"{key}."): said for each, said in level.items()}
    inside = {part: said for part, said in of_parts.items() if f"{key}.{part}" in level}
    if isinstance(value, Mapping):
        return bool(inside) and all(value.get(part) == said for part, said in inside.items())
    return False


def _of_stage(key: str, scenario: Scenario) -> str:
    """Return the key of a step as the files of practices have it: by its stage."""
    parts = key.split(".")
    if parts[:2] == ["pipeline", "steps"] and parts[2] in scenario.pipeline.steps:
        stage = scenario.pipeline.steps[parts[2]].stage
        if stage in STAGES:
            parts[2] = stage
    return ".".join(parts)


def _others(left: _Values) -> Iterator[str]:
    """Say what else differs, key by key as long as that is little."""
    shown = list(left.items())[:_MOST_SHOWN]
    for key, (before, after) in shown:
        yield f"{capitalized(_in_words(key))}: {_value(before)} → {_value(after)}."
    if len(left) > len(shown):
        parts = dict.fromkeys(readable(key.split(".")[0]) for key in list(left)[_MOST_SHOWN:])
        more = count_noun(len(left) - len(shown), "more value")
        yield f"And {more}, of {listed(list(parts))}."


def _in_words(key: str) -> str:
    parts = [part for part in key.split(".") if part not in ("pipeline", "steps", "responses")]
    return ", ".join(readable(part) for part in parts)


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format_given(value)
    if isinstance(value, Mapping):
        parts = {key: said for key, said in value.items() if key not in ("dist", "value")}
        return ", ".join(f"{readable(key)} {_value(said)}" for key, said in parts.items()) or (
            _value(value.get("value"))
        )
    if isinstance(value, list | tuple):
        return listed([_value(each) for each in value]) or "none"
    return readable(str(value)) if isinstance(value, str) else "none"
