"""What is taken from what Google publishes: calls, schemas, quotas, and which of them the emulator answers."""
