"""``python -m sim.claims`` as a person meets it, and the claims that come with the package."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from processes import PATIENCE_S

import sim
from sim.claims.command import main
from sim.claims.load import CLAIMS, load_trials, read_claims

TINY = ["horizon_weeks=8", "warmup_weeks=1"]


def tiny_claim(**parts: Any) -> dict[str, Any]:
    claim = {
        "id": "T1",
        "claim": "Automation shortens the lead time.",
        "section": 10.3,
        "low": ["automation=0"],
        "high": ["automation=1"],
        "expectations": [{"metric": "lead_time_h", "sign": "-"}],
        "mechanism": "Less waiting.",
        "trace": "lead_time_mean_h",
    }
    return {key: value for key, value in {**claim, **parts}.items() if value is not None}


def folder_of(folder: Path, *claims: dict[str, Any], settings: list[str] | None = None) -> Path:
    (folder / "settings.yaml").write_text(yaml.safe_dump({"settings": settings or TINY}))
    (folder / "mine.yaml").write_text(yaml.safe_dump({"claims": list(claims)}))
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim.claims", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def refusal(folder: Path, *claims: dict[str, Any], **options: Any) -> str:
    with pytest.raises(sim.ScenarioError) as said:
        load_trials(options.pop("organization", "startup"), folder_of(folder, *claims), **options)
    return str(said.value)


def test_all_rows_of_the_chapter_are_there() -> None:
    _, claims = read_claims(CLAIMS)
    wanted = (
        [f"D{number}" for number in (1, 2, 3, 4, 5, "6a", "6b", 7, 8, 9, "10a", "10b")]
        + [f"P{number}" for number in range(1, 7)]
        + [f"C{number}" for number in range(1, 7)]
        + [f"S{number}" for number in range(1, 4)]
        + [f"E{number}" for number in range(1, 5)]
        + [f"N{number}" for number in range(1, 7)]
    )
    assert [claim.id for claim in claims] == wanted


@pytest.mark.slow
def test_two_claims_from_end_to_end(tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    claims.mkdir()
    unchanged = {"metric": "n_services", "sign": "none", "margin": 0.5}
    folder_of(
        claims,
        tiny_claim(),
        tiny_claim(
            id="T2",
            base=["services.*.quality.speed=1"],
            low=None,
            high=None,
            arms={"none": ["automation=0"], "all": ["automation=1"]},
            expectations=[
                {**unchanged, "contrast": {"all": 1, "none": -1}},
                {
                    "metric": "deployments",
                    "sign": "report",
                    "weeks": [2, 8],
                    "contrast": {"all": 1, "none": -1},
                },
            ],
        ),
        tiny_claim(id="T3"),
    )
    options = ("--claims", "claims", "--only", "T1,T2", "--organization", "startup")
    done = run(tmp_path, *options, "--replications", "8", "--seed", "3", "--n-jobs", "1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "3 expectations:" in done.stdout
    (results,) = (tmp_path / "results" / "claims").rglob("claims.csv")
    assert sorted(path.name for path in results.parent.iterdir()) == [
        "claims.csv",
        "claims.md",
        "claims.png",
        "report.html",
    ]
    assert f"{results.parent.relative_to(tmp_path)}/" in done.stdout
    table = pd.read_csv(results)
    assert list(table["id"]) == ["T1", "T2", "T2"]
    assert list(table["verdict"][1:]) == ["supported", "reported"]
    assert list(table["n"]) == [8, 8, 8]
    assert table.loc[1, "difference"] == 0.0
    # The first row is what compare says of the same arms.
    arms = {
        name: sim.load("organization=startup", *TINY, f"automation={share}")
        for name, share in (("low", 0), ("high", 1))
    }
    compared = sim.compare(arms, replications=8, seed=3, n_jobs=1)
    row = compared.differences(metrics=["lead_time_h"]).loc[("high", "lead_time_h")]
    assert table.loc[0, "difference"] == pytest.approx(row["difference"], rel=1e-5)
    assert table.loc[0, "low_arm"] == pytest.approx(row["mean_first"], rel=1e-5)
    page = (results.parent / "claims.md").read_text(encoding="utf-8")
    assert "python -m sim.claims --claims claims --only T1,T2" in page
    report = (results.parent / "report.html").read_text(encoding="utf-8")
    report = re.sub(r">\s+<", "><", report)
    assert "<dt>seed</dt><dd>3</dd><dt>replications</dt><dd>8</dd>" in report
    assert "<dt>organization</dt><dd>startup</dd>" in report
    # One reference, to a figure within: it opens from disk, without a network.
    assert re.findall(r'(?:src|href)="([^#,"][^,"]*)', report) == ["data:image/svg+xml;base64"]
    assert "1 more number is reported without an expectation." in report
    assert "automation=1" in report


def test_a_star_stands_for_all_that_is_there(tmp_path: Path) -> None:
    claim = tiny_claim(
        low=["services.*.quality.speed=0.5", "pipeline.steps.*.flaky=0"],
        high=["services.*.data.corrupted=0.5", "shared_people.platform*=3"],
    )
    (trial,) = load_trials("startup", folder_of(tmp_path, claim))
    low, high = trial.scenarios["low"], trial.scenarios["high"]
    assert {service.quality.speed for service in low.services.values()} == {0.5}
    assert {step.flaky for step in low.pipeline.steps.values()} == {0.0}
    assert {service.data.corrupted for service in high.services.values() if service.data} == {0.5}
    assert high.horizon_weeks == 8
    assert not high.shared_people  # a star may stand for nothing


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"expectations": [{"metric": "lead_tim_h", "sign": "-"}]},
            "T1.expectations.0.metric: unknown metric 'lead_tim_h'; did you mean 'lead_time_h'?",
        ),
        (
            {"expectations": [{"metric": "lead_time_h", "sign": "-", "weeks": [1, 4]}]}
            | {"trace": ["lead_time_h", "toil"]},
            "T1.expectations.0.trace: unknown metric 'toil'",
        ),
        (
            {"expectations": [{"metric": "net_costs", "sign": "-", "weeks": [1, 4]}]},
            "T1.expectations.0.metric: unknown metric 'net_costs'; did you mean 'net_cost'?",
        ),
        (
            {"expectations": [{"metric": "deployments", "sign": "-", "weeks": [1, 9]}]},
            "T1.expectations.0.weeks: ends after the horizon of 8 weeks",
        ),
        (
            {
                "expectations": [
                    {"metric": "lead_time_h", "sign": "-", "contrast": {"hihg": 1, "low": -1}}
                ]
            },
            "T1.expectations.0.contrast: unknown arm 'hihg'; did you mean 'high'?",
        ),
        ({"trace": "lead_tme"}, "T1.trace: 'lead_tme' is no metric with parts"),
        (
            {"high": ["atomation=1"]},
            "T1, arm high: atomation: unknown key (override 'atomation=1'); "
            "did you mean 'automation'?",
        ),
        (
            {"high": ["automation=2"]},
            "T1, arm high: automation: 2 is not allowed; must be less than or equal to 1",
        ),
        (
            {"high": ["practice/testing=ful"]},
            "T1, arm high: practice/testing: unknown value 'ful'; did you mean 'full'?",
        ),
        ({"high": ["automation"]}, "T1, arm high: automation: cannot be read as key=value"),
        (
            {"high": ["services.*.qality.speed=1"]},
            "T1, arm high: services.*.qality.speed: matches nothing in this scenario",
        ),
        (
            {
                "expectations": [
                    {"metric": "lead_time_h", "sign": "none", "margin": 1, "own_time_of": "reviw"}
                ]
            },
            "T1.expectations.0.own_time_of: unknown step 'reviw'; did you mean 'review'?",
        ),
        ({"mechanism": None}, "mine.yaml: T1: `mechanism` is missing"),
        ({"mechanisms": ""}, "mine.yaml: T1.mechanisms: unknown key; did you mean 'mechanism'?"),
        ({"low": None}, "mine.yaml: T1: is not complete; needs either low and high, or arms"),
        (
            {"low": None, "high": None, "arms": {"a": [], "b": []}},
            "mine.yaml: T1: is not complete; expectations over arms need a contrast each",
        ),
        (
            {"expectations": [{"metric": "lead_time_h", "sign": "up"}]},
            "mine.yaml: T1.expectations.0.sign: unknown value 'up'; must be '+', '-', 'none'",
        ),
        (
            {"expectations": [{"metric": "lead_time_h", "sign": "none"}]},
            "mine.yaml: T1.expectations.0: is not complete; "
            "sign none needs margin or relative_margin",
        ),
        ({"expectations": []}, "mine.yaml: T1.expectations: [] is not allowed"),
        ({"high": "automation=1"}, "mine.yaml: T1.high: 'automation=1' is not allowed; must be"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_claim_that_is_not_valid(parts: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, tiny_claim(**parts)).startswith(expected)


def test_names_that_are_not_there(tmp_path: Path) -> None:
    said = refusal(tmp_path, tiny_claim(), organization="startp")
    assert said == "organization: unknown value 'startp'; did you mean 'startup'?"
    said = refusal(tmp_path, tiny_claim(), only=["T2"])
    assert said == "--only: no claim 'T2'; valid: T1"
    said = refusal(tmp_path, tiny_claim(), tiny_claim())
    assert said == "T1: is the id of two claims"
    with pytest.raises(sim.ScenarioError, match=r"nowhere: no such folder"):
        load_trials("startup", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("claims: [", r"broken\.yaml, line 1, column 10: not valid YAML: "),
        ("claims: []\nclaims: []\n", r"broken\.yaml, line 2, column 1: not valid YAML: "),
        ("3\n", r"broken\.yaml: "),
        ("- id: A\n", r"broken\.yaml: the file holds no mapping; claims: \[\.\.\.\]"),
        ("claim: []\n", r"broken\.yaml: claim: unknown key; did you mean 'claims'\?"),
    ],
)
def test_a_file_that_cannot_be_read(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(sim.ScenarioError) as said:
        read_claims(tmp_path)
    assert re.match(expected, str(said.value)), str(said.value)


def test_refusals_come_before_any_simulation_and_exit_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "claims"
    folder.mkdir()
    folder_of(folder, tiny_claim(), tiny_claim(id="T2", high=["automation=2"]))
    with pytest.raises(SystemExit) as done:
        main(["--claims", "claims", "--organization", "startup", "--n-jobs", "1"])
    assert done.value.code == 2
    said = capfd.readouterr()
    assert said.err.startswith("T2, arm high: automation: 2 is not allowed")
    assert said.err.count("\n") == 1
    assert said.out == ""
    with pytest.raises(SystemExit) as done:
        main(["--replications", "1"])
    assert done.value.code == 2
    assert "'1' is not a whole number from 2 on" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["claims"]
