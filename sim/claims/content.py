"""Sentences and warnings of the report of the claims, derived from the findings."""

import math
from collections.abc import Sequence

from sim.document.document import Caveat
from sim.report.content import few_replications
from sim.report.units import count_noun, format_number, format_percent
from sim.words import listed

from .judge import Finding
from .table import cells

_EXPECTED = {
    "+": "to be higher",
    "-": "to be lower",
    "none": "to stay the same within the margin",
    "not +": "not to be higher by more than the margin",
    "not -": "not to be lower by more than the margin",
}
_MOST_REPLICATIONS = 10_000


def sentences(findings: Sequence[Finding], replications: int) -> list[str]:
    """Return what came of the claims, in plain sentences: how many hold, which do not.

    Args:
        findings: what :func:`sim.claims.judge.run_trials` returned.
        replications: of each arm.
    """
    expected = [finding for finding in findings if finding.verdict != "reported"]
    said = []
    if expected:
        supported = [finding for finding in expected if finding.verdict == "supported"]
        said.append(_how_many(expected, len(supported)))
        said.append(_claims_in_full(expected))
    for verdict, words in (("contradicted", "Contradicted"), ("not supported", "Undecided")):
        for finding in expected:
            if finding.verdict == verdict:
                shown = cells(finding, replications)
                said.append(
                    f"{words}, {finding.claim.id}: {shown.metric} was expected "
                    f"{_EXPECTED[finding.expectation.sign]} ({shown.expected}); the difference is "
                    f"{shown.difference}."
                )
    reported = len(findings) - len(expected)
    if reported:
        said.append(
            f"{count_noun(reported, 'more number')} {'is' if reported == 1 else 'are'} reported "
            "without an expectation."
        )
    return said


def tally(findings: Sequence[Finding]) -> str:
    """Return how many expectations came out how, and which claims did not in full."""
    verdicts = [finding.verdict for finding in findings]
    text = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
    open_ids = [f.claim.id for f in findings if f.verdict in ("not supported", "contradicted")]
    counted = count_noun(len(findings), "expectation")
    if not open_ids:
        return f"{counted}: {text}."
    return f"{counted}: {text}. Not as expected in full: {', '.join(dict.fromkeys(open_ids))}."


def _how_many(expected: Sequence[Finding], supported: int) -> str:
    if supported == len(expected):
        return f"{_all(len(expected), 'expectation')} hold{'s' if len(expected) == 1 else ''}."
    verdicts: list[str] = [finding.verdict for finding in expected]
    rest = [
        f"{count} {'is' if count == 1 else 'are'} {words}"
        for verdict, words in (("contradicted", "contradicted"), ("not supported", "undecided"))
        if (count := verdicts.count(verdict))
    ]
    hold = "none hold" if supported == 0 else f"{supported} hold{'s' if supported == 1 else ''}"
    share = f" ({format_percent(supported / len(expected))})" if supported else ""
    return f"Of {count_noun(len(expected), 'expectation')}, {hold}{share}, {listed(rest)}."


def _all(count: int, noun: str) -> str:
    return f"The only {noun}" if count == 1 else f"All {count} {noun}s"


def _claims_in_full(expected: Sequence[Finding]) -> str:
    claims = list(dict.fromkeys(finding.claim.id for finding in expected))
    missed = dict.fromkeys(f.claim.id for f in expected if f.verdict != "supported")
    if not missed:
        return f"So {'does' if len(claims) == 1 else 'do'} {_all(len(claims), 'claim').lower()}."
    return (
        f"{len(claims) - len(missed)} of {count_noun(len(claims), 'claim')} come out in full; not "
        f"in full: {listed(list(missed))}."
    )


def caveats(findings: Sequence[Finding], replications: int) -> list[Caveat]:
    """Return what a reader has to know before believing the verdicts, the serious ones first.

    Args:
        findings: what :func:`sim.claims.judge.run_trials` returned.
        replications: of each arm.
    """
    return [
        *few_replications(replications),
        *_unstable(findings, replications),
        *_precision(findings, replications),
        *_without_data(findings, replications),
    ]


def _unstable(findings: Sequence[Finding], replications: int) -> list[Caveat]:
    worst: dict[str, int] = {}
    for finding in findings:
        if finding.unstable:
            worst[finding.claim.id] = max(worst.get(finding.claim.id, 0), finding.unstable)
    if not worst:
        return []
    named = listed([f"{claim} (up to {count})" for claim, count in worst.items()])
    text = (
        f"Unstable: in {named} of the {count_noun(replications, 'replication')} of an arm work in "
        "progress kept growing, so that lead times depend on how long the simulation ran."
    )
    return [Caveat(True, text)]


def _precision(findings: Sequence[Finding], replications: int) -> list[Caveat]:
    """Say which undecided expectations more replications may decide, and how many it takes."""
    needed: dict[str, float] = {}
    for finding in findings:
        if finding.verdict == "not supported":
            inside = _inside(finding)
            half = (finding.ci_high - finding.ci_low) / 2.0
            if inside > 0.0 and not math.isnan(half):
                times = (half / inside) ** 2
                needed[finding.claim.id] = max(needed.get(finding.claim.id, 0.0), times)
    if not needed:
        return []
    most = replications * max(needed.values())
    many = (
        f"more than {format_number(_MOST_REPLICATIONS)}"
        if most > _MOST_REPLICATIONS
        # The half width is an estimate itself: more than two digits would pretend.
        else f"about {format_number(round(most, 1 - math.floor(math.log10(most))))}"
    )
    text = (
        f"Few replications: what is estimated for {listed(list(needed))} is as expected, but the "
        f"interval is too wide to say so; {many} replications would decide all of them, if the "
        "estimates stay as they are."
    )
    return [Caveat(False, text)]


def _inside(finding: Finding) -> float:
    """Return how far inside what is expected the estimate lies; negative outside."""
    difference, margin = finding.difference, finding.margin
    return {
        "+": difference,
        "-": -difference,
        "none": margin - abs(difference),
        "not +": margin - difference,
        "not -": margin + difference,
    }[finding.expectation.sign]


def _without_data(findings: Sequence[Finding], replications: int) -> list[Caveat]:
    fewest: dict[str, int] = {}
    for finding in findings:
        if finding.n < replications and not finding.expectation.break_even:
            fewest[finding.claim.id] = min(fewest.get(finding.claim.id, replications), finding.n)
    if not fewest:
        return []
    named = listed([f"{count} in {claim}" for claim, count in fewest.items()])
    text = (
        "Replications without data are left out: of "
        f"{replications}, a number rests on as few as {named}."
    )
    return [Caveat(False, text)]
