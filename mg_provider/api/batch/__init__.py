"""Batch prediction jobs and what they write."""
