"""The folder of ``--config-dir``, whose files go before those that come with the package.

Hydra would search it last, so that a changed copy of a practice would be passed over without a
word. ``sim.load`` searches the folder of the file first, too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from .arguments import Arguments


class OwnFolderFirst(SearchPathPlugin):
    """Puts the folder before the others."""

    folder: Path | None = None

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Put the folder before the others."""
        if self.folder is not None:
            main = SearchPathQuery(provider="main")
            search_path.prepend("own", f"file://{self.folder}", main)


def own_folder() -> Path | None:
    """Return the folder that is searched before the others, if there is one."""
    return OwnFolderFirst.folder


def point_of(folder: Path, name: str) -> str:
    """Return the name of the file of a point of a sweep: its number may have other zeros before it.

    Args:
        folder: holds the files of the points.
        name: such as ``point-07``, which is ``point-7`` where there are fewer than ten.
    """
    number = re.fullmatch(r"point-(\d{1,9})", name)
    if number is None or (folder / f"{name}.yaml").exists():
        return name
    alike = (path.stem for path in folder.glob("point-*.yaml"))
    return next(
        (each for each in alike if each[6:].isdigit() and int(each[6:]) == int(number[1])), name
    )


def with_point_found(arguments: Arguments) -> Arguments:
    """Return arguments in which the name of a point of a sweep is that of its file."""
    name, folder = arguments.config_name, arguments.own_folder
    if name is None or folder is None or (found := point_of(folder, name)) == name:
        return arguments
    options = tuple(
        re.sub(rf"(^|=){re.escape(name)}$", rf"\1{found}", each) for each in arguments.options
    )
    return replace(arguments, options=options)


@contextmanager
def searched_first(folder: Path | None) -> Iterator[None]:
    """Let a Hydra program that begins meanwhile search a folder before the others.

    Args:
        folder: the folder; None for no such folder. For Hydra to say if it is not there.
    """
    Plugins.instance().register(OwnFolderFirst)
    before = OwnFolderFirst.folder
    OwnFolderFirst.folder = folder.absolute() if folder is not None and folder.is_dir() else None
    try:
        yield
    finally:
        OwnFolderFirst.folder = before
