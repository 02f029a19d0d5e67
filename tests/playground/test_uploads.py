"""Uploads: what is an organization is composed as elsewhere, what is not is refused unread."""

import re
from pathlib import Path

import pytest

import sim
from sim.configuration.dump import to_yaml
from sim.playground.state import from_query
from sim.playground.uploads import MOST_BYTES, Uploads, refuse_too_much

MINE = """\
defaults:
  - default
  - override /organization: startup
  - override /practice/testing: full
  - _self_
name: mine
automation: 0.7
"""


def bomb() -> str:
    """Return a few lines that are 9 ** 10 values once their aliases are followed."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


def test_an_upload_is_composed_as_on_the_command_line(tmp_path: Path) -> None:
    uploads = Uploads()
    name = uploads.add(MINE.encode())
    (tmp_path / "mine.yaml").write_text(MINE)
    state = from_query({"b.organization": name, "b.cicd": "full"}, uploads.files)
    expected = sim.load("practice/cicd=full", config=tmp_path / "mine.yaml")
    # The settings of the page are its own.
    settings = {"seed": state.seed, "replications": state.replications}
    assert state.scenario("b") == expected.model_copy(update=settings)
    assert state.scenario("b").automation == 0.7
    assert uploads.labels == {name: "mine"}
    uploads.close()


def test_a_whole_scenario_can_be_uploaded() -> None:
    uploads = Uploads()
    enterprise = sim.load("organization=enterprise", "practice/testing=none")
    name = uploads.add(to_yaml(enterprise).encode())
    state = from_query({"a.organization": name}, uploads.files)
    assert not state.arms["a"].has_choices  # it says all itself
    settings = {"seed": state.seed, "replications": state.replications}
    assert state.scenario("a") == enterprise.model_copy(update=settings)
    uploads.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb(), "has more than 20,000 values, aliases followed"),
        ("teams: &a {b: *a}", "has more than 20,000 values, aliases followed"),
        ("a: !!python/object/apply:os.system ['true']", "has the tag 'tag:yaml.org,2002:python"),
        ("a: !!binary aGVsbG8=", "has the tag 'tag:yaml.org,2002:binary'; leave tags out"),
        ("a: !mine 3", "line 1: has the tag '!mine'; leave tags out"),
        ("name: ${oc.env:HOME}", "line 1: refers to something with ${...}"),
        ("a: 1\n${oc.env:HOME}: 2", "line 2: refers to something with ${...}"),
        ("name: '\\\\${oc.env:HOME}'", "refers to something with ${...}"),
        ("hydra: {searchpath: [file:///etc]}", "hydra: settings of Hydra have no place here"),
        ("defaults: [../secret]", "defaults: '../secret' is not known here"),
        ("defaults: [{organization: ../default}]", "'../default' is not known here"),
        ("defaults: [{../group: startup}]", "defaults: '../group' is not known here"),
        ("defaults: [{override /hydra/launcher: joblib}]", "'override /hydra/launcher' is not"),
        ("defaults: [{organization@teams: startup}]", "'organization@teams' is not known here"),
        ("defaults: [{optional organization: startup}]", "is not known here"),
        ("defaults: [{[a, b]: startup}]", "defaults: 'a list' is not known here"),
        ("defaults: [[default]]", "defaults: has an item that is no choice"),
        ("defaults: default", "defaults: is not a list"),
        ("- a\n- b", "the file: is not a mapping of keys"),
        ("", "the file: is not a mapping of keys"),
        ("a: [", "the file: is not YAML, line 1"),
        ("a: " + "[" * 5000, "is nested more than 20 levels deep"),
        ("a:\n" + "- 1\n" * 50_000, "has more than 20,000 values"),
        ("defaults: [default, _self_]\nautomation: 7", "automation: 7 is not allowed"),
        ("defaults: [default, _self_]\nautomaton: 0.7", "did you mean 'automation'?"),
        ("defaults: [default, _self_]\nhorizon_weeks: 10000", "horizon_weeks: 10000 is not"),
        (
            "defaults: [default, _self_]\nhorizon_weeks: 5000",
            "s, too long for this page; simulate fewer weeks",
        ),
        (
            "defaults: [default, _self_]\nteams: {product: {count: 900}}",
            "minutes, too long for this page; simulate fewer weeks",
        ),
    ],
)
def test_what_is_no_organization_is_refused(text: str, said: str) -> None:
    uploads = Uploads()
    with pytest.raises(sim.ScenarioError, match=re.escape(said)):
        uploads.add(text.encode())
    assert uploads.files == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#" * (MOST_BYTES + 1), "is larger than 256 kB"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a: \x00", "is not YAML"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(sim.ScenarioError, match=said):
        Uploads().add(content)


def test_the_number_of_uploads_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.playground.uploads._KEPT", 2)
    uploads = Uploads()
    names = [uploads.add(MINE.replace("0.7", f"0.{n}").encode()) for n in (1, 2)]
    assert uploads.add(MINE.replace("0.7", "0.1").encode()) == names[0]  # the same text
    folder = Path(uploads.files[names[1]].folder or "")
    assert folder.is_dir()
    third = uploads.add(MINE.encode())
    assert set(uploads.files) == {names[0], third}
    assert not folder.exists()
    uploads.close()


def test_all_that_a_page_offers_is_small_enough() -> None:
    for organization in ("startup", "midsize", "scaleup", "enterprise"):
        refuse_too_much(sim.load(f"organization={organization}"))
