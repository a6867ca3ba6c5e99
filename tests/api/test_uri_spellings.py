"""What people write for a place in Cloud Storage, and what they mean."""

import pytest

from mg_provider.api.storage.spellings import meant_uri, uri_hint

MEANT = [
    ("https://storage.googleapis.com/my-bucket/models/llama", "gs://my-bucket/models/llama"),
    ("https://storage.cloud.google.com/my-bucket/a/b/", "gs://my-bucket/a/b"),
    ("https://my-bucket.storage.googleapis.com/llama", "gs://my-bucket/llama"),
    ("https://storage.googleapis.com/storage/v1/b/my-bucket/o/x%2Fy", "gs://my-bucket/x/y"),
    ("https://console.cloud.google.com/storage/browser/my-bucket/llama;tab=objects?project=p", "gs://my-bucket/llama"),
    ("https://console.cloud.google.com/storage/browser/_details/my-bucket/a/b?project=p", "gs://my-bucket/a/b"),
    ("/gcs/my-bucket/llama", "gs://my-bucket/llama"),
    ("gs://my-bucket/llama/*", "gs://my-bucket/llama"),
    ("gs://my-bucket/llama/*.safetensors", "gs://my-bucket/llama"),
    ("gs://my-bucket/**", "gs://my-bucket"),
    ("gs:/my-bucket/llama", "gs://my-bucket/llama"),
    ("GS://my-bucket/llama", "gs://my-bucket/llama"),
    ("gcs://my-bucket/llama", "gs://my-bucket/llama"),
]


@pytest.mark.parametrize(("written", "meant"), MEANT)
def test_another_spelling_is_told_as_the_uri_that_it_stands_for(written, meant):
    assert meant_uri(written) == meant
    assert uri_hint(written) == f"did you mean {meant}?"


@pytest.mark.parametrize("written", ["llama", "s3://my-bucket/x", "gs://", "", "https://example.com/my-bucket/x"])
def test_what_stands_for_no_uri_is_told_the_form(written):
    assert meant_uri(written) is None
    assert uri_hint(written) == "write gs://bucket/folder"


@pytest.mark.parametrize("written", ["gs://my-bucket", "gs://my-bucket/llama", "gs://my-bucket/llama/"])
def test_a_uri_stands_for_itself(written):
    assert meant_uri(written) is None
