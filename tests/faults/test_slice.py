"""A handful of the driver's cases; `make faults` plays as many as one likes."""

import pytest

from tests.faults.cases import Case, Step, Trouble, case
from tests.faults.driver import play
from tests.faults.engines import ENGINES, PULUMI


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [104, 105, 110])
def test_a_disturbed_life_converges_and_leaves_nothing(seed, emulator, tmp_path, virtualenv):
    outcome = play(case(seed), ENGINES["rehearse"], emulator, tmp_path / "case", virtualenv)
    assert not outcome.failure, outcome


@pytest.mark.timeout(300)
def test_a_newcomers_first_run_that_is_killed_is_taken_up_and_destroyed(emulator, tmp_path, virtualenv):
    program = case(109).steps[0].program
    steps = [Step("create", program, [Trouble("engine", 3, slow=True)], left=True), Step("destroy", program, [])]
    outcome = play(Case(0, "parked", steps), ENGINES["alone"], emulator, tmp_path / "case", virtualenv)
    assert not outcome.failure, outcome
    assert outcome.met


@pytest.mark.timeout(300)
@pytest.mark.skipif(PULUMI is None, reason="the pulumi CLI is not on PATH, so only the rehearsal engine was disturbed")
@pytest.mark.parametrize("seed", [102])
def test_so_it_does_on_pulumi(seed, emulator, tmp_path, virtualenv):
    outcome = play(case(seed), ENGINES["pulumi"], emulator, tmp_path / "case", virtualenv)
    assert not outcome.failure, outcome


def test_a_case_follows_from_its_seed_alone():
    assert str(case(7)) == str(case(7))
    assert len({str(case(seed)) for seed in range(50)}) > 45
