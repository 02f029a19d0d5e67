"""What follows from the same thing meets the same luck in two scenarios, whatever came before."""

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small_organization import idea_every, simulate

import sim
from sim.world.randomness import Randomness, Substream

HOURS = {"dist": "lognormal", "mean": 1, "cv": 1}
EVERY_H = 50.0
WEEKS = 26


def features(run: sim.Run) -> pd.DataFrame:
    """Return the features that are not made again, in order; the place is the row of their luck."""
    changes = run.changes
    return changes[changes["trigger"] == "arrival"].reset_index(drop=True)


def by_feature(run: sim.Run, values: "pd.Series[float]") -> "pd.Series[float]":
    """Return those of the ``values`` of changes that belong to features, by their places."""
    place = pd.Series(features(run).index, index=features(run)["change_id"])
    values = values[values.index.isin(place.index)]
    return values.rename(index=place)


def efforts(
    run: sim.Run, step: str, keep: Literal["first", "last"] = "first"
) -> "pd.Series[float]":
    """Return the effort of the first or last execution of ``step`` by each change."""
    executions = run.steps[run.steps["step"] == step].drop_duplicates("change_id", keep=keep)
    return executions.set_index("change_id")["effort_h"]


def assert_same_where_both(one: "pd.Series[float]", other: "pd.Series[float]") -> None:
    """Check that two series agree where both have a value, and that they differ in their indices.

    With the same index, numbering in the order of what happens would be good enough.
    """
    both = one.index.intersection(other.index)
    assert len(both) > 15
    assert len(both) < max(len(one), len(other))
    np.testing.assert_allclose(one[both], other[both], rtol=1e-9)
    assert one[both].nunique() == len(both)


def pipeline(found: float) -> dict[str, Any]:
    """Return a pipeline whose test finds bad code with a probability, and its check bad models."""
    return {
        "steps": {
            "build": {"role": "ml_engineer", "effort_h": HOURS},
            "test": {"detects": {"code": {"manual": found, "automated": found}}},
            "train": {"role": "ml_engineer", "effort_h": HOURS},
            "check": {
                "detects": {"model": {"manual": 1, "automated": 1}},
                "returns_to": "train",
            },
            "deploy": {"effect": "deploys"},
        },
        "max_attempts": 5,
    }


def sent_back(found: float) -> sim.Run:
    changes = idea_every(EVERY_H, defects={"code": 0.5, "model": 0.5}, rework_h=HOURS)
    return simulate(weeks=WEEKS, changes=changes, pipeline=pipeline(found))


def test_a_step_meets_the_same_luck_whether_something_sent_the_change_back_before_it() -> None:
    never, always = sent_back(0.0), sent_back(1.0)
    assert (always.steps["attempt"] > never.steps["attempt"].max()).any()
    for step in ("build", "train"):
        expected = by_feature(never, efforts(never, step))
        assert expected.nunique() == len(expected)
        pd.testing.assert_series_equal(by_feature(always, efforts(always, step)), expected)


def test_a_step_that_is_repeated_meets_other_luck() -> None:
    steps = sent_back(1.0).steps
    builds = steps[steps["step"] == "build"]["effort_h"]
    assert len(builds) > 1.3 * WEEKS * 168 / EVERY_H
    assert builds.nunique() == len(builds)


def test_rework_meets_the_same_luck_whether_something_else_was_found_before() -> None:
    never, always = sent_back(0.0), sent_back(1.0)
    # Where the check found something, that was the last.
    assert_same_where_both(
        by_feature(never, efforts(never, "rework", keep="last")),
        by_feature(always, efforts(always, "rework", keep="last")),
    )


def failing(cause: str, likely: float, **rollback: Any) -> sim.Run:
    """Simulate features that have a defect of ``cause`` with a probability, and how they end."""
    trains = {"skipped_by": ["fix"], "effect": "trains_model"}
    return simulate(
        weeks=WEEKS,
        changes={
            **idea_every(EVERY_H, defects={cause: likely}, rework_h=HOURS),
            "fix": {"effort_h": HOURS},
        },
        pipeline={
            "steps": {
                "train": trains,
                "deploy": {"role": "ml_engineer", "effort_h": HOURS, "effect": "deploys"},
            }
        },
        incidents={"responses": {cause: {"notice_h": HOURS}}, "rollback": rollback},
    )


def by_culprit(run: sim.Run, values: "pd.Series[float]") -> "pd.Series[float]":
    """Return ``values`` of incidents, by the place of the feature that caused them."""
    place = pd.Series(features(run).index, index=features(run)["deployment_id"])
    deployments = run.incidents.set_index("incident_id")["deployment_id"]
    values = values.rename(index=deployments).rename(index=place)
    return values[values.index.isin(features(run).index)]


@pytest.mark.parametrize(("cause", "remedy"), [("code", "fix"), ("model", "retrain")])
def test_what_remedies_an_incident_has_the_luck_of_what_caused_it(cause: str, remedy: str) -> None:
    def deploying(run: sim.Run) -> "pd.Series[float]":
        """Return the effort of deploying each remedy, by the feature that made it necessary."""
        remedies = run.changes[run.changes["trigger"] == "incident"].set_index("change_id")
        assert set(remedies["kind"]) == {remedy}
        incident = remedies["incident_id"]
        values = efforts(run, "deploy")
        return by_culprit(run, values[values.index.isin(incident.index)].rename(index=incident))

    assert_same_where_both(deploying(failing(cause, 0.4)), deploying(failing(cause, 0.8)))


def test_a_change_that_is_made_again_has_the_luck_of_the_one_that_was_rolled_back() -> None:
    def again(run: sim.Run) -> "pd.Series[float]":
        """Return the author's effort for each feature made again, by the place of the first."""
        origin = run.changes.set_index("change_id")["origin_id"]
        return by_feature(run, efforts(run, "authoring").rename(index=origin))

    few, many = failing("code", 0.4, available=1), failing("code", 0.8, available=1)
    assert_same_where_both(again(few), again(many))


@pytest.mark.parametrize("cause", ["code", "model"])
def test_an_incident_is_noticed_with_the_luck_of_the_change_that_caused_it(cause: str) -> None:
    def delays(run: sim.Run) -> "pd.Series[float]":
        incidents = run.incidents.set_index("incident_id")
        return by_culprit(run, incidents["detected_at"] - incidents["started_at"])

    assert_same_where_both(delays(failing(cause, 0.4)), delays(failing(cause, 0.8)))


def test_changes_that_ship_together_keep_the_luck_of_their_defects() -> None:
    def released(**window: Any) -> sim.Run:
        return simulate(
            weeks=WEEKS,
            changes=idea_every(EVERY_H, defects={"code": 0.4}),
            pipeline={"steps": {"deploy": {"effect": "deploys", **window}}},
            incidents={"responses": {"code": {"notice_h": HOURS}}},
        )

    alone, together = released(), released(window={"days": ["thu"], "hour": 10})
    incidents = alone.incidents.set_index("incident_id")
    delays = by_culprit(alone, incidents["detected_at"] - incidents["started_at"])
    shipped = features(together).dropna(subset="deployment_id")
    several = 0
    for deployment_id, aboard in shipped.groupby("deployment_id"):
        of_it = together.incidents[together.incidents["deployment_id"] == deployment_id]
        expected = delays[delays.index.isin(aboard.index)]
        assert len(of_it) == len(expected)
        found = (of_it["detected_at"] - of_it["started_at"]).dropna()
        assert all(min(abs(expected - delay_h)) < 1e-6 for delay_h in found)
        several += len(expected) > 1
    assert several > 5


def test_a_retraining_that_is_left_out_leaves_the_luck_of_the_next_ones() -> None:
    def scheduled(long: float) -> sim.Run:
        return simulate(
            weeks=WEEKS,
            retraining={"trigger": "schedule", "every_h": EVERY_H},
            pipeline={
                "steps": {
                    "prepare": {"role": "ml_engineer", "effort_h": HOURS},
                    "train": {"run_h": long, "effect": "trains_model"},
                    "deploy": {"effect": "deploys"},
                }
            },
        )

    def preparing(run: sim.Run) -> "pd.Series[float]":
        return efforts(run, "prepare").rename(run.changes.set_index("change_id")["created_at"])

    assert_same_where_both(preparing(scheduled(1.5 * EVERY_H)), preparing(scheduled(1)))


def test_rows_of_what_follows_differ() -> None:
    keys = [
        (Substream(lane, number), nth)
        for lane in ("feature", "fix", "feature-redo")
        for number in [*range(1000), Substream("feature", 1).following(), 2**64 - 1]
        for nth in (1, 2, 11)
    ]
    assert len({substream.following(nth) for substream, nth in keys}) == len(keys)


def test_rows_of_what_follows_are_as_random_as_others() -> None:
    table = Randomness(1, 0).table("service/fix", [None, None])
    own = np.array([table.take(k) for k in range(3000)])
    fixes = np.array([table.take(Substream("feature", k).following()) for k in range(3000)])
    for column in (*fixes.T, fixes.ravel()):
        assert stats.kstest(column, "uniform").pvalue > 0.001
    correlations = np.corrcoef(np.hstack([own, fixes]).T)
    assert np.abs(correlations[~np.eye(4, dtype=bool)]).max() < 4 / np.sqrt(3000)
