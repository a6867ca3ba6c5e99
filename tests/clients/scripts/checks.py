"""Runs each check of a script in turn, in the environment of the real clients, and says how each ended."""

import json
import sys
import time
import traceback

PROJECT = "my-project"
REGION = "us-central1"


def run(*checks):
    """Run them, one line of JSON each; a later one may build on what an earlier one made."""
    failures = 0
    for check in checks:
        began, problem = time.monotonic(), ""
        try:
            check()
        except Exception:  # noqa: BLE001 - a check may fail in any way
            failures += 1
            problem = traceback.format_exc()
        outcome = {"check": check.__name__, "seconds": round(time.monotonic() - began, 2), "problem": problem}
        sys.stdout.write(json.dumps(outcome) + "\n")
    sys.exit(bool(failures))
