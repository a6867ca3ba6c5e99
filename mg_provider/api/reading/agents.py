"""Vertex AI's service agent of a project: its address, the roles that it needs, and texts of Google's about it."""

from __future__ import annotations

import re

DEPLOYING_ROLE = "roles/aiplatform.user"
"""What the agent needs for Model Garden's deploy, which makes the endpoint and uploads the Model in its name: it holds
aiplatform.endpoints.create and aiplatform.models.upload."""

ADDRESS = re.compile(r"service-\d+@gcp-sa-aiplatform[\w-]*\.iam\.gserviceaccount\.com", re.IGNORECASE)
_PROVISIONED = re.compile(r"service agents? (is|are) being provisioned", re.IGNORECASE)
_BARE = re.compile(r"(INTERNAL|internal error( encountered| occurred)?)?\.?", re.IGNORECASE)


def agent_of(project_number: str) -> str:
    """The agent's e-mail address."""
    return f"service-{project_number}@gcp-sa-aiplatform.iam.gserviceaccount.com"


def says_being_provisioned(message: str) -> bool:
    """Whether a text says that a new project's service agents are being made, which passes in a few minutes."""
    return _PROVISIONED.search(message) is not None


def says_nothing(message: str) -> bool:
    """Whether the text of an internal error names no cause at all."""
    return _BARE.fullmatch(message.strip()) is not None
