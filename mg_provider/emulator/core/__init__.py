"""The emulated world: time, state, faults, calls."""
