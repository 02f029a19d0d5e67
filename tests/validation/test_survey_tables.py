"""The tables of published figures: what entries stand for, and what is said of wrong ones."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim.document.markdown import to_markdown
from sim.scenario.errors import ScenarioError
from sim.validation.clusters import merged_ranges, orders_by_year
from sim.validation.csv_table import frame
from sim.validation.document import validation_document
from sim.validation.entries import RowDefinition
from sim.validation.load import TABLES, load_tables
from sim.validation.observe import DAYS, MINUTES, SurveyObservation, names
from sim.validation.population import MICROSOFT, PRESETS_IN, Simulation, cells
from sim.validation.readings import read
from sim.validation.results import Results
from sim.validation.rows import all_rows, tally


def _definition(key: str) -> RowDefinition:
    (found,) = [d for d in load_tables().definitions() if d.key == key]
    return found


@pytest.fixture(scope="module")
def results():
    """Three replications of all organizations, in which figures are 0.5, 0.6 and 0.7.

    Those of DORA differ from cell to cell, so that they have a rank correlation.
    """
    figures, columns = names()

    def observation(value, number):
        own = dict.fromkeys(load_tables().metrics, value * (1 + number))
        teams = pd.DataFrame({column: [value, 2 * value] for column in columns})
        curves = np.full(DAYS.size, value), np.full(MINUTES.size, value)
        return SurveyObservation({**dict.fromkeys(figures, value), **own}, teams, *curves)

    return Results(
        {
            cell: [observation(value, number) for value in (0.5, 0.6, 0.7)]
            for number, cell in enumerate(cells())
        }
    )


def test_every_row_can_be_read_and_names_its_section_and_source(results):
    tables = load_tables()
    titles = {section.title for section in tables.sections}
    rows = all_rows(results, tables)
    assert {row.definition.section for row in rows} == titles
    for row in rows:
        definition = row.definition
        assert definition.source.name, definition.key
        assert definition.quantity, definition.key
        value = read(definition.reads, results, definition.place.weights)
        assert value.shape == (3,), definition.key


@pytest.mark.parametrize(
    ("key", "published", "low", "high"),
    [
        # Odds of 70 to 30, 1.5 times less and more: 14 to 9 and 7 to 2.
        ("outages enterprise at google_2", "70 %", 100 * 14 / 23, 100 * 7 / 9),
        # Twice and half.
        ("prototype to production", "8 months from prototype", 4.0, 16.0),
        ("level 0 midsize", "a couple of times per year", 1.0, 4.0),
        # exp(4.25) = 70.105 minutes is the median.
        ("restore_p50 enterprise at google_2", "70 min", 70.1054 / 2, 70.1054 * 2),
        # And exp(4.25 - 1.28155 * 1.25) = 14.1266 the tenth percentile.
        ("restore_p10 enterprise at google_2", "14 min", 14.1266 / 2, 14.1266 * 2),
        ("review", "15 to 24 h in industry", 15.0, 24.0),
        ("data fixed", "15 h", 7.5, 30.0),
        ("lead_time_h distance", "9 / 15 / 32 / 28 / 13 / 2 %", 0.0, 0.1),
        # Medium and low of 2019: a week to a month, a month to half a year; in days.
        ("band google_0 lead_time_h", "medium or low", 7.0, 365.25 / 2),
        # Elite and high: less than an hour, less than a day; in h.
        ("band google_2 time_to_restore_h", "elite or high", 0.0, 24.0),
    ],
)
def test_what_is_published_decides_on_what_is_accepted(key, published, low, high):
    definition = _definition(key)
    assert definition.published == published
    (accepted,) = definition.accepts.ranges
    assert accepted == pytest.approx((low, high), rel=1e-5)


def test_a_hole_between_clusters_belongs_to_neither():
    assert merged_ranges("change_failure_rate", ["low", "medium"]) == ((0.0, 0.15), (0.46, 0.60))


def test_restored_in_less_than_a_day_includes_less_than_an_hour():
    """As high and medium reported it in 2019, although the first hour is the elite's as well."""
    (accepted,) = merged_ranges("time_to_restore_h", ["medium"])
    assert accepted == pytest.approx((0.0, 24.0))


def test_clusters_compare_as_reported():
    found = orders_by_year()
    strict = "elite < high < medium < low"
    assert found[2019] == (
        strict,
        strict,
        "elite = high = medium < low",
        "elite < high = medium < low",
    )
    assert found[2022] == ("high < medium < low",) * 4
    assert found[2024][2] == "elite < medium < high < low"


def test_the_place_beside_is_shown_and_not_judged():
    judged, beside = (
        _definition(f"rollback {place}") for place in ("enterprise at google_2", "population")
    )
    assert judged.accepts is not None
    assert beside.accepts is None
    assert judged.reads == beside.reads


def _row(results, key):
    (found,) = [row for row in all_rows(results, load_tables()) if row.definition.key == key]
    return found


def test_a_row_that_only_a_guess_decides_is_open(results):
    """How many deployments can be rolled back has no independent source."""
    row = _row(results, "rollback enterprise at google_2")
    assert row.accepted_in_words == "15.8 to 29.7"
    assert row.value.mean == pytest.approx(60.0)  # far outside, and open all the same
    assert row.verdict == "open"
    assert "no independent source" in row.note
    assert row.meaning.startswith("How many incidents a rollback ends")
    assert _row(results, "rollback population").verdict == "not judged"


def _with(results, place, **figures):
    """Return results in which all cells of a place have these figures, by replication."""
    changed = dict(results.observations)
    for cell in _definition(place).place.weights:
        changed[cell] = [
            replace(one, figures={**one.figures, **{n: v[k] for n, v in figures.items()}})
            for k, one in enumerate(changed[cell])
        ]
    return Results(changed)


@pytest.mark.parametrize(
    ("by_the_clock", "at_work", "expected"),
    [
        (60.0, 12.0, "open"),  # 15 h agrees with 7.5 to 30 h
        (60.0, 40.0, "disagrees"),
        (20.0, 9.0, "agrees"),
        (20.0, 5.0, "open"),
    ],
)
def test_a_row_is_judged_if_both_ways_of_counting_say_the_same(
    results, by_the_clock, at_work, expected
):
    def around(value):
        return [0.99 * value, value, 1.01 * value]

    changed = _with(
        results,
        "data fixed",
        data_fixed_h=around(by_the_clock),
        data_fixed_at_work_h=around(at_work),
    )
    row = _row(changed, "data fixed")
    assert row.verdict == expected
    assert row.value.mean == pytest.approx(by_the_clock)
    assert row.note.endswith("h in working hours")


def test_open_rows_are_counted_apart(results):
    rows = all_rows(results, load_tables())
    is_open = sum(row.verdict == "open" for row in rows)
    assert is_open >= 1
    said = tally(rows)
    assert said.endswith(f"; {is_open} open, which are not judged.")
    judged = [row for row in rows if row.verdict in ("agrees", "disagrees", "undecided", "no data")]
    assert sum(int(n) for n in re.findall(r"(\d+) judged", said)) == len(judged)


def test_an_order_is_judged_by_kind_where_the_mix_differs(results):
    """New models and retrainings get better; level 4 retrains less, so that all get worse."""
    new, retrained = [5.0, 4.0, 3.0, 2.0, 1.9], [2.5, 2.0, 1.5, 1.0, 0.9]
    share = [0.1, 0.1, 0.8, 0.8, 0.1]
    changed = dict(results.observations)
    for level, name in enumerate(MICROSOFT):
        cell = Simulation(PRESETS_IN, name)
        mixed = share[level] * retrained[level] + (1 - share[level]) * new[level]
        figures = [
            {
                "time_to_deploy_h": luck * new[level],
                "lead_time_retrain_h": luck * retrained[level],
                "lead_time_h": luck * mixed,
            }
            for luck in np.roll([1.0, 1.01, 1.02], level)  # levels do not share it
        ]
        changed[cell] = [
            replace(one, figures={**one.figures, **own})
            for one, own in zip(changed[cell], figures, strict=True)
        ]
    found = Results(changed)
    mixed_row = _row(found, "order Microsoft lead_time_h")
    assert mixed_row.verdict == "not judged"
    assert mixed_row.note.startswith("of all kinds of change, whose mix differs; judged by kind;")
    assert "worse: 3 to 4" in mixed_row.note
    for kind, ends in (("new models", 5.0 / 1.9), ("retrainings", 2.5 / 0.9)):
        row = _row(found, f"order Microsoft lead_time_h of {kind}")
        assert row.verdict == "agrees"
        assert row.value.mean == pytest.approx(ends)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(TABLES, tmp_path / "tables")


NEW = """
    - key: hotfixes
      quantity: deployments that remedy an incident
      simulated_for: [population]
      published: 50
      source: somebody
      unit: "%"
      reads: rework_rate
      accepts: odds
"""


def _add(folder, entry):
    with (folder / "rows.yaml").open("a", encoding="utf-8") as file:
        file.write(entry.lstrip("\n"))


def test_an_entry_is_all_that_a_new_figure_needs(folder, results):
    with (folder / "sources.yaml").open("a", encoding="utf-8") as file:
        file.write("somebody: {name: Somebody 2030, trust: M}\n")
    _add(folder, NEW)
    tables = load_tables(folder)
    rows = all_rows(results, tables)
    row = rows[-1]
    # 50, 60 and 70 %: the mean is at the end of what odds of 2 to 3 and 3 to 2 allow.
    assert row.value.mean == pytest.approx(60.0)
    assert row.accepted[0] == pytest.approx((40.0, 60.0))
    assert row.accepted_in_words == "40 to 60"
    line = frame(rows).iloc[-1]
    assert (line["key"], line["source"], line["trust"]) == ("hotfixes", "Somebody 2030", "M")
    text = to_markdown(
        validation_document(results, rows, tables, [], "a command", "validation.csv")
    )
    assert "| deployments that remedy an incident | 50 % | Somebody 2030 (M) | population |" in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("published: 50", "publishd: 50", "hotfixes.publishd: unknown key; the top of"),
        ("      source: somebody\n", "", "hotfixes: `source` is missing"),
        ("source: somebody", "source: dora_2091", "hotfixes.source: unknown source dora_2091; did"),
        ("rework_rate", "rewrk_rate", "hotfixes.reads: unknown figure rewrk_rate; did you mean"),
        ("[population]", "[popultion]", "hotfixes.simulated_for.0: unknown place popultion; did"),
        ("accepts: odds", "accepts: oods", "hotfixes.accepts: unknown value 'oods'; did you mean"),
        ("key: hotfixes", "key: review", "review: is the key of two rows; give each its own key"),
        ("accepts: odds", "accepts: odds\n      open: true", "hotfixes: open needs accepts, and a"),
        (
            "accepts: odds",
            "accepts: odds\n      or_reads: rework_rate",
            "hotfixes: or_reads needs accepts: factor, and or_reads_in",
        ),
        ('unit: "%"', "unit: h", "hotfixes: accepts: odds needs a published number between"),
        (
            "reads: rework_rate",
            "reads: {how: meen, figure: rework_rate}",
            "hotfixes.reads: unknown value 'meen'; did you mean 'mean'?",
        ),
    ],
)
def test_a_wrong_entry_is_called_by_its_key(folder, old, new, message):
    with (folder / "sources.yaml").open("a", encoding="utf-8") as file:
        file.write("somebody: {name: Somebody 2030, trust: M}\n")
    assert old in NEW
    _add(folder, NEW.replace(old, new))
    with pytest.raises(ScenarioError) as raised:
        load_tables(folder)
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"rows.yaml: {message}")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("meanings.yaml", "rows: [rollback]", "rows: [rolback]", "no row begins with 'rolback'"),
        ("meanings.yaml", "when: agrees", "when: agree", "unknown value 'agree'"),
        ("distributions.yaml", "[14, 28, 40]", "[14, 28]", "answers.time_to_deploy: percentages"),
        ("sources.yaml", "trust: M}", "trust: X}", "philly.trust: unknown value 'X'"),
        ("trace.yaml", "rolled_back", "rold_back", "unknown figure rold_back; did you mean"),
        ("inputs.yaml", "source: philly", "source: [", "cannot be read: "),
        ("dora_metrics.yaml", "lead_time_h:\n", "lead_time:\n", "`lead_time_h` is missing"),
    ],
)
def test_other_tables_are_checked_as_well(folder, file, old, new, message):
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        load_tables(folder)
    assert str(raised.value).startswith(file)
    assert message in str(raised.value)
