"""The form of the page: a row of sliders for each dial and practice, a column an organization."""

import html
import json

from sim.words import readable

from .state import ARMS, DIALS, MOST_REPLICATIONS, MOST_SEED, State, maturities, organizations
from .state import practices as all_practices

_OWN_MIX = "own mix"


def form(state: State) -> str:
    """Return the controls, set to ``state``."""
    rows = [_row("organization", [_organization(state, arm) for arm in ARMS])]
    rows += [_row(dial, [_dial(state, arm, dial) for arm in ARMS]) for dial in DIALS]
    rows.append(_row("maturity preset", [_maturity(arm) for arm in ARMS]))
    rows += [
        _row(readable(practice), [_practice(state, arm, practice) for arm in ARMS])
        for practice in all_practices()
    ]
    return "\n".join(rows) + _settings(state)


def _row(name: str, controls: list[str]) -> str:
    cells = "".join(f"<div>{control}</div>" for control in controls)
    return f'<div class="row"><span aria-hidden="true">{html.escape(name)}</span>{cells}</div>'


def _label(name: str, arm: str) -> str:
    return f'aria-label="{html.escape(readable(name))} of {arm.upper()}"'


def _organization(state: State, arm: str) -> str:
    chosen = state.arms[arm].organization
    options = "".join(
        f"<option{' selected' if name == chosen else ''}>{name}</option>"
        for name in organizations()
    )
    return f'<select name="{arm}.organization" {_label("organization", arm)}>{options}</select>'


def _dial(state: State, arm: str, dial: str) -> str:
    value = state.arms[arm].dials[dial]
    return (
        f'<input type="range" name="{arm}.{dial}" min="0" max="1" step="0.01" value="{value:g}" '
        f'{_label(dial, arm)} aria-valuetext="{value:g}"><output>{value:g}</output>'
    )


def _practice(state: State, arm: str, practice: str) -> str:
    levels = all_practices()[practice]
    level = state.arms[arm].levels[practice]
    known = html.escape(json.dumps(levels))
    return (
        f'<input type="range" name="{arm}.{practice}" min="0" max="{len(levels) - 1}" step="1" '
        f'value="{levels.index(level)}" data-levels="{known}" {_label(practice, arm)} '
        f'aria-valuetext="{readable(level)}"><output>{readable(level)}</output>'
    )


def _maturity(arm: str) -> str:
    options = "".join(
        f'<option value="{html.escape(json.dumps(levels))}">{readable(name)}</option>'
        for name, levels in maturities().items()
    )
    return (
        f'<select data-preset="{arm}" {_label("maturity preset", arm)}>'
        f'<option value="">{_OWN_MIX}</option>{options}</select>'
    )


def _settings(state: State) -> str:
    return (
        '<div class="row settings">'
        f'<label>seed <input type="number" name="seed" min="0" max="{MOST_SEED}" '
        f'value="{state.seed}" required></label>'
        f'<label>replications <input type="number" name="replications" min="2" '
        f'max="{MOST_REPLICATIONS}" value="{state.replications}" required></label></div>'
    )
