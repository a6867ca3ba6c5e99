"""The page on a batch every night: its program works for the second night, and so does that of the guide."""

from tests.documents.markdown import code_blocks, read
from tests.documents.pages.test_guides import cloud  # noqa: F401 - a fixture
from tests.documents.rehearsal import Rehearsal
from tests.support.samples.batch import started, tables

PAGE, GUIDE = read("docs/nightly-batch.md"), read("docs/guide-batch-prediction.md")


def nights(emulator, folder, program):
    rehearsal = Rehearsal(folder, program, emulator.url)
    for date in ("2026_11_27", "2026_11_28", "2026_11_28"):
        rehearsal.config["shop:night"] = date
        rehearsal("up")
    return rehearsal


def test_each_night_is_a_run_with_tables_of_its_own(cloud, tmp_path):  # noqa: F811
    rehearsal = nights(cloud, tmp_path, code_blocks(PAGE, "python")[0])
    assert started(cloud) == 2
    assert len([name for name in tables(cloud, "batch") if name.startswith("predictions_")]) == 2
    assert rehearsal.stack_outputs()["answered"] == 1
    rehearsal("destroy")


def test_a_table_with_the_night_in_its_name_works_too(cloud, tmp_path):  # noqa: F811
    named = 'f"bq://my-project.batch.answers_{night}"'
    assert named in PAGE
    program = code_blocks(PAGE, "python")[0].replace('"output_uri": "bq://my-project.batch"', f'"output_uri": {named}')
    nights(cloud, tmp_path, program)
    assert {"answers_2026_11_27", "answers_2026_11_28"} < set(tables(cloud, "batch"))


def test_the_guides_job_works_for_the_second_night(cloud, tmp_path):  # noqa: F811
    program = code_blocks(GUIDE, "python")[0]
    again = program.replace("starting_replica_count=1,", 'starting_replica_count=1,\n    triggers={"night": "2"},')
    assert again != program
    Rehearsal(tmp_path, program, cloud.url)("up")
    Rehearsal(tmp_path, again, cloud.url)("up")
    assert started(cloud) == 2
