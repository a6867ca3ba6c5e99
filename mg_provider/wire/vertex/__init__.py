"""Shapes of Vertex AI."""
