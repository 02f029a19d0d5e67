"""Simulated runs in the formats of other tools: ``python -m sim.export``."""
