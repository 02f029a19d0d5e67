"""Names and lists as people write them."""

from sim.words import capitalized, listed, readable


def test_names_become_readable() -> None:
    assert readable("ml_engineer") == "ML engineer"
    assert readable("unit_test") == "unit test"


def test_lists_end_with_and() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_a_sentence_begins_with_a_capital_and_abbreviations_stay() -> None:
    assert capitalized("lead time") == "Lead time"
    assert capitalized("ML lead time") == "ML lead time"
