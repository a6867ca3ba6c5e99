"""Failed assertions of the scenarios show their values, as those of tests do."""

import pytest

pytest.register_assert_rewrite("tests.conformance.lives", "tests.conformance.options")
