"""Reduces a replication, in its worker, to a few numbers for the organization and each team.

All of them come from the event tables of the observed window, like the metrics.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.experiment.intervals import FloatArray
from sim.experiment.run import Run
from sim.hours import HOURS_PER_DAY, HOURS_PER_YEAR
from sim.log import EventLog, Records, Tables
from sim.metrics import compute_metrics
from sim.metrics.arrays import Window, inside, mean, median, ratio
from sim.metrics.effort import stint_hours
from sim.world.calendar import Calendar

DAYS = np.array([*np.arange(0.0, 31.0), *np.arange(32.0, 182.0, 2.0)])
"""Grid of the cumulative distribution of the time to deploy, in days."""
MINUTES = np.geomspace(1.0, 20_000.0, 60)
"""Grid of the cumulative distribution of the restore time."""

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
"""Uses of people's time. `code` is tests, reviews, rework and all writing except explorations."""
DATA_SCIENTISTS = ("data_scientist",)
TEAM_ROLES = ("data_scientist", "ml_engineer", "data_engineer")


@dataclass(frozen=True)
class SurveyObservation:
    """The figures of one replication of one organization.

    Attributes:
        figures: figures of the organization, by name.
        teams: a row per team with services. `time_to_deploy_h`, `from_training_h`, `lead_time_h`
            and `recovery_h` are medians; `interval_h` is the time between deployments of a service;
            `deploying` is the share of data scientists' time after the commit. NaN if there is
            none.
        deployed: share of new models in production within :data:`DAYS` of their commit.
        restored: share of infrastructure incidents restored within :data:`MINUTES`.
    """

    figures: Mapping[str, float]
    teams: pd.DataFrame
    deployed: FloatArray
    restored: FloatArray


def observe(run: Run) -> SurveyObservation:
    """Return the figures of ``run``."""
    scenario = run.scenario
    stages = {name: scenario.pipeline.stage_of(name) for name in scenario.pipeline.steps}
    role = scenario.incidents.responses.data.role
    hours = scenario.working_hours_of.get(role, scenario.working_hours)
    open_hours = Calendar(hours.model_copy(update={"focus": 1.0}))
    return observe_tables(run.tables, run.window, stages, open_hours.worked)


def observe_tables(
    tables: Tables,
    window: Window,
    stages: Mapping[str, str] = {},
    worked: Callable[[float, float], float] = lambda start, end: end - start,
) -> SurveyObservation:
    """Return the figures of an organization, from its event tables in the observed window.

    Args:
        tables: the event tables.
        window: the observed window in h.
        stages: the stage that a step is, by name of a step that is not called like its stage.
        worked: hours in which data engineers are at work between two times; by default all.
    """
    times = _times_to_deploy(tables, window)
    infra = _infra_minutes(tables, window)
    science = _hours(tables, window, DATA_SCIENTISTS, stages)
    metrics = compute_metrics(Records(tables, window))
    figures = {
        **{str(name): float(value) for name, value in metrics.items()},
        "models_per_service_year": _models_per_service_year(tables, window),
        "time_to_deploy_h": median(times["time_to_deploy_h"].to_numpy()),
        "failed_features": _failed(tables, window, "feature"),
        "failed_retrainings": _failed(tables, window, "retrain"),
        "lead_time_retrain_h": _lead_time_of_retrainings_h(tables, window),
        "exploration_to_production_h": mean(times["since_start_h"].to_numpy()),
        "commit_to_production_h": mean(times["time_to_deploy_h"].to_numpy()),
        "review_h": _review_h(tables, window),
        **_incident_figures(tables, window, worked),
        **_lognormal(infra),
        **_shares("data_scientists", science),
        **_shares("team", _hours(tables, window, TEAM_ROLES, stages)),
    }
    days = times["time_to_deploy_h"].to_numpy() / HOURS_PER_DAY
    return SurveyObservation(
        figures,
        _teams(tables, window, times, science),
        _within(days, DAYS),
        _within(infra, MINUTES),
    )


def names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of all figures, and of all columns of teams, without simulating.

    The utilization of each resource is left out; its names depend on the scenario.
    """
    observation = observe_tables(EventLog().to_frames(), (0.0, 1.0))
    return tuple(observation.figures), tuple(observation.teams.columns)


def _within(values: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the cumulative distribution of ``values`` on a grid; NaN if there are none."""
    if not values.size:
        return np.full(grid.size, np.nan)
    return np.searchsorted(np.sort(values), grid, side="right") / values.size


def _times_to_deploy(tables: Tables, window: Window) -> pd.DataFrame:
    """Return a row per new model (feature) deployed in the window, with the time it took.

    `time_to_deploy_h` counts from its commit, `from_training_h` from the end of its last training,
    `since_start_h` from the start of its exploration.
    """
    changes = tables["changes"]
    new = changes[(changes["kind"] == "feature") & inside(_column(changes, "deployed_at"), window)]
    steps = tables["steps"]
    trained = steps[(steps["effect"] == "trains_model") & (steps["outcome"] == "passed")]
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


def _models_per_service_year(tables: Tables, window: Window) -> float:
    """Return deployments of a newly trained model, per service and year.

    New models (features) and retrainings both count, because Google's level 0 counts new model
    versions in production. Fixes and upkeep of code bring none. Changes that ship together are one
    deployment.
    """
    changes = tables["changes"]
    carry = changes["kind"].isin(("feature", "retrain"))
    of_window = carry & inside(_column(changes, "deployed_at"), window)
    years = (window[1] - window[0]) / HOURS_PER_YEAR
    deployments = changes.loc[of_window, "deployment_id"].nunique()
    return ratio(deployments, len(tables["services"]) * years)


def _failed(tables: Tables, window: Window, kind: str) -> float:
    """Return the share of deployments of a kind that caused an incident, without decay."""
    deployments = tables["deployments"]
    of_window = inside(_column(deployments, "deployed_at"), window)
    return mean(_column(deployments[(deployments["kind"] == kind) & of_window], "failed"))


def _lead_time_of_retrainings_h(tables: Tables, window: Window) -> float:
    """Return the median from commit to production of the retrainings deployed in the window."""
    changes = tables["changes"]
    of_window = inside(_column(changes, "deployed_at"), window)
    retrainings = changes[(changes["kind"] == "retrain") & of_window]
    return median((retrainings["deployed_at"] - retrainings["committed_at"]).to_numpy())


def _review_h(tables: Tables, window: Window) -> float:
    steps = tables["steps"]
    reviews = (steps["step"] == "review") & inside(_column(steps, "finished_at"), window)
    return median((steps["finished_at"] - steps["queued_at"])[reviews].to_numpy())


def events(incidents: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Return the incidents that started in the window, each event once.

    An incident that spread from another service belongs to the event there. Incidents that one
    deployment caused at several services downstream are one event.
    """
    started = incidents[inside(_column(incidents, "started_at"), window)]
    own = started[started["trigger"] != "upstream"]
    by_change = own["trigger"] == "deployment"
    first = own[by_change].drop_duplicates("deployment_id")
    return own[~by_change | own.index.isin(first.index)]


def severe(found: pd.DataFrame) -> pd.DataFrame:
    """Return the events that a study of severe incidents would have looked at.

    Microsoft Teams studied severities 0 to 2, those with a complete postmortem. The log knows no
    severity. What users notice at once, and somebody had to act upon, corresponds to it best: not
    the slow decay of a model, nor what ended before anybody responded. How long an incident took
    says nothing about its severity (VOID), so that short ones stay.

    Args:
        found: what :func:`events` returns.
    """
    return found[(found["trigger"] != "decay") & found["responded_at"].notna()]


def _causes(found: pd.DataFrame) -> dict[str, float]:
    """Return the shares of causes, and of incidents that were ended by a rollback."""
    by_change, cause = found["trigger"] == "deployment", found["cause"].astype(str)
    kinds = {
        "code": cause == "code",
        "dependency": cause == "dependency",
        "infrastructure": (cause == "infra") & ~by_change,
        "deployment, config": (cause == "infra") & by_change,
    }
    restored = found[found["restored_at"].notna()]
    return {
        "rolled_back": ratio((restored["remedy"] == "rollback").sum(), len(restored)),
        **{f"cause_{name}": ratio(of.sum(), len(found)) for name, of in kinds.items()},
    }


def _incident_figures(
    tables: Tables, window: Window, worked: Callable[[float, float], float]
) -> dict[str, float]:
    found = events(tables["incidents"], window)
    trigger, cause = found["trigger"].astype(str), found["cause"].astype(str)
    by_change = trigger == "deployment"
    infra = cause == "infra"
    of_severe = {f"severe_{name}": share for name, share in _causes(severe(found)).items()}
    data = found[cause == "data"]
    detected_h = (data["detected_at"] - data["started_at"]).dropna().to_numpy()
    fixed_h = data["restored_at"] - data["detected_at"]
    ends = data[["detected_at", "restored_at"]].dropna().astype(float).itertuples(index=False)
    at_work_h = np.array([worked(*end) for end in ends], dtype=np.float64)
    late = mean(detected_h) >= 4.0 if detected_h.size else np.nan
    return {
        "from_changes": ratio(by_change.sum(), len(found)),
        "down_from_changes": ratio((by_change & infra).sum(), infra.sum()),
        "not_ml": ratio((cause.isin(_NOT_ML) & (trigger != "decay")).sum(), len(found)),
        **_causes(found),
        **of_severe,
        "data_detected_late": float(late),
        "data_fixed_h": mean(fixed_h.dropna().to_numpy()),
        "data_fixed_at_work_h": mean(at_work_h),
        "batch_fixed_h": mean(fixed_h[data["trigger"] == "batch"].dropna().to_numpy()),
    }


def _infra_minutes(tables: Tables, window: Window) -> FloatArray:
    """Return the durations of infrastructure incidents restored in the window, in minutes."""
    incidents = tables["incidents"]
    infra = (incidents["cause"] == "infra") & (incidents["trigger"] != "upstream")
    restored = incidents[infra & inside(_column(incidents, "restored_at"), window)]
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


def _hours(
    tables: Tables, window: Window, roles: tuple[str, ...], stages: Mapping[str, str]
) -> pd.DataFrame:
    """Return the hours of these roles in the window, by team and activity.

    They come from the steps that ended in the window, and from the work on incidents and toil,
    which belongs to no change. Changes that ship together share a deployment step, which counts
    once.
    """
    teams = tables["services"].set_index("service")["team"].astype(str)
    steps = tables["steps"]
    own = steps[steps["role"].isin(roles) & inside(_column(steps, "finished_at"), window)]
    own = own.drop_duplicates("execution_id")
    delivery = pd.DataFrame(
        {
            "team": own["service"].map(teams).astype(str),
            "activity": own["step"].astype(str).replace(stages).map(_ACTIVITIES).fillna("code"),
            "hours": own["effort_h"],
        }
    )
    work = tables["work"]
    other = work[work["role"].isin(roles) & work["change_id"].isna()]
    rest = pd.DataFrame(
        {
            "team": other["team"].astype(str),
            "activity": "incidents and toil",
            "hours": stint_hours(other, tables["capacity"], window),
        }
    )
    hours = pd.concat([delivery, rest])
    table = hours.pivot_table("hours", "team", "activity", "sum", fill_value=0.0)
    return table.reindex(columns=list(ACTIVITIES), fill_value=0.0)


def _shares(group: str, hours: pd.DataFrame) -> dict[str, float]:
    total = hours.sum()
    return {f"{group}: {name}": ratio(total[name], total.sum()) for name in ACTIVITIES}


def _teams(
    tables: Tables, window: Window, times: pd.DataFrame, science: pd.DataFrame
) -> pd.DataFrame:
    services = tables["services"]["team"].astype(str).value_counts(sort=False)
    changes, deployments, incidents = tables["changes"], tables["deployments"], tables["incidents"]
    delivered = changes[inside(_column(changes, "deployed_at"), window)]
    released = deployments[inside(_column(deployments, "deployed_at"), window)]
    caused = incidents[
        (incidents["trigger"] == "deployment") & inside(_column(incidents, "restored_at"), window)
    ]
    # Since 2023 DORA has asked for recovery from failed deployments. A failure belongs to the team
    # that deployed.
    owner = deployments.set_index("deployment_id")["team"].astype(str)
    hours = window[1] - window[0]
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
