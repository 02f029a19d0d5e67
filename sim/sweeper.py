"""The sweeper: what Hydra calls when several scenarios are asked for on one command line.

Hydra's own sweeper starts a job for each combination and composes its configuration twice. This one
composes once for each combination of what has to be composed (choices from config groups, above
all), sets plain values in copies of the result, and gives all points to one sweep.
"""

import functools
import math
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    QuotedString,
    RangeSweep,
    Transformer,
)
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from sim.experiment.axes import Axis, Interval
from sim.experiment.sweep import design_variants, refuse_empty, refuse_too_many
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.load import (
    COMPOSITION_ERRORS,
    as_data,
    from_composition,
    refuse_unknown_names,
    without_groups,
)
from sim.scenario.variants import Variants, shown

NAME = "mldelivery"

# Hydra takes plugins from a package of that name only, which it imports whole in every program that
# uses Hydra. So there is none, and the class says that it is from there; see `register`.
_PACKAGE = "hydra_plugins"
_MODULE = f"{_PACKAGE}.{NAME}"


class PointSweeper(Sweeper):
    """Runs all combinations as the points of one sweep.

    Args:
        params: what is swept, by key, in the words of the command line; for files that store a
            sweep, in ``hydra.sweeper.params``. The command line goes before it.
    """

    __module__ = _MODULE

    plain: ClassVar[frozenset[str]] = frozenset()
    run: ClassVar[Callable[[Sequence[Axis], Variants, Path], None]]

    def __init__(self, params: Mapping[str, object] | None = None) -> None:
        self._params = params or {}

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra knows."""
        self.config = config
        self.hydra_context = hydra_context
        self._choices = config.hydra.runtime.choices
        self._folder = Path(config.hydra.sweep.dir)
        self._config_name = str(config.hydra.job.config_name)
        self._loader = hydra_context.config_loader

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep that the overrides describe.

        Raises:
            ScenarioError: they describe none, or a point is no valid scenario.
        """
        launcher = self._choices["hydra/launcher"]
        if launcher != "basic":
            hint = "choose engine=loky, engine=dask or engine=ray"
            raise ScenarioError([Problem("hydra/launcher", f"'{launcher}' is not used", hint)])
        axes, variants = self._variants(arguments)
        type(self).run(axes, variants, self._folder)

    def _variants(self, arguments: Sequence[str]) -> tuple[list[Axis], Variants]:
        parser = OverridesParser.create(config_loader=self._loader)
        stored = [f"{self._sign(key)}{key}={_words(v)}" for key, v in self._params.items()]
        # The last word on a key counts, and the place of the first.
        latest = {override.key_or_group: override for override in parser.parse_overrides(stored)}
        for override in parser.parse_overrides(list(arguments)):
            latest[override.key_or_group] = override
        swept = {key: each for key, each in latest.items() if each.is_sweep_override()}
        plain = self.plain | {key for key in self._params if latest[key].input_line in stored}
        fixed = [each.input_line or "" for key, each in latest.items() if key not in swept]
        return _Composition(self._config_name, fixed, swept, plain, self.is_group).variants()

    def _sign(self, key: str) -> str:
        return "" if self.is_group(key) else "++"

    def is_group(self, key: str) -> bool:
        """Return whether ``key`` is a config group, whose choice has to be composed."""
        return bool(self._loader.get_group_options(key))


class _Composition:
    """Composes what has to be composed of a sweep.

    Args:
        config_name: the scenario.
        fixed: overrides that all points have.
        swept: overrides with several values, by key.
        plain: keys of overrides that were written without a ``+``.
        is_group: says whether a key is a config group.
    """

    def __init__(
        self,
        config_name: str,
        fixed: Sequence[str],
        swept: Mapping[str, Override],
        plain: frozenset[str],
        is_group: Callable[[str], bool],
    ) -> None:
        self._config_name = config_name
        self._fixed = fixed
        self._swept = swept
        self._plain = plain
        self._is_group = is_group
        self._of_words = functools.lru_cache(1)(self._compose_words)
        self._word = {
            key: {
                _plain_value(each): str(Transformer.encode(each))
                for each in _elements(key, override)
            }
            for key, override in swept.items()
        }

    def variants(self) -> tuple[list[Axis], Variants]:
        """Return what is swept, and the scenarios at the points of the design."""
        values = {
            key: _interval(key, override) or tuple(map(_plain_value, _elements(key, override)))
            for key, override in self._swept.items()
        }
        refuse_empty([Axis(key, each) for key, each in values.items()])
        composed = [key for key in values if self._has_to_be_composed(key, values[key])]
        self._composed = composed
        first_words = {key: self._as_word(key, _first(each)) for key, each in values.items()}
        first = self._of_words(tuple(first_words[key] for key in composed))
        if first.get("roadmap") or self._interpolates:
            composed = self._composed = [*values]
        else:
            composed += [key for key in values if key not in composed and not _fits(first, key)]
        refuse_unknown_names(
            [
                *(self._as_written(word) for word in self._fixed),
                *(f"{key}={word}" for key, word in first_words.items() if key in self._plain),
            ],
            functools.partial(hydra.compose, self._config_name),
        )
        axes = [Axis(key, each) for key, each in values.items()]
        return axes, design_variants(axes, self._compose, composed)

    def _has_to_be_composed(self, key: str, values: tuple[object, ...] | Interval) -> bool:
        override = self._swept[key]
        if self._is_group(key) or (override.get_key_element() != key and key not in self._plain):
            return True
        return not isinstance(values, Interval) and any(
            isinstance(value, str) and (value[:1] in ("{", "[") or "${" in value)
            for value in values
        )

    def _compose(self, values: tuple[object, ...]) -> dict[str, Any]:
        pairs = zip(self._composed, values, strict=True)
        return self._of_words(tuple(self._as_word(key, value) for key, value in pairs))

    def _as_word(self, key: str, value: object) -> str:
        """Return a value as it stands on the command line."""
        return self._word[key].get(value, str(value))

    def _compose_words(self, words: tuple[str, ...]) -> dict[str, Any]:
        overrides = [
            *self._fixed,
            *(
                f"{self._swept[key].get_key_element()}={word}"
                for key, word in zip(self._composed, words, strict=True)
            ),
        ]

        def compose_again(practices: list[str]) -> DictConfig:
            return hydra.compose(
                self._config_name, [*without_groups(overrides, practices), *practices]
            )

        try:
            made = hydra.compose(self._config_name, overrides)
        except COMPOSITION_ERRORS as error:
            raise from_composition(error, overrides) from None
        unresolved = OmegaConf.to_container(made, resolve=False)
        self._interpolates = "${" in str(unresolved)
        return as_data(made, compose_again)

    def _as_written(self, override: str) -> str:
        word = override.removeprefix("++")
        return word if word.partition("=")[0] in self._plain else override


def _interval(key: str, override: Override) -> Interval | None:
    value = override.value()
    if not isinstance(value, IntervalSweep):
        return None
    low, high = value.start, value.end
    if low is None or high is None:
        raise ScenarioError([Problem(key, "the interval has no bounds", "interval(0, 1)")])
    return Interval(low, high, isinstance(low, int) and isinstance(high, int))


def _elements(key: str, override: Override) -> list[Any]:
    """Return the values of a sweep as Hydra reads them; none of an interval.

    Raises:
        ScenarioError: there are too many.
    """
    value = override.value()
    if isinstance(value, IntervalSweep):
        return []
    if isinstance(value, RangeSweep):
        refuse_too_many(key, _length(key, value))
    if isinstance(value, ChoiceSweep | RangeSweep):
        value.shuffle = False  # the order of points changes nothing, and must be the same again
    elements: list[Any] = list(override.sweep_iterator(transformer=lambda each: each))
    if isinstance(value, RangeSweep):
        # Hydra adds up the steps, so that 0.3 would be 0.30000000000000004.
        return [float(f"{each:.12g}") if isinstance(each, float) else each for each in elements]
    return elements


def _length(key: str, values: RangeSweep) -> int:
    """Return how many values a range has, without making them."""
    start, stop, step = values.start or 0, values.stop or 0, values.step
    steps = (stop - start) / step if step else math.nan
    if math.isnan(steps):
        raise ScenarioError([Problem(key, "the range has no end", "range(0, 1, 0.1)")])
    return max(0, math.ceil(min(steps, 1e18)))


def _plain_value(value: object) -> object:
    if isinstance(value, QuotedString):
        return value.text
    return Transformer.encode(value) if isinstance(value, dict | list) else value


def _first(values: tuple[object, ...] | Interval) -> object:
    return values.low if isinstance(values, Interval) else values[0]


def _words(value: object) -> str:
    """Return what a file says of a key: a list is the values to sweep over."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(shown, value))
    return shown(value)


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


def register(plain: Collection[str], run: Callable[[Sequence[Axis], Variants, Path], None]) -> None:
    """Make the sweeper known to Hydra.

    Args:
        plain: keys of the overrides that were written without a ``+``.
        run: runs a sweep: its axes, the scenarios of its points, and the folder.
    """
    PointSweeper.plain = frozenset(plain)
    PointSweeper.run = staticmethod(run)
    Plugins.instance().register(PointSweeper)
    sys.modules.setdefault(_PACKAGE, ModuleType(_PACKAGE))
    sys.modules[_MODULE] = sys.modules[__name__]
    target = f"{PointSweeper.__module__}.{PointSweeper.__name__}"
    node = {"_target_": target, "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name=NAME, node=node, provider=NAME)
