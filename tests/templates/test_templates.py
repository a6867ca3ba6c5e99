"""`mg init` writes projects that run: each is rehearsed from `up` to `destroy`, and Pulumi itself takes them too."""

import json
import os
import pty
import re
import shutil
import subprocess
import termios

import pytest
import yaml
from packaging.requirements import Requirement

from mg_provider.cloud.own import OwnCloud
from mg_provider.command_line.called import mg_command
from mg_provider.command_line.errors import Refusal
from mg_provider.emulator import Emulator
from mg_provider.init_command import TEMPLATES, WHEELS, run
from mg_provider.rehearsal.command import rehearse
from mg_provider.review.command import run as review
from mg_provider.version import __version__
from tests.support.google.canary import canary_proxy, only_this_machine  # noqa: F401 - for every test here
from tests.support.samples.weights import make_bucket, put, put_weights

NAMES = ("private", "public", "batch", "fleet")
CREATED = {"private": 2, "public": 1, "batch": 1, "fleet": 4}
OURS = r"\+ (?:CustomWeightsModel|PscForwardingRule|BatchJob) \S+: created"


def write(template, folder, **config):
    said = []
    try:
        run(template, folder, config=config, write=said.append)
    except Refusal as refusal:
        return refusal.exit_code, "".join(said), f"error: {refusal}\n"
    return 0, "".join(said), ""


@pytest.fixture
def cloud(emulator):
    make_bucket(emulator, "my-weights")
    put_weights(emulator, "llama", "my-weights")
    make_bucket(emulator, "my-weights-eu", "EU")
    put_weights(emulator, "llama", "my-weights-eu")
    make_bucket(emulator, "my-data")
    put(emulator, "questions.jsonl", b'{"body": {"messages": [{"role": "user", "content": "Hello"}]}}\n', "my-data")
    return emulator


def project(template, folder, virtualenv):
    """A project of a template, in an interpreter that starts quickly."""
    folder.mkdir(parents=True)
    (folder / ".venv").symlink_to(virtualenv)
    code, _, wrong = write(template, folder)
    assert code == 0, wrong
    return folder


@pytest.mark.parametrize("template", NAMES)
def test_a_template_comes_up_as_it_was_written_and_then_has_nothing_to_do_and_goes_down(
    template, tmp_path, virtualenv, monkeypatch
):
    # Ten times as fast as for users, who wait two seconds for a deployment.
    monkeypatch.setattr("mg_provider.cloud.own.SPEED", 6000.0)
    folder = project(template, tmp_path / "shop", virtualenv)

    def mg(operation, **options):
        said = []
        code = rehearse(operation, "dev", folder, own_cloud=OwnCloud(), write=said.append, **options)
        assert code == 0, "".join(said)
        return "".join(said)

    (folder / "preview.json").write_text(mg("preview", as_json=True))
    assert review([str(folder / "preview.json")], program=folder) == 0, "its own gates stop it"
    assert len(re.findall(OURS, mg("up"))) == CREATED[template]
    digest = json.loads(mg("preview", as_json=True))
    assert set(digest["changeSummary"]) == {"same"}
    mg("refresh")
    mg("destroy")
    with Emulator(keep=folder / ".mg" / "rehearsal" / "shop" / "dev.cloud") as cloud:
        assert cloud.ledger()["leftovers"] == []


def pulumis_environment(home):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI")}
    return kept | {
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{home}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
    }


def pulumi(folder, home, *arguments):
    """What the real command says."""
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=folder,
        env=pulumis_environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path):
    if shutil.which("pulumi") is None:
        pytest.skip("there is no pulumi command on PATH, so the templates ran on the rehearsal engine only")
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_pulumi_new_makes_the_project_that_mg_init_makes_and_brings_it_up_and_down(home, tmp_path, cloud, virtualenv):
    ours = project("private", tmp_path / "ours" / "shop", virtualenv)
    folder = tmp_path / "shop"
    folder.mkdir()
    pulumi(folder, home, "new", str(TEMPLATES / "private"), "--generate-only", "--yes", "--name", "shop")
    for path in (TEMPLATES / "private").rglob("*"):
        name = path.relative_to(TEMPLATES / "private")
        if path.is_file() and name.name != "Pulumi.yaml":
            assert (folder / name).read_text() == (ours / name).read_text(), name
    made, written = (yaml.safe_load((place / "Pulumi.yaml").read_text()) for place in (folder, ours))
    assert [made[key] for key in ("name", "description")] == [written[key] for key in ("name", "description")]

    # Without --generate-only it would ask for these values, and make an environment from the package index.
    shutil.copy(ours / "Pulumi.dev.yaml", folder)
    (folder / ".venv").symlink_to(virtualenv)
    pulumi(folder, home, "stack", "init", "dev")
    pulumi(folder, home, "config", "set", "mg:emulator", cloud.url)
    pulumi(folder, home, "up", "--yes", "--skip-preview")
    assert pulumi(folder, home, "stack", "output", "private_ip").startswith("127.")
    pulumi(folder, home, "preview", "--expect-no-changes")
    pulumi(folder, home, "destroy", "--yes", "--skip-preview")
    assert cloud.ledger()["leftovers"] == []


def first_choice(folder, home, source):
    """What `pulumi new` says at a terminal, until it asks for the name of a project of the first template."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 100))
    command = ["pulumi", "new", str(source), "--generate-only", "--dir", "new"]
    at_terminal = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    with subprocess.Popen(command, cwd=folder, env=pulumis_environment(home), **at_terminal) as process:
        os.close(theirs)
        said = ""
        while "Project name" not in said:
            said += (read := os.read(ours, 4096).decode(errors="replace"))
            if "\x1b[6n" in read:
                os.write(ours, b"\x1b[1;1R")
            if NAMES[-1] in read:
                os.write(ours, b"\r")
        process.kill()
    os.close(ours)
    return said


def test_pulumi_new_on_the_folder_of_the_templates_lets_the_user_choose_among_them(home, tmp_path):
    said = first_choice(tmp_path, home, TEMPLATES)
    assert f"choose a template ({len(NAMES)} total)" in said
    for name in NAMES:
        described = yaml.safe_load((TEMPLATES / name / "Pulumi.yaml").read_text())["template"]["description"]
        assert f" {name:10} {described}\r\n" in said


def test_a_file_that_is_there_is_never_changed_and_nothing_is_written_beside_it(tmp_path):
    (tmp_path / "__main__.py").write_text("mine")
    code, said, wrong = write("private", tmp_path)
    assert (code, said) == (2, "")
    assert "already has __main__.py; nothing was written" in wrong
    assert [path.name for path in tmp_path.iterdir()] == ["__main__.py"]
    assert (tmp_path / "__main__.py").read_text() == "mine"


def test_a_project_has_the_name_of_its_folder_and_the_values_that_were_given(tmp_path):
    folder = tmp_path / "my models (new)"
    code, said, _ = write("public", folder, **{"mg:project": "other-project", "weights": "gs://a/b"})
    assert code == 0
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["name"] == "my-models-new"
    config = yaml.safe_load((folder / "Pulumi.dev.yaml").read_text())["config"]
    assert re.fullmatch(r"my-models-new-[0-9a-f]{8}", config.pop("mg:owner"))
    assert config == {
        "mg:project": "other-project",
        "mg:region": "us-central1",
        "my-models-new:weights": "gs://a/b",
    }
    assert f"  cd '{folder}'\n" in said
    assert f"{mg_command()} rehearse up" in said
    assert "pulumi up" in said


@pytest.mark.parametrize("template", NAMES)
def test_no_two_projects_have_the_same_owner_unless_somebody_says_so(template, tmp_path):
    owners = []
    for parent, given in (("one", {}), ("two", {}), ("three", {"mg:owner": "search-team"})):
        assert write(template, tmp_path / parent / "shop", **given)[0] == 0
        config = yaml.safe_load((tmp_path / parent / "shop" / "Pulumi.dev.yaml").read_text())["config"]
        owners.append(config["mg:owner"])
    assert owners[0] != owners[1]
    assert all(owner.startswith("shop-") for owner in owners[:2])
    assert owners[2] == "search-team"


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Says where the package was installed from, as an installer records it."""

    def record(address):
        installed = tmp_path / "site-packages" / f"mg_provider-{__version__}.dist-info"
        installed.mkdir(parents=True, exist_ok=True)
        (installed / "METADATA").write_text(f"Name: mg-provider\nVersion: {__version__}\n")
        (installed / "direct_url.json").write_text(json.dumps({"url": address}))
        monkeypatch.syspath_prepend(str(installed.parent))

    return record


def test_a_project_takes_the_wheel_along_that_the_package_was_installed_from(tmp_path, recorded):
    wheel = tmp_path / "my downloads" / "mg_provider-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"the wheel")
    recorded(wheel.as_uri())
    _, said, _ = write("public", tmp_path / "shop")
    assert (tmp_path / "shop" / WHEELS / wheel.name).read_bytes() == b"the wheel"
    assert f"  {WHEELS}/{wheel.name}\n" in said
    assert "Give the project the wheel" not in said


def test_a_project_says_how_to_bring_the_wheel_where_it_is_not_there(tmp_path, recorded):
    wheel = "mg_provider-0.1.0-py3-none-any.whl"
    recorded((tmp_path / wheel).as_uri())
    _, said, _ = write("public", tmp_path / "gone")
    assert f"mkdir {WHEELS} && cp {wheel} {WHEELS}/" in said
    recorded(tmp_path.as_uri())
    _, said, _ = write("public", tmp_path / "clone")
    assert f"make -C {tmp_path} build\n  mkdir {WHEELS} && cp {tmp_path}/dist/mg_provider-{__version__}-" in said
    recorded("https://index.example/mg_provider.whl")
    _, said, _ = write("public", tmp_path / "index")
    assert f"mkdir {WHEELS}" not in said


def test_a_key_that_the_template_does_not_ask_for_is_refused_before_anything_is_written(tmp_path):
    code, _, wrong = write("public", tmp_path / "shop", wieghts="gs://a/b")
    assert code == 2
    assert "has no key wieghts\ndo: did you mean weights?" in wrong
    assert not (tmp_path / "shop").exists()


def test_a_project_runs_in_the_environment_that_mg_runs_in_unless_it_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    write("public", tmp_path / "shop")
    assert os.readlink(tmp_path / "shop" / ".venv") == str(tmp_path / "environment")
    monkeypatch.setattr("sys.prefix", "/usr")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    _, said, _ = write("public", tmp_path / "other")
    assert not (tmp_path / "other" / ".venv").exists()
    assert ".venv/bin/pip install -r requirements.txt" in said


@pytest.mark.parametrize("name", NAMES)
def test_a_template_asks_for_this_version_and_keeps_the_environment_out_of_git(name):
    _, where, needed = (TEMPLATES / name / "requirements.txt").read_text().splitlines()
    assert where == f"--find-links {WHEELS}"
    assert __version__ in Requirement(needed).specifier
    assert ".venv" in (TEMPLATES / name / ".gitignore").read_text().splitlines()
    project = (TEMPLATES / name / "Pulumi.yaml").read_text()
    assert re.search(r"^template:\n  description: \S", project, flags=re.MULTILINE)
