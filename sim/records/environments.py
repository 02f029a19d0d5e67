"""Where deployments count."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from .options import Options
from .places import are_among

PRODUCTION = ("production", "prod", "live")


def counting(environments: "pd.Series[str]", options: Options) -> npt.NDArray[np.bool_]:
    """Return which environments are production, or the one that a person named, in any case."""
    names = PRODUCTION if options.environment is None else [options.environment.strip().lower()]
    return are_among(environments.str.lower(), names)
