"""The proxy that the real clients get: some names lead to the emulator, every other name is refused and noted.

A client that follows a link to Google's own hosts, or that was told of an endpoint too little, shows up in ``refused``.
"""

import socket
import threading
from pathlib import Path

from tests.support.google.certificates import Certificate

DEDICATED, PRIVATE = ".prediction.vertexai.goog", ".prediction.p.vertexai.goog"


class WayOut:
    """Speaks CONNECT, and TLS in the name of the hosts that it knows, on loopback.

    Args:
        emulator: What answers at dedicated domains, and at its private addresses.
        folder: Where certificates are written.
        known: Hosts that lead to the emulator beside prediction domains.

    Attributes:
        url: The proxy's.
        authority: File with the certificate that vouches for the domains.
        refused: Every other host that was asked for.
    """

    def __init__(self, emulator, folder, known=()):
        self._emulator, self._folder, self._known = emulator, Path(folder), known
        self._issuer = Certificate(self._folder, "authority")
        self.authority = str(self._issuer.file)
        self.refused = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def environment(self):
        """The variables that lead a process this way."""
        return {
            "HTTPS_PROXY": self.url,
            "HTTP_PROXY": self.url,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": self.authority,
            "SSL_CERT_FILE": self.authority,
        }

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # it is closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096) or b"\r\n\r\n"
            method, _, rest = head.decode("latin-1").partition(" ")
            host = rest.partition(" ")[0].rpartition(":")[0]
            behind = self._behind(host) if method == "CONNECT" else None
            if behind is None:
                self.refused.append(rest.partition(" ")[0])
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            shown = Certificate(self._folder, host, issuer=self._issuer, authority=False)
            with shown.server.wrap_socket(client, server_side=True) as secured, socket.create_connection(behind) as to:
                threading.Thread(target=_copy, args=(to, secured), daemon=True).start()
                _copy(secured, to)

    def _behind(self, host):
        """Where a name leads to."""
        url = None
        if host.endswith(DEDICATED) or host in self._known:
            url = self._emulator.url
        elif host.endswith(PRIVATE):
            # As a zone of one's own has it: the one private address that there is.
            url = next(iter(self._emulator.addresses().values()), None)
        if url is None:
            return None
        address, _, port = url.removeprefix("http://").rpartition(":")
        return address, int(port)


def _copy(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other direction has ended
        return
