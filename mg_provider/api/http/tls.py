"""Which server certificates are trusted beside those of public authorities. Verification is never off.

An endpoint behind Private Service Connect shows a self-signed certificate, so that no public authority vouches for it.
It is trusted by its SHA-256 fingerprint, or by a file with the certificate itself or with the authority that signed it.
"""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mg_provider.api.errors import MgError, UserError

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ServerTrust:
    """What one server is recognised by.

    Attributes:
        ca_file: PEM file. A server that shows one of its certificates is trusted whatever name it is reached by; one
            whose certificate was signed by one of them is trusted for the names in its certificate.
        fingerprint: SHA-256 of the server's own certificate, in hexadecimal digits; nothing else is looked at then.
        names: Names that a signed certificate may be for, beside the one that is connected to.
    """

    ca_file: str | None = None
    fingerprint: str | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UserError: The file holds no certificate, or the fingerprint is not one.
        """
        if self.fingerprint is not None:
            plain = self.fingerprint.replace(":", "").lower()
            if not _FINGERPRINT.fullmatch(plain):
                raise UserError("is not a SHA-256 digest", property="fingerprint", hint="write 64 hexadecimal digits")
            object.__setattr__(self, "fingerprint", plain)
        if self.ca_file is not None:
            _certificates(self.ca_file)

    def context(self) -> ssl.SSLContext:
        """A TLS context that accepts this server only, for connections made in a thread."""
        return _RecognisingContext(self)


class _RecognisingContext(ssl.SSLContext):
    """Recognises the server right after the handshake, before anything is sent."""

    trust: ServerTrust
    pinned: frozenset[bytes]

    def __new__(cls, trust: ServerTrust) -> _RecognisingContext:
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context.trust = trust
        context.pinned = frozenset(_certificates(trust.ca_file) if trust.ca_file else ())
        context.check_hostname = False
        if trust.fingerprint:
            context.verify_mode = ssl.CERT_NONE
        else:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(trust.ca_file) if trust.ca_file else context.load_default_certs()
        return context

    def __init__(self, trust: ServerTrust) -> None:
        """All is done where the context is made."""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Shake hands, then recognise."""
        secured = super().wrap_socket(*arguments, **options)
        certificate = secured.getpeercert(binary_form=True) or b""
        if problem := self._problem(certificate, secured.getpeercert(), secured.server_hostname):
            secured.close()
            raise ssl.SSLCertVerificationError(problem)
        return secured

    def _problem(self, certificate: bytes, fields: Any, host: str | None) -> str | None:
        """Why it is another server; its chain has been verified, unless there is a fingerprint."""
        from urllib3.util.ssl_match_hostname import CertificateError, match_hostname

        if self.trust.fingerprint:
            shown = fingerprint_of(certificate)
            same = shown == self.trust.fingerprint
            return None if same else f"the certificate has the fingerprint {shown}, not the pinned one"
        if certificate in self.pinned:
            return None
        mismatches = []
        for name in (host or "", *self.trust.names):
            try:
                match_hostname(fields, name)
            except CertificateError as mismatch:
                mismatches.append(str(mismatch))
            else:
                return None
        return mismatches[0]

    def wrap_bio(self, *_: Any, **__: Any) -> ssl.SSLObject:
        """Refuse: here nobody could look at the certificate before something is sent."""
        raise ssl.SSLError("a pinned certificate needs a direct connection of a synchronous client")


@dataclass(frozen=True)
class ShownCertificate:
    """The certificate that a server shows, which nobody has vouched for yet.

    Attributes:
        pem: It as text, ready for ``ca_file``.
        fingerprint: Its SHA-256, ready for ``fingerprint``.
    """

    pem: str
    fingerprint: str


def fetch_certificate(host: str, port: int = 443, timeout: float = 10.0) -> ShownCertificate:
    """Ask a server for its certificate, without trusting it.

    Before it is pinned, compare the fingerprint with the one seen another way, such as from another network.

    Args:
        host: Name or address.
        port: Port that speaks TLS.
        timeout: Seconds to wait.

    Raises:
        MgError: Nothing there speaks TLS.
    """
    try:
        pem = ssl.get_server_certificate((host, port), timeout=timeout)
    except (OSError, socket.gaierror) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise MgError(
            f"{host}:{port} shows no certificate: {why}", hint="check the host, the port and the network"
        ) from error
    return ShownCertificate(pem, fingerprint_of(ssl.PEM_cert_to_DER_cert(pem)))


def fingerprint_of(certificate: bytes) -> str:
    """SHA-256 of a certificate in its binary form, as hexadecimal digits."""
    return hashlib.sha256(certificate).hexdigest()


def _certificates(file: str) -> list[bytes]:
    try:
        found = [ssl.PEM_cert_to_DER_cert(block) for block in _BLOCK.findall(Path(file).read_text(encoding="ascii"))]
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error})", property="ca_file", hint="name a PEM file") from error
    if not found:
        raise UserError(f"{file} holds no certificate", property="ca_file", hint="name a PEM file")
    return found
