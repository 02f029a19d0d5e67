"""The report of a study as a document: the metrics, where the time goes, and what to beware of."""

from collections.abc import Mapping

from sim.configuration.dump import to_yaml
from sim.document.document import (
    IN_HTML,
    IN_TERMINAL,
    ON_PAPER,
    Block,
    Bullets,
    Caveats,
    Document,
    Embedded,
    Facts,
    Listing,
    Paragraph,
    Section,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.experiment.versions import versions
from sim.report.content import (
    caveats,
    instability,
    practices,
    sentences,
    setting,
)
from sim.report.payback import TITLE, in_words, payback_table
from sim.report.sections import sections_of


def study_document(
    study: Study,
    payback: Payback | None = None,
    drawings: Mapping[str, Picture] | None = None,
) -> Document:
    """Return the report of a study.

    Args:
        study: the study.
        payback: what its roadmap brings, if it has one.
        drawings: the pictures by name; without them, which a terminal cannot show, there are none.

    Raises:
        ValueError: a picture has no place in the report.
    """
    doubts = caveats(study)
    found = [Caveats(doubts)] if doubts else []
    sections = [
        Section("In short", [Bullets(sentences(study), media=ON_PAPER)]),
        Section("Before you believe it", [Caveats(doubts, media=ON_PAPER)] if found else []),
        *sections_of(study),
        *([] if payback is None else [_payback(payback)]),
        *_animation(study),
        Section("Course over time", []),
        Section("", [Caveats(doubts, media=IN_TERMINAL)] if found else []),
        Section("To get the same again", _again(study)),
    ]
    scenario = study.scenario
    return Document(
        scenario.name,
        with_pictures(sections, (drawings or {}).values()),
        description=scenario.description,
        context=practices(study),
        setting=setting(study),
        flag=instability(study),
    )


def _payback(payback: Payback) -> Section:
    return Section(TITLE, [payback_table(payback), Paragraph(in_words(payback))])


def _animation(study: Study) -> list[Section]:
    if not study.scenario.animation:
        return []
    from sim.report.animation import HOURS_A_FRAME, WEEKS, animate  # plotly, if it is installed

    run = study.first
    # With plotly.js itself, 5 MB: the file has to work without a network.
    moving = animate(run.records).to_html(full_html=False, include_plotlyjs=True, auto_play=False)
    text = (
        f"The first {WEEKS} weeks after the warm-up of replication {run.replication}, "
        f"{HOURS_A_FRAME} hours per frame; incidents pull people away from other work."
    )
    return [Section("Watch it", [Paragraph(text, media=IN_HTML), Embedded(moving)])]


def _again(study: Study) -> list[Block]:
    text = "The scenario, complete; the same scenario, seed and versions give the same numbers."
    return [
        Facts({"seed": str(study.seed), "replications": str(len(study.runs))} | versions()),
        Paragraph(text, media=ON_PAPER),
        Listing(to_yaml(study.scenario), "scenario as YAML"),
    ]
