"""Failed assertions of the scenarios show their values, as those of tests do."""

import pytest

from tests.support.google.canary import canary_proxy, only_this_machine

__all__ = ["canary_proxy", "only_this_machine"]

pytest.register_assert_rewrite("tests.conformance.lives", "tests.conformance.options")
