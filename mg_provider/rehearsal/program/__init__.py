"""The user's program and project, and the hosts of its providers."""
