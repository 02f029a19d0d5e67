"""Names and lists as people write them."""

import pytest

from sim.words import capitalized, is_or_are, listed, readable


def test_names_become_readable() -> None:
    assert readable("ml_engineer") == "ML engineer"
    assert readable("unit_test") == "unit test"


def test_lists_end_with_and() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_a_sentence_begins_with_a_capital_and_abbreviations_stay() -> None:
    assert capitalized("lead time") == "Lead time"
    assert capitalized("ML lead time") == "ML lead time"


@pytest.mark.parametrize(
    "label",
    ["open incidents", "Deployments", "failures by the data", "fixes deployed", "batches of data"],
)
def test_several_are(label: str) -> None:
    assert is_or_are(label) == "are"


@pytest.mark.parametrize(
    "label",
    [
        "time to restore",
        "lead time of fixes",
        "people's time for toil",
        "work in progress",
        "staleness of live models",
        "mean time to restore, services",
        "waiting in handoffs",
    ],
)
def test_one_is(label: str) -> None:
    assert is_or_are(label) == "is"
