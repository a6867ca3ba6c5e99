"""Folders of weights, sound and spoilt, checked over HTTP."""

import base64
import io
import json
import zipfile

import pytest

from benchmarks.parts.preflight import put_large_model
from mg_provider.api.errors import UserError
from mg_provider.preflight.findings import Finding
from mg_provider.preflight.report import render
from tests.preflight.conftest import LLAMA, POINTER, TEMPLATE
from tests.support.samples.tensors import llama, put_tensors
from tests.support.samples.weights import BUCKET, call, make_bucket, put

SHARD = "model-00002-of-00002.safetensors"


def zipped():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("pytorch_model/data.pkl", b"\x80\x02}q\x00.")
    return content.getvalue()


def put_pytorch(weights, files):
    weights.delete_weights()
    for name, content in files.items():
        weights.put(name, content)
    weight_map = {f"layer.{at}": name for at, name in enumerate(files)}
    weights.put("pytorch_model.bin.index.json", {"metadata": {"total_size": 1}, "weight_map": weight_map})


def put_legacy(weights, name, size):
    """A file of some size that begins as torch.save began files before it wrote zips."""
    head = base64.b64encode(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.").decode()
    body = {"bucket": BUCKET, "name": f"{weights.name}/{name}", "size": size, "head": head}
    call(f"{weights.emulator.url}/_mg/storage/sparse", body)


# Sound folders


def test_a_sound_folder_has_no_findings_and_is_known_for_its_base_model(weights):
    report = weights.check()
    assert report.findings == []
    assert report.ok
    assert report.base_model == "Llama-3.2-1B"
    assert report.architecture == "LlamaForCausalLM"
    assert (report.shards, report.headers_read) == (2, 2)
    assert report.parameter_bytes == report.loaded_bytes == weights.size


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_a_slash_at_the_end_makes_no_difference(weights, ending):
    report = weights.check(weights.uri + ending)
    assert (report.gcs_uri, report.findings) == (weights.uri, [])


def test_the_bucket_itself_may_be_the_folder(weights):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        put(weights.emulator, name, json.dumps({**LLAMA, **TEMPLATE}).encode())
    put_tensors(weights.emulator, "model.safetensors", llama(LLAMA))
    report = weights.check(f"gs://{BUCKET}")
    assert (report.gcs_uri, report.findings) == (f"gs://{BUCKET}", [])
    assert weights.check(f"gs://{BUCKET}/").findings == []


def test_a_single_file_needs_no_index(weights):
    weights.put_model(LLAMA, llama(LLAMA))
    assert weights.codes() == []


def test_the_object_that_the_console_makes_for_a_folder_is_no_file(weights):
    put(weights.emulator, f"{weights.name}/", b"")
    assert weights.codes() == []


def test_what_training_leaves_beside_the_weights_is_no_weights(weights):
    weights.put("training_args.bin", b"anything")
    weights.put("optimizer.bin", b"anything")
    assert weights.codes() == []


# Reading little


def test_a_check_makes_one_list_call_and_one_read_a_file(weights, emulator):
    seen = len(emulator.requests())
    weights.check()
    calls = [request["rpc"] for request in emulator.requests()[seen:]]
    assert sorted(set(calls)) == ["storage.buckets.get", "storage.objects.get", "storage.objects.list"]
    assert calls.count("storage.objects.list") == 1
    assert calls.count("storage.buckets.get") == 1
    # config, index, tokenizer, tokenizer_config, two shards
    assert calls.count("storage.objects.get") == 6


def test_700_gigabytes_are_checked_with_one_read_a_file(weights, emulator):
    uri = put_large_model(emulator, "dense")
    seen = len(emulator.requests())
    report = weights.check(uri)
    assert [finding.code for finding in report.findings] == ["unlisted_size"]
    assert (report.shards, report.headers_read) == (163, 163)
    assert report.parameter_bytes > 699_000_000_000
    assert report.bytes_read < 2_000_000
    # list, bucket, config, index, tokenizer_config, shards
    assert len(emulator.requests()) - seen <= 163 + 5


def test_very_many_tensors_stay_within_the_byte_budget(weights, emulator):
    uri = put_large_model(emulator, "experts")
    index = 9_300_000
    seen = len(emulator.requests())
    report = weights.check(uri, byte_budget=index + 1_000_000)
    assert report.findings == []
    assert report.bytes_read < index + 1_100_000
    assert 0 < report.headers_read < 163
    assert report.headers_read + report.headers_by_end == 163
    assert any("only the length and end" in line for line in render(report))
    assert report.parameter_bytes > 680_000_000_000
    assert len(emulator.requests()) - seen <= 2 * 163 + 5


def test_a_file_that_is_cut_off_is_noticed_even_where_its_header_is_not_read_in_full(weights):
    weights.put_tensors(SHARD, weights.shards[SHARD], more=-4)
    finding = weights.only(byte_budget=0)
    assert (finding.severity, finding.code) == ("error", "bad_safetensors")
    assert finding.object == f"{weights.uri}/{SHARD}"


def test_a_header_longer_than_expected_is_read_to_its_end(weights):
    more = {f"x.{'y' * 1000}.{number}": ("BF16", (1,)) for number in range(100)}
    weights.put_model(LLAMA, {**llama(LLAMA), **more})
    report = weights.check()
    assert report.findings == []
    assert report.headers_read == 1


# config.json and tokenizer


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not json", "not_json"),
        (b"[]", "not_json"),
        ("\ufeff{}".encode(), "not_json"),
        ('{"a": "é"}'.encode("latin-1"), "not_json"),
        ("{}".encode("utf-16"), "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"", "empty_file"),
        (POINTER, "lfs_pointer"),
        (b"<!DOCTYPE html><html>login</html>", "web_page"),
        (b"{}", "no_architecture"),
        (b'{"architectures": "LlamaForCausalLM"}', "no_architecture"),
        (b'{"architectures": ["ViTForImageClassification"]}', "not_a_language_model"),
    ],
)
def test_a_config_that_cannot_be_served_is_an_error_that_names_it(weights, content, code):
    weights.put("config.json", content)
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", code)
    assert finding.object == f"{weights.uri}/config.json"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_an_error_that_says_how_to_save_without(weights, encoding):
    for name, content in (("config.json", LLAMA), ("tokenizer_config.json", TEMPLATE)):
        weights.put(name, json.dumps(content).encode(encoding))
        finding = weights.only()
        assert (finding.severity, finding.code) == ("error", "not_json")
        assert (
            f"{name} begins with a byte order mark, and model servers cannot read it: save it as UTF-8"
            in finding.message
        )
        weights.put(name, content)


def test_a_size_that_is_not_listed_is_a_warning(weights):
    config = {**LLAMA, "num_hidden_layers": 3}
    weights.put_model(config, llama(config))
    report = weights.check()
    assert [(finding.severity, finding.code) for finding in report.findings] == [("warning", "unlisted_size")]
    assert report.ok
    assert report.base_model is None


def test_a_model_type_that_does_not_go_with_the_architecture_is_a_warning(weights):
    weights.put("config.json", {**LLAMA, "model_type": "qwen3"})
    assert weights.codes() == ["model_type"]


@pytest.mark.parametrize(
    ("missing", "code"), [("tokenizer.json", "no_tokenizer"), ("tokenizer_config.json", "no_tokenizer_config")]
)
def test_a_missing_tokenizer_is_an_error(weights, missing, code):
    weights.delete(missing)
    assert weights.codes() == [code]


def test_a_sentencepiece_tokenizer_will_do(weights):
    weights.delete("tokenizer.json")
    weights.put("tokenizer.model", b"sentencepiece")
    assert weights.codes() == []


def test_a_tokenizer_that_is_a_pointer_is_named_as_one(weights):
    weights.put("tokenizer.json", POINTER)
    finding = weights.only()
    assert finding.code == "lfs_pointer"
    assert "git lfs pull" in finding.message


# Files and their index


def test_a_missing_shard_is_named(weights):
    weights.delete(SHARD)
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "missing_shards")
    assert SHARD in finding.message


def test_a_missing_shard_is_named_even_without_an_index(weights):
    weights.delete(SHARD, "model.safetensors.index.json")
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "missing_shards")
    assert SHARD in finding.message


def test_several_files_without_an_index_are_a_warning(weights):
    weights.delete("model.safetensors.index.json")
    finding = weights.only()
    assert (finding.severity, finding.code) == ("warning", "no_index")
    assert "model.safetensors.index.json" in finding.message


def test_a_file_that_the_index_does_not_know_is_a_warning(weights):
    weights.put_tensors("older.safetensors", llama(LLAMA))
    report = weights.check()
    [finding] = report.findings
    assert (finding.severity, finding.code) == ("warning", "extra_shards")
    assert "2.5 GB, not counted" in finding.message
    assert (report.shards, report.parameter_bytes) == (2, weights.size)


def test_the_authors_own_format_beside_the_weights_is_named_and_not_counted(weights):
    weights.put_tensors("consolidated.safetensors", llama(LLAMA))
    weights.put("params.json", {})
    report = weights.check()
    [finding] = report.findings
    assert (finding.severity, finding.code) == ("warning", "original_format_beside")
    assert "consolidated.safetensors" in finding.message
    assert (report.shards, report.parameter_bytes) == (2, weights.size)


def test_the_index_of_the_authors_own_format_is_not_that_of_the_weights(weights):
    shards = [f"consolidated-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for shard in shards:
        weights.put_tensors(shard, {"tok_embeddings.weight": ("BF16", (128256, 2048))})
    weights.put("consolidated.safetensors.index.json", {"weight_map": {"tok_embeddings.weight": shards[0]}})
    report = weights.check()
    assert [(finding.severity, finding.code) for finding in report.findings] == [("warning", "original_format_beside")]
    assert (report.shards, report.parameter_bytes) == (2, weights.size)


@pytest.mark.parametrize("name", ["a_variant.safetensors.index.json", "model.fp16.safetensors.index.json"])
def test_of_several_indexes_the_one_that_is_served_counts(weights, name):
    weights.put(name, {"weight_map": {"model.norm.weight": "elsewhere.safetensors"}})
    assert weights.codes() == []


def test_a_tensor_that_is_not_where_the_index_says_is_an_error(weights):
    weights.put_index({"model.embed_tokens.weight": SHARD, "model.norm.weight": SHARD}, 1536)
    findings = {finding.code: finding for finding in weights.check().findings}
    assert findings["missing_tensors"].severity == "error"
    assert "model.embed_tokens.weight" in findings["missing_tensors"].message


def test_a_tensor_that_the_index_does_not_know_is_a_warning(weights):
    weights.put_tensors(SHARD, {**weights.shards[SHARD], "extra": ("BF16", (2,))})
    assert weights.codes() == ["extra_tensors"]


def test_a_total_size_that_does_not_add_up_is_a_warning(weights):
    weights.put_index({name: file for file, tensors in weights.shards.items() for name in tensors}, 7)
    assert weights.codes() == ["total_size"]


@pytest.mark.parametrize("index", [b"{}", b'{"weight_map": {"a": 1}}', b'{"weight_map": []}'])
def test_an_index_without_a_map_is_an_error(weights, index):
    weights.put("model.safetensors.index.json", index)
    assert "bad_index" in weights.codes()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (POINTER, "lfs_pointer"),
        (b"<html>not found</html>", "web_page"),
        (b"\x08", "bad_safetensors"),
        (b"\xff" * 64, "bad_safetensors"),
        (b"\x02" + b"\0" * 7 + b"{}xx", "bad_safetensors"),
    ],
)
def test_a_shard_that_is_no_safetensors_file_is_an_error(weights, content, code):
    weights.put(SHARD, content)
    findings = weights.check().findings
    assert (findings[0].severity, findings[0].code) == ("error", code)
    assert findings[0].object == f"{weights.uri}/{SHARD}"


def test_many_findings_of_a_kind_are_one_with_a_count(weights):
    files = {f"layer.{at}": f"model-{at:05}-of-00050.safetensors" for at in range(50)}
    weights.put_index(files, 1)
    [finding] = [finding for finding in weights.check().findings if finding.code == "missing_shards"]
    assert "50 of 50 files" in finding.message
    assert "and 47 more" in finding.message


# PyTorch files


def test_a_sound_folder_of_pytorch_files_has_no_findings(weights):
    put_pytorch(weights, {"pytorch_model-00001-of-00002.bin": zipped(), "pytorch_model-00002-of-00002.bin": b""})
    put_legacy(weights, "pytorch_model-00002-of-00002.bin", weights.size)
    report = weights.check()
    assert report.findings == []
    assert report.shards == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (POINTER, "lfs_pointer"),
        (b"<html></html>", "web_page"),
        (b"GGUF", "bad_pytorch_file"),
        (zipped()[:-30], "bad_pytorch_file"),
    ],
)
def test_a_pytorch_file_that_is_something_else_is_an_error(weights, content, code):
    put_pytorch(weights, {"pytorch_model.bin": content})
    assert weights.codes() == [code]


@pytest.mark.parametrize(("factor", "codes"), [(1, []), (2, []), (0.5, []), (0.3, ["other_size"]), (7, ["other_size"])])
def test_pytorch_files_have_the_bytes_of_the_shape_in_some_number_format(weights, factor, codes):
    put_pytorch(weights, {"pytorch_model.bin": b""})
    put_legacy(weights, "pytorch_model.bin", int(weights.size * factor))
    assert weights.codes() == codes


def test_a_missing_pytorch_file_is_an_error(weights):
    put_pytorch(weights, {"pytorch_model-00001-of-00002.bin": zipped(), "pytorch_model-00002-of-00002.bin": zipped()})
    weights.delete("pytorch_model-00002-of-00002.bin")
    assert "missing_shards" in weights.codes()


def test_pytorch_files_beside_safetensors_are_a_warning(weights):
    weights.put("pytorch_model.bin", zipped())
    assert weights.codes() == ["two_formats"]


# Access and place


def test_a_bucket_that_does_not_exist_is_an_error(weights):
    finding = weights.only(uri="gs://no-such-bucket/llama")
    assert (finding.severity, finding.code) == ("error", "no_such_bucket")


def test_a_missing_permission_names_the_role_and_the_service_agent(weights, emulator):
    emulator.fail(rpc="storage.objects.list", fault="status", status=403, message="no storage.objects.list access")
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "permission_denied")
    assert "roles/storage.objectViewer" in finding.message
    assert "gcp-sa-aiplatform" in finding.message


def test_a_single_file_that_may_not_be_read_is_named(weights, emulator):
    emulator.fail(rpc="storage.objects.get", fault="status", status=403, message="no access", match=SHARD)
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "permission_denied")
    assert finding.object == f"{weights.uri}/{SHARD}"


def test_a_file_deleted_during_the_check_is_an_error_and_no_crash(weights, emulator):
    message = "The specified key does not exist."
    emulator.fail(rpc="storage.objects.get", fault="status", status=404, message=message, match="config.json")
    assert weights.codes() == ["changed_meanwhile"]


def test_an_answer_of_503_is_asked_for_again(weights, emulator):
    emulator.fail(rpc="storage.objects.get", fault="status", status=503, times=3)
    assert weights.codes() == []
    assert emulator.faults()[0]["met"] == 3


@pytest.mark.parametrize(
    ("location", "region", "codes"),
    [
        ("US-CENTRAL1", "us-central1", []),
        ("US-CENTRAL1", "europe-west4", ["bucket_location"]),
        ("US", "us-east4", []),
        ("US", "europe-west4", ["bucket_location"]),
        ("EU", "europe-west4", []),
        ("EU", "europe-west2", ["bucket_location"]),
        ("NAM4", "us-central1", []),
        ("NAM4", "us-west1", ["bucket_location"]),
    ],
)
def test_a_bucket_far_from_the_region_is_a_warning(emulator, weights, location, region, codes):
    bucket = f"{location.lower()}-bucket"
    make_bucket(emulator, bucket, location)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        put(emulator, f"m/{name}", json.dumps({**LLAMA, **TEMPLATE}).encode(), bucket)
    put_tensors(emulator, "m/model.safetensors", llama(LLAMA), bucket)
    findings = weights.check(f"gs://{bucket}/m", region=region).findings
    assert [finding.code for finding in findings] == codes
    assert all(finding.severity == "warning" for finding in findings)


def test_a_caller_who_may_not_see_the_location_is_told_so(weights, emulator):
    emulator.fail(rpc="storage.buckets.get", fault="status", status=403, message="no storage.buckets.get access")
    finding = weights.only()
    assert (finding.severity, finding.code) == ("warning", "bucket_location_unknown")


@pytest.mark.parametrize("uri", ["gs://weights-bucket/llama/*", "gs://weights-bucket/llama/*.safetensors"])
def test_a_pattern_is_told_with_the_folder_that_it_means(weights, uri):
    with pytest.raises(UserError) as failure:
        weights.check(uri)
    assert failure.value.hint == "did you mean gs://weights-bucket/llama?"


@pytest.mark.parametrize("uri", ["llama", "gs://", "s3://bucket/llama"])
def test_what_is_no_cloud_storage_uri_is_a_mistake_of_the_user(weights, uri):
    with pytest.raises(UserError, match="not a Cloud Storage URI"):
        weights.check(uri)


def test_an_index_of_nothing_is_an_error(weights):
    weights.put("model.safetensors.index.json", {"metadata": {}, "weight_map": {}})
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "bad_index")
    assert "lists no tensors" in finding.message


def test_what_a_terminal_acts_on_is_escaped_in_every_finding():
    finding = Finding("error", "any", "empty \x1b]0;pwn\x07\x1b[2J\u202ex\n", "gs://bucket/\x1b[31m")
    assert finding.message == r"empty \x1b]0;pwn\x07\x1b[2J\u202ex\n"
    assert finding.object == r"gs://bucket/\x1b[31m"


def test_other_files_that_end_like_pytorchs_are_no_weights(weights):
    weights.delete_weights()
    weights.put("spiece.bin", b"not weights")
    weights.put("openvino_model.bin", b"not weights")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    weights.put("pytorch_model.bin", buffer.getvalue())
    report = weights.check()
    assert report.shards == 1
    assert not any("spiece" in finding.message or "openvino" in finding.message for finding in report.findings)


@pytest.mark.parametrize("other", ["model.fp16.safetensors", "model-00001-of-00002.safetensors"])
def test_a_model_that_is_there_twice_is_a_warning_that_names_both_files(weights, other):
    weights.put_model(LLAMA, {name: ("F32", shape) for name, (_, shape) in llama(LLAMA).items()})
    weights.put_tensors(other, llama(LLAMA))
    codes = {each.code: each for each in weights.check().findings}
    assert "other_dtype" in codes
    finding = codes["stored_twice"]
    assert finding.severity == "warning"
    assert other in finding.message
    assert "model.safetensors" in finding.message


def test_a_folder_may_have_brackets_in_its_name(weights):
    weights.name = "run[lr=1e-5]"
    weights.put("config.json", LLAMA)
    weights.put("tokenizer.json", {})
    weights.put("tokenizer_config.json", TEMPLATE)
    weights.put_tensors("model.safetensors", llama(LLAMA))
    assert weights.check().findings == []
