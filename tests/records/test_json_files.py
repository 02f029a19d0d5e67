"""JSON of any maker: lines, arrays, and what is neither."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.records.json_files import as_text, begins_as_json, part_of, read_objects
from sim.records.problems import Problems


def found_in(path: Path, data: bytes) -> tuple[list[tuple[int, dict[str, object]]], Problems]:
    path.write_bytes(data)
    problems = Problems()
    return list(read_objects(path, problems)), problems


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b'[{"a": 1}, {"a": 2}]',
        b'[{"a": 1}][{"a": 2}]',  # the pages that gh api --paginate writes
        b'[\n  {"a": 1}\n][\n  {"a": 2}\n]\n',
        b'[\n{"a": 1},\n{"a": 2}\n]\n',
        b'{\n  "a": 1\n}\n{\n  "a": 2\n}\n',
        b'\xef\xbb\xbf[{"a": 1}, {"a": 2}]',
        '[{"a": 1}, {"a": 2}]'.encode("utf-16"),
    ],
)
def test_lines_arrays_and_pages(tmp_path: Path, data: bytes) -> None:
    found, problems = found_in(tmp_path / "x.json", data)
    assert [each for _, each in found] == [{"a": 1}, {"a": 2}]
    assert not len(problems)
    assert begins_as_json(tmp_path / "x.json")


def test_each_line_stands_for_itself(tmp_path: Path) -> None:
    lines = [b'{"a": 1}', b'{"a": ', b"[1]", b"", b"x\x00", b'{"a": ' + b"[" * 100_000, b'{"b": 2}']
    found, problems = found_in(tmp_path / "x.jsonl", b"\n".join(lines))
    assert found == [(1, {"a": 1}), (7, {"b": 2})]
    (problem,) = problems
    assert list(problem.rows) == [2, 3, 5, 6]
    assert (problem.kind, problem.consequence) == ("no JSON object", "the line is left out")


def test_an_array_that_breaks_off_gives_what_is_before(tmp_path: Path) -> None:
    found, problems = found_in(tmp_path / "x.json", b'[{"a": 1}, 7, {"a": 2}, {"a": ')
    assert found == [(1, {"a": 1}), (3, {"a": 2})]
    assert [str(problem) for problem in problems] == [
        "x.json, row 4: the JSON breaks here ('{\"a\": '); nothing behind it is read",
        "x.json, row 2: no JSON object ('7'); it is left out",
    ]


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    found, problems = found_in(tmp_path / "x.json", '[{"a": "größer"}]'.encode("latin-1"))
    assert found == [(1, {"a": "größer"})]
    assert [str(each) for each in problems] == [
        "x.json: the file is not UTF-8; it is read as Latin-1"
    ]


def test_an_empty_file(tmp_path: Path) -> None:
    found, problems = found_in(tmp_path / "x.json", b" \n")
    assert not found
    assert [each.kind for each in problems] == ["the file is empty"]
    assert not begins_as_json(tmp_path / "x.json")
    assert not begins_as_json(tmp_path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (7, "7"),
        (True, "true"),
        (None, None),
        ({"b": 1}, None),
        (["x"], None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("\ud800", "?"),
    ],
)
def test_only_what_is_text_is_text(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_only_what_is_an_object_is_one() -> None:
    assert part_of({"a": {"b": 1}}, "a") == {"b": 1}
    assert part_of({"a": [1]}, "a") == part_of({}, "a") == {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
_LINES = st.lists(
    st.one_of(
        st.dictionaries(st.text(max_size=3), _JSON, max_size=3).map(json.dumps).map(str.encode),
        _JSON.map(json.dumps).map(str.encode),
        st.binary(max_size=8).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" ")),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=200)
@given(_LINES)
def test_no_line_is_lost_silently(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.jsonl"
    lines = [b'{"a": 1}', *lines]  # so that it is a file of lines
    found, problems = found_in(path, b"\n".join(lines))
    text = b"\n".join(lines)
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        decoded = text.decode("cp1252", errors="replace")
    numbers = [
        number
        for number, line in enumerate(decoded.split("\n"), start=1)
        if line.strip(" \t\r,") not in ("", "[", "]")
    ]
    listed = [int(row) for problem in problems for row in problem.rows]
    assert sorted([row for row, _ in found] + listed) == numbers


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:1a\n ', max_size=40).map(str.encode))
def test_anything_is_read_without_a_crash(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.json"
    found, problems = found_in(path, data)
    assert found or len(problems) or not data.decode("latin-1").strip(" \t\r\n,[]")
