"""Writes what is generated from the models: ``python -m sim.scenario.documentation``.

``scenarios/schema.json`` lets editors complete and check scenario files as they are typed;
``docs/parameters.md`` is the reference of all parameters, ``docs/practices.md`` that of
organizations, practices and maturity presets. All need the source tree.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticUndefined
from pydantic_core.core_schema import CoreSchema

from . import organization
from .distributions import KINDS
from .files import SCENARIOS, level_order

SCHEMA = SCENARIOS / "schema.json"
PARAMETERS = SCENARIOS.parent / "docs" / "parameters.md"
PRACTICES = SCENARIOS.parent / "docs" / "practices.md"
COMMAND = "python -m sim.scenario.documentation"

Node = dict[str, Any]
"""A (part of a) JSON Schema."""

_DISTRIBUTION = "#/$defs/Distribution"
_WORDS = ("name", "description", "practices")  # say what was chosen, and do nothing
_SAME_UNIT = "that of the key"  # of the parameters of distributions

_INTRODUCTION = """\
# Parameters

<!-- Generated from the models by `{command}`; edit sim/scenario/ or scenarios/default.yaml. -->

Every key of a scenario, in the order of the file. `python -m sim KEY=VALUE` sets any of them, e.g.
`python -m sim pipeline.steps.train.run_h.mean=24`; a name in angle brackets is the scenario's to
choose. The defaults of the models are neutral (no decay, no defects, no failures), so that a
scenario says all that happens in it; the organization that `python -m sim` simulates is
[scenarios/default.yaml](../scenarios/default.yaml) with what that file chooses from the groups
`organization` and `practice/...`. Their numbers and sources are
[at the end](#values-of-the-default-scenario).

Ranges: `[` and `]` include the bound, `(` and `)` do not. Units: `h` are hours of the clock, nights
and weekends included; `h of effort` are hours of one person's focused work, which only pass in
working hours.
"""

_DISTRIBUTIONS = """\
## Distributions

A duration is a mapping such as `{dist: lognormal, mean: 6, cv: 1}`, or a bare number for a
constant. Parameters have the unit of the key; `cv`, the standard deviation over the mean, has none.
Writing another `dist` over one that a file builds on leaves that one's parameters behind; they are
ignored. The same holds for the `shape` of a decay.
"""

MOMENTS = {
    "constant": ("value", "0"),
    "exponential": ("mean", "1"),
    "lognormal": ("mean", "cv"),
    "gamma": ("mean", "cv"),
    "triangular": (
        "(low + mode + high) / 3",
        "sqrt((low - mode)**2 + (mode - high)**2 + (high - low)**2) / 6 / mean",
    ),
    "pert": ("(low + 4 * mode + high) / 6", "sqrt((mean - low) * (high - mean) / 7) / mean"),
    "uniform": ("(low + high) / 2", "(high - low) / sqrt(12) / mean"),
    "empirical": ("fmean(values)", "pstdev(values) / mean"),
}
"""Mean and coefficient of variation of each distribution as formulas of its parameters."""

_VALUES = """\
## Values of the default scenario

The source is the comment beside the value in the file. "guess" is a plausible value that nobody has
measured: to be swept, not trusted. Keys that the file leaves out are at the defaults above. These
are the values without any practice; what the file chooses from the groups below is laid over them.
"""

_CHOICES = """\
## Values of the organizations and practices

`python -m sim organization=scaleup practice/testing=full` chooses. `none` of each practice leaves
everything as it is. [practices.md](practices.md) tells what the levels are.
"""


HEADINGS = ("Mechanism", "Why by that much", "Price", "Tools")
"""Paragraphs of the comment that opens the file of a level, after its description."""

_PRACTICES = """\
# Organizations, practices and maturity presets

<!-- Generated from the comments in scenarios/ by `{command}`; edit those. -->

`python -m sim organization=scaleup practice/testing=full practice/compute=autoscaled` composes any
mix, and `maturity=google_1` chooses a level of every practice at once; what is written on the
command line counts more than a preset. `default` is `organization=midsize` with every practice at
`basic`.

A practice changes mechanisms and never a metric, and it has a price. Its numbers with their sources
are in [parameters.md](parameters.md#values-of-the-organizations-and-practices). No two practices
set the same key, so that their order does not matter. `~practice/testing` leaves one out, which is
the same as `none`.
"""

_MATURITY = """\
## Maturity presets
"""


@dataclass(frozen=True)
class Value:
    """One value in a scenario file.

    Attributes:
        key: dotted key.
        text: the value as it is written.
        source: the comment beside or above it; empty if there is none.
    """

    key: str
    text: str
    source: str


def main() -> None:
    """Write all files."""
    if not PARAMETERS.parent.is_dir():
        sys.exit(f"{PARAMETERS.parent} does not exist: run this in the source tree")
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")


def texts() -> dict[Path, str]:
    """Return what is generated, by file."""
    return {
        SCHEMA: schema_text(),
        PARAMETERS: parameters_text(),
        PRACTICES: practices_text(),
    }


def schema_text() -> str:
    """Return the JSON Schema for editors.

    It is more permissive than the validation of a composed scenario: a file may leave out what the
    files that it builds on say, and may have Hydra's own keys.
    """
    schema = _for_editors(_schema())
    schema["properties"] |= {
        "defaults": {"type": "array", "description": "Files that this one builds on (Hydra)."},
        "hydra": {"type": "object", "description": "Settings of Hydra itself."},
        "_record_": {"type": "string", "description": "Checksum of the records of a file."},
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Scenario"}
    return json.dumps(head | schema, indent=1) + "\n"


def parameters_text() -> str:
    """Return the parameter reference as Markdown."""
    schema = _schema()
    places: dict[str, list[str]] = {}
    for model, key in _places(schema, schema, ""):
        places.setdefault(model, []).append(key)
    sections = [_INTRODUCTION.format(command=COMMAND), _section("Scenario", schema, [])]
    sections += [_section(model, schema["$defs"][model], places[model]) for model in places]
    sections += [_distributions(schema), _values(schema), _choices(schema)]
    return "\n".join(sections)


def practices_text() -> str:
    """Return the reference of organizations, practices and maturity presets as Markdown."""
    lines = [_PRACTICES.format(command=COMMAND)]
    rows = [(f"`{path.stem}`", headings(path)[""]) for path in _options("organization")]
    lines += ["## Organizations", "", *_table(("organization", "what"), rows), ""]
    lines += ["## Practices", ""]
    for folder in sorted((SCENARIOS / "practice").iterdir()):
        levels = [
            (f"`{path.stem}`", *(headings(path).get(name, "") for name in ("", *HEADINGS)))
            for path in sorted(folder.glob("*.yaml"), key=by_level)
        ]
        header = ("level", "what", *(name.lower() for name in HEADINGS))
        lines += [f"### practice/{folder.name}", "", *_table(header, levels), ""]
    lines += [_MATURITY]
    rows = [(f"`{path.stem}`", headings(path)[""]) for path in _options("maturity")]
    return "\n".join([*lines, *_table(("maturity", "what"), rows), ""])


def headings(path: Path) -> dict[str, str]:
    """Return the paragraphs of the comment that opens a file, by the word that each begins with.

    The first paragraph has no such word; those of :data:`HEADINGS` have, up to a colon.
    """
    found: dict[str, str] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if line.startswith(("# @package", "# yaml-language-server")):
            continue
        text = line.removeprefix("#").strip()
        word, colon, rest = text.partition(": ")
        if colon and word in HEADINGS:
            name, text = word, rest
        found[name] = f"{found.get(name, '')} {text}".strip()
    return found


def by_level(path: Path) -> tuple[int, str]:
    """Order the files of the levels of a practice."""
    return level_order(path.stem)


def values(text: str) -> list[Value]:
    """Return every value of the scenario file ``text``; distributions and lists are one value."""
    root = yaml.compose(text, yaml.SafeLoader)
    assert root is not None
    return list(_leaves(root, (), text, _sources(text), ""))


class _NamesForReaders(GenerateJsonSchema):
    def normalize_name(self, name: str) -> str:
        """Name parts as people do: a `TeamSpec` is what a file says of a team."""
        return super().normalize_name(name).removesuffix("Spec")

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:
        return False


def _schema() -> Node:
    """Return the JSON Schema of a scenario in which all distributions are one definition."""
    schema = organization.Scenario.model_json_schema(schema_generator=_NamesForReaders)
    schema["$defs"]["Distribution"] = {}
    definition: Node = _share_distributions(schema, schema["$defs"]["Distribution"])
    return definition


def _share_distributions(node: Any, definition: Node) -> Any:
    """Replace each spelled-out distribution in ``node`` by a reference, and fill ``definition``."""
    if isinstance(node, list):
        return [_share_distributions(entry, definition) for entry in node]
    if not isinstance(node, dict):
        return node
    for key in node:
        node[key] = _share_distributions(node[key], definition)
    choices = node.get("anyOf", [])
    spelled_out = [c for c in choices if c.get("discriminator", {}).get("propertyName") == "dist"]
    if spelled_out:
        number = choices[0]
        definition |= {
            "description": "A distribution, or a number for a constant.",
            "anyOf": [number, *spelled_out[0]["oneOf"]],
        }
        reference = {"$ref": _DISTRIBUTION}
        node["anyOf"] = [reference, *(c for c in choices if c not in (number, spelled_out[0]))]
    return node


def _for_editors(node: Any) -> Any:
    if isinstance(node, list):
        return [_for_editors(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    result = {key: _for_editors(entry) for key, entry in node.items()}
    result.pop("required", None)
    if isinstance(result.get("default"), dict):  # the defaults of a part are at its own keys
        del result["default"]
    if "patternProperties" in result:
        result["additionalProperties"] = False
    if "patternProperties" in result or "propertyNames" in result:
        _let_entries_go(result)
    if result.pop("discriminator", None) is not None:  # without `required` several may match
        result["anyOf"] = result.pop("oneOf")
    unit = result.pop("unit", "-")
    if unit != "-":
        result["description"] += f" [{unit}]"
    return result


def _let_entries_go(mapping: Node) -> None:
    """Let a file drop the entries of a mapping, and replace all of them."""
    mapping.pop("minProperties", None)
    null = {"type": "null"}
    patterns = mapping.get("patternProperties", {})
    for pattern, entry in patterns.items():
        patterns[pattern] = {"anyOf": [entry, null]}
    if "propertyNames" in mapping:
        names = mapping["propertyNames"]
        mapping["propertyNames"] = {"anyOf": [names, {"const": "_replace_"}]}
        mapping["additionalProperties"] = {"anyOf": [mapping["additionalProperties"], null]}
    words = "These entries replace all that the file builds on."
    mapping["properties"] = {"_replace_": {"const": True, "description": words}}


def _places(schema: Node, node: Node, key: str) -> Iterator[tuple[str, str]]:
    """Yield (model, dotted key) of every model below ``node``, depth first."""
    if "$ref" in node:
        model = node["$ref"].rsplit("/", 1)[-1]
        if node["$ref"] != _DISTRIBUTION:
            yield model, key
            yield from _places(schema, schema["$defs"][model], key)
        return
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _places(schema, choice, key)
    for name, entry in node.get("properties", {}).items():
        yield from _places(schema, entry, f"{key}.{name}".lstrip("."))
    if "items" in node:
        yield from _places(schema, node["items"], f"{key}.<number>")
    placeholder = "<kind>" if "propertyNames" in node else "<name>"
    for entry in _entries(node):
        yield from _places(schema, entry, f"{key}.{placeholder}")


def _entries(node: Node) -> list[Node]:
    """Return the schemas of the values of a mapping with free or enumerated names."""
    others = node.get("additionalProperties")
    return [
        *node.get("patternProperties", {}).values(),
        *([others] if isinstance(others, dict) else []),
    ]


def _section(name: str, node: Node, places: Sequence[str]) -> str:
    here = vars(organization)
    model: type[BaseModel] = here.get(f"{name}Spec") or here[name]  # see `_NamesForReaders`
    fields = {field.alias or key: field for key, field in model.model_fields.items()}
    rows = []
    for key, entry in node["properties"].items():
        default = fields[key].default
        shown = "required" if default is PydanticUndefined else f"`{_flow(default)}`"
        if isinstance(default, BaseModel) and not default.model_fields_set:
            shown = "its defaults"
        unit = entry.get("unit", "-")
        # The schema leaves it out where it equals the docstring of the model there.
        meaning = fields[key].description or ""
        rows.append((f"`{key}`", meaning, unit, _range(entry), shown))
    at = ", ".join(f"`{place}`" for place in places)
    lines = [f"## {name}", "", node["description"], ""]
    if at:
        lines += [f"At {at}.", ""]
    header = ("key", "meaning", "unit", "range", "default of the model")
    return "\n".join([*lines, *_table(header, rows), ""])


def _distributions(schema: Node) -> str:
    rows = []
    for name, model in KINDS.items():
        properties = schema["$defs"][model.__name__]["properties"]
        parameters = "; ".join(
            f"`{key}` {_range(entry)}" for key, entry in properties.items() if key != "dist"
        )
        mean, cv = (f"`{formula}`" for formula in MOMENTS[name])
        meaning = schema["$defs"][model.__name__]["description"]
        rows.append((f"`{name}`", parameters, mean, cv, meaning))
    header = ("dist", "parameters", "mean", "cv", "meaning")
    return "\n".join([_DISTRIBUTIONS, *_table(header, rows), ""])


def _values(schema: Node) -> str:
    groups: dict[str, list[tuple[str, ...]]] = {}
    for value in values((SCENARIOS / "default.yaml").read_text(encoding="utf-8")):
        parts = value.key.split(".")
        if parts[0] != "defaults":
            group = parts[0] if len(parts) > 1 else "settings"
            groups.setdefault(group, []).append(_row(schema, value))
    lines = [_VALUES]
    for group, rows in groups.items():
        lines += [f"### {group}", "", *_table(("key", "value", "unit", "source"), rows), ""]
    return "\n".join(lines)


def _choices(schema: Node) -> str:
    lines = [_CHOICES]
    for path in [*_options("organization"), *_options("practice/*")]:
        found = values(path.read_text(encoding="utf-8"))
        rows = [_row(schema, value) for value in found if value.key.split(".")[0] not in _WORDS]
        if rows:
            name = path.relative_to(SCENARIOS).with_suffix("").as_posix()
            lines += [f"### {name}", "", *_table(("key", "value", "unit", "source"), rows), ""]
    return "\n".join(lines)


def _options(group: str) -> list[Path]:
    return sorted(SCENARIOS.glob(f"{group}/*.yaml"))


def _row(schema: Node, value: Value) -> tuple[str, str, str, str]:
    unit = _unit(schema, value.key.split("."))
    return f"`{value.key}`", f"`{value.text}`", unit, value.source


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _range(node: Node) -> str:
    """Put into words which values ``node`` allows."""
    if "$ref" in node:
        model = node["$ref"].rsplit("/", 1)[-1]
        anchor = "distributions" if node["$ref"] == _DISTRIBUTION else model.lower()
        return f"[{model}](#{anchor})"
    if "anyOf" in node or "oneOf" in node:
        return " or ".join(_range(choice) for choice in node.get("anyOf") or node["oneOf"])
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{entry}`" for entry in node["enum"])
    kind = str(node.get("type", ""))
    if kind == "array":
        at_least = "non-empty " if node.get("minItems") else ""
        return f"{at_least}list of {_range(node['items'])}"
    if kind == "object":
        names = _range(node["propertyNames"]) if "propertyNames" in node else "name"
        at_least = "non-empty " if node.get("minProperties") else ""
        inner = [_range(entry) for entry in _entries(node)] or ["values"]
        return f"{at_least}mapping of {names} to {inner[0]}"
    if kind in ("number", "integer"):
        return "integer in " * (kind == "integer") + _interval(node)
    plain = {"boolean": "`true`, `false`", "null": "`null`"}
    return plain.get(kind, "name" if "pattern" in node else "text")


def _interval(node: Node) -> str:
    lower = [(node[key], key) for key in ("minimum", "exclusiveMinimum") if key in node]
    upper = [(node[key], key) for key in ("maximum", "exclusiveMaximum") if key in node]
    # Of two bounds alike the exclusive one is the stricter.
    low, low_key = max(lower, default=("-∞", "exclusive"), key=lambda b: (b[0], b[1] != "minimum"))
    high, high_key = min(upper, default=("∞", "exclusive"), key=lambda b: (b[0], b[1] == "maximum"))
    opening = "[" if low_key == "minimum" else "("
    closing = "]" if high_key == "maximum" else ")"
    return f"{opening}{_bound(low)}, {_bound(high)}{closing}"


def _bound(bound: object) -> str:
    """Return ``bound`` the way one says it: 1e9 instead of 1000000000.0."""
    if not isinstance(bound, float):
        return str(bound)
    return f"{bound:g}".replace("e+0", "e").replace("e-0", "e-")


def _unit(schema: Node, parts: Sequence[str]) -> str:
    """Return the unit of the key ``parts``, which may be that of a mapping that it is in."""
    unit, nodes = "-", [schema]
    for part in parts:
        nodes = [below for node in nodes for below in _below(schema, node, part)]
        found = [node["unit"] for node in nodes if "unit" in node]
        unit = next((own for own in found if own != _SAME_UNIT), unit)
    return unit


def _below(schema: Node, node: Node, part: str) -> Iterator[Node]:
    for resolved in _resolved(schema, node):
        if part in resolved.get("properties", {}):
            yield resolved["properties"][part]
        elif "properties" not in resolved:
            yield from _entries(resolved)


def _resolved(schema: Node, node: Node) -> list[Node]:
    """Return the definitions that ``node`` refers to, directly or as alternatives."""
    if "$ref" in node:
        return _resolved(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    return [found for choice in choices for found in _resolved(schema, choice)] or [node]


def _flow(value: Any) -> str:
    """Return ``value`` as YAML on one line."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=1000)
    return str(text).removesuffix("\n").removesuffix("\n...")


def _sources(text: str) -> dict[int, str]:
    """Return the comment that belongs to each line, beside it or directly above, from line 0 on.

    A comment is what follows the last token of a line: a ``#`` within a string begins none.
    """
    lines = text.splitlines()
    ends = [0] * (len(lines) + 1)
    for token in yaml.scan(text, yaml.SafeLoader):
        mark = token.end_mark
        ends[mark.line] = max(ends[mark.line], mark.column)
    sources: dict[int, str] = {}
    above: list[str] = []
    for number, line in enumerate(lines):
        beside = line[ends[number] :].strip()
        comment = beside.lstrip("# ")
        if beside.startswith("#") and line.strip() == beside:
            above.append(comment)
            continue
        sources[number] = comment or " ".join(above)
        above = []
    return sources


def _leaves(
    node: yaml.Node, parts: tuple[str, ...], text: str, sources: dict[int, str], source: str
) -> Iterator[Value]:
    """Yield the values below ``node``; the source of a key counts for all below it."""
    if isinstance(node, yaml.MappingNode) and not any(key.value == "dist" for key, _ in node.value):
        for key, entry in node.value:
            found = sources[key.start_mark.line] or source
            yield from _leaves(entry, (*parts, key.value), text, sources, found)
    else:
        written = text[node.start_mark.index : node.end_mark.index]
        yield Value(".".join(parts), " ".join(written.split()), source)


if __name__ == "__main__":
    main()
