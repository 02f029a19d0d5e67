"""Questions about an organization, and the scenario that the answers make."""
