"""A batch job whose record is replaced by one that takes it up: paid for once, and gone when the last record goes."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.resources.conftest import config
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life
from tests.support.samples.batch import arguments, forget, jobs, objects, put_questions, started
from tests.support.samples.weights import make_bucket

WANTED = arguments(delete_output=True)
OTHER = arguments(delete_output=True, triggers={"night": "2"})


@pytest.fixture
def command(emulator):
    """Each command of the engine has a provider process of its own; what the stack's state holds goes along."""
    emulator.set_speed(1_000_000)
    make_bucket(emulator)
    put_questions(emulator)
    hosts = []

    def start(before=None):
        while hosts:
            hosts.pop().close()
        hosts.append(Host(config(emulator)))
        return Life(hosts[0], BatchJobProvider, name="nightly", after=before)

    yield start
    while hosts:
        hosts.pop().close()


def replace(life, wanted=WANTED):
    """`up --replace` up to the moment at which the new record is in the state and the old one is to be deleted.

    The engine asks for no diff then, and checks the arguments as those of a new resource.
    """
    life.replaced.append((life.id, life.outputs))
    life.id = life.inputs = life.outputs = None
    inputs = life.check(wanted)
    life.id, life.outputs = life.kind.create(inputs)
    life.inputs = inputs


def delete_replaced(life):
    for id, outputs in life.replaced:
        life.kind.delete(id, outputs)
    life.replaced = []


def next_up(life, wanted=WANTED):
    """An `up` that finds nothing to change deletes what an earlier one left to delete."""
    assert life.preview(wanted) == ("same", [])
    delete_replaced(life)


def answers(emulator):
    return [name for name in objects(emulator) if name.startswith("out/")]


def one_run(emulator, life):
    """Whether there is one job, paid for once, which the live record has, with its output."""
    assert [job["name"] for job in jobs(emulator)] == [life.outputs["batch_prediction_job"]]
    assert answers(emulator)
    assert started(emulator) == 1


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "killed"])
def test_a_replacement_by_the_same_run_takes_its_job_up_for_good(emulator, command, killed):
    life = command()
    life.up(WANTED)
    life = command(life)
    replace(life)
    if killed:
        life = command(life)
        next_up(life)
    else:
        delete_replaced(life)
    one_run(emulator, life)
    life = command(life)
    next_up(life)
    one_run(emulator, life)
    command(life).destroy()
    assert emulator.ledger()["empty"]
    assert answers(emulator) == []


def test_a_job_that_was_taken_up_several_times_is_left_by_each_older_record(emulator, command):
    life = command()
    life.up(WANTED)
    for _ in range(2):
        life = command(life)
        replace(life)
    life = command(life)
    next_up(life)
    one_run(emulator, life)
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_change_that_is_taken_back_before_the_old_record_went_takes_the_old_job_up(emulator, command):
    life = command()
    first = life.up(WANTED)
    replace(life, OTHER)
    assert started(emulator) == 2
    life = command(life)
    assert life.preview(WANTED) == ("replace", ["triggers"])
    replace(life)
    life = command(life)
    next_up(life)
    assert started(emulator) == 2
    assert [job["name"] for job in jobs(emulator)] == [first["batch_prediction_job"]]
    assert life.outputs["batch_prediction_job"] == first["batch_prediction_job"]
    assert len(answers(emulator)) == 1
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("first", ["old", "new"])
def test_a_destroy_that_finds_both_records_deletes_their_job_once(emulator, command, first):
    life = command()
    life.up(WANTED)
    replace(life)
    life = command(life)
    records = [*life.replaced, (life.id, life.outputs)]
    for id, outputs in records if first == "old" else reversed(records):
        life.kind.delete(id, outputs)
    assert emulator.ledger()["empty"]
    assert answers(emulator) == []


def test_a_failed_job_that_is_taken_up_is_told_again_and_not_run_again(emulator, command):
    wanted = arguments("in/missing.jsonl", preflight=False)
    life = command()
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        life.up(wanted)
    with pytest.raises(HostError, match="JOB_STATE_FAILED") as failure:
        replace(life, wanted)
    life.id, life.outputs = failure.value.kept
    life.unfinished = True
    life.inputs = life.check(wanted)
    life = command(life)
    assert life.preview(wanted) == ("update", [])
    delete_replaced(life)
    assert [job["name"] for job in jobs(emulator)] == [life.outputs["batch_prediction_job"]]
    assert started(emulator) == 1


def test_the_output_of_a_job_whose_own_record_somebody_deleted_stays_while_a_record_has_it(emulator, command):
    life = command()
    life.up(WANTED)
    replace(life)
    forget(emulator, life.outputs)
    life = command(life)
    next_up(life)
    assert answers(emulator)
    life.destroy()
    assert answers(emulator) == []


def test_the_old_job_of_an_ordinary_replacement_goes(emulator, command):
    life = command()
    life.up(WANTED)
    life.up(OTHER)
    assert [job["name"] for job in jobs(emulator)] == [life.outputs["batch_prediction_job"]]
    assert len(answers(emulator)) == 1
