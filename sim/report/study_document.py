"""The report of a study as a document: the metrics, where the time goes, and what to beware of."""

from collections.abc import Mapping

from sim.configuration.dump import to_yaml
from sim.document.document import (
    IN_HTML,
    ON_PAPER,
    Block,
    Bullets,
    Caveat,
    Document,
    Embedded,
    Facts,
    Listing,
    Paragraph,
    Section,
    placed_caveats,
    with_pictures,
)
from sim.document.picture import Picture
from sim.experiment.payback import WITH, Payback
from sim.experiment.replicate import Study
from sim.experiment.versions import versions
from sim.report.comparison import busier_and_less_busy, explain
from sim.report.content import (
    COURSE,
    NOT_IN_WORTH,
    caveats,
    instability,
    is_priced,
    practices,
    sentences,
    setting,
    tiles,
    where_time_goes,
)
from sim.report.payback import (
    PERIOD_IN_WORDS,
    PERIODS,
    TITLE,
    in_words,
    payback_caveats,
    payback_table,
    payback_tiles,
    periods_in_words,
    weeks_in_words,
)
from sim.report.sections import sections_of


def study_document(
    study: Study,
    payback: Payback | None = None,
    drawings: Mapping[str, Picture] | None = None,
) -> Document:
    """Return the report of a study.

    That of a roadmap is about its periods, against the organization without it: nothing in it
    averages over the change. Where time and money go is told of its last period.

    Args:
        study: the study.
        payback: what its roadmap brings, if it has one.
        drawings: the pictures by name; without them, which a terminal cannot show, there are none.

    Raises:
        ValueError: a picture has no place in the report.
    """
    answer, first, found = _of_study(study) if payback is None else _of_payback(payback)
    reported = study if payback is None else payback.reported
    sections = [
        *first,
        *([] if reported is None else sections_of(reported)),
        *_animation(study),
        Section(COURSE, []),
        Section("To get the same again", _again(study)),
    ]
    doubts, sections = placed_caveats(found, sections)
    scenario = study.scenario
    return Document(
        scenario.name,
        with_pictures(sections, (drawings or {}).values()),
        answer=[*answer, *doubts],
        lead="lead_time" if payback is None else "payback",
        description=scenario.description,
        context=practices(study),
        setting=setting(study),
        flag="" if reported is None else instability(reported),
    )


def _of_study(study: Study) -> tuple[list[Block], list[Section], list[Caveat]]:
    """Return what a report on a study begins with, its first sections, and the caveats."""
    said = where_time_goes(study)
    answer: list[Block] = [tiles(study), *([Paragraph(said, "strong")] if said else [])]
    words = Section("In words", [Bullets(sentences(study), media=ON_PAPER)])
    return answer, [words], caveats(study)


def _of_payback(payback: Payback) -> tuple[list[Block], list[Section], list[Caveat]]:
    answer: list[Block] = [Paragraph(in_words(payback), "strong"), payback_tiles(payback)]
    if is_priced(payback.invested):
        answer.append(Paragraph(NOT_IN_WORTH, "dim"))
    sections = [Section(TITLE, [])]
    if payback.periods:
        told = Paragraph(periods_in_words(payback))
        tables = [payback_table(payback, on_paper) for on_paper in (False, True)]
        last = payback.periods[-1]
        why = [each.sentence for each in explain(last.comparison, WITH)]
        busy = busier_and_less_busy(last.comparison, WITH)
        sections.append(Section(PERIODS, [told, *tables]))
        sections.append(
            Section(f"Why it differs ({last.name})", [Bullets([*why, *([busy] if busy else [])])])
        )
        if last.study is not None:
            told = Paragraph(
                f"All that follows is of the organization with the roadmap, {weeks_in_words(last)}."
            )
            sections.append(Section(f"The organization {PERIOD_IN_WORDS[last.name]}", [told]))
    return answer, sections, payback_caveats(payback)


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
