"""Pictures of what happened: their numbers are those that one counts in the event tables."""

import numpy as np
import pandas as pd
import pytest
from events import PARTS, WEEK, WINDOW, make_tables

import sim
from sim.log import Records
from sim.metrics.flow import work_in_progress
from sim.metrics.restore import restore_times
from sim.report.flow_figures import cumulative_flow, plot_cumulative_flow
from sim.report.gantt_figures import (
    gantt_changes,
    gantt_segments,
    open_stretches,
    plot_gantt,
    working_time,
)
from sim.report.incident_figures import incident_phases, plot_incidents, restored_incidents
from sim.report.palette import new_figure
from sim.report.quality_figures import hours_below, new_models, plot_quality, quality_course
from sim.report.week_figures import people_by_role, plot_week, share_at_work

PHASES = ["detect_h", "respond_h", "diagnose_h", "remedy_h"]


@pytest.fixture(scope="module")
def tables():
    return make_tables()


@pytest.fixture(scope="module")
def run():
    """Return a real run, whose tables have everything that happens in one."""
    return sim.simulate(sim.load("organization=startup", "horizon_weeks=30", "warmup_weeks=4"))


@pytest.fixture
def ax():
    _, (ax,) = new_figure(8.0, 5.0)
    return ax


# --- cumulative flow ----------------------------------------------------------------------------


def test_gaps_between_the_curves_are_what_one_counts(tables):
    changes = tables["changes"]
    flow = cumulative_flow(tables, WINDOW)
    committed = changes["committed_at"].notna()
    for at in (10.0, 130.5, 300.0, 555.0):
        row = flow.iloc[flow.index.searchsorted(at, side="right") - 1]
        is_open = (changes["started_at"] <= at) & ~(changes["ended_at"] <= at)
        in_pipeline = committed & (changes["committed_at"] <= at) & ~(changes["ended_at"] <= at)
        assert row["started"] - row["ended"] == is_open.sum()
        assert row["committed"] - row["ended"] == in_pipeline.sum()
        assert row["ended"] == (changes["deployed_at"] <= at).sum()


def test_the_mean_gap_is_work_in_progress(run):
    start, end = run.window
    for window in (run.window, (start + 100.0, end - 200.0)):
        flow = cumulative_flow(run.tables, window)
        assert (flow.index[0], flow.index[-1]) == window
        assert flow["ended"].iloc[0] == 0
        gap = (flow["started"] - flow["ended"]).to_numpy()[:-1]
        mean = (gap * np.diff(flow.index)).sum() / (window[1] - window[0])
        assert mean == pytest.approx(work_in_progress(run.tables, window))
        assert (flow["committed"] >= flow["ended"]).all()
        assert (flow["started"] >= flow["committed"]).all()


def test_arrows_of_the_flow_say_what_they_span(tables, ax):
    assert plot_cumulative_flow(Records(tables, WINDOW), ax) is ax
    texts = [text.get_text() for text in ax.texts if text.get_text()]
    flow = cumulative_flow(tables, WINDOW)
    row = flow.iloc[flow.index.searchsorted(0.72 * WINDOW[1], side="right") - 1]
    assert texts[0] == f"{row['started'] - row['ended']:.0f} changes in progress"
    assert texts[1].endswith("days from\ncommit to deployment")
    assert ax.get_xlabel() == "week"


# --- Gantt --------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["tables", "run"])
def test_segments_of_a_step_add_up_to_its_time_and_to_its_parts(source, request):
    found = request.getfixturevalue(source)
    tables, window = (found, WINDOW) if source == "tables" else (found.tables, found.window)
    changes = gantt_changes(tables, window, 8)
    segments = gantt_segments(tables, changes)
    hours = segments["stop"] - segments["start"]
    assert (hours > 0.0).all()
    # Nothing is left out and nothing overlaps: each stretch begins where the last one ended.
    for change, own in segments.groupby("change_id"):
        row = changes.set_index("change_id").loc[change]
        assert own["start"].iloc[0] == pytest.approx(row["committed_at"])
        assert own["stop"].iloc[-1] == pytest.approx(row["deployed_at"])
        assert own["start"].to_numpy()[1:] == pytest.approx(own["stop"].to_numpy()[:-1])
    drawn = hours.groupby([segments["change_id"], segments["part"]]).sum()
    steps = tables["steps"]
    between = steps.merge(changes[["change_id", "committed_at", "deployed_at"]], on="change_id")
    between = between[
        (between["queued_at"] >= between["committed_at"] - 1e-6)
        & (between["finished_at"] <= between["deployed_at"] + 1e-6)
    ]
    by_part = between.groupby("change_id")[list(PARTS)].sum().stack()
    by_part = by_part[by_part > 0.0]
    assert drawn.reindex(by_part.index).to_numpy() == pytest.approx(by_part.to_numpy())


def test_work_is_put_into_working_hours():
    # Queued Monday 15:00, done Tuesday 12:00: 1.4 h of work fit into the two hours of Monday at
    # 70 % focus, 2.1 h into the three of Tuesday.
    step = {"change_id": 1, "step": "review", "rework": False, "queued_at": 15.0}
    step |= {"finished_at": 36.0, "effort_h": 3.5, "people_h": 17.5}
    step |= dict.fromkeys(("handoff_h", "window_h", "compute_h", "run_h"), 0.0)
    changes = pd.DataFrame({"change_id": [1], "committed_at": [15.0], "deployed_at": [36.0]})
    capacity = make_tables()["capacity"]
    step["role"] = "ml_engineer"
    segments = gantt_segments({"steps": pd.DataFrame([step]), "capacity": capacity}, changes)
    told = [(row.part, row.start, row.stop) for row in segments.itertuples()]
    assert [part for part, *_ in told] == ["people_h", "effort_h", "people_h", "effort_h"]
    assert told[1][1:] == pytest.approx((15.6, 17.0))
    assert told[3][1:] == pytest.approx((33.9, 36.0))
    # What does not fit was done by somebody on call: right before it was done.
    late = pd.DataFrame([step | {"queued_at": 20.0, "finished_at": 24.0, "people_h": 0.5}])
    changes = changes.assign(committed_at=20.0, deployed_at=24.0)
    # So is what nobody knows the working hours of.
    for tables in ({"steps": late, "capacity": capacity}, {"steps": late}):
        night = gantt_segments(tables, changes)
        assert night[["part", "start", "stop"]].to_numpy().tolist() == [
            ["people_h", 20.0, 20.5],
            ["effort_h", 20.5, 24.0],
        ]


def stretches_between(tables, start, end, role=None):
    return open_stretches(working_time(tables, role), start, end).to_numpy().tolist()


def test_people_work_when_the_table_of_capacity_says_so(tables):
    # From Friday 16:00 to Monday 10:00 of the next week; meetings leave 70 %.
    found = stretches_between(tables, 112.0, 178.0)
    assert found == [[112.0, 113.0, pytest.approx(0.7)], [177.0, 178.0, pytest.approx(0.7)]]
    assert stretches_between(tables, 17.0, 24.0) == []
    # Two shifts that overlap, and machines that always run.
    row = {"people": True, "available_h": 4.0, "paid_h": 8.0}
    capacity = pd.DataFrame(
        [
            row | {"resource": "early", "opens_at": 5.0, "closes_at": 10.0},
            row | {"resource": "office", "opens_at": 9.0, "closes_at": 17.0, "available_h": 8.0},
            row | {"resource": "gpu", "people": False, "opens_at": 0.0, "closes_at": 168.0},
        ]
    )
    assert stretches_between({"capacity": capacity}, 0.0, 24.0) == [[5.0, 17.0, 0.75]]
    assert stretches_between({"capacity": capacity}, 0.0, 8.0, "early") == [[5.0, 8.0, 0.5]]


def test_working_time_of_a_run_is_that_of_its_scenario(run):
    hours = run.scenario.working_hours
    found = stretches_between(run.tables, 0.0, 168.0, "data_scientist")
    assert [day[:2] for day in found] == [
        [24.0 * day + hours.opens, 24.0 * day + hours.closes] for day in range(5)
    ]
    assert [day[2] for day in found] == pytest.approx([hours.focus] * 5)


def test_a_row_per_change_and_its_lead_time(tables, ax):
    assert plot_gantt(Records(tables, WINDOW), ax, 5) is ax
    changes = gantt_changes(tables, WINDOW, 5)
    # One after the other: none that was deployed is left out between them.
    delivered = tables["changes"].dropna(subset="deployed_at").sort_values("committed_at")
    numbers = delivered["change_id"].tolist()
    first = numbers.index(changes["change_id"].iloc[0])
    assert changes["change_id"].tolist() == numbers[first : first + 5]
    took = (changes["deployed_at"] - changes["committed_at"]) / 24.0
    lead_times = [text.get_text() for text in ax.texts if text.get_text().endswith(" days")]
    assert [float(text.split()[0]) for text in lead_times] == pytest.approx(took, abs=0.005)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "waiting for approval" in labels
    assert "rework (below the row)" in labels


# --- quality ------------------------------------------------------------------------------------


def test_quality_falls_between_rows_and_jumps_where_a_model_is_replaced(tables):
    course = quality_course(tables, "shop.search", WINDOW)
    assert course["start"].tolist() == [0.0, 168.0, 336.0, 408.0, 480.0, 510.0]
    assert course["stop"].iloc[-1] == WINDOW[1]
    # 0.02 a week, also up to the row that came three days after the last.
    assert course["quality_stop"].iloc[:2].tolist() == pytest.approx([0.82, 0.80])
    assert course["quality_stop"].iloc[2] == pytest.approx(0.80 - 0.02 * 72 / 168)
    # The second model was not live for a week on end: it decays as the first did.
    assert course["quality_stop"].iloc[3] == pytest.approx(0.88 - 0.02 * 72 / 168)
    assert hours_below(course) == 72.0 + 30.0


def test_a_course_begins_with_the_window(tables):
    course = quality_course(tables, "shop.search", (84.0, 400.0))
    assert course["start"].iloc[0] == 84.0
    assert course["quality_start"].iloc[0] == pytest.approx(0.83)
    assert course["stop"].iloc[-1] == 400.0


def test_time_below_is_that_of_the_metrics(run):
    services = run.tables["services"]["service"]
    below = [hours_below(quality_course(run.tables, name, run.window)) for name in services]
    whole = len(services) * (run.window[1] - run.window[0])
    assert sum(below) / whole == pytest.approx(run.metrics()["share_below_objective"])


def test_what_the_picture_of_quality_marks(tables, ax):
    assert new_models(tables, "shop.search", WINDOW).tolist() == [408.0]
    assert plot_quality(Records(tables, WINDOW), "shop.search", ax) is ax
    (marker,) = [line for line in ax.get_lines() if line.get_marker() == "^"]
    assert marker.get_xdata() == pytest.approx([408.0 / WEEK])
    assert marker.get_ydata() == pytest.approx([0.88])  # where it lands, not where it began
    # 102 of 672 hours.
    assert ax.get_title(loc="right") == "below its objective 15 % of the time"
    assert plot_quality(Records(tables, WINDOW), "shop.search", ax).get_ylim()[0] < 0.72


# --- incidents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["tables", "run"])
def test_phases_of_an_incident_add_up(source, request):
    found = request.getfixturevalue(source)
    tables, window = (found, WINDOW) if source == "tables" else (found.tables, found.window)
    phases = incident_phases(restored_incidents(tables, window))
    took = phases["restored_at"] - phases["started_at"]
    assert phases[PHASES].sum(axis="columns").tolist() == pytest.approx(took.tolist())
    assert took.is_monotonic_decreasing
    means = restore_times(tables, window)
    assert phases["remedy_h"].mean() == pytest.approx(means["remedy_mean_h"])
    assert phases["restore_h"].mean() == pytest.approx(means["time_to_restore_mean_h"])


def test_the_longest_incidents_are_drawn_longest_first(tables, ax):
    assert plot_incidents(Records(tables, WINDOW), ax, 5) is ax
    phases = incident_phases(restored_incidents(tables, WINDOW))
    ends = {}
    for bar in ax.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        ends[row] = max(ends.get(row, 0.0), bar.get_x() + bar.get_width())
    longest = phases["restore_h"].head(5).tolist()
    assert [ends[row] for row in range(5)] == pytest.approx(longest)
    share = sum(longest) / phases["restore_h"].sum()
    assert f"the 5 longest of 14 incidents: {100 * share:.0f} % of all" in ax.get_title(loc="left")
    first = phases.iloc[0]
    label = ax.get_yticklabels()[0].get_text()
    assert label == (
        f"{first['cause']} ({first['trigger']}) → {first['remedy']}\n{first['service']}"
    )


# --- the week -----------------------------------------------------------------------------------


def test_share_at_work_is_what_one_counts(tables):
    shares = share_at_work(tables, WINDOW)
    assert people_by_role(tables).to_dict() == {"ml_engineer": 2, "operations": 1}
    engineers, operations = shares.loc["ml_engineer"], shares.loc["operations"]
    assert engineers[9:17].tolist() == [1.0] * 8
    assert engineers[8] == engineers[17] == 0.0
    assert engineers[24 + 9 : 24 + 12].tolist() == [0.5] * 3
    # Thursday noon to Friday noon, but not at night.
    assert engineers[72 + 9 : 72 + 17].tolist() == [0.5] * 8
    assert engineers[72 + 17 : 96 + 9].tolist() == [0.0] * 16
    assert engineers[96 + 9 : 96 + 12].tolist() == [1.0] * 3
    assert operations[142:146].tolist() == [1.0] * 4  # on call
    assert operations.sum() == 8.0 + 4.0


def test_shares_of_part_of_a_week(tables):
    # Half of the first hour of Monday's work, and nothing but it.
    shares = share_at_work(tables, (9.5, 10.5))
    assert shares.loc["ml_engineer", [9, 10]].tolist() == [1.0, 1.0]
    assert shares.drop(columns=[9, 10]).isna().all(axis=None)


def test_no_hour_is_lost_of_a_real_run(run):
    shares = share_at_work(run.tables, run.window)
    assert shares.notna().all(axis=None)
    assert (shares >= 0.0).all(axis=None)
    assert (shares <= 1.0 + 1e-9).all(axis=None)
    # Always busy, and that from 9 to 17 at most.
    assert shares.loc["data_scientist"].sum() <= 40.0 + 1e-9
    assert shares.loc["data_scientist", 10:15].tolist() == pytest.approx([1.0] * 6, abs=0.05)


def test_the_week_names_roles_and_days(tables, ax):
    assert plot_week(Records(tables, WINDOW), ax) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["ML engineer\n(2 people)", "operations\n(1 person)"]
    days = [label.get_text() for label in ax.get_xticklabels(minor=True)]
    assert days[0] == "Mon\nnoon"
    # 11.2 + 8.4 + 5.6 of 56 hours, and 5.6 + 4 of 28.
    assert [text.get_text() for text in ax.texts] == ["45 %", "34 %"]


@pytest.mark.parametrize(
    "plot",
    [
        plot_cumulative_flow,
        plot_gantt,
        lambda records, ax: plot_quality(records, "shop.search", ax),
        plot_incidents,
        plot_week,
    ],
)
def test_nothing_to_draw(tables, ax, plot):
    empty = {name: frame.iloc[:0] for name, frame in tables.items()}
    assert plot(Records(empty, WINDOW), ax) is ax
    assert [text.get_text() for text in ax.texts] == ["no data"]


def test_a_misspelt_service_is_refused(tables, ax):
    with pytest.raises(ValueError, match=r"did you mean 'shop\.search'"):
        plot_quality(Records(tables, WINDOW), "search", ax)
