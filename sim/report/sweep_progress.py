"""Progress of a sweep: points and failures, on a bar or in a line now and then."""

import time
from types import TracebackType
from typing import Self

from rich.progress import TextColumn

from sim.experiment.scheduler import Failure
from sim.report.progress import progress_bar
from sim.report.units import format_given, format_number
from sim.words import printable

_SECONDS_BETWEEN_LINES = 30.0


class ShownSweep:
    """Shows how a sweep goes on: replications, time left, points and failures.

    Args:
        first: what to say when everything has been checked and the simulation begins, if anything.
    """

    def __init__(self, first: str = "") -> None:
        self._first = first
        self._bar = progress_bar(TextColumn("{task.fields[points]}"))
        self._task = self._bar.add_task("simulating", total=0, points="")
        self._points = self._of_points = self._done = self._of = self._failed = 0
        self._widths = ""
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

    def begin(self, points: int, replications: int) -> None:
        """So many more are to be done."""
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
        self._bar.console.print(
            printable(f"point {failure.point} failed ({failure.overrides}): {failure.error}"),
            style="red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        self._show()

    def narrowed(self, widths: str) -> None:
        """The intervals that an adaptive sweep narrows are this wide now."""
        self._widths = f"; {widths}"
        self._show()

    def goes_on(self, words: str) -> None:
        """The folder has replications already."""
        self._bar.console.print(words, markup=False, highlight=False, soft_wrap=True)

    def _show(self) -> None:
        done = format_given(min(self._points, self._of_points))
        points = f"{done} of {format_given(self._of_points)} points"
        if self._failed:
            points += f", {self._failed} failed"
        points += self._widths
        if not self._bar.disable:
            self._bar.update(self._task, completed=self._done, total=self._of, points=points)
            return
        now = time.monotonic()
        if now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            minutes = (now - self._begun) / 60.0
            self._bar.console.print(
                f"{format_given(self._done)} of {format_given(self._of)} replications, {points}, "
                f"after {format_number(minutes, 1)} min",
                highlight=False,
                soft_wrap=True,
            )
