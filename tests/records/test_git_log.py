"""Histories of Git: tags or merges as deployments, by hand and at random."""

import os
import subprocess
from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.records.git_log as reader
from sim.metrics import compute_metrics
from sim.records.ancestry import first_with
from sim.records.csv_files import SourceError
from sim.records.delivery import Delivery
from sim.records.git_history import COMMANDS, paths_of, read_history
from sim.records.options import Options
from sim.records.problems import Problems
from sim.records.reading import read
from sim.records.release_tags import is_final, prefix_of


def sha(name: str) -> str:
    """Return the hash of a commit that a test calls by a letter."""
    return sha1(name.encode(), usedforsecurity=False).hexdigest()


def commit(
    name: str,
    parents: str = "",
    day: int = 1,
    written: int | None = None,
    by: str = "Ada <ada@example.org>",
    subject: str = "",
    body: str = "",
    refs: str = "",
    committer: str = "Ada",
    paths: Sequence[str] = (),
) -> str:
    """Return a commit as the documented command writes it; `parents` are letters."""
    author, committed = (f"2026-01-{each:02}T12:00:00+00:00" for each in (written or day, day))
    parts = {
        "H": sha(name),
        "P": " ".join(sha(parent) for parent in parents),
        "A": author,
        "C": committed,
        "N": by,
        "G": committer,
        "D": refs,
        "S": subject or f"Change {name}",
        "B": body,
        "F": "\n" + ("\n".join(["", *paths]) + "\n" if paths else ""),
    }
    return "".join(f"\0{key}{value}" for key, value in parts.items())


def tag(name: str, of: str, day: int) -> str:
    """Return a tag as the documented command writes it."""
    made = f"2026-01-{day:02}T12:00:00+00:00"
    return f"\0Trefs/tags/{name}\0O{sha(of)} \0R{made}\0\n"


def write(folder: Path, *parts: str) -> str:
    path = folder / "history.txt"
    path.write_bytes("".join(parts).encode())
    return str(path)


def delivery_of(folder: Path, *parts: str, **options: object) -> Delivery:
    return reader.read(write(folder, *parts), Options(**options))  # type: ignore[arg-type]


def deployed_by(delivery: Delivery) -> dict[str, str | None]:
    """Return the deployment of each change, by their names in the text."""
    changes = delivery.tables["changes"]
    return {
        name: None if pd.isna(deployment) else str(deployment)
        for name, deployment in zip(changes["change_id"], changes["deployment_id"], strict=True)
    }


# v1.0 is on the main branch (a-b), v1.1 on a release branch (a-b-r), v2.0 on the main branch
# (a-b-c-d): c and d are new in v2.0, although v1.1, the release before it, has none of a, b either
# that v2.0 would not have.
BRANCHES = (
    commit("e", "d", day=25, refs="HEAD -> refs/heads/main"),
    commit("d", "c", day=20, refs="tag: refs/tags/v2.0"),
    commit("r", "b", day=10, refs="tag: refs/tags/v1.1"),
    commit("c", "b", day=8),
    commit("b", "a", day=5, refs="tag: refs/tags/v1.0"),
    commit("a", day=1),
)


def test_new_is_what_no_earlier_deployment_had(tmp_path: Path) -> None:
    delivery = delivery_of(tmp_path, *BRANCHES)
    assert deployed_by(delivery) == {
        sha("a"): "v1.0",
        sha("b"): "v1.0",
        sha("r"): "v1.1",
        sha("c"): "v2.0",
        sha("d"): "v2.0",
        sha("e"): None,
    }
    assert list(delivery.tables["deployments"]["deployment_id"]) == ["v1.0", "v1.1", "v2.0"]


def test_a_later_release_of_an_old_branch_brings_its_own_commit_only(tmp_path: Path) -> None:
    late = commit("s", "r", day=24, refs="tag: refs/tags/v1.2")
    delivery = delivery_of(tmp_path, *BRANCHES, late)
    found = deployed_by(delivery)
    # v1.2 lacks c and d of the release before it and has r, which v2.0 lacks, but v1.1 had it.
    assert [name for name, of in found.items() if of == "v1.2"] == [sha("s")]


def test_metrics_of_a_history_by_hand(tmp_path: Path) -> None:
    records = read(write(tmp_path, *BRANCHES))
    metrics = compute_metrics(records)
    # From January 5th to 25th, 21 days: three deployments of the one service.
    assert metrics["deployment_frequency"] == pytest.approx(3 / 21)
    # a and b are all that there was before the first deployment. r: 0 h, c: 12 days, d: 0 h.
    changes = records.tables["changes"]
    lead = np.sort((changes["deployed_at"] - changes["committed_at"]).dropna())
    assert lead == pytest.approx([0.0, 0.0, 12 * 24.0])
    assert changes["deployed_at"].isna().sum() == 1  # e is open
    assert any("2 changes of it have no lead time" in remark for remark in records.remarks)


def test_a_tag_is_as_old_as_it_says(tmp_path: Path) -> None:
    delivery = delivery_of(tmp_path, *BRANCHES, tag("v2.0", "d", 22))
    times = delivery.tables["deployments"].set_index("deployment_id")["deployed_at"]
    assert times["v2.0"] == pd.Timestamp("2026-01-22 12:00", tz="UTC")
    assert times["v1.1"] == pd.Timestamp("2026-01-10 12:00", tz="UTC")
    assert "nobody knows" in delivery.rules["deployments.deployed_at"]


@pytest.mark.parametrize(
    ("name", "is_release", "prefix"),
    [
        ("v1.0", True, ""),
        ("1.0.2", True, ""),
        ("release-2026-01-05", True, ""),
        ("client/v2.1", True, "client"),
        ("client@2.1", True, "client"),
        ("python3-v1.0", True, "python3"),
        ("v1.2.3+build.5", True, ""),
        ("v1.2.Final", True, ""),
        ("v1.0rc1", False, ""),
        ("v1.0.0-rc.1", False, ""),
        ("v1.0a1", False, ""),
        ("v3.0.0-b0", False, ""),
        ("v1.0-beta", False, ""),
        ("v1.0.0-post0", False, ""),
        ("nightly-2026-01-05", False, ""),
        ("latest", False, ""),
        ("1" * 100_000, False, ""),
    ],
)
def test_tags_of_releases(name: str, is_release: bool, prefix: str) -> None:
    assert is_final(name) == is_release
    assert prefix_of(name) == prefix


def test_release_candidates_are_counted_and_no_deployments(tmp_path: Path) -> None:
    candidate = commit("x", "d", day=18, refs="tag: refs/tags/v2.0rc1")
    delivery = delivery_of(tmp_path, *BRANCHES, candidate)
    assert len(delivery.tables["deployments"]) == 3
    assert any("the tags of releases, 3; 1 tag that is no" in remark for remark in delivery.remarks)
    # Its own commit is on no main line and in no release.
    assert sha("x") not in deployed_by(delivery)
    assert any(remark.startswith("1 commits are on no main line") for remark in delivery.remarks)


def test_two_names_of_a_release_are_one_deployment(tmp_path: Path) -> None:
    parts = (
        commit("b", "a", day=5, refs="HEAD, tag: refs/tags/v1.0, tag: refs/tags/1.0"),
        commit("a", day=1, refs="tag: refs/tags/client-1.0, tag: refs/tags/server-1.0"),
    )
    deployments = delivery_of(tmp_path, *parts).tables["deployments"]
    assert sorted(deployments["deployment_id"]) == ["1.0", "client-1.0", "server-1.0"]


@pytest.mark.parametrize(
    "backport",
    [
        # git cherry-pick -x
        {"subject": "Other words", "body": f"(cherry picked from commit {sha('c')})"},
        # git cherry-pick: author, time and subject stay
        {"subject": "Fix it (#7)", "written": 8},
        # a pull request of a bot or a person
        {"subject": "[backport] Fix it (#7) (#9)", "committer": "GitHub"},
    ],
)
def test_a_backport_is_the_same_patch_once_at_its_first_production(
    tmp_path: Path, backport: dict[str, object]
) -> None:
    parts = (
        commit("d", "c", day=20, refs="HEAD -> refs/heads/main, tag: refs/tags/v2.0"),
        commit("r", "b", day=10, refs="tag: refs/tags/v1.1", **backport),  # type: ignore[arg-type]
        commit("c", "b", day=8, subject="Fix it (#7)"),
        commit("b", "a", day=5, refs="tag: refs/tags/v1.0"),
        commit("a", day=1),
    )
    delivery = delivery_of(tmp_path, *parts)
    found = deployed_by(delivery)
    assert found[sha("c")] == "v1.1"
    assert sha("r") not in found
    assert found[sha("d")] == "v2.0"
    changes = delivery.tables["changes"].set_index("change_id")
    assert changes.loc[sha("c"), "committed_at"] == pd.Timestamp("2026-01-08 12:00", tz="UTC")
    assert any("1 backports" in remark for remark in delivery.remarks)


def test_squash_merges_have_a_lower_bound_and_none_of_their_own_deployment(tmp_path: Path) -> None:
    parts = (
        commit(
            "c", "b", day=9, committer="GitHub", subject="C (#3)", refs="HEAD -> refs/heads/main"
        ),
        commit("b", "a", day=5, written=2, committer="GitHub"),
        commit("a", day=1),
    )
    delivery = delivery_of(tmp_path, *parts, deployments="merges")
    changes = delivery.tables["changes"].set_index("change_id")
    assert pd.isna(changes.loc[sha("c"), "committed_at"])  # at least 0 h is no news
    assert changes.loc[sha("b"), "committed_at"] == pd.Timestamp("2026-01-02 12:00", tz="UTC")
    assert any(remark.startswith("1 of 3 changes have no lead time") for remark in delivery.remarks)
    assert any(remark.startswith("33% of the commits are squash") for remark in delivery.remarks)

    tagged = delivery_of(tmp_path, *parts, tag("v1", "c", 11))
    changes = tagged.tables["changes"].set_index("change_id")
    assert changes.loc[sha("c"), "committed_at"] == pd.Timestamp("2026-01-09 12:00", tz="UTC")
    assert "a lower bound" in tagged.rules["changes.committed_at"]


# A pull request with the commits p and q merged by m; its revert is w.
MERGES = (
    commit(
        "w", "m", day=12, refs="HEAD -> refs/heads/main", subject='Revert "Add it (#4)"',
        body=f"This reverts commit {sha('m')}, reversing\nchanges made to {sha('a')}.",
    ),
    commit("m", "aq", day=9, subject="Merge pull request #4 from x/y"),
    commit("q", "p", day=7),
    commit("p", "a", day=6),
    commit("a", day=1),
)  # fmt: skip


def test_merges_are_deployments_and_a_revert_fails_what_it_takes_back(tmp_path: Path) -> None:
    records = read(write(tmp_path, *MERGES))
    metrics = compute_metrics(records)
    # Deployments: a, m and w; p and q go out with m, and w fails it.
    assert len(records.tables["deployments"]) == 3
    assert len(records.tables["changes"]) == 4
    assert metrics["change_failure_rate"] == pytest.approx(1 / 3)
    lead = records.tables["changes"]["deployed_at"] - records.tables["changes"]["committed_at"]
    assert np.sort(lead.dropna()) == pytest.approx([0.0, 48.0, 72.0])
    known = {(each.table, each.column): each for each in records.knowledge}
    assert known["incidents", "incident_id"].rule == "rollbacks and reverts"
    assert any("a proxy" in remark for remark in records.remarks)


@pytest.mark.parametrize(
    "told",
    [
        {"body": f"This reverts commit {sha('b')}."},
        {"body": f"This reverts commit {sha('b')[:12]}."},
        {"body": "Reverts some/where#5"},
        {"subject": 'Revert "B (#5)" (#6)'},
    ],
)
def test_reverts_name_what_they_take_back(tmp_path: Path, told: dict[str, str]) -> None:
    parts = (
        commit("d", "c", day=9, refs="HEAD", body=f"This reverts commit {sha('c')}."),
        commit("c", "b", day=7, **told),
        commit("b", "a", day=5, subject="B (#5)"),
        commit("a", day=1),
    )
    changes = delivery_of(tmp_path, *parts).tables["changes"].set_index("change_id")
    assert changes.loc[sha("c"), "reverts"] == sha("b")
    # To take back a revert is to do again what was wanted.
    assert changes["reverts"].notna().sum() == 1


def test_bots_are_a_kind_of_their_own(tmp_path: Path) -> None:
    authors = {
        "a": "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "b": "Renovate Bot <bot@renovateapp.com>",
        "c": "pre-commit-ci[bot] <66853113+pre-commit-ci[bot]@users.noreply.github.com>",
        "d": "github-actions <actions@github.com>",
        "e": "Abbot Botham <abbot@example.org>",
    }
    parts = [
        commit(name, chr(ord(name) - 1) if name > "a" else "", by=by)
        for name, by in authors.items()
    ]
    changes = delivery_of(tmp_path, *parts[::-1]).tables["changes"].set_index("change_id")
    assert [bool(changes.loc[sha(name), "by_bot"]) for name in authors] == [True] * 4 + [False]


def services(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["pattern", "service"]).assign(row=1)


def test_a_commit_is_a_change_of_each_service_that_it_touches(tmp_path: Path) -> None:
    parts = (
        commit("d", "c", day=8, refs="HEAD, tag: refs/tags/v3", paths=["docs/index.md"]),
        commit("c", "b", day=7, refs="tag: refs/tags/rank/v9", paths=["rank/x.py"]),
        commit("b", "a", day=5, refs="tag: refs/tags/v2", paths=["find/y.py", "rank/y.py"]),
        commit("a", day=1, refs="tag: refs/tags/v1", paths=["find/x.py"]),
    )
    mapping = services(("find/", "search"), ("rank", "ranking"))
    delivery = delivery_of(tmp_path, *parts, services=mapping)
    assert deployed_by(delivery) == {
        f"{sha('a')} search": "v1 search",
        f"{sha('b')} search": "v2 search",
        f"{sha('b')} ranking": "v2 ranking",
        f"{sha('c')} ranking": "rank/v9 ranking",  # the tag of one service
    }
    # A tag deploys the services of which it brings anything new.
    deployments = delivery.tables["deployments"]
    assert sorted(deployments["deployment_id"]) == [
        "rank/v9 ranking", "v1 search", "v2 ranking", "v2 search",
    ]  # fmt: skip
    assert any(
        "1 commits are on no main line and in no deployment, or" in each
        for each in delivery.remarks
    )


def test_a_pattern_for_all_the_rest_keeps_the_services_apart(tmp_path: Path) -> None:
    parts = (
        commit("b", "a", day=5, refs="HEAD", paths=["other/y"]),
        commit("a", day=1, paths=["find/x"]),
    )
    (tmp_path / "services.csv").write_text("pattern,service,team\nfind/,search,shop\n*,rest,all\n")
    records = read(write(tmp_path, *parts), services=tmp_path / "services.csv")
    assert sorted(records.tables["services"]["service"]) == ["rest", "search"]
    assert sorted(records.tables["changes"]["service"]) == ["rest", "search"]


def test_services_need_paths(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--name-only"):
        delivery_of(tmp_path, *BRANCHES, services=services(("a", "b")))


def test_no_message_pretends_to_be_a_commit(tmp_path: Path) -> None:
    fake = commit("z", "", day=3, refs="HEAD, tag: refs/tags/v9").replace("\0", "\n")
    hostile = commit("b", "a", day=5, subject="H" + sha("z"), body=fake, refs="HEAD")
    delivery = delivery_of(tmp_path, hostile, commit("a", day=1))
    assert set(deployed_by(delivery)) == {sha("a"), sha("b")}
    assert not len(delivery.problems)


def test_wrong_clocks_are_listed(tmp_path: Path) -> None:
    parts = (commit("b", "a", day=5, written=9, refs="HEAD"), commit("a", day=1))
    delivery = delivery_of(tmp_path, *parts)
    (problem,) = delivery.problems
    assert str(problem) == (
        "history.txt, A, row 1: written after it was committed ('2026-01-09T12:00:00+00:00'); "
        "the time of the commit is taken"
    )
    changes = delivery.tables["changes"].set_index("change_id")
    assert changes.loc[sha("b"), "committed_at"] == pd.Timestamp("2026-01-05 12:00", tz="UTC")


def test_what_is_no_commit_is_listed_by_its_place(tmp_path: Path) -> None:
    whole = commit("b", "a", day=5, refs="HEAD")
    lost = tag("v1", "elsewhere", 4)
    delivery = delivery_of(
        tmp_path, whole, whole, commit("a")[:90], lost, commit("c")[: len("\0H") + 40], "\0Hxyz"
    )
    assert [str(problem) for problem in delivery.problems] == [
        "history.txt, row 3 and 2 more: neither a commit nor a tag as the command writes them; it "
        "is left out",
        "history.txt, H, row 2: the commit is there twice; the first one is used",
        "history.txt, T, row 4: the tag is of no commit that is there ('v1'); the tag is left out",
    ]
    assert any("lacks 1 parents" in remark for remark in delivery.remarks)


def test_a_repository_and_other_texts_say_which_command_to_run(tmp_path: Path) -> None:
    repository = tmp_path / "somewhere"
    (repository / ".git").mkdir(parents=True)
    (repository / ".git" / "config").write_text("[core]\n\tfsmonitor = touch /tmp/x\n")
    assert reader.can_open(str(repository))
    with pytest.raises(SourceError, match="is a repository") as raised:
        read(repository)
    assert "git --no-pager log HEAD --tags" in str(raised.value)
    plain = tmp_path / "plain.txt"
    plain.write_text(f"commit {sha('a')}\nAuthor: Ada <ada@example.org>\n\n    Change\n")
    assert reader.can_open(str(plain))
    with pytest.raises(SourceError, match="no commits as the reader needs them"):
        read(plain)
    assert not reader.can_open(str(tmp_path))


def test_the_documented_commands_write_what_is_read(tmp_path: Path) -> None:
    assert COMMANDS in (Path(__file__).parents[2] / "docs" / "records.md").read_text()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }

    def run(command: str, day: int) -> None:
        dates = dict.fromkeys(
            ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"2026-01-{day:02}T12:00:00+02:00"
        )
        subprocess.run(
            ["sh", "-ec", command], cwd=tmp_path, env=environment | dates, check=True, timeout=60,
            capture_output=True,
        )  # fmt: skip

    (tmp_path / "find").mkdir()
    (tmp_path / "find" / "größe.py").write_text("1")
    run("git init -q -b main . && git add find && git commit -q -m 'A commit'", 1)
    run("git tag -m 'first' v1.0", 3)
    run("git commit -q --allow-empty -m 'H' -m 'This reverts nothing.' && git tag v1.1-rc1", 5)
    run(COMMANDS, 9)
    history = tmp_path / "history.txt"
    delivery = reader.read(str(history), Options(services=services(("find/", "search"))))
    assert not len(delivery.problems)
    assert "find/größe.py" in [
        path for text in read_history(history, Problems()).fields["F"] for path in paths_of(text)
    ]
    deployments = delivery.tables["deployments"]
    assert deployments["deployment_id"].tolist() == ["v1.0 search"]
    assert deployments["deployed_at"].tolist() == [pd.Timestamp("2026-01-03 10:00", tz="UTC")]
    changes = reader.read(str(history), Options()).tables["changes"]
    assert changes["deployment_id"].isna().tolist() == [True, False]


def test_tags_that_are_wanted_and_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no tag of a release"):
        delivery_of(tmp_path, *MERGES, deployments="tags")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """Draw parents of commits, each earlier than its children, and deployed commits."""
    n = draw(st.integers(1, 12))
    parents = [
        draw(st.lists(st.integers(0, place - 1), max_size=2, unique=True)) if place else []
        for place in range(n)
    ]
    return parents, draw(st.lists(st.integers(-1, n - 1), max_size=6))


@settings(deadline=None, max_examples=200)
@given(histories())
def test_first_with_is_the_first_whose_ancestors_have_it(
    history: tuple[list[list[int]], list[int]],
) -> None:
    parents, deployed = history

    def ancestors(place: int) -> set[int]:
        return {place}.union(*(ancestors(parent) for parent in parents[place]))

    have = [ancestors(place) if place >= 0 else set() for place in deployed]
    expected = [
        next((number for number, them in enumerate(have) if place in them), -1)
        for place in range(len(parents))
    ]
    assert list(first_with(parents, deployed)) == expected


_WORDS = st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=12)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Draw a text of which some records are commits, some are tags, and some are anything."""
    names = "abcdef"
    parts = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 5))
        name = draw(st.sampled_from(names))
        if kind == 0:
            parts.append(tag(draw(_WORDS).replace("\0", ""), name, draw(st.integers(1, 28))))
        elif kind == 1:
            parts.append("\0H" + draw(_WORDS))
        else:
            parts.append(
                commit(
                    name,
                    "".join(draw(st.lists(st.sampled_from(names), max_size=3))),
                    draw(st.integers(1, 28)),
                    draw(st.integers(1, 28)),
                    subject=draw(_WORDS).replace("\0", ""),
                    body=draw(
                        st.sampled_from(["", f"This reverts commit {sha('b')}", "Reverts #1"])
                    ),
                    refs=draw(st.sampled_from(["", "HEAD", "tag: v1", "tag: refs/tags/v2, HEAD"])),
                    committer=draw(st.sampled_from(["GitHub", "Ada"])),
                )
            )
    data = "".join(parts).encode()
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=4)) + data[place + draw(st.integers(0, 9)) :]
    return data


@settings(deadline=None, max_examples=40)
@given(texts())
def test_no_text_crashes_and_no_record_is_lost_silently(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.txt"
    path.write_bytes(data)
    problems = Problems()
    history = read_history(path, problems)
    listed = {
        row
        for problem in problems
        if problem.kind.startswith(("neither", "the commit is there twice", "the tag is of"))
        for row in problem.rows
    }
    used = set(history.rows) | set(history.tag_rows)
    assert not listed & used
    assert listed | used == set(range(1, history.n_records + 1))
    try:
        records = read(path, reader="git")
    except SourceError:
        return
    n_changes = len(records.tables["changes"])
    assert n_changes <= len(history.hashes)
    compute_metrics(records)
