"""The description of an organization: frozen, validated models that know nothing of simulation."""
