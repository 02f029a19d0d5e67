"""What a replication is reduced to, and bins and weights on teams made by hand."""

import numpy as np
import pandas as pd
import pytest

from sim import load, simulate
from sim.log import EventLog
from sim.metrics.effort import stint_hours
from sim.scenario.organization import WorkingHours
from sim.validation.load import load_tables
from sim.validation.observe import (
    ACTIVITIES,
    DAYS,
    MINUTES,
    SurveyObservation,
    events,
    names,
    observe,
    observe_tables,
    severe,
)
from sim.validation.population import Simulation, weights
from sim.validation.results import Results
from sim.world.calendar import Calendar

DAY, WEEK = 24.0, 168.0


def test_an_event_counts_once():
    incidents = pd.DataFrame(
        [
            (1.0, "decay", 7),  # the model that deployment 7 brought decayed: an event of its own
            (2.0, "deployment", 7),  # broke two services downstream: one event
            (2.0, "deployment", 7),
            (2.5, "upstream", 7),  # spread from there
            (3.0, "deployment", 8),
            (4.0, "outage", None),
            (5.0, "outage", None),
            (99.0, "deployment", 9),  # after the window
        ],
        columns=["started_at", "trigger", "deployment_id"],
    ).astype({"deployment_id": "Int64"})
    found = events(incidents, (0.0, 10.0))
    assert list(found.index) == [0, 1, 4, 5, 6]


def test_severe_incidents_are_noticed_and_somebody_responds():
    incidents = pd.DataFrame(
        [
            ("deployment", 4.0),
            ("outage", 3.0),
            ("outage", np.nan),  # ended by itself
            ("decay", 5.0),
            ("batch", 6.0),
            ("attack", 7.0),
        ],
        columns=["trigger", "responded_at"],
    )
    assert list(severe(incidents).index) == [0, 1, 4, 5]


def _log(tables, name, rows):
    """Return one of the tables with these rows; what they do not say is absent."""
    return pd.DataFrame(rows).reindex(columns=tables[name].columns)


def test_data_incidents_by_the_clock_and_at_work():
    """From Friday 16:00 to Monday 10:00 are 66 hours, and two in which somebody is at work."""
    friday, monday = 4 * DAY + 16, WEEK + 10
    tables = EventLog().to_frames()
    of_data = {"cause": "data", "trigger": "batch", "started_at": friday - 1.0, "service": "a"}
    done = {"detected_at": friday, "responded_at": friday, "restored_at": monday}
    undone = {"detected_at": friday, "restored_at": np.nan}
    tables["incidents"] = _log(tables, "incidents", [of_data | done, of_data | undone])
    tables["services"] = _log(tables, "services", [{"service": "a", "team": "team"}])
    at_work = Calendar(WorkingHours(focus=1.0))
    figures = observe_tables(tables, (0.0, 2 * WEEK), worked=at_work.worked).figures
    assert figures["data_fixed_h"] == pytest.approx(66.0)
    assert figures["data_fixed_at_work_h"] == pytest.approx(2.0)


def test_working_hours_of_a_run_are_those_of_who_repairs_data(run, observation):
    role = run.scenario.incidents.responses.data.role
    assert role == "data_engineer"
    data = events(run.incidents, run.window)
    data = data[data["cause"] == "data"].dropna(subset=["detected_at", "restored_at"])
    hours = []
    for one in data.itertuples():  # counted in quarters of an hour, Monday to Friday from 9 to 17
        times = np.arange(one.detected_at, one.restored_at, 0.25) % WEEK
        at_work = (times < 5 * DAY) & (times % DAY >= 9) & (times % DAY < 17)
        hours.append(0.25 * at_work.sum())
    assert observation.figures["data_fixed_at_work_h"] == pytest.approx(np.mean(hours), abs=0.2)


def test_lead_time_and_failures_by_kind(run, observation):
    start, end = run.window
    changes = run.changes
    own = changes[
        (changes["kind"] == "retrain")
        & (changes["deployed_at"] >= start)
        & (changes["deployed_at"] < end)
    ]
    expected = (own["deployed_at"] - own["committed_at"]).median()
    assert observation.figures["lead_time_retrain_h"] == pytest.approx(expected)
    deployments = run.deployments
    released = deployments[
        (deployments["deployed_at"] >= start) & (deployments["deployed_at"] < end)
    ]
    for kind, figure in (("feature", "failed_features"), ("retrain", "failed_retrainings")):
        failed = released.loc[released["kind"] == kind, "failed"].mean()
        assert observation.figures[figure] == pytest.approx(failed)


@pytest.fixture(scope="module")
def run():
    return simulate(
        load("organization=midsize", "maturity=google_0", "warmup_weeks=4", "horizon_weeks=40")
    )


@pytest.fixture(scope="module")
def observation(run):
    return observe(run)


def test_names_are_known_without_simulating(observation):
    figures, columns = names()
    rest = set(observation.figures) - set(figures)
    assert rest
    assert all(name.startswith("utilization_") for name in rest)
    assert set(figures) <= set(observation.figures)
    assert columns == tuple(observation.teams.columns)


def test_shares_of_incidents_add_up(run, observation):
    figures = observation.figures
    found = events(run.incidents, run.window)
    by_hand = (found["trigger"] == "deployment").mean()
    assert figures["from_changes"] == pytest.approx(by_hand)
    of_causes = sum(value for name, value in figures.items() if name.startswith("cause_"))
    assert of_causes <= figures["not_ml"] + 1e-12  # the rest of it is security
    assert 0.0 < figures["down_from_changes"] < 1.0


def test_hours_of_data_scientists_are_those_of_the_table_of_work(run, observation):
    """From steps, which are complete, and from stints, which are cut: alike but for the edges."""
    total = sum(observation.figures[f"data_scientists: {name}"] for name in ACTIVITIES)
    assert total == pytest.approx(1.0)
    work = run.work[run.work["role"] == "data_scientist"]
    hours = (
        pd.Series(stint_hours(work, run.tables["capacity"], run.window))
        .groupby(work["activity"].to_numpy())
        .sum()
    )
    share = hours["exploration"] / hours.sum()
    assert observation.figures["data_scientists: exploration"] == pytest.approx(share, abs=0.03)


def test_models_per_service_and_year(run, observation):
    start, end = run.window
    brought = {
        int(change.deployment_id)
        for change in run.changes.itertuples()
        if change.kind in ("feature", "retrain") and start <= change.deployed_at < end
    }
    years = 36 * 7 / 365.25
    expected = len(brought) / 6 / years  # six services
    assert observation.figures["models_per_service_year"] == pytest.approx(expected)


def test_times_of_teams(run, observation):
    start, end = run.window
    changes = run.changes
    own = changes[
        (changes["team"] == "product-2")
        & (changes["kind"] == "feature")
        & (changes["deployed_at"] >= start)
        & (changes["deployed_at"] < end)
    ]
    expected = (own["deployed_at"] - own["committed_at"]).median()
    teams = observation.teams
    assert list(teams.index) == ["product", "product-2", "product-3"]
    assert teams.loc["product-2", "time_to_deploy_h"] == pytest.approx(expected)
    assert (teams["from_training_h"] < teams["time_to_deploy_h"]).all()
    deployments = run.deployments
    released = deployments[
        (deployments["team"] == "product")
        & (deployments["deployed_at"] >= start)
        & (deployments["deployed_at"] < end)
    ]
    assert teams.loc["product", "interval_h"] == pytest.approx(2 * (end - start) / len(released))


def _observation(**columns):
    teams = pd.DataFrame(columns, dtype=float)
    return SurveyObservation({}, teams, np.full(DAYS.size, np.nan), np.full(MINUTES.size, np.nan))


def _results(slow, fast):
    """All cells of the population answer `slow`, those of startups `fast`."""
    return Results(
        {
            cell: [_observation(time_to_deploy_h=fast if cell.organization == "startup" else slow)]
            for cell in weights()
        }
    )


def _time_to_deploy():
    return load_tables().distributions.answers["time_to_deploy"]


def test_teams_fall_into_the_bins_of_the_survey():
    bins = _time_to_deploy()
    # A week is still "7 days or less"; who has no answer is left out.
    results = _results([7 * DAY, 7.1 * DAY, 31 * DAY, 40 * DAY, np.nan], [DAY])
    shares = results.shares(Simulation("midsize", "microsoft_0"), "time_to_deploy_h", bins)
    np.testing.assert_allclose(shares, [[0.25, 0.25, 0.5]])
    # A quarter of the population are startups.
    population = results.distribution("time_to_deploy_h", bins, weights())
    np.testing.assert_allclose(population, [[0.75 * 0.25 + 0.25, 0.75 * 0.25, 0.75 * 0.5]])


def test_least_distance_is_that_of_the_best_weights():
    bins = _time_to_deploy()
    # Cells are either wholly within a week or wholly later than a month: 8 to 30 days stay empty,
    # and half of their 28 of 82 is the least that the larger gap can be.
    results = _results([40 * DAY], [DAY])
    assert results.least_distance("time_to_deploy_h", bins) == pytest.approx(0.28 / 0.82 / 2)
    # Nothing else than one bin to choose from.
    results = _results([DAY], [DAY])
    assert results.least_distance("time_to_deploy_h", bins) == pytest.approx(1 - 0.14 / 0.82)
