"""The report of the claims as a document: the verdicts, the picture, and how to get them again."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import yaml

from sim.document.document import (
    IN_TERMINAL,
    ON_PAPER,
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Facts,
    Group,
    Listing,
    Medium,
    Paragraph,
    Prose,
    Row,
    Section,
    Table,
    Tone,
    placed_caveats,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.versions import versions

from .claim import Claim
from .content import caveats, sentences, tally
from .judge import Finding
from .load import Trial
from .table import cells

_HTML: frozenset[Medium] = frozenset({"html"})
_MARKDOWN: frozenset[Medium] = frozenset({"markdown"})
_TONES: dict[str, Tone] = {"supported": "good", "not supported": "doubtful", "contradicted": "bad"}
_COLUMNS = (
    Column("metric", may_wrap=True),
    Column("low arm", is_number=True),
    Column("high arm", is_number=True),
    Column("difference", "[interval]", is_number=True),
    Column("expected"),
    Column("verdict", may_wrap=True),
)
_WHAT_MOVED = Column("what moved most", may_wrap=True)


def claims_document(
    findings: Sequence[Finding],
    trials: Sequence[Trial],
    pictures: Iterable[Picture],
    setting: str,
    origin: Mapping[str, str],
    replications: int,
) -> Document:
    """Return the report of the claims.

    Args:
        findings: what :func:`sim.claims.judge.run_trials` returned.
        trials: what was run.
        pictures: that of :func:`sim.claims.figure.claims_picture`.
        setting: what was run, in a sentence.
        origin: what it takes to get the same again, by name: command, seed, replications.
        replications: of each arm.

    Raises:
        ValueError: a picture has no place in the report.
    """
    lead, *said = sentences(findings, replications) or [tally(findings)]
    sections = [
        Section("In words", [Bullets(said, media=ON_PAPER)] if said else []),
        Section(
            "The verdicts",
            [
                Prose(_how_to_read(len(findings)), media=ON_PAPER),
                _verdicts(findings, replications, on_paper=True),
                _verdicts(findings, replications, on_paper=False),
            ],
        ),
        Section("In pictures", []),
        Section(
            "To get the same again",
            [
                Facts(origin, media=_MARKDOWN),
                Facts({**origin, **versions()}, media=_HTML),
                Paragraph(
                    "The arms of each claim, as overrides of the organization; the same "
                    "organization, arms, seed and versions give the same numbers.",
                    media=_HTML,
                ),
                Listing(_arms([trial.claim for trial in trials]), "arms as YAML", media=_HTML),
            ],
        ),
    ]
    doubts, sections = placed_caveats(caveats(findings, replications), sections)
    return Document(
        title="The claims, put on trial",
        answer=[
            Paragraph(lead, "strong", media=ON_PAPER),
            Paragraph(tally(findings), "strong", media=IN_TERMINAL),
            *_arms_in_words(trials),
            *doubts,
        ],
        lead="claims",
        setting=setting,
        sections=with_pictures(sections, pictures),
    )


def _arms_in_words(trials: Sequence[Trial]) -> list[Block]:
    """Return what the arms of a single claim are; of several, they stand at the end."""
    if len(trials) != 1:
        return []
    claim = trials[0].claim
    arms = claim.arms or {"low": claim.low or (), "high": claim.high or ()}
    told = [
        f"{name} arm: {', '.join(own) or 'the organization as it is'}" for name, own in arms.items()
    ]
    if claim.base:
        told.insert(0, f"all arms: {', '.join(claim.base)}")
    return [Bullets(told)]


def _verdicts(findings: Sequence[Finding], replications: int, on_paper: bool) -> Table:
    """Return the table of the verdicts.

    In a terminal there is less room: the interval stands below the difference, and the part that
    moved most below the row.
    """
    groups = []
    for claim, own in groupby(findings, key=lambda finding: finding.claim):
        rows = [_row(finding, replications, on_paper) for finding in own]
        groups.append(Group(rows, claim.claim, claim.id))
    columns = [*_COLUMNS, _WHAT_MOVED] if on_paper else _COLUMNS
    return Table(columns, groups, media=ON_PAPER if on_paper else IN_TERMINAL)


def _row(finding: Finding, replications: int, on_paper: bool) -> Row:
    shown = cells(finding, replications)
    verdict = Cell(shown.verdict, tone=_TONES.get(finding.verdict, ""))
    if on_paper:
        numbers = [shown.low, shown.high, shown.difference]
        return Row([shown.metric, *numbers, shown.expected, verdict, shown.trace])
    value, space, interval = shown.difference.partition(" [")
    difference = Cell(value, f"{space}{interval}".lstrip())
    moved = f"moved most: {shown.trace}" if shown.trace else ""
    return Row(
        [shown.metric, shown.low, shown.high, difference, shown.expected, verdict], note=moved
    )


def _how_to_read(expectations: int) -> str:
    return (
        "Low and high arm are means over replications; of claims with arms of their own, the "
        "difference that is looked at stands in brackets, and where it takes more than two arms "
        "there is no low and high one. Intervals are "
        f"adjusted by Holm's method for the {expectations} expectations of this table: the "
        "probability that any verdict but *not supported* is wrong is at most 5 %. *Supported*: "
        "the interval lies on the expected side of zero or, where no effect or none of one sign is "
        "expected, within the margin. *Contradicted*: it lies on the other side. *Not supported*: "
        "neither. *Unstable*: replications of an arm whose work in progress kept growing."
    )


def _arms(claims: Sequence[Claim]) -> str:
    arms = {
        claim.id: {name: list(overrides) for name, overrides in claim.overrides.items()}
        for claim in claims
    }
    return yaml.safe_dump(arms, sort_keys=False, allow_unicode=True, width=100)
