"""A program that a page shows, rehearsed in a folder of its own."""

import json

from mg_provider.rehearsal.command import rehearse
from tests.support.running.forks import project_file

APIS = ("vertexAi", "compute", "storage", "bigQuery", "logging")


class Rehearsal:
    """``mg rehearse`` of one program, with the custom endpoints at ``url``."""

    def __init__(self, folder, program, url):
        self.folder, self.state_file = folder, folder / "state.json"
        (folder / "Pulumi.yaml").write_text(project_file("shop"))
        (folder / "__main__.py").write_text(program)
        self.config = {"mg:project": "my-project", "mg:region": "us-central1"}
        self.config |= {f"mg:{api}CustomEndpoint": url for api in APIS}

    def __call__(self, operation, **options):
        """What it said; a failure ends the test."""
        said = []
        code = rehearse(
            operation, "dev", self.folder, self.state_file, config=self.config, write=said.append, **options
        )
        assert code == 0, "".join(said)
        return "".join(said)

    def stack_outputs(self):
        resources = json.loads(self.state_file.read_text())["deployment"]["resources"]
        return next(entry["outputs"] for entry in resources if entry["type"] == "pulumi:pulumi:Stack")
