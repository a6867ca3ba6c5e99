"""Checks of a folder of weights."""
