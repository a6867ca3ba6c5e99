"""A program that only registers resources loads nothing that is needed for calls."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
import pulumi
before = set(sys.modules)
from mg_provider.resources import batch_job, custom_weights_model, dedicated_endpoint, psc_forwarding_rule
print(json.dumps(sorted(set(sys.modules) - before)))
"""
HEAVY = ("google.auth", "requests", "urllib3", "typer", "rich", "numpy", "safetensors", "googleapiclient")
LATER = (
    "mg_provider.api.clients",
    "mg_provider.api.http.transport",
    "mg_provider.emulator",
    "mg_provider.wire.vertex.deploy",
)


def test_importing_the_resources_loads_no_heavy_module():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "mg_provider.resources.batch_job" in loaded
    for name in (*HEAVY, *LATER):
        assert not [module for module in loaded if module == name or module.startswith(f"{name}.")]


def test_importing_the_resources_builds_no_validator():
    # pydantic looks for plug-ins in every installed distribution when it builds the first one.
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert "importlib.metadata" not in json.loads(done.stdout)
