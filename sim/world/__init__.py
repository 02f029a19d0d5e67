"""The simulated organization: runs a scenario on SimPy and writes events; knows no metric."""
