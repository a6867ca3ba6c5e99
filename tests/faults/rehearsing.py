"""The rehearsal engine as a process of its own, so that it can be killed: operation, folder, and the config.

Without an address in the config, the cloud is the stack's own.
"""

import sys
from pathlib import Path

from mg_provider.cloud.own import OwnCloud
from mg_provider.command_line.exits import INTERRUPTED
from mg_provider.rehearsal.command import rehearse

if __name__ == "__main__":
    operation, stack, folder = sys.argv[1:4]
    given = dict(pair.split("=", 1) for pair in sys.argv[4:])
    state = Path(folder) / "state.json"
    events = {"as_json": True, "events": True}
    try:
        sys.exit(rehearse(operation, stack, Path(folder), state, config=given, own_cloud=OwnCloud(), **events))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
