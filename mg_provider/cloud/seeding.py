"""Filling an emulated cloud with what a seed says. Doing it twice is the same as once."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from mg_provider.api.clients import Clients
from mg_provider.api.errors import AlreadyExists, CloudError, MgError, NotFound
from mg_provider.api.http.settings import EMULATOR, Settings
from mg_provider.api.http.transport import Call
from mg_provider.clock import SystemClock
from mg_provider.cloud.seed_file import Content, Seed, SeedBucket, SeedError, SeedTable, read_seed
from mg_provider.command_line.errors import StatedError
from mg_provider.spelling import did_you_mean
from mg_provider.wire.storage import Bucket

_LIBRARIES: Final = ("numpy", "safetensors")
_BOUNDARY: Final = "seed-of-an-emulator"

_AGAIN: Final = "then run the same command again: what is there already stays"

Say = Callable[[str], None]


class NotFilled(StatedError):
    """The emulator refused something, or ended; what was put there before stays."""


def apply_seed(path: Path, url: str, say: Say) -> None:
    """Fill an emulator.

    Args:
        path: the seed; local paths in it are relative to its folder.
        url: where the emulator answers.
        say: takes a line for each thing that was put there.

    Raises:
        Refusal: the seed has a mistake, or no emulator answers at that address.
        NotFilled: the emulator refuses something.
    """
    seed = read_seed(path)
    settings = Settings.from_config({f"mg:{EMULATOR}": url, "mg:project": seed.project}.get, {})
    clients = Clients.from_settings(settings, SystemClock())
    try:
        _Filling(seed, path, url, clients, say).run()
    finally:
        clients.close()


class _Filling:
    def __init__(self, seed: Seed, path: Path, url: str, clients: Clients, say: Say) -> None:
        self._seed, self._path, self._url, self._clients, self._say = seed, path, url, clients, say

    def run(self) -> None:
        seed = self._seed
        known = self._behaviours()
        for name in seed.behaviours:
            if name not in known:
                text = f"{self._path}: behaviours.{name}: there is no such behaviour"
                raise SeedError(text, hint=did_you_mean(name, known))
        for name, bucket in seed.buckets.items():
            self._bucket(name, bucket or SeedBucket())
        for name, table in seed.tables.items():
            with self._at(f"tables.{name}"):
                self._table(name, table)
        self._settings()
        for number, attachment in enumerate(seed.service_attachments):
            with self._at(f"service_attachments.{number}"):
                self._post("/_mg/service-attachments", attachment.model_dump())
                self._say(f"service attachment {attachment.name.rpartition('/')[2]}")
        for number, fault in enumerate(seed.faults):
            with self._at(f"faults.{number}"):
                self._post("/_mg/faults", fault.model_dump())
                self._say(f"fault {fault.fault} of {fault.rpc}")

    def _behaviours(self) -> dict[str, Any]:
        """The behaviours of the emulator, which is asked first: whatever else answers there is none."""
        try:
            call = Call("GET", f"{self._url}/_mg/behaviour", retry_budget=0)
            return self._clients.transport.json(call)
        except MgError as error:
            raise SeedError(f"no emulator answers at {self._url}", hint="start one with `mg emulator`") from error

    def _settings(self) -> None:
        seed = self._seed
        for number, subnetwork in enumerate(seed.subnetworks):
            with self._at(f"subnetworks.{number}"):
                place = {"project": subnetwork.project or seed.project, "region": subnetwork.region or seed.region}
                self._post("/_mg/compute/subnetworks", subnetwork.model_dump(exclude_none=True) | place)
                self._say(f"subnetwork {subnetwork.name} of {subnetwork.network}")
        limits = {
            f"{seed.project}/{region}/{accelerator}": gpus
            for region, accelerators in seed.quota.items()
            for accelerator, gpus in accelerators.items()
        }
        if limits:
            with self._at("quota"):
                self._post("/_mg/quota", limits)
                self._say(f"quota of {seed.project}: {len(limits)} limits")
        for name, value in seed.behaviours.items():
            with self._at(f"behaviours.{name}"):
                self._post("/_mg/behaviour", {name: value})
                self._say(f"behaviour {name}: {json.dumps(value)}")

    def _bucket(self, name: str, bucket: SeedBucket) -> None:
        location = (bucket.location or self._seed.region).upper()
        with self._at(f"buckets.{name}"):
            try:
                self._clients.storage.insert_bucket(self._seed.project, Bucket(name=name, location=location))
            except AlreadyExists:
                there = self._clients.storage.get_bucket(name).location
                if there != location:
                    text = f"{self._path}: buckets.{name} is in {there} already, not in {location}"
                    raise SeedError(text, hint=f"write `location: {there}`, or give another bucket") from None
        for key, content in bucket.objects.items():
            with self._at(f"buckets.{name}.objects.{key}"):
                count, size = self._objects(name, key, content)
                files = "1 file" if count == 1 else f"{count} files"
                self._say(f"gs://{name}/{key}: {files}, {size:,} bytes")

    def _objects(self, bucket: str, key: str, content: Content) -> tuple[int, int]:
        """Upload what lies at a name; how many files, and how many bytes."""
        if content.folder is not None or content.file is not None:
            sources = _files(key, self._path.parent, content)
            sizes = [self._upload(bucket, name, each) for name, each in sources.items()]
        else:
            sizes = [self._upload(bucket, name, data) for name, data in _made(key, content).items()]
        return len(sizes), sum(sizes)

    def _upload(self, bucket: str, name: str, source: Path | bytes) -> int:
        """Upload a file or bytes, unless they are there; how many bytes they are."""
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        try:
            if self._clients.storage.get_object(bucket, name).md5_hash == _md5(source):
                return size
        except NotFound:
            pass
        if isinstance(source, Path):
            self._clients.storage.upload_file(bucket, name, source)
        else:
            self._clients.storage.upload_object(bucket, name, source)
        return size

    def _table(self, name: str, table: SeedTable) -> None:
        *project, dataset, short = name.split(".")
        place = {"projectId": project[0] if project else self._seed.project, "datasetId": dataset}
        base = f"/bigquery/v2/projects/{place['projectId']}/datasets"
        try:
            self._clients.bigquery.get_dataset(place["projectId"], dataset)
        except NotFound:
            self._post(base, {"datasetReference": place, "location": table.location})
        rows = (self._path.parent / table.file).read_bytes() if table.file else _lines(table.rows or [])
        load: dict[str, Any] = {
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "destinationTable": {**place, "tableId": short},
            "writeDisposition": "WRITE_TRUNCATE",
        }
        load |= {"schema": {"fields": _columns(table)}} if table.columns else {"autodetect": True}
        self._load(place["projectId"], load, rows)
        self._say(f"table {name}: {len([line for line in rows.splitlines() if line.strip()])} rows")

    def _load(self, project: str, load: Mapping[str, Any], rows: bytes) -> None:
        """``jobs.insert`` with the rows in the same request."""
        parts = [
            ("application/json; charset=UTF-8", json.dumps({"configuration": {"load": load}}).encode()),
            ("application/octet-stream", rows),
        ]
        body = b"".join(
            f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n" for kind, content in parts
        )
        job = self._clients.transport.json(
            Call(
                "POST",
                f"{self._url}/upload/bigquery/v2/projects/{project}/jobs",
                query={"uploadType": "multipart"},
                content=body + f"--{_BOUNDARY}--\r\n".encode(),
                headers={"Content-Type": f"multipart/related; boundary={_BOUNDARY}"},
            )
        )
        if failed := job.get("status", {}).get("errorResult"):
            raise SeedError(failed["message"])

    def _post(self, place: str, body: Mapping[str, Any]) -> None:
        self._clients.transport.json(Call("POST", f"{self._url}{place}", body=dict(body)))

    @contextmanager
    def _at(self, place: str) -> Iterator[None]:
        """What goes wrong here is reported with its place in the file."""
        try:
            yield
        except SeedError as error:
            text = error.summary
            named = text if text.startswith(str(self._path)) else f"{self._path}: {place}: {text}"
            raise SeedError(named, hint=str(error.hint)) from error
        except CloudError as error:
            raise NotFilled(f"{self._path}: {place}: {error.message}", hint=f"correct {place}, {_AGAIN}") from error
        except MgError as error:
            raise NotFilled(
                f"the emulator at {self._url} does not answer: {error.summary}", hint=f"start it, {_AGAIN}"
            ) from error


def _md5(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        digest = hashlib.md5(source, usedforsecurity=False)
    else:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False))
    return base64.b64encode(digest.digest()).decode()


def _files(key: str, base: Path, content: Content) -> dict[str, Path]:
    """Object names to the files of this machine that are uploaded there."""
    if content.file is not None:
        return {key: base / content.file}
    folder = base / (content.folder or "")
    files = (each for each in sorted(folder.rglob("*")) if each.is_file())
    return {f"{key.rstrip('/')}/{each.relative_to(folder).as_posix()}": each for each in files}


def _made(key: str, content: Content) -> dict[str, bytes]:
    """Object names to what is made for them."""
    if content.toy is not None:
        return {f"{key.rstrip('/')}/{name}": data for name, data in _toy(content.toy).items()}
    return {key: _lines(content.jsonl) if content.jsonl is not None else (content.text or "").encode()}


def _toy(number: int) -> dict[str, bytes]:
    try:
        from mg_provider.cloud.toy_model import make_folder
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        what = f"a toy model is made with {library}, which is not installed"
        raise SeedError(what, hint="run pip install 'mg-provider[demo]'") from error
    return make_folder(number)


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _columns(table: SeedTable) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in table.columns.items()]
