"""Delivery records of real organizations: read from what their tools export."""
