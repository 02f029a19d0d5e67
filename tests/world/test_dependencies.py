"""Dependencies between services: who uses whom, what spreads, who is to blame, what stops it."""

from typing import Any

import pandas as pd
import pytest
from scipy import stats
from small_organization import NEVER_H, idea_every, row, simulate, steps_of

import sim
from sim.scenario.from_data import validate
from sim.world.build import build

WEEK_H = 168
ML_ENGINEER = {"role": "ml_engineer"}


def using(*upstream: str, hidden: tuple[str, ...] = (), **service: Any) -> dict[str, Any]:
    return {"team": "team", "upstream": upstream, "hidden_upstream": hidden, **service}


def responses(**by_cause: dict[str, Any]) -> dict[str, Any]:
    return {cause: {**ML_ENGINEER, **response} for cause, response in by_cause.items()}


def connections(**parts: Any) -> list[tuple[str, str, bool]]:
    """Return (downstream, upstream, hidden) of every dependency."""
    scenario = validate(
        {
            "name": "connected",
            "pipeline": {"steps": {"deploy": {"effect": "deploys"}}},
            "teams": {"team": {"people": {}}},
            **parts,
        }
    )
    return [
        (dependency.downstream.name, dependency.upstream.name, dependency.hidden)
        for service in build(scenario, 1, 0).services
        for dependency in service.upstream
    ]


def test_the_kth_of_a_kind_uses_the_kth_of_another_and_so_on_around() -> None:
    found = connections(
        teams={"team": {"count": 2, "people": {}}, "core": {"people": {}}},
        services={
            "app": {"team": "team", "count": 2, "upstream": ["base"]},
            "base": {"team": "core", "count": 3},
        },
    )
    assert found == [
        ("team.app", "core.base", False),
        ("team.app-2", "core.base-2", False),
        ("team-2.app", "core.base-3", False),
        ("team-2.app-2", "core.base", False),
    ]


def test_there_are_as_many_dependents_as_services_not_as_what_they_use() -> None:
    found = connections(
        services={"app": using("base"), "base": {"team": "team", "count": 3}},
    )
    assert found == [("team.app", "team.base", False)]


def test_declared_and_hidden_ones() -> None:
    services = {"app": using("one", hidden=("two",)), "one": using(), "two": using()}
    assert connections(services=services) == [
        ("team.app", "team.one", False),
        ("team.app", "team.two", True),
    ]


def test_nothing_uses_itself() -> None:
    assert connections(services={"app": using("app", count=2)}) == []


def test_those_of_a_kind_without_services_are_left_out() -> None:
    # A kind of team without any team cannot be written; one that uses another around is fine.
    services = {"one": using("two"), "two": using("one")}
    assert connections(services=services) == [
        ("team.one", "team.two", False),
        ("team.two", "team.one", False),
    ]


def outages_of(run: sim.Run, service: str) -> pd.DataFrame:
    return run.incidents[run.incidents["service"] == f"team.{service}"]


CHAIN = {
    "first": using(time_to_outage_h=9),
    "second": using("first"),
    "third": using("second"),
    "apart": using(),
}


def test_an_outage_spreads_along_a_chain_with_the_given_probability() -> None:
    p = 0.6
    run = simulate(
        weeks=200,
        services=CHAIN,
        dependencies={"spreads": p},
        incidents={"responses": responses(infra={"repair_h": 1})},
    )
    outages = len(outages_of(run, "first"))
    assert outages == 200 * WEEK_H / 10
    for service, probability in (("second", p), ("third", p**2)):
        spread = len(outages_of(run, service))
        assert stats.binomtest(spread, outages, probability).pvalue > 0.001
    # Given that the second is down, the third is down with the same probability, independently.
    second, third = len(outages_of(run, "second")), len(outages_of(run, "third"))
    assert stats.binomtest(third, second, p).pvalue > 0.001
    assert set(outages_of(run, "third")["started_at"]) < set(
        outages_of(run, "second")["started_at"]
    )
    assert len(outages_of(run, "apart")) == 0


def test_two_ways_make_it_likelier_but_not_twice() -> None:
    p = 0.5
    services = {
        "source": using(time_to_outage_h=9),
        "left": using("source"),
        "right": using("source"),
        "sink": using("left", "right"),
    }
    run = simulate(
        weeks=100,
        services=services,
        dependencies={"spreads": p},
        incidents={"responses": responses(infra={"repair_h": 1})},
    )
    outages = len(outages_of(run, "source"))
    sink = outages_of(run, "sink")
    assert not sink["started_at"].duplicated().any()
    assert stats.binomtest(len(sink), outages, 1 - (1 - p**2) ** 2).pvalue > 0.001


def test_it_ends_in_a_circle_too() -> None:
    run = simulate(
        weeks=1,
        services={
            "first": using("third", time_to_outage_h=100),
            "second": using("first"),
            "third": using("second", hidden=("first",)),
        },
        dependencies={"spreads": 1},
        incidents={"responses": responses(infra={"repair_h": NEVER_H})},
    )
    assert run.incidents["service"].tolist() == ["team.first", "team.second", "team.third"]
    assert run.incidents["trigger"].tolist() == ["outage", "upstream", "upstream"]


def test_what_came_from_upstream_ends_when_it_ends_there() -> None:
    run = simulate(
        weeks=1,
        services={**CHAIN, "first": using(time_to_outage_h=100)},
        dependencies={"spreads": 1},
        incidents={"responses": responses(infra={"notice_h": 2, "diagnosis_h": 1, "repair_h": 5})},
    )
    rows = run.incidents.iloc[:3]
    assert rows["service"].tolist() == ["team.first", "team.second", "team.third"]
    assert set(rows["cause"]) == {"infra"}
    assert rows["started_at"].tolist() == [100] * 3
    assert rows["diagnosed_at"].tolist() == [103] * 3  # they see to it that it is not theirs
    assert rows["restored_at"].tolist() == [108] * 3
    assert rows["remedy"].tolist() == ["repair", "upstream", "upstream"]
    assert run.incidents["deployment_id"].isna().all()
    # Five hours of repair upstream, nobody repairs downstream.
    assert run.work[run.work["incident_id"] == 0]["effort_h"].sum() == 6
    assert run.work[run.work["incident_id"] == 1]["effort_h"].sum() == 1


def test_an_environment_that_breaks_with_a_deployment_spreads_and_is_charged_to_it() -> None:
    run = simulate(
        weeks=1,
        services={"first": using(golden_path=False), "second": using("first", golden_path=True)},
        changes=idea_every(100),
        pipeline={"environment_drift": 1, "steps": {"deploy": {"effect": "deploys"}}},
        dependencies={"spreads": 1},
        incidents={"responses": responses(infra={"latency_h": 5, "repair_h": 3})},
    )
    assert run.incidents["service"].tolist() == ["team.first", "team.second"]
    upstream = run.deployments[run.deployments["service"] == "team.first"]["deployment_id"]
    assert run.incidents["deployment_id"].tolist() == [upstream.item()] * 2
    assert run.incidents["restored_at"].tolist() == [108, 108]
    assert run.deployments.set_index("service")["failed"].to_dict() == {
        "team.first": True,
        "team.second": False,
    }


@pytest.mark.parametrize("cause", ["data", "model", "code", "security"])
def test_no_other_failure_spreads(cause: str) -> None:
    run = simulate(
        weeks=1,
        services={"first": using(), "second": using("first")},
        changes=idea_every(100, defects={cause: 1}),
        dependencies={"spreads": 1},
        incidents={"responses": responses(**{cause: {"notice_h": NEVER_H}})},
    )
    assert set(run.incidents["trigger"]) == {"deployment"}
    assert len(run.incidents) == 2  # each of its own change


BREAKING = idea_every(100, defects={"dependency": 1})
ROLLBACK = {"available": 1, "automation": 1, "run_h": 1}
TWO_DEPENDENTS = {"base": using(), "app": using("base"), "shop": using(hidden=("base",))}
NOTICED = responses(dependency={"latency_h": 10, "notice_h": 2, "diagnosis_h": 3})


def test_a_change_that_breaks_its_interface_is_rolled_back_upstream() -> None:
    run = simulate(
        weeks=1,
        services=TWO_DEPENDENTS,
        changes={"feature": {**BREAKING["feature"], "rework_h": NEVER_H}},
        incidents={"responses": NOTICED, "rollback": ROLLBACK},
    )
    base = run.deployments[run.deployments["service"] == "team.base"]["deployment_id"].item()
    assert run.incidents["service"].tolist() == ["team.app", "team.shop"]
    assert set(run.incidents["cause"]) == {"dependency"}
    assert set(run.incidents["trigger"]) == {"deployment"}
    assert run.incidents["deployment_id"].tolist() == [base] * 2
    assert run.incidents["started_at"].tolist() == [110] * 2
    assert run.incidents["restored_at"].tolist() == [116] * 2
    assert run.incidents["remedy"].tolist() == ["rollback", "upstream"]
    failed = run.deployments.set_index("service")["failed"]
    assert failed.to_dict() == {"team.base": True, "team.app": False, "team.shop": False}
    statuses = run.changes.iloc[:3].set_index("service")["status"]
    assert statuses.to_dict() == {
        "team.base": "rolled_back",
        "team.app": "deployed",
        "team.shop": "deployed",
    }
    again = run.changes.iloc[3:]
    assert again["service"].tolist() == ["team.base"]
    assert run.metrics()["change_failure_rate"] == pytest.approx(1 / 3)


def test_one_fix_upstream_remedies_it_for_all() -> None:
    run = simulate(
        weeks=1,
        services=TWO_DEPENDENTS,
        changes={**BREAKING, "fix": {"effort_h": 4}},
        incidents={"responses": NOTICED},
    )
    fixes = run.changes[run.changes["kind"] == "fix"]
    assert fixes["service"].tolist() == ["team.base"]
    assert fixes["incident_id"].tolist() == [0]
    assert run.incidents["restored_at"].tolist() == [119, 119]
    assert run.incidents["remedy"].tolist() == ["fix", "upstream"]


def test_a_service_that_nobody_uses_breaks_nobody() -> None:
    run = simulate(
        weeks=2,
        services={"base": using(), "app": using("base")},
        changes=BREAKING,
        incidents={"responses": NOTICED},
    )
    charged = run.deployments.set_index("deployment_id")["service"]
    assert set(charged.loc[run.incidents["deployment_id"].dropna()]) == {"team.base"}
    alone = simulate(weeks=2, changes=BREAKING, incidents={"responses": NOTICED})
    assert len(alone.incidents) == 0
    assert not alone.deployments["failed"].any()


def test_the_next_defect_shows_itself_where_nobody_uses_the_service() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"dependency": 1, "code": 1}),
        incidents={
            "responses": {**NOTICED, **responses(code={"latency_h": 20, "notice_h": NEVER_H})}
        },
    )
    assert run.incidents["cause"].tolist() == ["code"]
    assert run.incidents["started_at"].tolist() == [120]


@pytest.mark.parametrize(
    ("services", "stopped"),
    [
        ({"base": using(), "app": using("base")}, True),
        ({"base": using(), "app": using(hidden=("base",))}, False),
        ({"base": using(), "app": using("base"), "shop": using(hidden=("base",))}, True),
    ],
)
def test_contract_tests_know_only_declared_dependents(
    services: dict[str, Any], stopped: bool
) -> None:
    run = simulate(
        weeks=1,
        automation=1,
        services=services,
        changes={"feature": {**BREAKING["feature"], "rework_h": 7}},
        pipeline={
            "steps": {
                "contracts": {"detects": {"dependency": {"automated": 1}}},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={"responses": NOTICED},
    )
    base = run.changes[run.changes["service"] == "team.base"]["change_id"].iloc[0]
    outcomes = [(name, outcome) for name, *_, outcome in steps_of(run, base)]
    if stopped:
        assert outcomes[:2] == [("contracts", "caught"), ("rework", "passed")]
        assert len(run.incidents) == 0
    else:
        assert outcomes[0] == ("contracts", "passed")
        assert run.incidents["service"].tolist() == ["team.app"]
    others = run.steps[run.steps["service"] != "team.base"]
    assert set(others["outcome"]) == {"passed"}  # nobody uses them: nothing to test


@pytest.mark.parametrize("factor", [1, 3])
def test_what_nobody_knew_of_takes_longer_to_diagnose(factor: float) -> None:
    run = simulate(
        weeks=1,
        services={
            "base": using(time_to_outage_h=100),
            "app": using("base"),
            "shop": using(hidden=("base",)),
        },
        dependencies={"spreads": 1, "hidden_diagnosis": factor},
        incidents={"responses": responses(infra={"diagnosis_h": 2, "repair_h": 50})},
    )
    diagnosed = run.incidents.set_index("service")["diagnosed_at"]
    assert diagnosed.to_dict() == {
        "team.base": 102,
        "team.app": 102,
        "team.shop": 100 + 2 * factor,
    }


def test_the_first_of_those_who_did_not_know_looks_for_long_before_the_remedy() -> None:
    run = simulate(
        weeks=1,
        services={"base": using(), "shop": using(hidden=("base",))},
        changes={"feature": {**BREAKING["feature"], "rework_h": NEVER_H}},
        dependencies={"hidden_diagnosis": 4},
        incidents={"responses": NOTICED, "rollback": ROLLBACK},
    )
    assert row(run.incidents, 0)["restored_at"] == 110 + 2 + 4 * 3 + 1


def test_a_service_that_knows_and_does_not_know_of_its_use_has_one_incident() -> None:
    run = simulate(
        weeks=1,
        services={"base": using(), "app": using("base", hidden=("base",))},
        changes=BREAKING,
        incidents={"responses": NOTICED},
    )
    assert len(run.incidents) == 1
