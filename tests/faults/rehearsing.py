"""The rehearsal engine as a process of its own, so that it can be killed: operation, folder, and where the cloud is."""

import sys
from pathlib import Path

from mg_provider.command_line.exits import INTERRUPTED
from mg_provider.rehearsal.command import rehearse

if __name__ == "__main__":
    operation, stack, folder = sys.argv[1:4]
    given = dict(pair.split("=", 1) for pair in sys.argv[4:])
    state = Path(folder) / "state.json"
    try:
        sys.exit(rehearse(operation, stack, Path(folder), state, as_json=True, events=True, config=given))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
