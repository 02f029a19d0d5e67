"""Availability, quality, staleness and data-to-production time by hand."""

import numpy as np
import pytest

from sim.log import Records
from sim.metrics import compute_metrics
from sim.metrics.reliability import availability, data_to_production, model_quality

WINDOW = (100.0, 200.0)
SERVICES = [{"service": "ads", "team": "red"}, {"service": "fraud", "team": "blue"}]


def outage(service, started_at, restored_at=np.nan, cause="infra"):
    return {
        "service": service,
        "cause": cause,
        "started_at": started_at,
        "restored_at": restored_at,
    }


@pytest.mark.parametrize(
    ("incidents", "hours_down"),
    [
        ([], 0),
        ([outage("ads", 110, 120)], 10),
        ([outage("ads", 110, 120), outage("fraud", 110, 120)], 20),
        # Cut at both edges; wholly outside; touching an edge.
        ([outage("ads", 90, 105), outage("fraud", 195, 250)], 10),
        ([outage("ads", 50, 300)], 100),
        ([outage("ads", 10, 100), outage("ads", 200, 210)], 0),
        # Open ones last to the end.
        ([outage("ads", 180)], 20),
        # Overlapping, nested, touching, not in order: [110, 130), [140, 150).
        (
            [
                outage("ads", 120, 130),
                outage("ads", 140, 145),
                outage("ads", 110, 125),
                outage("ads", 112, 114),
                outage("ads", 145, 150),
            ],
            30,
        ),
        # A long one of the first service must not swallow one of the second.
        ([outage("ads", 150), outage("fraud", 101, 102)], 51),
        # A service that answers badly is up.
        ([outage("ads", 110, 120, cause) for cause in ("model", "data", "code", "security")], 0),
    ],
)
def test_availability_is_the_share_of_service_time_outside_outages(
    make_tables, incidents, hours_down
):
    tables = make_tables(services=SERVICES, incidents=incidents)
    assert availability(tables, WINDOW) == pytest.approx(1 - hours_down / 200)


def test_availability_agrees_with_counting_minutes(make_tables):
    rng = np.random.default_rng(4)
    started_at = rng.uniform(50, 220, 60).round(1)
    restored_at = (started_at + rng.exponential(3, 60)).round(1)
    service = rng.choice(["ads", "fraud"], 60)
    rows = [outage(*row) for row in zip(service, started_at, restored_at, strict=True)]
    tables = make_tables(services=SERVICES, incidents=rows)
    middle = np.arange(100.05, 200, 0.1)
    down = 0
    for name in ("ads", "fraud"):
        of_service = service == name
        down += (
            (
                (middle[:, None] >= started_at[of_service])
                & (middle[:, None] < restored_at[of_service])
            )
            .any(axis=1)
            .sum()
        )
    assert availability(tables, WINDOW) == pytest.approx(1 - down / (2 * middle.size))


def test_without_services_there_is_no_availability(make_tables):
    assert np.isnan(availability(make_tables(), WINDOW))


def test_an_incident_of_an_unknown_service_is_an_error(make_tables):
    tables = make_tables(services=SERVICES, incidents=[outage("frand", 110, 120)])
    with pytest.raises(ValueError, match="'incidents' has a row of the unknown service 'frand'"):
        compute_metrics(Records(tables, WINDOW))


def reading(service, at, below, data_from):
    return {"service": service, "at": at, "below": below, "model_data_from": data_from}


def test_quality_holds_from_each_row_to_the_next_of_the_service(make_tables):
    tables = make_tables(
        services=SERVICES,
        quality=[
            reading("ads", 0.0, False, 0.0),
            reading("fraud", 60.0, True, 50.0),
            reading("ads", 140.0, True, 0.0),
            reading("ads", 150.0, False, 130.0),
            reading("fraud", 120.0, False, 100.0),
            reading("ads", 200.0, True, 130.0),
        ],
    )
    quality = model_quality(tables, WINDOW)
    # Below: ads 140 to 150, fraud 100 to 120, of 200 service hours.
    assert quality["share_below_objective"] == pytest.approx(30 / 200)
    # Ages grow linearly: ads 100 to 150 h over 50 h, 20 to 70 h over 50 h; fraud 50 to 70 h over
    # 20 h, 20 to 100 h over 80 h.
    ages = 50 * 125 + 50 * 45 + 20 * 60 + 80 * 60
    assert quality["staleness_h"] == pytest.approx(ages / 200)


def test_quality_counts_only_where_it_is_known(make_tables):
    # Ads from 150 on, and there without a model from 190 on; nothing of fraud.
    tables = make_tables(
        services=SERVICES,
        quality=[reading("ads", 150.0, True, 140.0), reading("ads", 190.0, False, np.nan)],
    )
    quality = model_quality(tables, WINDOW)
    assert quality["share_below_objective"] == pytest.approx(40 / 50)
    assert quality["staleness_h"] == pytest.approx(30.0)  # 10 to 50 h


def test_of_two_rows_at_the_same_time_the_later_one_holds(make_tables):
    tables = make_tables(
        services=SERVICES,
        quality=[
            reading("ads", 100.0, True, 0.0),
            reading("ads", 150.0, True, 0.0),
            reading("ads", 150.0, False, 150.0),
        ],
    )
    assert model_quality(tables, WINDOW)["share_below_objective"] == pytest.approx(0.5)


def test_without_rows_there_is_no_quality(make_tables):
    assert np.isnan(list(model_quality(make_tables(services=SERVICES), WINDOW).values())).all()


def test_data_to_production_takes_only_deployments_of_new_models(make_tables):
    def deployment(number, service, deployed_at, data_from):
        return {
            "deployment_id": number,
            "service": service,
            "deployed_at": deployed_at,
            "model_data_from": data_from,
        }

    tables = make_tables(
        services=SERVICES,
        deployments=[
            deployment(0, "ads", 90.0, 10.0),  # new, but before the window
            deployment(1, "ads", 110.0, 10.0),  # only code
            deployment(2, "ads", 120.0, 95.0),  # new: 25 h
            deployment(3, "ads", 130.0, 10.0),  # only code, after number 2 was rolled back
            deployment(4, "ads", 140.0, 95.0),  # number 2 once more
            deployment(5, "fraud", 150.0, 10.0),  # the first of its service: 140 h
            deployment(6, "fraud", 170.0, 110.0),  # new: 60 h
            deployment(7, "fraud", 205.0, 180.0),  # after the window
            deployment(8, "fraud", np.nan, 185.0),  # not deployed
            deployment(9, "ads", 160.0, np.nan),  # without a model
        ],
    )
    assert data_to_production(tables, WINDOW) == pytest.approx(60.0)
    # The records of fraud's quality show that its first deployment carried on the initial model.
    tables["quality"] = make_tables(quality=[reading("fraud", 0.0, False, 10.0)])["quality"]
    assert data_to_production(tables, WINDOW) == pytest.approx(42.5)  # of 25 h and 60 h
    assert np.isnan(data_to_production(make_tables(services=SERVICES), WINDOW))
