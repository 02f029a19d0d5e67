"""What the report of the claims says, of findings made by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest

from sim.claims.claim import Claim
from sim.claims.content import caveats, sentences
from sim.claims.figure import forest_plot
from sim.claims.html import write_html
from sim.claims.judge import Finding

REPLICATIONS = 30


def claim(name: str, **expectation: Any) -> Claim:
    return Claim.model_validate(
        {
            "id": name,
            "claim": "Automation <shortens> the lead time.",
            "section": "1",
            "low": [],
            "high": ["automation=1"],
            "expectations": [{"metric": "lead_time_h", **expectation}],
            "mechanism": "Somehow.",
            "trace": ["lead_time_run_h"],
        }
    )


def finding(
    name: str, sign: str, verdict: str, difference: float, half: float = 24.0, **rest: Any
) -> Finding:
    parts: dict[str, Any] = {"n": REPLICATIONS, "unstable": 0, "margin": math.nan} | rest
    margin = {} if math.isnan(parts["margin"]) else {"margin": parts["margin"]}
    of = claim(name, sign=sign, **margin)
    return Finding(
        claim=of,
        expectation=of.expectations[0],
        low=240.0,
        high=240.0 + difference,
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        p_value=0.01,
        verdict=verdict,
        trace=(),
        **parts,
    )


def test_sentences_count_what_holds_and_say_by_how_much_the_rest_does_not() -> None:
    findings = [
        finding("A1", "-", "supported", -96.0),
        finding("A2", "-", "supported", -96.0),
        finding("A3", "-", "contradicted", 72.0),
        finding("A4", "+", "not supported", 12.0),
        finding("A5", "report", "reported", 12.0),
    ]
    assert sentences(findings, REPLICATIONS) == [
        "Of 4 expectations, 2 hold (50 %), 1 is contradicted and 1 is undecided.",
        "2 of 4 claims come out in full; not in full: A3 and A4.",
        "Contradicted, A3: lead time, days was expected to be lower (\N{MINUS SIGN}); the "
        "difference is +3.0 [+2.0 to +4.0].",
        "Undecided, A4: lead time, days was expected to be higher (+); the difference is +0.5 "
        "[\N{MINUS SIGN}0.5 to +1.5].",
        "1 more number is reported without an expectation.",
    ]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["supported"], "The only expectation holds."),
        (["supported", "supported"], "All 2 expectations hold."),
        (["contradicted"], "Of 1 expectation, none hold, 1 is contradicted."),
        (["supported", "not supported"], "Of 2 expectations, 1 holds (50 %), 1 is undecided."),
    ],
)
def test_counts_in_words(verdicts: list[str], said: str) -> None:
    findings = [finding(f"B{n}", "-", verdict, -24.0) for n, verdict in enumerate(verdicts)]
    assert sentences(findings, REPLICATIONS)[0] == said


def test_nothing_is_expected() -> None:
    findings = [finding(f"C{number}", "report", "reported", 1.0) for number in range(2)]
    assert sentences(findings, REPLICATIONS) == [
        "2 more numbers are reported without an expectation."
    ]
    assert caveats(findings, REPLICATIONS) == []


def test_caveats_name_the_claims_that_they_are_about() -> None:
    findings = [
        finding("A1", "-", "supported", -96.0, unstable=4),
        finding("A2", "-", "supported", -96.0, n=17),
        # Twice as wide as it may be: four times as many replications.
        finding("A3", "+", "not supported", 12.0, half=24.0),
        # 36 of a margin of 48 are used up: as wide as it may be twice over, as well.
        finding("A4", "none", "not supported", -36.0, half=24.0, margin=48.0),
        # On the other side: more replications are no hope.
        finding("A5", "+", "not supported", -12.0, half=24.0),
    ]
    unstable, precision, missing = caveats(findings, REPLICATIONS)
    assert unstable.serious
    assert "A1 (up to 4) of the 30 replications" in unstable.text
    assert "estimated for A3 and A4 is as expected" in precision.text
    assert "about 120 replications would decide" in precision.text
    assert missing.text == (
        "Replications without data are left out: of 30, a number rests on as few as 17 in A2."
    )
    hardly = replace(findings[2], difference=0.01)
    assert "more than 10,000 replications" in caveats([hardly], REPLICATIONS)[0].text


def test_the_page_is_one_file_with_everything(tmp_path: Any) -> None:
    findings = [
        finding("A1", "-", "supported", -96.0),
        finding("A3", "-", "contradicted", 72.0, unstable=2),
    ]
    path = tmp_path / "report.html"
    drawn = forest_plot(findings, "Two claims")
    origin = {"seed": "7", "replications": "30"}
    write_html(findings, [], drawn, "Two claims.", "*Read* it.", origin, REPLICATIONS, path)
    page = path.read_text(encoding="utf-8")
    assert "Of 2 expectations, 1 holds (50&nbsp;%), 1 is contradicted." in page
    assert '<td class="clear">contradicted (unstable in 2 of 30)</td>' in page
    assert "<strong>A3</strong> Automation &lt;shortens&gt; the lead time." in page
    assert "<caption><em>Read</em> it.</caption>" in page
    assert "<li class='serious'>Unstable" in page
    assert page.count("src=") == page.count('src="data:image/svg+xml;base64,') == 1
    assert "<dt>seed</dt><dd>7</dd>" in page
    assert "<dt>simpy</dt>" in page
