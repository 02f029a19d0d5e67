"""The report of an organization's own records: that of a run, without what nobody recorded."""

import functools
import io
import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import sim
from sim.document.document import Document, Table
from sim.document.html import to_html
from sim.document.markdown import to_markdown
from sim.document.terminal import print_document
from sim.log import SCHEMAS, Records
from sim.metrics import compute_metrics
from sim.report.content import setting_of_records
from sim.report.folder import write_records_folder
from sim.report.pictures import records_pictures, study_pictures
from sim.report.records_document import records_document
from sim.report.study_document import study_document

EVERYTHING = [*SCHEMAS, *(f"{name}.{column}" for name in SCHEMAS for column in SCHEMAS[name])]
GUIDE = Path(__file__).parents[2] / "docs" / "records.md"


@functools.cache
def one() -> sim.Study:
    """Return a study of a single replication, in which something of every kind happens."""
    return sim.replicate(sim.load("horizon_weeks=12", "warmup_weeks=4"), 1, seed=5, n_jobs=1)


def from_files(records: Records) -> Records:
    """Return records whose tables went through CSV files, as an organization's would."""
    tables = {
        name: pd.read_csv(io.StringIO(frame.to_csv(index=False)))
        for name, frame in records.tables.items()
    }
    return Records.from_tables(tables, records.window, records.currency)


def shop() -> Records:
    """Return two weeks of a real organization that records what DORA asks for."""
    frame = pd.DataFrame
    return Records.from_tables(
        {
            "services": frame({"service": ["search", "a$b$c_^"], "team": ["shop", "shop"]}),
            "changes": frame(
                {
                    "change_id": ["c1", "c2", "c3", "c4"],
                    "service": ["search", "search", "a$b$c_^", "a$b$c_^"],
                    "committed_at": [30.0, 100.0, 200.0, 310.0],
                    "deployed_at": [54.0, 130.0, 260.0, None],
                }
            ),
            "deployments": frame(
                {
                    "deployment_id": ["d1", "d2", "d3"],
                    "service": ["search", "search", "a$b$c_^"],
                    "deployed_at": [54.0, 130.0, 260.0],
                }
            ),
            "incidents": frame(
                {
                    "incident_id": [1, 2],
                    "service": ["search", "a$b$c_^"],
                    "deployment_id": ["d2", None],
                    "started_at": [131.0, 300.0],
                    "restored_at": [135.0, None],
                }
            ),
        },
        (0.0, 336.0),
        timezone="Europe/Berlin",
    )


def told(document: Document, width: int = 120) -> str:
    file = io.StringIO()
    print_document(document, Console(file=file, width=width))
    return file.getvalue()


def tables_of(document: Document, title: str) -> list[list[list[str]]]:
    """Return the texts of the tables of a section, without intervals, which records lack."""
    return [
        [
            [
                str(getattr(cell, "text", cell))
                for cell, column in zip(row.cells, block.columns, strict=False)
                if "interval" not in column.heading
            ]
            for row in block.rows
        ]
        for section in document.sections
        if section.title == title
        for block in section.blocks
        if isinstance(block, Table)
    ]


def test_tables_of_a_run_give_the_metrics_and_the_tables_of_the_run() -> None:
    study = one()
    records = from_files(study.records)
    expected = compute_metrics(study.records)
    pd.testing.assert_series_equal(compute_metrics(records), expected, check_exact=True)
    simulated, recorded = study_document(study), records_document(records)
    compared = 0
    for section in recorded.sections:
        assert tables_of(recorded, section.title) == tables_of(simulated, section.title)
        compared += len(tables_of(recorded, section.title))
    assert compared == 7  # two of metrics, lead time, restore time, people, utilization, cost
    assert "95 % interval" in told(simulated)
    assert "95 % interval" not in told(recorded)


def test_all_pictures_of_a_study_are_those_of_its_records_too() -> None:
    pictures = records_pictures(from_files(one().records))
    assert set(pictures) == set(study_pictures(one()))
    for picture in pictures.values():
        assert "replication" not in picture.caption + picture.alt
        assert "warm-up" not in picture.caption + picture.alt
    written = to_html(records_document(one().records, drawings=pictures))
    assert "replication" not in written
    assert written.count("<img") + written.count("<svg") >= len(pictures)


def test_a_shop_that_records_four_tables() -> None:
    metrics = compute_metrics(shop())
    # 3 deployments of 2 services in 14 days; 24, 30 and 60 h; one of three; 135 - 131.
    assert metrics["deployment_frequency"] == pytest.approx(3 / 28)
    assert metrics["lead_time_h"] == pytest.approx(30.0)
    assert metrics["lead_time_mean_h"] == pytest.approx(38.0)
    assert metrics["change_failure_rate"] == pytest.approx(1 / 3)
    assert metrics["time_to_restore_h"] == pytest.approx(4.0)
    assert metrics["n_open_incidents"] == 1.0
    unknown = ["ml_lead_time_h", "rework_rate", "availability", "work_in_progress", "n_unfinished"]
    assert np.isnan(metrics[unknown]).all()
    pictures = records_pictures(shop())
    assert list(pictures) == ["metrics", "course"]
    document = records_document(shop(), "Shop & <sons>", pictures)
    shown = told(document)
    assert "2 services · 2 weeks from week 0 · Europe/Berlin" in shown
    assert re.search(r"lead time +30 h +3 changes +high *\n", shown)
    assert "One observation: all this happened once" in shown
    assert "Still going on at the end: 1 incident." in shown
    assert "no data" not in shown
    page = to_html(document)
    assert "Shop &amp; &lt;sons&gt;" in page
    assert "Tables: steps, work, jobs, capacity, batches, quality, debt, prices" in page
    for absent in ("Where lead time goes", "Where people", "How busy", "What it costs", "How good"):
        assert absent not in page
        assert absent not in shown
    assert "A service is deployed 3.3 times per month" in to_markdown(document)


def test_nothing_is_said_about_what_nobody_recorded() -> None:
    nothing = Records.from_tables({}, (0.0, 336.0))
    document = records_document(nothing, drawings=records_pictures(nothing))
    assert document.pictures == {}
    shown = told(document)
    assert (
        "No data for deployment frequency, lead time, change failure rate and time to rest" in shown
    )
    assert [section.title for section, _ in document.sections_in("html")] == [
        "The four metrics and their companions",
        "What nobody recorded",
        "What made this report",
    ]


def test_an_unstable_organization_is_flagged() -> None:
    number = np.arange(60)
    changes = pd.DataFrame(
        {"change_id": number, "kind": "feature", "created_at": 5.0 * number}
        | {"started_at": 5.0 * number, "ended_at": np.nan}
    )
    document = records_document(Records.from_tables({"changes": changes}, (0.0, 336.0)))
    assert document.flag == "unstable"
    assert "so these lead times depend on how long it was watched" in " ".join(
        told(document).split()
    )


ABSENT = st.sets(st.sampled_from(EVERYTHING), min_size=1, max_size=40)


@settings(max_examples=2, deadline=None, derandomize=True)
@given(ABSENT)
def test_whatever_is_absent_the_report_shows_the_rest(names: set[str]) -> None:
    render_without(names)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(ABSENT)
def test_whatever_else_is_absent_the_report_shows_the_rest(names: set[str]) -> None:
    render_without(names)


def render_without(names: set[str]) -> None:
    """Show the report of a run in all media without some tables and columns."""
    whole = one().records
    tables = {
        name: frame.drop(columns=[c for c in frame if f"{name}.{c}" in names])
        for name, frame in whole.tables.items()
        if name not in names
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(Records.from_tables(tables, whole.window, whole.currency))


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERYTHING[len(SCHEMAS) :])
def test_whatever_column_is_absent_all_pictures_can_be_made(name: str) -> None:
    table, _, column = name.partition(".")
    whole = one().records
    tables = {**whole.tables, table: whole.tables[table].drop(columns=column)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = records_pictures(Records(tables, whole.window, whole.currency))
        told(records_document(Records(tables, whole.window, whole.currency), drawings=pictures))


def render(records: Records) -> None:
    """Show the report in all media and check that no section of it is empty."""
    document = records_document(records, drawings=records_pictures(records))
    for show in (told, to_html, to_markdown):
        shown = show(document)
        assert "nan" not in re.sub(r"data:image[^\"]*|finance|maintenance", "", shown).split()
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                assert block.rows


@pytest.mark.parametrize("window", [(0.0, 1.0), (100.0, 131.5), (168.0, 336.0), (5e5, 5e5 + 400)])
def test_any_window_of_any_records_can_be_shown(window: tuple[float, float]) -> None:
    for records in (shop(), one().records):
        render(Records(records.tables, window, records.currency))


def test_tables_without_rows_can_be_shown() -> None:
    empty = {name: pd.DataFrame() for name in SCHEMAS}
    render(Records.from_tables(empty, (0.0, 336.0)))
    render(Records.from_tables({**empty, "services": shop().tables["services"]}, (0.0, 336.0)))


def test_the_example_of_the_guide(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (source,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    found = SimpleNamespace()
    exec(compile(source, GUIDE.name, "exec"), vars(found))
    assert found.metrics["lead_time_h"] == pytest.approx(30.0)
    assert found.metrics["change_failure_rate"] == pytest.approx(1 / 3)
    assert found.metrics["time_to_restore_h"] == pytest.approx(4.0)
    assert "Our shop" in capsys.readouterr().out
    folder = tmp_path / "our_shop"
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    assert names == ["figures/course.svg", "figures/metrics.svg", "metrics.csv", "report.html"]
    written = pd.read_csv(folder / "metrics.csv", index_col="metric")["value"]
    assert written["lead_time_h"] == found.metrics["lead_time_h"]


def test_a_folder_in_use_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    with pytest.raises(OSError, match="kept"):
        write_records_folder(shop(), tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_count_that_nobody_can_know_is_left_open() -> None:
    told_of_nothing = told(records_document(Records.from_tables({}, (0.0, 336.0))))
    assert re.search(r"lead time +no data +no data *\n", told_of_nothing)


@pytest.mark.parametrize(
    ("window", "setting"),
    [
        ((100.0, 268.5), "1 week from week 0.6"),
        ((336.0, 420.0), "0.5 weeks from week 2"),
        ((16_800.0, 17_136.0), "2 weeks from week 100"),
    ],
)
def test_a_window_may_begin_within_a_week(window: tuple[float, float], setting: str) -> None:
    assert setting_of_records(Records.from_tables({}, window)) == setting


def test_what_is_unfinished_is_told_for_one_as_for_many() -> None:
    assert (
        "Still going on at the end: 1 incident. The times of unfinished work are not in the"
    ) in told(records_document(shop()))
