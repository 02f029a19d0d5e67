"""Claims about practices, put on trial: paired experiments with an expectation and a verdict.

The claims are YAML files, ``scenarios/claims/`` by default; ``python -m sim.claims`` runs them.
"""
