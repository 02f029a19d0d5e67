"""Experiments: replications of a scenario, and what can be said from them."""
