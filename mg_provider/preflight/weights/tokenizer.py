"""The tokenizer's files, and whether the model can chat."""

from __future__ import annotations

from typing import Any

from mg_provider.api.errors import CloudError, ConnectionFailed
from mg_provider.api.storage.client import StorageClient, split_object_uri
from mg_provider.preflight.findings import Finding, error, warning
from mg_provider.preflight.folder import MAX_POINTER_BYTES, Folder, NotJson, disguised, read_json

_CONFIG = "tokenizer_config.json"
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "tekken.json", "tiktoken.model")
_JINJA = "chat_template.jinja"
_TEMPLATE_FILES = (_JINJA, "chat_template.json")
_TEMPLATE_FOLDER = "additional_chat_templates"

_MOST_BYTES = 8_000_000
"""Longest tokenizer_config.json that is read for its template; those of Gemma have 1.2 MB."""


def check_tokenizer(folder: Folder) -> tuple[list[Finding], bool | None]:
    """What is wrong with the tokenizer, and whether there is a chat template; None if that cannot be known.

    Raises:
        CloudError: a file cannot be read.
    """
    findings = _missing(folder)
    for name in (*_VOCABULARIES, _JINJA):
        # Whole tokenizers and most templates are large, what stands in for one is not.
        if name in folder.sizes and folder.sizes[name] <= MAX_POINTER_BYTES:
            disguise = disguised(folder, name, folder.read(name))
            findings += [disguise] if disguise else []
    if _CONFIG not in folder.sizes:
        return findings, None
    try:
        template = chat_template(folder)
    except NotJson as problem:
        return [*findings, problem.finding], None
    return findings if template is not False else [*findings, _no_template(folder)], template


def chat_template(folder: Folder) -> bool | None:
    """Whether there is a chat template; None if that cannot be known.

    Raises:
        NotJson: a file that may have it is not JSON.
        CloudError: a file cannot be read.
    """
    unread = False
    for name in (_CONFIG, "chat_template.json"):
        if folder.sizes.get(name, 0) > _MOST_BYTES:
            unread = True
        elif name in folder.sizes and _is_template(read_json(folder, name).get("chat_template")):
            return True
    if _has_jinja(folder) or _TEMPLATE_FOLDER in folder.subfolders:
        return True
    return None if unread else False


def _has_jinja(folder: Folder) -> bool:
    size = folder.sizes.get(_JINJA, 0)
    if size > MAX_POINTER_BYTES:
        return True
    content = folder.read(_JINJA) if size else b""
    return bool(content.strip()) and not disguised(folder, _JINJA, content)


def can_chat(storage: StorageClient, gcs_uri: str) -> bool | None:
    """Whether weights in a folder have a chat template; None if that cannot be known."""
    bucket, name = split_object_uri(gcs_uri)
    prefix = f"{name.rstrip('/')}/" if name.strip("/") else ""
    try:
        folder = Folder.listed(storage, bucket, prefix)
        return chat_template(folder) if _CONFIG in folder.sizes else None
    except (CloudError, ConnectionFailed, NotJson):
        return None


def _is_template(value: Any) -> bool:
    """A template, or several by their names."""
    return bool(value) and isinstance(value, str | list | dict)


def _missing(folder: Folder) -> list[Finding]:
    findings = []
    slow = {"vocab.json", "merges.txt"} <= folder.sizes.keys()
    if not slow and not folder.sizes.keys() & set(_VOCABULARIES):
        message = (
            "there is neither tokenizer.json nor tokenizer.model: upload the base model's, or the one trained with"
        )
        findings.append(error("no_tokenizer", message, folder.uri))
    if _CONFIG not in folder.sizes:
        message = f"there is no {_CONFIG}, which has the chat template: upload the base model's"
        findings.append(error("no_tokenizer_config", message, folder.uri))
    return findings


def _no_template(folder: Folder) -> Finding:
    message = (
        f"there is no chat template in {_CONFIG}, {' or '.join(_TEMPLATE_FILES)}: each chat request will be refused "
        "with status 400, and only predict answers, which rollouts then probe instead; to chat, upload "
        f"{_TEMPLATE_FILES[0]} of the model that the weights were tuned from, or of its -it or -Instruct version"
    )
    return warning("no_chat_template", message, folder.object(_CONFIG))
