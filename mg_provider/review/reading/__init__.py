"""The preview as the engine wrote it: steps, values, and which arguments differ."""
