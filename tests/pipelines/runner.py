"""Runs the shell steps of a pipeline as its runner would, without what it installs and signs in to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.support.running import forks

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "stacks" / "pipelines"
INSTALL = "Install"


class Runner:
    """A folder with a program, a `pulumi` and an environment; subclasses say what a job is.

    Args:
        folder: Where the steps run.
        pulumi: Folder with the `pulumi` command.
        forge: Where comments and issues go.
        environment: Variables of every step.
    """

    def __init__(self, folder: Path, pulumi: Path, forge, environment: dict[str, str]) -> None:
        self.folder, self.forge = folder, forge
        self.environment = {
            **{name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ},
            "HOME": str(folder),
            "PATH": f"{pulumi}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "STACK": "prod",
            **environment,
        }

    def script(self, text: str, environment: dict[str, str], command: tuple[str, ...]) -> int:
        """The exit code of one script, which is kept in a file as runners do."""
        file = self.folder / "step"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [*command, str(file)],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        self.said = done.stdout + done.stderr
        return done.returncode


BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


class GitHub(Runner):
    """Jobs of a workflow of GitHub Actions; ``event`` has the values of expressions that are not known otherwise."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.outputs: dict[str, dict[str, str]] = {}
        self.summary = ""

    def job(self, workflow: str, name: str, **event: str) -> bool:
        """Whether the job went well."""
        job = yaml.safe_load((PIPELINES / "github" / f"{workflow}.yml").read_text())["jobs"][name]
        values = {
            "vars.STACK": "prod",
            "vars.PULUMI_BACKEND_URL": self.environment.get("PULUMI_BACKEND_URL", "gs://my-pulumi-state"),
            "github.token": "forge-token",
            "github.event.pull_request.number": "7",
            **{
                f"needs.{other}.outputs.{key}": value
                for other, told in self.outputs.items()
                for key, value in told.items()
            },
            **event,
        }
        self.outputs[name] = {}
        files = {key: self.folder / key for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        try:
            return all(self._step(step, job.get("env", {}), values, files) for step in job["steps"])
        finally:
            told = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
            wanted = [re.search(r"outputs\.(\w+)", text)[1] for text in job.get("outputs", {}).values()]
            self.outputs[name] = {key: told.get(key, "") for key in wanted}
            self.summary = files["GITHUB_STEP_SUMMARY"].read_text()

    def _step(self, step, job_environment, values, files) -> bool:
        if "run" not in step or step.get("name") == INSTALL:
            self._artifact(step)
            return True
        given = {**job_environment, **step.get("env", {})}
        environment = {key: self._value(str(value), values) for key, value in given.items()}
        environment |= {key: str(file) for key, file in files.items()}
        environment |= {"GITHUB_API_URL": self.forge.url, "GITHUB_REPOSITORY": "shop/models"}
        assert "${{" not in step["run"], "an expression in a script is an injection"
        command = (f"{forks.shared()}/bin/python", "-u") if step.get("shell") == "python" else BASH
        return self.script(step["run"], environment, command) == 0

    def _artifact(self, step) -> None:
        """A download puts what an earlier job left into its folder."""
        path = step.get("with", {}).get("path")
        if step.get("uses", "").startswith("actions/download-artifact") and path:
            (self.folder / path).unlink(missing_ok=True)
            (self.folder / path).symlink_to(self.folder)

    @staticmethod
    def _value(text: str, values) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)


class GitLab(Runner):
    """Jobs of GitLab CI."""

    def job(self, name: str, **variables: str) -> bool:
        """Whether the job went well."""
        document = yaml.safe_load((PIPELINES / "gitlab" / "gitlab-ci.yml").read_text())
        job = document[name]
        given = {**document["variables"], **{key: str(value) for key, value in job.get("variables", {}).items()}}
        environment = {key: value for key, value in given.items() if "$" not in value}
        environment |= {"CI_API_V4_URL": self.forge.url, "CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "7"}
        environment |= {"REVIEW_TOKEN": "forge-token", **variables}
        dotenv = self.folder / "review.env"
        if "preview" in job.get("needs", ()) and dotenv.exists():
            environment |= dict(line.split("=", 1) for line in dotenv.read_text().splitlines())
        return self.script("\n".join(job["script"]), environment, BASH) == 0
