"""The folder of ``--config-dir``, whose files go before those that come with the package.

Hydra would search it last, so that a changed copy of a practice would be passed over without a
word. ``sim.load`` searches the folder of the file first, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin


class OwnFolderFirst(SearchPathPlugin):
    """Puts the folder before the others."""

    folder: Path | None = None

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Put the folder before the others."""
        if self.folder is not None:
            main = SearchPathQuery(provider="main")
            search_path.prepend("own", f"file://{self.folder}", main)


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
