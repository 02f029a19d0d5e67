"""The sweeper: what Hydra calls when several scenarios are asked for on one command line.

Hydra's own sweeper starts a job for each combination and composes its configuration twice. This one
gives all points to one sweep. The scenario of a point is what its overrides make: those of the
command line, in their order, each that sweeps replaced by one of its elements.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from hydra._internal.grammar import grammar_functions
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Override,
    QuotedString,
    RangeSweep,
)
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from sim.experiment.axes import Axis, Drawn, Interval, Values, Weights, chances
from sim.experiment.sweep import design_variants, refuse_empty, refuse_too_many
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.files import is_choice, level_order
from sim.scenario.variants import Composed, Variants, every_key, word

from .composition import Files, read
from .load import composed_data
from .overrides import keys_of


class PointSweeper(Sweeper):
    """Runs all combinations as the points of one sweep.

    Args:
        params: what is swept, by key, in the words of the command line; for files that store a
            sweep, in ``hydra.sweeper.params``. The command line goes before it.
    """

    overrides: ClassVar[Sequence[str]] = ()
    run: ClassVar[Callable[[Sequence[Axis], Variants, Path], None]]

    def __init__(self, params: Mapping[str, object] | None = None) -> None:
        self._params = OmegaConf.to_container(OmegaConf.create(dict(params or {})))

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra knows."""
        self.config = config
        self.hydra_context = hydra_context
        self._launcher = config.hydra.runtime.choices["hydra/launcher"]
        self._folder = Path(config.hydra.sweep.dir)
        of_hydra = tuple(map(str, config.hydra.overrides.hydra))
        stored = config.hydra.sweeper.params
        self._stored = OmegaConf.to_container(stored) if stored else None
        self._files = Files(str(config.hydra.job.config_name), of_hydra)

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep that the overrides describe.

        Raises:
            ScenarioError: they describe none, or a point is no valid scenario.
        """
        if self._launcher != "basic":
            hint = "choose engine=loky, engine=dask or engine=ray"
            raise ScenarioError(
                [Problem("hydra/launcher", f"'{self._launcher}' is not used", hint)]
            )
        axes, variants = _variants(self._files, self._lines(), self._stored)
        type(self).run(axes, variants, self._folder)

    def _lines(self) -> "list[_Line]":
        assert isinstance(self._params, dict)
        return _lines(self._params, self.overrides)


def _lines(stored: Mapping[Any, Any], overrides: Sequence[str]) -> "list[_Line]":
    """Return the overrides of a stored sweep, and those of somebody else, which go before."""
    given = [line for text in overrides if not (line := _Line.of(text)).is_of_hydra]
    keys = {line.key for line in given}
    lines = [_Line.stored(str(key), value) for key, value in stored.items()]
    return [*(line for line in lines if line.key not in keys), *given]


@dataclass(frozen=True)
class _Line:
    """An override of a sweep, and what it means.

    Attributes:
        key: what it is about, without the signs before it.
        override: as Hydra understands it, whose keys have no ``*``.
        text: as it is written.
        given: its values, or what they are drawn from, if they are not in the text.
    """

    key: str
    override: Override
    text: str
    given: Values | None = None

    @classmethod
    def of(cls, text: str) -> "_Line":
        try:
            override = _PARSER.parse_override(text)
        except HydraException:
            raise ScenarioError([Problem(text, "cannot be read as key=value")]) from None
        return cls(override.get_key_element().lstrip("+~"), override, text)

    @classmethod
    def stored(cls, key: str, value: object) -> "_Line":
        """Return what a file says of a key: values, an interval, or chances."""
        drawn = chances(key.lstrip("+~"), value) if isinstance(value, Mapping) else None
        line = cls.of(f"{key.replace('*', 'every')}={'null' if drawn else _words(value)}")
        text = f"{key}={'' if drawn else _words(value)}"
        return cls(key.lstrip("+~"), line.override, text, drawn)

    @classmethod
    def listed(cls, axis: Axis) -> "_Line":
        """Return what Python says of a key: values, or what they are drawn from."""
        line = cls.of(f"{axis.key.replace('*', 'every')}=null")
        return cls(axis.key.lstrip("+~"), line.override, f"{axis.key}=", axis.values)

    @property
    def is_of_hydra(self) -> bool:
        return self.override.is_hydra_override()

    @property
    def sweeps(self) -> bool:
        return self.given is not None or self.override.is_sweep_override()

    def at(self, value: object) -> str:
        """Return the override with one of its values."""
        signs = len(self.override.get_key_element()) - len(self.key.replace("*", "every"))
        return f"{self.override.get_key_element()[:signs]}{self.key}={word(value)}"

    def touches(self, key: str) -> bool:
        """Return whether it is about a key, a part of it, or a block around it."""
        values = Axis(self.key, self.given or ()).listed or (None,)
        return any(_overlap(leaf, key) for value in values for leaf in _leaves(self.key, value))


def _overlap(one: str, other: str) -> bool:
    """Return whether one key leads to the other, or to what is inside of it."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return all(part == its or "*" in (part, its) for part, its in pairs)


def _leaves(key: str, value: object) -> list[str]:
    """Return the keys that are set when a value is merged at ``key``."""
    if not isinstance(value, Mapping):
        return [key]
    return [leaf for part, inner in value.items() for leaf in _leaves(f"{key}.{part}", inner)]


def stored_sweep(
    files: Files, stored: Mapping[Any, Any], overrides: Sequence[str]
) -> tuple[list[Axis], Variants]:
    """Return what a stored sweep varies, and the scenarios of its points.

    Args:
        files: the scenario.
        stored: what the files say under ``hydra.sweeper.params``.
        overrides: go before that, and choose the file that has it.

    Raises:
        ScenarioError: there is no such sweep.
    """
    return _variants(files, _lines(stored, overrides), stored)


def composed_sweep(
    files: Files, overrides: Sequence[str], axes: Sequence[Axis]
) -> tuple[list[Axis], Variants]:
    """Return what Python sweeps over config groups and other keys, and the scenarios of its points.

    Args:
        files: the scenario.
        overrides: of the scenario; of a config group that is swept they are left out.
        axes: what is varied, in the order of the points.

    Raises:
        ScenarioError: there is no such sweep.
    """
    swept = {axis.key for axis in axes if is_choice(axis.key)}
    fixed = [line for line in map(_Line.of, overrides) if line.key not in swept]
    return _variants(files, [*fixed, *map(_Line.listed, axes)], None)


def _variants(files: Files, lines: Sequence[_Line], stored: object) -> tuple[list[Axis], Variants]:
    """Return what is swept, and the scenarios at the points of the design.

    Args:
        files: the scenario.
        lines: all overrides, in their order.
        stored: the sweep that is stored in the files.
    """
    swept = [line for line in lines if line.sweeps]
    _refuse_swept_twice(swept)
    axes = [Axis(line.key, _values(line, files)) for line in swept]
    refuse_empty(axes)
    _refuse_swept_sweeps(files, lines, axes, stored)
    composed = [
        axis.key
        for axis, line in zip(axes, swept, strict=True)
        if not _is_plain(axis, line, [other for other in lines if other is not line])
    ]
    plain = [axis.key for axis in axes if axis.key not in composed]
    others = [line.text for line in lines if not line.sweeps]

    def compose_point(values: tuple[object, ...]) -> Composed:
        at = dict(zip((axis.key for axis in axes), values, strict=True))
        texts = [
            line.at(at[line.key]) if line.sweeps else line.text
            for line in lines
            # An empty mapping among other mappings leaves things as they are.
            if not (isinstance(line.given, Weights | Drawn) and at[line.key] == {})
        ]
        overrides = _with_every_name(files, texts)
        data = composed_data(files, overrides)
        there = read(files, overrides)
        if there.sweep != stored:
            _refuse_stored(axes, values, there.sweep)
        # A value may be what others refer to, and what a roadmap brings may depend on it.
        refers = b"${" in there.config or any("${" in text for text in overrides)
        alone = refers or bool(data.get("roadmap"))
        return Composed(data, not alone and all(_fits(data, key) for key in plain))

    keys = [*keys_of(others), *(axis.key for axis in axes)]
    variants = design_variants(axes, compose_point, composed, keys)
    variants.fixed = tuple(others)
    return axes, variants


def _with_every_name(files: Files, overrides: Sequence[str]) -> list[str]:
    """Return overrides with one for each name that a ``*`` in their key stands for."""
    several = {text for text in overrides if "*" in text.partition("=")[0]}
    if not several:
        return list(overrides)
    there = composed_data(files, [text for text in overrides if text not in several])
    named = []
    for text in overrides:
        key, _, value = text.partition("=")
        every = [f"{each}={value}" for each in every_key(there, key)] if text in several else [text]
        named += every
    return named


def _refuse_swept_twice(swept: Sequence[_Line]) -> None:
    keys = [line.key for line in swept]
    for line in swept:
        if keys.count(line.key) > 1:
            hint = "give all values at once, or sweep over the keys inside of it"
            raise ScenarioError([Problem(line.key, "is swept twice", hint)])


def _refuse_swept_sweeps(
    files: Files, lines: Sequence[_Line], axes: Sequence[Axis], stored: object
) -> None:
    """Refuse several choices that all store the sweep that is run, and so share its points."""
    if stored is None:
        return
    first = {axis.key: axis.first for axis in axes}
    texts = {line.key: line.at(first[line.key]) if line.sweeps else line.text for line in lines}
    for line in lines:
        if line.sweeps and is_choice(line.key):
            others = [text for key, text in texts.items() if key != line.key]
            if read(files, _with_every_name(files, others)).sweep != stored:
                what = "a file that stores a sweep cannot be one of several choices"
                hint = "run the stored sweep alone, in a command of its own"
                raise ScenarioError([Problem(line.key, what, hint)])


def _refuse_stored(axes: Sequence[Axis], values: tuple[object, ...], sweep: object) -> None:
    """Refuse choices some of which store a sweep of their own, which the others have not."""
    chosen = [
        f"{axis.key}={word(value)}"
        for axis, value in zip(axes, values, strict=True)
        if is_choice(axis.key)
    ]
    what = "a sweep of its own, which the other points do not have"
    what = f"stores {what}" if sweep else "does not store the sweep that another point stores"
    hint = "sweep over the choice with the stored sweep alone"
    raise ScenarioError([Problem(" ".join(chosen), what, hint)])


def _is_plain(axis: Axis, line: _Line, others: Sequence[_Line]) -> bool:
    """Return whether a value can be set in what was composed with another one.

    It is a single value of a key that nothing else on the command line is about.
    """
    override = line.override
    if is_choice(line.key) or override.package is not None:
        return False
    if (
        override.is_add()
        or override.is_delete()
        or any(other.touches(line.key) for other in others)
    ):
        return False
    return all(
        value is None
        or isinstance(value, bool | int | float)
        or (isinstance(value, str) and "${" not in value and value != "???")
        for value in axis.listed or ()
    )


def _values(line: _Line, files: Files) -> Values:
    """Return the values that an override sweeps over."""
    if line.given is not None:
        return line.given
    value = line.override.value()
    if isinstance(value, IntervalSweep):
        return _interval(line.key, value)
    if isinstance(value, Glob):
        there = files.options(line.override.key_or_group, ObjectType.CONFIG)
        return tuple(sorted(value.filter(there), key=level_order))
    # The order of points changes nothing, and must be the same again: nothing is shuffled.
    if isinstance(value, ChoiceSweep):
        return tuple(map(_plain_value, value.list))
    assert isinstance(value, RangeSweep)
    try:
        start, count, step = _exactly(value)
    except ArithmeticError:
        hint = "range(start, stop, step) with a step other than 0"
        raise ScenarioError([Problem(line.key, "is no range", hint)]) from None
    refuse_too_many(line.key, count)
    whole = all(isinstance(each, int) for each in (value.start, value.stop, value.step))
    kind = int if whole else float
    return tuple(kind(start + place * step) for place in range(count))


def _exactly(value: RangeSweep) -> tuple[Decimal, int, Decimal]:
    """Return start, number of values, and step of a range, going by the digits that are written.

    Hydra adds up binary fractions, so that 0.3 would be 0.30000000000000004, and the end of
    ``range(0, 0.9, 0.3)`` one of the values.

    Raises:
        ArithmeticError: the step is 0, or a number is not finite.
    """
    start, stop, step = (Decimal(repr(each)) for each in (value.start, value.stop, value.step))
    return start, max(0, math.ceil((stop - start) / step)), step


def _interval(key: str, value: IntervalSweep) -> Interval:
    low, high = value.start, value.end
    if low is None or high is None:
        raise ScenarioError([Problem(key, "the interval has no bounds", "interval(0, 1)")])
    return Interval(low, high, isinstance(low, int) and isinstance(high, int))


def _plain_value(value: Any) -> object:
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_plain_value(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain_value(each) for key, each in value.items()}
    return value


def with_first_choice(text: str) -> str:
    """Return an override that sweeps over listed choices from a group with the first of them."""
    line = _Line.of(text)
    value = line.override.value()
    if not is_choice(line.key) or not isinstance(value, ChoiceSweep) or not value.list:
        return text
    return line.at(_plain_value(value.list[0]))


def _sort(*args: Any, sweep: Any = None, list: Any = None, reverse: bool = False) -> object:
    """Sort as Hydra does, but keep the values of a range: Hydra's `sort` makes others of them."""
    value = args[0] if len(args) == 1 else sweep
    if not isinstance(value, RangeSweep):
        return grammar_functions.sort(*args, sweep=sweep, list=list, reverse=reverse)
    try:
        start, count, step = _exactly(value)
    except ArithmeticError:  # for `_values` to say
        return value
    if (step < 0) == reverse or count == 0:
        return replace(value, shuffle=False)
    last = start + (count - 1) * step
    if isinstance(value.start, int) and isinstance(value.step, int):
        return RangeSweep(value.tags, int(last), value.start - value.step, -value.step)
    half_a_step = step / 2  # so that no rounding error adds a value, or takes one away
    return RangeSweep(value.tags, float(last), float(start - half_a_step), float(-step))


def _parser() -> OverridesParser:
    parser = OverridesParser.create()
    parser.functions.functions["sort"] = _sort
    return parser


_PARSER = _parser()


def _words(value: object) -> str:
    """Return what a file says of a key: a list is the values to sweep over."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(word, value))
    return value if isinstance(value, str) else word(value)


def _fits(data: Mapping[str, Any], key: str) -> bool:
    """Return whether a value can be set at ``key`` without Hydra, which knows more ways."""
    value: Any = data
    for part in key.split(".")[:-1]:
        value = value.get(part)
        if value is None:
            return True
        if not isinstance(value, Mapping):
            return False
    return True
