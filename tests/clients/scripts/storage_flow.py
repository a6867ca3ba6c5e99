"""google-cloud-storage as its users use it: buckets, uploads of each kind, listings, downloads, files."""

import io
import os
import sys
import tempfile

from checks import PROJECT, run
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

client = storage.Client(
    project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": sys.argv[1]}
)
bucket = client.bucket("weights")
LARGE = os.urandom(1024 * 1024 + 17)


def makes_a_bucket():
    made = client.create_bucket("weights", location="us-central1")
    assert made.location == "US-CENTRAL1"
    assert client.get_bucket("weights").name == "weights"
    assert [each.name for each in client.list_buckets()] == ["weights"]
    assert client.lookup_bucket("nothing") is None


def uploads_a_text():
    blob = bucket.blob("llama/config.json")
    blob.metadata = {"source": "training"}
    blob.upload_from_string('{"model_type": "llama"}', content_type="application/json")
    found = bucket.get_blob("llama/config.json")
    assert found.content_type == "application/json"
    assert found.metadata == {"source": "training"}
    assert found.md5_hash
    assert found.crc32c


def uploads_a_file_in_chunks():
    with tempfile.NamedTemporaryFile() as file:
        file.write(LARGE)
        file.flush()
        bucket.blob("llama/model.safetensors", chunk_size=256 * 1024).upload_from_filename(file.name)
    assert bucket.get_blob("llama/model.safetensors").size == len(LARGE)


def lists_folders_and_objects():
    assert [blob.name for blob in client.list_blobs("weights", prefix="llama/", max_results=1)] == ["llama/config.json"]
    listing = client.list_blobs("weights", delimiter="/")
    assert list(listing) == []
    assert listing.prefixes == {"llama/"}
    names = [blob.name for blob in client.list_blobs("weights", match_glob="**.safetensors", page_size=1)]
    assert names == ["llama/model.safetensors"]
    sizes = [blob.size for blob in client.list_blobs("weights", fields="items(name,size),nextPageToken")]
    assert len(sizes) == 2


def downloads_bytes_text_and_ranges():
    assert bucket.blob("llama/config.json").download_as_text() == '{"model_type": "llama"}'
    blob = bucket.blob("llama/model.safetensors")
    assert blob.download_as_bytes() == LARGE
    assert blob.download_as_bytes(start=10, end=19) == LARGE[10:20]
    chunked = io.BytesIO()
    bucket.blob("llama/model.safetensors", chunk_size=256 * 1024).download_to_file(chunked)
    assert chunked.getvalue() == LARGE


def downloads_by_the_link_of_the_metadata():
    blob = bucket.get_blob("llama/model.safetensors")
    assert blob.media_link.startswith(sys.argv[1])
    assert blob.self_link.startswith(sys.argv[1])
    assert blob.download_as_bytes() == LARGE
    with tempfile.NamedTemporaryFile() as file:
        blob.download_to_filename(file.name)
        assert file.read() == LARGE


def opens_an_object_as_a_file():
    with bucket.blob("notes/to read.txt").open("w") as file:
        file.write("one\ntwo\n")
    with bucket.blob("notes/to read.txt").open("r") as file:
        assert file.readlines() == ["one\n", "two\n"]
    with bucket.blob("llama/model.safetensors").open("rb", chunk_size=256 * 1024) as file:
        file.seek(1000)
        assert file.read(5) == LARGE[1000:1005]
    with bucket.blob("llama/second.safetensors").open("wb", chunk_size=256 * 1024) as file:
        file.write(LARGE)
    assert bucket.blob("llama/second.safetensors").download_as_bytes() == LARGE


def heeds_preconditions():
    blob = bucket.blob("llama/config.json")
    try:
        blob.upload_from_string("{}", if_generation_match=0)
    except PreconditionFailed:
        return
    raise AssertionError("an object that was there was written over")


def says_what_is_not_there():
    assert bucket.get_blob("nothing") is None
    assert not bucket.blob("nothing").exists()
    for blob in (bucket.blob("nothing"), client.bucket("nowhere").blob("nothing")):
        try:
            blob.download_as_bytes()
        except NotFound:
            continue
        raise AssertionError(f"{blob} was found")


def deletes_objects_and_bucket():
    bucket.blob("llama/config.json").delete()
    bucket.delete(force=True)
    assert client.lookup_bucket("weights") is None


run(
    makes_a_bucket,
    uploads_a_text,
    uploads_a_file_in_chunks,
    lists_folders_and_objects,
    downloads_bytes_text_and_ranges,
    downloads_by_the_link_of_the_metadata,
    opens_an_object_as_a_file,
    heeds_preconditions,
    says_what_is_not_there,
    deletes_objects_and_bucket,
)
