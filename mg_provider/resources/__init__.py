"""The resources: one file for each, and what they share beside it."""
