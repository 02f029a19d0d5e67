# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Events and their order, compiled: what :mod:`.events` does with SimPy, with the same results.

Of SimPy's interface it has what a model needs: events, timeouts, processes and the environment.
SimPy's own conditions and resources work with it; processes cannot be interrupted.
"""

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.math cimport rint

from simpy.events import NORMAL, PENDING, URGENT, AllOf, AnyOf
from simpy.events import Event as SimPyEvent

from .ticks import LAST_H as _LAST_H
from .ticks import TICKS_PER_H as _TICKS_PER_H

cdef double LAST_H = _LAST_H
cdef double TICKS_PER_H = _TICKS_PER_H
cdef int AT_ONCE = URGENT
cdef int AS_USUAL = NORMAL
cdef object OPEN = PENDING


cdef double _snap(double hours) noexcept:
    return rint(hours * TICKS_PER_H) / TICKS_PER_H if hours < LAST_H else hours


cdef class Event:
    """Something that may happen; see ``simpy.Event``."""

    cdef public object env
    cdef public list callbacks
    cdef public object _value
    cdef public bint _ok
    cdef public bint _defused

    def __cinit__(self, env, *_, **__):
        self.env = env
        self.callbacks = []
        self._value = OPEN
        self._ok = True

    def __init__(self, env):
        pass

    def __repr__(self):
        return f"<{type(self).__name__} object at {id(self):#x}>"

    @property
    def triggered(self):
        return self._value is not OPEN

    @property
    def processed(self):
        return self.callbacks is None

    @property
    def ok(self):
        return self._ok

    @property
    def defused(self):
        return self._defused

    @defused.setter
    def defused(self, value):
        self._defused = True

    @property
    def value(self):
        if self._value is OPEN:
            raise AttributeError(f"Value of {self} is not yet available")
        return self._value

    def succeed(self, value=None):
        self._trigger(True, value)
        return self

    def fail(self, exception):
        if not isinstance(exception, BaseException):
            raise ValueError(f"{exception} is not an exception.")
        self._trigger(False, exception)
        return self

    cdef void _trigger(self, bint ok, object value) except *:
        if self._value is not OPEN:
            raise RuntimeError(f"{self} has already been triggered")
        self._ok = ok
        self._value = value
        (<Environment> self.env)._schedule(self, AS_USUAL, (<Environment> self.env).now)

    def __and__(self, other):
        return AllOf(self.env, [self, other])

    def __or__(self, other):
        return AnyOf(self.env, [self, other])


cdef class Occurrence(Event):
    """An event that will succeed for certain; see :class:`sim.kernel.events.Occurrence`."""

    def __init__(self, env, value=None):
        self._value = value


cdef class Process(Event):
    """A generator that waits for the events that it yields; see ``simpy.Process``."""

    cdef readonly object _generator
    cdef readonly object target
    cdef object _send

    def __init__(self, env, generator):
        if not hasattr(generator, "throw"):
            raise ValueError(f"{generator} is not a generator.")
        self._generator = generator
        self._send = generator.send
        cdef Event start = Event.__new__(Event, env)
        start._value = None
        start.callbacks.append(self)
        self.target = start
        (<Environment> env)._schedule(start, AT_ONCE, (<Environment> env).now)

    @property
    def name(self):
        return self._generator.__name__

    @property
    def is_alive(self):
        return self._value is OPEN

    def __call__(self, event):
        self._resume(event)

    cdef void _resume(self, object event) except *:
        cdef Environment env = <Environment> self.env
        cdef Event known
        env.active_process = self
        while True:
            try:
                if isinstance(event, Event):
                    known = <Event> event
                    if known._ok:
                        event = self._send(known._value)
                    else:
                        known._defused = True
                        event = self._generator.throw(_copy(known._value))
                elif event._ok:
                    event = self._send(event._value)
                else:
                    event.defused = True
                    event = self._generator.throw(_copy(event._value))
            except StopIteration as end:
                event = None
                self._trigger(True, end.value)
                break
            except BaseException as failure:
                event = None
                self._trigger(False, failure)
                break
            if isinstance(event, Event):
                known = <Event> event
                if known.callbacks is not None:
                    known.callbacks.append(self)
                    break
            elif not hasattr(event, "callbacks"):
                raise RuntimeError(f'Invalid yield value "{event}" in {self.name}')
            elif event.callbacks is not None:
                event.callbacks.append(self)
                break
        self.target = event
        env.active_process = None


cdef object _copy(failure):
    copy = type(failure)(*failure.args)
    copy.__cause__ = failure
    return copy


cdef struct Entry:
    double at
    long priority
    long long number
    Py_ssize_t slot


cdef inline bint _before(Entry* one, Entry* other) noexcept nogil:
    if one.at != other.at:
        return one.at < other.at
    if one.priority != other.priority:
        return one.priority < other.priority
    return one.number < other.number


cdef class Environment:
    """SimPy's environment, with time on the grid; see :mod:`sim.kernel.events`."""

    # The schedule is a binary heap of entries, each with the slot of its event in a list, so that
    # the garbage collector sees the events. Behind the heap the entries hold the free slots.

    cdef readonly double now
    cdef public object active_process
    cdef list _events
    cdef Entry* _heap
    cdef Py_ssize_t _length, _room
    cdef long long _number, _look_again

    def __init__(self, look_again):
        self._look_again = look_again
        self._events = []

    def __dealloc__(self):
        PyMem_Free(self._heap)

    def process(self, generator):
        return Process(self, generator)

    def event(self):
        return Event.__new__(Event, self)

    def timeout(self, double delay=0.0, value=None):
        if delay < 0:
            raise ValueError(f"Negative delay {delay}")
        cdef Event event = Event.__new__(Event, self)
        event._value = value
        self._schedule(event, AS_USUAL, _snap(self.now + delay) if delay else self.now)
        return event

    def all_of(self, events):
        return AllOf(self, events)

    def any_of(self, events):
        return AnyOf(self, events)

    def schedule(self, event, int priority=NORMAL, double delay=0.0):
        self._schedule(event, priority, _snap(self.now + delay) if delay else self.now)

    def schedule_at(self, event, double at, int priority=NORMAL):
        if at < self.now:
            raise ValueError(f"{at} h is over; it is {self.now} h")
        self._schedule(event, priority, at)

    def at(self, double when, value=None, int priority=NORMAL):
        cdef Event event = Event.__new__(Event, self)
        event._value = value
        self.schedule_at(event, _snap(when), priority)
        return event

    def _look(self, number, waiting):
        raise NotImplementedError

    cdef void _schedule(self, object event, long priority, double at) except *:
        """Put ``event`` into the schedule, a binary heap."""
        cdef long long number = self._number
        self._number += 1
        if number >= self._look_again:
            self._look_again = self._look(number, self._length)
        if self._length == self._room:
            self._make_room()
        cdef Entry* heap = self._heap
        cdef Entry entry
        entry.at, entry.priority, entry.number = at, priority, number
        entry.slot = heap[self._length].slot
        self._events[entry.slot] = event
        cdef Py_ssize_t place = self._length, parent
        self._length += 1
        while place > 0:
            parent = (place - 1) >> 1
            if not _before(&entry, &heap[parent]):
                break
            heap[place] = heap[parent]
            place = parent
        heap[place] = entry

    cdef void _make_room(self) except *:
        cdef Py_ssize_t room = max(64, 2 * self._room), slot
        cdef Entry* heap = <Entry*> PyMem_Realloc(self._heap, room * sizeof(Entry))
        if heap is NULL:
            raise MemoryError
        for slot in range(self._room, room):
            heap[slot].slot = slot
        self._events.extend([None] * (room - self._room))
        self._heap, self._room = heap, room

    cdef object _pop(self):
        """Take the next event off the schedule, and go to its time."""
        cdef Entry* heap = self._heap
        cdef Py_ssize_t place = 0, child, slot = heap[0].slot, length = self._length - 1
        cdef Entry entry = heap[length]
        event = self._events[slot]
        self._events[slot] = None
        self.now = heap[0].at
        self._length = length
        while True:
            child = 2 * place + 1
            if child >= length:
                break
            if child + 1 < length and _before(&heap[child + 1], &heap[child]):
                child += 1
            if not _before(&heap[child], &entry):
                break
            heap[place] = heap[child]
            place = child
        heap[place] = entry
        heap[length].slot = slot
        return event

    def run(self, until=None):
        stop = None
        if isinstance(until, (Event, SimPyEvent)):
            stop = until
        elif until is not None:
            if until <= self.now:
                raise ValueError(f"until ({until}) must be later than now ({self.now})")
            stop = Occurrence(self)
            self._schedule(stop, AT_ONCE, _snap(until))
        while self._length and (stop is None or stop.callbacks is not None):
            self._happen(self._pop())
        if stop is None:
            return None
        if stop.callbacks is not None:
            raise RuntimeError(f"nothing is scheduled any more that could end in {stop}")
        return stop.value

    cdef void _happen(self, object event) except *:
        cdef list callbacks
        cdef bint fails
        if isinstance(event, Event):
            callbacks = (<Event> event).callbacks
            (<Event> event).callbacks = None
        else:
            callbacks = event.callbacks
            event.callbacks = None
        for callback in callbacks:
            if type(callback) is Process:
                (<Process> callback)._resume(event)
            else:
                callback(event)
        if isinstance(event, Event):
            fails = not ((<Event> event)._ok or (<Event> event)._defused)
        else:
            fails = not (event._ok or event.defused)
        if fails:
            raise _copy(event._value)
