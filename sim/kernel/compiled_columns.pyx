# cython: language_level=3, boundscheck=False, wraparound=False
"""Rows into columns, compiled: what :mod:`.columns` does, with the same results."""

from cpython cimport array


def extend(columns, list rows, codes):
    cdef Py_ssize_t field, place, before, count = len(rows)
    cdef array.array column
    for field in range(len(columns)):
        column = columns[field]
        before = len(column)
        array.resize_smart(column, before + count)
        numbers = codes[field]
        if column.ob_descr.typecode == c"d":
            for place in range(count):
                column.data.as_doubles[before + place] = (<tuple> rows[place])[field]
        elif column.ob_descr.typecode == c"q":
            for place in range(count):
                column.data.as_longlongs[before + place] = (<tuple> rows[place])[field]
        elif column.ob_descr.typecode == c"b":
            for place in range(count):
                column.data.as_schars[before + place] = (<tuple> rows[place])[field]
        else:
            for place in range(count):
                column.data.as_ints[before + place] = numbers[(<tuple> rows[place])[field]]
