"""Strangers: how long the diagnosis takes somebody from outside the team."""

from typing import Any

import pytest
from small_organization import row, simulate

STRANGERS = {
    "teams": {"team": {"people": {"data_scientist": 1, "ml_engineer": 1}}},
    "shared_people": {"operations": 2},
}
OF_THE_TEAM = {
    "teams": {"team": {"people": {"data_scientist": 1, "ml_engineer": 1, "operations": 2}}},
    "shared_people": {},
}
BESIDE = {**OF_THE_TEAM, "shared_people": {"operations": 2}}  # one's own come before the others


@pytest.mark.parametrize(
    ("people", "golden_path", "factor"),
    [
        (STRANGERS, False, 2.5),
        (STRANGERS, True, 1),
        (OF_THE_TEAM, False, 1),
        (OF_THE_TEAM, True, 1),
        (BESIDE, False, 1),
    ],
)
def test_only_strangers_and_only_off_the_golden_path(
    people: dict[str, Any], golden_path: bool, factor: float
) -> None:
    run = simulate(
        weeks=1,
        **people,
        services={"service": {"team": "team", "golden_path": golden_path, "time_to_outage_h": 100}},
        incidents={
            "unfamiliar": 2.5,
            "responses": {"infra": {"diagnosis_h": 4, "repair_h": 3}},
        },
    )
    incident = row(run.incidents, 0)
    assert incident["diagnosed_at"] == 100 + 4 * factor
    assert incident["restored_at"] == 103 + 4 * factor  # the repair takes as long as ever


def test_it_comes_on_top_of_what_nobody_knew_of() -> None:
    run = simulate(
        weeks=1,
        **STRANGERS,
        services={
            "base": {"team": "team", "golden_path": True, "time_to_outage_h": 100},
            "shop": {"team": "team", "golden_path": False, "hidden_upstream": ["base"]},
        },
        dependencies={"spreads": 1, "hidden_diagnosis": 3},
        incidents={"unfamiliar": 2, "responses": {"infra": {"diagnosis_h": 4, "repair_h": 50}}},
    )
    assert run.incidents["diagnosed_at"].tolist() == [104, 100 + 4 * 3 * 2]
