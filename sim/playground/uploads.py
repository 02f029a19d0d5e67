"""Organizations that somebody has uploaded as YAML: looked at before anything reads them.

An upload is data and nothing else. It can choose what comes with the package, and cannot make the
server read, run or load anything: tags, interpolations and the keys of Hydra are refused, as is
what is large or grows large when its aliases are followed. The text is then composed as
``python -m sim`` would, in a folder of its own in which there is nothing else.
"""

import hashlib
import re
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from sim.configuration.composition import Files
from sim.configuration.load import composed_scenario, files_of
from sim.experiment.resources import demand, duration
from sim.report.units import format_given
from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.organization import Scenario

from .choices import maturities, organizations, practices
from .state import OWN

MOST_BYTES = 256_000
_MOST_NODES = 20_000
"""Keys, values, lists and mappings, each counted as often as aliases repeat it."""
_DEEPEST = 20
_KEPT = 64
MOST_SECONDS = 25.0
"""Of one replication, as it is estimated; the largest organization of the package takes less
than half of that."""
_NAME = "organization"
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("null", "bool", "int", "float", "str", "seq", "map", "merge", "timestamp")
)
_CHOICE = re.compile(r"(?:override )?/?(organization|maturity|practice/[a-z_]+)")
_SELF, _DEFAULT = "_self_", "default"


class Own(NamedTuple):
    """An uploaded organization.

    Attributes:
        text: what was uploaded.
        label: what its author calls it.
        files: from which it is composed.
        folder: holds them; goes with the upload.
    """

    text: str
    label: str
    files: Files
    folder: "tempfile.TemporaryDirectory[str]"


class Uploads:
    """The last uploads, by a name that says what is in them: the same text has the same name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Own] = OrderedDict()

    @property
    def files(self) -> Mapping[str, Files]:
        """The files of all of them, by name."""
        return {name: own.files for name, own in self._kept.items()}

    @property
    def labels(self) -> Mapping[str, str]:
        """What their authors call them, by name."""
        return {name: own.label for name, own in self._kept.items()}

    def text(self, name: str) -> str:
        """Return what was uploaded."""
        return self._kept[name].text

    def add(self, content: bytes) -> str:
        """Keep an upload, and return its name; the oldest may go.

        Raises:
            ScenarioError: it is not an organization that this page may simulate.
        """
        text = read_upload(content)
        name = f"{OWN}{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if name not in self._kept:
            folder = tempfile.TemporaryDirectory(prefix="playground-")
            try:
                path = Path(folder.name) / f"{_NAME}.yaml"
                path.write_text(text, encoding="utf-8")
                files = files_of(path)
                scenario = composed_scenario(files, [])
                refuse_too_much(scenario)
            except BaseException:
                folder.cleanup()
                raise
            self._kept[name] = Own(text, scenario.name, files, folder)
            if len(self._kept) > _KEPT:
                _, oldest = self._kept.popitem(last=False)
                oldest.folder.cleanup()
        self._kept.move_to_end(name)
        return name

    def close(self) -> None:
        """Forget all of them."""
        for own in self._kept.values():
            own.folder.cleanup()
        self._kept.clear()


def refuse_too_much(scenario: Scenario) -> None:
    """Refuse a scenario of which a replication would take long, before it is simulated.

    Raises:
        ScenarioError: it would.
    """
    wanted = demand([(scenario, 1)], 1)
    if wanted.seconds > MOST_SECONDS:
        what = f"a replication would take about {duration(wanted.seconds)}, too long for this page"
        hint = "simulate fewer weeks, teams or services, or use the command line"
        raise ScenarioError([Problem(wanted.source, what, hint)])


def read_upload(content: bytes) -> str:
    """Return the text of an upload that is plain data and of a reasonable size.

    Raises:
        ScenarioError: it is not.
    """
    if len(content) > MOST_BYTES:
        raise _refused(f"is larger than {MOST_BYTES // 1000} kB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused("is not UTF-8 text") from None
    try:
        root = _composed(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "a character that YAML does not allow"
        raise _refused(f"is not YAML{where}: {what}") from None
    if not isinstance(root, yaml.MappingNode):
        raise _refused("is not a mapping of keys", "begin with teams, services or defaults")
    problems = list(_problems(root))
    if problems:
        raise ScenarioError(problems)
    return text


def _refused(what: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem("the file", what, hint)])


def _composed(text: str) -> yaml.Node | None:
    """Return the nodes of a text whose depth and number of events are within bounds."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _refused(f"is nested more than {_DEEPEST} levels deep")
        if number > 2 * _MOST_NODES:
            raise _refused(f"has more than {format_given(_MOST_NODES)} values")
    return yaml.compose(text, yaml.SafeLoader)


def _problems(root: yaml.MappingNode) -> Iterator[Problem]:
    """Yield what an upload may not hold."""
    if _size(root, {}) > _MOST_NODES:
        what = f"has more than {format_given(_MOST_NODES)} values, aliases followed"
        yield Problem("the file", what)
        return
    for node in _nodes(root, set()):
        line = f"line {node.start_mark.line + 1}"
        if node.tag not in _PLAIN_TAGS:
            yield Problem(line, f"has the tag '{node.tag}'", "leave tags out")
        elif isinstance(node, yaml.ScalarNode) and "${" in node.value:
            yield Problem(line, "refers to something with ${...}", "write the value itself")
    for key, value in root.value:
        if key.value == "hydra":
            yield Problem("hydra", "settings of Hydra have no place here", "leave it out")
        elif key.value == "defaults":
            yield from _wrong_choices(value)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many nodes there are with all aliases followed; infinite ones are many."""
    number = id(node)
    if number not in known:
        known[number] = _MOST_NODES + 1  # if it holds itself
        known[number] = min(1 + sum(_size(each, known) for each in _inside(node)), _MOST_NODES + 1)
    return known[number]


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    if id(node) not in seen:
        seen.add(id(node))
        yield node
        for each in _inside(node):
            yield from _nodes(each, seen)


def _inside(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair


def _wrong_choices(node: yaml.Node) -> Iterator[Problem]:
    """Yield what ``defaults`` may not say: it chooses what comes with the package."""
    if not isinstance(node, yaml.SequenceNode):
        yield Problem("defaults", "is not a list", "such as [default, _self_]")
        return
    options = {
        "organization": organizations(),
        "maturity": maturities()[1:],
        **{f"practice/{name}": levels for name, levels in practices().items()},
    }
    for item in node.value:
        if isinstance(item, yaml.ScalarNode):
            if item.value not in (_SELF, _DEFAULT):
                yield Problem("defaults", f"'{item.value}' is not known here", "default or _self_")
            continue
        for key, value in item.value if isinstance(item, yaml.MappingNode) else ():
            found = _CHOICE.fullmatch(key.value) if isinstance(key, yaml.ScalarNode) else None
            if found is None or found[1] not in options:
                said = str(key.value) if isinstance(key, yaml.ScalarNode) else "a list"
                what = f"'{said}' is not known here"
                yield Problem("defaults", what, "organization, maturity or practice/NAME")
            elif str(value.value) not in (*options[found[1]], "null"):
                hint = nearest(str(value.value), options[found[1]])
                yield Problem(f"defaults.{found[1]}", f"'{value.value}' is not known here", hint)
        if not isinstance(item, yaml.MappingNode):
            yield Problem("defaults", "has an item that is no choice", "such as default")
