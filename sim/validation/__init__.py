"""The model held against published surveys: ``python -m sim.validation``.

Nothing here tunes anything. What counts as agreement stands in :mod:`sim.validation.agreement`,
the published figures in :mod:`sim.validation.published`, the organizations that are simulated and
their weights in :mod:`sim.validation.population`; all three without regard to what comes out.
"""
