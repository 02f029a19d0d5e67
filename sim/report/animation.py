"""An animation of the event log: changes flow, queues form, incidents pull people away.

vidigi (the extra ``animation``) draws it; who is where when follows from the event tables here. On
top the pipeline, from left to right: for each step those that wait for it, and below them those
that are worked on. In the middle the incidents, by phase. At the bottom the people, a row a role:
on an incident, on other work, or without work. Nights and weekends pass by; work rests then.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.log import Records, Tables
from sim.metrics.flow import waiting_by_step
from sim.report.content import step_name
from sim.report.units import format_number
from sim.words import readable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WEEKS = 2
HOURS_A_FRAME = 3
INSTALL = "pip install 'mldelivery[animation]'"

_AUTHOR_STEPS = ("exploration", "authoring", "rework", "reconstruction")
AUTHORS = "author"
PHASES = {
    "unnoticed": ("started_at", "detected_at"),
    "noticed": ("detected_at", "responded_at"),
    "in diagnosis": ("responded_at", "diagnosed_at"),
    "in remedy": ("diagnosed_at", "restored_at"),
}
_ON_INCIDENT, _ON_CHANGES, _FREE = "on an incident", "on other work", "without work"
# Letters, not emoji: they look the same everywhere. Colours are those of sim.report.palette.
LOOKS = {
    "feature or improvement": ("●", "#0072b2"),
    "retraining": ("◆", "#009e73"),
    "fix": ("▲", "#e69f00"),
    "incident": ("✖", "#d55e00"),
    "person": ("■", "#555555"),
}
_KINDS = {"feature": 0, "improvement": 0, "retrain": 1, "fix": 2}
_STAY = ["entity_id", "what", "name", "place", "from_h", "to_h"]
_INCIDENT_IDS, _PERSON_IDS = 1_000_000, 2_000_000  # vidigi names its own from 9,000,000 on
WAIT, WORK = "wait ", "work "
"""Begin the names of places of changes, before that of the step."""
STATES = (_ON_INCIDENT, _ON_CHANGES, _FREE)
_LEFT, _COLUMN, _ROW, _GAP, _WRAP = 130, 85, 24, 14, 5
_PLAIN: dict[str, Any] = {"showarrow": False, "font": {"size": 12, "color": "#222222"}}


def is_possible() -> bool:
    """Return whether vidigi is installed."""
    return find_spec("vidigi") is not None


def stays(tables: Tables, start_h: float, end_h: float) -> pd.DataFrame:
    """Return who is where when: changes at steps, incidents in phases, people at their work.

    Args:
        tables: Event tables, of which `changes`, `steps`, `incidents` and `work` are read.
        start_h: Where to begin, in hours of the simulation.
        end_h: Where to end.

    Returns:
        A row per stay that overlaps the time, in the order of `entity_id` and `from_h`, with
        `what` (feature or improvement, retraining, fix, incident, person), `name` (the change, the
        incident or the role), `place`, and `from_h` and `to_h`, cut to the window. A change waits
        at ``wait <step>`` and is worked on at ``work <step>``; a person is at
        ``<role>: on an incident``, ``: on other work`` or ``: without work``; work that rests over
        night is still theirs.
    """
    parts = [_of_changes(tables), _of_incidents(tables), _of_people(tables, start_h, end_h)]
    found = pd.concat([part[_STAY] for part in parts], ignore_index=True)
    found["to_h"] = found["to_h"].fillna(np.inf)  # not over at the end of the simulation
    found["from_h"] = found["from_h"].clip(start_h, end_h)
    found["to_h"] = found["to_h"].clip(start_h, end_h)
    found = found[found["to_h"] > found["from_h"]]
    return found.sort_values(["entity_id", "from_h"], ignore_index=True)


def animate(records: Records, weeks: float = WEEKS) -> "Figure":
    """Return the first weeks of the observed time as an animation.

    Args:
        records: Records of an organization, such as those of one replication.
        weeks: How many weeks to show; one of the default organization is 0.8 MB of HTML.

    Raises:
        ModuleNotFoundError: vidigi is not installed.
    """
    if not is_possible():
        raise ModuleNotFoundError(f"the animation needs vidigi: {INSTALL}")
    from vidigi.animation import generate_animation
    from vidigi.prep import generate_animation_df, reshape_for_animations

    tables, window = records.tables, records.window
    start_h = window[0]
    end_h = min(window[1], start_h + weeks * HOURS_PER_WEEK)
    found = stays(tables, start_h, end_h)
    places = positions(tables, window, found)
    snapshots = reshape_for_animations(
        _vidigi_log(found, start_h),
        every_x_time_units=HOURS_A_FRAME,
        limit_duration=int(end_h - start_h),
        step_snapshot_max=4 * _WRAP,
    )
    drawn = generate_animation_df(
        snapshots,
        places,
        wrap_queues_at=_WRAP,
        step_snapshot_max=4 * _WRAP,
        gap_between_entities=_GAP,
        gap_between_queue_rows=_ROW - 6,
        spawn_in_from_arrival=False,
    )
    looks = found.drop_duplicates("entity_id").set_index("entity_id")["what"]
    what = drawn["entity_id"].map(looks)
    # Rows of nobody are vidigi's own, such as "+ 12 more".
    drawn["icon"] = what.map({name: icon for name, (icon, _) in LOOKS.items()}).fillna(
        drawn["icon"]
    )
    drawn["what"] = what.fillna("more")
    drawn["name"] = drawn["entity_id"].map(
        found.drop_duplicates("entity_id").set_index("entity_id")["name"]
    )
    width, height = int(places["x"].max()) + 20, int(places["y"].max()) + 3 * _ROW
    figure: Figure = generate_animation(
        drawn,
        places,
        simulation_time_unit="hours",
        time_display_units="day_clock",
        plotly_height=height + 220,
        plotly_width=None,
        override_x_max=width,
        override_y_max=height,
        display_stage_labels=False,
        entity_icon_size=14,
        text_size=13,
        entity_icon_font="sans-serif",
        entity_colour_by="what",
        entity_colour_map={name: colour for name, (_, colour) in LOOKS.items()}
        | {"more": "#000000"},
        custom_hover_data=["name", "event"],
        hover_text_entity="%{customdata[0]}, %{customdata[1]}<extra></extra>",
        frame_duration=350,
        frame_transition_duration=250,
        plot_bgcolor="white",
        paper_bgcolor="white",
    )
    _annotate(figure, places)
    _name_frames(figure, start_h)
    return figure


def steps_and_roles(
    tables: Tables, window: tuple[float, float], found: pd.DataFrame
) -> tuple[list[str], list[str]]:
    """Return the steps that somebody stays at, in their order, and the roles of people.

    Args:
        tables: Event tables, of which the order of the steps is read.
        window: Start and end of the observed time, in hours.
        found: What :func:`stays` returned.
    """
    visited = set(found["place"])
    known = [str(step) for step in waiting_by_step(tables, window).index]
    others = {place.partition(" ")[2] for place in visited if place.startswith((WAIT, WORK))}
    order = [AUTHORS, *(step for step in known if step not in _AUTHOR_STEPS)]
    steps = [step for step in order if step in others] + sorted(others - set(order))
    return steps, sorted({place.partition(":")[0] for place in visited if ": " in place})


def positions(tables: Tables, window: tuple[float, float], found: pd.DataFrame) -> pd.DataFrame:
    """Return where each place is drawn: `event`, `x` and `y`, as vidigi wants it, `row`, `label`.

    A place is drawn to the left of its position, front of the queue first.

    Args:
        tables: Event tables, of which the order of the steps is read.
        window: Start and end of the observed time, in hours.
        found: What :func:`stays` returned.
    """
    steps, roles = steps_and_roles(tables, window, found)
    rows: list[tuple[str, int, int, str, str]] = []
    y = _ROW
    for role in reversed(roles):
        for column, state in enumerate(STATES):
            x = _LEFT + (1 + 3 * column) * _COLUMN
            label = state if role == roles[0] else ""
            rows.append((f"{role}: {state}", x, y, readable(role), label))
        y += 2 * _ROW
    y += _ROW
    for column, phase in enumerate(PHASES):
        x = _LEFT + (1 + 3 * column) * _COLUMN
        rows.append((phase, x, y, "incidents", phase))
    y += 3 * _ROW
    work_y, wait_y = y, y + 4 * _ROW
    for column, step in enumerate(steps):
        x = _LEFT + (column + 1) * _COLUMN
        name = step_name(step).replace(" ", "<br>")
        rows.append((f"{WORK}{step}", x, work_y, "in work", ""))
        rows.append((f"{WAIT}{step}", x, wait_y, "waiting for", name))
    rows.append(("arrival", _LEFT, wait_y, "", ""))
    rows.append(("depart", _LEFT + (len(steps) + 1) * _COLUMN, work_y, "", ""))
    return pd.DataFrame(rows, columns=["event", "x", "y", "row", "label"])


def _annotate(figure: "Figure", places: pd.DataFrame) -> None:
    """Write the names of rows and columns, and what stands for what."""
    for row, of_row in places[places["row"] != ""].groupby("row"):
        name = str(row)
        figure.add_annotation(
            x=0, y=int(of_row["y"].iloc[0]), text=f"<b>{name}</b>", xanchor="left", **_PLAIN
        )
    named = places[places["label"] != ""]
    for row, x, y, label in zip(
        named["row"], named["x"].tolist(), named["y"].tolist(), named["label"], strict=True
    ):
        beside = -1.6 * _ROW if row == "waiting for" else 1.4 * _ROW
        figure.add_annotation(x=x - _WRAP * _GAP / 2, y=y + beside, text=label, **_PLAIN)
    key = "   ".join(
        f'<span style="color:{colour}">{icon}</span> {name}'
        for name, (icon, colour) in LOOKS.items()
    )
    top = int(places["y"].max()) + 2.8 * _ROW
    figure.add_annotation(x=0, y=top, text=key, xanchor="left", **_PLAIN)


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _name_frames(figure: "Figure", start_h: float) -> None:
    """Say at which time of which week each frame is, instead of counting days from the start."""
    slider = figure.layout.sliders[0]
    slider.currentvalue.prefix = ""
    slider.currentvalue.font.size = 16
    for number, frame in enumerate(slider.steps):
        hours = start_h + number * HOURS_A_FRAME
        week, within = divmod(hours, HOURS_PER_WEEK)
        day, hour = divmod(within, 24)
        frame.label = f"week {format_number(week, 0)}, {_DAYS[int(day)]} {hour:02.0f}:00"


def _vidigi_log(found: pd.DataFrame, start_h: float) -> pd.DataFrame:
    """Return the stays as vidigi's events; its times begin at 0."""
    ends = found.groupby("entity_id")
    first, last = ends["from_h"].min(), ends["to_h"].max()
    events = found.rename(columns={"place": "event", "from_h": "time"})
    return pd.concat(
        [
            _events(first.index, first.to_numpy(), "arrival", "arrival_departure"),
            _events(events["entity_id"], events["time"].to_numpy(), events["event"], "queue"),
            _events(last.index, last.to_numpy(), "depart", "arrival_departure"),
        ],
        ignore_index=True,
    ).assign(time=lambda log: log["time"] - start_h)


def _events(
    entities: "pd.Index[int] | pd.Series[int]",
    times: object,
    event: "str | pd.Series[str]",
    event_type: str,
) -> pd.DataFrame:
    frame = pd.DataFrame({"entity_id": np.asarray(entities), "time": times})
    frame["event"] = event if isinstance(event, str) else event.to_numpy()
    return frame.assign(event_type=event_type, pathway="")


def _of_changes(tables: Tables) -> pd.DataFrame:
    steps = tables["steps"]
    kinds = tables["changes"].set_index("change_id")["kind"].astype(str).map(_KINDS).fillna(0)
    names = list(LOOKS)
    step = steps["step"].astype(str)
    step = step.where(~step.isin(_AUTHOR_STEPS), AUTHORS)
    shared = pd.DataFrame(
        {
            "entity_id": steps["change_id"],
            "what": [names[int(kind)] for kind in kinds.reindex(steps["change_id"])],
            "name": "change " + steps["change_id"].astype(str),
        }
    )
    waiting = shared.assign(place=WAIT + step, from_h=steps["queued_at"], to_h=steps["started_at"])
    working = shared.assign(
        place=WORK + step, from_h=steps["started_at"], to_h=steps["finished_at"]
    )
    return pd.concat([waiting, working], ignore_index=True)


def _of_incidents(tables: Tables) -> pd.DataFrame:
    incidents = tables["incidents"]
    until = incidents["restored_at"].fillna(np.inf)
    parts = []
    for phase, (begins, ends) in PHASES.items():
        # What is restored before it is noticed or diagnosed has no further phases.
        ended = incidents[ends].fillna(np.inf).clip(upper=until)
        parts.append(
            pd.DataFrame(
                {
                    "entity_id": _INCIDENT_IDS + incidents["incident_id"],
                    "what": "incident",
                    "name": "incident due to " + incidents["cause"].astype(str),
                    "place": phase,
                    "from_h": incidents[begins],
                    "to_h": ended,
                }
            ).dropna(subset=["from_h"])
        )
    return pd.concat(parts, ignore_index=True)


def _of_people(tables: Tables, start_h: float, end_h: float) -> pd.DataFrame:
    """Return the stints of everybody who works at some time of the log, and the gaps between."""
    work = tables["work"]
    work = work[work["person"].notna() & work["started_at"].notna()]
    person = work["pool"].astype(str) + "/" + work["person"].astype(str)
    codes, _ = pd.factorize(person)
    stints = pd.DataFrame(
        {
            "entity_id": _PERSON_IDS + codes,
            "role": work["role"].astype(str),
            "state": np.where(
                work["activity"].astype(str) == "incident", _ON_INCIDENT, _ON_CHANGES
            ),
            "from_h": work["started_at"],
            "to_h": work["finished_at"].fillna(np.inf),
        }
    ).sort_values(["entity_id", "from_h"])
    everybody = stints.drop_duplicates("entity_id").assign(state=_FREE, from_h=start_h)
    stints = stints[(stints["to_h"] > start_h) & (stints["from_h"] < end_h)]
    free = stints.assign(
        state=_FREE,
        from_h=stints["to_h"],
        to_h=stints.groupby("entity_id")["from_h"].shift(-1).fillna(np.inf),
    )
    first = stints.drop_duplicates("entity_id").set_index("entity_id")["from_h"]
    everybody["to_h"] = first.reindex(everybody["entity_id"]).fillna(np.inf).to_numpy()
    found = pd.concat([everybody, stints, free], ignore_index=True)
    found["place"] = found["role"] + ": " + found["state"]
    return found.assign(what="person", name=found["role"].map(readable))
