"""What a replication is reduced to in its worker: a few numbers for each organization and team.

Everything is taken from the event tables of the observed window, the same that the metrics use.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.experiment.intervals import FloatArray
from sim.experiment.run import Run
from sim.metrics.arrays import Window, inside, mean, median, ratio
from sim.metrics.effort import stint_hours

DAYS = np.array([*np.arange(0.0, 31.0), *np.arange(32.0, 182.0, 2.0)])
"""Grid of the cumulative distribution of the time to deploy, in days."""
MINUTES = np.geomspace(1.0, 20_000.0, 60)
"""Grid of the cumulative distribution of the restore time."""

_YEAR_H = 365.25 * 24.0
_NOT_ML = ("infra", "code", "security", "dependency")
_ACTIVITIES = {
    "exploration": "exploration",
    "ingest": "preparation",
    "validate_data": "preparation",
    "build_features": "preparation",
    "train": "training",
    "evaluate": "training",
    "reconstruction": "training",
    "package": "deployment",
    "integration_test": "deployment",
    "security_review": "deployment",
    "approve": "deployment",
    "deploy": "deployment",
    "verify": "deployment",
    "unit_test": "code",
    "review": "code",
    "rework": "code",
    "authoring": "code",
}
ACTIVITIES = (*dict.fromkeys(_ACTIVITIES.values()), "incidents and toil")
"""What people's time goes into. Code: tests, reviews, rework and whatever is written that is no
exploration."""
DATA_SCIENTISTS = ("data_scientist",)
TEAM_ROLES = ("data_scientist", "ml_engineer", "data_engineer")


@dataclass(frozen=True)
class Observation:
    """What one replication of one organization is judged by.

    Attributes:
        figures: by name, of the organization.
        teams: a row per team with services: `time_to_deploy_h`, `from_training_h`, `lead_time_h`,
            `recovery_h` (medians), `interval_h` between deployments of a service, and `deploying`,
            the share of data scientists' time; NaN where a team had none.
        deployed: share of new models in production within :data:`DAYS` of their commit.
        restored: share of infrastructure incidents restored within :data:`MINUTES`.
    """

    figures: Mapping[str, float]
    teams: pd.DataFrame
    deployed: FloatArray
    restored: FloatArray


def observe(run: Run) -> Observation:
    """Return what ``run`` is judged by."""
    times = _times_to_deploy(run)
    infra = _infra_minutes(run)
    science = _hours(run, DATA_SCIENTISTS)
    figures = {
        **{str(name): float(value) for name, value in run.metrics().items()},
        "models_per_service_year": _models_per_service_year(run),
        "time_to_deploy_h": median(times["time_to_deploy_h"].to_numpy()),
        "failed_features": _failed_features(run),
        "prototype_to_production_h": mean(times["since_start_h"].to_numpy()),
        "review_h": _review_h(run),
        **_incident_figures(run),
        **_lognormal(infra),
        **_shares("data_scientists", science),
        **_shares("team", _hours(run, TEAM_ROLES)),
    }
    days = times["time_to_deploy_h"].to_numpy() / 24.0
    return Observation(
        figures, _teams(run, times, science), _within(days, DAYS), _within(infra, MINUTES)
    )


def _within(values: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the cumulative distribution of ``values`` on a grid; NaN of nothing."""
    if not values.size:
        return np.full(grid.size, np.nan)
    return np.searchsorted(np.sort(values), grid, side="right") / values.size


def _times_to_deploy(run: Run) -> pd.DataFrame:
    """Return a row per new model (feature) deployed in the window, and how long that took.

    `time_to_deploy_h` since its commit; `from_training_h` since the end of its last training;
    `since_start_h` since the start of its exploration.
    """
    changes = run.changes
    new = changes[
        (changes["kind"] == "feature") & inside(_column(changes, "deployed_at"), run.window)
    ]
    steps = run.steps
    trained = steps[(steps["step"] == "train") & (steps["outcome"] == "passed")]
    last = trained.groupby("change_id")["finished_at"].max()
    deployed_at = new["deployed_at"]
    return pd.DataFrame(
        {
            "team": new["team"].astype(str),
            "time_to_deploy_h": deployed_at - new["committed_at"],
            "from_training_h": deployed_at - new["change_id"].map(last),
            "since_start_h": deployed_at - new["started_at"],
        }
    )


def _models_per_service_year(run: Run) -> float:
    """Return deployments that carry a newly trained model, per service and year.

    New models (features) and retrainings alike: what Google's level 0 counts is a new model version
    in production. Fixes and upkeep of code bring none. Changes that ship together are one.
    """
    changes = run.changes
    carry = changes["kind"].isin(("feature", "retrain"))
    of_window = carry & inside(_column(changes, "deployed_at"), run.window)
    years = (run.window[1] - run.window[0]) / _YEAR_H
    deployments = changes.loc[of_window, "deployment_id"].nunique()
    return ratio(deployments, len(run.tables["services"]) * years)


def _failed_features(run: Run) -> float:
    """Return the share of deployments of new models that caused an incident, decay left out."""
    deployments = run.deployments
    of_window = inside(_column(deployments, "deployed_at"), run.window)
    new = deployments[(deployments["kind"] == "feature") & of_window]
    return mean(_column(new, "failed"))


def _review_h(run: Run) -> float:
    steps = run.steps
    reviews = (steps["step"] == "review") & inside(_column(steps, "finished_at"), run.window)
    return median((steps["finished_at"] - steps["queued_at"])[reviews].to_numpy())


def events(incidents: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Return the incidents that started in the window, each event once.

    What spread from another service is part of the event there, and what one deployment broke at
    several services downstream is one event.
    """
    started = incidents[inside(_column(incidents, "started_at"), window)]
    own = started[started["trigger"] != "upstream"]
    by_change = own["trigger"] == "deployment"
    first = own[by_change].drop_duplicates("deployment_id")
    return own[~by_change | own.index.isin(first.index)]


def _incident_figures(run: Run) -> dict[str, float]:
    found = events(run.incidents, run.window)
    trigger, cause = found["trigger"].astype(str), found["cause"].astype(str)
    by_change = trigger == "deployment"
    infra = cause == "infra"
    kinds = {
        "code": cause == "code",
        "dependency": cause == "dependency",
        "infrastructure": infra & ~by_change,
        "deployment, config": infra & by_change,
    }
    restored = found[found["restored_at"].notna()]
    data = found[cause == "data"]
    detected_h = (data["detected_at"] - data["started_at"]).dropna().to_numpy()
    fixed_h = data["restored_at"] - data["detected_at"]
    late = mean(detected_h) >= 4.0 if detected_h.size else np.nan
    return {
        "from_changes": ratio(by_change.sum(), len(found)),
        "down_from_changes": ratio((by_change & infra).sum(), infra.sum()),
        "not_ml": ratio((cause.isin(_NOT_ML) & (trigger != "decay")).sum(), len(found)),
        "rolled_back": ratio((restored["remedy"] == "rollback").sum(), len(restored)),
        **{f"cause_{name}": ratio(of.sum(), len(found)) for name, of in kinds.items()},
        "data_detected_late": float(late),
        "data_fixed_h": mean(fixed_h.dropna().to_numpy()),
        "batch_fixed_h": mean(fixed_h[data["trigger"] == "batch"].dropna().to_numpy()),
    }


def _infra_minutes(run: Run) -> FloatArray:
    """Return the durations of infrastructure incidents restored in the window, in minutes."""
    incidents = run.incidents
    infra = (incidents["cause"] == "infra") & (incidents["trigger"] != "upstream")
    restored = incidents[infra & inside(_column(incidents, "restored_at"), run.window)]
    minutes = 60.0 * (restored["restored_at"] - restored["started_at"]).to_numpy()
    return np.asarray(minutes[minutes > 0.0], dtype=np.float64)


def _lognormal(minutes: FloatArray) -> dict[str, float]:
    logs = np.log(minutes)
    quantiles = np.quantile(minutes, (0.1, 0.5, 0.9)) if minutes.size else [np.nan] * 3
    return {
        "restore_mean_log": mean(logs),
        "restore_sd_log": float(np.std(logs, ddof=1)) if logs.size > 1 else np.nan,
        **dict(
            zip(("restore_p10", "restore_p50", "restore_p90"), map(float, quantiles), strict=True)
        ),
    }


def _hours(run: Run, roles: tuple[str, ...]) -> pd.DataFrame:
    """Return the hours of these roles in the window by team and by what they went into.

    From the steps that ended in the window, and the work on incidents and toil, which belongs to no
    change. Changes that ship together share one deployment step, which counts once.
    """
    teams = run.tables["services"].set_index("service")["team"].astype(str)
    steps = run.steps
    own = steps[steps["role"].isin(roles) & inside(_column(steps, "finished_at"), run.window)]
    own = own.drop_duplicates(["service", "step", "role", "started_at", "finished_at"])
    delivery = pd.DataFrame(
        {
            "team": own["service"].map(teams).astype(str),
            "activity": own["step"].astype(str).map(_ACTIVITIES).fillna("code"),
            "hours": own["effort_h"],
        }
    )
    work = run.work
    other = work[work["role"].isin(roles) & work["change_id"].isna()]
    rest = pd.DataFrame(
        {
            "team": other["team"].astype(str),
            "activity": "incidents and toil",
            "hours": stint_hours(other, run.tables["capacity"], run.window),
        }
    )
    hours = pd.concat([delivery, rest])
    table = hours.pivot_table("hours", "team", "activity", "sum", fill_value=0.0)
    return table.reindex(columns=list(ACTIVITIES), fill_value=0.0)


def _shares(group: str, hours: pd.DataFrame) -> dict[str, float]:
    total = hours.sum()
    return {f"{group}: {name}": ratio(total[name], total.sum()) for name in ACTIVITIES}


def _teams(run: Run, times: pd.DataFrame, science: pd.DataFrame) -> pd.DataFrame:
    services = run.tables["services"]["team"].astype(str).value_counts(sort=False)
    changes, deployments, incidents = run.changes, run.deployments, run.incidents
    delivered = changes[inside(_column(changes, "deployed_at"), run.window)]
    released = deployments[inside(_column(deployments, "deployed_at"), run.window)]
    caused = incidents[
        (incidents["trigger"] == "deployment")
        & inside(_column(incidents, "restored_at"), run.window)
    ]
    # DORA asks for recovery from failed deployments since 2023; a failure belongs to the team whose
    # deployment it was.
    owner = deployments.set_index("deployment_id")["team"].astype(str)
    hours = run.window[1] - run.window[0]
    per_service = released["team"].astype(str).value_counts().reindex(services.index, fill_value=0)
    after_commit = science.drop(columns=["exploration", "incidents and toil"]).sum(axis=1)
    columns = {
        "time_to_deploy_h": times.groupby("team")["time_to_deploy_h"].median(),
        "from_training_h": times.groupby("team")["from_training_h"].median(),
        "lead_time_h": (delivered["deployed_at"] - delivered["committed_at"])
        .groupby(delivered["team"].astype(str))
        .median(),
        "recovery_h": (caused["restored_at"] - caused["started_at"])
        .groupby(caused["deployment_id"].map(owner))
        .median(),
        "interval_h": hours * services / per_service,  # infinite without a deployment
        "deploying": after_commit / science.sum(axis=1),
    }
    return pd.DataFrame(columns).reindex(services.index)


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    return np.asarray(frame[name], dtype=np.float64)
