"""The cases that importers of delivery records get wrong, one small folder each."""

from pathlib import Path

import pytest
from folders import folder

import sim
from sim.measure.measured import Measured
from sim.records.csv_files import SourceError

DEPLOYMENTS = """
deployment_id,service,deployed_at
d1,shop,2026-01-05T12:00:00Z
d2,shop,2026-01-06T12:00:00Z
d3,shop,2026-01-08T12:00:00Z
"""


def kinds(records: sim.Records) -> list[tuple[str, str, list[int]]]:
    """Return the problems: column, kind, rows."""
    return [(each.column, each.kind, each.rows.tolist()) for each in records.problems.found]


def metrics(records: sim.Records) -> dict[str, float]:
    return Measured(records).runs.iloc[0].to_dict()


def test_one_commit_in_many_deployments_counts_by_deployment_and_ends_at_the_first(
    tmp_path: Path,
) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        changes="""
        change_id,committed_at
        c1,2026-01-05T00:00:00Z
        c2,2026-01-07T12:00:00Z
        """,
        deployed_changes="""
        deployment_id,change_id
        d2,c1
        d1,c1
        d3,c1
        d3,c2
        """,
    )
    found = metrics(sim.read(source))
    assert found["n_deployments"] == 3
    assert found["lead_time_mean_h"] == (12 + 24) / 2  # c1 in d1, c2 in d3


def test_the_same_deployment_twice_counts_once_from_its_earliest_success(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments="""
        deployment_id,deployed_at,result
        d1,2026-01-06T12:00:00Z,success
        d1,2026-01-05T12:00:00Z,success
        d1,2026-01-05T06:00:00Z,failure
        """,
        changes="""
        change_id,committed_at,deployment_id
        c1,2026-01-05T00:00:00Z,d1
        """,
    )
    records = sim.read(source)
    assert metrics(records)["n_deployments"] == 1
    assert metrics(records)["lead_time_h"] == 12
    assert "1 row repeats a deployment; its earliest success counts." in records.remarks
    assert "1 deployment that did not succeed is left out." in records.remarks


def test_a_rollback_is_no_deployment_and_the_one_before_has_failed(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments="""
        deployment_id,service,deployed_at,is_rollback
        d1,shop,2026-01-05T12:00:00Z,false
        d2,shop,2026-01-06T12:00:00Z,false
        x1,other,2026-01-06T13:00:00Z,false
        d3,shop,2026-01-06T15:00:00Z,true
        d4,shop,2026-01-09T12:00:00Z,false
        """,
    )
    records = sim.read(source)
    found = metrics(records)
    assert found["n_deployments"] == 4
    assert found["change_failure_rate"] == 1 / 4
    assert found["time_to_restore_h"] != found["time_to_restore_h"], "nobody knows since when"
    incidents, deployments = records.tables["incidents"], records.tables["deployments"]
    failed = deployments["deployment_id"].isin(incidents["deployment_id"])
    assert deployments["deployed_at"][failed].tolist() == [24 + 12]


def test_several_incidents_of_a_deployment_are_one_failure(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        incidents="""
        incident_id,started_at,restored_at,deployment_id
        i1,2026-01-05T13:00:00Z,2026-01-05T14:00:00Z,d1
        i2,2026-01-05T15:00:00Z,2026-01-05T18:00:00Z,d1
        i2,2026-01-05T15:00:00Z,2026-01-05T18:00:00Z,d1
        """,
    )
    records = sim.read(source)
    assert metrics(records)["change_failure_rate"] == 1 / 3
    assert metrics(records)["time_to_restore_h"] == 2
    assert kinds(records) == [("incident_id", "the identifier is there twice", [4])]


def test_incidents_that_name_no_deployment_bound_the_rate(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        incidents="""
        incident_id,service,started_at,restored_at,deployment_id,commit
        i1,shop,2026-01-05T13:00:00Z,2026-01-05T14:00:00Z,d1,
        i2,shop,2026-01-06T13:00:00Z,2026-01-06T14:00:00Z,,
        """,
    )
    records = sim.read(source)
    found = metrics(records)
    assert found["change_failure_rate"] != found["change_failure_rate"]
    assert records.attribution is not None
    assert (records.attribution.lowest, records.attribution.highest) == (1 / 3, 2 / 3)
    assert records.attribution.n_in_window == 1
    assert "deployment_id" not in records.tables["incidents"]


def test_a_commit_says_which_deployment_failed(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments="""
        deployment_id,deployed_at,commit
        d1,2026-01-05T12:00:00Z,aaa
        d2,2026-01-06T12:00:00Z,bbb
        """,
        changes="""
        change_id,committed_at,deployment_id,commit
        c1,2026-01-05T00:00:00Z,d2,ccc
        """,
        incidents="""
        incident_id,started_at,commit
        i1,2026-01-05T13:00:00Z,aaa
        i2,2026-01-06T13:00:00Z,ccc
        """,
    )
    records = sim.read(source)
    assert metrics(records)["change_failure_rate"] == 1
    assert records.attribution is not None
    assert records.attribution.n_by_commit == 2


def test_who_says_that_no_deployment_did_it_leaves_nothing_open(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        incidents="""
        incident_id,started_at,deployment_id,trigger
        i1,2026-01-05T13:00:00Z,d1,deployment
        i2,2026-01-06T13:00:00Z,,outage
        """,
    )
    records = sim.read(source)
    assert metrics(records)["change_failure_rate"] == 1 / 3
    assert records.attribution is not None
    assert records.attribution.n_other == 1


def test_what_is_not_over_is_censored(tmp_path: Path) -> None:
    # Three incidents of 2, 4 and 6 h, and one that has lasted 3 h at the end: Kaplan and Meier's
    # curve is 3/4 after 2 h, and 3/4 · 1/2 = 3/8 after 4 h. Without the open one it would be 4 h
    # too; with it open for 7 h the curve is 3/4, 1/2, 1/4: the middle of 4 and 6.
    closed = """
        i1,2026-01-05T01:00:00Z,2026-01-05T03:00:00Z
        i2,2026-01-05T01:00:00Z,2026-01-05T05:00:00Z
        i3,2026-01-05T01:00:00Z,2026-01-05T07:00:00Z
        """
    for since, median in (("21:00", 4.0), ("17:00", 5.0)):
        source = folder(
            tmp_path / since.replace(":", ""),
            deployments="deployment_id,deployed_at\nd1,2026-01-05T00:30:00Z",
            incidents=f"incident_id,started_at,restored_at{closed}i4,2026-01-05T{since}:00Z,",
        )
        measured = Measured(sim.read(source))
        assert measured.open_durations == {"time_to_restore_h": 1}
        assert measured.runs["time_to_restore_h"].iloc[0] == median


def test_planned_work_is_no_incident(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        incidents="""
        incident_id,started_at,restored_at,planned,deployment_id
        i1,2026-01-05T13:00:00Z,2026-01-05T14:00:00Z,true,
        i2,2026-01-06T13:00:00Z,2026-01-06T14:00:00Z,,d2
        """,
    )
    records = sim.read(source)
    assert metrics(records)["n_incidents"] == 1
    assert "1 planned entry is no incident." in records.remarks


def test_paths_say_which_service_of_a_monorepo(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments="""
        deployment_id,service,deployed_at
        d1,deploy-search-prod,2026-01-05T12:00:00Z
        d2,deploy-rank-prod,2026-01-06T12:00:00Z
        """,
        changes="""
        change_id,committed_at,deployment_id,path
        c1,2026-01-05T00:00:00Z,d1,services/search/main.py
        c2,2026-01-05T00:00:00Z,d2,services/ranking/model.py
        """,
    )
    mapping = folder(
        tmp_path / "mapping",
        services="""
        pattern,service,team
        deploy-search,search,shop
        deploy-rank*,ranking,ml
        services/search/,search,shop
        services/ranking/,ranking,ml
        """,
    )
    records = sim.read(source, services=mapping / "services.csv")
    assert records.tables["services"]["service"].tolist() == ["search", "ranking"]
    assert records.tables["services"]["team"].tolist() == ["shop", "ml"]
    assert records.tables["changes"]["service"].tolist() == ["search", "ranking"]


def test_without_services_all_is_one_and_that_is_said(tmp_path: Path) -> None:
    source = folder(tmp_path, deployments="deployed_at\n2026-01-05T12:00:00Z")
    records = sim.read(source)
    assert records.tables["services"]["service"].tolist() == ["all"]
    assert any("taken for one" in remark for remark in records.remarks)


def test_a_health_check_is_no_deployment_to_production(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments="""
        deployment_id,deployed_at,environment
        d1,2026-01-05T12:00:00Z,Production
        d2,2026-01-05T13:00:00Z,health-check
        d3,2026-01-05T14:00:00Z,
        """,
    )
    assert metrics(sim.read(source))["n_deployments"] == 1
    assert metrics(sim.read(source, environment="health-check"))["n_deployments"] == 1
    with pytest.raises(SourceError, match=r"no deployment is to 'live'; name .* Production"):
        sim.read(source, environment="live")


def test_times_of_many_zones_are_instants(tmp_path: Path) -> None:
    text = """
        incident_id,started_at,restored_at,deployment_id
        i1,2026-01-05T13:00:00+01:00,2026-01-05T13:00:00Z,d1
        i2,2026-01-06 14:00:00,2026-01-06T18:00:00+05:30,d1
        i3,2026-01-06T8:00,2026-01-06T10:30:00Z,d1
        i4,2026-01-06T10:00:00Z,2026-01-06T09:00:00Z,d1
        """
    source = folder(
        tmp_path, deployments="deployment_id,deployed_at\nd1,2026-01-05T00:00Z", incidents=text
    )
    without = sim.read(source)
    assert kinds(without) == [
        ("started_at", "time not in ISO 8601", [4]),
        ("started_at", "time without a time zone", [3, 4]),
        ("restored_at", "restored before it started", [5]),
    ]
    assert metrics(without)["n_restored"] == 1 + 2  # of two, nobody knows since when
    berlin = sim.read(source, timezone="Europe/Berlin")
    hours = berlin.tables["incidents"]["restored_at"] - berlin.tables["incidents"]["started_at"]
    # i2: 13:00 to 12:30 UTC is another one that ends before it starts.
    assert hours.dropna().round(6).tolist() == [1.0, 3.5]
    assert [rows for _, kind, rows in kinds(berlin) if kind.startswith("restored")] == [[3, 5]]
    assert metrics(berlin)["change_failure_rate"] == 1


def test_changes_by_bots_are_told_apart(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        changes="""
        change_id,committed_at,deployment_id,by_bot
        c1,2026-01-05T11:00:00Z,d1,true
        c2,2026-01-05T12:00:00Z,d2,false
        c3,2026-01-06T14:00:00Z,d3,
        """,
    )
    measured = Measured(sim.read(source))
    assert measured.runs["lead_time_h"].iloc[0] == 24
    assert measured.basis["lead_time_h"] == 3
    assert measured.without_bots is not None
    assert measured.without_bots["lead_time_h"] == (24 + 46) / 2


def test_what_a_revert_takes_back_has_failed(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        changes="""
        change_id,committed_at,deployment_id,reverts
        c1,2026-01-05T11:00:00Z,d1,
        c2,2026-01-05T12:00:00Z,d2,c1
        c3,2026-01-06T14:00:00Z,d3,
        c4,2026-01-06T15:00:00Z,d3,c3
        """,
    )
    # c3 was taken back before anybody used it.
    assert metrics(sim.read(source))["change_failure_rate"] == 1 / 3


def test_a_revert_on_its_way_says_already_what_has_failed(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        deployments=DEPLOYMENTS,
        changes="""
        change_id,committed_at,deployment_id,reverts
        c1,2026-01-05T11:00:00Z,d1,
        c2,2026-01-08T13:00:00Z,,c1
        """,
    )
    assert metrics(sim.read(source))["change_failure_rate"] == 1 / 3


def test_an_incident_before_the_observed_time_is_not_the_work_of_a_deployment(
    tmp_path: Path,
) -> None:
    """Ten days are observed; i1 began exactly one such length before an hour after a deployment."""
    source = folder(
        tmp_path,
        deployments="""
        deployment_id,deployed_at
        d1,2026-01-05T10:00:00Z
        d2,2026-01-14T10:00:00Z
        """,
        incidents="""
        incident_id,started_at
        i1,2025-12-26T11:00:00Z
        i2,2026-01-14T11:00:00Z
        """,
    )
    attribution = sim.read(source).attribution
    assert attribution is not None
    assert (attribution.n_other, attribution.n_open) == (1, 1)
    assert (attribution.n_timed, attribution.n_in_window) == (1, 1)
    assert (attribution.lowest, attribution.highest) == (0, 1 / 2)
    # i2 began after the time that is observed, which may still be the work of d1.
    attribution = sim.read(source, until="2026-01-12").attribution
    assert attribution is not None
    assert (attribution.n_open, attribution.n_timed, attribution.n_in_window) == (1, 0, 0)
    assert (attribution.lowest, attribution.highest) == (0, 1)
