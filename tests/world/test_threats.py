"""Threats: attacks, and what they find."""

from typing import Any

import pytest
from scipy import stats
from small_organization import NEVER_H, idea_every, row, simulate

WEEK_H = 168


def handled(**response: Any) -> dict[str, Any]:
    return {"responses": {"security": {"role": "ml_engineer", **response}}}


VULNERABLE = idea_every(100, defects={"security": 1}, rework_h=NEVER_H)
UNNOTICED = {"latency_h": NEVER_H}
ROLLBACK = {"available": 1, "automation": 1, "run_h": 1}


@pytest.mark.parametrize("succeeds", [0.03, 0.4])
def test_as_many_attacks_succeed_as_the_probability_says(succeeds: float) -> None:
    weeks = 60
    run = simulate(
        weeks=weeks,
        services={"one": {"team": "team"}, "two": {"team": "team"}},
        threats={"interarrival_h": 2, "succeeds": succeeds, "succeeds_if_vulnerable": 1},
    )
    assert set(run.incidents["cause"]) == {"security"}
    assert set(run.incidents["trigger"]) == {"attack"}
    attacks = weeks * WEEK_H // 2 - 1  # that of the very end is too late
    for _, rows in run.incidents.groupby("service", observed=True):
        assert stats.binomtest(len(rows), attacks, succeeds).pvalue > 0.001
    assert run.incidents["deployment_id"].isna().all()


def test_the_intruder_is_noticed_and_shut_out() -> None:
    run = simulate(
        weeks=1,
        threats={"interarrival_h": 100, "succeeds": 1},
        incidents=handled(notice_h=5, diagnosis_h=3, repair_h=2),
    )
    attack = row(run.incidents, 0)
    times = [attack[f"{phase}_at"] for phase in ("started", "detected", "diagnosed", "restored")]
    assert times == [100, 105, 108, 110]
    assert (attack["trigger"], attack["remedy"]) == ("attack", "repair")


def test_an_attack_finds_what_is_vulnerable_and_the_deployment_is_charged_with_it() -> None:
    run = simulate(
        weeks=1,
        changes=VULNERABLE,
        threats={"interarrival_h": 130, "succeeds": 0},
        incidents={**handled(**UNNOTICED, notice_h=4), "rollback": ROLLBACK},
    )
    assert len(run.incidents) == 1
    attack = row(run.incidents, 0)
    assert (attack["cause"], attack["trigger"]) == ("security", "deployment")
    assert (attack["deployment_id"], attack["started_at"]) == (0, 130)
    assert (attack["remedy"], attack["restored_at"]) == ("rollback", 135)
    assert run.deployments["failed"].tolist() == [True]
    assert row(run.changes, 0)["status"] == "rolled_back"


@pytest.mark.parametrize(("probability", "found"), [(0, 0), (1, 1)])
def test_while_it_is_vulnerable_the_other_probability_counts(
    probability: float, found: int
) -> None:
    run = simulate(
        weeks=1,
        changes=VULNERABLE,
        threats={
            "interarrival_h": 60,
            "succeeds": 1 - probability,
            "succeeds_if_vulnerable": probability,
        },
        incidents=handled(**UNNOTICED),
    )
    # Attacks at 60, before there is anything to find, and at 120.
    at = run.incidents["started_at"].tolist()
    assert at == ([120] if found else [60])


def test_the_share_of_attacks_that_find_it() -> None:
    """Each vulnerable deployment stays until an attack finds it: geometric."""
    p = 0.2
    run = simulate(
        weeks=400,
        changes={**idea_every(100, defects={"security": 1}), "fix": {"defects": {}}},
        threats={"interarrival_h": 200, "succeeds_if_vulnerable": p},
        incidents=handled(**UNNOTICED),
    )
    # One of two is found at most: something is vulnerable from the first deployment on.
    attacks = 400 * WEEK_H // 200 - 1
    assert stats.binomtest(len(run.incidents), attacks, p).pvalue > 0.001
    assert run.incidents["deployment_id"].is_unique


def test_the_one_that_has_been_there_longest_is_found_first() -> None:
    run = simulate(
        weeks=2,
        changes=VULNERABLE,
        threats={"interarrival_h": 210, "succeeds_if_vulnerable": 1},
        incidents=handled(**UNNOTICED),
    )
    assert row(run.incidents, 0)["started_at"] == 210
    assert row(run.incidents, 0)["deployment_id"] == 0  # that of 100, not that of 200


def test_what_has_shown_itself_before_is_no_longer_there_to_be_found() -> None:
    run = simulate(
        weeks=1,
        changes=VULNERABLE,
        threats={"interarrival_h": 150, "succeeds": 0, "succeeds_if_vulnerable": 1},
        incidents={**handled(latency_h=20), "rollback": ROLLBACK},
    )
    assert run.incidents["started_at"].tolist() == [120]


def test_defects_of_other_kinds_make_nobody_vulnerable() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(30, defects={"code": 1}),
        threats={"interarrival_h": 50, "succeeds": 0, "succeeds_if_vulnerable": 1},
        incidents={"responses": {"code": {"role": "ml_engineer", "latency_h": NEVER_H}}},
    )
    assert len(run.incidents) == 0


def test_an_attack_on_one_service_leaves_the_others_alone() -> None:
    run = simulate(
        weeks=1,
        services={"one": {"team": "team"}, "two": {"team": "team", "upstream": ["one"]}},
        dependencies={"spreads": 1},
        threats={"interarrival_h": 100, "succeeds": 1},
        incidents=handled(notice_h=NEVER_H),
    )
    assert run.incidents["service"].tolist() == ["team.one", "team.two"]
    assert set(run.incidents["trigger"]) == {"attack"}
