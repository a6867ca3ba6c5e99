"""What all commands share: environment variables, one form of errors, exit codes, completion."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import typer

from mg_provider.cli import app
from mg_provider.command_line.completion import Shell, script
from mg_provider.command_line.exits import EXIT_CODES, FAILED, INTERRUPTED, NOBODY_READS, USAGE
from mg_provider.command_line.running import built, run_app
from mg_provider.command_line.variables import options, variable_of

ROOT = Path(__file__).parent.parent.parent
MG = Path(sys.executable).parent / "mg"


@pytest.fixture
def run(capsys):
    """Runs a command line of mg; returns exit code, output and complaints."""

    def run(*arguments, of=app):
        code = run_app(of, arguments, str)
        return code, *capsys.readouterr()

    return run


def test_every_option_has_a_variable_and_one_variable_means_one_thing():
    kinds = defaultdict(set)
    for path, option in options(built(app)):
        variable = variable_of(path, option)
        if variable is None:
            assert option.opts == ["--version"]
            continue
        assert option.envvar == variable
        kinds[variable].add((max(option.opts, key=len), option.is_flag, str(option.type_descriptor.annotation)))
    assert {"MG_PROJECT", "MG_REGION", "MG_STACK", "MG_CONFIG", "MG_REVIEW_FORMAT"} <= set(kinds)
    # One stack or several: a name has no spaces, so the variable reads the same.
    kinds["MG_STACK"] = {(name, flag, "str") for name, flag, _ in kinds["MG_STACK"]}
    assert {variable: found for variable, found in kinds.items() if len(found) > 1} == {}


def test_help_names_the_variable_and_the_variable_is_read(run, monkeypatch, tmp_path):
    assert "MG_STACK" in " ".join(run("rehearse", "up", "--help")[1].split())
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    monkeypatch.setenv("MG_STACK", "a/b")
    code, _, complaint = run("rehearse", "preview", str(tmp_path))
    assert (code, "--stack is 'a/b'" in complaint) == (USAGE, True)
    monkeypatch.setenv("MG_DEMO_ENGINE", "terraform")
    assert "MG_DEMO_ENGINE" in run("demo")[2]


def failing(error):
    single = typer.Typer()

    @single.command()
    def command():
        raise error

    return single


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stak", "x"], "`mg` has no option --stak"),
        (["rehers"], "do: did you mean rehearse?"),
        (["preflight", "gs://a/b"], "do: give --region VALUE, or set MG_REGION"),
        (["preflight", "gs://a/b", "--region", "nowhere"], "nowhere is not a region"),
        (["review", "nosuch.json"], "nosuch.json cannot be read"),
        (["query", "--stack", "x", "a", "b"], "one question"),
        (["batch", "check", "a.jsonl", "-c", "nonsense"], "namespace:key=value"),
        (["models", "-c", "mg:regoin=x"], "did you mean mg:region?"),
        (["rehearse", "up", "-s", "demos", str(ROOT)], "did you mean --stack demo?"),
        (["certificate", "http://[", "--port", "1"], "http://["),
        (["prices", "--prices", "nosuch.json"], "nosuch.json"),
        (["regions"], "--stack"),
        (["rehearse", "up", "nosuch"], "Pulumi.yaml"),
        (["completion", "tcsh"], "tcsh"),
    ],
)
def test_every_command_reports_a_mistake_in_the_same_form(run, arguments, said):
    code, _, complaint = run(*arguments)
    assert (code, said in complaint) == (USAGE, True), complaint
    assert complaint.startswith("error: ")
    assert "\nerror: " not in complaint


@pytest.mark.parametrize("path", [(), ("rehearse",), ("batch",), ("models",), ("emulator",)])
def test_no_line_of_a_list_of_commands_is_cut(run, monkeypatch, path):
    monkeypatch.setenv("COLUMNS", "80")
    told = run(*path, "--help")[1]
    assert "..." not in told.partition("Commands:")[2], told


def test_without_arguments_the_help_is_shown(run):
    code, _, complaint = run()
    assert (code, complaint.startswith("Usage: mg ")) == (USAGE, True)


def test_an_interruption_and_a_failure_have_codes_of_their_own(run):
    code, _, complaint = run(of=failing(KeyboardInterrupt()))
    assert (code, complaint) == (INTERRUPTED, "error: interrupted\ndo: run `mg` again\n")
    code, _, complaint = run(of=failing(RuntimeError("the wire is cut")))
    assert (code, complaint.startswith("error: the wire is cut\ndo: ")) == (FAILED, True)
    assert {0, FAILED, USAGE, INTERRUPTED, NOBODY_READS} <= set(EXIT_CODES)


@pytest.mark.parametrize("arguments", ["prices", "--help", "completion bash"])
def test_a_reader_that_ends_early_ends_the_command_quietly(arguments):
    done = subprocess.run(
        ["bash", "-c", f"{MG} {arguments} | true; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.returncode in (0, NOBODY_READS)


def test_bash_completes_commands_options_topics_and_the_names_in_the_folder(tmp_path, quick_mg):
    (tmp_path / "Pulumi.prod.yaml").touch()
    state = tmp_path / ".mg" / "rehearsal" / "shop" / "prod.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"deployment": {"resources": [{"urn": "urn:pulumi:prod::shop::a:b:C::chat"}]}}))
    asked = "\n".join(
        f"COMP_WORDS=(mg {words}); COMP_CWORD={len(words.split())}; _mg_completion mg; echo ${{COMPREPLY[@]}}"
        for words in ("rehe", "review --look", "rehearse up --stack pr", "rehearse up -s prod --target c", "help rev")
    )
    done = subprocess.run(
        ["bash", "-c", f'eval "$(mg completion bash)"\ncomplete -p mg\n{asked}'],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{quick_mg.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["rehearse", "--look-fails", "prod", "chat", "review"]


@pytest.mark.parametrize("shell", [Shell.zsh, Shell.fish])
def test_the_other_shells_accept_their_scripts(shell, tmp_path):
    text = script(shell, "mg")
    assert "_MG_COMPLETE" in text
    if not shutil.which(shell.value):
        pytest.skip(f"there is no {shell.value} on PATH, so its script was made and not run")
    (tmp_path / "script").write_text(text)
    assert subprocess.run([shell.value, "-n", tmp_path / "script"], check=False, timeout=60).returncode == 0
