"""A small study made by hand: what the report needs, with numbers that are easy to check."""

import numpy as np
import pandas as pd

import sim
from sim import Run, Study
from sim.scenario.organization import Cost, Investment

WEEK = 168.0
# Step, role; mean hours of touch, run, and waiting for people, compute, approval, handoff.
STEPS = (
    ("validate_data", "data_engineer", 1.0, 0.5, 1.5, 0.0, 0.0, 0.0),
    ("build_features", "data_engineer", 2.0, 0.7, 4.0, 0.2, 0.0, 0.0),
    ("unit_test", "ml_engineer", 0.5, 0.2, 1.0, 0.1, 0.0, 1.0),
    ("train", "ml_engineer", 0.5, 6.0, 1.5, 3.0, 0.0, 0.0),
    ("evaluate", "data_scientist", 1.5, 0.5, 3.0, 0.0, 0.0, 2.0),
    ("review", "ml_engineer", 1.0, 0.0, 6.0, 0.0, 0.0, 1.0),
    ("integration_test", "ml_engineer", 1.0, 1.0, 2.0, 0.5, 0.0, 0.0),
    ("security_review", "security", 1.0, 0.0, 9.0, 0.0, 0.0, 2.5),
    ("approve", "operations", 0.3, 0.0, 4.0, 0.0, 14.0, 1.0),
    ("deploy", "operations", 1.0, 0.5, 12.0, 0.0, 3.0, 0.0),
    ("verify", "operations", 0.8, 0.2, 3.0, 0.0, 0.0, 0.0),
)


def make_steps(
    rng: np.random.Generator, start: float, changes: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, change_rows = [], []
    columns = ("effort_h", "run_h", "people_h", "compute_h", "window_h", "handoff_h")
    for change in range(changes):
        now = committed = start + float(rng.uniform(0.0, 40 * WEEK))
        sent_back = rng.random() < 0.3
        for attempt in range(1, 3 if sent_back else 2):
            for step, role, *means in STEPS[3:5] if attempt == 2 else STEPS:
                hours = np.where(np.array(means) > 0, rng.gamma(1.5, 1 / 1.5, 6) * means, 0.0)
                row = dict(zip(columns, hours, strict=True))
                row |= {
                    "batch_h": 0.0,
                    "change_id": change,
                    "service": f"s{change % 6}",
                    "step": step,
                    "attempt": attempt,
                    "mode": "manual",
                    "role": role,
                    "queued_at": now,
                    "started_at": now,
                    "finished_at": now + hours.sum(),
                    "rework": attempt == 2,
                    "outcome": "passed",
                }
                now = row["finished_at"]
                rows.append(row)
        change_rows.append(
            {
                "change_id": change,
                "service": f"s{change % 6}",
                "team": "a",
                "kind": "feature",
                "created_at": committed - 200.0,
                "started_at": committed - 200.0,
                "committed_at": committed,
                "deployed_at": now,
                "ended_at": now,
                "status": "deployed",
            }
        )
    return pd.DataFrame(rows), pd.DataFrame(change_rows)


def make_incidents(rng: np.random.Generator, start: float, count: int) -> pd.DataFrame:
    causes = ("infra", "data", "model", "code", "security")
    means = {
        "infra": (0.3, 1.0, 1.0, 2.0),
        "data": (6.0, 4.0, 3.0, 8.0),
        "model": (30.0, 8.0, 6.0, 40.0),
        "code": (2.0, 2.0, 3.0, 5.0),
        "security": (20.0, 1.0, 8.0, 14.0),
    }
    rows = []
    for incident in range(count):
        cause = causes[int(rng.choice(5, p=[0.3, 0.2, 0.3, 0.15, 0.05]))]
        times = start + rng.uniform(0, 40 * WEEK) + np.cumsum([0, *rng.exponential(means[cause])])
        names = ("started_at", "detected_at", "responded_at", "diagnosed_at", "restored_at")
        rows.append(
            {"incident_id": incident, "cause": cause, "service": "s0", "trigger": "deployment"}
            | {"remedy": "rollback" if cause == "model" else "fix"}
            | dict(zip(names, times, strict=True))
        )
    return pd.DataFrame(rows)


def make_runs(rng: np.random.Generator, replications: int) -> pd.DataFrame:
    """Return metrics per replication around round means, the parts adding up to the whole."""

    def around(mean: float, spread: float = 0.1) -> np.ndarray:
        return mean * rng.gamma(1 / spread**2, spread**2, replications)

    parts = {"touch": 12.0, "run": 9.0, "people": 40.0, "compute": 4.0}
    parts |= {"approval": 16.0, "handoff": 8.0, "rework": 11.0}
    phases = {"detect": 9.0, "respond": 4.0, "diagnose": 4.0, "remedy": 13.0}
    causes = {"infra": 0.05, "model": 0.08, "data": 0.04, "code": 0.02, "security": 0.005}
    causes["dependency"] = 0.01
    efforts = {"delivery": 300.0, "incident_work": 60.0, "toil": 30.0, "investment": 10.0}
    efforts["idle"] = 100.0
    heads = {"people": 60e3, "compute": 5e3, "tools": 1e3, "downtime": 9e3, "degraded": 4e3}
    runs = {"replication": np.arange(replications), "deployment_frequency": around(0.24)}
    runs |= {f"lead_time_{name}_h": around(mean) for name, mean in parts.items()}
    runs["lead_time_batch_h"] = 0.0
    runs["lead_time_mean_h"] = sum(runs[f"lead_time_{name}_h"] for name in parts)
    runs["lead_time_h"] = 0.8 * runs["lead_time_mean_h"]
    runs["lead_time_p90_h"] = 2.0 * runs["lead_time_mean_h"]
    runs["ml_lead_time_h"] = around(600.0)
    runs |= {f"change_failure_rate_{name}": around(mean, 0.3) for name, mean in causes.items()}
    runs["change_failure_rate"] = sum(runs[f"change_failure_rate_{name}"] for name in causes)
    runs["change_failure_rate_unseen"] = np.full(replications, 0.0002)
    runs |= {f"{name}_mean_h": around(mean, 0.2) for name, mean in phases.items()}
    runs["time_to_restore_mean_h"] = sum(runs[f"{name}_mean_h"] for name in phases)
    runs["time_to_restore_h"] = 0.7 * runs["time_to_restore_mean_h"]
    runs["failed_deployment_recovery_time_h"] = around(17.0, 0.3)
    runs["rework_rate"] = around(0.12, 0.2)
    runs["availability"] = 1.0 - around(0.003, 0.3)
    runs["share_below_objective"] = around(0.06, 0.3)
    runs["staleness_h"] = around(700.0, 0.2)
    runs["work_in_progress"] = around(14.0)
    runs |= {f"{name}_h_per_week": around(mean) for name, mean in efforts.items()}
    runs["capacity_h_per_week"] = sum(runs[f"{name}_h_per_week"] for name in efforts)
    runs |= {f"cost_{name}_per_week": around(mean) for name, mean in heads.items()}
    runs["cost_per_week"] = sum(runs[f"cost_{name}_per_week"] for name in heads)
    runs["cost_per_deployment"] = runs["cost_per_week"] * 52 / 524
    runs["worth_per_week"] = around(30e3)
    runs["net_cost_per_week"] = runs["cost_per_week"] - runs["worth_per_week"]
    runs["utilization_operations"] = around(0.83, 0.05)
    runs["utilization_ml_engineer"] = around(0.71, 0.05)
    runs["utilization_data_scientist"] = around(0.66, 0.05)
    runs["utilization_gpu"] = around(0.35, 0.05)
    for name, count in {
        "n_services": 6,
        "n_deployments": 524,
        "n_changes_deployed": 561,
        "n_incidents": 95,
        "n_restored": 93,
        "n_unfinished": 15,
        "n_open_incidents": 2,
        "n_batches": 2200,
    }.items():
        runs[name] = np.full(replications, float(count))
    runs["unstable"] = np.zeros(replications)
    return pd.DataFrame(runs)


def make_weekly(rng: np.random.Generator, replications: int, weeks: int) -> pd.DataFrame:
    week = np.tile(np.arange(weeks), replications)
    warming = 1.0 - np.exp(-week / 3.0)
    return pd.DataFrame(
        {
            "replication": np.repeat(np.arange(replications), weeks),
            "week": week,
            "deployments": rng.poisson(10.0 * warming).astype(float),
            "lead_time_h": np.where(
                week > 0, 100.0 * warming * rng.gamma(20, 1 / 20, week.size), np.nan
            ),
            "work_in_progress": 14.0 * warming * rng.gamma(25, 1 / 25, week.size),
            "incidents": rng.poisson(1.8, week.size).astype(float),
            "quality": 0.8 + 0.01 * rng.standard_normal(week.size),
        }
    )


def make_work() -> dict[str, pd.DataFrame]:
    """Return capacity, work and prices of a hundred weeks, each like the other."""
    roles = {"data_scientist": 252.0, "ml_engineer": 168.0, "operations": 56.0}
    weeks = range(100)
    capacity = [
        {
            "pool": f"a/{role}",
            "resource": role,
            "people": True,
            "opens_at": 168.0 * week,
            "closes_at": 168.0 * (week + 1),
            "available_h": hours,
            "paid_h": hours,
        }
        for role, hours in roles.items()
        for week in weeks
    ]
    # Shares of their hours that the roles put into each activity.
    shares = {"feature": (0.8, 0.3, 0.3), "incident": (0.0, 0.1, 0.4), "toil": (0.0, 0.05, 0.1)}
    work = [
        {
            "pool": f"a/{role}",
            "role": role,
            "person": 0,
            "activity": activity,
            "outcome": "finished",
            "started_at": week * WEEK + 9,
            "finished_at": week * WEEK + 100,
            "effort_h": share * hours,
            "around_the_clock": False,
        }
        for activity, of_roles in shares.items()
        for (role, hours), share in zip(roles.items(), of_roles, strict=True)
        for week in weeks
    ]
    prices = {f"person/{role}": 90.0 for role in roles} | {"tools": 1000.0, "feature": 20e3}
    prices |= {"downtime": 1000.0, "degraded": 100.0}
    return {
        "capacity": pd.DataFrame(capacity),
        "work": pd.DataFrame(work),
        "prices": pd.DataFrame(
            [{"item": item, "since": 0.0, "price": price} for item, price in prices.items()]
        ),
    }


def make_study(replications: int = 12, changes: int = 40, incidents: int = 30) -> Study:
    rng = np.random.default_rng(7)
    scenario = sim.load("warmup_weeks=8", "horizon_weeks=60", f"replications={replications}")
    scenario = scenario.model_copy(
        update={
            "description": "Three teams, <partly> automated",
            "practices": {"cicd": "basic", "testing": "full", "monitoring": "basic"},
            "roadmap": (Investment(practice="cicd", level="full", start_week=20),),
            "cost": Cost(currency="EUR"),
        }
    )
    start = 8 * WEEK
    steps, change_frame = make_steps(rng, start, changes)
    tables = {
        "steps": steps,
        "changes": change_frame,
        "incidents": make_incidents(rng, start, incidents),
        "services": pd.DataFrame({"service": [f"s{number}" for number in range(6)]}),
        "quality": pd.DataFrame(
            {
                "service": ["s0", "s1"],
                "at": [0.0, WEEK],
                "quality": [0.7, 0.9],
                "slo": [0.8, 0.8],
                "model_data_from": [0.0, 0.0],
                "below": [True, False],
            }
        ),
        "deployments": pd.DataFrame(
            {"service": ["s0"], "deployed_at": [start + WEEK], "model_data_from": [start]}
        ),
        **make_work(),
    }
    return Study(
        scenario=scenario,
        seed=7,
        runs=make_runs(rng, replications),
        weekly=make_weekly(rng, replications, scenario.horizon_weeks),
        first=Run(scenario, 7, 0, tables),
    )


def make_empty_study() -> Study:
    """Return a study in which nothing was delivered and nothing broke: NaN everywhere."""
    full = make_study(replications=3)
    runs = full.runs.copy()
    counts = [name for name in runs if name.startswith("n_") and name != "n_services"]
    kept = {"replication", "unstable", "n_services", *counts}
    runs[[name for name in runs if name not in kept]] = np.nan
    runs[counts] = 0.0
    weekly = full.weekly.assign(deployments=0.0, lead_time_h=np.nan, work_in_progress=0.0)
    tables = {name: frame.iloc[:0] for name, frame in full.first.tables.items()}
    tables["services"] = full.first.tables["services"]
    return Study(full.scenario, 7, runs, weekly, Run(full.scenario, 7, 0, tables))
