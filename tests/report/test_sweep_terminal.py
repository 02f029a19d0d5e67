"""What a sweep prints: it fits, says what is left out, and survives simple terminals."""

import io

import pytest
from rich.console import Console
from sweeps import grid, sample, with_failure
from test_sweep_figures import SWEEPS

from sim.document.terminal import WIDE, print_document
from sim.report.sweep_content import findings, further_sentences
from sim.report.sweep_document import sweep_document


def printed(sweep, width=80, encoding="utf-8", **options):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    document = sweep_document(findings(sweep), [], is_wide=width >= WIDE)
    print_document(document, Console(file=file, width=width, **options))
    file.flush()
    return raw.getvalue().decode(encoding)


def rows(text):
    """Return the lines of the table of points."""
    lines = [line.rstrip() for line in text.splitlines()]
    rule = next(number for number, line in enumerate(lines) if line.startswith("──"))
    return lines[rule + 1 : lines.index("", rule)]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SWEEPS)
def test_fits_the_terminal(name, width):
    text = printed(SWEEPS[name](), width)
    assert max(map(len, text.splitlines())) <= width
    assert "nan" not in text


@pytest.mark.parametrize("name", ["line", "heat map", "four"])
def test_no_number_is_cut(name):
    assert "…" not in printed(SWEEPS[name]())


def test_every_point_has_its_means_with_half_their_interval():
    sweep = grid(automation=[0, 0.5, 1])
    table = rows(printed(sweep))
    assert len(table) == 3
    assert table[0].startswith("*0  0 ")
    summary = sweep.summary(["lead_time_h"])
    for line, mean, high in zip(table, summary["mean"], summary["ci_high"], strict=True):
        days = line.split()[4:6]
        assert float(days[0]) == pytest.approx(mean / 24, abs=0.06)
        assert float(days[1].removeprefix("±")) == pytest.approx((high - mean) / 24, rel=0.1)


def test_at_most_twenty_points_are_listed_and_the_rest_counted():
    text = printed(SWEEPS["many names"](), 120)
    assert len(rows(text)) == 20
    left = "20 more points, which differ less from the baseline, not shown."
    assert left in " ".join(text.split())


def test_without_a_baseline_none_is_marked():
    text = printed(sample("lhs", 30, ["automation", "standardization"]))
    assert "*" not in text
    assert "differ less from the median" in " ".join(text.split())


def test_sentences_and_failures_are_printed():
    sweep = with_failure(grid(automation=[0, 0.5, 1]), 1)
    text = " ".join(printed(sweep).split())
    for sentence in further_sentences(findings(sweep)):
        assert sentence in text
    assert "! Point 1 failed (automation=0.5): MemoryError" in text
    assert rows(printed(sweep))[1].split()[2:] == ["no", "data"] * 5


def test_failures_are_red_where_there_are_colours():
    sweep = with_failure(grid(automation=[0, 0.5, 1]), 1)
    text = printed(sweep, 120, force_terminal=True, color_system="standard")
    assert "\x1b[1;31mPoint 1 failed" in text
    assert "\x1b" not in printed(sweep)


def test_without_unicode_everything_is_ascii():
    text = printed(SWEEPS["heat map"](), encoding="ascii")
    assert "+/-" in text
    assert text.isascii()
    assert "standardization" in text
