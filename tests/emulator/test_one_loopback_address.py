"""Where a system has 127.0.0.1 alone, a port of it stands in for each private address."""

import urllib.request

from mg_provider.emulator.web.dispatch import Application
from mg_provider.emulator.web.server import HttpListener, private_listener

# An address for documentation (RFC 5737): no machine has it, so it cannot be bound.
NOBODYS = "203.0.113.7"


def test_an_address_that_cannot_be_bound_is_stood_in_for_by_a_port(emulator):
    main_port = int(emulator.url.rsplit(":", 1)[1])
    listener: HttpListener = private_listener(NOBODYS, main_port, Application(emulator.world, None, True))
    try:
        assert listener.url.startswith("http://127.0.0.1:")
        assert listener.port != main_port
        with urllib.request.urlopen(f"{listener.url}/_mg/ledger") as answer:
            assert answer.status == 200
    finally:
        listener.stop()
