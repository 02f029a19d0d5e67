"""The store: an SQLite file that keeps each replication of a sweep as soon as it is finished.

A process that is killed loses nothing that was put into the store before. Replications are found
by the fingerprint of what was simulated and their number, so that a sweep that is started again
runs only what is missing. A store belongs to one process at a time.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from sim.metrics.restore import Restored, together, unpacked

from .intervals import FloatArray

_FORMAT = 3
_SMALLEST = 512
"""Bytes of the smallest page of SQLite."""
_TABLES = f"""
CREATE TABLE IF NOT EXISTS layouts (
    id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, metrics BLOB UNIQUE NOT NULL
);
CREATE TABLE IF NOT EXISTS runs (
    fingerprint BLOB NOT NULL,
    replication INTEGER NOT NULL,
    layout INTEGER NOT NULL REFERENCES layouts (id),
    checksum INTEGER NOT NULL,
    numbers BLOB NOT NULL,
    PRIMARY KEY (fingerprint, replication)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS points (
    number INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, fingerprint BLOB NOT NULL,
    scenario INTEGER REFERENCES scenarios (id), about BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS scenarios (
    id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, data BLOB NOT NULL
);
PRAGMA user_version = {_FORMAT};
"""


def _checksum(fingerprint: bytes, replication: int, names: Sequence[str], numbers: bytes) -> int:
    about = json.dumps([fingerprint.hex(), replication, *names]).encode()
    return zlib.crc32(numbers, zlib.crc32(about))


def _checksum_of_point(number: int, fingerprint: bytes, scenario: int | None, about: bytes) -> int:
    return zlib.crc32(about, zlib.crc32(json.dumps([number, fingerprint.hex(), scenario]).encode()))


def _address(path: Path) -> str:
    """Return how SQLite is asked for a file that may lie where nothing can be written.

    A log beside the file is that of a process that writes, or was killed. Without one the file
    does not change, and SQLite need not lock it.
    """
    log = path.with_name(f"{path.name}-wal")
    return f"{path.absolute().as_uri()}?{'mode=ro' if log.exists() else 'immutable=1'}"


class ResultsError(Exception):
    """Results cannot be kept or read; the message says which and what can be done."""


class DiskError(ResultsError):
    """Nothing more can be written; what was written before is kept."""


class KeptPoint(NamedTuple):
    """What the store keeps about a point of the sweep.

    Attributes:
        fingerprint: under which its replications are kept.
        about: what is particular to it.
        scenario: a text that it shares with other points; None if it is not kept.
    """

    fingerprint: bytes
    about: bytes
    scenario: bytes | None


class Store:
    """Finished replications in one file, held until the ``with`` block ends.

    Args:
        path: the file; it is made if it is not there.
        reads_only: nothing is written, and nothing is made.

    Raises:
        ResultsError: it is damaged, no store, or another process holds it.
    """

    def __init__(self, path: Path, reads_only: bool = False) -> None:
        self._path = path
        self._layouts: dict[tuple[str, ...], int] = {}
        self._metrics: dict[int, tuple[str, ...]] = {}
        there = path.exists() and path.stat().st_size > 0
        if reads_only and not there:
            raise ResultsError(f"{path} is not there")
        with self._explained():
            address = _address(path) if reads_only else str(path)
            self._database = sqlite3.connect(
                address, isolation_level=None, timeout=0.0, uri=reads_only
            )
        try:
            with self._explained():
                if reads_only:
                    self._check()
                else:
                    self._open(there)
        except BaseException:
            self._database.close()
            raise

    def _open(self, there: bool) -> None:
        database = self._database
        # The lock is held to the end, and leaves with the process.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        if there:
            self._check()
        database.execute("PRAGMA journal_mode = WAL")
        # What is committed survives the end of this process; of a power failure, a bit is lost.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.strip().split(";\n"):
            database.execute(statement)
        database.execute("COMMIT")

    def _check(self) -> None:
        """Refuse what is no store, before anything is written to it; read what is small."""
        if self._path.stat().st_size < _SMALLEST:  # SQLite would take it as empty
            raise self._damaged()
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if version == 0 and tables == 0:  # of a process that was killed before it made the tables
            return
        if version != _FORMAT:
            raise ResultsError(
                f"{self._path} is of another version of this program; choose another folder"
            )
        (verdict,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        for number, check, text in self._database.execute(
            "SELECT id, checksum, metrics FROM layouts"
        ):
            if not isinstance(text, bytes) or zlib.crc32(text) != check:
                raise self._damaged()
            names = tuple(json.loads(text))
            self._layouts[names] = number
            self._metrics[number] = names

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def put(
        self,
        fingerprint: bytes,
        replications: Sequence[int],
        metrics: Sequence[str],
        values: FloatArray,
        restored: Sequence[FloatArray] = (),
    ) -> None:
        """Keep the metrics of finished replications, all of them or none.

        Args:
            fingerprint: of what was simulated.
            replications: their numbers.
            metrics: names of the metrics.
            values: (replications, metrics).
            restored: of each replication, its incidents as :func:`sim.metrics.restore.packed`
                returns them; none if they are not known.

        Raises:
            ResultsError: the disk is full, or the file cannot be written.
        """
        names = tuple(metrics)
        with self._explained():
            self._database.execute("BEGIN")
            try:
                layout = self._layouts.get(names) or self._add_layout(names)
                incidents = restored or [np.empty(0)] * len(replications)
                for replication, row, tail in zip(replications, values, incidents, strict=True):
                    numbers = np.concatenate([row, tail]).astype("<f8").tobytes()
                    check = _checksum(fingerprint, replication, names, numbers)
                    self._database.execute(
                        "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?)",
                        (fingerprint, replication, layout, check, numbers),
                    )
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        self._layouts[names] = layout
        self._metrics[layout] = names

    def _add_layout(self, names: tuple[str, ...]) -> int:
        text = json.dumps(names).encode()
        cursor = self._database.execute(
            "INSERT INTO layouts (checksum, metrics) VALUES (?, ?)", (zlib.crc32(text), text)
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def finished(self, fingerprint: bytes) -> set[int]:
        """Return the numbers of the replications that are there."""
        with self._explained():
            rows = self._database.execute(
                "SELECT replication FROM runs WHERE fingerprint = ?", (fingerprint,)
            ).fetchall()
        return {number for (number,) in rows}

    def metrics(self, fingerprint: bytes) -> tuple[str, ...]:
        """Return the names of the metrics of what was simulated; empty if nothing is there."""
        with self._explained():
            row = self._database.execute(
                "SELECT layout FROM runs WHERE fingerprint = ? LIMIT 1", (fingerprint,)
            ).fetchone()
        if row and row[0] not in self._metrics:
            raise self._damaged()
        return self._metrics[row[0]] if row else ()

    def values(self, fingerprint: bytes, n: int, metrics: Sequence[str]) -> FloatArray:
        """Return the metrics of the first replications, (n, metrics); see :meth:`replications`."""
        return self.replications(fingerprint, n, metrics)[0]

    def replications(
        self, fingerprint: bytes, n: int, metrics: Sequence[str]
    ) -> tuple[FloatArray, Restored | None]:
        """Return the first replications.

        Args:
            fingerprint: of what was simulated.
            n: how many replications; those from 0 to n - 1 have to be there.
            metrics: which ones; NaN where it does not have such a metric.

        Returns:
            The metrics, (n, metrics), and the incidents; None if those of any are not known.

        Raises:
            ResultsError: the file is damaged.
        """
        with self._explained():
            rows = self._database.execute(
                "SELECT replication, layout, checksum, numbers FROM runs "
                "WHERE fingerprint = ? AND replication < ? ORDER BY replication",
                (fingerprint, n),
            ).fetchall()
        values = np.full((n, len(metrics)), np.nan)
        places: dict[int, tuple[list[int], list[int]]] = {}
        if [row[0] for row in rows] != list(range(n)):
            raise self._damaged()
        incidents = []
        for replication, layout, checksum, blob in rows:
            names = self._metrics.get(layout, ())
            if _checksum(fingerprint, replication, names, blob) != checksum:
                raise self._damaged()
            if layout not in places:
                there = {name: place for place, name in enumerate(self._metrics[layout])}
                columns = [place for place, name in enumerate(metrics) if name in there]
                places[layout] = (columns, [there[metrics[place]] for place in columns])
            columns, sources = places[layout]
            numbers = np.frombuffer(blob, "<f8")
            values[replication, columns] = numbers[sources]
            if numbers.size > len(names):
                incidents.append(unpacked(numbers[len(names) :]))
        return values, together(incidents) if len(incidents) == n else None

    def keep_points(self, points: Iterable[KeptPoint], first: int = 0) -> None:
        """Keep the points of the sweep from number ``first`` on, in place of those that are there.

        Raises:
            ResultsError: the disk is full, or the file cannot be written.
        """
        with self._explained():
            self._database.execute("BEGIN")
            try:
                self._database.execute("DELETE FROM points WHERE number >= ?", (first,))
                if first == 0:
                    self._database.execute("DELETE FROM scenarios")
                known = self._scenario_numbers()
                for number, point in enumerate(points, first):
                    scenario = None
                    if point.scenario is not None:
                        if point.scenario not in known:
                            known[point.scenario] = self._add_scenario(point.scenario)
                        scenario = known[point.scenario]
                    check = _checksum_of_point(number, point.fingerprint, scenario, point.about)
                    self._database.execute(
                        "INSERT INTO points VALUES (?, ?, ?, ?, ?)",
                        (number, check, point.fingerprint, scenario, point.about),
                    )
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _scenario_numbers(self) -> dict[bytes, int]:
        """Return under which number each scenario is kept."""
        rows = self._database.execute("SELECT id, data FROM scenarios").fetchall()
        return {zlib.decompress(data): number for number, data in rows}

    def _add_scenario(self, text: bytes) -> int:
        data = zlib.compress(text)
        cursor = self._database.execute(
            "INSERT INTO scenarios (checksum, data) VALUES (?, ?)", (zlib.crc32(data), data)
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def points(self) -> list[KeptPoint]:
        """Return the points that are kept, in their order; none in a store of an older version.

        Raises:
            ResultsError: the file is damaged.
        """
        with self._explained():
            (tables,) = self._database.execute(
                "SELECT count(*) FROM sqlite_schema WHERE name IN ('points', 'scenarios')"
            ).fetchone()
            if tables < 2:
                return []
            texts: dict[int | None, bytes] = {}
            for number, check, data in self._database.execute("SELECT * FROM scenarios"):
                if not isinstance(data, bytes) or zlib.crc32(data) != check:
                    raise self._damaged()
                texts[number] = zlib.decompress(data)
            found = []
            for place, (number, check, fingerprint, scenario, about) in enumerate(
                self._database.execute("SELECT * FROM points ORDER BY number")
            ):
                right = isinstance(fingerprint, bytes) and isinstance(about, bytes)
                right = right and check == _checksum_of_point(number, fingerprint, scenario, about)
                if number != place or not right or (scenario is not None and scenario not in texts):
                    raise self._damaged()
                found.append(KeptPoint(fingerprint, about, texts.get(scenario)))
        return found

    def count(self) -> int:
        """Return how many replications are there."""
        with self._explained():
            (number,) = self._database.execute("SELECT count(*) FROM runs").fetchone()
        return int(number)

    def note(self, name: str) -> str | None:
        """Return what was last written down under ``name``."""
        with self._explained():
            row = self._database.execute(
                "SELECT text FROM notes WHERE name = ?", (name,)
            ).fetchone()
        return row[0] if row else None

    def write_note(self, name: str, text: str) -> None:
        """Write ``text`` down under ``name``."""
        with self._explained():
            self._database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, text))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            # One without a code is about text that cannot be decoded.
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
            if code == sqlite3.SQLITE_CORRUPT:
                raise self._damaged() from None
            if code == sqlite3.SQLITE_BUSY:
                raise ResultsError(
                    f"another sweep is running in {self._path.parent}; wait for it, or choose "
                    "another folder with hydra.sweep.dir=FOLDER"
                ) from None
            raise DiskError(
                f"{self._path} cannot be written: {error}; what was finished before is kept"
            ) from None
        except (sqlite3.DatabaseError, UnicodeDecodeError):  # a message may quote what is damaged
            raise self._damaged() from None

    def _damaged(self) -> ResultsError:
        return ResultsError(
            f"{self._path} is damaged and was left as it is; move it away to start anew"
        )
