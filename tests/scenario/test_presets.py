"""Organizations, practices and maturity presets: they compose, and touch only what they may."""

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

import sim
from sim.scenario.documentation import HEADINGS, headings, values
from sim.scenario.files import SCENARIOS, groups
from sim.scenario.organization import Scenario
from sim.scenario.settings import OF_A_SWEEP


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (SCENARIOS / group).glob("*.yaml"))


PRACTICES = sorted(path.name for path in (SCENARIOS / "practice").iterdir())
LEVELS = {practice: options(f"practice/{practice}") for practice in PRACTICES}
ORGANIZATIONS = options("organization")
MATURITIES = options("maturity")
OPTIONS = [(practice, level) for practice in PRACTICES for level in LEVELS[practice]]
NAMES = [f"{practice}/{level}" for practice, level in OPTIONS]

MECHANISMS = {
    "changes",
    "data_validation",
    "dependencies",
    "incidents",
    "pipeline",
    "retraining",
    "standardization",
    "threats",
    "working_hours",
}
NOT_A_PRACTICES = {"replications", "seed", "horizon_weeks", "warmup_weeks", "n_jobs", "name"} | {
    "png",
    "animation",
    "description",
    "automation",
    "roadmap",
    "teams",
    "teams_differ",
    "shared_people",
    "working_hours_of",
    "interrupting",
    "services",
    "upkeep",
    "debt",
    "pooled_roles",
}
"""Settings of the experiment, the dial, and what belongs to the organization itself."""


def path_of(practice: str, level: str) -> Path:
    return SCENARIOS / "practice" / practice / f"{level}.yaml"


def keys_of(practice: str, level: str) -> dict[str, Any]:
    """Return what a level sets, by dotted key, but for the record of it."""
    found = values(path_of(practice, level).read_text(encoding="utf-8"))
    return {
        value.key: yaml.safe_load(value.text)
        for value in found
        if value.key not in ("", f"practices.{practice}")
    }


def at(scenario: Scenario, key: str) -> Any:
    value: Any = scenario
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def test_all_that_was_promised_is_there() -> None:
    assert PRACTICES == [
        "cicd",
        "collaboration",
        "compute",
        "monitoring",
        "platform",
        "retraining",
        "security",
        "storage",
        "testing",
    ]
    for levels in LEVELS.values():
        assert {"none", "basic", "full"} <= set(levels)
    assert {"startup", "midsize", "scaleup", "enterprise"} == set(ORGANIZATIONS)
    assert set(MATURITIES) == {f"google_{n}" for n in range(3)} | {
        f"microsoft_{n}" for n in range(5)
    }
    assert {"organization", "maturity", *(f"practice/{name}" for name in PRACTICES)} <= set(
        groups()
    )


@pytest.mark.parametrize(
    ("organization", "maturity"),
    list(zip(itertools.cycle(ORGANIZATIONS), MATURITIES, strict=False)),
)
def test_every_maturity_chooses_a_level_of_every_practice(organization: str, maturity: str) -> None:
    scenario = sim.load(f"organization={organization}", f"maturity={maturity}")
    path = SCENARIOS / "maturity" / f"{maturity}.yaml"
    defaults = yaml.safe_load(path.read_text(encoding="utf-8"))["defaults"]
    chosen = {key.rpartition("/")[2]: level for entry in defaults for key, level in entry.items()}
    assert set(chosen) == set(PRACTICES)
    assert scenario.practices == {
        practice: level for practice, level in chosen.items() if level != "none"
    }


@pytest.mark.parametrize("maturity", ["google_0", "microsoft_0"])
def test_at_level_0_everything_is_by_hand(maturity: str) -> None:
    scenario = sim.load("organization=startup", f"maturity={maturity}")
    assert scenario.automation == 0
    assert scenario.standardization == 0
    assert all(not step.also_automated for step in scenario.pipeline.steps.values())
    assert all(not step.automation for step in scenario.pipeline.steps.values())


def test_random_mixes_set_what_their_files_say_and_each_level_is_in_one() -> None:
    """No two practices set the same key (see below), so that each has its say in a mix."""
    chance = random.Random(20190822)
    decks = {practice: chance.sample(levels, len(levels)) for practice, levels in LEVELS.items()}
    dealt = set()
    for number in range(max(8, *map(len, decks.values()))):
        chosen = {practice: deck[number % len(deck)] for practice, deck in decks.items()}
        scenario = sim.load(
            f"organization={ORGANIZATIONS[number % len(ORGANIZATIONS)]}",
            *(f"practice/{practice}={level}" for practice, level in chosen.items()),
        )
        assert scenario.practices == {
            practice: level for practice, level in chosen.items() if level != "none"
        }
        for practice, level in chosen.items():
            for key, value in keys_of(practice, level).items():
                found = at(scenario, key)
                found = list(found) if isinstance(found, tuple) else found
                assert found == value or found.model_dump() == value, (practice, level, key)
        dealt |= set(chosen.items())
    assert dealt == set(OPTIONS)


def test_none_is_the_scenario_without_the_group() -> None:
    none = [f"practice/{practice}=none" for practice in PRACTICES]
    gone = [f"~practice/{practice}" for practice in PRACTICES]
    assert sim.load(none[0]) == sim.load(gone[0])
    assert sim.load(*none) == sim.load(*gone, "~maturity")


@pytest.mark.parametrize(("practice", "level"), OPTIONS, ids=NAMES)
def test_a_level_touches_mechanisms_and_its_own_price(practice: str, level: str) -> None:
    for key in keys_of(practice, level):
        parts = key.split(".")
        if parts[0] == "cost":
            own = key == f"cost.tools_per_person_week.{practice}"
            assert own or (practice == "compute" and parts[1] == "compute_per_h"), key
        elif parts[0] == "compute":
            assert practice == "compute", key
        else:
            assert parts[0] in MECHANISMS, key
        assert "role" not in parts, key  # who does it is the organization's
        assert "automation" not in parts, key  # the dial stays one, see also_automated


def test_every_key_of_a_scenario_is_a_mechanism_or_is_not() -> None:
    others = {"compute", "cost", "practices", "practice_reach"} | OF_A_SWEEP
    assert set(Scenario.model_fields) == MECHANISMS | NOT_A_PRACTICES | others


def test_no_two_practices_set_the_same_key() -> None:
    sets = {
        practice: {key for level in LEVELS[practice] for key in keys_of(practice, level)}
        for practice in PRACTICES
    }
    for one, other in itertools.combinations(PRACTICES, 2):
        assert not sets[one] & sets[other], (one, other)


@pytest.mark.parametrize("organization", ORGANIZATIONS)
def test_organizations_leave_to_practices_what_is_theirs(organization: str) -> None:
    text = (SCENARIOS / "organization" / f"{organization}.yaml").read_text(encoding="utf-8")
    own = {value.key for value in values(text)}
    of_practices = {
        key
        for practice, level in OPTIONS
        if practice != "compute"  # lays an autoscaler over what the organization has
        for key in keys_of(practice, level)
    }
    assert not own & of_practices


@pytest.mark.parametrize("practice", PRACTICES)
def test_levels_of_a_practice_set_all_that_basic_sets(practice: str) -> None:
    """Otherwise a step up would take something away that nobody thought of."""
    basic = set(keys_of(practice, "basic")) if practice != "retraining" else {"retraining.trigger"}
    for level in set(LEVELS[practice]) - {"none", "basic"}:
        assert basic <= set(keys_of(practice, level)), level


@pytest.mark.parametrize(("practice", "level"), OPTIONS, ids=NAMES)
def test_every_level_says_what_it_changes_and_why(practice: str, level: str) -> None:
    found = headings(path_of(practice, level))
    assert set(found) == {"", *HEADINGS}
    assert all(found.values())


@pytest.mark.parametrize(("practice", "level"), OPTIONS, ids=NAMES)
def test_every_level_but_none_records_itself_and_changes_something(
    practice: str, level: str
) -> None:
    data = yaml.safe_load(path_of(practice, level).read_text(encoding="utf-8"))
    if level == "none":
        assert data == {}
    else:
        assert data["practices"] == {practice: level}
        assert set(data) - {"practices", "cost"}


def test_the_command_line_counts_more_than_a_preset() -> None:
    preset = sim.load("maturity=google_1")
    assert preset.practices["testing"] == "validation"
    for overrides in (
        ["maturity=google_1", "practice/testing=none"],
        ["practice/testing=none", "maturity=google_1"],
    ):
        scenario = sim.load(*overrides)
        assert "testing" not in scenario.practices
        assert scenario.practices["cicd"] == "continuous_training"
        assert scenario.data_validation == sim.load("practice/testing=none").data_validation
    assert sim.load("automation=0.7", "maturity=google_0").automation == 0.7
    step = "pipeline.steps.train.also_automated"
    assert at(sim.load(f"{step}=0.33", "maturity=google_2"), step) == 0.33


def test_a_file_elsewhere_chooses_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "defaults:\n"
        "  - default\n"
        "  - override organization: startup\n"
        "  - override maturity: google_1\n"
        "  - override practice/testing: full\n"
        "  - _self_\n"
        "incidents: {rollback: {available: 0.123}}\n",
        encoding="utf-8",
    )
    scenario = sim.load(config=path)
    assert set(scenario.teams) == {"founders"}
    assert scenario.practices["testing"] == "full"
    assert scenario.practices["cicd"] == "continuous_training"
    assert scenario.incidents.rollback.available == 0.123
    assert "testing" not in sim.load("practice/testing=none", config=path).practices


def test_sizes_of_the_organizations() -> None:
    sizes = {}
    for organization in ORGANIZATIONS:
        scenario = sim.load(f"organization={organization}")
        teams = sum(team.count for team in scenario.teams.values())
        services = sum(
            service.count * scenario.teams[service.team].count
            for service in scenario.services.values()
        )
        sizes[organization] = (teams, services)
    assert sizes == {
        "startup": (1, 2),
        "midsize": (3, 6),
        "scaleup": (5, 12),
        "enterprise": (30, 100),
    }


@pytest.mark.slow
@pytest.mark.parametrize("organization", ORGANIZATIONS)
@pytest.mark.parametrize("maturity", ["google_1", "microsoft_2", None])
def test_organizations_part_way_are_stable_and_nobody_is_overloaded(
    organization: str, maturity: str | None
) -> None:
    chosen = [] if maturity is None else [f"maturity={maturity}"]
    scenario = sim.load(
        f"organization={organization}", *chosen, "horizon_weeks=80", "warmup_weeks=20"
    )
    metrics = sim.simulate(scenario, seed=5).metrics()
    assert not metrics["unstable"]
    author = "data_scientist"  # always busy: a full backlog
    for name, value in metrics.items():
        if name.startswith("utilization_") and author not in name and "gpu" not in name:
            assert value < 0.9, name


MISTAKES = {
    "practice/testing=ful": ["practice/testing", "'ful'", "did you mean 'full'?"],
    "practice/testing=": ["practice/testing", "''", "none, basic, validation, full"],
    "practice/testing=3": ["practice/testing", "3", "~practice/testing"],
    "practice/testing=null": ["practice/testing", "null", "~practice/testing"],
    "practice/tesing=full": ["practice/tesing", "full", "did you mean 'practice/testing'?"],
    "practice.testing=full": ["practice.testing", "full", "did you mean 'practice/testing'?"],
    "practices.testing=full": ["practices.testing", "only records", "practice/testing=full"],
    "practices={testing: full}": ["practices", "only records", "practice/NAME=LEVEL"],
    "practice=full": ["practice", "full", "practice/testing=..."],
    "~practice/tesing": ["practice/tesing", "is not in this scenario"],
    "~practice/testing=full": ["practice/testing", "another value", "~practice/testing"],
    "+practice/testing=full": ["practice/testing", "already", "leave out the +"],
    "organisation=startup": ["organisation", "startup", "did you mean 'organization'?"],
    "organization=start_up": ["organization", "'start_up'", "did you mean 'startup'?"],
    "maturity=google1": ["maturity", "'google1'", "did you mean 'google_1'?"],
    "maturity=null": ["maturity", "null", "~maturity"],
}


@pytest.mark.parametrize(("override", "parts"), MISTAKES.items(), ids=MISTAKES)
def test_a_wrong_choice_is_named_with_what_would_be_right(override: str, parts: list[str]) -> None:
    with pytest.raises(sim.ScenarioError) as caught:
        sim.load(override)
    text = str(caught.value)
    assert "\n" not in text
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    "override", ["practice/testing=full", "+practice/testing=full", "organization=startup"]
)
def test_a_scenario_without_groups_refuses_choices(override: str) -> None:
    with pytest.raises(sim.ScenarioError, match=r"this scenario does not choose .*`default`"):
        sim.load(override, config="verification/mm1")
