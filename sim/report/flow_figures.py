"""Picture of how many changes there are at each stage of their way."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sim.document.picture import Picture
from sim.hours import HOURS_PER_WEEK
from sim.log import Records, Tables
from sim.metrics.arrays import FloatArray, Window, inside, reals, table
from sim.metrics.catalogue import DURATION
from sim.report.content import instability
from sim.report.evidence import Evidence, of_replication, with_source
from sim.report.palette import BLACK, GREEN, INK, SKY, entitle, new_figure, say_no_data, tidy
from sim.report.pictures import draws
from sim.report.units import count_noun, format_number, format_value


def cumulative_flow(tables: Tables, window: Window) -> pd.DataFrame:
    """Return how many changes had been started, committed and ended, whenever that changes.

    Counting begins with the window: what had ended before is left out, so the first row has
    nothing ended, and everything in progress started. A change that is given up before its commit
    no longer counts as started, which is why `started` may fall; `started` - `ended` is therefore
    the number of changes in progress at any time, and `committed` - `ended` those in the pipeline.

    Args:
        tables: Event tables, of which `changes` is read.
        window: Start and end of the observed time, in hours.

    Returns:
        Index `at`, hours, from the start of the window to its end; columns `started`, `committed`
        and `ended` (deployed, or given up after the commit).
    """
    changes = table(tables, "changes")
    deployed_at, ended_at = reals(changes, "deployed_at"), reals(changes, "ended_at")
    # Where nobody wrote down an earlier time, the stage before took none.
    committed_at = np.fmin(reals(changes, "committed_at"), deployed_at)
    committed_at = np.where(np.isnan(committed_at), deployed_at, committed_at)
    started_at = np.fmin(reals(changes, "started_at"), committed_at)
    was_committed = ~np.isnan(committed_at)
    given_up_at = np.where(was_committed, np.nan, ended_at)
    done_at = np.where(was_committed, ended_at, np.nan)

    times = np.concatenate([started_at, committed_at, given_up_at, done_at])
    at = np.unique([*window, *times[inside(times, window)]])

    def until_now(when: FloatArray) -> FloatArray:
        known = np.sort(when[~np.isnan(when)])
        return np.searchsorted(known, at, side="right").astype(np.float64)

    done = until_now(done_at)
    counts = {
        "started": until_now(started_at) - until_now(given_up_at),
        "committed": until_now(committed_at),
        "ended": done,
    }
    frame = pd.DataFrame(counts, index=pd.Index(at, name="at"))
    return frame.sub(done[0])


def plot_cumulative_flow(records: Records, ax: Axes) -> Axes:
    """Draw how many changes were started, committed and deployed up to each time.

    The bands between the curves are work in progress by stage: their height is how much there is,
    their width how long it takes. A window of some weeks shows more than one of years, in which
    the bands are lines.

    Args:
        records: Records, of which the table `changes` is read, over the time to draw.
        ax: Where to draw.
    """
    flow = cumulative_flow(records.tables, records.window)
    if not flow.to_numpy().any():
        say_no_data(ax)
        return ax
    weeks = flow.index.to_numpy(np.float64) / HOURS_PER_WEEK
    stages = (
        ("explored and written", "started", "committed", GREEN, "", "white"),
        ("in the pipeline", "committed", "ended", SKY, "///", INK),
        ("deployed", "ended", None, "#ececec", "", "white"),
    )
    handles: list[Patch] = []
    for label, top, bottom, colour, hatch, edge in stages:
        below = flow[bottom].to_numpy() if bottom else np.zeros(len(flow))
        ax.fill_between(
            weeks,
            below,
            flow[top].to_numpy(),
            step="post",
            facecolor=colour,
            hatch=hatch,
            edgecolor=edge,
            linewidth=0.0,
        )
        handles.append(Patch(facecolor=colour, hatch=hatch, edgecolor=edge, label=label))
    for name in ("started", "committed", "ended"):
        ax.step(weeks, flow[name], where="post", color=INK, linewidth=1.2)
    _mark_gaps(flow, ax)
    ax.set_xlim(weeks[0], weeks[-1])
    ax.set_ylim(0.0, 1.08 * float(flow["started"].max()))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("week", fontsize=10)
    ax.set_ylabel("changes since the first week shown", fontsize=10)
    tidy(ax)
    ax.legend(
        handles=handles,
        loc="upper left",
        fontsize=9.5,
        handlelength=2.8,
        handleheight=1.4,
        framealpha=1.0,
        edgecolor="white",
    )
    return ax


def _mark_gaps(flow: pd.DataFrame, ax: Axes) -> None:
    """Show what the height and the width of the bands are, each at one place."""
    start, end = float(flow.index[0]), float(flow.index[-1])
    at = start + 0.72 * (end - start)
    now = flow.iloc[int(flow.index.searchsorted(at, side="right")) - 1]
    in_progress = float(now["started"] - now["ended"])
    if in_progress > 0.0:
        week = at / HOURS_PER_WEEK
        _arrow(ax, (week, now["ended"]), (week, now["started"]))
        _below(ax, (week, now["ended"]), f"{count_noun(in_progress, 'change')} in progress")
    # As far along the committed curve as leaves room for the time it takes.
    early = flow.iloc[int(flow.index.searchsorted(start + 0.3 * (end - start), side="right")) - 1]
    level = float(early["committed"])
    reached = flow["ended"] >= level
    if level > 0.0 and reached.any():
        committed = flow.index[int((flow["committed"] >= level).to_numpy().argmax())]
        deployed = flow.index[int(reached.to_numpy().argmax())]
        if deployed > committed:
            left, right = committed / HOURS_PER_WEEK, deployed / HOURS_PER_WEEK
            _arrow(ax, (left, level), (right, level))
            hours = format_value(DURATION, deployed - committed)
            _below(ax, (right, level), f"about {hours} from\ncommit to deployment")


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "<->",
            "color": BLACK,
            "linewidth": 1.6,
            "shrinkA": 0.0,
            "shrinkB": 0.0,
        },
        zorder=5,
    )


def _below(ax: Axes, where: tuple[float, float], text: str) -> None:
    # To the right of and below a rising curve there is room.
    ax.annotate(
        text,
        where,
        xytext=(7, -5),
        textcoords="offset points",
        va="top",
        fontsize=9.5,
        color=INK,
        bbox={"facecolor": "#ececec", "edgecolor": "none", "pad": 1.0},
        zorder=6,
    )


FLOW_WEEKS = 12
"""Weeks of the picture of a study: of more, work in progress would be a line."""


@draws(section="Where lead time goes", place=3)
def cumulative_flow_picture(evidence: Evidence) -> Picture:
    """Return the picture of the cumulative flow over the last weeks."""
    start, end = evidence.records.window
    records = evidence.records.within(max(start, end - FLOW_WEEKS * HOURS_PER_WEEK), end)
    weeks = count_noun((end - records.window[0]) / HOURS_PER_WEEK, "week")
    question = "How much is under way?"
    caption = (
        "The height of a band is work in progress, its width the time it takes. These are the last "
        f"{weeks}."
    )
    caption = with_source(caption, evidence)
    title = f"Cumulative flow of changes{of_replication(evidence)}"
    figure, (ax,) = new_figure(10.0, 4.6)
    plot_cumulative_flow(records, ax)
    flow = cumulative_flow(records.tables, records.window)
    if not flow.to_numpy().any():
        title = entitle(figure, title, instability(evidence), no_data=True)
        return Picture("cumulative_flow", figure, question, caption, title)
    entitle(figure, title, instability(evidence))
    first, last = flow.iloc[0], flow.iloc[-1]
    alt = (
        f"Three rising curves: {count_noun(last['started'] - first['started'], 'change')} started "
        f"and kept, {format_number(last['committed'] - first['committed'], 0)} committed and "
        f"{format_number(last['ended'], 0)} deployed or given up after the commit in "
        f"{weeks}. In progress at the beginning: "
        f"{format_number(first['started'], 0)}, of which {format_number(first['committed'], 0)} in "
        f"the pipeline; at the end {format_number(last['started'] - last['ended'], 0)}, of which "
        f"{format_number(last['committed'] - last['ended'], 0)}."
    )
    return Picture("cumulative_flow", figure, question, caption, alt)
