"""Pools of slots, driven directly: timelines computed by hand, and invariants of any workload."""

from collections.abc import Callable, Generator, Iterable
from itertools import pairwise
from math import exp

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from simpy.events import Event

from sim.log import EventLog
from sim.scenario.organization import ComputePoolSpec
from sim.world.clock import Clock
from sim.world.compute import Cluster as Pools
from sim.world.compute import ComputePool, Job

RATE = 0.25  # interruptions per h, where there are any
FAILED, PREEMPTED = 0.1, 0.9  # draws that decide for one or the other when both rates are equal
UNHURT = (1 - 1e-12, FAILED)  # the interruption would come after 110 h


def after(hours: float, which: float = FAILED) -> tuple[float, float]:
    """Return the luck of a run that is interrupted after ``hours``, unless it ends before."""
    return 1 - exp(-RATE * hours), which


def no_luck_needed() -> list[float]:
    raise AssertionError("a pool without interruptions draws no luck")


class Cluster:
    """One pool, what was handed in, and when it was done."""

    def __init__(self, spec: ComputePoolSpec, provisioning_h: Iterable[float] = (1.0,)) -> None:
        delays = list(provisioning_h)
        self.env = Clock()
        self.log = EventLog()
        self.pool = ComputePool(
            self.env,
            self.log,
            "pool",
            "gpu",
            "team",
            spec,
            lambda order: delays[order % len(delays)],
            Pools(),
        )
        self.done: dict[str, float] = {}
        self.jobs: dict[str, Job] = {}
        self._numbers: dict[str, int] = {}

    def available_h(self, start: float, end: float) -> float:
        """Return the slot-hours available between two times."""
        return sum(
            slot_h * max(0.0, min(end, until) - max(start, since)) / (until - since)
            for since, until, slot_h in self.pool.stretches(end)
        )

    def hand_in(
        self,
        name: str,
        at: float,
        run_h: float,
        priority: int = 0,
        luck: Iterable[tuple[float, float]] | None = None,
    ) -> None:
        """Let a process hand in a job at some time and wait for it; a pair of draws a run."""
        number = self._numbers[name] = len(self._numbers)
        draw: Callable[[], list[float]] = no_luck_needed
        if luck is not None:
            rows = iter(luck)

            def draw() -> list[float]:
                return list(next(rows))

        def wait() -> Generator[Event, object, None]:
            yield self.env.timeout(at)
            job = self.jobs[name] = self.pool.run(run_h, priority, number, draw)
            yield job
            assert name not in self.done
            self.done[name] = self.env.now

        self.env.process(wait())

    def log_of_jobs(self) -> pd.DataFrame:
        """Return the log of occupations of slots."""
        return self.log.to_frames()["jobs"]

    def occupations(self, name: str) -> list[tuple[float, float, float, str]]:
        """Return (queued, started, finished, outcome) of each occupation of a slot by a job."""
        jobs = self.log_of_jobs()
        own = jobs[jobs["change_id"] == self._numbers[name]]
        columns = ["queued_at", "started_at", "finished_at", "outcome"]
        return list(own[columns].itertuples(index=False, name=None))


def scaling(**fields: float) -> ComputePoolSpec:
    return ComputePoolSpec(**{"slots": 1, "max_slots": 3, "release_after_h": 5.0, **fields})


def test_first_come_first_served() -> None:
    cluster = Cluster(ComputePoolSpec(slots=2))
    for name, run_h in [("a", 4), ("b", 2), ("c", 3), ("d", 1)]:
        cluster.hand_in(name, 0, run_h)
    cluster.env.run()
    assert cluster.done == {"b": 2.0, "a": 4.0, "c": 5.0, "d": 5.0}
    jobs = cluster.log_of_jobs().set_index("change_id")
    assert list(jobs.loc[[0, 1, 2, 3], "slot"]) == [0, 1, 1, 0]
    assert list(jobs.loc[[0, 1, 2, 3], "started_at"]) == [0.0, 0.0, 2.0, 4.0]
    assert set(jobs["outcome"]) == {"finished"}
    assert (cluster.jobs["d"].started_at, cluster.jobs["d"].held_h) == (4.0, 1.0)


def test_urgent_first_but_a_running_job_is_not_disturbed() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1))
    cluster.hand_in("running", 0, 10, priority=5)
    cluster.hand_in("low", 1, 1, priority=3)
    cluster.hand_in("high", 2, 1, priority=1)
    cluster.hand_in("later high", 3, 1, priority=1)
    cluster.env.run()
    assert cluster.done == {"running": 10.0, "high": 11.0, "later high": 12.0, "low": 13.0}


def test_runs_day_and_night_and_no_time_takes_no_time() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1))
    cluster.hand_in("weekend", 118.0, 60)
    cluster.hand_in("instant", 179.0, 0)
    cluster.env.run()
    assert cluster.done == {"weekend": 178.0, "instant": 179.0}


def test_failed_job_starts_from_scratch() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1, failures_per_h=RATE))
    cluster.hand_in("job", 0, 10, luck=[after(4), after(9), UNHURT])
    cluster.env.run()
    assert cluster.done["job"] == pytest.approx(4 + 9 + 10)
    assert cluster.jobs["job"].held_h == pytest.approx(23)
    assert cluster.jobs["job"].started_at == 0.0
    assert [row[3] for row in cluster.occupations("job")] == ["failed", "failed", "finished"]
    assert np.array([row[:3] for row in cluster.occupations("job")]) == pytest.approx(
        np.array([(0, 0, 4), (4, 4, 13), (13, 13, 23)])
    )


def test_checkpoints_keep_whole_periods_of_each_run() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1, preemptions_per_h=RATE, checkpoint_every_h=1.5))
    cluster.hand_in("job", 0, 10, luck=[after(4), after(1), after(3.2), UNHURT])
    cluster.env.run()
    # Of 4 h 3 are kept, of 1 h nothing, of 3.2 h 3 h: the last run takes 10 - 6 h.
    assert cluster.done["job"] == pytest.approx(4 + 1 + 3.2 + 4)
    assert cluster.jobs["job"].held_h == pytest.approx(12.2)
    assert [row[3] for row in cluster.occupations("job")] == ["preempted"] * 3 + ["finished"]


@pytest.mark.parametrize("checkpoints", range(1, 10))
def test_a_checkpoint_at_the_moment_of_the_interruption_is_kept(checkpoints: int) -> None:
    """In floats 0.3 // 0.1 is 2."""
    cluster = Cluster(ComputePoolSpec(slots=1, preemptions_per_h=RATE, checkpoint_every_h=0.1))
    cluster.hand_in("job", 0, 1, luck=[after(checkpoints / 10), UNHURT])
    cluster.env.run()
    assert cluster.done["job"] == 1.0


def test_interruption_at_the_end_comes_too_late() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1, failures_per_h=RATE))
    cluster.hand_in("job", 0, 2, luck=[after(2.001)])
    cluster.env.run()
    assert cluster.done == {"job": 2.0}


def test_rates_of_failure_and_preemption_add_up_and_share_the_outcomes() -> None:
    spec = ComputePoolSpec(slots=1, failures_per_h=RATE / 4, preemptions_per_h=RATE * 3 / 4)
    cluster = Cluster(spec)
    cluster.hand_in("job", 0, 5, luck=[after(1, 0.24), after(1, 0.26), after(1, 0.99), UNHURT])
    cluster.env.run()
    outcomes = [row[3] for row in cluster.occupations("job")]
    assert outcomes == ["failed", "preempted", "preempted", "finished"]
    assert cluster.done["job"] == pytest.approx(8)


def test_interrupted_job_keeps_its_place_in_the_queue() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1, failures_per_h=RATE))
    cluster.hand_in("job", 0, 10, priority=2, luck=[after(3), UNHURT])
    cluster.hand_in("equal", 1, 1, priority=2, luck=[UNHURT])
    cluster.hand_in("urgent", 2, 1, priority=1, luck=[UNHURT])
    cluster.env.run()
    # The slot goes to the more urgent job first, then to the one that came before its equal.
    assert cluster.done == pytest.approx({"urgent": 4, "job": 14, "equal": 15})
    assert cluster.occupations("job")[1][:3] == pytest.approx((3, 4, 14))


def test_scales_up_after_the_delay_and_down_after_idle_time() -> None:
    cluster = Cluster(scaling(), provisioning_h=[2.0, 3.0])
    cluster.hand_in("a", 0, 10)
    cluster.hand_in("b", 1, 10)  # orders a slot that is ready at 3
    cluster.hand_in("c", 1.5, 4)  # orders another, ready at 4.5
    cluster.env.run()
    assert cluster.done == {"a": 10.0, "b": 13.0, "c": 8.5}
    # The slot of c is idle from 8.5 and gone at 13.5, that of a from 10 and gone at 15; the last
    # one, of b, stays: it is the minimum.
    assert cluster.pool.sizes == [(0.0, 1), (3.0, 2), (4.5, 3), (13.5, 2), (15.0, 1)]
    assert cluster.pool.slots == 1
    assert cluster.available_h(0, 20) == 3 + 1.5 * 2 + 9 * 3 + 1.5 * 2 + 5
    assert cluster.available_h(4, 14) == 0.5 * 2 + 9 * 3 + 0.5 * 2
    assert cluster.available_h(3, 4.5) == 3.0
    assert cluster.available_h(14, 14) == 0.0


def test_idle_slot_that_is_used_again_is_not_given_back_before_its_time() -> None:
    cluster = Cluster(scaling(max_slots=2), provisioning_h=[1.0])
    cluster.hand_in("a", 0, 30)
    cluster.hand_in("b", 0, 2)  # waits for the second slot, holds it from 1 to 3
    cluster.hand_in("again", 7, 2)  # takes it before 8, until 9
    cluster.env.run(until=29)
    assert cluster.done == {"b": 3.0, "again": 9.0}
    assert cluster.pool.sizes == [(0.0, 1), (1.0, 2), (14.0, 1)]


def test_a_slot_that_comes_too_late_is_given_back() -> None:
    cluster = Cluster(scaling(max_slots=2), provisioning_h=[6.0])
    cluster.hand_in("a", 0, 2)
    cluster.hand_in("b", 0, 1)
    cluster.env.run()
    assert cluster.done == {"a": 2.0, "b": 3.0}
    assert cluster.pool.sizes == [(0.0, 1), (6.0, 2), (11.0, 1)]


def test_one_waiting_job_orders_one_slot() -> None:
    cluster = Cluster(scaling(max_slots=10), provisioning_h=[8.0])
    cluster.hand_in("a", 0, 4)
    cluster.hand_in("b", 0, 2)  # the only order
    cluster.hand_in("c", 5, 1)  # waits as b runs: the slot that is on its way is for it
    cluster.env.run()
    assert cluster.done == {"a": 4.0, "b": 6.0, "c": 7.0}
    assert cluster.pool.sizes == [(0.0, 1), (8.0, 2), (13.0, 1)]


def test_from_none_to_the_maximum_and_back() -> None:
    cluster = Cluster(scaling(slots=0, max_slots=2, release_after_h=0.0), provisioning_h=[1.0])
    for name in "abc":
        cluster.hand_in(name, 0, 4)
    cluster.env.run()
    assert cluster.done == {"a": 5.0, "b": 5.0, "c": 9.0}
    assert cluster.pool.sizes == [(0.0, 0), (1.0, 1), (1.0, 2), (5.0, 1), (9.0, 0)]
    assert cluster.available_h(0, 10) == 4 * 2 + 4


def test_fixed_pool_never_scales() -> None:
    cluster = Cluster(ComputePoolSpec(slots=2, release_after_h=0.1))
    for number in range(6):
        cluster.hand_in(str(number), 0, 3)
    cluster.env.run()
    assert cluster.pool.sizes == [(0.0, 2)]
    assert cluster.available_h(2, 12) == 20.0


def test_flush_logs_what_has_no_end() -> None:
    cluster = Cluster(ComputePoolSpec(slots=1))
    cluster.hand_in("running", 0, 10)
    cluster.hand_in("low", 1, 1, priority=3)
    cluster.hand_in("high", 2, 1, priority=1)
    cluster.env.run(until=5)
    cluster.pool.flush()
    jobs = cluster.log_of_jobs()
    assert list(jobs["change_id"]) == [0, 2, 1]
    assert list(jobs["outcome"]) == ["unfinished", "waiting", "waiting"]
    assert list(jobs["queued_at"]) == [0.0, 2.0, 1.0]
    assert list(jobs["slot"].isna()) == [False, True, True]
    assert jobs["finished_at"].isna().all()
    assert list(jobs["started_at"].isna()) == [False, True, True]


JOBS = st.lists(
    st.tuples(
        st.floats(0, 60), st.one_of(st.floats(0.01, 20), st.integers(0, 8)), st.integers(0, 3)
    ),
    min_size=1,
    max_size=20,
)


@settings(derandomize=True, phases=[Phase.generate], deadline=None, max_examples=60)
@given(
    JOBS,
    st.integers(0, 2),
    st.sampled_from([None, 3, 5]),
    st.sampled_from([0.0, 0.5, 4.0]),
    st.sampled_from([0.0, 2.0]),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([None, 1.0]),
)
def test_any_workload(
    jobs: list[tuple[float, float, int]],
    slots: int,
    max_slots: int | None,
    provisioning_h: float,
    release_after_h: float,
    preemptions_per_h: float,
    checkpoint_every_h: float | None,
) -> None:
    spec = ComputePoolSpec(
        slots=slots if max_slots is not None else slots + 1,
        max_slots=max_slots,
        release_after_h=release_after_h,
        preemptions_per_h=preemptions_per_h,
        checkpoint_every_h=checkpoint_every_h,
    )
    cluster = Cluster(spec, [provisioning_h])
    uniforms = np.random.default_rng(len(jobs)).random((2000, 2)).tolist()
    for number, (at, run_h, priority) in enumerate(jobs):
        cluster.hand_in(str(number), at, run_h, priority, uniforms[number::20])
    cluster.env.run()
    assert len(cluster.done) == len(jobs)

    log = cluster.log_of_jobs()
    sizes = np.array(cluster.pool.sizes)
    assert set(np.diff(sizes[:, 1])) <= {-1, 1}
    assert sizes[:, 1].min() == spec.slots
    assert sizes[:, 1].max() <= (max_slots or spec.slots)
    assert sizes[-1, 1] == spec.slots  # in the end all that was added is given back

    # Busy and idle hours make up the capacity, and nobody waits for an idle slot.
    end = max(log["finished_at"].max(), sizes[-1, 0])
    instants = np.unique([*log[["queued_at", "started_at", "finished_at"]].to_numpy().ravel(), end])
    instants = np.unique([0.0, *instants, *sizes[:, 0]])
    available = busy = 0.0
    for start, stop in pairwise(instants):
        middle = (start + stop) / 2
        size = sizes[np.searchsorted(sizes[:, 0], middle) - 1, 1]
        running = log[(log["started_at"] <= middle) & (middle < log["finished_at"])]
        waiting = ((log["queued_at"] <= middle) & (middle < log["started_at"])).any()
        assert running["slot"].is_unique
        assert len(running) <= size
        assert not waiting or len(running) == size
        if max_slots is not None and provisioning_h == 0:
            assert not waiting or size == max_slots
        available += size * (stop - start)
        busy += len(running) * (stop - start)
    assert cluster.available_h(0, end) == pytest.approx(available)
    held = (log["finished_at"] - log["started_at"]).sum()
    assert busy == pytest.approx(held)
    assert sum(job.held_h for job in cluster.jobs.values()) == pytest.approx(held)
    halves = cluster.available_h(0, end / 3), cluster.available_h(end / 3, end)
    assert sum(halves) == pytest.approx(available)

    # A job holds a slot for as long as it runs, and longer only if it was interrupted.
    for number, (_, run_h, _) in enumerate(jobs):
        outcomes = log.loc[log["change_id"] == number, "outcome"]
        job = cluster.jobs[str(number)]
        if len(outcomes) == 1:
            assert job.held_h == pytest.approx(run_h, abs=1e-9)
        else:
            assert job.held_h > run_h
        assert list(outcomes) == ["preempted"] * (len(outcomes) - 1) + ["finished"]
