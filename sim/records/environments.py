"""Where deployments count."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from .options import Options
from .places import are_among

PRODUCTION = ("production", "prod", "live")


def counting(environments: "pd.Series[str]", options: Options) -> npt.NDArray[np.bool_]:
    """Return which environments are production, or the one that a person named."""
    if options.environment is None:
        return are_among(environments.str.lower(), PRODUCTION)
    return are_among(environments, [options.environment])
