"""What Model Garden recommends, held against what the user chose."""

import pytest

from mg_provider.preflight.findings import WeightsReport
from mg_provider.preflight.machines.memory import accelerator_gigabytes
from mg_provider.preflight.machines.recommend import HAS_QUOTA, NO_QUOTA, recommend
from mg_provider.wire.vertex.machine import MachineSpec
from tests.preflight.conftest import REGION
from tests.support.samples.weights import BUCKET, call

PARENT = f"projects/my-project/locations/{REGION}"
L4 = MachineSpec(machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1)
T4 = MachineSpec(machine_type="n1-standard-8", accelerator_type="NVIDIA_TESLA_T4", accelerator_count=1)


def codes(advice):
    return [finding.code for finding in advice.findings]


def advise(weights, chosen=None):
    return recommend(weights.uri, PARENT, REGION, weights.clients, chosen)


def put_sixty_gigabytes(weights):
    body = {"bucket": BUCKET, "name": f"{weights.name}/large.safetensors", "size": 60 * 1024**3}
    call(f"{weights.emulator.url}/_mg/storage/sparse", body)


def test_without_a_choice_the_recommended_machine_is_taken(weights):
    advice = advise(weights)
    assert advice.machine_spec == L4
    assert advice.container_spec.image_uri
    assert advice.base_model == "LlamaForCausalLM"
    assert advice.quota_state == {REGION: HAS_QUOTA}
    assert advice.regions_that_work == [REGION]
    assert advice.findings == []


def test_asking_for_a_recommendation_asks_for_availability_and_quota(weights, emulator):
    advise(weights)
    [request] = [each for each in emulator.requests() if each["rpc"].endswith("recommendSpec")]
    assert request["body"] == {"gcsUri": weights.uri, "checkMachineAvailability": True, "checkUserQuota": True}


def test_a_choice_is_kept(weights):
    larger = MachineSpec(machine_type="g2-standard-24", accelerator_type="NVIDIA_L4", accelerator_count=2)
    advice = advise(weights, larger)
    assert advice.machine_spec == larger
    assert advice.findings == []


def test_a_choice_smaller_than_the_smallest_recommendation_is_a_note(weights):
    put_sixty_gigabytes(weights)
    advice = advise(weights, L4)
    assert advice.machine_spec == L4
    [finding] = advice.findings
    assert (finding.severity, finding.code) == ("note", "machine_too_small")
    assert "g2-standard-12 (1 x NVIDIA_L4) is smaller than recommended: it has 24 GB" in finding.message
    assert "g2-standard-48 (4 x NVIDIA_L4) with 96 GB" in finding.message


@pytest.mark.parametrize(("gigabytes", "codes"), [(2.5, []), (13, ["machine_too_small"])])
def test_a_smaller_choice_is_told_of_only_where_the_weights_do_not_fit_easily(weights, gigabytes, codes):
    report = WeightsReport(weights.uri, loaded_bytes=int(gigabytes * 1e9))
    advice = recommend(weights.uri, PARENT, REGION, weights.clients, T4, weights=report)
    assert [finding.code for finding in advice.findings] == codes


def test_a_recommendation_that_is_asked_for_again_is_said_to_be(weights, emulator):
    emulator.fail(rpc="locations.recommendSpec", fault="status", status=503, times=9)
    said = []
    advice = recommend(weights.uri, PARENT, REGION, weights.clients, None, say=said.append)
    assert advice.machine_spec == L4
    [sentence] = said
    assert "asking again for up to 117 s" in sentence


def test_a_choice_without_enough_quota_is_a_warning(weights, emulator):
    emulator.set_quota({f"my-project/{REGION}/NVIDIA_L4": 0})
    advice = advise(weights, L4)
    assert advice.quota_state == {REGION: NO_QUOTA}
    assert codes(advice) == ["no_quota"]


def test_a_recommended_machine_with_quota_goes_before_one_without(weights, emulator):
    emulator.set_quota({f"my-project/{REGION}/NVIDIA_L4": 0})
    put_sixty_gigabytes(weights)
    assert advise(weights).machine_spec.machine_type == "a3-highgpu-8g"


def test_quota_that_suffices_for_nothing_is_a_warning_and_no_region_works(weights, emulator):
    emulator.set_quota({f"my-project/{REGION}/NVIDIA_L4": 0})
    advice = advise(weights)
    assert codes(advice) == ["no_quota"]
    assert advice.quota_state == {REGION: NO_QUOTA}
    assert advice.regions_that_work == []


def test_machines_that_are_out_of_stock_are_a_warning(weights, emulator):
    machines = ("g2-standard-12", "g2-standard-24", "g2-standard-48")
    emulator.behave(stockouts=[f"{REGION}/{machine}" for machine in machines])
    advice = advise(weights)
    assert codes(advice) == ["machine_unavailable"]
    assert advice.machine_spec is None


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "NOT_FOUND"), (501, "UNIMPLEMENTED"), (403, "PERMISSION_DENIED"), (400, "INVALID_ARGUMENT")],
)
def test_no_recommendation_is_a_warning_and_never_a_failure(weights, emulator, status, code):
    emulator.fail(rpc="locations.recommendSpec", fault="status", status=status, code=code, message="no such thing")
    advice = advise(weights, T4)
    [finding] = advice.findings
    assert (finding.severity, finding.code) == ("warning", "no_recommendation")
    assert "no such thing" in finding.message
    assert advice.machine_spec == T4


@pytest.mark.parametrize(
    ("spec", "gigabytes"),
    [
        (L4, 24),
        (MachineSpec(machine_type="a2-ultragpu-8g"), 640),
        (MachineSpec(machine_type="a3-ultragpu-8g", accelerator_type="NVIDIA_H200_141GB", accelerator_count=8), 1128),
        (MachineSpec(machine_type="ct5lp-hightpu-4t"), 64),
        (MachineSpec(machine_type="ct5lp-hightpu-8t"), 128),
        (MachineSpec(machine_type="ct6e-standard-8t"), 256),
        (MachineSpec(machine_type="tpu7x-standard-4t"), 768),
        (MachineSpec(machine_type="a3-highgpu-8g", multihost_gpu_node_count=2), 1280),
        (MachineSpec(machine_type="a2-highgpu-1g", gpu_partition_size="1g.10gb"), 10),
        (MachineSpec(machine_type="n1-standard-8"), None),
        (MachineSpec(machine_type="future-1", accelerator_type="NEW", accelerator_count=1), None),
    ],
)
def test_the_memory_of_a_machine_is_that_of_its_accelerators(spec, gigabytes):
    assert accelerator_gigabytes(spec) == gigabytes
