"""Variants: values set in a copy of a scenario are what they would be if it were composed anew."""

import copy
import itertools

import numpy as np
import pytest
from hydra.core.override_parser.types import Quote, QuotedString, Transformer
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.configuration.overrides import parse
from sim.scenario.errors import ScenarioError
from sim.scenario.organization import Scenario
from sim.scenario.variants import Composed, Variants, shown, with_value, word

DEFAULT = sim.load().model_dump(mode="json", by_alias=True)


def test_the_data_stay_as_they_are_and_only_the_way_to_the_value_is_copied() -> None:
    data = {"a": {"b": {"c": 1}, "d": {"e": 2}}, "f": {}}
    before = copy.deepcopy(data)
    changed = with_value(data, "a.b.c", 5)
    assert data == before
    assert changed == {"a": {"b": {"c": 5}, "d": {"e": 2}}, "f": {}}
    assert changed["a"]["d"] is data["a"]["d"]
    assert changed["f"] is data["f"]
    assert with_value(data, "g.h", None) == {**before, "g": {"h": None}}
    assert with_value({"a": None}, "a.b", 1) == {"a": {"b": 1}}  # a part that is left out
    with pytest.raises(ScenarioError, match=r"a\.b\.c\.d: leads through a.b.c, which is 1"):
        with_value(data, "a.b.c.d", 5)


def every_number(data: object, at: str = "") -> list[tuple[str, float]]:
    """Return the dotted keys of all numbers in a scenario."""
    if isinstance(data, dict):
        inner = (every_number(value, f"{at}.{key}" if at else key) for key, value in data.items())
        return list(itertools.chain.from_iterable(inner))
    return [(at, data)] if isinstance(data, int | float) and not isinstance(data, bool) else []


SETTINGS = ("replications", "seed", "n_jobs", "samples")
NUMBERS = [
    (key, value)
    for key, value in every_number(DEFAULT)
    if not key.startswith(("roadmap", "precision", "select")) and key not in SETTINGS
]


@pytest.mark.slow
def test_any_number_of_the_default_organization_can_be_swept() -> None:
    assert len(NUMBERS) > 200
    rng = np.random.default_rng(8)
    compared = 0
    for place in rng.choice(len(NUMBERS), 12, replace=False):
        key, value = NUMBERS[place]
        other = value / 2 if isinstance(value, float) else value
        variants = Variants([key], [(value,), (other,)], lambda _: Composed(DEFAULT))
        try:
            alone = sim.load(f"{key}={other!r}")
        except ScenarioError:  # the files leave its distribution out, which is there by default
            continue
        assert variants.scenario(1) == alone
        compared += 1
    assert compared >= 8


def test_several_values_at_once() -> None:
    keys = ("automation", "pipeline.steps.train.run_h.mean", "pipeline.steps.train.fails")
    points = list(itertools.product((0.2, 0.9), (1, 30), (0.5,)))
    variants = Variants(keys, points, lambda _: Composed(DEFAULT))
    for point, values in enumerate(points):
        overrides = [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
        assert variants.scenario(point) == sim.load(*overrides)
        assert variants.label(point) == " ".join(
            f"{key}={value:g}" for key, value in zip(keys, values, strict=True)
        )
    assert len(variants) == 4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("automation", 2),
        ("automation", "much"),
        ("atomation", 0.5),
        ("pipeline.steps.train.run_hours", 5),
        ("pipeline.steps.tran.run_h", 5),
        ("pipeline.steps.train.run_h.low", 5),
        ("teams.product.people.ml_enginer", 1),
        ("services.web.team", "nobody"),
        ("warmup_weeks", 500),
        ("retraining.trigger", "never"),
    ],
)
def test_what_is_refused_is_refused_in_the_words_of_load(key: str, value: object) -> None:
    with pytest.raises(ScenarioError) as there:
        sim.load(f"{key}={value}")
    with pytest.raises(ScenarioError) as here:
        Variants([key], [(value,)], lambda _: Composed(DEFAULT)).scenario(0)
    assert [problem.key for problem in here.value.problems] == [
        problem.key for problem in there.value.problems
    ]
    said, expected = (error.value.problems[0].what.partition(" (")[0] for error in (here, there))
    assert said == expected


def test_what_has_to_be_composed_is_composed_once() -> None:
    composed = []

    def compose(values: tuple[object, ...]) -> Composed:
        composed.append(values)
        pairs = zip(keys, values, strict=True)
        scenario = sim.load(*(f"{key}={value}" for key, value in pairs))
        return Composed(scenario.model_dump(mode="json", by_alias=True))

    keys = ("automation", "practice/testing", "standardization")
    points = list(itertools.product((0.1, 0.5), ("none", "full"), (0.5,)))
    variants = Variants(keys, points, compose, ["practice/testing"])
    for point, (automation, testing, standardization) in enumerate(points):
        assert variants.scenario(point) == sim.load(
            f"automation={automation}",
            f"practice/testing={testing}",
            f"standardization={standardization}",
        )
        assert variants.base(point) == (0.1, testing, 0.5)
        assert variants.set_values(point) == {
            "automation": automation,
            "standardization": standardization,
        }
    assert composed == [(0.1, "none", 0.5), (0.1, "full", 0.5)]


def test_values_are_shown_as_they_are_written() -> None:
    for value, text in (
        (True, "true"), (False, "false"), (None, "null"), (3, "3"), (0.3, "0.3"), (1.0, "1"),
        (1e-9, "1e-09"), ("word", "word"),
    ):  # fmt: skip
        assert shown(value) == text


@pytest.mark.parametrize("value", [0.1234567891, 123456789.5, 1 / 3])
def test_a_label_makes_the_same_scenario(value: float) -> None:
    variants = Variants(
        ["pipeline.steps.train.run_h.mean"], [(value,)], lambda _: Composed(DEFAULT)
    )
    assert isinstance(variants.scenario(0), Scenario)
    assert sim.load(variants.label(0)) == variants.scenario(0)


def test_where_values_cannot_be_set_every_point_is_composed() -> None:
    composed = []

    def compose(values: tuple[object, ...]) -> Composed:
        composed.append(values)
        data = sim.load(f"practice/testing={values[1]}", f"automation={values[0]}")
        return Composed(data.model_dump(mode="json", by_alias=True), values[1] == "none")

    points = list(itertools.product((0.1, 0.5, 0.9), ("none", "full")))
    variants = Variants(("automation", "practice/testing"), points, compose, ["practice/testing"])
    for point, (automation, testing) in enumerate(points):
        expected = sim.load(f"automation={automation}", f"practice/testing={testing}")
        assert variants.scenario(point) == expected
        assert variants.set_values(point) == (
            {"automation": automation} if testing == "none" else {}
        )
    assert sorted(composed) == [(0.1, "full"), (0.1, "none"), (0.5, "full"), (0.9, "full")]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(ANY)
def test_a_word_is_read_back_as_the_same_value(value: object) -> None:
    """By Hydra's own parser: `1` is no `1.0`, `true` no word, and text stays text."""
    read = parse(f"key={word(value)}").value()
    assert repr(read) == repr(value)


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab1'\"\\ ${}[](),:=\n\tä"), max_size=12))
def test_texts_and_keys_are_quoted_and_escaped_as_hydra_does_it(text: str) -> None:
    assert word(f"={text}") == QuotedString(f"={text}", Quote.single).with_quotes()
    assert word({text: 1}) == f"{{{Transformer.str(text)}:1}}"
