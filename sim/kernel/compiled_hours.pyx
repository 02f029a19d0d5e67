# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Working hours, compiled: what :mod:`.hours` does, with the same results."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport rint

from .hours import WEEK_TICKS as _WEEK_TICKS
from .hours import Hours as ExactHours
from .ticks import LAST_H as _LAST_H
from .ticks import TICKS_PER_H as _TICKS_PER_H

cdef double TICKS_PER_H = _TICKS_PER_H
cdef double LAST_H = _LAST_H
cdef long long WEEK_TICKS = _WEEK_TICKS


cdef struct Day:
    long long opens
    long long closes
    long long before


cdef class Hours:
    """When focused work gets done; see :class:`sim.kernel.hours.Hours`."""

    cdef readonly bint always
    cdef readonly double focus
    cdef object _exact
    cdef Day* _days
    cdef Py_ssize_t _count
    cdef long long _weekly

    def __init__(self, opens, closes, focus, always):
        self.always = always
        self.focus = focus
        self._exact = ExactHours(opens, closes, focus, always)
        self._count = len(opens)
        self._days = <Day*> PyMem_Malloc(max(1, self._count) * sizeof(Day))
        if self._days is NULL:
            raise MemoryError
        cdef Py_ssize_t index
        cdef long long before = 0
        for index in range(self._count):
            self._days[index].opens, self._days[index].closes = opens[index], closes[index]
            self._days[index].before = before
            before += self._days[index].closes - self._days[index].opens
        self._weekly = WEEK_TICKS if always else before

    def __dealloc__(self):
        PyMem_Free(self._days)

    cdef Py_ssize_t _day(self, long long inside) noexcept:
        """Return which working day has begun last at a time of the week, -1 if none has."""
        cdef Py_ssize_t index = self._count - 1
        while index >= 0 and self._days[index].opens > inside:
            index -= 1
        return index

    cdef long long _since_monday(self, long long inside) noexcept:
        cdef Py_ssize_t index = self._day(inside)
        if index < 0:
            return 0
        cdef Day* day = &self._days[index]
        return day.before + min(inside, day.closes) - day.opens

    cdef long long _until(self, long long at) noexcept:
        if self.always:
            return at
        return at // WEEK_TICKS * self._weekly + self._since_monday(at % WEEK_TICKS)

    def is_open(self, double at):
        if self.always:
            return True
        if at >= LAST_H:
            return self._exact.is_open(at)
        cdef long long inside = _ticks(at) % WEEK_TICKS
        cdef Py_ssize_t index = self._day(inside)
        return index >= 0 and inside < self._days[index].closes

    def opens_at(self, double at):
        return self._exact.opens_at(at)

    def next_opening(self, double at):
        return self._exact.next_opening(at)

    def finish(self, double start, double effort):
        cdef double elapsed = effort / self.focus
        # Beyond, a double does not hold all ticks.
        if start >= LAST_H or elapsed >= LAST_H:
            return self._exact.finish(start, effort)
        cdef long long needed = _ticks(elapsed), at = _ticks(start)
        if needed <= 0:
            return start
        if self.always:
            return (at + needed) / TICKS_PER_H
        cdef long long week = at // WEEK_TICKS
        needed += self._since_monday(at % WEEK_TICKS)
        week += needed // self._weekly
        needed %= self._weekly
        if needed == 0:  # done with the last working hour of the week before
            week -= 1
            needed = self._weekly
        if week * 168.0 >= LAST_H:
            return self._exact.finish(start, effort)
        cdef Py_ssize_t index = self._count - 1
        while self._days[index].before >= needed:
            index -= 1
        cdef Day* day = &self._days[index]
        return (week * WEEK_TICKS + day.opens + needed - day.before) / TICKS_PER_H

    def worked(self, double start, double end):
        if end >= LAST_H:
            return self._exact.worked(start, end)
        return (self._until(_ticks(end)) - self._until(_ticks(start))) / TICKS_PER_H * self.focus


cdef inline long long _ticks(double hours) noexcept:
    return <long long> rint(hours * TICKS_PER_H)
