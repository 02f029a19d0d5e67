"""From YAML files and overrides to a validated scenario: the edge where everything is checked."""

import re
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .errors import Problem, ScenarioError, nearest
from .organization import Scenario
from .validation import names_are_free, validate

_PACKAGE = Path(__file__).resolve().parents[1]
_IN_WHEEL = _PACKAGE / "scenarios"
_PLAIN = re.compile(rf"^({'|'.join(Scenario.model_fields)})(\.[^=/]*)?=")
SCENARIOS = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent / "scenarios"
"""The folder of the scenarios that come with the package."""


def load(*overrides: str, config: str | Path = "default") -> Scenario:
    """Compose and validate a scenario.

    Args:
        overrides: Hydra overrides such as ``"automation=0.5"`` or ``"practice/testing=full"``.
        config: name of a file in the scenarios folder, or the path of a YAML file elsewhere.

    Returns:
        The validated, frozen scenario.

    Raises:
        ScenarioError: something in the files or the overrides is not valid.
    """
    folder, name, extra = SCENARIOS, str(config), []
    path = Path(config)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ScenarioError([Problem(str(config), "no such file")])
        folder, name = path.resolve().parent, path.stem
        extra = [f"hydra.searchpath=[file://{SCENARIOS}]"]
    try:
        with hydra.initialize_config_dir(str(folder), version_base="1.3"):
            refuse_unknown_names(name, overrides, extra)
            composed = hydra.compose(name, [*extra, *add_missing(overrides)])
    except (HydraException, OmegaConfBaseException) as error:
        raise from_composition(error, overrides) from None
    return from_composed(composed)


def from_composed(composed: DictConfig) -> Scenario:
    """Validate a configuration that Hydra composed.

    Raises:
        ScenarioError: it is not a valid scenario.
    """
    try:
        data = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise from_composition(error, ()) from None
    assert isinstance(data, dict)
    return validate({str(key): value for key, value in data.items() if key != "hydra"})


def to_yaml(scenario: Scenario) -> str:
    """Return ``scenario`` as YAML that :func:`load` reads back as an equal scenario."""
    return OmegaConf.to_yaml(OmegaConf.create(scenario.model_dump(mode="json", by_alias=True)))


def add_missing(overrides: Sequence[str]) -> list[str]:
    """Let plain overrides of scenario keys also add keys that the YAML file leaves at a default.

    Hydra refuses ``a.b=1`` where the file does not mention ``b``. Whether a key exists is for the
    scenario's own validation to say, which knows all keys and names the nearest.
    """
    return [f"++{override}" if _PLAIN.match(override) else override for override in overrides]


def refuse_unknown_names(
    config_name: str, overrides: Sequence[str], extra: Sequence[str] = ()
) -> None:
    """Refuse plain overrides of a step, team, service, role or pool that the scenario lacks.

    Those names are the scenario's to choose, so that validation would take a misspelt one for a new
    one. ``+key=value`` adds a new one on purpose.

    Args:
        config_name: the scenario that Hydra, which is initialized, composes.
        overrides: what the user wrote.
        extra: further overrides that the composition needs.

    Raises:
        ScenarioError: a name is not there.
    """
    chosen = [name for override in overrides for name in _chosen_names(override)]
    if not chosen:
        return
    others = [override for override in overrides if not _PLAIN.match(override)]
    before = hydra.compose(config_name, [*extra, *others])
    for parent, name in chosen:
        siblings = OmegaConf.select(before, parent)
        names = [str(key) for key in siblings] if isinstance(siblings, DictConfig) else []
        if name not in names:
            hint = f"{nearest(name, names)} (+{parent}.{name}=... adds it)"
            raise ScenarioError([Problem(f"{parent}.{name}", "is not in this scenario", hint)])


def _chosen_names(override: str) -> list[tuple[str, str]]:
    """Return (dotted key of the mapping, name) for each freely chosen name in a plain override."""
    if not _PLAIN.match(override):
        return []
    parts = override.split("=")[0].split(".")
    return [
        (".".join(parts[:index]), parts[index])
        for index in range(1, len(parts))
        if names_are_free(parts[:index])
    ]


def from_composition(error: Exception, overrides: Sequence[str]) -> ScenarioError:
    """Translate Hydra's ``error`` while composing with ``overrides``."""
    cause = error.__cause__
    text = str(error).strip()
    if isinstance(error, MissingConfigException):
        names = sorted(path.stem for path in SCENARIOS.glob("*.yaml")) or ["default"]
        wanted = re.sub(r"\.yaml$", "", Path(error.missing_cfg_file or "?").name)
        return ScenarioError([Problem("config", f"no scenario '{wanted}'", nearest(wanted, names))])
    for override in overrides:
        key = _key(override)
        if key is None:
            return ScenarioError([Problem(override, "cannot be read as key=value")])
        top = key.split(".")[0].split("/")[0]
        if top not in Scenario.model_fields and top != "hydra" and key in text:
            groups = {path.name for path in SCENARIOS.iterdir() if path.is_dir()}
            hint = nearest(top, sorted({*Scenario.model_fields, *groups}))
            return ScenarioError([Problem(key, f"unknown key (override {override!r})", hint)])
    line = (str(cause) if isinstance(cause, OmegaConfBaseException) else text).splitlines()[0]
    key = getattr(cause or error, "full_key", None) or "overrides"
    return ScenarioError([Problem(str(key), line)])


def _key(override: str) -> str | None:
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException:
        return None
    return parsed.key_or_group
