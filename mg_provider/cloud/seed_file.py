"""What an emulated cloud has from the start, as a user writes it in a YAML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.wrong_values import in_words
from mg_provider.spelling import did_you_mean
from mg_provider.wire.form import WRONG_FORM, Form
from mg_provider.yaml_file import read_yaml

NAME: Final = "emulator.yaml"
"""The seed of a stack's own emulator, beside Pulumi.yaml."""

_CONTENTS: Final = ("toy", "folder", "file", "text", "jsonl")


class SeedError(Refusal):
    """A seed that cannot be used, in words that begin with its file and the place in it."""

    def __init__(self, mistakes: str, *, hint: str = "correct the seed, then run the same command again") -> None:
        super().__init__(mistakes, hint=hint)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Content(_Part):
    """What lies at a name in a bucket; exactly one of these.

    Attributes:
        toy: a folder with a small model in Hugging Face's layout; another number gives other weights.
        folder: a folder of this machine, such as weights of your own.
        file: a file of this machine.
        text: a text.
        jsonl: objects, one a line.
    """

    toy: int | None = Field(default=None, ge=0)
    folder: str | None = None
    file: str | None = None
    text: str | None = None
    jsonl: list[dict[str, Any]] | None = None

    @model_validator(mode="after")
    def _one(self) -> Content:
        given = [name for name in _CONTENTS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"has {' and '.join(given) or 'nothing'}: write one of {', '.join(_CONTENTS)}")
        return self


class SeedBucket(_Part):
    """A bucket.

    Attributes:
        location: a region or multi-region; the seed's region by default.
        objects: contents by object name, or by folder for ``toy`` and ``folder``.
    """

    location: str | None = None
    objects: dict[str, Content] = Field(default_factory=dict)


class SeedTable(_Part):
    """A BigQuery table.

    Attributes:
        file: its rows, a JSON object a line.
        rows: its rows.
        columns: types by column; what is not named is detected.
        location: of its dataset; ``US`` by default.
    """

    file: str | None = None
    rows: list[dict[str, Any]] | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    location: str = "US"

    @model_validator(mode="after")
    def _one(self) -> SeedTable:
        if (self.file is None) == (self.rows is None):
            raise ValueError("needs either file or rows")
        return self


class SeedSubnetwork(_Part):
    """A subnetwork, and the network that it is in."""

    name: str
    network: str
    region: str | None = None
    project: str | None = None
    ip_range: str | None = None


class SeedServiceAttachment(_Part):
    """A published service of a producer elsewhere, and the projects that it accepts."""

    name: Annotated[
        str,
        Form(
            r"projects/[^/]+/regions/[^/]+/serviceAttachments/[^/]+",
            "projects/PROJECT/regions/REGION/serviceAttachments/NAME",
        ),
    ]
    projects: list[str]


class SeedFault(BaseModel):
    """A fault; what more it takes, the emulator says."""

    model_config = ConfigDict(extra="allow", strict=True)

    rpc: str
    fault: str


class Seed(_Part):
    """All that a seed may have.

    Attributes:
        project: where tables, quota and subnetworks are, unless they say otherwise.
        region: where buckets and subnetworks are, unless they say otherwise.
        buckets: by name.
        tables: by ``dataset.table`` or ``project.dataset.table``.
        quota: GPUs by region and accelerator; what is not there is unlimited.
        subnetworks: beside the networks and subnetworks called ``default``.
        service_attachments: of producers elsewhere.
        faults: what goes wrong, and how often.
        behaviours: what the emulator does where Google's documents leave it open.
    """

    project: str = "my-project"
    region: str = "us-central1"
    buckets: dict[str, SeedBucket | None] = Field(default_factory=dict)
    tables: dict[
        Annotated[str, Form(r"([^.]+\.)?[^.]+\.[^.]+", "dataset.table or project.dataset.table")], SeedTable
    ] = Field(default_factory=dict)
    quota: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = Field(default_factory=dict)
    subnetworks: list[SeedSubnetwork] = Field(default_factory=list)
    service_attachments: list[SeedServiceAttachment] = Field(default_factory=list)
    faults: list[SeedFault] = Field(default_factory=list)
    behaviours: dict[str, Any] = Field(default_factory=dict)


def read_seed(path: Path) -> Seed:
    """The seed in a file.

    Raises:
        NotReadable: it cannot be read.
        SeedError: it has something that no seed has; every mistake is named.
    """
    document = read_yaml(path)
    try:
        seed = Seed.model_validate(document)
    except ValidationError as error:
        mistakes = dict.fromkeys(_mistake(document, each) for each in error.errors())
        raise SeedError("\n".join(f"{path}: {mistake}" for mistake in mistakes)) from error
    missing = [f"{path}: {place}: {local} does not exist" for place, local in _missing(seed, path.parent)]
    if missing:
        raise SeedError("\n".join(missing))
    return seed


def local_files(seed: Seed, base: Path) -> list[tuple[str, Path, bool]]:
    """The files and folders of this machine that a seed names: its place, the path, whether it is to be a folder."""
    found = []
    for name, bucket in seed.buckets.items():
        for key, content in (bucket or SeedBucket()).objects.items():
            place = f"buckets.{name}.objects.{key}"
            if content.folder is not None:
                found.append((f"{place}.folder", base / content.folder, True))
            if content.file is not None:
                found.append((f"{place}.file", base / content.file, False))
    found += [(f"tables.{name}.file", base / table.file, False) for name, table in seed.tables.items() if table.file]
    return found


def _missing(seed: Seed, base: Path) -> Iterable[tuple[str, Path]]:
    for place, local, folder in local_files(seed, base):
        if not (local.is_dir() if folder else local.is_file()):
            yield place, local


def _mistake(document: Mapping[str, Any], error: Any) -> str:
    """One mistake: where it is, what it is, and what may have been meant."""
    # What pydantic adds to say that a key is meant is not part of the place.
    path = [part for part in error["loc"] if part != "[key]"]
    place = ".".join(map(str, path))
    if error["type"] == "extra_forbidden":
        known = _fields(path[:-1])
        return f"{place} is not known: {did_you_mean(str(path[-1]), known)}"
    if error["type"] == WRONG_FORM:
        return f"{place} is {error['input']!r:.80}, which {in_words(error)}"
    return f"{place} {in_words(error)}" if error["type"] == "missing" else f"{place}: {in_words(error)}"


_PARTS: Final[dict[str, type[BaseModel]]] = {
    "tables": SeedTable,
    "subnetworks": SeedSubnetwork,
    "service_attachments": SeedServiceAttachment,
}


def _fields(path: list[Any]) -> list[str]:
    """The names that may stand at a place."""
    if not path:
        return list(Seed.model_fields)
    if path[0] == "buckets":
        return list(Content.model_fields if "objects" in path[2:] else SeedBucket.model_fields)
    return list(_PARTS[path[0]].model_fields)
