"""What an override sweeps over, in every form of the grammar, is what Hydra's own sweeper has."""

import random

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from sim.configuration.composition import shipped
from sim.configuration.overrides import parse
from sim.configuration.sweeper import _Line, _values
from sim.experiment.axes import Interval
from sim.scenario.errors import ScenarioError
from sim.scenario.variants import word


def values(text: str) -> list[object]:
    found = _values(_Line.of(f"key={text}"), shipped("default"))
    assert isinstance(found, tuple)
    return list(found)


def by_hydra(text: str) -> list[object]:
    """Return the values of the jobs that Hydra's sweeper would start."""
    parsed = OverridesParser.create().parse_overrides([f"key={text}"])
    ((*jobs,),) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    return [parse(job).value() for (job,) in jobs]


FORMS = [
    "1,2.5,-3,1e3,1_000", "a,b,c-d,e.f,g/h", "true,FALSE,null", "'a, b',\"c'd\",'e\"f'",
    "choice(1,2)", "choice(1)", "choice([1,2],{a:3})", "choice('x y',z)",
    "range(5)", "range(1,5)", "range(1,9,3)", "range(9,1,-3)", "range(start=2,stop=8,step=2)",
    "range(0,1,0.25)", "range(1,0,-0.25)", "range(0.5,2)", "range(-2,2)", "range(3,3)",
    "int(1.5,2.5)", "float(1,2)", "bool(0,1)", "str(a,b)",
    "int(choice(1.5,2.5))", "float(choice(1,2))", "int(range(0.0,3.0,1.0))", "float(range(0,3))",
    "int('3','4')", "float(int(1.9),2)", "bool('true','false')", "int([1.5,2.5],{a:1.5})",
    "sort(3,1,2)", "sort(3,1,2,reverse=true)", "sort(choice(b,a,c))", "sort(range(1,9,3))",
    "sort(sort(3,1,2),reverse=true)", "sort(float(choice(3,1)))", "float(sort(3,1,2))",
    "tag(some,choice(1,2))", "tag(some,more,range(0,3))", "tag(some,sort(2,1))",
    "{a:1,b:2},{b:2,a:1}", "{a:{b:[1,{c:null}]}},{}", "[],[1],[[1,2],[3]]", "{a:'x, y'},{a:\"z\"}",
    "${a},b", "'${a}',${b.c}", "${oc.env:HOME,x},y", "{a:${b}},[${c}]",
    r"a\,b,c\=d,e\ f,\(g\)", r"\[a\],\{b\}", r"a\\b,c", "a b,c", "???,x", "'',a",
    "a:b,c:d", "http://x.y/z,%25", "inf,-inf", "1.0,1", "'1',1",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_values_are_those_of_hydras_sweeper(text: str) -> None:
    assert repr(values(text)) == repr(by_hydra(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sort(range(10,0,-4))", [2, 6, 10]),  # Hydra 1.3 makes 4, 8 and 12 of it
        ("sort(range(1,10,4),reverse=true)", [9, 5, 1]),  # and 6, 2 and -2
        ("sort(range(10,0,-4),reverse=true)", [10, 6, 2]),
        ("sort(range(1,-0.1,-0.5))", [0.0, 0.5, 1.0]),
        ("sort(range(0,1,0.4),reverse=true)", [0.8, 0.4, 0.0]),
        ("float(sort(range(10,0,-4)))", [2.0, 6.0, 10.0]),
        ("tag(some,sort(range(10,0,-4)))", [2, 6, 10]),
        ("range(0.1,0.5,0.1)", [0.1, 0.2, 0.3, 0.4]),  # and 0.30000000000000004
        ("range(0.3,-0.1,-0.1)", [0.3, 0.2, 0.1, 0.0]),  # and 2.8e-17
        ("range(0,0.9,0.3)", [0.0, 0.3, 0.6]),  # and 0.9, though the end is none of the values
        ("choice(str(1),str(2.5))", ["1", "2.5"]),  # as in a run; Hydra's sweeper drops the cast
        ("shuffle(c,a,b)", ["c", "a", "b"]),  # the order of points is the same every time
        ("shuffle(range(0,3))", [0, 1, 2]),
    ],
)
def test_values_where_hydras_sweeper_has_others(text: str, expected: list[object]) -> None:
    assert repr(values(text)) == repr(expected)


def test_sorted_ranges_have_the_values_of_the_range() -> None:
    rng = random.Random(5)
    for _ in range(300):
        digits = rng.choice((0, 1, 2))
        start, stop, step = (round(rng.uniform(-9, 9), digits) for _ in range(3))
        if digits == 0:
            start, stop, step = int(start), int(stop), int(step)
        if step == 0:
            continue
        plain = values(f"range({start},{stop},{step})")
        for reverse in (False, True):
            text = f"sort(range({start},{stop},{step}),reverse={reverse})"
            expected = sorted(plain, reverse=reverse)  # type: ignore[type-var]
            assert repr(values(text)) == repr(expected), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interval(0,1)", Interval(0.0, 1.0)),
        ("int(interval(1,4))", Interval(1, 4, whole=True)),
        ("float(interval(1,4))", Interval(1.0, 4.0)),
        ("tag(some,interval(0,1))", Interval(0.0, 1.0)),
    ],
)
def test_intervals(text: str, expected: Interval) -> None:
    assert repr(_values(_Line.of(f"key={text}"), shipped("default"))) == repr(expected)


def test_globs() -> None:
    line = _Line.of("practice/testing=glob([*a*,full],exclude=v*)")
    assert _values(line, shipped("default")) == ("basic", "full")


@pytest.mark.parametrize(
    "text", ["range(0,1,0)", "range(0,1,0.0)", "int(range(0,1,0.5))", "sort(range(1,0,0))"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ScenarioError, match="key: is no range; "):
        values(text)


@pytest.mark.parametrize("text", FORMS)
def test_each_element_can_be_written_down_again(text: str) -> None:
    for value in values(text):
        assert repr(parse(f"key={word(value)}").value()) == repr(value)
