"""Checks a folder of weights before any GPU is asked for, without downloading weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError, NotFound, PermissionDenied
from mg_provider.api.storage.client import split_uri
from mg_provider.clock import Clock, SystemClock
from mg_provider.preflight.findings import Finding, WeightsReport, error, some, warning
from mg_provider.preflight.weights import kinds, quantization
from mg_provider.preflight.weights.base_models import Identity, identify
from mg_provider.preflight.weights.folder import MAX_POINTER_BYTES, Folder, NotJson, disguised, read_json
from mg_provider.preflight.weights.location import bucket_location
from mg_provider.preflight.weights.pytorch_files import check_pytorch_files
from mg_provider.preflight.weights.safetensors_files import ReadFile, compare_tensors, read_files, tensors
from mg_provider.preflight.weights.shard_index import ShardIndex, compare_files, compare_size, read_index

BYTE_BUDGET = 9_500_000
"""Bytes after which headers of safetensors files are no longer read in full."""

CONFIG = "config.json"
SERVICE_AGENT = "service-PROJECT_NUMBER@gcp-sa-aiplatform.iam.gserviceaccount.com"
"""Who reads the weights when they are deployed."""


def check_weights(
    gcs_uri: str,
    region: str,
    clients: Clients,
    *,
    allow_quantized: bool = False,
    clock: Clock | None = None,
    byte_budget: int = BYTE_BUDGET,
) -> WeightsReport:
    """Check a folder of Hugging Face weights as custom weights need them.

    What must be there: Model Garden documentation, "Deploy models with custom weights" (read 2026-11). Permissions:
    storage.objects.list and storage.objects.get, and storage.buckets.get to see the bucket's location.

    Args:
        gcs_uri: ``gs://bucket/folder``.
        region: Region of the deployment.
        clients: API clients.
        allow_quantized: Only warn about quantized weights.
        clock: Measures how long it takes.
        byte_budget: Bytes after which safetensors headers are only checked by their length and last entry.

    Raises:
        UserError: ``gcs_uri`` is not a Cloud Storage URI.
        CloudError: Cloud Storage answered with an error that says nothing of the folder.
        ConnectionFailed: no answer came.
    """
    clock = clock or SystemClock()
    begun = clock.monotonic()
    bucket, prefix = _folder(gcs_uri)
    report = WeightsReport(f"gs://{bucket}/{prefix}".rstrip("/"))
    with ThreadPoolExecutor(1, thread_name_prefix="preflight") as pool:
        location = pool.submit(bucket_location, clients.storage, bucket, region)
        try:
            folder = Folder.listed(clients.storage, bucket, prefix)
            _Check(folder, report, allow_quantized, byte_budget).run()
        except (NotFound, PermissionDenied) as problem:
            report.findings.append(_no_access(bucket, problem))
        report.findings += location.result()
    report.findings.sort(key=lambda finding: finding.severity)
    report.seconds = clock.monotonic() - begun
    return report


def _folder(gcs_uri: str) -> tuple[str, str]:
    """Bucket, and prefix: empty for the bucket itself, or ending with one slash."""
    bucket, name = split_uri(gcs_uri)
    return bucket, f"{name.rstrip('/')}/" if name.strip("/") else ""


class _Check:
    """One check of one folder, which fills its report."""

    def __init__(self, folder: Folder, report: WeightsReport, allow_quantized: bool, byte_budget: int) -> None:
        self.folder, self.report = folder, report
        self.allow_quantized, self.byte_budget = allow_quantized, byte_budget
        self.read: list[ReadFile] = []

    def run(self) -> None:
        """Check everything."""
        try:
            self.report.findings += self._findings()
        finally:
            self.report.bytes_read = self.folder.bytes_read

    def _findings(self) -> list[Finding]:
        folder = self.folder
        files = {suffix: kinds.weight_files(folder, suffix) for suffix in (".safetensors", ".bin")}
        if CONFIG not in folder.sizes:
            return kinds.other_kind(folder) or kinds.misplaced(folder)
        if not any(files.values()):
            return kinds.other_kind(folder) or [_no_weights(folder)]
        suffix = ".safetensors" if files[".safetensors"] else ".bin"
        parts: list[Callable[[], Any]] = [
            self._config,
            lambda: read_index(folder, suffix),
            lambda: _tokenizer(folder),
        ]
        (identity, configured), (index, indexed), tokenizer = folder.each(parts, lambda part: part())
        self.report.architecture, self.report.base_model = identity.architecture, identity.base_model
        self.report.shards = len(files[suffix])
        findings: list[Finding] = [*configured, *tokenizer, *indexed, *kinds.unused_files(folder)]
        # A broken index says nothing of the files.
        findings += compare_files(folder, files[suffix], index) if not indexed else []
        if suffix == ".bin":
            return findings + self._pytorch(files[suffix])
        if files[".bin"]:
            message = f"{some(files['.bin'])}: only safetensors are read where both are there; remove these"
            findings.append(warning("two_formats", message, folder.object(files[".bin"][0])))
        findings += self._safetensors(files[suffix], index)
        if not any(finding.code == "quantized" for finding in configured):
            findings += quantization.stored(folder, tensors(self.read), identity, allowed=self.allow_quantized)
        return findings

    def _config(self) -> tuple[Identity, list[Finding]]:
        try:
            config: Mapping[str, Any] = read_json(self.folder, CONFIG)
        except NotJson as problem:
            return Identity(None), [problem.finding]
        identity = identify(config, self.folder.object(CONFIG))
        quantized = quantization.configured(self.folder, config, identity, allowed=self.allow_quantized)
        return identity, [*identity.findings, *quantized]

    def _safetensors(self, files: list[str], index: ShardIndex | None) -> list[Finding]:
        folder, report = self.folder, self.report
        read = self.read = read_files(folder, files, index, self.byte_budget)
        report.parameter_bytes = sum(file.data_bytes for file in read)
        report.headers_read = sum(file.header is not None for file in read)
        report.headers_by_end = sum(file.header is None and not file.findings for file in read)
        findings = [finding for file in read for finding in file.findings]
        if index is not None:
            findings += compare_tensors(folder, read, index)
            sound = not findings and set(files) == set(index.tensors)
            findings += compare_size(folder, index, report.parameter_bytes) if sound else []
        return findings

    def _pytorch(self, files: list[str]) -> list[Finding]:
        self.report.parameter_bytes = sum(self.folder.sizes[name] for name in files)
        return check_pytorch_files(self.folder, files)


def _tokenizer(folder: Folder) -> list[Finding]:
    findings = []
    if not {"tokenizer.json", "tokenizer.model"} & folder.sizes.keys():
        message = (
            "there is neither tokenizer.json nor tokenizer.model: upload the base model's, or the one trained with"
        )
        findings.append(error("no_tokenizer", message, folder.uri))
    if "tokenizer_config.json" not in folder.sizes:
        message = "there is no tokenizer_config.json, which has the chat template: upload the base model's"
        findings.append(error("no_tokenizer_config", message, folder.uri))
    for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json"):
        # Whole tokenizers are large, what stands in for one is not.
        if name in folder.sizes and folder.sizes[name] <= MAX_POINTER_BYTES:
            disguise = disguised(folder, name, folder.read(name))
            findings += [disguise] if disguise else []
    return findings


def _no_weights(folder: Folder) -> Finding:
    message = f"there are no weights in {folder.uri}: upload *.safetensors, or pytorch_model*.bin"
    return error("no_weights", message, folder.uri)


def _no_access(bucket: str, problem: CloudError) -> Finding:
    uri = f"gs://{bucket}"
    if isinstance(problem, NotFound) and "/o/" in problem.url:
        message = f"a file was deleted during the check ({problem.message}): run again when all are uploaded"
        return error("changed_meanwhile", message, uri)
    if isinstance(problem, NotFound):
        return error("no_such_bucket", f"{uri} does not exist, or not any more: check the name", uri)
    cause = f" {problem.hint};" if problem.hint else ""
    message = (
        f"the caller may not read {uri} ({problem.message}):{cause} grant roles/storage.objectViewer on the bucket to "
        f"the caller, and to {SERVICE_AGENT}, which reads the weights when they are deployed"
    )
    return error("permission_denied", message, uri)
