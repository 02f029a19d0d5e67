# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Tables of random draws, compiled: what :mod:`.draws` does with NumPy, with the same results.

The stream is that of NumPy: ``PCG64(SeedSequence(seed, spawn_key=(replication, key)))``, both of
which M. E. O'Neill has described: the generator (PCG XSL RR 128/64) in "PCG: A Family of Simple
Fast Space-Efficient Statistically Good Algorithms for Random Number Generation" (2014), the hash of
the seed in "Developing a seed_seq Alternative" (2015).
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint32_t, uint64_t

from numpy import array
from scipy.special import cython_special

from sim.scenario.distributions import Constant, Exponential, Lognormal

cdef extern from *:
    """
    typedef unsigned __int128 wide;

    static const wide PCG_FACTOR = ((wide)2549297995355413924ULL << 64) | 4865540595714422341ULL;

    static wide wide_of(uint64_t high, uint64_t low) {
        return ((wide)high << 64) | low;
    }

    static wide pcg_begin(wide state, wide increment) {
        return (increment + state) * PCG_FACTOR + increment;
    }

    /* The state after that many steps: F. Brown, "Random Number Generation with Arbitrary
       Strides" (1994). */
    static wide pcg_advance(wide state, wide increment, wide steps) {
        wide factor = PCG_FACTOR, term = increment, all_factors = 1, all_terms = 0;
        for (; steps > 0; steps >>= 1) {
            if (steps & 1) {
                all_factors *= factor;
                all_terms = all_terms * factor + term;
            }
            term *= factor + 1;
            factor *= factor;
        }
        return all_factors * state + all_terms;
    }

    static double pcg_uniform(wide *state, wide increment) {
        *state = *state * PCG_FACTOR + increment;
        uint64_t folded = (uint64_t)(*state >> 64) ^ (uint64_t)*state;
        unsigned int turn = (unsigned int)(*state >> 122);
        uint64_t bits = (folded >> turn) | (folded << ((-turn) & 63));
        return (bits >> 11) * (1.0 / 9007199254740992.0);
    }
    """
    ctypedef uint64_t wide  # for Cython; in C it has 128 bits
    wide wide_of(uint64_t high, uint64_t low) noexcept
    wide pcg_begin(wide state, wide increment) noexcept
    wide pcg_advance(wide state, wide increment, wide steps) noexcept
    double pcg_uniform(wide* state, wide increment) noexcept


ctypedef double (*Function)(double, int) noexcept


cdef Function _function(str name) except NULL:
    """Return one of SciPy's functions, which are the same for one number and for an array."""
    capsule = cython_special.__pyx_capi__.get(name)
    if capsule is None:
        raise ImportError(
            f"this version of SciPy has no compiled function {name}; set MLDELIVERY_KERNEL=python"
        )
    return <Function> PyCapsule_GetPointer(capsule, b"double (double, int __pyx_skip_dispatch)")


cdef Function ndtri = _function("ndtri")
cdef Function exp2 = _function("exp2")
cdef Function log1p = _function("__pyx_fuse_1log1p")  # that for real numbers


cdef inline uint32_t _hash(uint32_t word, uint32_t* constant, uint32_t factor) noexcept:
    word ^= constant[0]
    constant[0] *= factor
    word *= constant[0]
    return word ^ (word >> 16)


cdef inline uint32_t _mix(uint32_t one, uint32_t other) noexcept:
    cdef uint32_t mixed = <uint32_t> 0xca01f9dd * one - <uint32_t> 0x4973f715 * other
    return mixed ^ (mixed >> 16)


cdef list _words(number):
    """Return the words of 32 bits of ``number``, the lowest first."""
    words = [number & 0xffffffff]
    while number := number >> 32:
        words.append(number & 0xffffffff)
    return words


cdef void _seed(list entropy, uint64_t* seeds) except *:
    """Hash words of entropy, at least four, into four words of 64 bits."""
    cdef uint32_t pool[4]
    cdef uint32_t words[8]
    cdef uint32_t constant = 0x43b0d7e5, factor = 0x931e8875, word
    cdef int source, place
    for place in range(4):
        pool[place] = _hash(entropy[place], &constant, factor)
    for source in range(4):
        for place in range(4):
            if place != source:
                pool[place] = _mix(pool[place], _hash(pool[source], &constant, factor))
    for word in entropy[4:]:
        for place in range(4):
            pool[place] = _mix(pool[place], _hash(word, &constant, factor))
    constant, factor = 0x8b51f9dd, 0x58f38ded
    for place in range(8):
        words[place] = _hash(pool[place % 4], &constant, factor)
    for place in range(4):
        seeds[place] = words[2 * place] | <uint64_t> words[2 * place + 1] << 32


cdef enum Kind:
    UNIFORM
    CONSTANT
    EXPONENTIAL
    LOGNORMAL
    OTHER


cdef struct Column:
    Kind kind
    double first
    double second


cdef class DrawTable:
    """Rows of draws; see :class:`sim.kernel.draws.DrawTable`."""

    cdef wide _start, _increment, _state
    cdef uint64_t _next_row
    cdef Py_ssize_t _width
    cdef Column* _columns
    cdef list _distributions

    def __init__(self, seed, replication, key, columns, blocks=None):
        cdef uint64_t seeds[4]
        entropy = _words(seed)
        entropy.extend([0] * (4 - len(entropy)))
        _seed(entropy + _words(replication) + _words(key), seeds)
        self._increment = wide_of(seeds[2], seeds[3]) << 1 | 1
        self._start = self._state = pcg_begin(wide_of(seeds[0], seeds[1]), self._increment)
        self._width = len(columns)
        self._distributions = list(columns)
        self._columns = <Column*> PyMem_Malloc(max(1, self._width) * sizeof(Column))
        if self._columns is NULL:
            raise MemoryError
        cdef Column* column
        cdef Py_ssize_t place
        for place in range(self._width):
            column = &self._columns[place]
            distribution = self._distributions[place]
            if distribution is None:
                column.kind = UNIFORM
            elif isinstance(distribution, Lognormal):
                column.kind = LOGNORMAL
                column.first, column.second = distribution.logarithm
            elif isinstance(distribution, Exponential):
                column.kind = EXPONENTIAL
                column.first = distribution.mean
            elif isinstance(distribution, Constant):
                column.kind = CONSTANT
                column.first = distribution.value
            else:
                column.kind = OTHER

    def __dealloc__(self):
        PyMem_Free(self._columns)

    def take(self, uint64_t k):
        cdef Py_ssize_t place
        cdef Column* column
        cdef double value
        cdef list row = [None] * self._width
        if k != self._next_row:
            self._state = pcg_advance(
                self._start, self._increment, <wide> k * <wide> self._width
            )
        self._next_row = k + 1
        for place in range(self._width):
            column = &self._columns[place]
            value = pcg_uniform(&self._state, self._increment)
            if column.kind == LOGNORMAL:
                value = exp2(column.first + column.second * ndtri(value, 0), 0)
            elif column.kind == EXPONENTIAL:
                value = -column.first * log1p(-value, 0)
            elif column.kind == CONSTANT:
                value = column.first
            elif column.kind == OTHER:
                value = self._distributions[place].quantile(array(value))
            row[place] = value
        return row
