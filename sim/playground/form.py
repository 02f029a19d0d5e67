"""The forms of the page: a row for each choice and value, and a column for each organization."""

import html
import json
from collections.abc import Iterator, Mapping, Sequence

from sim.words import capitalized, readable

from .choices import (
    NO_MATURITY,
    description,
    maturities,
    mechanism,
    organizations,
    practices,
    sets,
)
from .controls import ON_CALL, YES, Control, Group, controls, roles
from .state import (
    ARMS,
    FEWEST_ARMS,
    MOST_REPLICATIONS,
    MOST_SEED,
    ROADMAP_LIMITS,
    Arm,
    RoadmapChoice,
    State,
    default_role,
    levels_of,
)

_FOLDED: Mapping[Group, str] = {
    "people": "People and services",
    "on call": "On call",
    "prices": "Prices",
}


def form(state: State, own: Mapping[str, str]) -> str:
    """Return the controls, set to ``state``.

    Args:
        state: what they show.
        own: what uploaded organizations are called, by their names.
    """
    known = {arm: controls(each.base()) for arm, each in state.arms.items()}
    names = [f"<div>{arm.upper()}</div>" for arm in state.arms]
    parts = [
        f'<div class="row names" aria-hidden="true"><span></span>{"".join(names)}</div>',
        _row(
            "organization",
            "organization",
            {name: description("organization", name) for name in organizations()},
            [_organization(arm, each, own, state) for arm, each in state.arms.items()],
        ),
        _row(
            "maturity",
            "maturity",
            {readable(name): description("maturity", name) for name in maturities()[1:]},
            [_maturity(arm, each) for arm, each in state.arms.items()],
        ),
        *_values("dials", state, known),
        *(_practice_row(state, practice) for practice in practices()),
    ]
    for group, name in _FOLDED.items():
        rows = "".join(_values(group, state, known))
        parts.append(
            f'<details id="group-{group.replace(" ", "-")}"><summary>{name}</summary>'
            f"{rows}</details>"
        )
    return "\n".join([*parts, _settings(state)])


def _row(key: str, name: str, tips: Mapping[str, str], cells: list[str]) -> str:
    """Return a row: its name, which shows a tip, and a control for each organization.

    Args:
        key: of the controls, without the arm.
        name: what they are called.
        tips: what each choice means; a single one without a name, what a value means.
        cells: the controls.
    """
    place = _place(key)
    told = "".join(
        (f"<dt>{html.escape(choice)}</dt>" if choice else "")
        + f'<dd id="{place}-{_place(choice, "")}">{html.escape(tip)}</dd>'
        for choice, tip in tips.items()
    )
    inner = "".join(f"<div>{cell}</div>" for cell in cells)
    return (
        f'<div class="row"><span class="name"><button type="button" aria-describedby="{place}">'
        f'{html.escape(name)}</button><span role="tooltip" id="{place}" class="tip" hidden>'
        f"<dl>{told}</dl></span></span>{inner}</div>"
    )


def _place(key: str, prefix: str = "tip-") -> str:
    return prefix + "".join(letter if letter.isalnum() else "-" for letter in key)


def _attributes(
    arm: str, key: str, name: str, base: str, about: str, moves: Mapping[str, str] | None = None
) -> str:
    """Return the attributes that all controls have.

    ``data-base`` is the value that the presets give: a link says only what differs from it.
    ``data-moves`` are the controls that follow, by the value that this one takes.
    """
    label = html.escape(f"{name} of {arm.upper()}")
    follow = f' data-moves="{html.escape(json.dumps(moves))}"' if moves else ""
    return (
        f'name="{arm}.{key}" data-base="{html.escape(base)}" aria-label="{label}" '
        f'aria-describedby="{_place(key)}-{_place(about, "")}"{follow}'
    )


def _moves(arm: str, each: Arm, group: str, names: Sequence[str]) -> dict[str, str]:
    """Return the names of the controls that follow a choice, by its options: what they set."""
    known = [*controls(each.base()), *(f"practice/{practice}" for practice in practices())]

    def follow(name: str) -> Iterator[str]:
        keys = sets(group, name)
        for key in known:
            is_on_call = key.startswith(f"{ON_CALL}.")
            if key in keys or (is_on_call and "incidents.on_call" in keys):
                yield f"{arm}.{key.removeprefix('practice/')}"

    return {name: " ".join(follow(name)) for name in names}


def _organization(arm: str, each: Arm, own: Mapping[str, str], state: State) -> str:
    options = {name: name for name in organizations()} | dict(own)
    # Others have other teams and roles, whatever they are called.
    parts = [control.key for control in controls(each.base()).values() if control.group in _PARTS]
    names = [f"{arm}.{key}" for key in parts]
    if state.roadmap.arm == arm:
        names.append("roadmap.role")
    moves = dict.fromkeys(options, " ".join(names))
    attributes = _attributes(
        arm, "organization", "organization", "midsize", each.organization, moves
    )
    return _select(attributes, options, each.organization)


_PARTS: tuple[Group, ...] = ("people", "on call")


def _maturity(arm: str, each: Arm) -> str:
    if not each.has_choices:
        return "<small>says all itself</small>"
    options = {name: "own mix" if name == NO_MATURITY else readable(name) for name in maturities()}
    moves = _moves(arm, each, "maturity", maturities())
    about = readable(each.maturity)
    attributes = _attributes(arm, "maturity", "maturity", NO_MATURITY, about, moves)
    return _select(attributes, options, each.maturity)


def _select(attributes: str, options: Mapping[str, str], chosen: str) -> str:
    inner = "".join(
        f'<option value="{html.escape(value)}"{" selected" if value == chosen else ""}>'
        f"{html.escape(text)}</option>"
        for value, text in options.items()
    )
    return f"<select {attributes}>{inner}</select>"


def _practice_row(state: State, practice: str) -> str:
    tips = {readable(level): mechanism(practice, level) for level in practices()[practice]}
    cells = [_practice(arm, each, practice) for arm, each in state.arms.items()]
    return _row(practice, readable(practice), tips, cells)


def _practice(arm: str, each: Arm, practice: str) -> str:
    if not each.has_choices:
        return ""
    levels = practices()[practice]
    level = levels_of(each.base())[practice]
    without = Arm(each.organization, each.maturity, files=each.files)
    base = levels_of(without.base())[practice]
    moves = _moves(arm, each, f"practice/{practice}", levels)
    moves = moves if any(moves.values()) else {}
    name = readable(practice)
    return (
        f'<input type="range" {_attributes(arm, practice, name, base, readable(level), moves)} '
        f'min="0" max="{len(levels) - 1}" step="1" value="{levels.index(level)}" '
        f'data-levels="{html.escape(json.dumps(levels))}" aria-valuetext="{readable(level)}">'
        f"<output>{readable(level)}</output>"
    )


def _values(group: Group, state: State, known: Mapping[str, Mapping[str, Control]]) -> list[str]:
    """Return a row for each value of a group that any of the organizations has."""
    found = {
        key: control
        for each in known.values()
        for key, control in each.items()
        if control.group == group
    }
    return [
        _row(
            key,
            control.label,
            {"": control.about},
            [
                _value(arm, known[arm][key], each.values.get(key, known[arm][key].text))
                if key in known[arm]
                else ""
                for arm, each in state.arms.items()
            ],
        )
        for key, control in found.items()
    ]


def _value(arm: str, control: Control, text: str) -> str:
    attributes = _attributes(arm, control.key, control.label, control.text, "")
    if control.group == "on call":
        checked = " checked" if text == YES else ""
        return f'<input type="checkbox" {attributes}{checked}>'
    if control.group == "dials":
        return (
            f'<input type="range" {attributes} min="0" max="1" step="0.01" value="{text}" '
            f'aria-valuetext="{text}"><output>{text}</output>'
        )
    step = "1" if control.is_whole else "any"
    return (
        f'<input type="number" {attributes} min="{control.low}" max="{control.high}" '
        f'step="{step}" value="{text}" required>'
    )


def _settings(state: State) -> str:
    first, last = next(iter(state.arms)), list(state.arms)[-1]
    explained = ""
    if len(state.arms) > FEWEST_ARMS:
        options = {
            arm: f"{arm.upper()} against {first.upper()}" for arm in state.arms if arm != first
        }
        menu = _select('name="explain"', options, state.explained)
        explained = f'<label class="wide">explain {menu}</label>'
    buttons = ['<button type="button" data-do="like">Make B like A</button>']
    if len(state.arms) < len(ARMS):
        after = ARMS[len(state.arms)].upper()
        buttons.append(f'<button type="button" data-do="add">Add {after}</button>')
    if len(state.arms) > FEWEST_ARMS:
        buttons.append(f'<button type="button" data-do="drop">Remove {last.upper()}</button>')
    return (
        f'<input type="hidden" name="arms" value="{len(state.arms)}">'
        f'<div class="settings"><label>seed <input type="number" name="seed" min="0" '
        f'max="{MOST_SEED}" value="{state.seed}" required></label>'
        f'<label>replications <input type="number" name="replications" min="2" '
        f'max="{MOST_REPLICATIONS}" value="{state.replications}" required></label>{explained}</div>'
        f'<div class="buttons">{"".join(buttons)}</div>'
    )


_ROADMAP_LABELS: Mapping[str, str] = {
    "week": "begins in week",
    "effort_h": "hours of work per team",
    "learning_weeks": "weeks to learn",
    "learning_slowdown": "slower at first by",
}


def roadmap_form(state: State) -> str:
    """Return the controls of the roadmap, set to ``state``."""
    chosen, default = state.roadmap, RoadmapChoice()
    arms = {arm: f"organization {arm.upper()}" for arm in state.arms}
    levels = {
        f"{practice}={level}": f"{readable(practice)}: {readable(level)}"
        for practice, known in practices().items()
        for level in known[1:]
    }
    brings = f"{chosen.practice}={chosen.level}"
    standard = f"{default.practice}={default.level}"
    of_arm = {role: readable(role) for role in roles(state.arms[chosen.arm].base())}
    selects = [
        ("arm", "in", arms, chosen.arm, default.arm),
        ("brings", "introduces", levels, brings, standard),
        ("role", "built by", of_arm, chosen.role, default_role(of_arm)),
    ]
    parts = []
    for key, label, options, value, base in selects:
        follow = json.dumps(dict.fromkeys(options, "roadmap.role")) if key == "arm" else ""
        moves = f' data-moves="{html.escape(follow)}"' if follow else ""
        attributes = f'name="roadmap.{key}" data-base="{base}"{moves}'
        parts.append(f"<label>{label} {_select(attributes, options, value)}</label>")
    for name, (low, high, is_whole) in ROADMAP_LIMITS.items():
        step = "1" if is_whole else "0.05"
        parts.append(
            f'<label>{_ROADMAP_LABELS[name]} <input type="number" name="roadmap.{name}" '
            f'data-base="{getattr(default, name):g}" min="{low:g}" max="{high:g}" step="{step}" '
            f'value="{getattr(chosen, name):g}" required></label>'
        )
    how = mechanism(chosen.practice, chosen.level)
    name = f"{capitalized(readable(chosen.practice))} {readable(chosen.level)}"
    return "".join(parts) + f'<p class="about">{name}: {html.escape(how)}</p>'


def links(state: State) -> str:
    """Return the links to what can be taken along; the page adds its state to them."""
    of_arms = "".join(
        f'<a data-href="scenario.yaml" data-arm="{arm}" download>YAML of {arm.upper()}</a>'
        for arm in state.arms
    )
    return f'{of_arms}<a data-href="table.csv" download>Table (CSV)</a>'
