"""The course of a service's quality as it is logged, and whom a team counts as its own."""

from typing import Any

import pandas as pd
import pytest
from small_organization import NEVER_H, idea_every, simulate

import sim

WEEK_H = 168
LINEAR = {"shape": "linear", "loss_per_week": 0.168}  # 0.001 an hour
QUALITY = {"initial": 0.9, "objective": 0.6, "decay": LINEAR}
NOBODY_NOTICES = {"responses": {"model": {"role": "ml_engineer", "notice_h": NEVER_H}}}
BATCHES_THAT_BREAK = {
    "corrupted": 1,
    "corruption": {"schema": 1, "missing": 0, "delayed": 0},
}


def services(**service: Any) -> dict[str, Any]:
    return {"service": {"team": "team", **service}}


def course(run: sim.Run) -> list[tuple[float, ...]]:
    """Return (time, quality, time of the model's data, whether below) of each row."""
    columns = run.quality[["at", "quality", "model_data_from", "below"]].astype(float).round(9)
    return list(columns.itertuples(index=False, name=None))


def test_a_row_a_week_and_one_where_it_falls_below() -> None:
    run = simulate(weeks=3, services=services(quality=QUALITY), incidents=NOBODY_NOTICES)
    assert course(run) == [
        (0, 0.9, 0, 0),
        (168, 0.732, 0, 0),
        (300, 0.6, 0, 1),
        (336, 0.564, 0, 1),
    ]
    assert run.quality["slo"].tolist() == [0.6] * 4
    assert run.incidents["started_at"].tolist() == pytest.approx([300])
    assert run.metrics()["share_below_objective"] == pytest.approx(204 / 504)


def test_a_newer_model_jumps_back_to_the_quality_of_its_data() -> None:
    run = simulate(
        weeks=1,
        services=services(quality=QUALITY, retraining={"trigger": "schedule", "every_h": 60}),
        pipeline={
            "steps": {"train": {"run_h": 10, "effect": "trains_model"}, "go": {"effect": "deploys"}}
        },
    )
    assert course(run) == [(0, 0.9, 0, 0), (70, 0.89, 60, 0), (130, 0.89, 120, 0)]
    # Ages: 0 to 70, 10 to 70 and 10 to 48 h.
    assert run.metrics()["staleness_h"] == pytest.approx(
        (70**2 + (70**2 - 10**2) + (48**2 - 10**2)) / 2 / 168
    )


def test_a_shock_has_a_row_of_its_own_and_may_be_what_crosses_the_objective() -> None:
    shocks = {"interarrival_h": 100, "loss": 0.1}
    run = simulate(
        weeks=2,
        services=services(quality={"initial": 0.9, "objective": 0.75, "shocks": shocks}),
        incidents=NOBODY_NOTICES,
    )
    assert course(run) == [
        (0, 0.9, 0, 0),
        (100, 0.8, 0, 0),
        (168, 0.8, 0, 0),
        (200, 0.7, 0, 1),
        (300, 0.6, 0, 1),
    ]
    assert run.incidents["started_at"].tolist() == [200]


def test_a_shock_spares_models_of_later_data() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={"initial": 0.9, "shocks": {"interarrival_h": 100, "loss": 0.1}},
            retraining={"trigger": "schedule", "every_h": 120},
        ),
        pipeline={"steps": {"train": {"effect": "trains_model"}, "go": {"effect": "deploys"}}},
    )
    assert course(run) == [(0, 0.9, 0, 0), (100, 0.8, 0, 0), (120, 0.9, 120, 0)]


def test_data_that_break_predictions_take_quality_below_for_as_long_as_they_are_served() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={**QUALITY, "impairment": 0.25},
            data={"interarrival_h": 20, **BATCHES_THAT_BREAK},
        ),
        incidents={"responses": {"data": {"role": "ml_engineer", "repair_h": 5}}},
    )
    rows = course(run)
    assert rows[:3] == [(0, 0.9, 0, 0), (20, 0.63, 0, 0), (25, 0.875, 0, 0)]
    # From 50 on the quality of 0.85 leaves nothing of the margin: below from 60 to 65 at once.
    assert [row for row in rows if row[0] in (40, 45, 60, 65)] == [
        (40, 0.61, 0, 0),
        (45, 0.855, 0, 0),
        (60, 0.59, 0, 1),
        (65, 0.835, 0, 0),
    ]
    assert run.metrics()["share_below_objective"] == pytest.approx(6 * 5 / 168)


def test_it_falls_below_in_the_middle_of_an_impairment() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={**QUALITY, "impairment": 0.25},
            data={"interarrival_h": 40, **BATCHES_THAT_BREAK},
        ),
        incidents={"responses": {"data": {"role": "ml_engineer", "repair_h": 30}}},
    )
    # 0.65 at 40; the objective of 0.6 at 50, in the middle of 40 to 70.
    assert course(run)[1:4] == [(40, 0.61, 0, 0), (50, 0.6, 0, 1), (70, 0.83, 0, 0)]
    assert len(run.incidents[run.incidents["trigger"] == "decay"]) == 0  # the model is good enough


def test_several_impairments_add_up_and_quality_ends_at_nothing() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={"initial": 0.9, "objective": 0.7, "impairment": 0.4},
            data={"interarrival_h": 10, **BATCHES_THAT_BREAK},
        ),
        incidents={"responses": {"data": {"role": "ml_engineer", "repair_h": 25}}},
    )
    assert course(run)[:5] == [
        (0, 0.9, 0, 0),
        (10, 0.5, 0, 1),
        (20, 0.1, 0, 1),
        (30, 0, 0, 1),
        (35, 0.1, 0, 1),
    ]


def test_bad_data_make_no_difference_to_a_service_without_an_objective() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={"impairment": 1}, data={"interarrival_h": 24, **BATCHES_THAT_BREAK}
        ),
        incidents={"responses": {"data": {"role": "ml_engineer", "notice_h": 5}}},
    )
    assert run.quality["quality"].min() == 0
    assert not run.quality["below"].any()


def test_code_on_top_of_a_model_leaves_its_course_as_it_is() -> None:
    quality = {"quality": QUALITY}
    alone = simulate(weeks=3, services=services(**quality), incidents=NOBODY_NOTICES)
    with_code = simulate(
        weeks=3,
        services=services(**quality),
        incidents=NOBODY_NOTICES,
        changes={"improvement": {"interarrival_h": 50}},
    )
    assert len(with_code.deployments) == 10
    pd.testing.assert_frame_equal(alone.quality, with_code.quality)
    pd.testing.assert_series_equal(alone.incidents["started_at"], with_code.incidents["started_at"])


def test_rows_of_each_service_are_in_the_order_of_time() -> None:
    run = simulate(
        weeks=6,
        services={
            "service": {
                "team": "team",
                "count": 2,
                "quality": {
                    **QUALITY,
                    "shocks": {"interarrival_h": 70, "loss": 0.05},
                },
                "data": {"interarrival_h": 33, **BATCHES_THAT_BREAK},
                "retraining": {"trigger": "schedule", "every_h": 90},
            }
        },
        changes=idea_every(50, defects={"model": 0.5}),
        pipeline={
            "steps": {"train": {"run_h": 10, "effect": "trains_model"}, "go": {"effect": "deploys"}}
        },
        incidents={
            "responses": {
                "data": {"role": "ml_engineer", "notice_h": 7},
                "model": {"role": "ml_engineer", "latency_h": 3, "notice_h": 20},
            }
        },
    )
    for _, rows in run.quality.groupby("service", observed=True):
        assert rows["at"].iloc[0] == 0
        assert (rows["at"].diff().dropna() > 0).all()
        assert (rows["at"].diff().dropna() <= WEEK_H).all()


def test_a_team_counts_only_its_own_people_as_its_own() -> None:
    run = simulate(
        weeks=1,
        shared_people={"operations": 1, "security": 1},
        pipeline={
            "handoff_in_team": {"delay_h": 2},
            "handoff_across": {"delay_h": 9},
            "steps": {
                name: {"role": role, "effort_h": 1}
                for name, role in {
                    "build": "ml_engineer",
                    "train": "data_scientist",
                    "inspect": "security",
                    "release": "operations",
                    "watch": "data_scientist",
                }.items()
            }
            | {"deploy": {"effect": "deploys"}},
        },
        changes=idea_every(100),
    )
    # In the team, to a group outside, between two groups outside, and back into the team.
    assert run.steps["handoff_h"].tolist()[:5] == [0, 2, 9, 9, 9]
