from __future__ import annotations

import base64
import hashlib
import json

import pytest

from mg_provider.emulator.services.storage.checksums import extend_crc32c, extend_crc32c_with_zeros
from mg_provider.emulator.services.storage.content import SPILL_BYTES
from tests.emulator_data.client import PROJECT, Client


@pytest.fixture
def bucket(client: Client) -> str:
    client.make_bucket("weights", location="europe-west4")
    return "weights"


def test_a_bucket_tells_its_location_and_a_name_is_taken_once(client: Client, bucket: str) -> None:
    assert client.ok("GET", "/storage/v1/b/weights")["location"] == "EUROPE-WEST4"
    error = client.refused(409, "POST", f"/storage/v1/b?project={PROJECT}", {"name": "weights"})
    assert error["errors"][0]["reason"] == "conflict"


def test_a_missing_bucket_and_a_missing_object_are_404_with_a_reason(client: Client, bucket: str) -> None:
    assert "bucket" in client.refused(404, "GET", "/storage/v1/b/nowhere")["message"]
    assert client.refused(404, "GET", "/storage/v1/b/nowhere/o")["errors"][0]["reason"] == "notFound"
    place = "/storage/v1/b/weights/o/a%2Fb"
    assert client.refused(404, "GET", place)["message"] == "The specified key does not exist."
    content = client.call("GET", place, params={"alt": "media"})
    assert (content.status_code, content.text) == (404, "No such object: weights/a/b")
    client.emulator.behave(missing_object="named")
    assert client.refused(404, "GET", place)["message"] == "No such object: weights/a/b"


def test_a_bucket_that_a_policy_forbids_is_refused_with_the_constraint(client: Client) -> None:
    client.emulator.fail(rpc="storage.buckets.insert", fault="location_policy_412")
    path = f"/storage/v1/b?project={PROJECT}"
    error = client.refused(412, "POST", path, {"name": "weights", "location": "US"})
    assert error["message"] == "'us' violates constraint 'constraints/gcp.resourceLocations'"
    assert error["errors"][0]["reason"] == "conditionNotMet"


def test_an_object_name_with_slashes_is_one_segment_of_the_path(client: Client, bucket: str) -> None:
    client.upload("weights", "llama/8b/config ü.json", b"{}")
    found = client.ok("GET", "/storage/v1/b/weights/o/llama%2F8b%2Fconfig%20%C3%BC.json")
    assert found["name"] == "llama/8b/config ü.json"
    assert client.content("weights", "llama/8b/config ü.json") == b"{}"
    assert client.call("GET", "/storage/v1/b/weights/o/llama/8b/config%20%C3%BC.json").status_code == 404


def test_an_upload_is_answered_with_its_size_and_checksums(client: Client, bucket: str) -> None:
    stored = client.upload("weights", "digits", b"123456789")
    assert stored["size"] == "9"
    assert stored["crc32c"] == base64.b64encode(bytes.fromhex("e3069283")).decode()  # the check value of CRC-32C
    assert stored["md5Hash"] == base64.b64encode(hashlib.md5(b"123456789").digest()).decode()
    assert stored["contentType"] == "text/plain"


def test_a_listing_is_folded_at_the_delimiter(client: Client, bucket: str) -> None:
    for name in ("m/config.json", "m/shards/1", "m/shards/2", "n/config.json", "top"):
        client.upload("weights", name, b"x")
    listing = client.ok("GET", "/storage/v1/b/weights/o", params={"prefix": "m/", "delimiter": "/"})
    assert [item["name"] for item in listing["items"]] == ["m/config.json"]
    assert listing["prefixes"] == ["m/shards/"]
    assert client.ok("GET", "/storage/v1/b/weights/o?delimiter=/")["prefixes"] == ["m/", "n/"]
    assert "items" not in client.ok("GET", "/storage/v1/b/weights/o?prefix=none")


def test_a_listing_comes_in_pages_that_add_up(client: Client, bucket: str) -> None:
    names = [f"shard-{number:02d}" for number in range(7)]
    for name in names:
        client.upload("weights", name, b"x")
    seen, token = [], ""
    for _ in range(4):
        page = client.ok("GET", "/storage/v1/b/weights/o", params={"maxResults": "2", "pageToken": token})
        seen += [item["name"] for item in page["items"]]
        token = page.get("nextPageToken", "")
    assert seen == names
    assert token == ""


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("m/*.json", ["m/a.json"]),
        ("m/**.json", ["m/a.json", "m/deep/b.json"]),
        ("**/?.json", ["m/a.json", "m/deep/b.json"]),
        ("m/{a,c}.*", ["m/a.json", "m/c.txt"]),
        ("m/[!a].txt", ["m/c.txt"]),
    ],
)
def test_a_glob_selects_like_cloud_storage(client: Client, bucket: str, glob: str, found: list[str]) -> None:
    for name in ("m/a.json", "m/deep/b.json", "m/c.txt"):
        client.upload("weights", name, b"x")
    assert client.object_names("weights", matchGlob=glob) == found


@pytest.mark.parametrize(
    ("header", "content", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_is_answered_in_part(client: Client, bucket: str, header: str, content: bytes, told: str) -> None:
    client.upload("weights", "ten", b"0123456789")
    answer = client.call("GET", "/storage/v1/b/weights/o/ten?alt=media", headers={"Range": header})
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, content, told)


def test_a_range_beyond_the_end_is_416_and_an_unreadable_one_is_ignored(client: Client, bucket: str) -> None:
    client.upload("weights", "ten", b"0123456789")
    beyond = client.call("GET", "/storage/v1/b/weights/o/ten?alt=media", headers={"Range": "bytes=10-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */10")
    odd = client.call("GET", "/storage/v1/b/weights/o/ten?alt=media", headers={"Range": "lines=1-2"})
    assert (odd.status_code, odd.content) == (200, b"0123456789")
    assert odd.headers["x-goog-hash"].startswith("crc32c=")


def test_a_generation_match_keeps_an_object_from_being_overwritten(client: Client, bucket: str) -> None:
    first = client.upload("weights", "marker", b"1", ifGenerationMatch="0")
    path = "/upload/storage/v1/b/weights/o?uploadType=media&name=marker&ifGenerationMatch="
    assert client.refused(412, "POST", path + "0", data=b"2")["errors"][0]["reason"] == "conditionNotMet"
    second = client.ok("POST", path + first["generation"], data=b"2")
    assert int(second["generation"]) > int(first["generation"])
    assert client.refused(404, "GET", f"/storage/v1/b/weights/o/marker?generation={first['generation']}")


@pytest.mark.parametrize("boundary", ['"part"', "'part'", "part", "part; charset=utf-8"])
def test_a_multipart_upload_carries_metadata_and_content(client: Client, bucket: str, boundary: str) -> None:
    metadata = json.dumps({"name": "m/w.bin", "metadata": {"origin": "test"}}).encode()
    content = b"\x00\r\n--no\r\n\xff"
    body = b"--part\r\nContent-Type: application/json\r\n\r\n" + metadata
    body += b"\r\n--part\r\nContent-Type: application/x-weights\r\n\r\n" + content + b"\r\n--part--\r\n"
    stored = client.ok(
        "POST",
        "/upload/storage/v1/b/weights/o?uploadType=multipart",
        data=body,
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
    )
    assert (stored["name"], stored["contentType"]) == ("m/w.bin", "application/x-weights")
    assert stored["metadata"] == {"origin": "test"}
    assert client.content("weights", "m/w.bin") == content


def test_links_lead_to_where_the_client_asked(client: Client, bucket: str) -> None:
    client.upload("weights", "m/config.json", b"{}")
    address = client.emulator.url.removeprefix("http://")
    for host in (address, address.replace("127.0.0.1", "localhost")):
        headers = {"Host": host}
        shown = client.ok("GET", "/storage/v1/b/weights/o/m%2Fconfig.json", headers=headers)
        assert shown["selfLink"] == f"http://{host}/storage/v1/b/weights/o/m%2Fconfig.json"
        assert shown["mediaLink"].startswith(f"http://{host}/download/storage/v1/b/weights/o/m%2Fconfig.json?")
        bucket_link = client.ok("GET", "/storage/v1/b/weights", headers=headers)["selfLink"]
        assert bucket_link == f"http://{host}/storage/v1/b/weights"
    content = client.call("GET", shown["mediaLink"].removeprefix(f"http://{host}"))
    assert (content.status_code, content.content) == (200, b"{}")


def test_a_resumable_upload_goes_on_after_a_lost_chunk(client: Client, bucket: str) -> None:
    content = bytes(range(256)) * 1024 * 3  # three chunks of the smallest size
    begun = client.call("POST", "/upload/storage/v1/b/weights/o?uploadType=resumable", {"name": "big"})
    place = begun.headers["Location"].removeprefix(client.emulator.url)
    step = 256 * 1024
    total = len(content)
    first = client.call("PUT", place, data=content[:step], headers={"Content-Range": f"bytes 0-{step - 1}/{total}"})
    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{step - 1}")
    asked = client.call("PUT", place, headers={"Content-Range": f"bytes */{total}"})
    assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{step - 1}")
    last = client.call(
        "PUT", place, data=content[step:], headers={"Content-Range": f"bytes {step}-{total - 1}/{total}"}
    )
    assert last.json()["size"] == str(total)
    assert client.content("weights", "big") == content


def test_a_chunk_of_an_odd_size_is_refused_unless_it_is_the_last(client: Client, bucket: str) -> None:
    begun = client.call("POST", "/upload/storage/v1/b/weights/o?uploadType=resumable&name=big")
    place = begun.headers["Location"].removeprefix(client.emulator.url)
    error = client.refused(400, "PUT", place, data=b"12345", headers={"Content-Range": "bytes 0-4/100"})
    assert "262144" in error["message"]
    assert client.refused(404, "PUT", place + "0", data=b"1", headers={"Content-Range": "bytes 0-0/1"})


def test_a_large_object_is_spilled_to_disk_and_reads_back(client: Client, bucket: str) -> None:
    content = b"w" * (SPILL_BYTES + 5)
    assert client.upload("weights", "large", content)["size"] == str(len(content))
    answer = client.call("GET", "/storage/v1/b/weights/o/large?alt=media", headers={"Range": "bytes=8388600-"})
    assert answer.content == content[8388600:]


def test_a_sparse_object_of_700_gigabytes_answers_ranges(client: Client, bucket: str) -> None:
    head = base64.b64encode(b"header").decode()
    size = 700 * 1024**3
    body = {"bucket": "weights", "name": "huge.safetensors", "size": size, "head": head}
    client.ok("POST", "/_mg/storage/sparse", body)
    found = client.ok("GET", "/storage/v1/b/weights/o/huge.safetensors")
    assert found["size"] == str(size)
    assert "md5Hash" not in found
    path = "/storage/v1/b/weights/o/huge.safetensors?alt=media"
    assert client.call("GET", path, headers={"Range": "bytes=0-7"}).content == b"header\0\0"
    assert client.call("GET", path, headers={"Range": f"bytes={size - 2}-"}).content == b"\0\0"


def test_the_checksum_of_zeros_is_that_of_the_bytes() -> None:
    start = extend_crc32c(0, b"weights")
    assert extend_crc32c_with_zeros(start, 4097) == extend_crc32c(start, bytes(4097))


def test_a_long_checksum_is_that_of_its_bytes_one_by_one() -> None:
    assert extend_crc32c(0, b"123456789") == 0xE3069283
    data = bytes(value * value % 251 for value in range(1_200_000))
    one_by_one = 7
    # Less than a row takes the plain way.
    for start in range(0, len(data), 255):
        one_by_one = extend_crc32c(one_by_one, data[start : start + 255])
    assert extend_crc32c(7, data) == one_by_one
    assert extend_crc32c(extend_crc32c(7, data[:70_001]), data[70_001:]) == one_by_one


def test_a_deleted_object_is_gone_and_a_full_bucket_stays(client: Client, bucket: str) -> None:
    client.upload("weights", "a", b"x")
    assert client.refused(409, "DELETE", "/storage/v1/b/weights")["message"].endswith("not empty.")
    assert client.call("DELETE", "/storage/v1/b/weights/o/a").status_code == 204
    assert client.refused(404, "DELETE", "/storage/v1/b/weights/o/a")
    assert client.call("DELETE", "/storage/v1/b/weights").status_code == 204


def test_objects_are_data_and_leave_the_ledger_empty(client: Client, bucket: str) -> None:
    client.upload("weights", "a", b"x")
    ledger = client.emulator.ledger()
    assert {entry["name"] for entry in ledger["data"]} == {"gs://weights", "gs://weights/a"}
    assert ledger["empty"] is True


def test_a_bucket_tells_its_layout_and_has_no_managed_folders(client: Client, bucket: str) -> None:
    layout = client.ok("GET", "/storage/v1/b/weights/storageLayout")
    assert (layout["location"], layout["hierarchicalNamespace"]) == ("EUROPE-WEST4", {"enabled": False})
    assert "items" not in client.ok("GET", "/storage/v1/b/weights/managedFolders")
    for place in ("storageLayout", "managedFolders"):
        assert client.refused(404, "GET", f"/storage/v1/b/nothing/{place}")
