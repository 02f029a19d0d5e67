"""The generated files are in step with the models, and the models and scenarios document all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from sim.scenario import documentation, organization
from sim.scenario.distributions import KINDS
from sim.scenario.files import SCENARIOS

MODELS = [
    model
    for model in vars(organization).values()
    if isinstance(model, type)
    and issubclass(model, organization.Spec)
    and not model.__name__.startswith("_")
] + list(KINDS.values())
FILES = sorted(
    path
    for path in SCENARIOS.rglob("*.yaml")
    if path.parent.name != "claims"  # no scenarios
)
CALIBRATED = [
    path
    for path in FILES
    if path.name == "default.yaml"
    or path.relative_to(SCENARIOS).parts[0] in ("organization", "practice", "maturity")
]
NEED_NO_SOURCE = {"replications", "seed", "horizon_weeks", "warmup_weeks", "n_jobs"}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(documentation.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("path", "text"), documentation.texts().items(), ids=lambda value: getattr(value, "name", "")
)
def test_generated_files_are_in_step(path: Path, text: str) -> None:
    in_step = path.read_text(encoding="utf-8") == text
    assert in_step, f"{path.name} is out of step; renew it with: {documentation.COMMAND}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SCENARIOS)))
def test_scenario_files_follow_the_schema_that_they_name(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    text = path.read_text(encoding="utf-8")
    validator.validate(yaml.safe_load(text))
    (named,) = [
        line.partition("$schema=")[2]
        for line in text.splitlines()
        if line.startswith("# yaml-language-server:")
    ]
    assert (path.parent / named).resolve() == documentation.SCHEMA


@pytest.mark.parametrize(
    "data",
    [
        {"defaults": ["default", "_self_"], "name": "mine", "automation": 0.5},
        {"hydra": {"run": {"dir": "here"}}},
        {"pipeline": {"steps": {"train": {"run_h": 3}}}},
        {"pipeline": {"steps": {"train": {"run_h": {"mean": 24}}}}},
        {"services": {"model": {"quality": {"decay": {"loss_per_week": 0.1}}}}},
        {"services": {"model": {"data": {"corruption": {"schema": 2}}}}},
        {"changes": {"improvement": {"interarrival_h": None}}},
    ],
)
def test_the_schema_accepts_files_that_build_on_others(
    data: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    assert validator.is_valid(data)


@pytest.mark.parametrize(
    "data",
    [
        {"atomation": 0.5},
        {"automation": 1.5},
        {"automation": "much"},
        {"teams": {"two words": {"people": {}}}},
        {"pipeline": {"steps": {"train": {"run": 3}}}},
        {"pipeline": {"steps": {"train": {"run_h": -3}}}},
        {"pipeline": {"steps": {"train": {"run_h": {"dist": "lognormall", "mean": 3}}}}},
        {"pipeline": {"steps": {"train": {"adds": {"bugs": {"manual": 0.1}}}}}},
        {"services": {"model": {"quality": {"decay": {"shape": "square"}}}}},
    ],
)
def test_the_schema_points_out_mistakes(
    data: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    assert not validator.is_valid(data)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_has_a_description_and_every_number_a_unit(model: type[BaseModel]) -> None:
    assert model.__doc__
    for name, described in model.model_fields.items():
        assert described.description or name == "dist", f"{model.__name__}.{name} is not described"
    for name, field in model.model_json_schema()["properties"].items():
        has_unit = "unit" in field or not _is_numeric(field)
        assert has_unit, f"{model.__name__}.{name} has no unit"


def _is_numeric(node: dict[str, Any]) -> bool:
    """Return whether the schema ``node`` allows a number, perhaps as an entry of a collection."""
    inner = [*node.get("anyOf", ()), *node.get("patternProperties", {}).values()]
    inner += [node[key] for key in ("items", "additionalProperties") if node.get(key)]
    return node.get("type") in ("number", "integer") or any(map(_is_numeric, inner))


def test_every_key_is_in_the_parameter_reference() -> None:
    text = documentation.parameters_text()
    for model in MODELS:
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in text or name == "dist"


@pytest.mark.parametrize("path", CALIBRATED, ids=lambda path: str(path.relative_to(SCENARIOS)))
def test_every_number_of_the_calibrated_scenarios_has_a_source(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bare = [
        value.key
        for value in documentation.values(text)
        if not value.source
        and value.key not in {"defaults", *NEED_NO_SOURCE}
        and _has_number(value.text)
    ]
    assert not bare, f"no comment with a source, or 'guess', beside {', '.join(bare)}"


def _has_number(text: str) -> bool:
    return any(isinstance(leaf, int | float) for leaf in _scalars(yaml.safe_load(text)))


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _scalars(entry)
    elif not isinstance(value, bool):
        yield value


def test_the_comment_that_opens_a_file_is_read_by_its_headings(tmp_path: Path) -> None:
    path = tmp_path / "full.yaml"
    path.write_text(
        "# @package _global_\n# yaml-language-server: $schema=a\n# What it is,\n"
        "# in two lines: so.\n#\n# Mechanism: one\n# and another.\n# Tools: a, b.\n"
        "a: 1  # guess\n# Price: none\n",
        encoding="utf-8",
    )
    assert documentation.headings(path) == {
        "": "What it is, in two lines: so.",
        "Mechanism": "one and another.",
        "Tools": "a, b.",
    }


def test_sources_are_beside_a_value_or_on_the_lines_above_it() -> None:
    text = """\
# about the file

a: 1  # beside
# above,
# in two lines
b: {c: 2, d: "no # comment"}
e:  # of all below
  f: {dist: exponential, mean: 3}
  g: [1, 2]  # its own
h: 4
"""
    found = {value.key: (value.text, value.source) for value in documentation.values(text)}
    assert found == {
        "a": ("1", "beside"),
        "b.c": ("2", "above, in two lines"),
        "b.d": ('"no # comment"', "above, in two lines"),
        "e.f": ("{dist: exponential, mean: 3}", "of all below"),
        "e.g": ("[1, 2]", "its own"),
        "h": ("4", ""),
    }


def numbers(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, schema) of every number that a scenario may hold."""
    if isinstance(node, dict):
        if node.get("type") in ("number", "integer"):
            yield where, node
        for key, entry in node.items():
            yield from numbers(entry, f"{where}/{key}")
    elif isinstance(node, list):
        for entry in node:
            yield from numbers(entry, where)


def test_every_number_has_a_lower_and_an_upper_bound() -> None:
    found = list(numbers(organization.Scenario.model_json_schema()))
    assert len(found) > 100
    for where, node in found:
        assert {"minimum", "exclusiveMinimum"} & node.keys(), where
        assert {"maximum", "exclusiveMaximum"} & node.keys(), where
