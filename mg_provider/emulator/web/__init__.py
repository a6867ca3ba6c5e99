"""The emulator's HTTP."""
