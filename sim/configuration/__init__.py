"""From files and overrides to scenarios: all that knows Hydra and its grammar of overrides."""
