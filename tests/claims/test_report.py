"""What the report of the claims says, of findings made by hand."""

import io
import math
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from sim.claims.claim import Claim
from sim.claims.content import caveats, sentences
from sim.claims.document import claims_document
from sim.claims.figure import claims_picture
from sim.claims.judge import Finding, PartMovement
from sim.document.document import Document
from sim.document.html import to_html
from sim.document.markdown import to_markdown
from sim.document.terminal import print_document

REPLICATIONS = 30
PATHS = {"claims": "claims.png"}


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
    assert unstable.is_serious
    assert "A1 (up to 4) of the 30 replications" in unstable.text
    assert "estimated for A3 and A4 is as expected" in precision.text
    assert "about 120 replications would decide" in precision.text
    assert missing.text == (
        "Replications without data are left out: of 30, a number rests on as few as 17 in A2."
    )
    hardly = replace(findings[2], difference=0.01)
    assert "more than 10,000 replications" in caveats([hardly], REPLICATIONS)[0].text


def report(findings: list[Finding], **of_picture: Any) -> Document:
    origin = {"command": "python -m sim.claims", "seed": "7", "replications": "30"}
    picture = replace(claims_picture(findings, "Two claims", REPLICATIONS), **of_picture)
    return claims_document(findings, [], [picture], "Two claims.", origin, REPLICATIONS)


def test_a_picture_that_no_section_shows_is_an_error() -> None:
    assert set(report(TWO).pictures) == {"claims"}
    with pytest.raises(ValueError, match="no section of the report shows claims: nowhere"):
        report(TWO, section="nowhere")


MOVED = replace(
    finding("A1", "-", "supported", -96.0),
    trace=(PartMovement("lead_time_run_h", -48.0, -60.0, -36.0),),
)
TWO = [MOVED, finding("A3", "-", "contradicted", 72.0, unstable=2)]


def test_the_page_is_one_file_with_everything() -> None:
    page = to_html(report(TWO))
    assert "Of 2 expectations, 1 holds (50&nbsp;%), 1 is contradicted." in page
    assert '<td class="bad">contradicted (unstable in 2 of 30)</td>' in page
    assert "<strong>A3</strong> Automation &lt;shortens&gt; the lead time." in page
    assert "the 2 expectations of this table" in page
    assert "<em>Supported</em>" in page
    assert (
        "<td>machine run time \N{MINUS SIGN}2.0 [\N{MINUS SIGN}2.5 to \N{MINUS SIGN}1.5] days"
        in page
    )
    assert '<li class="serious">Unstable' in page
    assert page.count("src=") == page.count('src="data:image/svg+xml;base64,') == 1
    assert "<dt>seed</dt><dd>7</dd>" in page
    assert "<dt>simpy</dt>" in page


def test_a_kept_page_has_a_table_with_a_line_per_claim_and_finding() -> None:
    page = to_markdown(report([*TWO, replace(TWO[1], verdict="reported")]), picture_paths=PATHS)
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 2 + 3
    assert {line.count("|") for line in lines} == {8}
    assert "**A3** Automation \\<shortens\\> the lead time." in page
    assert "](claims.png)" in page
    assert "Unstable: in A3 (up to 2) of the 30 replications" in page
    assert "- seed: 7" in page


def test_a_terminal_shows_every_finding_with_its_interval_and_what_moved() -> None:
    for width in (80, 100, 120):
        console = Console(file=io.StringIO(), width=width)
        print_document(report(TWO), console)
        lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
        assert max(map(len, lines)) <= width
        assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(lines)
        at = lines.index("A1  Automation <shortens> the lead time.")
        assert lines[at + 1].split()[:2] == ["lead", "time,"]
        assert "[\N{MINUS SIGN}5.0 to \N{MINUS SIGN}3.0]" in lines[at + 2]
        assert lines[at + 3].startswith("    moved most: machine run time \N{MINUS SIGN}2.0")
        text = " ".join(" ".join(lines).split())
        assert "2 expectations: 1 supported, 1 contradicted. Not as expected in full: A3." in text
        assert "! Unstable: in A3" in text
