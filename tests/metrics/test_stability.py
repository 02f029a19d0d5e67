"""Queues of known load, and what looks like growth without being it."""

import numpy as np
import pandas as pd
import pytest

from sim.metrics import is_unstable

WINDOW = (0.0, 8736.0)  # a year


def single_server(rng, load, n_expected=1000, kind="feature"):
    """Return the changes of an M/M/1 queue over a year, those waiting not started."""
    rate = n_expected / WINDOW[1]
    created_at = np.cumsum(rng.exponential(1 / rate, 2 * n_expected))
    created_at = created_at[created_at < WINDOW[1]]
    work = rng.exponential(load / rate, created_at.size)
    # Lindley: a change starts when it is there and the one before it has ended.
    done = np.cumsum(work)
    ended_at = done + np.maximum.accumulate(created_at - (done - work))
    started_at = ended_at - work
    after = WINDOW[1]
    return pd.DataFrame(
        {
            "kind": kind,
            "created_at": created_at,
            "started_at": np.where(started_at < after, started_at, np.nan),
            "ended_at": np.where(ended_at < after, ended_at, np.nan),
        }
    )


@pytest.mark.parametrize(("load", "expected"), [(0.5, False), (0.9, False), (1.3, True), (2, True)])
def test_a_queue_is_unstable_if_more_comes_in_than_gets_out(load, expected):
    rng = np.random.default_rng(5)
    verdicts = [is_unstable(single_server(rng, load), WINDOW) for _ in range(20)]
    assert np.mean(np.equal(verdicts, expected)) >= 0.95


def test_a_starving_kind_is_not_hidden_by_the_others():
    rng = np.random.default_rng(6)
    retrainings = single_server(rng, 0.3, 5000, "retrain")
    features = single_server(rng, 1.5, 200, "feature")
    assert not is_unstable(retrainings, WINDOW)
    assert is_unstable(pd.concat([retrainings, features]), WINDOW)


def test_filling_up_at_the_start_of_the_records_is_no_growth():
    # Each change takes four months, but only those begun after some date were exported.
    created_at = np.arange(0.0, WINDOW[1], 10.0)
    changes = pd.DataFrame(
        {
            "kind": "feature",
            "created_at": created_at,
            "started_at": created_at,
            "ended_at": created_at + 17 * 168.0,
        }
    )
    assert not is_unstable(changes, WINDOW)
    never_ending = changes.assign(ended_at=np.nan)
    assert is_unstable(never_ending, WINDOW)


def test_monthly_releases_are_no_growth():
    created_at = np.arange(0.0, WINDOW[1], 4.0)
    month = WINDOW[1] / 12
    changes = pd.DataFrame(
        {
            "kind": "feature",
            "created_at": created_at,
            "started_at": created_at,
            "ended_at": (created_at // month + 1) * month,
        }
    )
    assert not is_unstable(changes, WINDOW)


def test_a_handful_of_changes_does_not_make_an_organization_unstable():
    started_at = [1000.0, 5000.0, 8000.0]
    changes = pd.DataFrame(
        {"kind": "fix", "created_at": started_at, "started_at": started_at, "ended_at": np.nan}
    )
    assert not is_unstable(changes, WINDOW)
    assert not is_unstable(changes.iloc[:0], WINDOW)
    assert not is_unstable(pd.DataFrame(), WINDOW)
