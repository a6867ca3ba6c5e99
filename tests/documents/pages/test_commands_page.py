"""What the page of the commands says of completion: each script asks mg, and mg answers in the form of that shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mg_provider.command_line.completion import Shell, script
from tests.documents.markdown import read

MG = Path(sys.executable).parent / "mg"
ANSWERS = {"zsh": r"""_arguments '\*: :\(\("rehearse":"[^"]+"\)\)'""", "fish": r"rehearse\t.+"}


def test_the_page_has_a_line_for_each_shell():
    assert re.findall(r"mg completion (\w+)", read("docs/commands.md").partition("## Completion")[2]) == list(Shell)


@pytest.mark.parametrize("shell", ANSWERS)
def test_what_a_script_asks_is_answered_as_its_shell_reads_it(shell):
    asked = dict(re.findall(r"(_(?:MG|TYPER)_COMPLETE\w*)=(\w+)", script(Shell(shell), "mg")))
    assert asked["_MG_COMPLETE"] == f"complete_{shell}"
    environment = {**os.environ, **asked, "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": "mg rehe"}
    done = subprocess.run([MG], env=environment, capture_output=True, text=True, check=True)
    assert re.fullmatch(ANSWERS[shell], done.stdout.strip())
