"""Measurements, printed as a table and as JSON. Every figure is a count or a ratio taken in one run."""
