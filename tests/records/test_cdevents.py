"""CDEvents: what happened, from events as the specification writes them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.records.cdevents as reader
from sim.metrics import compute_metrics
from sim.records.csv_files import SourceError
from sim.records.delivery import Delivery
from sim.records.options import Options
from sim.records.reading import read

_VERSIONS = {"service": "0.3.0", "incident": "0.3.0", "change": "0.4.0", "artifact": "0.3.0"}


def event(
    kind: str,
    at: str,
    subject: str,
    number: int = 0,
    environment: str | None = None,
    chain: str | None = None,
    **content: Any,
) -> dict[str, Any]:
    """Return an event; `at` is a time of January 2026: ``05T12``."""
    if environment is not None:
        content["environment"] = {"id": environment}
    context = {
        "specversion": "0.5.1",
        "id": f"{kind}-{at}-{subject}-{number}",
        "source": "/here",
        "type": f"dev.cdevents.{kind}.{_VERSIONS.get(kind.split('.')[0], '0.1.0')}",
        "timestamp": f"2026-01-{at}:00:00Z",
    }
    if chain is not None:
        context["chainId"] = chain
    return {
        "context": context,
        "subject": {"id": subject, "source": "/here", "content": content},
    }


def write(folder: Path, *events: Any) -> str:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in events), encoding="utf-8")
    return str(path)


def delivery_of(folder: Path, *events: Any) -> Delivery:
    return reader.read(write(folder, *events), Options())


def deploy(at: str, artifact: str, kind: str = "upgraded", to: str = "production") -> Any:
    return event(f"service.{kind}", at, "shop", environment=to, artifactId=f"pkg:oci/{artifact}")


def package(at: str, artifact: str, change: str) -> Any:
    return event("artifact.packaged", at, f"pkg:oci/{artifact}", change={"id": change})


def change(kind: str, at: str, name: str, chain: str | None = None) -> Any:
    return event(f"change.{kind}", at, name, chain=chain, repository={"id": "our/shop"})


DELIVERY = (
    change("created", "05T06", "1"),
    change("merged", "05T12", "1"),
    change("created", "05T08", "2"),
    change("merged", "05T18", "2"),
    package("05T19", "v1", "2"),
    deploy("05T20", "v1", "deployed", to="staging"),
    deploy("06T06", "v1", "deployed"),
    change("merged", "08T06", "3"),
    package("08T07", "v2", "3"),
    deploy("08T12", "v2"),
    change("merged", "09T06", "4"),  # not yet
    event(
        "incident.detected", "08T14", "INC-1", environment="production",
        service={"id": "shop"}, artifactId="pkg:oci/v2",
    ),
    event("incident.reported", "08T15", "INC-1", environment="production"),
    event("incident.resolved", "08T18", "INC-1", environment="production", artifactId="pkg:oci/v1"),
    event("build.finished", "08T07", "some"),
    deploy("08T17", "v1", "rolledback"),
)  # fmt: skip


def test_metrics_by_hand(tmp_path: Path) -> None:
    path = write(tmp_path, *DELIVERY)
    assert reader.can_open(path)
    records = read(path)
    metrics = compute_metrics(records)
    # January 6th to 9th: v1 and v2; the rollback is none.
    assert metrics["deployment_frequency"] == pytest.approx(2 / 4)
    assert metrics["change_failure_rate"] == pytest.approx(1 / 2)
    assert metrics["time_to_restore_h"] == pytest.approx(4.0)
    changes = records.tables["changes"]
    lead = (changes["deployed_at"] - changes["committed_at"]).tolist()
    # 1: created on the 5th at 6:00, out with 2, which was merged after it. 4 is open.
    assert lead[:3] == pytest.approx([24.0, 22.0, 6.0])
    assert pd.isna(lead[3])
    assert records.attribution is not None
    assert records.attribution.n_linked == 1
    rules = {(each.table, each.column): each.rule for each in records.knowledge}
    assert "began before" in rules["incidents", "started_at"]
    assert "of 2, when it was merged" in rules["changes", "committed_at"]
    assert any(
        "1 events say nothing" in each and "build.finished" in each for each in records.remarks
    )


def test_a_chain_links_where_no_artifact_does(tmp_path: Path) -> None:
    parts = (
        change("merged", "05T06", "1", chain="c-1"),
        event("service.deployed", "06T06", "shop", environment="production", chain="c-1"),
        event("service.deployed", "07T06", "shop", environment="production", chain="c-2"),
    )
    records = read(write(tmp_path, *parts))
    changes = records.tables["changes"]
    assert (changes["deployed_at"] - changes["committed_at"]).tolist() == [24.0]


def test_events_that_are_sent_again_count_once(tmp_path: Path) -> None:
    delivery = delivery_of(tmp_path, *DELIVERY, *DELIVERY)
    assert len(delivery.tables["deployments"]) == 4
    assert any("15 events were sent again" in remark for remark in delivery.remarks)


def test_published_is_a_deployment_only_where_nothing_says_deployed(tmp_path: Path) -> None:
    both = event("service.published", "06T07", "shop", environment="production")
    alone = event("service.published", "06T07", "search", environment="production")
    table = delivery_of(tmp_path, deploy("06T06", "v1"), both, alone).tables["deployments"]
    assert list(table["service"]) == ["shop", "search"]


def test_what_happens_elsewhere_does_not_count(tmp_path: Path) -> None:
    elsewhere = event("incident.detected", "08T20", "INC-2", environment="staging")
    records = read(write(tmp_path, *DELIVERY, elsewhere))
    assert len(records.tables["incidents"]) == 1
    assert "1 incident in another environment is left out." in records.remarks
    assert any("1 deployment to another environment" in remark for remark in records.remarks)


def test_an_incident_that_is_detected_again_is_open(tmp_path: Path) -> None:
    again = event("incident.detected", "09T20", "INC-1", number=2, environment="production")
    incidents = delivery_of(tmp_path, *DELIVERY, again).tables["incidents"]
    assert incidents["started_at"].tolist() == [pd.Timestamp("2026-01-08 14:00", tz="UTC")]
    assert incidents["restored_at"].isna().all()


def test_an_incident_is_charged_to_the_last_deployment_of_its_artifact_there(
    tmp_path: Path,
) -> None:
    parts = (
        deploy("05T06", "v1"),
        deploy("06T06", "v1"),
        deploy("06T12", "v1", to="staging"),
        event("incident.detected", "06T18", "A", environment="production", artifactId="pkg:oci/v1"),
        event("incident.detected", "04T18", "B", environment="production", artifactId="pkg:oci/v1"),
        event("incident.detected", "06T18", "C", environment="production", artifactId="pkg:oci/v7"),
        deploy("07T06", "v1"),
    )
    delivery = delivery_of(tmp_path, *parts)
    charged = delivery.tables["incidents"].set_index("incident_id")["deployment_id"]
    assert charged["A"] == "service.upgraded-06T06-shop-0"
    assert charged[["B", "C"]].isna().all()


def test_a_cloud_event_may_carry_it(tmp_path: Path) -> None:
    carried = [
        {"specversion": "1.0", "type": each["context"]["type"], "data": each} for each in DELIVERY
    ]
    path = tmp_path / "events.json"
    path.write_text(json.dumps(carried))
    assert reader.can_open(str(path))
    assert compute_metrics(read(path))["change_failure_rate"] == pytest.approx(1 / 2)


def test_older_versions_are_read_too(tmp_path: Path) -> None:
    old = deploy("06T06", "v1")
    old["context"] |= {"version": "0.4.1", "type": "dev.cdevents.service.deployed.0.2.0"}
    del old["context"]["specversion"]
    assert len(delivery_of(tmp_path, old).tables["deployments"]) == 1


def test_hostile_events_are_listed_by_line(tmp_path: Path) -> None:
    no_time = deploy("06T05", "v1")
    no_time["context"]["timestamp"] = ["2026"]
    odd_time = deploy("06T07", "v1")
    odd_time["context"]["timestamp"] = "yesterday"
    turned = deploy("06T08", "v1\u202egnp")
    nameless = event("incident.detected", "06T09", "x")
    nameless["subject"]["id"] = {"a": float("nan")}
    path = Path(write(tmp_path, deploy("06T06", "v0"), no_time, odd_time, turned, nameless, {}, []))
    with path.open("ab") as file:
        file.write(b'{"context": {"type": "dev.cdevents.service')
    records = read(path)
    assert {(each.column, each.kind): list(each.rows) for each in records.problems} == {
        ("context.timestamp", "no time"): [3],
        ("context.type", "no event: its context has no type"): [6],
        ("deployed_at", "no time of deployment"): [2, 3],
        ("", "no JSON object"): [7, 8],
        ("subject.id", "an incident without an identifier"): [5],
    }
    assert len(records.tables["deployments"]) == 2


def test_events_of_other_kinds_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no event of a deployment or an incident; 1 events say"):
        read(write(tmp_path, event("build.finished", "08T07", "some")))


_KINDS = [*sorted(reader._USED), "build.finished", "service.removed"]


@st.composite
def event_lists(draw: st.DrawFn) -> list[Any]:
    """Draw events of which some lack something, or hold something else."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        each: Any = event(
            draw(st.sampled_from(_KINDS)),
            f"{draw(st.integers(1, 28)):02}T{draw(st.integers(0, 23)):02}",
            draw(st.sampled_from(["a", "b", "pkg:oci/v1"])),
            number=number,
            environment=draw(st.sampled_from(["production", "staging", None])),
            chain=draw(st.sampled_from(["c", None])),
            artifactId=draw(st.sampled_from(["pkg:oci/v1", None, 7])),
            change=draw(st.sampled_from([{"id": "a"}, None, "a"])),
        )
        if draw(st.integers(0, 3)) == 0:
            part = draw(st.sampled_from(["context", "subject"]))
            key = draw(st.sampled_from(["id", "type", "timestamp", "source", "content"]))
            each[part][key] = draw(st.sampled_from([None, 7, [], {}, "", "x", "\ud800", 1e999]))
        if draw(st.integers(0, 9)) == 0:
            each = draw(st.sampled_from([{}, {"context": 1}, {"data": each}]))
        found.append(each)
    return found


@settings(deadline=None, max_examples=30)
@given(event_lists())
def test_no_event_crashes_and_none_is_lost_silently(
    tmp_path_factory: pytest.TempPathFactory, events: list[Any]
) -> None:
    path = write(tmp_path_factory.getbasetemp(), *events)
    delivery = Delivery("CDEvents")
    used = reader._events(Path(path), delivery, Options())
    listed = [
        row for each in delivery.problems if each.column == "context.type" for row in each.rows
    ]
    counted = [
        int(remark.split(" ")[0].replace(",", ""))
        for remark in delivery.remarks
        if "say nothing" in remark or "sent again" in remark
    ]
    assert len(used) + len(listed) + sum(counted) == len(events)
    try:
        records = read(path, reader="cdevents")
    except SourceError:
        return
    compute_metrics(records)
