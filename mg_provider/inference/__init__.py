"""Asking the models: chat completions, whole or as a stream, at a public or a private address."""
