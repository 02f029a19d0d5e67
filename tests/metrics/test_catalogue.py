"""The catalogue of metrics agrees with itself, and nobody keeps a list beside it."""

import ast
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim
from sim.metrics.catalogue import (
    TOPICS,
    companions,
    computations,
    divided,
    headlines,
    members,
    metric,
    metrics,
    names,
    parts_of,
)

EVERY = [each for each in metrics() if not each.is_family]


def test_names_are_unique_and_topics_in_order() -> None:
    found = names(["gpu"])
    assert len(found) == len(set(found))
    topics = list(dict.fromkeys(computation.metrics[0].topic for computation in computations()))
    assert topics == [topic for topic in TOPICS if topic in topics]
    for computation in computations():
        assert len({each.topic for each in computation.metrics}) == 1


def test_the_four_metrics_of_dora_are_the_headlines() -> None:
    assert headlines() == [
        "deployment_frequency",
        "lead_time_h",
        "change_failure_rate",
        "time_to_restore_h",
    ]
    assert [whole.name for whole in divided()] == [
        "deployment_frequency",
        "lead_time_mean_h",
        "change_failure_rate",
        "time_to_restore_mean_h",
    ]
    assert not set(headlines()) & set(companions())


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_what_a_metric_refers_to_is_there(each: sim.metrics.catalogue.Metric) -> None:
    assert metric(each.name) is each
    assert each.label
    assert each.meaning
    assert each.lowest < each.highest
    if each.rests_on is not None:
        assert metric(each.rests_on).noun
    for part in parts_of(each.name):
        # Parts add up, so that they are of the same kind as the whole.
        assert (part.dimension, part.unit) == (each.dimension, each.unit)
    if each.dimension == "money":
        assert each.unit
        assert each.priced_in("EUR").currency == "EUR"
    else:
        assert each.priced_in("EUR") is each
    if each.is_certainly_positive:
        assert each.lowest == 0.0


def test_a_share_ends_at_one_unless_people_on_call_push_it_beyond() -> None:
    ends = {each.name: each.highest for each in metrics() if each.dimension == "share"}
    assert ends.pop("utilization_") == math.inf
    assert set(ends.values()) == {1.0}


def test_members_of_a_family_are_found_by_their_names() -> None:
    gpu = metric("utilization_gpu")
    assert (gpu.label, gpu.name_as_part) == ("utilization of GPU", "GPU")
    known = ["lead_time_h", "utilization_ml_engineer", "utilization_gpu"]
    assert [each.name_as_part for each in members("utilization_", known)] == ["ML engineer", "GPU"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("led_time_h", "unknown metric 'led_time_h'; did you mean 'lead_time_h'"),
        ("utilization_", "unknown metric 'utilization_'"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_the_nearest(name: str, said: str) -> None:
    with pytest.raises(KeyError) as error:
        metric(name)
    assert said in str(error.value)


# Where several metrics are named together all the same, and why.
ALLOWED = {
    ("report/content.py", "SETTLING"): "columns of the weekly series that a warm-up is judged by",
    ("report/band_figures.py", "SHOWN_AT_LEAST"): "how far the axes of a picture reach",
    ("report/palette.py", "FILLS"): "colours and hatches of what is drawn",
    ("measure/measured.py", "_DURATIONS"): "from when to when those last that may not be over",
    ("measure/measured.py", "Measured"): "what resamples of weeks are computed by",
}
EXEMPT = ("metrics", "validation")  # where they are declared; what surveys published of them


def _lists_of_metrics(path: Path) -> Iterator[str]:
    """Yield the names of what holds a list of metrics in a file of Python."""
    known = {each.name for each in metrics()}
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        for node in ast.walk(statement):
            items: list[ast.expr | None] = []
            if isinstance(node, ast.List | ast.Tuple | ast.Set):
                items = [*node.elts]
            elif isinstance(node, ast.Dict):
                items = [*node.keys, *node.values]
            texts = [item.value for item in items if isinstance(item, ast.Constant)]
            if len(known.intersection(text for text in texts if isinstance(text, str))) < 2:
                continue
            target = statement
            if isinstance(statement, ast.Assign):
                target = statement.targets[0]
            elif isinstance(statement, ast.AnnAssign):
                target = statement.target
            yield str(getattr(target, "id", getattr(target, "name", "?")))


def test_nobody_keeps_a_list_of_metrics() -> None:
    package = Path(sim.__file__).parent
    found = {
        (str(path.relative_to(package)), name)
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in EXEMPT
        for name in _lists_of_metrics(path)
    }
    assert found - ALLOWED.keys() == set(), "ask sim.metrics.catalogue instead"
    assert ALLOWED.keys() - found == set(), "no longer needed here"


def test_a_list_would_be_noticed(tmp_path: Path) -> None:
    for text in (
        'MINE = ["lead_time_h", "rework_rate"]',
        'MINE = {"lead_time_h": 1, "rework_rate": 2}',
        'MINE: dict = {"a": "lead_time_h", "b": "rework_rate"}',
        'def MINE():\n    return ("lead_time_h", "x", "rework_rate")',
    ):
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        assert list(_lists_of_metrics(path)) == ["MINE"]
    path.write_text('ONE = ["lead_time_h", "lead_time_h", "other"]', encoding="utf-8")
    assert list(_lists_of_metrics(path)) == []
