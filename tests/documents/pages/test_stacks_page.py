"""What the page of the stacks shows is understood, and its program runs."""

import re
import textwrap

import pytest
import yaml

from mg_provider import environment
from mg_provider.rehearsal.command import rehearse
from tests.documents.markdown import code_blocks, read
from tests.stacks.folder import custom_endpoints

PAGE = "docs/stacks.md"
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"```yaml\n(.*?)```", read(PAGE), flags=re.DOTALL)]
BASE = next(block for block in BLOCKS if block.startswith("regions:"))
EXTENDING = next(block for block in BLOCKS if "extends:" in block)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().partition("\n")[0][:30])
def test_an_example_is_understood(tmp_path, block):
    (tmp_path / "base.yaml").write_text(BASE)
    value = yaml.safe_load(block)
    if "config" in value:
        value = value["config"][environment.KEY]
    else:
        regions = ["us-central1", *(["europe-west4"] if "europe-west4" in block else [])]
        value = {"regions": regions, **value}
    found = environment.read(value, project="my-project", folder=tmp_path)
    assert found.models or found.batch_jobs


def test_the_program_of_the_page_runs_what_a_file_beside_it_says(tmp_path, emulator):
    (program,) = code_blocks(read(PAGE), "python")
    (tmp_path / "__main__.py").write_text(program)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "Pulumi.staging.yaml").write_text(EXTENDING)
    lines = []
    code = rehearse(
        "preview", "staging", tmp_path, tmp_path / "state", config=custom_endpoints(emulator.url), write=lines.append
    )
    assert code == 0, lines
    assert "llama-us-central1" in "".join(lines)


def test_the_mistakes_of_the_page_are_told_so():
    (block,) = re.findall(r"```text\n(model-garden.*?)```", read(PAGE), flags=re.DOTALL)
    for key, wrong in (("min_replica_count", 0), ("machine_spec", {"machin_type": "g2-standard-12"})):
        model = {"gcs_uri": "gs://my-weights/llama", key: wrong}
        with pytest.raises(environment.ConfigError) as error:
            environment.read({"regions": ["us-central1", "europe-west4"], "models": {"llama": model}})
        said = str(error.value).splitlines()
        assert said[1:]
        assert set(said) <= set(block.splitlines())
