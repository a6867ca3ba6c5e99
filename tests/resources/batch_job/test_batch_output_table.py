"""A named output table takes the answers of one run: what another run into it would meet is in the diff."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.batch import chat, jobs, make_table, put_questions, started, table_arguments, tables
from tests.support.samples.weights import make_bucket

NAMED = "bq://my-project.prompts.answers"


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    put_questions(emulator)
    make_table(emulator, [chat("Why?")])
    return Life(host, BatchJobProvider, name="nightly")


def wanted(night, output=NAMED, **more):
    return table_arguments(output, triggers={"night": night}, **more)


def test_another_run_into_a_table_with_answers_is_refused_before_anything_is_asked(emulator, life):
    life.up(wanted("1"))
    calls = len(emulator.requests())
    for again in (life.preview, life.up):
        with pytest.raises(
            HostError, match=r"same output table: bq://my-project\.prompts\.answers has the answers of the run"
        ) as refused:
            again(wanted("2"))
        assert "output_config" in refused.value.text
        assert "name another table, or only its dataset" in refused.value.text
    assert len(emulator.requests()) == calls
    assert life.preview(wanted("1")) == ("same", [])
    assert life.preview(wanted("1", wait=False))[0] == "update"


@pytest.mark.parametrize("output", ["bq://my-project.prompts.more", "bq://my-project.prompts"])
def test_another_table_or_a_dataset_takes_another_run(emulator, life, output):
    life.up(wanted("1"))
    assert life.up(wanted("2", output))["job_state"] == "JOB_STATE_SUCCEEDED"
    assert life.up(wanted("3", "bq://my-project.prompts"))["job_state"] == "JOB_STATE_SUCCEEDED"
    assert "answers" in tables(emulator)


def test_a_run_that_is_still_to_write_into_the_table_refuses_another(emulator, life):
    emulator.set_speed(0)
    life.up(wanted("1", wait=False))
    with pytest.raises(HostError, match="is the output of the run that this change replaces"):
        life.preview(wanted("2", wait=False))
    assert started(emulator) == 1


def test_a_run_that_ended_without_an_answer_leaves_the_table_to_the_next(emulator, life):
    files = {"input_config": {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://weights-bucket/missing"]}}}
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        life.up({**wanted("1"), **files, "preflight": False})
    assert life.up(wanted("1"))["job_state"] == "JOB_STATE_SUCCEEDED"
    assert len(jobs(emulator)) == 1


def test_a_run_that_deletes_its_output_goes_before_the_next_one_starts(emulator, life):
    life.up(wanted("1", delete_output=True))
    inputs = life.check(wanted("2", delete_output=True))
    diff = life.kind.diff(life.id, life.outputs, inputs)
    assert (list(diff.replaces), diff.deleteBeforeReplace) == (["triggers"], True)
    life.destroy()
    assert tables(emulator) == ["input"]
    assert life.up(wanted("2", delete_output=True))["job_state"] == "JOB_STATE_SUCCEEDED"


def test_any_other_replacement_runs_before_the_old_run_goes(life):
    life.up(wanted("1", "bq://my-project.prompts", delete_output=True))
    inputs = life.check(wanted("2", "bq://my-project.prompts", delete_output=True))
    assert not life.kind.diff(life.id, life.outputs, inputs).deleteBeforeReplace
