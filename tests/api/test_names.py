"""Names, hosts and URIs."""

from __future__ import annotations

import pytest

from mg_provider.api.bigquery import client as bigquery
from mg_provider.api.errors import ProviderBug, UserError
from mg_provider.api.http.hosts import vertex_base
from mg_provider.api.names import location_of, mask
from mg_provider.api.storage import client as storage


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_host(location: str, host: str) -> None:
    assert vertex_base(location_of(f"projects/p/locations/{location}/endpoints/1")) == host


@pytest.mark.parametrize("name", ["publishers/google/models/x", "projects/p", "", "projects/p/regions/r/x"])
def test_a_name_without_a_location_is_our_mistake(name: str) -> None:
    with pytest.raises(ProviderBug):
        location_of(name)


def test_a_mask_is_spelled_as_json_has_it() -> None:
    assert mask(["traffic_split", "labels"]) == "trafficSplit,labels"


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("bq://p", ("p", None, None)),
        ("bq://p.d", ("p", "d", None)),
        ("bq://p.d.t", ("p", "d", "t")),
        ("bq://example.com:p.d.t", ("example.com:p", "d", "t")),
    ],
)
def test_a_bigquery_uri_has_one_to_three_parts(uri: str, parts: tuple[str | None, ...]) -> None:
    reference = bigquery.split_table_uri(uri)

    assert (reference.project_id, reference.dataset_id, reference.table_id) == parts


@pytest.mark.parametrize("uri", ["p.d.t", "bq://", "bq://p..t", "bq://p.d.t.x"])
def test_what_is_no_bigquery_uri_is_refused(uri: str) -> None:
    with pytest.raises(UserError, match="BigQuery"):
        bigquery.split_table_uri(uri)


@pytest.mark.parametrize(
    ("uri", "parts"), [("gs://b/a/b.txt", ("b", "a/b.txt")), ("gs://b/f/", ("b", "f/")), ("gs://b", ("b", ""))]
)
def test_a_storage_uri_is_bucket_and_object(uri: str, parts: tuple[str, str]) -> None:
    assert storage.split_object_uri(uri) == parts


@pytest.mark.parametrize("uri", ["s3://b/x", "gs:///x", "b/x"])
def test_what_is_no_storage_uri_is_refused(uri: str) -> None:
    with pytest.raises(UserError, match="gs://"):
        storage.split_object_uri(uri)
