"""No machine is asked for on behalf of input that cannot be answered."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.batch import arguments, chat, make_table, put_questions, put_rows, started, table_arguments
from tests.support.samples.weights import BUCKET, make_bucket


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    return Life(host, BatchJobProvider)


def test_wrong_rows_are_told_with_their_lines_and_no_job_is_started(emulator, life):
    put_rows(emulator, "in/questions.jsonl", [chat("fine"), {"body": "hello"}, *[{"id": "1"}] * 20])
    with pytest.raises(HostError) as failure:
        life.up(arguments())
    text = str(failure.value)
    assert f"gs://{BUCKET}/in/questions.jsonl:2: error: body is text" in text
    assert "and 36 more" in text
    assert "mg batch check" in text
    assert failure.value.kept is None
    assert (started(emulator), emulator.ledger()["empty"]) == (0, True)


def test_input_that_is_not_there_is_told_and_no_job_is_started(emulator, life):
    with pytest.raises(HostError, match="there is no such object"):
        life.up(arguments())
    assert started(emulator) == 0


def test_the_check_can_be_left_out(emulator, life):
    put_questions(emulator)
    before = len(emulator.requests())
    life.up({**arguments(), "preflight": False, "wait": False})
    assert not any(entry["rpc"].startswith("storage.") for entry in emulator.requests()[before:])
    life.destroy()


def test_a_caller_who_may_not_read_the_input_may_still_run_the_job(emulator, life):
    put_questions(emulator)
    emulator.fail(rpc="storage.objects.get", fault="status", status=403, times=1)
    assert life.up(arguments())["job_state"] == "JOB_STATE_SUCCEEDED"
    life.destroy()


def test_a_caller_who_may_list_the_input_and_not_read_it_may_still_run_the_job(emulator, life):
    put_questions(emulator)
    emulator.fail(rpc="storage.objects.get", fault="status", status=403, times=1)
    assert life.up(arguments("in/*.jsonl"))["job_state"] == "JOB_STATE_SUCCEEDED"
    life.destroy()


def test_an_error_is_told_however_many_warnings_are_before_it(emulator, life):
    rows = [{"custom_id": number, **chat("fine")} for number in range(120)]
    put_rows(emulator, "in/questions.jsonl", [*rows, {"body": "hello"}])
    with pytest.raises(HostError, match=r"questions\.jsonl:121: error: body is text"):
        life.up(arguments())
    assert started(emulator) == 0


def test_a_job_that_is_there_already_is_not_checked_again(emulator, life):
    put_questions(emulator)
    life.up({**arguments(), "wait": False})
    put_rows(emulator, "in/questions.jsonl", [{"body": "hello"}])
    assert life.up({**arguments(), "wait": True})["job_state"] == "JOB_STATE_SUCCEEDED"
    life.destroy()


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("bq://my-project.prompts.input", "the output table exists already"),
        ("bq://my-project.nothing", "does not exist: make it first"),
    ],
)
def test_an_output_that_cannot_be_written_is_told_and_no_job_is_started(emulator, life, output, text):
    make_table(emulator, [chat("hello", custom_id="1", method="POST", url="/v1/chat/completions")])
    with pytest.raises(HostError, match=text):
        life.up(table_arguments(output))
    assert started(emulator) == 0


def test_an_output_dataset_in_another_region_is_told(emulator, life):
    make_table(emulator, [chat("hello", custom_id="1", method="POST", url="/v1/chat/completions")])
    with pytest.raises(HostError, match="the dataset is in us-central1, the job in europe-west4"):
        life.up(
            {
                **arguments(),
                "region": "europe-west4",
                **{"output_config": table_arguments("bq://my-project.prompts")["output_config"]},
            }
        )
    assert started(emulator) == 0


def test_rows_may_be_wrong_as_far_as_the_program_allows_rows_to_fail(emulator, life):
    put_rows(emulator, "in/questions.jsonl", [chat("fine"), {"body": "hello"}, chat("fine"), chat("fine")])
    with pytest.raises(HostError, match="the batch cannot be answered with this input"):
        life.up(arguments(allow_partial=0.2))
    assert started(emulator) == 0
    assert life.up(arguments(allow_partial=0.25))["failed_count"] == 1
    life.destroy()


def test_a_table_is_checked_before_a_job_is_started(emulator, life):
    rows = [chat("fine", custom_id="1"), {"custom_id": "2", "body": {"messages": "hello"}}]
    make_table(emulator, rows)
    with pytest.raises(HostError, match=r"no_messages") as failure:
        life.up(table_arguments("bq://my-project.prompts"))
    assert "custom_id 2" in str(failure.value)
    assert started(emulator) == 0


def test_a_table_in_another_region_is_told_and_no_job_is_started(emulator, life):
    make_table(emulator, [chat("fine", custom_id="1")])
    with pytest.raises(HostError, match="the table is in us-central1, the job in europe-west4"):
        life.up({**table_arguments("bq://my-project.prompts"), "region": "europe-west4"})
    assert started(emulator) == 0
