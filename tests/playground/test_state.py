"""A page's state: from a link and back, what it refuses, and that it is the command line's."""

import re

import pytest

import sim
from sim.playground.choices import maturities, organizations, practices, sets
from sim.playground.controls import controls
from sim.playground.state import from_query, levels_of

LEVELS = [(practice, level) for practice, known in practices().items() for level in known]


def test_a_page_without_a_link_shows_the_default_organization() -> None:
    first = from_query({}).scenario("a")
    assert first.model_dump() == sim.load().model_dump()
    assert from_query({}).scenario("b") == sim.load("automation=0.8")


def test_the_scenario_is_that_of_the_command_line() -> None:
    state = from_query({"b.testing": "full", "b.standardization": "0.2", "seed": "9"})
    expected = sim.load("practice/testing=full", "standardization=0.2", "seed=9")
    assert state.scenario("b").model_dump() == expected.model_dump()


@pytest.mark.parametrize("organization", organizations())
@pytest.mark.parametrize("maturity", maturities())
def test_presets_are_those_of_the_command_line(organization: str, maturity: str) -> None:
    state = from_query({"b.organization": organization, "b.maturity": maturity})
    chosen = [] if maturity == "none" else [f"maturity={maturity}"]
    expected = sim.load(f"organization={organization}", *chosen)
    assert state.scenario("b") == expected
    # The controls show what is in it: all of it, dials as well as levels.
    shown = controls(state.arms["b"].base())
    assert float(shown["automation"].text) == expected.automation
    assert float(shown["standardization"].text) == expected.standardization
    assert levels_of(state.arms["b"].base()) == {
        practice: expected.practices.get(practice, "none") for practice in practices()
    }


@pytest.mark.parametrize(("practice", "level"), LEVELS)
def test_a_level_is_that_of_the_command_line(practice: str, level: str) -> None:
    state = from_query({f"b.{practice}": level})
    assert state.scenario("b") == sim.load(f"practice/{practice}={level}")
    mixed = from_query({"b.maturity": "google_1", f"b.{practice}": level})
    assert mixed.scenario("b") == sim.load("maturity=google_1", f"practice/{practice}={level}")


def test_a_preset_moves_exactly_what_it_sets() -> None:
    assert "automation" in sets("maturity", "google_0")
    assert "automation" not in sets("maturity", "google_1")
    assert {f"practice/{practice}" for practice in practices()} <= sets("maturity", "google_1")
    assert "standardization" in sets("practice/platform", "full")
    assert "standardization" in sets("maturity", "google_2")  # through that level
    assert "standardization" not in sets("practice/testing", "full")


def test_what_a_link_says_as_the_presets_do_is_left_out() -> None:
    said = {"b.maturity": "google_2", "b.testing": "full", "b.automation": "0.10", "b.cicd": "none"}
    arm = from_query(said).arms["b"]
    assert arm.levels == {"cicd": "none"}
    assert arm.values == {}


@pytest.mark.parametrize(
    ("query", "override"),
    [
        ({"b.teams.product.people.ml_engineer": "4"}, "teams.product.people.ml_engineer=4"),
        ({"b.shared_people.operations": "5"}, "shared_people.operations=5"),
        ({"b.services.model.count": "3"}, "services.model.count=3"),
        ({"b.cost.downtime_per_h": "12.5"}, "cost.downtime_per_h=12.5"),
        ({"b.cost.compute_per_h.gpu": "9"}, "cost.compute_per_h.gpu=9"),
        ({"b.on_call.ml_engineer": "yes"}, "incidents.on_call=[operations,ml_engineer]"),
        ({"b.on_call.operations": "no"}, "incidents.on_call=[]"),
    ],
)
def test_values_are_those_of_the_command_line(query: dict[str, str], override: str) -> None:
    assert from_query(query).scenario("b") == sim.load(override)


def test_four_arms_and_a_roadmap() -> None:
    state = from_query(
        {
            "arms": "4",
            "d.testing": "full",
            "explain": "c",
            "roadmap.arm": "d",
            "roadmap.brings": "platform=full",
            "roadmap.week": "40",
            "roadmap.role": "operations",
            "roadmap.effort_h": "80",
        }
    )
    assert list(state.arms) == ["a", "b", "c", "d"]
    assert state.explained == "c"
    item = (
        "{practice:platform,level:full,start_week:40,effort_h:{operations:80},"
        "learning_weeks:12,learning_slowdown:0.3}"
    )
    expected = sim.load("practice/testing=full", f"roadmap=[{item}]")
    assert state.scenario_with_roadmap() == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"a.automation": "1.5"}, "a.automation: '1.5' is not a number from 0 to 1"),
        ({"a.automation": "nan"}, "a.automation: 'nan' is not a number from 0 to 1"),
        ({"a.automation": "inf"}, "a.automation: 'inf' is not a number from 0 to 1"),
        ({"a.automation": ""}, "a.automation: '' is not a number from 0 to 1"),
        ({"replications": "100000"}, "replications: '100000' is not a whole number from 2 to 60"),
        ({"replications": "2.5"}, "replications: '2.5' is not a whole number from 2 to 60"),
        ({"seed": "-1"}, "seed: '-1' is not a whole number from 0"),
        ({"seed": "9" * 5000}, "seed: '99999"),
        ({"seed": "٣"}, "is not a whole number from 0 to 4,294,967,295"),
        ({"replications": "1_0"}, "replications: '1_0' is not a whole number"),
        ({"a.organization": "midsise"}, "did you mean 'midsize'"),
        ({"a.organization": "../default"}, "a.organization: '../default' is not one of them"),
        ({"a.organization": "own-123"}, "the uploaded file is not kept here any more"),
        ({"a.maturity": "google_9"}, "a.maturity: 'google_9' is not one of them"),
        ({"horizon_weeks": "9"}, "horizon_weeks: is not known to this page"),
        ({"b.horizon_weeks": "9"}, "b.horizon_weeks: is not known to this page"),
        ({"arms": "5"}, "arms: '5' is not one of them"),
        ({"c.testing": "full"}, "c.testing: is not known to this page"),
        ({"b.teams.product.people.ml_engineer": "61"}, "is not a whole number from 0 to 60"),
        ({"b.teams.product.people.wizard": "1"}, "is not known to this page"),
        ({"b.teams.product.count": "41"}, "is not a whole number from 1 to 40"),
        ({"b.on_call.security": "perhaps"}, "'perhaps' is not one of them"),
        ({"b.cost.feature_worth": "1e300"}, "is not a number from 0 to 100,000,000"),
        ({"roadmap.brings": "cicd=fully"}, "roadmap.brings: 'cicd=fully' is not one of them"),
        ({"roadmap.role": "wizard"}, "roadmap.role: 'wizard' is not one of them"),
        ({"roadmap.week": "105"}, "roadmap.week: '105' is not a whole number from 0 to 104"),
        ({"roadmap.arm": "c"}, "roadmap.arm: 'c' is not one of them"),
    ],
)
def test_what_is_out_of_range_is_refused(query: dict[str, str], said: str) -> None:
    with pytest.raises(sim.ScenarioError, match=re.escape(said)):
        from_query(query)


def test_organizations_are_offered_by_size() -> None:
    sizes = [
        len(
            sim.simulate(
                sim.load(f"organization={name}", "horizon_weeks=2", "warmup_weeks=1")
            ).tables["services"]
        )
        for name in organizations()
    ]
    assert len(sizes) >= 4
    assert sizes == sorted(sizes)
