"""Run each line of standard input, a list of words, as a command of gcloud, and say with which code it ended.

gcloud itself starts this, because of CLOUDSDK_PYTHON_ARGS, with its own interpreter and the path of its own script.
Each command is a fork of a process that has loaded gcloud, as to load it is most of what a command does. What it
prints is in the files ``output`` and ``errors``.
"""

import json
import os
import runpy
import sys


def command(script: str, words: list[str]) -> None:
    """Be a process that runs one command."""
    for stream, name in enumerate((os.devnull, "output", "errors")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
    sys.argv = [script, *words]
    runpy.run_path(script, run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    gcloud = sys.argv[1]
    # Leads to the packages that gcloud brings along.
    runpy.run_path(gcloud)
    import googlecloudsdk.gcloud_main  # noqa: F401 - for the forks

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            command(gcloud, json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - the answer
