"""The program of the fleet measurement: models in regions, as its configuration says."""

import pulumi

from mg_provider import CustomWeightsModel

config = pulumi.Config("fleet")
regions = config.require_object("regions")
settings = {key: value for key, value in (config.get_object("settings") or {}).items()}
for region in regions:
    options = None
    if config.get_bool("explicit"):
        options = pulumi.ResourceOptions(provider=pulumi.ProviderResource("pulumi-python", f"host-{region}", settings))
    for number in range(config.require_int("models")):
        CustomWeightsModel(
            f"model-{region}-{number}",
            region=region,
            gcs_uri=f"gs://{region}/llama",
            preflight=False,
            opts=options,
        )
