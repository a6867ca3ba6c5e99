"""The same model with your own weights in several regions, at a private address in each."""

import pulumi

from mg_provider.components import PrivateModelEndpoint, RegionalFleet, RegionalPlace

REGIONS = ["us-central1", "europe-west4"]

config = pulumi.Config()
project = pulumi.Config("mg").require("project")


def private(place: RegionalPlace) -> PrivateModelEndpoint:
    """What one region has."""
    return PrivateModelEndpoint(
        place.name,
        region=place.region,
        model=place.arguments,
        network=config.require("network"),
        subnetwork=config.require("subnetwork"),
        allowlist=[project],
        opts=place.opts,
    )


fleet = RegionalFleet(
    "llama",
    regions=REGIONS,
    build=private,
    arguments={
        "gcs_uri": config.require("weights"),
        "machine_spec": {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
        "max_replica_count": 2,
    },
    # What is different in one region. Weights belong in a bucket near the machines.
    overrides={"europe-west4": {"gcs_uri": config.require("weightsEurope"), "max_replica_count": 3}},
)

pulumi.export("endpoints", {region: member.endpoint for region, member in fleet.members.items()})
pulumi.export("private_ips", {region: member.ip_address for region, member in fleet.members.items()})
