"""How many hours there are in the longer units of time: everything is reckoned in hours."""

HOURS_PER_DAY = 24.0
HOURS_PER_WEEK = 7 * HOURS_PER_DAY
HOURS_PER_YEAR = 365.25 * HOURS_PER_DAY
HOURS_PER_MONTH = HOURS_PER_YEAR / 12
