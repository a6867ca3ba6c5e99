"""A private model on the emulated cloud, and what becomes of its service attachment."""

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives.life import Life
from tests.support.samples.weights import call, make_bucket, put_weights

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
# So long that a quick clock does not reach it by itself.
RECYCLE_SECONDS = 1e9
CONNECT = {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}


class PrivateModel(Life):
    """A model whose endpoint is reached through Private Service Connect."""

    def __init__(self, emulator, host, name="private", **more):
        super().__init__(host, CustomWeightsModelProvider, name=name)
        self.emulator = emulator
        self.arguments = {
            "gcs_uri": put_weights(emulator, name),
            "machine_spec": L4,
            "private_service_connect_config": CONNECT,
            **more,
        }
        self.up(self.arguments)
        self.served = self.outputs["deployed_model_id"]

    @property
    def endpoint(self):
        return self.outputs["endpoint"]

    @property
    def attachment(self):
        return self._deployed()[0]["privateEndpoints"]["serviceAttachment"]

    def allow(self, *projects):
        config = {"enable_private_service_connect": True, "project_allowlist": list(projects)}
        self.up({**self.arguments, "private_service_connect_config": config})

    def undeploy(self):
        """Nothing is served any more; the service attachment stays for a while."""
        call(f"{self.emulator.url}/v1beta1/{self.endpoint}:undeployModel", {"deployedModelId": self.served})
        self.emulator.advance(600)

    def recycle(self):
        """Vertex AI gives the attachment up."""
        self.emulator.advance(RECYCLE_SECONDS)

    def deploy(self):
        """The same model again, on the same endpoint."""
        resources = {"machineSpec": {"machineType": L4["machine_type"], "acceleratorType": "NVIDIA_L4"}}
        resources["machineSpec"]["acceleratorCount"] = 1
        served = {
            "model": self.outputs["model"],
            "dedicatedResources": {**resources, "minReplicaCount": 1, "maxReplicaCount": 1},
        }
        body = {"deployedModel": served, "trafficSplit": {"0": 100}}
        call(f"{self.emulator.url}/v1beta1/{self.endpoint}:deployModel", body)
        self.emulator.advance(7200)
        self.served = self._deployed()[0]["id"]

    def _deployed(self):
        return call(f"{self.emulator.url}/v1beta1/{self.endpoint}", method="GET").get("deployedModels", [])


def private_model(emulator, host, **more):
    emulator.behave(attachment_recycle_seconds=RECYCLE_SECONDS)
    make_bucket(emulator)
    return PrivateModel(emulator, host, **more)
