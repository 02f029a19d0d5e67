"""The scheduler: what is given away, in which pieces, and who is blamed if a worker dies."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import pytest
from little_sweeps import AUTOMATION, DEADLY, Diary, numbers, raises, small

from sim.experiment.axes import Axis
from sim.experiment.fingerprint import fingerprint
from sim.experiment.scheduler import Observe, Scheduler
from sim.experiment.store import Store
from sim.experiment.sweep import check_points, design_variants
from sim.scenario.from_data import validate
from sim.scenario.variants import Composed


class Pool:
    """An engine that works here: all that was given to it, when its results are asked for.

    If a replication is deadly, the pool breaks, and all that was given to it with it.
    """

    def __init__(self, workers: int = 2, deadly: Callable[[float, int], bool] | None = None):
        self.workers = workers
        self.sent: list[tuple[float, tuple[int, ...]]] = []
        self.most_at_once = 0
        self._deadly = deadly or (lambda _, __: False)
        self._waiting: list[_Later] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Take a piece of work."""
        data, replications, _ = arguments
        self.sent.append((data["automation"], replications))
        later = _Later(self, function, arguments)
        self._waiting.append(later)
        self.most_at_once = max(self.most_at_once, len(self._waiting))
        if len(self._waiting) >= 2 * self.workers:
            self.work()
        return later

    def check(self, error: BaseException | None) -> None:
        """Go on whatever happens."""

    def work(self) -> None:
        """Do the oldest piece."""
        first = self._waiting.pop(0)
        data, replications, _ = first.arguments
        if any(self._deadly(data["automation"], number) for number in replications):
            for each in (first, *self._waiting):
                each.set_exception(BrokenExecutor("a worker was killed"))
            self._waiting.clear()
        elif not first.cancelled():
            first.set_result(first.function(*first.arguments))

    def finish(self, wanted: "_Later") -> None:
        """Work until a piece is done."""
        while not wanted.done():
            self.work()


class _Later(Future[Any]):
    def __init__(self, pool: Pool, function: Callable[..., Any], arguments: tuple[Any, ...]):
        super().__init__()
        self.pool, self.function, self.arguments = pool, function, arguments

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self.pool.finish(self)
        return super().exception(timeout)


class Queue:
    """A queue that lets the pool work while nothing has come back."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._items = pool, []

    def put(self, item: object) -> None:
        """Add what came back."""
        self._items.append(item)

    def get(self, timeout: float) -> object:
        """Return what came back first."""
        while not self._items:
            self._pool.work()
        return self._items.pop(0)


def scheduled(
    folder: Path,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Sequence[int],
    observe: Observe = numbers,
    automation: Sequence[float] = AUTOMATION,
) -> tuple[Scheduler, Store, list[bytes], Diary]:
    data = validate(small()).model_dump(mode="json", by_alias=True)
    variants = design_variants([Axis("automation", tuple(automation))], lambda _: Composed(data))
    digests, _ = check_points(variants)
    prints = [fingerprint(digest) for digest in digests]
    store, diary = Store(folder / "store"), Diary()
    monkeypatch.setattr("sim.experiment.scheduler.queue.SimpleQueue", lambda: Queue(pool))
    scheduler = Scheduler(variants, prints, store, pool, diary, observe)
    scheduler.run(wanted)
    return scheduler, store, prints, diary


def test_each_replication_is_given_away_once_and_no_more_than_two_for_each_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(workers=2)
    _, store, prints, diary = scheduled(tmp_path, pool, monkeypatch, [7, 0, 3, 12, 1])
    given = [(automation, number) for automation, numbers in pool.sent for number in numbers]
    assert len(set(given)) == len(given) == 23
    assert pool.most_at_once == 4
    with store:
        found = [store.finished(each) for each in prints]
    assert found == [set(range(n)) for n in (7, 0, 3, 12, 1)]
    assert diary.replications_done == 23
    assert diary.points_done == 5
    assert len(pool.sent) < 23  # once it is known how quick they are, several travel together


def test_further_replications_are_those_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool()
    scheduler, store, prints, _diary = scheduled(tmp_path, pool, monkeypatch, [2] * 5)
    before = len(pool.sent)
    with store:
        scheduler.run([2, 4, 2, 3, 2])
        further = [(a, n) for a, numbers in pool.sent[before:] for n in numbers]
        assert sorted(further) == [(0.25, 2), (0.25, 3), (0.75, 2)]
        assert store.finished(prints[1]) == {0, 1, 2, 3}


def test_points_that_are_alike_share_their_replications(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool()
    automation = (0.0, 0.0, 0.5, 0.0)
    _, store, _prints, diary = scheduled(
        tmp_path, pool, monkeypatch, [3, 5, 2, 4], automation=automation
    )
    with store:
        given = sorted((a, n) for a, numbers in pool.sent for n in numbers)
        assert given == [(0.0, 0), (0.0, 1), (0.0, 2), (0.0, 3), (0.0, 4), (0.5, 0), (0.5, 1)]
        assert (diary.replications_done, diary.points_done) == (14, 4)


def test_nothing_is_tried_again_at_a_point_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool()
    scheduler, store, _prints, diary = scheduled(tmp_path, pool, monkeypatch, [9] * 5, raises)
    with store:
        assert list(scheduler.failures) == [2]
        tried = [numbers for automation, numbers in pool.sent if automation == DEADLY]
        assert len(tried) <= 2 * pool.workers
        before = len(pool.sent)
        scheduler.run([9, 9, 20, 9, 9])
        assert len(pool.sent) == before
        assert len(diary.failures) == 1
        assert diary.points_done == 4


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize(
    "deadly",
    [{DEADLY: 0}, {DEADLY: 2}, {0.0: 0, 1.0: 2}, {0.0: 0, 0.25: 1, 0.5: 2, 0.75: 0}],
    ids=str,
)
def test_only_those_who_kill_a_worker_are_blamed(
    deadly: Mapping[float, int], workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(workers, lambda automation, number: deadly.get(automation) == number)
    scheduler, store, prints, diary = scheduled(tmp_path, pool, monkeypatch, [3] * 5)
    with store:
        assert {AUTOMATION[point] for point in scheduler.failures} == set(deadly)
        assert {failure.point for failure in diary.failures} == set(scheduler.failures)
        for failure in scheduler.failures.values():
            assert failure.error == (
                "the worker process died: it was killed, ran out of memory or crashed"
            )
        for point, automation in enumerate(AUTOMATION):
            if automation not in deadly:
                assert store.finished(prints[point]) == {0, 1, 2}
        assert diary.points_done == 5 - len(deadly)


def test_what_was_not_begun_is_taken_back_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_back = []

    class Interrupted(Pool):
        def work(self) -> None:
            if len(self.sent) > 8:
                for each in self._waiting:
                    each.add_done_callback(lambda one: taken_back.append(one.cancelled()))
                raise KeyboardInterrupt
            super().work()

    pool = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        scheduled(tmp_path, pool, monkeypatch, [50] * 5)
    assert taken_back
    assert all(taken_back)
