"""Arguments as models: marks, validation, diff, lifecycle."""
