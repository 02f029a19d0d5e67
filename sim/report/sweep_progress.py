"""Progress of a sweep: on a bar or in a line now and then, and in a file."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import TextColumn

from sim.experiment.resources import duration
from sim.experiment.scheduler import Failure
from sim.report.progress import progress_bar
from sim.report.units import format_given, format_number
from sim.words import printable

_SECONDS_BETWEEN_LINES = 30.0
_MANY_POINTS = 100
"""Whose composing takes so long that somebody who sees no bar wants a line."""


class ShownSweep:
    """Shows how a sweep goes on: replications, time left, points and failures.

    Args:
        first: what to say when everything has been checked and the simulation begins, if anything.
        log: a file to which the same is appended in lines, from then on.
    """

    def __init__(self, first: str = "", log: Path | None = None) -> None:
        self._first = first
        self._log = log
        self._bar = progress_bar(TextColumn("{task.fields[points]}"))
        self._task = self._bar.add_task("simulating", total=0, points="")
        self._points = self._of_points = self._done = self._of = self._failed = 0
        self._widths = ""
        self._composing = self._bar.add_task("composing", total=None, points="", visible=False)
        self._done_before = 0
        self._begun = self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if error is not None and self._of:
            self._write(f"ended ({kind.__name__ if kind else ''}): {self._in_words()}")
        elif self._of:
            self._write(f"done: {self._in_words()}")

    def checked(self, points: int, of: int) -> None:
        """So many points have been composed and checked."""
        if points == 0 and self._bar.disable and of >= _MANY_POINTS:
            self._say(f"composing {format_given(of)} points")
        shown = f"{format_given(points)} of {format_given(of)} points"
        self._bar.update(
            self._composing, completed=points, total=of, points=shown, visible=points < of
        )

    def skipped(self, point: Failure) -> None:
        """A combination is no valid scenario, and is left out."""
        self._say(f"left out ({point.overrides}): {point.error}")

    def begin(self, points: int, replications: int) -> None:
        """So many more are to be done."""
        if not self._of:
            self._begun = self._last_line = time.monotonic()
            of = f"{format_given(points)} points"
            self._write(f"{format_given(replications)} replications of {of}")
        if self._first:
            self._bar.console.print(self._first, highlight=False, soft_wrap=True)
            self._first = ""
        self._of_points += points
        self._of += replications
        self._show()

    def finished(self, replications: int, points: int) -> None:
        """Replications have been finished, and points with them."""
        self._done += replications
        self._points += points
        self._show()

    def failed(self, failure: Failure) -> None:
        """A point has failed."""
        self._failed += 1
        said = f"point {failure.point} failed ({failure.overrides}): {failure.error}"
        self._say(said, "red")
        self._write(said)
        self._show()

    def narrowed(self, widths: str) -> None:
        """The intervals that an adaptive sweep narrows are this wide now."""
        self._widths = f"; {widths}"
        self._show()

    def goes_on(self, words: str) -> None:
        """The folder has replications already."""
        self._bar.console.print(words, markup=False, highlight=False, soft_wrap=True)

    def _show(self) -> None:
        if not self._bar.disable:
            points = self._points_in_words()
            self._bar.update(self._task, completed=self._done, total=self._of, points=points)
        now = time.monotonic()
        if now - self._last_line >= _SECONDS_BETWEEN_LINES:
            done, seconds = self._done - self._done_before, now - self._last_line
            left = f", {duration((self._of - self._done) * seconds / done)} left" if done else ""
            self._last_line, self._done_before = now, self._done
            line = f"{self._in_words()}{left}"
            self._write(line)
            if self._bar.disable:
                self._say(line)

    def _in_words(self) -> str:
        minutes = (time.monotonic() - self._begun) / 60.0
        return (
            f"{format_given(self._done)} of {format_given(self._of)} replications, "
            f"{self._points_in_words()}, after {format_number(minutes, 1)} min"
        )

    def _points_in_words(self) -> str:
        done = format_given(min(self._points, self._of_points))
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{done} of {format_given(self._of_points)} points{failed}{self._widths}"

    def _say(self, line: str, style: str = "") -> None:
        self._bar.console.print(
            printable(line), style=style, markup=False, highlight=False, soft_wrap=True
        )

    def _write(self, line: str) -> None:
        """Append a line to the file; what cannot be written there is no reason to stop."""
        if self._log is not None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            with suppress(OSError), self._log.open("a", encoding="utf-8") as file:
                file.write(f"{now} {printable(line)}\n")
