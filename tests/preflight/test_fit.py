"""Whether weights fit a machine, told without any call."""

import pytest

from mg_provider.preflight.findings import WeightsReport
from mg_provider.preflight.machines.fit import cache_bytes, fits
from mg_provider.wire.vertex.machine import MachineSpec
from tests.support.samples.tensors import real_models

L4 = MachineSpec(machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1)
T4 = MachineSpec(machine_type="n1-standard-8", accelerator_type="NVIDIA_TESLA_T4", accelerator_count=1)


def report(gigabytes, **more):
    return WeightsReport("gs://b/m", loaded_bytes=int(gigabytes * 1e9), **more)


@pytest.mark.parametrize(
    ("gigabytes", "machine", "found"),
    [
        (138, L4, [("error", "does_not_fit")]),
        (24.1, L4, [("error", "does_not_fit")]),
        (22.5, L4, [("warning", "tight_memory")]),
        (16.1, L4, []),
        (2.5, T4, []),
        (16, MachineSpec(machine_type="n1-standard-8"), []),
        (20, MachineSpec(machine_type="ct5lp-hightpu-1t"), [("error", "does_not_fit")]),
        (200, MachineSpec(machine_type="ct6e-standard-8t"), []),
        (0, L4, []),
    ],
)
def test_weights_are_held_against_the_memory_of_the_machine(gigabytes, machine, found):
    assert [(finding.severity, finding.code) for finding in fits(report(gigabytes), machine)] == found


def test_what_does_not_fit_names_a_machine_that_is_large_enough():
    [finding] = fits(report(141.1), L4)
    assert "141.1 GB of weights cannot fit into the 24 GB of g2-standard-12 (1 x NVIDIA_L4)" in finding.message
    assert "such as g2-standard-96 (192 GB)" in finding.message


def test_what_is_tight_says_what_is_left_for_the_cache_at_the_whole_context():
    [finding] = fits(report(22.5, context_length=131072, cache_bytes=131072), L4)
    assert "leave 1.5 of the 24 GB" in finding.message
    assert "one request of 131072 tokens alone takes 17.2 GB" in finding.message


def test_a_container_of_the_users_own_may_load_weights_in_fewer_bytes():
    [finding] = fits(report(138), L4, own_container=True)
    assert finding.severity == "warning"


@pytest.mark.parametrize("kind", ["NVIDIA_TESLA_T4", "NVIDIA_TESLA_V100", "NVIDIA_TESLA_P100", "NVIDIA_TESLA_P4"])
def test_bfloat16_on_a_gpu_without_it_is_a_warning_with_two_ways_out(kind):
    machine = MachineSpec(machine_type="n1-standard-8", accelerator_type=kind, accelerator_count=1)
    [finding] = fits(report(2.5, dtype="bfloat16"), machine)
    assert (finding.severity, finding.code) == ("warning", "no_bfloat16")
    assert "NVIDIA_L4 or newer" in finding.message
    assert "float16" in finding.message
    assert fits(report(2.5, dtype="float16"), machine) == []


def test_bfloat16_on_a_newer_gpu_is_fine():
    assert fits(report(2.5, dtype="bfloat16"), L4) == []


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Llama-3.1-8B-Instruct", 2 * 32 * 8 * 128 * 2),
        ("Llama-2-7b-hf", 2 * 32 * 32 * 128 * 2),
        ("DeepSeek-V3", 61 * (512 + 64) * 2),
        ("Qwen3.5-9B", 2 * 8 * 4 * 256 * 2),
        ("gemma-4-31B-it", 2 * 10 * 16 * 256 * 2),
    ],
)
def test_the_cache_of_a_token_follows_from_the_config(name, size):
    assert cache_bytes(real_models()[name]["config"]) == size
