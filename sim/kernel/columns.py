"""Rows into columns: ``compiled_columns.pyx`` does the same in compiled code."""

import struct
from array import array
from collections.abc import Sequence
from typing import Any


class Codes(dict[str, int]):
    """Numbers texts in the order in which they are first asked for."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


def extend(
    columns: Sequence["array[Any]"], rows: Sequence[tuple[Any, ...]], codes: Sequence[Codes | None]
) -> None:
    """Append ``rows`` to ``columns``.

    Args:
        columns: one array per field.
        rows: one tuple per row, not none.
        codes: the numbers of texts, for each column that holds such; None for the others.
    """
    for values, column, numbers in zip(zip(*rows, strict=True), columns, codes, strict=True):
        items = values if numbers is None else map(numbers.__getitem__, values)
        # Packed first, an array takes them in half the time.
        column.frombytes(struct.pack(f"{len(rows)}{column.typecode}", *items))
