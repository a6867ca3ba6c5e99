"""Requests: connections, credentials, retries, answers."""
