"""The command line: what it prints, how it ends, what it must not load."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import typer

from mg_provider.version import __version__

MG = Path(sys.executable).parent / "mg"
HEAVY = ("pulumi", "grpc", "google.auth", "requests", "numpy", "pydantic")


@pytest.fixture
def mg(quick_mg):
    def run(*arguments):
        return subprocess.run([quick_mg, *arguments], capture_output=True, text=True, timeout=60, check=False)

    return run


def test_version_and_help(mg):
    assert subprocess.run([MG, "--version"], capture_output=True, text=True, check=True).stdout.strip() == __version__
    told = mg("--help").stdout
    for command in ("demo", "emulator", "rehearse"):
        assert command in told


def test_help_loads_nothing_heavy():
    script = (
        "import sys; sys.argv = ['mg', '--help']\n"
        "from mg_provider.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


def test_a_demo_without_its_libraries_says_how_to_get_them():
    script = (
        "import sys; sys.argv = ['mg', 'demo']; sys.modules['safetensors'] = None\n"
        "from mg_provider.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the demo makes a model folder with safetensors")
    assert "mg-provider[demo]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_option_is_a_usage_error(mg):
    done = mg("rehearse", "up", "--config", "nonsense")
    assert done.returncode == 2
    assert "namespace:key=value" in done.stderr


def test_without_a_program_rehearse_says_what_is_missing(mg, tmp_path):
    done = mg("rehearse", "preview", str(tmp_path))
    assert done.returncode == 2
    assert "Pulumi.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stack_that_leads_elsewhere_is_never_rehearsed(mg):
    root = Path(__file__).parent.parent.parent
    elsewhere = "mg:vertexAiCustomEndpoint=https://us-central1-aiplatform.googleapis.com"
    done = mg("rehearse", "preview", str(root), "--stack", "demo", "--config", elsewhere)
    assert done.returncode == 2
    assert "which is not on this machine" in done.stderr


def broken(error):
    """An application with one command, which fails."""
    app = typer.Typer()

    @app.command()
    def command():
        raise error

    return app


def test_an_error_of_ours_is_told_in_words_and_with_a_traceback_when_asked(monkeypatch, capsys):
    from mg_provider import cli

    monkeypatch.setattr(cli, "app", broken(RuntimeError("the wire is cut")))
    monkeypatch.setattr(sys, "argv", ["mg"])
    monkeypatch.delenv("MG_VERBOSE", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.startswith("error: the wire is cut\ndo: ")
    assert "Traceback" not in told
    monkeypatch.setenv("MG_VERBOSE", "1")
    with pytest.raises(SystemExit):
        cli.main()
    assert "Traceback" in capsys.readouterr().err


def test_a_traceback_tells_no_secret(monkeypatch, capsys):
    from mg_provider import cli

    secrets = RuntimeError("GET /x?key=AIzaSyD-0123456789abcdefghij with password=hunter2 failed")
    monkeypatch.setattr(cli, "app", broken(secrets))
    monkeypatch.setattr(sys, "argv", ["mg"])
    monkeypatch.setenv("MG_VERBOSE", "1")
    with pytest.raises(SystemExit):
        cli.main()
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "[redacted]" in told
    assert not any(secret in told for secret in ("AIza", "hunter2"))


def test_the_emulator_serves_until_it_is_told_to_end():
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [MG, "emulator", "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/_mg/ledger") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e300", "fast"])
@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_a_speed_that_is_none_is_a_mistake_of_usage(command, value):
    from mg_provider.cli import app
    from tests.support.running.command_line import CliRunner

    ended = CliRunner().invoke(app, [command, f"--speed={value}"])
    assert ended.exit_code == 2
    assert "--speed" in ended.output


def test_the_fastest_speed_is_the_emulators():
    from mg_provider import cli
    from mg_provider.emulator.core.clock import FASTEST

    assert cli.FASTEST == FASTEST
