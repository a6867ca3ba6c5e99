"""The models that Model Garden has."""
