"""Compares the model with published surveys: ``python -m sim.validation``.

Nothing here is tuned. The rules of agreement are in :mod:`sim.validation.agreement`, the published
figures in ``tables/``, and the simulated organizations with their weights in
:mod:`sim.validation.population`. All three were set without regard to the results.
"""
