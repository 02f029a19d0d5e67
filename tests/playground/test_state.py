"""A page's state: from a link and back, and what it refuses."""

import re

import pytest

import sim
from sim.playground.state import from_query, maturities, organizations, practices


def test_a_page_without_a_link_shows_the_default_organization() -> None:
    first = from_query({}).scenario("a")
    assert first.model_dump() == sim.load().model_dump()


def test_the_scenario_is_that_of_the_command_line() -> None:
    state = from_query({"b.testing": "full", "b.standardization": "0.2", "seed": "9"})
    expected = sim.load("practice/testing=full", "standardization=0.2", "automation=0.8", "seed=9")
    assert state.scenario("b").model_dump() == expected.model_dump()


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
        ({"horizon_weeks": "9"}, "horizon_weeks: is not known to this page"),
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


@pytest.mark.parametrize("name", ["google_1", "microsoft_3"])
def test_a_maturity_preset_sets_the_levels_that_composing_it_gives(name: str) -> None:
    composed = sim.load(f"maturity={name}").practices
    assert {key: level for key, level in maturities()[name].items() if level != "none"} == composed
    assert set(maturities()[name]) == set(practices())
