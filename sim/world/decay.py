"""Decay: how the quality of a model falls as its training data ages, and when it crosses a level.

Quality falls from the moment the training data was taken, not from deployment. Everything is
solved in closed form; nothing is polled.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from math import exp, inf, log, log2

from sim.hours import HOURS_PER_WEEK
from sim.kernel import DrawTable
from sim.kernel.ticks import snap
from sim.scenario.organization import (
    ExponentialDecay,
    LinearDecay,
    LogisticDecay,
    PlateauDecay,
    Quality,
)

_DIGITS = 12
"""Of quality: sums of losses that people write have no more, and end exactly at an objective."""
_Loss = Callable[[float], float]


def _linear(decay: LinearDecay) -> tuple[_Loss, _Loss]:
    rate = decay.loss_per_week
    return (lambda weeks: rate * weeks), (lambda loss: loss / rate if rate > 0 else inf)


def _exponential(decay: ExponentialDecay, initial: float) -> tuple[_Loss, _Loss]:
    half_life = decay.half_life_weeks

    def weeks_until(loss: float) -> float:
        return -half_life * log2(1 - loss / initial) if loss < initial else inf

    return (lambda weeks: initial * (1 - 2 ** (-weeks / half_life))), weeks_until


def _plateau(decay: PlateauDecay) -> tuple[_Loss, _Loss]:
    plateau, rate = decay.plateau_weeks, decay.loss_per_week
    return (lambda weeks: rate * max(0.0, weeks - plateau)), (lambda loss: plateau + loss / rate)


def _logistic(decay: LogisticDecay) -> tuple[_Loss, _Loss]:
    midpoint, scale = decay.midpoint_weeks, decay.scale_weeks

    def moved_at(weeks: float) -> float:
        return 1 / (1 + exp(min(700.0, (midpoint - weeks) / scale)))  # exp(710) overflows

    at_start = moved_at(0.0)

    def loss_at(weeks: float) -> float:
        return decay.loss * (moved_at(weeks) - at_start) / (1 - at_start)

    def weeks_until(loss: float) -> float:
        moved = at_start + loss / decay.loss * (1 - at_start)
        return midpoint + scale * log(moved / (1 - moved)) if moved < 1 else inf

    return loss_at, weeks_until


def _no_loss(_: float) -> float:
    return 0.0


def _never(_: float) -> float:
    return inf


class Shocks:
    """The drift shocks that the world deals to one service, whatever its models do.

    Args:
        draws: rows of (time since the last shock in h, quality lost), or None for no shocks.
    """

    def __init__(self, draws: DrawTable | None) -> None:
        self._draws = draws
        self._times: list[float] = []
        self._losses: list[float] = []

    def after(self, since: float) -> Iterator[tuple[float, float]]:
        """Yield (time, loss) of every shock later than ``since``, endlessly."""
        index = bisect_right(self._times, since)
        while self._draws is not None:
            if index == len(self._times):
                gap, loss = self._draws.take(index)
                self._times.append(snap(gap + (self._times[-1] if self._times else 0.0)))
                self._losses.append(loss)
            if self._times[index] > since:
                yield self._times[index], self._losses[index]
            index += 1


class QualityCurve:
    """The quality of one service's models over time.

    Args:
        spec: initial quality, shape and speed of decay.
        shocks: its drift shocks.
    """

    def __init__(self, spec: Quality, shocks: Shocks) -> None:
        self.initial = spec.initial
        self.shocks = shocks
        self._speed = spec.speed / HOURS_PER_WEEK
        self._loss_at: _Loss = _no_loss
        self._weeks_until: _Loss = _never
        match spec.decay:
            case LinearDecay():
                self._loss_at, self._weeks_until = _linear(spec.decay)
            case ExponentialDecay():
                self._loss_at, self._weeks_until = _exponential(spec.decay, spec.initial)
            case PlateauDecay():
                self._loss_at, self._weeks_until = _plateau(spec.decay)
            case LogisticDecay():
                self._loss_at, self._weeks_until = _logistic(spec.decay)

    def at(self, data_from: float, when: float) -> float:
        """Return the quality at ``when`` of a model trained on data of ``data_from``."""
        lost = self._loss_at(max(0.0, when - data_from) * self._speed)
        for at, loss in self.shocks.after(data_from):
            if at > when or lost >= self.initial:  # nothing is left that more could take
                break
            lost += loss
        return max(0.0, round(self.initial - lost, _DIGITS))

    def is_below(self, data_from: float, level: float, when: float) -> bool:
        """Return whether the quality has fallen below ``level`` by ``when``."""
        return self.crossing(data_from, level, when, when) <= when

    def crossing(self, data_from: float, level: float, now: float, until: float) -> float:
        """Return when quality first lies below ``level``, at ``now`` or later.

        Between two shocks the loss follows the shape alone, whose inverse is known; a shock moves
        the level that the shape has to reach.

        Args:
            data_from: when the training data of the model was taken, in h.
            level: quality.
            now: earliest time of interest, in h.
            until: latest time of interest, in h.

        Returns:
            The time in h; infinity if it is later than ``until``.
        """
        if level <= 0:  # quality ends at 0, however much more the shape and the shocks would take
            return inf
        allowed = round(self.initial - level, _DIGITS)
        earliest = now
        upcoming = self.shocks.after(data_from)
        while earliest <= until:
            shock_at, loss = next(upcoming, (inf, 0.0))
            if shock_at > earliest:
                by_shape = self._time_of_loss(data_from, allowed)
                if by_shape < shock_at:
                    crossing = max(earliest, by_shape)
                    return crossing if crossing <= until else inf
                earliest = shock_at
            allowed = round(allowed - loss, _DIGITS)
        return inf

    def _time_of_loss(self, data_from: float, loss: float) -> float:
        if loss < 0:
            return -inf
        weeks = self._weeks_until(loss)
        return snap(data_from + weeks / self._speed) if weeks < inf and self._speed > 0 else inf
