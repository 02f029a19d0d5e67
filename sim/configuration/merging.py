"""Many compositions of the same files, which are read once and merged only where they differ.

Hydra reads and merges every file for each composition, also where it differs from others in a
single choice. Here the files are kept as they were read, and so is what those make with which
several compositions begin.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import cast

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository, IConfigRepository
from hydra.core.default_element import ResultDefault
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf, flag_override

from sim.scenario.errors import ScenarioError

Merge = Callable[[ConfigLoaderImpl, list[ResultDefault], IConfigRepository], DictConfig]
"""Merges files in their order, as Hydra does."""
Prepare = Callable[[DictConfig, DictConfig, int], None]
"""Prepares what was merged so far, and what the next file says, for the merging of that file.

The number is its place.
"""

_MOST_BEGINNINGS = 256
"""Of about 100 kB each."""
_MOST_SEEN = 200_000
_Beginning = tuple[object, ...]
"""The files with which a composition begins, and the folders that were searched for them."""


class Kept:
    """What was read and merged of some files."""

    def __init__(self) -> None:
        self._read: dict[_Beginning, ConfigResult | None] = {}
        self._pickled: dict[int, bytes] = {}
        self._merged: OrderedDict[_Beginning, bytes] = OrderedDict()
        self._seen: set[int] = set()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let Hydra use what is kept during the block, and keep what it reads."""
        load = ConfigRepository.load_config

        def load_once(repository: ConfigRepository, config_path: str) -> ConfigResult | None:
            key = (*_folders(repository), config_path)
            if key not in self._read:
                self._read[key] = load(repository, config_path)
            return self._read[key]

        setattr(ConfigRepository, load.__name__, load_once)
        token = _in_use.set(self)
        try:
            yield
        finally:
            _in_use.reset(token)
            setattr(ConfigRepository, load.__name__, load)

    def merged(
        self,
        loader: ConfigLoaderImpl,
        files: list[ResultDefault],
        repository: IConfigRepository,
        merge: Merge,
        prepare: Prepare,
    ) -> DictConfig:
        """Return what ``merge`` makes of ``files``, each of which is prepared first."""
        names = [(file.config_path, file.package, file.primary) for file in files]
        folders = _folders(repository)
        beginnings = [(*folders, *names[:count]) for count in range(len(names))]
        known = _last(beginnings, self._merged.__contains__)
        shared = _last(beginnings, lambda beginning: hash(beginning) in self._seen)
        config = OmegaConf.create()
        if known:
            self._merged.move_to_end(beginnings[known])
            config = pickle.loads(self._merged[beginnings[known]])
        copies = cast(IConfigRepository, _Copies(repository, self))
        with flag_override(config, "no_deepcopy_set_nodes", True):
            for place in range(known, len(files)):
                if place == shared > known:
                    self._keep(beginnings[place], config)
                said = loader._load_single_config(files[place], copies).config
                assert isinstance(said, DictConfig)
                prepare(config, said, place)
                config.merge_with(said)
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        self._seen.update(map(hash, beginnings))
        # What remains to be done is done by Hydra, which takes it for a single file.
        return merge(cast(ConfigLoaderImpl, _Loaded(config)), files[-1:], repository)

    def copied(self, result: ConfigResult) -> ConfigResult:
        """Return a file as it was read: what is merged into it, or it into, changes it."""
        if id(result) not in self._pickled:
            self._pickled[id(result)] = pickle.dumps(result.config)
        return replace(result, config=pickle.loads(self._pickled[id(result)]))

    def _keep(self, beginning: _Beginning, config: DictConfig) -> None:
        self._merged[beginning] = pickle.dumps(config)
        if len(self._merged) > _MOST_BEGINNINGS:
            self._merged.popitem(last=False)


_in_use: ContextVar[Kept | None] = ContextVar("_in_use", default=None)


def merged(
    loader: ConfigLoaderImpl,
    files: list[ResultDefault],
    repository: IConfigRepository,
    merge: Merge,
    prepare: Prepare,
) -> DictConfig:
    """Return what ``merge`` makes of ``files``, with the help of what is kept, if anything is.

    Raises:
        ScenarioError: one that ``prepare`` raises.
    """
    kept = _in_use.get() or Kept()
    try:
        return kept.merged(loader, files, repository, merge, prepare)
    except ScenarioError:
        raise
    except Exception:  # for Hydra to say, which names the file
        return merge(loader, files, repository)


def _folders(repository: IConfigRepository) -> _Beginning:
    return tuple(f"{source.scheme()}://{source.path}" for source in repository.get_sources())


def _last(beginnings: list[_Beginning], is_one: Callable[[_Beginning], bool]) -> int:
    """Return the length of the longest of them; 0 if there is none."""
    found = (count for count in reversed(range(len(beginnings))) if is_one(beginnings[count]))
    return next(found, 0)


class _Copies:
    """A repository whose files may be changed."""

    def __init__(self, repository: IConfigRepository, kept: Kept) -> None:
        self._repository = repository
        self._kept = kept

    def load_config(self, config_path: str) -> ConfigResult | None:
        found = self._repository.load_config(config_path)
        return None if found is None else self._kept.copied(found)

    def get_schema_source(self) -> ConfigSource:
        return self._repository.get_schema_source()


class _Loaded:
    """A loader that has loaded everything."""

    def __init__(self, config: DictConfig) -> None:
        self._config = config

    def _load_single_config(self, default: ResultDefault, repo: IConfigRepository) -> ConfigResult:
        return ConfigResult("", "", self._config, {})
