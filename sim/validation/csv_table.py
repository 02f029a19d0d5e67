"""The rows of the validation as a table of numbers, for the CSV file."""

from collections.abc import Sequence

import pandas as pd

from .rows import SurveyRow


def frame(rows: Sequence[SurveyRow]) -> pd.DataFrame:
    """Return a line for each row, in the unit of the row."""
    return pd.DataFrame(
        {
            "section": row.definition.section,
            "key": row.definition.key,
            "quantity": row.definition.quantity,
            "simulated_for": row.definition.place.name,
            "published": row.definition.published,
            "source": row.definition.source.name,
            "trust": row.definition.source.trust,
            "origin": row.definition.origin,
            "unit": row.definition.unit,
            "mean": row.value.mean,
            "ci_low": row.value.low,
            "ci_high": row.value.high,
            "accepted": row.accepted_in_words,
            "verdict": row.verdict,
            "note": row.note,
            "meaning": row.meaning,
        }
        for row in rows
    )
