"""What a verdict says about the model: the mechanism behind it, as far as the tables show it.

Each text goes with the verdicts that it explains, so that none is left standing beside a verdict
that has changed. Numbers stand in the tables of the page, not here.
"""

from typing import NamedTuple

from .rows import Row


class _Meaning(NamedTuple):
    keys: tuple[str, ...]
    verdicts: tuple[str, ...]
    text: str


_AGREES, _NOT = ("agrees",), ("disagrees", "undecided")

_MEANINGS = (
    _Meaning(
        tuple(f"band {n} deployment_frequency" for n in ("google_2", "microsoft_3", "microsoft_4")),
        _NOT,
        "The highest levels deploy too seldom. How often a service is deployed is set by how many "
        "ideas its data scientists have time for (nearly all of their time is exploration), and "
        "that is about the same at every level; a new model is one deployment however cheap "
        "deploying has become. What is missing is that people who can deploy at no cost work in "
        "smaller batches.",
    ),
    _Meaning(
        ("band google_0 deployment_frequency", "band microsoft_0 deployment_frequency"),
        _AGREES,
        "Level 0 is in the place expected of deployments of any kind, but see below for models.",
    ),
    _Meaning(
        tuple(
            f"band {level} change_failure_rate"
            for level in ("google_1", "google_2", "microsoft_1", "microsoft_2")
        ),
        _NOT,
        "The change failure rate falls steadily with the level, while the clusters of 2019 jump: "
        "the middle levels are in the hole between 15 and 46 %, where that survey has no cluster "
        "(those of 2021 and 2022 have one from 16 to 30 %). What fails is mostly code and "
        "infrastructure; at Google's level 1 the pipeline is still tested and deployed by hand.",
    ),
    _Meaning(
        ("band google_0 time_to_restore_h", "band microsoft_0 time_to_restore_h"),
        _NOT,
        "Restoring at level 0 takes about a day in the median, at the edge of medium and far "
        "from the weeks of the low cluster: the fix takes days, but infrastructure that is "
        "repaired in place makes up many of the incidents.",
    ),
    _Meaning(("band",), _AGREES, "All other cells are in the place expected."),
    _Meaning(
        ("order Google deployment_frequency", "order Microsoft deployment_frequency"),
        _NOT,
        "Deployment frequency does not rise with the level. Fixes, and changes that were rolled "
        "back and are made again, are deployments too, which higher levels save; writing tests "
        "takes authors' time; and retraining on drift deploys less than retraining by the calendar "
        "(Microsoft's levels 2 and 3). What would outweigh all this, smaller batches, is missing. "
        "A model that is retrained when needed is deployed less often and no worse for it, which a "
        "metric of software delivery cannot see.",
    ),
    _Meaning(
        ("order Microsoft lead_time_h", "order Microsoft change_failure_rate"),
        _NOT,
        "From Microsoft's level 3 to 4 lead time and change failure rate get worse by a change of "
        "mix: level 3 retrains by the calendar, and its many retrainings are quick and seldom "
        "fail; level 4 retrains on drift, so that new models, which are slower and riskier, weigh "
        "more. New models alone are about as quick and as safe at both (last table).",
    ),
    _Meaning(
        ("order",),
        _AGREES,
        "Lead time (Google), change failure rate (Google) and both restore times improve with "
        "the level, as the clusters do; no step is for the worse.",
    ),
    _Meaning(
        ("correlation lead_time_h",),
        _AGREES,
        "Speed and stability go together: organizations with short lead times fail less and "
        "restore sooner, because the same automation removes waiting, slips and manual "
        "remedies.",
    ),
    _Meaning(
        ("correlation deployment_frequency",),
        _AGREES,
        "Deployment frequency has the right sign too, but hardly more than that; see above.",
    ),
    _Meaning(
        ("level 0",),
        _NOT,
        'Level 0 brings several times as many new models as "a couple of times per year". Delivery '
        "is not what limits them: hours of exploration a service and year, over the mean effort of "
        "an exploration, times the share that is not scrapped, gives nearly that number. So three "
        "data scientists for two or three services who always have a next idea of one and a half "
        "weeks (all guesses: `teams.*.people`, `arrivals: closed`, `exploration_h`) make for a "
        "model a month at any level; there is no mechanism by which costly delivery makes people "
        "bundle or postpone.",
    ),
    _Meaning(
        ("time_to_deploy_h distance",),
        _NOT,
        "Simulated organizations are too much alike: nearly all teams take 8 to 30 days. The "
        "order of magnitude is right and the spread far too small. Single models spread more "
        "than teams. The population has three sources of difference (size, level, luck); firms "
        "differ in much else: regulated industries, first models without a pipeline, teams "
        "without anybody for operations. Levels count as software delivery did in 2019; more at "
        "level 0 would come closer, but such weights would be fitted.",
    ),
    _Meaning(
        ("outages",),
        _AGREES,
        "Changes cause about as many of all incidents as published, out of rates of outages and "
        "defects that are guesses.",
    ),
    _Meaning(
        ("outages",),
        _NOT,
        "Changes cause somewhat fewer of the large firm's incidents than published: its "
        "practices take away failed changes and not outages, whose rate is the same everywhere "
        "(`time_to_outage_h`, a guess). In the population it is close to the published share.",
    ),
    _Meaning(
        ("time deploying",),
        _NOT,
        "Data scientists spend too little time on what follows the commit: only at the lowest "
        "level do most teams reach a quarter. Other roles do the rest in all organizations, and "
        "level 1 already hands over; in the survey they often do it all themselves.",
    ),
    _Meaning(
        ("time all of a team deployment",),
        _AGREES,
        "Of the time of a whole team, deployment takes about what the survey says of people who "
        "call themselves data scientists. Preparation and training cannot be judged: most of "
        "both is inside explorations, which the model does not divide.",
    ),
    _Meaning(
        ("restore_p50", "restore_p90"),
        _AGREES,
        "Median and upper tail of the large firm are in place; the repair effort was taken from "
        "the same report, detection, paging and diagnosis were not.",
    ),
    _Meaning(
        ("restore_p10",),
        _NOT,
        "Restore times spread too little (standard deviation of logs). Each is a sum of alert, "
        "page, diagnosis and repair with draws of their own, which evens out; in reality an "
        "incident that is hard to detect is also hard to repair, and some end by themselves "
        "within minutes.",
    ),
    _Meaning(
        ("rollback",),
        _NOT,
        "Rollbacks end too many of the large firm's incidents. With full storage practice "
        "nearly every failed deployment can be rolled back (`rollback.available`, a guess), and "
        "is, since nothing speaks against it: no change of data or of a client depends on what "
        "was deployed. In Microsoft Teams other quick remedies (a change of infrastructure or "
        "configuration, failover of traffic) are about as frequent.",
    ),
    _Meaning(("cause code",), _AGREES, "The share of code bugs is in place."),
    _Meaning(
        ("cause infrastructure", "cause deployment", "cause dependency"),
        _NOT,
        "In the large firm too many incidents are outages of infrastructure, and so too few "
        "anything else: practices prevent slips at deployment and broken interfaces, while outages "
        "come at the same rate as without any practice. The published incidents are of high "
        "severity only; outages that end by failover within minutes would not be among them. The "
        "population, with fewer practices, is closer in all but dependencies, which break only "
        "where somebody uses the output.",
    ),
    _Meaning(
        ("not ML",),
        _AGREES,
        "Most incidents of ML services are ordinary ones, as published, and rather more so.",
    ),
    _Meaning(
        ("lead_time_h distance",),
        _NOT,
        "No team has a usual lead time under a day, which a quarter of DORA's respondents "
        "report, and hardly one over a month. A change of an ML service contains a training, a "
        "review by people, and mostly a board; DORA asks about software of all kinds. No "
        "weights of the population would help.",
    ),
    _Meaning(
        ("recovery_h distance",),
        _NOT,
        "No team usually recovers from failed deployments within the hour, as a fifth of DORA's "
        "respondents do: even with full monitoring an incident takes a page, a diagnosis by "
        "people and a rollback; and there is no tail of months, since fixes are expedited.",
    ),
    _Meaning(
        ("interval_h distance",),
        _NOT,
        "Teams deploy too much alike, weekly to monthly, and none daily or quarterly: the same "
        "missing mechanism as with level 0 and the highest levels, the size of batches.",
    ),
    _Meaning(
        ("prototype to production",),
        _NOT,
        "From idea to production takes weeks and not months. A feature of the model is one more "
        "version of a service that runs already; the survey's prototypes include first models, "
        "with everything that has to be built and agreed on around them, which is not modelled.",
    ),
    _Meaning(
        ("review",),
        _NOT,
        "Reviews are somewhat quicker than published: reviewers are seldom busy, take the next "
        "review at once, and do not save them up.",
    ),
    _Meaning(
        ("data fixed",),
        _NOT,
        "Data incidents take too long to fix. Data engineers are not on call and repair in working "
        "hours, so that a day of diagnosis and repair becomes two or three with a night or a "
        "weekend; models that were trained on bad data need a retraining through the whole "
        "pipeline besides. Whether the survey counts hours of work or of the clock is not known.",
    ),
)


def meaning(row: Row) -> str:
    """Return what the verdict of ``row`` says about the model; empty if it says nothing more."""
    for keys, verdicts, text in _MEANINGS:
        if row.verdict in verdicts and row.key.startswith(keys):
            return text
    return ""
