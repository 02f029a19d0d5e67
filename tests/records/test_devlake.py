"""Apache DevLake's tables: what they say, and what DevLake itself makes of them."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from folders import folder
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.measure.definitions_devlake import devlake_definition, lower_median
from sim.metrics import compute_metrics
from sim.records import devlake
from sim.records.csv_files import SourceError
from sim.records.devlake_rules import METRICS, incident_relationships, pull_request_metrics
from sim.records.devlake_tables import TABLES
from sim.records.options import Options
from sim.records.reading import read

DATA = os.environ.get("MLDELIVERY_DATA", Path(__file__).parents[3] / "shared" / "data")
FIXTURES = Path(DATA) / "devlake_e2e"
"""End-to-end fixtures of DevLake's plug-in, which are no part of the project."""

DEPLOYED = """
    id,cicd_deployment_id,cicd_scope_id,repo_id,result,environment,started_date,finished_date,commit_sha,prev_success_deployment_commit_id
    a1,a,s,r,SUCCESS,PRODUCTION,2026-01-05 08:00:00,2026-01-05 09:00:00,c1,
    b1,b,s,r,SUCCESS,PRODUCTION,2026-01-12 08:00:00,2026-01-12 09:00:00,c2,a1
    t1,t,s,r,SUCCESS,STAGING,2026-01-12 08:00:00,2026-01-13 09:00:00,c2,
    f1,f,s,r,FAILURE,PRODUCTION,2026-01-13 08:00:00,2026-01-13 09:00:00,c3,
    g1,g,s,r,SUCCESS,PRODUCTION,2026-01-14 08:00:00,2026-01-14 09:00:00,c4,b1
"""
REQUESTS = """
    id,base_repo_id,created_date,merged_date,closed_date,status,merge_commit_sha
    p1,r,2026-01-04 09:00:00,2026-01-04 10:00:00,,MERGED,m1
    p2,r,2026-01-10 09:00:00,2026-01-11 09:00:00,,MERGED,m2
    p3,r,2026-01-13 09:00:00,2026-01-14 07:00:00,,MERGED,m3
    p4,r,2026-01-13 09:00:00,,,OPEN,m4
    p5,r,2026-01-13 09:00:00,,2026-01-14 09:00:00,CLOSED,
"""
COMMITS = """
    commit_sha,pull_request_id,commit_authored_date
    x1,p2,2026-01-09 09:00:00
    x2,p2,2026-01-08 09:00:00
    x3,p3,2026-01-13 03:00:00
"""
DIFFERENCES = """
    new_commit_sha,old_commit_sha,commit_sha
    c1,,m1
    c2,c1,m2
    c4,c2,m3
    c4,c1,m2
"""
SINCE = {"since": "2026-01-05", "until": "2026-01-19"}


def fixture_folder(prefix: str, to: Path) -> Path:
    """Return the fixtures of one of DevLake's tests under the names of their tables."""
    if not FIXTURES.is_dir():
        pytest.skip("DevLake's fixtures are not here")
    to.mkdir()
    for path in FIXTURES.glob(f"{prefix}_*.csv"):
        name = path.stem.removeprefix(f"{prefix}_").removesuffix("_after")
        for part in ("raw_tables_", "snapshot_tables_", "prev_success_deployment_commit_"):
            name = name.removeprefix(part)
        shutil.copy(path, to / f"{name}.csv")
    return to


def test_devlakes_own_fixture_of_lead_times_is_reproduced_row_by_row(tmp_path: Path) -> None:
    source = fixture_folder("change_lead_time", tmp_path / "dump")
    delivery = devlake.read(str(source), Options())
    expected = delivery.tool_tables["project_pr_metrics"].set_index("id")
    found = pull_request_metrics(delivery.tool_tables).set_index("id")
    assert list(found.index) == ["pr0", "pr1", "pr2", "pr3", "pr4", "pr5"]
    assert set(found.index) == set(expected.index)
    columns = ["project_name", *METRICS, "deployment_commit_id", "pr_deployed_date"]
    for name, row in expected.iterrows():
        for column in columns:
            theirs, ours = row[column], found.loc[name, column]
            assert (pd.isna(theirs) and pd.isna(ours)) or theirs == ours, (name, column)


def test_devlakes_own_fixture_of_incidents_is_reproduced_row_by_row(tmp_path: Path) -> None:
    source = fixture_folder("connect_incident_to_deployment", tmp_path / "dump")
    tables = devlake.read(str(source), Options()).tool_tables
    expected = tables["project_incident_deployment_relationships"]
    found = incident_relationships(tables)
    columns = ["id", "project_name", "deployment_id"]
    assert len(expected) == 6
    assert set(map(tuple, found[columns].to_numpy())) == set(
        map(tuple, expected[columns].to_numpy())
    )


def test_a_folder_with_two_dumps_of_a_table_is_refused() -> None:
    if not FIXTURES.is_dir():
        pytest.skip("DevLake's fixtures are not here")
    assert devlake.can_open(str(FIXTURES))
    with pytest.raises(SourceError, match="may both be the table project_mapping; leave one"):
        read(FIXTURES)


def test_names_of_files_may_have_something_before_the_table(tmp_path: Path) -> None:
    source = folder(tmp_path / "dump", **{"lake.cicd_deployment_commits": DEPLOYED})
    assert devlake.can_open(str(source))
    assert compute_metrics(read(source, **SINCE))["n_deployments"] == 3
    # What is called like the table goes before it.
    folder(source, cicd_deployment_commits="\n".join(DEPLOYED.strip().splitlines()[:2]))
    assert compute_metrics(read(source, **SINCE))["n_deployments"] == 1


def test_lead_times_begin_with_the_first_commit_and_end_with_the_first_success(
    tmp_path: Path,
) -> None:
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits=DEPLOYED,
        pull_requests=REQUESTS,
        pull_request_commits=COMMITS,
        commits_diffs=DIFFERENCES,
    )
    records = read(source, **SINCE)
    changes = records.tables["changes"].set_index("change_id")
    hours = (changes["deployed_at"] - changes["committed_at"]).to_numpy()
    # p1 came with the first deployment; p2 from the 8th at nine to the 12th at nine, and not again
    # with the deployment of the 14th; p3 from three o'clock to nine the next day; p4 is open.
    assert hours == pytest.approx([np.nan, 96.0, 30.0, np.nan], nan_ok=True)
    assert compute_metrics(records)["lead_time_h"] == pytest.approx(63.0)
    assert "1 pull requests that were closed without a merge are no changes." in records.remarks
    assert compute_metrics(records)["n_deployments"] == 3
    assert list(records.problems) == []


def test_without_differences_what_is_deployed_is_not_guessed(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits=DEPLOYED,
        pull_requests=REQUESTS.replace(",m3", ",c4"),
        pull_request_commits=COMMITS,
    )
    records = read(source, **SINCE)
    assert len(records.tables["changes"]) == 1
    assert compute_metrics(records)["lead_time_h"] == pytest.approx(30.0)
    assert any("only 1 of 4 pull requests" in remark for remark in records.remarks)


def test_a_pipeline_of_two_repositories_is_a_deployment_of_each(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits="""
            id,cicd_deployment_id,cicd_scope_id,repo_url,result,environment,finished_date,commit_sha
            1,both,s,https://host/Front.git,SUCCESS,PRODUCTION,2026-01-05T09:00:00.000+00:00,c1
            2,both,s,https://host/back/,SUCCESS,PRODUCTION,2026-01-05T10:00:00.000+00:00,c2
            3,one,s,https://host/back,SUCCESS,PRODUCTION,2026-01-06T10:00:00.000+00:00,c3
            4,retry,s,https://host/back,FAILURE,PRODUCTION,2026-01-07T09:00:00.000+00:00,c4
            5,retry,s,https://host/back,SUCCESS,PRODUCTION,2026-01-07T10:00:00.000+00:00,c4
            6,retry,s,https://host/back,SUCCESS,PRODUCTION,2026-01-07T11:00:00.000+00:00,c5
            7,now,s,https://host/back,,PRODUCTION,2026-01-07T11:00:00.000+00:00,c6
        """,
        repos="""
            id,name,url
            r1,front,https://host/front
            r2,back,https://host/back
            r3,library,https://host/library
        """,
        project_mapping="""
            project_name,table,row_id
            shop,repos,r1
            shop,repos,r2
            shop,cicd_scopes,s
        """,
    )
    records = read(source, **SINCE)
    services = records.tables["services"]
    assert dict(zip(services["service"], services["team"], strict=True)) == {
        "front": "shop",
        "back": "shop",
    }
    deployments = records.tables["deployments"]
    assert sorted(deployments["service"]) == ["back", "back", "back", "front"]
    assert sorted(deployments["deployed_at"]) == [9.0, 10.0, 34.0, 58.0]
    # DevLake counts three: `both`, which ended at ten, `one` and `retry`.
    (days, *_) = devlake_definition(records).lines
    assert days.value == 0  # of the two weeks, one has none


INCIDENTS = """
    id,created_date,resolution_date,table,scope_id
    i1,2026-01-06 09:00:00,2026-01-06 11:00:00,repos,r
    i2,2026-01-12 12:00:00,2026-01-12 13:30:00,boards,b
    i3,2026-01-15 12:00:00,,repos,r
"""


def test_links_by_time_alone_are_no_evidence(tmp_path: Path) -> None:
    by_time = "id,project_name,deployment_id\n i1,,a\n i2,,b\n i3,,g"
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits=DEPLOYED,
        incidents=INCIDENTS,
        project_incident_deployment_relationships=by_time,
    )
    records = read(source, **SINCE)
    assert any("that is no evidence" in remark for remark in records.remarks)
    assert records.attribution is not None
    assert (records.attribution.lowest, records.attribution.highest) == (0.0, 1.0)
    assert np.isnan(compute_metrics(records)["change_failure_rate"])
    assert compute_metrics(records)["time_to_restore_h"] == pytest.approx(1.75)


@pytest.mark.parametrize(
    "table", ["project_incident_deployment_relationships", "project_issue_metrics"]
)
def test_links_that_somebody_made_are_believed(tmp_path: Path, table: str) -> None:
    # The second incident is charged to the first deployment, not to the last one before it.
    links = "id,project_name,deployment_id\n i1,,a\n i2,,a\n i3,,g"
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits=DEPLOYED,
        incidents=INCIDENTS,
        **{table: links},
    )
    records = read(source, **SINCE)
    assert records.attribution is not None
    assert records.attribution.n_linked == 3
    assert compute_metrics(records)["change_failure_rate"] == pytest.approx(2 / 3)


def test_older_dumps_have_incidents_among_the_issues(tmp_path: Path) -> None:
    issues = """
        id,type,created_date,resolution_date
        i1,INCIDENT,2026-01-06 09:00:00,2026-01-06 11:00:00
        i2,BUG,2026-01-06 09:00:00,2026-01-06 11:00:00
        i3,Incident,2026-01-15 12:00:00,
    """
    source = folder(tmp_path / "dump", cicd_deployment_commits=DEPLOYED, issues=issues)
    assert sorted(read(source, **SINCE).tables["incidents"]["incident_id"]) == ["i1", "i3"]


def test_devlakes_definitions_by_hand(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits=DEPLOYED,
        pull_requests=REQUESTS,
        pull_request_commits=COMMITS.replace("03:00:00", "03:00:01"),
        commits_diffs=DIFFERENCES,
        incidents=INCIDENTS,
    )
    lines = devlake_definition(read(source, **SINCE)).lines
    assert [line.label for line in lines] == [
        "deployment days per week",
        "median lead time for changes",
        "change failure rate",
        "failed deployment recovery time",
    ]
    days, lead_time, failures, recovery = (line.value for line in lines)
    assert days == 1  # 1 and 2 days: the lower median
    # p2: 48 h + 24 h + 24 h; p3: 5 h 59 min 59 s, rounded up, + 22 h + 2 h, the lower one.
    assert lead_time == pytest.approx(30.0)
    assert failures == pytest.approx(1.0)  # a, b and g are each the last one before an incident
    # From 09:00 of the 5th to 11:00 of the 6th, and from 09:00 to 13:30.
    assert recovery == pytest.approx(4.5)


def test_what_devlake_cannot_say_is_said(tmp_path: Path) -> None:
    source = folder(tmp_path / "dump", cicd_deployment_commits=DEPLOYED)
    lines = devlake_definition(read(source, **SINCE)).lines
    assert [line.text for line in lines] == ["1", "—", "—", "—"]
    assert all("Not known: " in line.rule for line in lines[1:])


def test_the_median_is_the_lower_one() -> None:
    assert lower_median(pd.Series([3.0, 1.0, 2.0, 10.0, np.nan])) == 2.0
    assert lower_median(pd.Series([5.0, 5.0, 1.0])) == 5.0
    assert np.isnan(lower_median(pd.Series([np.nan])))


def test_what_is_wrong_is_listed_by_file_row_and_column(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "dump",
        cicd_deployment_commits="""
            id,cicd_deployment_id,result,environment,finished_date,commit_sha
            1,a,SUCCESS,PRODUCTION,2026-01-05T09:00:00Z,c1
            1,b,SUCCESS,PRODUCTION,yesterday,c1
            ,,SUCCESS,PRODUCTION,2026-01-07T09:00:00Z,
            4,d,SUCCESS,PRODUCTION,2026-01-08T09:00:00Z,=HYPERLINK("x"),too many
        """,
        pull_requests="id,created_date\n p,2026-01-05",
        incidents="id,created_date,lead_time_minutes\n i,2026-01-05 10:00:00,soon",
        repos="name\n front",
    )
    records = read(source, **SINCE)
    commits = "cicd_deployment_commits.csv"
    assert sorted(
        (each.file, each.column, each.kind, *map(int, each.rows)) for each in records.problems
    ) == [
        (commits, "", "not the 6 cells of the header", 5),
        (commits, "deployed_at", "no time of deployment", 3),
        (commits, "finished_date", "no time", 3),
        ("incidents.csv", "lead_time_minutes", "no number", 2),
        ("pull_requests.csv", "merged_date", "the column is missing"),
        ("repos.csv", "id", "the column is missing"),
    ]
    assert compute_metrics(records)["n_deployments"] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,finished_date\n1,2026-01-05", "no table cicd_deployment_commits that can be read"),
        ("finished_date,result\nx,SUCCESS", "no time of a deployment"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path: Path, text: str, words: str) -> None:
    source = folder(tmp_path / "dump", cicd_deployment_commits=text)
    with pytest.raises(SourceError, match=words):
        read(source)


CELLS = st.sampled_from(
    ["", "1", "2", "a", "r", "SUCCESS", "FAILURE", "PRODUCTION", "STAGING", "2026-01-05T08:00:00Z",
     "2026-02-03 10:00:00", "2026-13-45", "INCIDENT", "repos", "cicd_scopes", "\x1b[31m", "=1+1",
     "-5", "1e400", "ünï", "c1", "m1", "NULL"]
)  # fmt: skip
NAMES = ("cicd_deployment_commits", "pull_requests", "commits_diffs", "incidents", "repos",
         "project_mapping", "project_pr_metrics", "pull_request_commits", "pull_request_comments",
         "project_incident_deployment_relationships", "cicd_deployments", "issues")  # fmt: skip


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_any_tables_are_read_or_refused_and_every_row_is_accounted_for(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        counts = {}
        for name in data.draw(st.sets(st.sampled_from(NAMES), min_size=1)) | {NAMES[0]}:
            columns = data.draw(
                st.lists(st.sampled_from(TABLES[name]), min_size=1, max_size=9, unique=True)
            )
            columns = list(dict.fromkeys([*columns, "id"] if "id" in TABLES[name] else columns))
            if name == NAMES[0]:
                columns = list(dict.fromkeys([*columns, "result", "finished_date"]))
            rows = data.draw(
                st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=8)
            )
            counts[name] = len(rows)
            pd.DataFrame(rows, columns=columns).to_csv(
                Path(temporary, f"{name}.csv"), index=False, quoting=1
            )
        try:
            delivery = devlake.read(temporary, Options())
        except SourceError:
            return
        assert len(delivery.tables["deployments"]) == counts[NAMES[0]]
        unused = {each.file for each in delivery.problems if "not used" in each.consequence}
        for name in ("pull_requests", "incidents"):
            if name in delivery.tool_tables and name in counts and f"{name}.csv" not in unused:
                assert len(delivery.tool_tables[name]) == counts[name]
        try:
            records = read(temporary)
        except SourceError:
            return
        compute_metrics(records)
        devlake_definition(records)


def test_times_without_an_offset_are_utc_however_weeks_are_told(tmp_path: Path) -> None:
    source = folder(tmp_path / "dump", cicd_deployment_commits=DEPLOYED)
    records = read(source, timezone="Asia/Tokyo", **SINCE)
    # 09:00 UTC is 18:00 there, where the Monday began at 15:00 UTC of the day before.
    assert records.tables["deployments"]["deployed_at"].tolist()[0] == 18.0
    assert not len(records.problems)
