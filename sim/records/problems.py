"""What is wrong with records: every problem by file, row and column, and what became of the row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.words import printable

RowNumbers = npt.NDArray[np.int64]

_EXAMPLES = 3
_LONGEST_EXAMPLE = 40


@dataclass(frozen=True)
class Problem:
    """One kind of problem in one column of one file.

    Attributes:
        file: the file or table.
        column: the column; empty if it is a matter of whole rows.
        kind: what is wrong, in the same words wherever it occurs: ``no time``.
        consequence: what became of the value or the row: ``the value is left out``.
        rows: numbers of the rows as a spreadsheet shows them (the header is row 1); empty if it is
            a matter of the whole file.
        values: what stands there, a text per row, or none at all.
    """

    file: str
    column: str
    kind: str
    consequence: str
    rows: RowNumbers
    values: Sequence[str] = ()

    @property
    def count(self) -> int:
        """How many rows have it; 1 for a whole file."""
        return max(len(self.rows), 1)

    def __str__(self) -> str:
        place = self.file + (f", {self.column}" if self.column else "")
        if len(self.rows):
            more = f" and {len(self.rows) - 1:,} more" if len(self.rows) > 1 else ""
            place += f", row {self.rows[0]}{more}"
        shown = ", ".join(f"'{example}'" for example in self.examples)
        return f"{place}: {self.kind}{f' ({shown})' if shown else ''}; {self.consequence}"

    @property
    def examples(self) -> list[str]:
        """Some of the values, each another one, short and safe to print."""
        texts = dict.fromkeys(
            printable(str(value))[:_LONGEST_EXAMPLE] for value in self.values[: 50 * _EXAMPLES]
        )
        return list(texts)[:_EXAMPLES]


@dataclass
class Problems:
    """A list of problems that readers add to.

    Attributes:
        found: the problems in the order in which they were found.
    """

    found: list[Problem] = field(default_factory=list)

    def add(
        self,
        file: str,
        column: str,
        kind: str,
        consequence: str,
        rows: Iterable[int] | npt.NDArray[Any] = (),
        values: Iterable[object] = (),
    ) -> None:
        """Add a problem, unless no row has it.

        Args:
            file: see :class:`Problem`, as the others.
            column: the column.
            kind: what is wrong.
            consequence: what became of it.
            rows: the rows that have it.
            values: what stands there.
        """
        numbers = np.asarray(list(rows) if not isinstance(rows, np.ndarray) else rows)
        if numbers.size:
            texts = tuple(map(str, values))
            self.found.append(
                Problem(file, column, kind, consequence, numbers.astype(np.int64), texts)
            )

    def add_file(self, file: str, kind: str, consequence: str, column: str = "") -> None:
        """Add a problem of a whole file, or of a whole column of it."""
        self.found.append(Problem(file, column, kind, consequence, np.empty(0, np.int64)))

    def __iter__(self) -> Iterator[Problem]:
        """Return the problems, the most frequent ones first."""
        return iter(sorted(self.found, key=lambda problem: -problem.count))

    def __len__(self) -> int:
        return len(self.found)

    @property
    def count(self) -> int:
        """How many rows have a problem, counted once for each problem that they have."""
        return sum(problem.count for problem in self.found)

    def frame(self) -> pd.DataFrame:
        """Return the whole list: `file`, `row`, `column`, `kind`, `value` and `consequence`.

        Rows are numbered as a spreadsheet does; it is missing where the whole file has the problem.
        """
        parts = []
        for problem in self:
            rows: Any = problem.rows if len(problem.rows) else [pd.NA]
            values: Any = problem.values if len(problem.values) == len(rows) else ""
            parts.append(
                pd.DataFrame(
                    {
                        "file": problem.file,
                        "row": pd.array(rows, dtype="Int64"),
                        "column": problem.column,
                        "kind": problem.kind,
                        "value": values,
                        "consequence": problem.consequence,
                    }
                )
            )
        columns = ["file", "row", "column", "kind", "value", "consequence"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
