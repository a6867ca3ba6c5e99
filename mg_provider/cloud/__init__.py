"""The emulated clouds of a user: what is in one from the start, one that a stack has of its own, one that is served."""
