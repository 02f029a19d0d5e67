"""CSV files to fill in, with what their columns mean and a few rows as an example."""

from pathlib import Path

from .csv_files import SourceError

_README = """\
Delivery records to be measured by: python -m sim.measure FOLDER

Only deployments.csv is needed; every other file, and every column but those marked *, may be left
out. What nobody knows stays empty. Times are ISO 8601 with an offset (2026-01-05T09:30:00+01:00 or
...Z); times without one need --timezone. Delete the rows of the example.

services.csv
  service*          name of a service
  team              who looks after it

deployments.csv
  deployment_id*    any text that names the deployment, once
  deployed_at*      when it succeeded
  service           which service was deployed
  environment       only 'production' counts, or what --environment says
  result            'success' counts; everything else is left out
  commit            the commit that was deployed
  is_rollback       true: an earlier version was deployed again; the deployment before has failed

changes.csv
  change_id*        any text that names the change, such as a pull request
  committed_at      its first commit
  deployment_id     the deployment that brought it into production; empty: not yet
  service           which service it is of
  kind              feature, improvement, retrain or fix
  commit            the commit that went into the main branch
  by_bot            true: no person wrote it
  reverts           the change that it takes back

deployed_changes.csv, in place of deployment_id in changes.csv if a change is deployed several times
  deployment_id*, change_id*

incidents.csv
  incident_id*      any text that names the incident
  started_at        when users were harmed first
  detected_at, responded_at, diagnosed_at
  restored_at       when service was back; empty: not yet
  service           which service was down
  deployment_id     the deployment that caused it
  commit            the commit that caused it, if the deployment is not known
  trigger           deployment, outage, batch, decay, upstream or attack; without it, nobody knows
  cause             infra, model, data, code, security or dependency
  planned           true: maintenance that was announced, which is no incident
  title             what happened; --planned PATTERN finds announced maintenance in it
"""

_TABLES = {
    "services": """\
service,team
search,shop
ranking,shop
""",
    "deployments": """\
deployment_id,service,deployed_at,environment,result,commit,is_rollback
example-1,search,2026-01-07T06:00:00Z,production,success,3f2a,false
example-2,search,2026-01-10T10:00:00Z,production,success,77c1,false
example-3,ranking,2026-01-15T20:00:00Z,production,success,9d04,false
""",
    "changes": """\
change_id,service,kind,committed_at,deployment_id,by_bot
example-11,search,feature,2026-01-06T06:00:00Z,example-1,false
example-12,search,fix,2026-01-09T04:00:00Z,example-2,false
example-13,ranking,retrain,2026-01-13T08:00:00Z,example-3,true
example-14,ranking,feature,2026-01-15T09:00:00Z,,false
""",
    "incidents": """\
incident_id,service,started_at,restored_at,deployment_id,trigger,planned
example-21,search,2026-01-10T11:00:00Z,2026-01-10T15:00:00Z,example-2,deployment,false
""",
}


def write_template(folder: Path) -> list[Path]:
    """Write CSV files with an example and a README, and return their paths.

    Raises:
        SourceError: one of them is there already.
    """
    texts = {"README.txt": _README} | {f"{name}.csv": text for name, text in _TABLES.items()}
    paths = [folder / name for name in texts]
    for path in paths:
        if path.exists():
            raise SourceError(f"{path} is there already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths
