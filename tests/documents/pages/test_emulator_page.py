"""The seeds that the page of the emulator shows are seeds, and it names all that one may have."""

import re

import yaml

from mg_provider.cloud.seed_file import Seed, read_seed
from mg_provider.cloud.seeding import apply_seed
from tests.documents.markdown import code_blocks, read

PAGE = "docs/emulator.md"
SEEDS = [block for block in code_blocks(read(PAGE), "yaml") if "config" not in yaml.safe_load(block)]


def test_a_seed_that_the_page_shows_is_taken_by_the_emulator(tmp_path, emulator):
    assert len(SEEDS) == 3
    for number, block in enumerate(SEEDS):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        read_seed(file)
    apply_seed(tmp_path / "1.yaml", emulator.url, lambda _: None)
    assert {entry["name"] for entry in emulator.ledger()["data"] if entry["kind"] == "storage.Bucket"} >= {
        "gs://my-weights",
        "gs://my-data",
    }


def test_the_page_names_every_key_of_a_seed():
    named = set(re.findall(r"^\| `(\w+)` \|", read(PAGE), flags=re.MULTILINE))
    assert set(Seed.model_fields) - {"project", "region"} == named
