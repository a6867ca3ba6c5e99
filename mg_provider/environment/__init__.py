"""One environment as configuration: the models, endpoints and batch jobs of a stack, and the program that runs them."""

from __future__ import annotations

from mg_provider.environment.environment import Environment
from mg_provider.environment.main import run
from mg_provider.environment.reading import KEY, QUICKSTART, ConfigError, quickstart, read

__all__ = ["KEY", "QUICKSTART", "ConfigError", "Environment", "quickstart", "read", "run"]
