"""Where deployments count."""

import pandas as pd

from .options import Options

PRODUCTION = {"production", "prod", "live"}


def counting(environments: "pd.Series[str]", options: Options) -> "pd.Series[bool]":
    """Return which environments are production, or the one that a person named."""
    if options.environment is None:
        return environments.str.lower().isin(PRODUCTION)
    return environments == options.environment
