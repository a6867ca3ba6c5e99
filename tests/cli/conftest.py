"""What these tests start asks this machine only."""

import sys
from pathlib import Path

import pytest

from tests.support.google.canary import canary_proxy, only_this_machine
from tests.support.running.forks import put_command

__all__ = ["canary_proxy", "only_this_machine"]


@pytest.fixture(scope="session")
def quick_mg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in a process of its own that starts quickly."""
    return put_command(tmp_path_factory.mktemp("bin") / "mg", Path(sys.executable).parent / "mg")
