"""Exports of GitHub's API: deployments, pull requests and issues."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.records.github as reader
from sim.metrics import compute_metrics
from sim.records.csv_files import SourceError
from sim.records.delivery import Delivery
from sim.records.options import Options
from sim.records.reading import read

_API = "https://api.github.com/repos/our/shop"


def time(at: str | None) -> str | None:
    """Return a time of January 2026: ``05T12``."""
    return None if at is None else f"2026-01-{at}:00:00Z"


def deployment(number: int, sha: str, at: str, *states: tuple[str, str], **more: Any) -> Any:
    """Return a deployment with its statuses: state and time."""
    return {
        "id": number,
        "url": f"{_API}/deployments/{number}",
        "sha": sha,
        "environment": "production",
        "created_at": time(at),
        "updated_at": "2026-01-30T00:00:00Z",
        "statuses": [{"state": state, "created_at": time(each)} for state, each in states],
    } | more


def pull(number: int, opened: str, merged: str | None, **more: Any) -> Any:
    return {
        "number": number,
        "url": f"{_API}/pulls/{number}",
        "state": "open" if merged is None else "closed",
        "title": f"Change {number}",
        "body": None,
        "created_at": time(opened),
        "merged_at": time(merged),
        "merge_commit_sha": f"sha{number}",
        "user": {"login": "ada", "type": "User"},
        "base": {"ref": "main", "repo": {"full_name": "our/shop", "default_branch": "main"}},
    } | more


def issue(number: int, opened: str, closed: str | None, *labels: str, **more: Any) -> Any:
    return {
        "number": number,
        "repository_url": _API,
        "labels": [{"name": label} for label in labels],
        "created_at": time(opened),
        "closed_at": time(closed),
    } | more


def write(folder: Path, **files: Any) -> str:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return str(folder)


def delivery_of(folder: Path, options: Options | None = None, **files: Any) -> Delivery:
    return reader.read(write(folder, **files), options or Options())


DEPLOYMENTS = [
    # GitHub gives the newest first. The last status of 1 is inactive, since 2 took its place.
    deployment(3, "sha2", "09T12", ("failure", "09T13")),
    deployment(2, "sha2", "08T12", ("in_progress", "08T12"), ("success", "08T14")),
    deployment(
        1, "sha1", "06T06", ("success", "06T08"), ("success", "07T00"), ("inactive", "08T14")
    ),
    deployment(4, "sha2", "05T06", ("success", "05T07"), environment="staging"),
]  # fmt: skip
PULLS = [
    pull(4, "09T00", None),
    pull(3, "08T10", "08T13"),  # after 2 was created
    pull(2, "07T00", "08T02"),
    pull(1, "05T00", "05T06"),
]


def test_metrics_by_hand(tmp_path: Path) -> None:
    issues = [
        issue(11, "08T16", "08T20", "Incident", "bug"),
        issue(12, "08T16", None, "bug"),
        issue(13, "08T16", "08T17", "incident", state_reason="duplicate"),
        issue(14, "08T16", "08T17", "incident", pull_request={}),
    ]
    path = write(tmp_path, deployments=DEPLOYMENTS, pulls=PULLS, issues=issues)
    assert reader.can_open(path)
    records = read(path)
    metrics = compute_metrics(records)
    # January 6th to 8th: 1 and 2 succeeded in production.
    assert metrics["deployment_frequency"] == pytest.approx(2 / 3)
    assert metrics["time_to_restore_h"] == pytest.approx(4.0)
    changes = records.tables["changes"]
    lead = (changes["deployed_at"] - changes["committed_at"]).tolist()
    # 3 is not deployed; 2 was opened 38 h before 2 succeeded; 1 is one of the first deployment.
    assert pd.isna(lead[0])
    assert lead[1] == pytest.approx(38.0)
    assert pd.isna(lead[2])
    assert "Pull requests that are no changes: 1 open." in records.remarks
    assert (
        "Issues that are no incidents: 1 without the label, 1 duplicates, 1 pull requests."
        in records.remarks
    )
    assert records.attribution is not None
    # Nothing links the incident to a deployment.
    assert (records.attribution.lowest, records.attribution.highest) == (0.0, pytest.approx(0.5))
    rules = {(each.table, each.column): each.rule for each in records.knowledge}
    assert "created after" in rules["changes", "deployment_id"]
    assert "lower bound" in rules["changes", "committed_at"]


def test_the_earliest_success_counts_and_no_later_edit(tmp_path: Path) -> None:
    table = delivery_of(tmp_path, deployments=DEPLOYMENTS).tables["deployments"]
    table = table.set_index("deployment_id")
    assert table.loc["1", "deployed_at"] == pd.Timestamp("2026-01-06 08:00", tz="UTC")
    assert table.loc["1", "result"] == "success"
    assert pd.isna(table.loc["3", "deployed_at"])
    assert table.loc["3", "result"] == "failure"


def test_statuses_in_a_file_of_their_own_and_pages_that_follow_on_each_other(
    tmp_path: Path,
) -> None:
    bare = [{key: each[key] for key in each if key != "statuses"} for each in DEPLOYMENTS]
    pages = "".join(json.dumps([each]) for each in bare)
    (tmp_path / "deployments.json").write_text(pages)
    statuses = [
        status | {"deployment_url": each["url"]}
        for each in DEPLOYMENTS
        for status in each["statuses"]
    ]
    lost = [{"state": "success"}, {"state": "success", "deployment_url": f"{_API}/deployments/99"}]
    delivery = delivery_of(tmp_path, deployment_statuses=statuses + lost)
    there = delivery.tables["deployments"]["deployed_at"].tolist()
    expected = delivery_of(tmp_path, deployments=DEPLOYMENTS).tables["deployments"]["deployed_at"]
    assert there[1:] == expected.tolist()[1:]
    assert pd.isna(there[0])
    assert [str(each) for each in delivery.problems] == [
        "deployment_statuses.json, deployment_url, row 8: a status of no deployment; it is left out"
    ]
    assert "1 statuses are of deployments that are not in deployments.json." in delivery.remarks


def test_deployments_without_any_status_are_not_used(tmp_path: Path) -> None:
    bare = [deployment(1, "a", "05T06")]
    with pytest.raises(SourceError, match="no deployment has a status"):
        delivery_of(tmp_path, deployments=bare)


def test_a_rollback_is_an_older_commit_than_the_one_that_is_there(tmp_path: Path) -> None:
    steps = ["a", "b", "b", "a", "b", "c", "a"]
    deployments = [
        deployment(number, sha, f"{number + 1:02}T06", ("success", f"{number + 1:02}T07"))
        for number, sha in enumerate(steps)
    ]
    elsewhere = deployment(90, "a", "04T00", ("success", "04T01"), environment="staging")
    delivery = delivery_of(tmp_path, deployments=[*deployments, elsewhere])
    table = delivery.tables["deployments"].set_index("deployment_id")["is_rollback"]
    # b again is no rollback, and neither is b after the rollback to a.
    assert [bool(table[str(number)]) for number in range(7)] == [
        False, False, False, True, False, False, True,
    ]  # fmt: skip
    assert not table["90"]
    records = read(tmp_path)
    # Five deployments, of which the second b and c failed: each was there before a rollback.
    assert compute_metrics(records)["change_failure_rate"] == pytest.approx(2 / 5)


def test_with_a_history_a_deployment_has_what_its_commit_has(tmp_path: Path) -> None:
    # 2 is merged before the deployment of sha3 is created, but on another line than sha3.
    pulls = [pull(3, "05T00", "06T01"), pull(2, "05T00", "06T00"), pull(1, "04T00", "04T01")]
    deployments = [
        deployment(1, "sha1", "05T00", ("success", "05T01")),
        deployment(2, "sha3", "07T00", ("success", "07T01")),
        deployment(3, "top", "08T00", ("success", "08T01")),
        deployment(4, "lost", "09T00", ("success", "09T01")),
    ]
    commits = [
        {"sha": "top", "parents": [{"sha": "sha3"}, {"sha": "sha2"}]},
        {"sha": "sha3", "parents": [{"sha": "sha1"}]},
        {"sha": "sha2", "parents": [{"sha": "sha1"}]},
        {"sha": "sha1", "parents": []},
    ]
    delivery = delivery_of(tmp_path, deployments=deployments, pulls=pulls, commits=commits)
    changes = delivery.tables["changes"].set_index("change_id")["deployment_id"]
    assert changes.to_dict() == {"our/shop#3": "2", "our/shop#2": "3", "our/shop#1": "1"}
    assert delivery.rules["changes.deployment_id"] == (
        "the first deployment whose history has the merge"
    )
    assert any(remark.startswith("1 deployments are of commits") for remark in delivery.remarks)
    (tmp_path / "commits.json").unlink()
    by_time = reader.read(str(tmp_path), Options()).tables["changes"].set_index("change_id")
    assert by_time.loc["our/shop#2", "deployment_id"] == "2"


@pytest.mark.parametrize("is_embedded", [True, False])
def test_the_first_commit_of_a_pull_request(tmp_path: Path, is_embedded: bool) -> None:
    commits = [
        {"commit": {"author": {"date": time(at)}, "committer": {"date": time("01T00")}}}
        for at in ("04T12", "03T12")
    ]
    pulls = [pull(2, "05T00", "06T00"), pull(1, "05T00", "06T00", commits=7)]
    files: dict[str, Any] = {"pulls": pulls}
    if is_embedded:
        pulls[0]["commits"] = commits
    else:
        files["pull_commits"] = [{"number": 2, "commits": commits}, {"commits": commits}]
    delivery = delivery_of(tmp_path, **files)
    begun = delivery.tables["changes"].set_index("change_id")["committed_at"]
    assert begun["our/shop#2"] == pd.Timestamp("2026-01-03 12:00", tz="UTC")
    assert begun["our/shop#1"] == pd.Timestamp("2026-01-05 00:00", tz="UTC")
    assert "of 1, when it was opened: a lower bound" in delivery.rules["changes.committed_at"]
    assert len(delivery.problems) == (0 if is_embedded else 1)


def test_what_is_no_change_is_counted(tmp_path: Path) -> None:
    elsewhere = {"ref": "release", "repo": {"full_name": "our/shop", "default_branch": "main"}}
    pulls = [
        pull(1, "05T00", None),
        pull(2, "05T00", None, state="closed"),
        pull(3, "05T00", "06T00", base=elsewhere),
        pull(4, "05T00", "06T00", user={"login": "dependabot[bot]"}),
        pull(5, "05T00", "06T00", user={"login": "helper", "type": "Bot"}),
        pull(6, "05T00", "06T00"),
        {"title": "nameless"},
    ]
    delivery = delivery_of(tmp_path, pulls=pulls)
    assert delivery.tables["changes"]["by_bot"].tolist() == [True, True, False]
    assert (
        "Pull requests that are no changes: 1 open, 1 closed without a merge, 1 merged into "
        "another branch than the default one." in delivery.remarks
    )
    assert [str(each) for each in delivery.problems] == [
        "pulls.json, number, row 7: a pull request without a number; it is left out"
    ]


def test_pull_requests_that_revert_others(tmp_path: Path) -> None:
    pulls = [
        pull(5, "05T00", "06T04", title='Revert "Revert "Change 1""', body="Reverts our/shop#3"),
        pull(4, "05T00", "06T03", title='Revert "Change 2"'),
        pull(3, "05T00", "06T02", title='Revert "Change 1"', body="It broke.\r\nReverts #1"),
        pull(2, "05T00", "06T01"),
        pull(1, "05T00", "06T00"),
    ]
    changes = delivery_of(tmp_path, pulls=pulls).tables["changes"]
    reverts = dict(zip(changes["change_id"], changes["reverts"], strict=True))
    assert reverts["our/shop#3"] == "our/shop#1"
    assert reverts["our/shop#4"] == "our/shop#2"
    assert pd.isna(reverts["our/shop#5"])  # it does again what was wanted


def test_releases_stand_in_for_deployments(tmp_path: Path) -> None:
    releases = [
        {"tag_name": "v2rc", "prerelease": True, "published_at": time("07T00"), "url": _API},
        {"tag_name": "v1", "published_at": time("07T00"), "created_at": time("06T00"), "url": _API},
    ]
    pulls = [pull(2, "05T00", "06T06"), pull(1, "04T00", "05T06")]
    delivery = delivery_of(tmp_path, releases=releases, pulls=pulls)
    table = delivery.tables["deployments"]
    assert table["deployed_at"].tolist() == [pd.Timestamp("2026-01-07", tz="UTC")]
    assert "1 drafts and pre-releases are no deployments." in delivery.remarks
    changes = delivery.tables["changes"].set_index("change_id")["deployment_id"]
    # 2 was merged before v1 was published, and after the commit that v1 is of.
    assert changes["our/shop#1"] == "v1"
    assert pd.isna(changes["our/shop#2"])


def test_environments_that_github_calls_production(tmp_path: Path) -> None:
    eu = deployment(
        1, "a", "05T00", ("success", "05T01"), environment="eu", production_environment=True
    )
    delivery = delivery_of(tmp_path, deployments=[eu])
    assert delivery.tables["deployments"]["environment"].tolist() == ["production"]
    assert any("production_environment" in remark for remark in delivery.remarks)
    named = delivery_of(tmp_path, Options(environment="eu"), deployments=[eu])
    assert named.tables["deployments"]["environment"].tolist() == ["eu"]


def test_the_label_of_incidents_is_chosen_and_its_absence_is_said(tmp_path: Path) -> None:
    issues = [issue(1, "05T00", "05T02", "outage"), issue(2, "05T00", None, "bug")]
    with pytest.raises(SourceError, match="--incident-label names it"):
        delivery_of(tmp_path, issues=issues)
    found = delivery_of(tmp_path, Options(incident_label="outage"), issues=issues)
    assert found.tables["incidents"]["incident_id"].tolist() == ["our/shop#1"]
    # No issue at all is an answer: nothing happened.
    assert len(delivery_of(tmp_path, issues=[]).tables["incidents"]) == 0


def test_incidents_that_are_closed_together_are_flagged_and_not_corrected(tmp_path: Path) -> None:
    issues = [
        *(issue(number, f"{number + 1:02}T00", "20T12", "incident") for number in range(3)),
        issue(9, "05T00", "05T06", "incident"),
    ]
    delivery = delivery_of(tmp_path, issues=issues)
    (problem,) = delivery.problems
    assert list(problem.rows) == [1, 2, 3]
    assert problem.kind.startswith("closed within a minute with 2 others")
    assert delivery.tables["incidents"]["restored_at"].notna().all()


_ODD = st.sampled_from([None, 7, [], {}, "", "x", "\u202ex", "\ud800", 1e999, True, [1], {"a": 1}])


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> Any:
    """Draw objects of which some have something odd in place of a value."""
    found = draw(whole)
    for _ in range(draw(st.integers(0, 2))):
        found = found | {draw(st.sampled_from(sorted(found))): draw(_ODD)}
    return draw(st.sampled_from([found] * 9 + [7]))


_TIMES = st.builds(lambda day, hour: f"{day:02}T{hour:02}", st.integers(1, 28), st.integers(0, 23))
_STATES = st.tuples(st.sampled_from(["success", "failure", "inactive"]), _TIMES)
_DEPLOYMENTS = st.builds(
    lambda number, sha, at, states, to: deployment(number, sha, at, *states, environment=to),
    st.integers(1, 5),
    st.sampled_from(["sha1", "sha2"]),
    _TIMES,
    st.lists(_STATES, max_size=3),
    st.sampled_from(["production", "staging"]),
)
_PULLS = st.builds(pull, st.integers(1, 5), _TIMES, st.none() | _TIMES)
_ISSUES = st.builds(issue, st.integers(1, 5), _TIMES, st.none() | _TIMES, st.just("incident"))


@settings(deadline=None, max_examples=20)
@given(
    st.lists(broken(_DEPLOYMENTS), max_size=5),
    st.lists(broken(_PULLS), max_size=5),
    st.lists(broken(_ISSUES), max_size=5),
)
def test_no_export_crashes_and_no_object_is_lost_silently(
    tmp_path_factory: pytest.TempPathFactory,
    deployments: list[Any],
    pulls: list[Any],
    issues: list[Any],
) -> None:
    folder = tmp_path_factory.getbasetemp()
    write(folder, deployments=deployments, pulls=pulls, issues=issues)
    try:
        delivery = reader.read(str(folder), Options())
    except SourceError:
        return
    for name, file, objects, said in (
        ("deployments", "deployments", deployments, "-"),
        ("changes", "pulls", pulls, "Pull requests that are no changes: "),
        ("incidents", "issues", issues, "Issues that are no incidents: "),
    ):
        if name not in delivery.tables:
            continue
        listed = sum(
            len(problem.rows)
            for problem in delivery.problems
            if problem.file == f"{file}.json" and problem.column in ("", "number")
        )
        counted = sum(
            int(part.split(" ")[0])
            for remark in delivery.remarks
            if remark.startswith(said)
            for part in remark.removeprefix(said).split(", ")
        )
        assert len(delivery.tables[name]) + listed + counted == len(objects)
    try:
        compute_metrics(read(folder, reader="github"))
    except SourceError:
        return
