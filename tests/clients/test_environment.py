"""The environment of the real clients is made once, and says what to do where it cannot be."""

import subprocess
import sys

import pytest

from tests.support.running import real_clients

NOTHING = "# no package\n"


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "requirements.lock"
    file.write_text(NOTHING)
    return file


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")


def test_it_holds_each_client_in_the_locked_version(clients_python):
    program = (
        "from importlib.metadata import version\n"
        "for name in ('google-cloud-aiplatform', 'google-cloud-bigquery', 'google-cloud-storage', 'openai'):\n"
        "    print(f'{name}=={version(name)} \\\\')"
    )
    found = subprocess.run([clients_python, "-c", program], capture_output=True, text=True, check=True).stdout
    assert set(found.splitlines()) <= set(real_clients.LOCK.read_text().splitlines())


def test_it_is_used_again_until_the_lock_changes(tmp_path, lock, no_network):
    folder = tmp_path / "clients"
    interpreter = real_clients.python(folder, lock)
    left = folder / "environment" / "left"
    left.touch()
    assert real_clients.python(folder, lock) == interpreter
    assert left.exists()
    lock.write_text("# another lock\n")
    assert real_clients.python(folder, lock) == interpreter
    assert not left.exists()


def test_processes_that_ask_at_once_get_one_environment(tmp_path, lock, no_network):
    folder = tmp_path / "clients"
    program = (
        "import sys; from pathlib import Path; from tests.support.running import real_clients\n"
        "print(real_clients.python(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", program, str(folder), str(lock)]
    asking = [
        subprocess.Popen(command, cwd=real_clients.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [process.communicate() for process in asking]
    assert answers == [(f"{folder}/environment/bin/python\n", "")] * 3


def test_without_a_network_it_says_what_to_do(tmp_path, no_network):
    with pytest.raises(real_clients.NotMade) as raised:
        real_clients.python(tmp_path / "clients")
    text = str(raised.value)
    assert str(tmp_path / "clients") in text
    assert "Connect to the network and run `make test` again" in text
    assert "--ignore=tests/clients" in text
    assert not (tmp_path / "clients" / "ready").exists()


def test_an_index_that_never_answers_is_not_waited_for(tmp_path, no_network):
    with pytest.raises(real_clients.NotMade, match="took longer than 0 s"):
        real_clients.python(tmp_path / "clients", seconds=0.001)
