"""Machines: what is there, and what a model needs."""
