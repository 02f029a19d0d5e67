"""What a sweep prints at its end: the points, what they say, and what to beware of."""

from rich import box
from rich.console import Console
from rich.table import Table

from sim.metrics.catalogue import headlines
from sim.report.sweep_content import (
    Findings,
    axis_name,
    caveats,
    heading,
    instability,
    label_of,
    most_different,
    point_label,
    sentences,
    setting,
    value_name,
)
from sim.report.terminal import Ink, caveat_table
from sim.report.units import count_noun, plus_minus

MOST_ROWS = 20
_WIDE = 110
_MOST_AXIS_COLUMNS = 3
"""Axes with a column each, if the terminal is wide; more of them share one."""


def print_sweep(found: Findings, console: Console) -> None:
    """Print the points of a sweep, what they say, and what to beware of.

    Args:
        found: what :func:`sim.report.sweep_content.findings` read of it.
        console: where to print; without Unicode, dashes and signs are drawn in ASCII.
    """
    ink = Ink(console)
    console.print(ink.text(heading(found), "bold"))
    console.print(ink.text(setting(found), "dim"))
    if flag := instability(found):
        console.print(ink.text(flag, "bold red"))
    console.print()
    shown = most_different(found, MOST_ROWS)
    console.print(_points_table(found, shown, ink, console.width >= _WIDE))
    console.print()
    console.print(ink.text(_footnote(found, len(shown)), "dim"))
    console.print()
    said = Table.grid(padding=(0, 1))
    for sentence in sentences(found):
        said.add_row(ink.text("·"), ink.text(sentence))
    console.print(said)
    if warnings := caveats(found):
        console.print()
        console.print(caveat_table(warnings, ink))


def _footnote(found: Findings, shown: int) -> str:
    note = "Means over the replications, ± half the 95 % interval."
    if found.has_baseline:
        note += " * is the baseline."
    left = len(found.numbers) - shown
    if left:
        than = "the baseline" if found.has_baseline else "the median"
        note += f" {count_noun(left, 'more point')}, which differ less from {than}, not shown."
    return note


def _points_table(found: Findings, shown: list[int], ink: Ink, wide: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    table.add_column("", justify="right", no_wrap=True)
    names = [axis_name(axis) for axis in found.axes]
    apart = len(names) == 1 or (wide and len(names) <= _MOST_AXIS_COLUMNS)
    for name in names if apart else [" ·\n".join(names)]:
        table.add_column(ink.text(name), no_wrap=True)
    for metric in headlines():
        words = label_of(metric).rpartition(" ")
        head = f"{words[0]}\n{words[2]}\n{found.units[metric].heading}"
        table.add_column(ink.text(head), justify="right", vertical="bottom", no_wrap=True)
    for number in shown:
        is_baseline = found.has_baseline and number == found.sweep.baseline
        values = [point_label(found, number)]
        if apart:
            row = found.sweep.points.loc[number]
            values = [value_name(axis, row[axis.key]) for axis in found.axes]
        table.add_row(
            ink.text(f"{'*' if is_baseline else ''}{number}", "dim"),
            *map(ink.text, values),
            *(ink.text(_plus_minus(found, metric, number)) for metric in headlines()),
            style="bold" if is_baseline else "",
        )
    return table


def _plus_minus(found: Findings, metric: str, number: int) -> str:
    rows = found.estimates[metric]
    mean, low, high = (float(rows[column][number]) for column in ("mean", "ci_low", "ci_high"))
    return plus_minus(found.units[metric], mean, low, high)
