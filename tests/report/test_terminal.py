"""What the terminal shows: it fits, and survives terminals that can do little."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from sim.document.terminal import print_document
from sim.report.content import metric_rows
from sim.report.study_document import study_document
from sim.report.units import MINUS


def printed(study, width, encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_document(study_document(study), Console(file=file, width=width))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 120])
def test_fits_the_terminal_and_shows_every_estimate(study, width):
    text = printed(study, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for row in metric_rows(study, ["deployment_frequency", "lead_time_h", "availability"]):
        (line,) = [line for line in text.splitlines() if re.match(f"{row.label} +[0-9]", line)]
        assert row.estimate.value in line
        assert row.estimate.interval in line


def test_without_a_terminal_there_are_no_escape_codes(study):
    assert "\x1b" not in printed(study, 80)


def test_without_unicode_everything_is_ascii(study):
    text = printed(study, 80, encoding="ascii")
    assert "#####" in text
    assert "95 % interval" in text
    assert "Bands: DORA 2019" in text


def test_bars_are_in_proportion(study):
    lines = printed(study, 80).splitlines()
    lengths = {
        label: next(line for line in lines if line.startswith(label)).count("█")
        for label in ("waiting for people", "waiting for approval")
    }
    summary = study.summary()["mean"]
    ratio = summary["lead_time_approval_h"] / summary["lead_time_people_h"]
    assert lengths["waiting for approval"] / lengths["waiting for people"] == pytest.approx(
        ratio, abs=1 / lengths["waiting for people"]
    )


def test_what_it_costs_and_what_time_goes_into(study):
    means = {
        "cost_per_week": 80_000.0,
        "cost_people_per_week": 60_000.0,
        "worth_per_week": 90_000.0,
        "net_cost_per_week": -10_000.0,
        "capacity_h_per_week": 500.0,
        "toil_h_per_week": 30.0,
    }
    lines = printed(replace(study, runs=study.runs.assign(**means)), 80).splitlines()
    shown = {" ".join(line.rstrip("█▏▎▍▌▋▊▉ ").split()) for line in lines}
    assert {"toil 30 h 6 %", "capacity 500 h 100 %", "people 60,000 75 %"} <= shown
    assert {
        "cost 80,000 100 %",
        f"worth of features {MINUS}90,000",
        f"net cost {MINUS}10,000",
    } <= shown
    assert "What it costs, EUR per week" in shown
    assert "Roadmap: CI/CD full from week 20" in shown


def test_a_bill_of_zeros_is_left_out(study):
    free = replace(study, runs=study.runs.assign(cost_per_week=0.0, worth_per_week=0.0))
    assert "What it costs" not in printed(free, 120)


def test_no_data_is_said(empty_study):
    text = printed(empty_study, 80)
    assert "no data" in text
    assert "nan" not in text.lower()


def test_square_brackets_in_names_are_not_markup(study):
    scenario = study.scenario.model_copy(update={"description": "[bold]as it is[/bold]"})
    assert "[bold]as it is[/bold]" in printed(replace(study, scenario=scenario), 80)
