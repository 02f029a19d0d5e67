"""Rows, sentences and warnings of a report, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim.metrics.catalogue import headlines
from sim.metrics.flow import waiting_for_people_by_role
from sim.metrics.restore import Restored, restore_time_by_cause
from sim.report.content import (
    LEAD_TIME_COMPONENTS,
    RESTORE_COMPONENTS,
    band_words,
    bands_between,
    caveats,
    is_priced,
    metric_rows,
    net_cost_lines,
    part_rows,
    practices,
    sentences,
    suggested_warm_up,
    utilization_rows,
)

DAY, WEEK = 24.0, 168.0


def with_metrics(study, **means):
    """Return the study with some metrics the same in every replication."""
    return replace(study, runs=study.runs.assign(**means))


def said(study):
    return " ".join(sentences(study))


def warned(study):
    return " ".join(caveat.text for caveat in caveats(study))


@pytest.mark.parametrize(
    ("metric", "low", "high", "words"),
    [
        ("lead_time_h", 2 * DAY, 3 * DAY, "high"),
        ("lead_time_h", 6 * DAY, 8 * DAY, "high or medium"),
        ("lead_time_h", 1.0, 5 * 730.5, "elite to low"),
        # More often is better: the best band is named first all the same.
        ("deployment_frequency", 0.9 / 7, 1.1 / 7, "high or medium"),
        ("change_failure_rate", 0.14, 0.16, "elite/high/medium or between medium and low"),
        # An interval that reaches below zero is cut there.
        ("change_failure_rate", -0.05, 0.1, "elite/high/medium"),
        ("time_to_restore_h", 0.0, 0.0, "elite"),
        ("lead_time_h", np.nan, np.nan, "no data"),
    ],
)
def test_interval_names_every_band_it_touches(metric, low, high, words):
    assert band_words(bands_between(metric, low, high)) == words


def test_a_single_replication_has_the_band_of_its_value(study):
    single = replace(with_metrics(study, lead_time_h=3 * DAY), runs=study.runs.iloc[:1])
    (row,) = metric_rows(single, ["lead_time_h"])
    assert row.bands == ("high",)
    assert row.estimate.interval == "unknown"


def test_metric_rows_state_their_count(study):
    rows = {row.metric: row for row in metric_rows(study, headlines())}
    assert rows["deployment_frequency"].basis == "524 deployments"
    assert rows["lead_time_h"].basis == "561 changes"
    assert rows["time_to_restore_h"].basis == "93 incidents"


def test_parts_cover_the_whole(study):
    for whole in (
        "lead_time_mean_h",
        "time_to_restore_mean_h",
        "capacity_h_per_week",
        "cost_per_week",
    ):
        assert sum(row.share for row in part_rows(study, whole)) == pytest.approx(1.0)


def test_practices_are_named_by_their_level_and_the_roadmap_by_its_weeks(study):
    assert practices(study) == [
        "Practices: basic (CI/CD, monitoring), full (testing)",
        "Roadmap: CI/CD full from week 20",
    ]
    bare = study.scenario.model_copy(update={"practices": {}, "roadmap": ()})
    assert practices(replace(study, scenario=bare)) == []


def test_below_the_bill_stands_what_features_are_worth(study):
    money = {"cost_per_week": 90.0, "cost_per_deployment": 45.0}
    worth = with_metrics(study, **money, worth_per_week=100.0, net_cost_per_week=-10.0)
    assert net_cost_lines(worth) == [
        ("worth of features", pytest.approx(-100.0)),
        ("net cost", pytest.approx(-10.0)),
        ("cost per deployment", pytest.approx(45.0)),
    ]
    worthless = with_metrics(study, **money, worth_per_week=0.0, net_cost_per_week=90.0)
    assert net_cost_lines(worthless) == [("cost per deployment", pytest.approx(45.0))]


def test_a_bill_of_zeros_is_none(study, empty_study):
    assert is_priced(study)
    assert not is_priced(with_metrics(study, cost_per_week=0.0, worth_per_week=0.0))
    assert not is_priced(empty_study)


def test_busiest_resource_comes_first(study):
    rows = utilization_rows(with_metrics(study, utilization_gpu=0.97, utilization_ml_engineer=0.2))
    assert (rows[0].label, rows[-1].label) == ("GPU", "ML engineer")


def test_sentences_follow_the_numbers(study):
    parts = {
        "lead_time_touch_h": 20.0,
        "lead_time_run_h": 9.0,
        "lead_time_people_h": 40.0,
        "lead_time_compute_h": 20.0,
        "lead_time_approval_h": 0.0,
        "lead_time_handoff_h": 1.0,
        "lead_time_batch_h": 0.0,
        "lead_time_rework_h": 10.0,
        "lead_time_mean_h": 100.0,
    }
    text = said(
        with_metrics(
            study,
            **parts,
            deployment_frequency=3 / 7,
            lead_time_h=60.0,
            change_failure_rate=0.1,
            change_failure_rate_data=0.09,
            time_to_restore_h=5.0,
            time_to_restore_mean_h=10.0,
            respond_mean_h=7.5,
            remedy_mean_h=1.0,
            detect_mean_h=1.0,
            diagnose_mean_h=0.5,
            utilization_operations=0.91,
            capacity_h_per_week=200.0,
            delivery_h_per_week=120.0,
            incident_work_h_per_week=30.0,
            toil_h_per_week=0.0,
            investment_h_per_week=0.0,
            idle_h_per_week=50.0,
            cost_per_week=91_372.0,
            cost_people_per_week=68_500.0,
            cost_per_deployment=1234.5,
        )
    )
    assert "deployed 3 times per week" in text
    assert "2.5 days from commit to production" in text
    assert (
        "10 % of the deployments cause an incident; the most common cause is the data (9 %)" in text
    )
    assert "restored after 5 hours" in text
    # 61 of 100 hours are waiting: 40, 20, and 1 that is too little to be named.
    assert "Lead time is 61 % waiting; of the waiting, about two thirds is for people" in text
    assert "about a third is for compute." in text
    assert "handoffs" not in text
    assert "Work of people and machines is 29 % of it, rework 10 %." in text
    assert "takes 10 hours on average; the largest part, about three quarters" in text
    assert "is the time to respond." in text
    assert "highest for operations (91 %)" in text
    assert "Of people's hours, delivery takes 60 %, incident work takes 15 % and 25 % are" in text
    assert "costs EUR 91,400 per week, about three quarters of it for people" in text
    assert "or EUR 1,230 per deployment." in text


def test_sentences_name_the_slowest_step_of_the_first_replication(study):
    # The fixture makes approve wait 19 hours, longer than any other step, and deploy and verify
    # with it wait for operations.
    text = said(study)
    assert "In replication 0 a change waits longest at approve" in text
    assert "is for the role operations" in text


def test_no_incident_is_said_without_inventing_a_cause(study):
    text = said(with_metrics(study, change_failure_rate=0.0))
    assert "No deployment caused an incident." in text
    assert "most common cause" not in text


def test_what_takes_no_time_has_no_parts_to_speak_of(study):
    parts = [part.metric.name for part in LEAD_TIME_COMPONENTS] + ["lead_time_mean_h"]
    phases = [part.metric.name for part in RESTORE_COMPONENTS] + ["time_to_restore_mean_h"]
    text = said(with_metrics(study, **dict.fromkeys([*parts, *phases], 0.0)))
    assert "no data" not in text
    assert "waiting;" not in text


def test_nothing_deployed(empty_study):
    assert sentences(empty_study) == [
        "Nothing was deployed in the observed time, so there is little to say."
    ]
    (caveat,) = caveats(empty_study)
    assert "of 3, deployment frequency rests on 0" in caveat.text


def test_an_open_incident_alone_is_no_share_of_changes(empty_study):
    text = warned(with_metrics(empty_study, n_open_incidents=1.0))
    assert "at the end of a replication: 0 changes and 1 incident, on average." in text


def test_unstable_replications_come_first(study):
    unstable = np.arange(len(study.runs)) < 5
    first = caveats(with_metrics(study, unstable=unstable.astype(float)))[0]
    assert first.is_serious
    assert first.text.startswith("Unstable in 5 of 12 replications: ")


def test_single_replication_is_a_serious_matter(study):
    single = replace(study, runs=study.runs.iloc[:1])
    assert any(c.is_serious and "single replication" in c.text for c in caveats(single))


def test_precision_states_the_replications_it_would_take(study):
    # Half of the replications at 80 h, half at 120 h: the logarithms have s = 0.21176, t(11) =
    # 2.201, so the ends are 100 e^∓0.13455, half the width is 13.496 % of the mean and
    # 12 * 1.3496 ** 2 = 21.9 replications are needed.
    same = dict.fromkeys(headlines(), np.tile([0.1, 0.1001], 6))
    text = warned(with_metrics(study, **same | {"lead_time_h": np.tile([80.0, 120.0], 6)}))
    assert "lead time (±13 %)" in text
    assert "about 22 replications" in text
    assert "Few replications" not in warned(with_metrics(study, **same))


def test_what_is_always_the_same_has_an_unknown_interval(study):
    same = dict.fromkeys(headlines(), np.tile([0.1, 0.1001], 6))
    assert "Unknown interval" not in warned(with_metrics(study, **same))
    text = warned(with_metrics(study, **same | {"deployment_frequency": 0.1}))
    assert "Unknown interval: the replications agree on deployment frequency, or" in text
    (row,) = metric_rows(with_metrics(study, deployment_frequency=0.1), ["deployment_frequency"])
    assert row.estimate.interval == "unknown"


def test_two_replications_cannot_tell(study):
    few = replace(study, runs=study.runs.iloc[:2])
    (first, *_) = (c for c in caveats(few) if c.is_serious)
    assert first.text == (
        "2 replications cannot tell how sure the numbers are: intervals are unknown. 3 are the "
        "fewest that can."
    )


def test_warm_up_shorter_than_mser5_suggests(study):
    # A step down after week 20 has to be left out; alternation keeps the rest from being constant.
    weeks = study.weekly["week"]
    course = np.where(weeks < 20, 50.0, 10.0) + weeks % 2
    late = replace(study, weekly=study.weekly.assign(work_in_progress=course, lead_time_h=10.0))
    assert suggested_warm_up(late.weekly, "work_in_progress") == 20
    assert "8 weeks are left out, MSER-5 suggests 20 for work in progress" in warned(late)
    level = replace(
        study, weekly=study.weekly.assign(work_in_progress=10.0 + weeks % 2, lead_time_h=10.0)
    )
    assert "MSER-5" not in warned(level)


def test_what_was_not_finished_is_stated(study):
    text = warned(with_metrics(study, n_unfinished=60.0, n_changes_deployed=540.0))
    assert "60 changes (10 % of those deployed or unfinished) and 2 incidents" in text


@pytest.mark.parametrize(
    ("unseen", "is_serious", "words"),
    [
        (0.0, False, "add less than 0.1 points to the change failure rate: negligible beside"),
        # The rates below have a half-width of 2.201 · 0.0104 / √12 = 0.66 points.
        (0.005, False, "add about 0.5 points to the change failure rate: negligible beside"),
        (0.008, True, "add about 0.8 points to the change failure rate, more than its interval"),
    ],
)
def test_failures_not_seen_yet_are_held_against_the_interval(study, unseen, is_serious, words):
    rates = np.tile([0.19, 0.21], 6)
    found = caveats(
        with_metrics(study, change_failure_rate=rates, change_failure_rate_unseen=unseen)
    )
    (caveat,) = [each for each in found if "not shown themselves" in each.text]
    assert words in caveat.text
    assert caveat.is_serious == is_serious


def test_without_deployments_no_failure_is_waited_for(study):
    text = warned(with_metrics(study, change_failure_rate_unseen=np.nan))
    assert "not shown themselves" not in text


def test_medians_of_few_incidents_are_named(study):
    def lasting(hours):
        zeros = np.zeros(len(hours), np.intp)
        restored = Restored(np.array(hours), zeros, zeros.astype(bool), zeros)
        return replace(study, restored=restored)

    few = lasting([2.0] * 4 + [8.0] * 5)
    assert "Fewer than 10 incidents in all replications together: time to restore (9)." in warned(
        few
    )
    (row,) = metric_rows(few, ["time_to_restore_h"])
    assert row.estimate == ("8 h", "unknown")
    enough = lasting([2.0] * 5 + [8.0] * 5)
    assert "Fewer than 10 incidents" not in warned(enough)
    (row,) = metric_rows(enough, ["time_to_restore_h"])
    assert row.estimate.value == "5.0 h"
    assert row.estimate.interval


def test_restore_time_by_cause():
    incidents = pd.DataFrame(
        {
            "cause": ["data", "data", "infra", "code"],
            "trigger": "batch",
            "started_at": [100.0, 200.0, 300.0, 0.0],
            "detected_at": [101.0, 205.0, 301.0, 1.0],
            "responded_at": [103.0, 207.0, 301.0, 2.0],
            "diagnosed_at": [104.0, np.nan, 302.0, 3.0],
            "restored_at": [108.0, 210.0, 303.0, 4.0],
        }
    )
    frame = restore_time_by_cause({"incidents": incidents}, (50.0, 400.0))
    # The code incident was restored before the window.
    assert list(frame.index) == ["data", "infra"]
    assert list(frame.columns) == [*(part.column for part in RESTORE_COMPONENTS), "incidents"]
    # The second data incident was restored while being diagnosed, after 3 hours of it.
    assert frame.loc["data"].tolist() == [3.0, 2.0, 2.0, 2.0, 2.0]
    assert frame.loc["infra"].tolist() == [1.0, 0.0, 1.0, 1.0, 1.0]


def test_waiting_for_people_by_role():
    changes = pd.DataFrame(
        {
            "change_id": [0, 1, 2],
            "committed_at": [0.0, 0.0, 0.0],
            "deployed_at": [10.0, 10.0, 999.0],
        }
    )
    steps = pd.DataFrame(
        {
            "change_id": [0, 0, 1, 2],
            "step": ["review", "deploy", "deploy", "deploy"],
            "role": ["ml_engineer", "operations", "operations", "operations"],
            "queued_at": [0.0, 4.0, 0.0, 0.0],
            "finished_at": [4.0, 10.0, 10.0, 999.0],
            "people_h": [3.0, 5.0, 9.0, 900.0],
            "rework": False,
        }
        | dict.fromkeys(("handoff_h", "window_h", "effort_h", "compute_h", "run_h"), 0.0)
    )
    waits = waiting_for_people_by_role({"changes": changes, "steps": steps}, (0.0, 100.0))
    # Two changes were deployed in the window.
    assert waits.to_dict() == {"ml_engineer": 1.5, "operations": 7.0}
