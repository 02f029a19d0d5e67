"""What is different is read from two scenarios: all of it, and nothing that is the same."""

import pytest

import sim
from sim.playground.changes import changes
from sim.playground.choices import maturities, mechanism, practices
from sim.words import capitalized, readable

LEVELS = [(practice, level) for practice, known in practices().items() for level in known]


def test_the_same_organization_has_no_differences() -> None:
    assert changes(sim.load(), sim.load("seed=3", "replications=7")) == []


@pytest.mark.parametrize(("practice", "level"), LEVELS)
def test_a_level_explains_all_that_it_changes(practice: str, level: str) -> None:
    before = sim.load(f"practice/{practice}=none")
    found = changes(before, sim.load(f"practice/{practice}={level}"))
    if level == "none":
        assert found == []
        return
    name = f"{capitalized(readable(practice))} none → {readable(level)}: "
    of_level = [line for line in found if line.startswith(name)]
    assert len(of_level) == 1
    assert of_level[0].lower().endswith(mechanism(practice, level).lower())
    # Beside its mechanism, only values that have a control of their own.
    for line in found:
        assert line.startswith((name, "Standardization ", "Prices: ")), line


@pytest.mark.parametrize("maturity", maturities()[1:])
def test_a_maturity_preset_is_levels_and_dials(maturity: str) -> None:
    before, after = sim.load(), sim.load(f"maturity={maturity}")
    found = changes(before, after)
    for practice in practices():
        old, new = (each.practices.get(practice, "none") for each in (before, after))
        name = f"{capitalized(readable(practice))} {readable(old)} → {readable(new)}: "
        assert sum(line.startswith(name) for line in found) == (old != new)
    assert any(line.startswith("Automation ") for line in found) == (after.automation != 0.1)
    known = {capitalized(readable(practice)) for practice in practices()}
    known |= {"Automation", "Standardization", "Prices:"}
    assert all(line.split()[0] in known for line in found), found


def test_values_and_people_are_told_in_words() -> None:
    found = changes(
        sim.load(),
        sim.load(
            "teams.product.people.ml_engineer=4",
            "incidents.on_call=[ml_engineer]",
            "cost.feature_worth=100",
            "pipeline.steps.train.run_h.mean=3",
        ),
    )
    assert [line.split(":")[0] for line in found] == [
        "People and services",
        "On call",
        "Prices",
        "Train, run h",
    ]
    assert "ML engineer, product 2 → 4" in found[0]
    assert "ML engineer joins and operations leaves" in found[1]
    assert "worth of a feature 20,000 → 100" in found[2]
    assert found[3] == "Train, run h: mean 8, cv 1 → mean 3, cv 1."


def test_a_value_over_a_level_is_not_the_levels() -> None:
    found = changes(sim.load(), sim.load("practice/compute=full", "pipeline.steps.train.fails=0.5"))
    assert "Train, fails: 0.15 → 0.5." in found


def test_another_organization_is_told_by_its_size() -> None:
    found = changes(sim.load(), sim.load("organization=startup"))
    assert found[0] == (
        "Another organization, with 1 team, 5 people and 2 services instead of 3 teams, 21 people "
        "and 6 services."
    )
    assert len(found) == 4  # on call, machines, and the board
    assert found[-1] == "Approve, window, waits, manual: 1 → 0."
