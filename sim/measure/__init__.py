"""The measures of real records: ``python -m sim.measure SOURCE``."""
