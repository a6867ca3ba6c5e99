"""What the package has of the repository, as it stands there: the pipelines of the templates, the stack of the demo."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "stacks" / "pipelines" / "github"
TEMPLATES = "mg_provider/templates"
OF_A_TEMPLATE = {
    "private": ("review", "deploy"),
    "public": ("review", "deploy"),
    "batch": ("review", "deploy", "nightly"),
    "fleet": ("review", "deploy"),
}
# What the demo runs, so that the wheel alone is enough for it.
DEMO = "mg_provider/demo/project"
OF_THE_DEMO = ("Pulumi.yaml", "stacks/__main__.py", "stacks/config/Pulumi.demo.yaml")
# Where the batch of the template reads its night, instead of where that of the stacks does.
_NIGHT = "NIGHT: model-garden:environment.batch_jobs.nightly.triggers.date"
_NIGHT_OF_THE_TEMPLATE = "NIGHT: ${PROJECT}:night"


def outputs() -> dict[str, str]:
    """Path below the root to content."""
    pipelines = {
        f"{TEMPLATES}/{template}/.github/workflows/{name}.yml": _pipeline(name)
        for template, names in OF_A_TEMPLATE.items()
        for name in names
    }
    return pipelines | {f"{DEMO}/{path}": (ROOT / path).read_text(encoding="utf-8") for path in OF_THE_DEMO}


def _pipeline(name: str) -> str:
    text = (PIPELINES / f"{name}.yml").read_text(encoding="utf-8")
    if name != "nightly":
        return text
    if _NIGHT not in text:
        raise ValueError(f"the pipeline {name} has no line {_NIGHT}")
    return text.replace(_NIGHT, _NIGHT_OF_THE_TEMPLATE)
