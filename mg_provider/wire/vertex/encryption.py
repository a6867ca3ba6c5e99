"""Customer-managed encryption."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import WireModel


class EncryptionSpec(WireModel):
    """A customer-managed key."""

    kms_key_name: str = Field(
        description="Cloud KMS key in the same region, projects/{p}/locations/{l}/keyRings/{r}/cryptoKeys/{k}.",
    )
