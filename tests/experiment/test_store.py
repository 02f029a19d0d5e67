"""The store: what was put comes back, whatever happens to the process or the file in between."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sim.experiment.store import ResultsError, Store

NAMES = ("lead_time_h", "change_failure_rate", "never")
ONE, OTHER = b"1" * 16, b"2" * 16


def some_values(rows: int, seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).lognormal(0.0, 50.0, (rows, len(NAMES)))
    values[:, 2] = np.nan
    return values


def filled(path: Path, points: int = 40, replications: int = 20) -> dict[bytes, np.ndarray]:
    """Fill a store and return what is in it, by fingerprint."""
    there = {
        bytes([number]) * 16: some_values(replications, seed=number) for number in range(points)
    }
    with Store(path) as store:
        for fingerprint, values in there.items():
            store.put(fingerprint, range(replications), NAMES, values)
    return there


def test_what_was_put_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    odd = np.array([[0.1, -0.0, np.nan], [np.inf, -np.inf, 5e-324], [1e308, 1 / 3, -1.0]])
    with Store(tmp_path / "s") as store:
        store.put(ONE, [2, 0, 1], NAMES, odd)
        here = store.values(ONE, 3, NAMES)
        assert here.tobytes() == odd[[1, 2, 0]].tobytes()
    with Store(tmp_path / "s") as store:
        assert store.values(ONE, 3, NAMES).tobytes() == here.tobytes()
        assert store.values(ONE, 2, NAMES).tobytes() == here[:2].tobytes()
        assert store.finished(ONE) == {0, 1, 2}
        assert store.finished(OTHER) == set()
        assert store.count() == 3


def test_metrics_are_found_by_name_in_any_order_and_are_unknown_where_they_were_not(
    tmp_path: Path,
) -> None:
    with Store(tmp_path / "s") as store:
        assert store.metrics(ONE) == ()
        store.put(ONE, [0], ["a", "b"], np.array([[1.0, 2.0]]))
        store.put(ONE, [1], ["b", "c"], np.array([[3.0, 4.0]]))
        store.put(OTHER, [0], ["a", "b"], np.array([[5.0, 6.0]]))
    with Store(tmp_path / "s") as store:
        found = store.values(ONE, 2, ["c", "b", "z", "a"])
        nan = np.nan
        np.testing.assert_array_equal(found, [[nan, 2.0, nan, 1.0], [4.0, 3.0, nan, nan]])
        assert store.metrics(OTHER) == ("a", "b")
        assert store.values(ONE, 2, []).shape == (2, 0)


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.put(ONE, [0], ["a"], np.array([[1.0]]))
        store.put(ONE, [0, 1], ["a"], np.array([[2.0], [3.0]]))
        assert store.values(ONE, 2, ["a"]).tolist() == [[1.0], [3.0]]


def test_replications_are_put_together_or_not_at_all(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        with pytest.raises(ValueError, match="argument"):
            store.put(ONE, [0, 1, 2], ["new"], np.array([[1.0], [2.0]]))
        assert store.count() == 0
        store.put(ONE, [0], ["new"], np.array([[1.0]]))  # and goes on
    with Store(tmp_path / "s") as store:
        assert store.metrics(ONE) == ("new",)
        assert store.values(ONE, 1, ["new"]).tolist() == [[1.0]]


def test_notes(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        assert store.note("sweep") is None
        store.write_note("sweep", "a")
        store.write_note("sweep", "b\n'; DROP TABLE runs; --")
    with Store(tmp_path / "s") as store:
        assert store.note("sweep") == "b\n'; DROP TABLE runs; --"


def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    with Store(tmp_path / "s") as store:
        assert store.count() == 0


def test_it_belongs_to_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Store(path) as store:
        with pytest.raises(ResultsError, match=rf"another sweep is running in {tmp_path}"):
            Store(path)
        store.put(ONE, [0], ["a"], np.array([[1.0]]))
    with Store(path) as store:
        assert store.count() == 1


_HOLDER = """
import sys, numpy as np
from pathlib import Path
from sim.experiment.store import Store
with Store(Path(sys.argv[1])) as store:
    store.put(b"1" * 16, [0], ["a"], np.array([[1.0]]))
    store._database.execute("BEGIN")
    store._database.execute(
        "INSERT INTO runs SELECT fingerprint, 1, layout, checksum, numbers FROM runs"
    )
    print("holds it", flush=True)
    sys.stdin.read()
"""


def test_it_is_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds it\n"
        with pytest.raises(ResultsError, match="another sweep is running"):
            Store(path)
        holder.send_signal(signal.SIGKILL)
    finally:
        holder.kill()
        holder.communicate()
    with Store(path) as store:  # has what was put, and not what was under way
        assert store.finished(ONE) == {0}
        assert store.values(ONE, 1, ["a"]).tolist() == [[1.0]]


_KILLED_AT_EACH_STATEMENT = """
import functools, itertools, os, signal, sqlite3, sys
from pathlib import Path
import numpy as np
from sim.experiment.store import Store

VALUES = np.arange(40.0).reshape(20, 2)

def fill(path):
    with Store(path) as store:
        store.write_note("sweep", "x")
        store.put(b"1" * 16, range(20), ["a", "b"], VALUES)
        store.put(b"2" * 16, range(20), ["a", "b"], VALUES)

class Killed(sqlite3.Connection):
    left = 0

    def execute(self, *arguments):
        if Killed.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Killed.left -= 1
        return super().execute(*arguments)

for number in itertools.count():
    path = Path(sys.argv[1]) / str(number)
    child = os.fork()
    if child == 0:
        Killed.left = number
        sqlite3.connect = functools.partial(sqlite3.connect, factory=Killed)
        fill(path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    with Store(path) as store:
        counts = [len(store.finished(each * 16)) for each in (b"1", b"2")]
        assert counts in ([0, 0], [20, 0], [20, 20]), counts
    fill(path)
    with Store(path) as store:
        assert store.count() == 40
        assert (store.values(b"2" * 16, 20, ["a", "b"]) == VALUES).all()
    if status == 0:
        break
print(number)
"""


def test_killed_at_any_statement_it_can_be_opened_and_filled_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED_AT_EACH_STATEMENT, tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_costs_nothing_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "s"
    values = some_values(20)
    kept: list[int] = []

    def fill_up(store: Store) -> None:
        for number in range(10_000):
            store.put(number.to_bytes(16, "big"), range(20), NAMES, values)
            kept.append(number)

    said = r"cannot be written: .*what was finished .* is kept"
    with Store(path) as store:
        with no_file_larger_than(100_000), pytest.raises(ResultsError, match=said):
            fill_up(store)
        assert kept
        assert store.count() == 20 * len(kept)
    with Store(path) as store:
        assert store.count() == 20 * len(kept)
        for number in kept:
            there = store.values(number.to_bytes(16, "big"), 20, NAMES)
            assert there.tobytes() == values.tobytes()
        store.put((10_001).to_bytes(16, "big"), range(20), NAMES, values)  # there is space again


def test_a_disk_that_is_full_at_once(tmp_path: Path) -> None:
    with no_file_larger_than(0), pytest.raises(ResultsError, match="cannot be written"):
        Store(tmp_path / "s")
    with Store(tmp_path / "s") as store:
        assert store.count() == 0


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up for a while that root may write everywhere; others never could."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_file_that_may_not_be_written() -> None:
    # pytest's own folders are closed to everybody but their owner.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder / "s", points=1)
        before = (folder / "s").read_bytes()
        (folder / "s").chmod(0o444)
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(ResultsError, match="cannot be written"):
            Store(folder / "s")
        folder.chmod(0o755)
        assert (folder / "s").read_bytes() == before


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(ResultsError, match="cannot be"):
        Store(tmp_path / "s")


def refused(path: Path, match: str = "damaged") -> None:
    """Check that a store is refused, and not touched."""
    before = path.read_bytes()
    with pytest.raises(ResultsError, match=match) as said:
        Store(path)
    assert str(path) in str(said.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", [b"x", b"garbage" * 5000, b"SQLite format 3\0" + b"\xff" * 9000])
def test_garbage_is_refused_and_left_as_it_is(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(text)
    refused(path, "damaged|another version")


def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "s"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE runs (mine TEXT)")
    database.commit()
    database.close()
    refused(path, "another version")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_store_is_refused_and_left_as_it_is(share: float, tmp_path: Path) -> None:
    path = tmp_path / "s"
    filled(path)
    os.truncate(path, int(share * path.stat().st_size))
    refused(path)


def readable_or_refused(path: Path, there: dict[bytes, np.ndarray]) -> bool:
    """Check that a damaged store gives right numbers or none; return whether it could be opened.

    A replication that it lost is computed again; a number that none had is seen when it is read.
    """
    before = path.read_bytes()
    try:
        store = Store(path)
    except ResultsError:
        assert path.read_bytes() == before
        return False
    with store:
        try:
            for fingerprint, values in there.items():
                finished = store.finished(fingerprint)
                n = next(number for number in range(len(values) + 1) if number not in finished)
                names = store.metrics(fingerprint)
                assert names == (NAMES if finished else ())
                assert store.values(fingerprint, n, NAMES).tobytes() == values[:n].tobytes()
        except ResultsError:
            return True
    return True


def test_bytes_overwritten_anywhere_never_give_wrong_numbers(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    there = filled(whole)
    data = whole.read_bytes()
    rng = np.random.default_rng(20)
    opened = 0
    for trial in range(600):
        damaged = bytearray(data)
        length = int(rng.choice([1, 8, 500]))
        start = int(rng.integers(0, len(data) - length))
        damaged[start : start + length] = rng.bytes(length)
        path = tmp_path / f"{trial}"
        path.write_bytes(damaged)
        opened += readable_or_refused(path, there)
        path.unlink()
    assert opened  # some of it is seen only when it is read


def test_a_number_changed_by_a_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    there = filled(path)
    data = bytearray(path.read_bytes())
    number = there[bytes([3]) * 16][5, 0].tobytes()
    assert data.count(number) == 1
    data[data.index(number)] ^= 1
    path.write_bytes(data)
    with Store(path) as store:
        assert (
            store.values(bytes([2]) * 16, 20, NAMES).tobytes() == there[bytes([2]) * 16].tobytes()
        )
        with pytest.raises(ResultsError, match="damaged"):
            store.values(bytes([3]) * 16, 20, NAMES)


def test_a_replication_that_says_another_number_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    filled(path, points=1)
    database = sqlite3.connect(path)
    database.execute("UPDATE runs SET replication = 77 WHERE replication = 3")
    database.execute("UPDATE runs SET replication = 3 WHERE replication = 4")
    database.commit()
    database.close()
    with Store(path) as store, pytest.raises(ResultsError, match="damaged"):
        store.values(bytes(16), 4, NAMES)


def test_a_replication_that_is_missing_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    filled(path, points=1)
    database = sqlite3.connect(path)
    database.execute("DELETE FROM runs WHERE replication = 3")
    database.commit()
    database.close()
    with Store(path) as store, pytest.raises(ResultsError, match="damaged"):
        store.values(bytes(16), 5, NAMES)


def test_metrics_under_another_name_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    there = filled(path, points=1)
    path.write_bytes(path.read_bytes().replace(b"lead_time_h", b"lead_time_x"))
    try:
        with Store(path) as store:
            found = store.values(bytes(16), 20, NAMES)
    except ResultsError:
        return
    assert found.tobytes() == there[bytes(16)].tobytes()


def test_a_damaged_journal_costs_only_the_replications_that_were_in_it(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from test_store import *\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for number in range(10):\n"
        "    store.put(bytes([number]) * 16, range(20), NAMES, some_values(20, seed=number))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "s"
    subprocess.run([sys.executable, "-c", code, path, Path(__file__).parent], check=False)
    there = {bytes([number]) * 16: some_values(20, seed=number) for number in range(10)}
    journal = path.with_name("s-wal")
    data = journal.read_bytes()
    rng = np.random.default_rng(3)
    original = path.read_bytes()
    opened = 0
    for _ in range(20):
        damaged = bytearray(data)
        start = int(rng.integers(0, len(data) - 8))
        damaged[start : start + 8] = rng.bytes(8)
        path.write_bytes(original)
        journal.write_bytes(damaged)
        opened += readable_or_refused(path, there)
    assert opened > 10
    path.write_bytes(original)
    journal.write_bytes(data)
    with Store(path) as store:
        assert store.count() == 200
