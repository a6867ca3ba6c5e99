"""Checks a folder of weights before any GPU is asked for, without downloading weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError, NotFound, PermissionDenied, UserError
from mg_provider.api.reading.agents import agent_of
from mg_provider.api.storage.client import split_object_uri
from mg_provider.api.storage.spellings import uri_hint
from mg_provider.clock import Clock, SystemClock
from mg_provider.data import table
from mg_provider.preflight.findings import Finding, WeightsReport, error, some, warning
from mg_provider.preflight.folder import Folder, NotJson, read_json
from mg_provider.preflight.machines.fit import cache_bytes, context_length
from mg_provider.preflight.tensors.dimensions import Dimensions
from mg_provider.preflight.tensors.dtypes import compare_dtypes, declared, loaded_bytes
from mg_provider.preflight.tensors.layouts import layout_of
from mg_provider.preflight.tensors.other_models import is_embedding
from mg_provider.preflight.tensors.safetensors_files import compare_tensors, read_files
from mg_provider.preflight.tensors.shard_index import ShardIndex, compare_files, compare_size, read_index
from mg_provider.preflight.tensors.stored_tensors import (
    StoredTensors,
    all_tensors,
    empty_tensors,
    stored_twice,
    wrapper_names,
)
from mg_provider.preflight.tensors.tensor_shapes import OWN_CONFIG, compare_bytes, compare_shapes
from mg_provider.preflight.weights import kinds, quantization
from mg_provider.preflight.weights.base_models import Identity, identify
from mg_provider.preflight.weights.deeper import below
from mg_provider.preflight.weights.location import bucket_location
from mg_provider.preflight.weights.pytorch_files import check_pytorch_files
from mg_provider.preflight.weights.tokenizer import check_tokenizer

BYTE_BUDGET = 9_500_000
"""Bytes after which headers of safetensors files are no longer read in full."""

CONFIG = "config.json"
"""Who reads the weights when they are deployed."""


def check_weights(
    gcs_uri: str,
    region: str,
    clients: Clients,
    *,
    allow_quantized: bool = False,
    own_container: bool = False,
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
        own_container: Whether the user's own container serves them: then the lists of what Google's serves do not bind.
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
            _Check(folder, report, byte_budget, allow_quantized, own_container).run()
        except (NotFound, PermissionDenied) as problem:
            report.findings.append(_no_access(bucket, problem))
        report.add(location.result())
    report.seconds = clock.monotonic() - begun
    return report


def _folder(gcs_uri: str) -> tuple[str, str]:
    """Bucket, and prefix: empty for the bucket itself, or ending with one slash."""
    bucket, name = split_object_uri(gcs_uri)
    if set(name) & set("*?"):
        raise UserError(f"{gcs_uri} is a pattern, not a folder", property="gcs_uri", hint=uri_hint(gcs_uri))
    return bucket, f"{name.rstrip('/')}/" if name.strip("/") else ""


class _Check:
    """One check of one folder, which fills its report."""

    def __init__(
        self, folder: Folder, report: WeightsReport, byte_budget: int, allow_quantized: bool, own_container: bool
    ) -> None:
        self.folder, self.report, self.byte_budget = folder, report, byte_budget
        self.allow_quantized, self.own_container = allow_quantized, own_container
        self.config: Mapping[str, Any] | None = None

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
            return kinds.other_kind(folder) or below(folder) or [_no_weights(folder)]
        suffix = ".safetensors" if files[".safetensors"] else ".bin"
        parts: list[Callable[[], Any]] = [
            self._config,
            lambda: read_index(folder, suffix),
            lambda: check_tokenizer(folder),
        ]
        (identity, configured), (index, indexed), (tokenizer, template) = folder.each(parts, lambda part: part())
        self._describe(identity, template)
        ours, beside = kinds.belonging(folder, files[suffix], index)
        self.report.shards = len(ours)
        findings: list[Finding] = [*configured, *tokenizer, *indexed, *kinds.unused_files(folder), *beside]
        # A broken index says nothing of the files.
        compared = compare_files(folder, ours, index) if not indexed else []
        findings += compared
        if suffix == ".bin":
            return findings + self._pytorch(ours, identity)
        if files[".bin"]:
            message = f"{some(files['.bin'])}: only safetensors are read where both are there; remove these"
            findings.append(warning("two_formats", message, folder.object(files[".bin"][0])))
        whole = not any(finding.severity == "error" for finding in [*indexed, *compared])
        return findings + self._safetensors(ours, index, identity, whole)

    def _config(self) -> tuple[Identity, list[Finding]]:
        try:
            config = read_json(self.folder, CONFIG)
        except NotJson as problem:
            return Identity(None), [problem.finding]
        self.config = config
        identity = identify(config, self.folder.object(CONFIG), own_container=self.own_container)
        findings = [*identity.findings]
        if not identity.kind and is_embedding({*self.folder.sizes, *self.folder.subfolders}):
            message = (
                "the files of sentence-transformers beside the weights show an embedding model: it deploys, but "
                "its answers to a chat or a prompt are of no use"
            )
            findings.append(warning("embedding_model", message, self.folder.uri))
        return identity, findings

    def _describe(self, identity: Identity, template: bool | None) -> None:
        report, config = self.report, self.config or {}
        report.architecture, report.base_model, report.kind = identity.architecture, identity.base_model, identity.kind
        report.dtype, report.chat_template = declared(config), template
        report.context_length, report.cache_bytes = context_length(config), cache_bytes(config)

    def _safetensors(
        self, files: list[str], index: ShardIndex | None, identity: Identity, whole: bool
    ) -> list[Finding]:
        folder, report = self.folder, self.report
        read = read_files(folder, files, index, self.byte_budget)
        report.parameter_bytes = sum(file.data_bytes for file in read)
        report.headers_read = sum(file.header is not None for file in read)
        report.headers_by_end = sum(file.header is None and not file.findings for file in read)
        findings = [finding for file in read for finding in file.findings]
        if index is not None:
            findings += compare_tensors(folder, read, index)
            sound = not findings and set(files) == set(index.tensors)
            findings += compare_size(folder, index, report.parameter_bytes) if sound else []
        stored = all_tensors(read, index)
        unread = sum(file.data_bytes for file in read if file.header is None)
        report.loaded_bytes = loaded_bytes(stored) + unread
        whole = whole and not any(finding.severity == "error" for finding in findings)
        return [*findings, *self._tensors(stored, identity, whole=whole)]

    def _tensors(self, stored: StoredTensors, identity: Identity, *, whole: bool) -> list[Finding]:
        """What the tensors say, against config.json; of files that are broken or missing nothing more is said."""
        folder, config = self.folder, self.config
        if config is None:
            return []
        saying = quantization.said(folder, config)
        findings = quantization.judge(
            folder, saying, stored, identity, allowed=self.allow_quantized, own_container=self.own_container
        )
        layout = layout_of(identity.architecture, config) if identity.architecture else None
        if misread := _misread(folder, identity, config):
            return [*findings, misread]
        if stopped := empty_tensors(folder, stored) or wrapper_names(folder, stored, known=layout is not None):
            return findings + stopped
        if not saying.methods and not findings:
            findings += compare_dtypes(folder, config, stored)
        findings += stored_twice(folder, stored)
        if layout is None or not whole:
            return findings
        shapes = compare_shapes(folder, config, stored, layout)
        if not shapes and not stored.complete:
            shapes = compare_bytes(folder, config, layout, self.report.parameter_bytes, saying.methods)
        return findings + shapes

    def _pytorch(self, files: list[str], identity: Identity) -> list[Finding]:
        folder, config = self.folder, self.config
        size = self.report.parameter_bytes = self.report.loaded_bytes = sum(folder.sizes[name] for name in files)
        findings = check_pytorch_files(folder, files)
        if config is None:
            return findings
        saying = quantization.said(folder, config)
        findings += quantization.judge(
            folder, saying, None, identity, allowed=self.allow_quantized, own_container=self.own_container
        )
        layout = layout_of(identity.architecture, config) if identity.architecture else None
        if misread := _misread(folder, identity, config):
            return [*findings, misread]
        if layout is None or findings:
            return findings
        return findings + compare_bytes(folder, config, layout, size, saying.methods)


def _misread(folder: Folder, identity: Identity, config: Mapping[str, Any]) -> Finding | None:
    """A size in the config.json of a known architecture that is not a count: no tensor can be compared with it."""
    if identity.architecture not in table("tensor_layouts")["architectures"]:
        return None
    if (misread := Dimensions(config).misread) is None:
        return None
    return error("bad_size", f"config.json: {misread}: correct it, or {OWN_CONFIG}", folder.object(CONFIG))


def _no_weights(folder: Folder) -> Finding:
    message = f"there are no weights in {folder.uri}: upload *.safetensors, or pytorch_model*.bin"
    return error("no_weights", message, folder.uri)


def _no_access(bucket: str, problem: CloudError) -> Finding:
    uri = f"gs://{bucket}"
    if isinstance(problem, NotFound) and "/o/" in problem.url:
        message = (
            f"a file was deleted during the check ({problem.message}): run the same command again when all are uploaded"
        )
        return error("changed_meanwhile", message, uri)
    if isinstance(problem, NotFound):
        return error("no_such_bucket", f"{uri} does not exist, or not any more: check the name", uri)
    cause = f" {problem.hint};" if problem.hint else ""
    message = (
        f"the caller may not read {uri} ({problem.message}):{cause} grant roles/storage.objectViewer on the bucket to "
        f"the caller, and to {agent_of('PROJECT_NUMBER')}, which reads the weights when they are deployed"
    )
    return error("permission_denied", message, uri)
