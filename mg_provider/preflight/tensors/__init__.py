"""The tensors of a folder: what its headers say, and what its config.json asks for."""
