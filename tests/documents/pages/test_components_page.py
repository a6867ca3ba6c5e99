"""The program on the page of the components is a real program: it is run as it stands."""

import json

from tests.documents.markdown import code_blocks, read
from tests.documents.rehearsal import Rehearsal
from tests.support.google.canary import canary_proxy, nothing_leaves  # noqa: F401 - for every test here
from tests.support.samples.weights import make_bucket, put_weights


def test_the_program_makes_a_model_in_two_regions_and_takes_all_of_it_down(tmp_path, emulator):
    emulator.behave(strict_networks=True)
    for bucket, location in (("my-weights", "US-CENTRAL1"), ("my-weights-eu", "EU")):
        make_bucket(emulator, bucket, location)
        put_weights(emulator, "llama-3.1-8b-tuned", bucket)
    (program,) = (block for block in code_blocks(read("docs/components.md"), "python") if "RegionalFleet" in block)
    rehearsal = Rehearsal(tmp_path, program, emulator.url)
    rehearsal("up")
    told = rehearsal.stack_outputs()
    assert sorted(told["llama"]) == ["europe-west4", "us-central1"]
    assert told["llama"]["us-central1"]["url"].startswith("http://llama.us-central1.models.internal/v1beta1/")
    assert told["llama"]["europe-west4"]["ip"].startswith("10.20.1.")
    assert told["network"]["dns_zone"] == "models"
    assert set(json.loads(rehearsal("preview", as_json=True))["changeSummary"]) == {"same"}
    rehearsal("destroy")
    assert emulator.ledger()["leftovers"] == []
