"""google-cloud-bigquery as its users use it: datasets, tables, rows, queries and what they would read."""

import sys

from checks import PROJECT, run
from google.api_core.exceptions import BadRequest, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

client = bigquery.Client(
    project=PROJECT,
    credentials=AnonymousCredentials(),
    location="us-central1",
    client_options={"api_endpoint": sys.argv[1]},
)
SCHEMA = [bigquery.SchemaField("id", "INTEGER"), bigquery.SchemaField("body", "STRING")]
PROMPTS = f"{PROJECT}.prompts.in"


def makes_a_dataset_and_a_table():
    dataset = bigquery.Dataset(f"{PROJECT}.prompts")
    dataset.location = "us-central1"
    client.create_dataset(dataset)
    client.create_table(bigquery.Table(PROMPTS, schema=SCHEMA))
    assert [each.dataset_id for each in client.list_datasets()] == ["prompts"]
    assert [each.table_id for each in client.list_tables("prompts")] == ["in"]
    assert client.create_dataset("prompts", exists_ok=True).location == "us-central1"


def loads_rows_from_json():
    rows = [{"id": index, "body": f"Question {index}"} for index in range(5)]
    config = bigquery.LoadJobConfig(schema=SCHEMA, write_disposition="WRITE_APPEND")
    job = client.load_table_from_json(rows, PROMPTS, job_config=config)
    job.result()
    assert job.output_rows == 5
    assert client.get_table(PROMPTS).num_rows == 5


def loads_rows_into_a_table_that_the_load_makes():
    config = bigquery.LoadJobConfig(autodetect=True, write_disposition="WRITE_TRUNCATE")
    client.load_table_from_json([{"word": "one", "count": 1}], f"{PROJECT}.prompts.made", job_config=config).result()
    made = client.get_table(f"{PROJECT}.prompts.made")
    assert {field.name: field.field_type for field in made.schema} == {"word": "STRING", "count": "INTEGER"}
    client.delete_table(made)


def streams_rows():
    assert client.insert_rows_json(PROMPTS, [{"id": 5, "body": "Question 5"}]) == []
    assert client.insert_rows(client.get_table(PROMPTS), [(6, "Question 6")]) == []


def lists_rows():
    assert sorted(row["id"] for row in client.list_rows(PROMPTS)) == list(range(7))
    page = client.list_rows(client.get_table(PROMPTS), max_results=2, selected_fields=SCHEMA[:1])
    assert len(list(page)) == 2
    assert len(list(client.list_rows(PROMPTS, page_size=2))) == 7


def asks_a_query():
    rows = client.query("SELECT body, id FROM prompts.`in` WHERE id < 2 ORDER BY id").result()
    assert [tuple(row) for row in rows] == [("Question 0", 0), ("Question 1", 1)]
    assert rows.total_rows == 2
    assert [row.n for row in client.query_and_wait("SELECT COUNT(*) AS n FROM prompts.`in`")] == [7]


def asks_a_query_with_parameters():
    least = [bigquery.ScalarQueryParameter("least", "INT64", 5)]
    config = bigquery.QueryJobConfig(query_parameters=least)
    rows = client.query("SELECT id FROM prompts.`in` WHERE id >= @least ORDER BY id", job_config=config).result()
    assert [row.id for row in rows] == [5, 6]


def says_what_a_query_would_read():
    config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
    job = client.query("SELECT body FROM prompts.`in`", job_config=config)
    assert job.dry_run
    assert job.state == "DONE"
    assert job.total_bytes_processed > 0
    assert [field.name for field in job.schema] == ["body"]


def keeps_the_answer_in_a_table():
    config = bigquery.QueryJobConfig(destination=f"{PROJECT}.prompts.out", write_disposition="WRITE_TRUNCATE")
    client.query("SELECT id FROM prompts.`in` LIMIT 3", job_config=config).result()
    assert client.get_table(f"{PROJECT}.prompts.out").num_rows == 3


def says_what_is_wrong():
    for statement, error in (("SELEC 1", BadRequest), ("SELECT * FROM prompts.nothing", NotFound)):
        try:
            client.query(statement).result()
        except error:
            continue
        raise AssertionError(f"{statement} was answered")
    try:
        client.get_table(f"{PROJECT}.prompts.nothing")
    except NotFound:
        return
    raise AssertionError("a table that is not there was found")


def knows_its_jobs_again():
    job = client.query("SELECT 1 AS one")
    job.result()
    again = client.get_job(job.job_id, location=job.location)
    assert again.done()
    assert [row.one for row in again.result()] == [1]


def deletes_everything():
    client.delete_table(f"{PROJECT}.prompts.out")
    client.delete_dataset("prompts", delete_contents=True)
    client.delete_dataset("prompts", not_found_ok=True)
    assert list(client.list_datasets()) == []


run(
    makes_a_dataset_and_a_table,
    loads_rows_from_json,
    loads_rows_into_a_table_that_the_load_makes,
    streams_rows,
    lists_rows,
    asks_a_query,
    asks_a_query_with_parameters,
    says_what_a_query_would_read,
    keeps_the_answer_in_a_table,
    says_what_is_wrong,
    knows_its_jobs_again,
    deletes_everything,
)
