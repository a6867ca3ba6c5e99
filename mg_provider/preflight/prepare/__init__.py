"""Batch input made from what people have."""
