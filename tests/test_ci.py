"""The gate and the locked environment are what the documents say."""

import re
import stat
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools import versions

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "tests" / "clients" / "requirements.lock"
SITE = ROOT / "docs" / "requirements.lock"
# Each lock with the fewest packages that it has.
LOCKS = {ROOT / "requirements.lock": 40, CLIENTS: 40, SITE: 20}
each_lock = pytest.mark.parametrize("lock", LOCKS, ids=["project", "clients", "site"])
TARGETS = set(
    [
        "help",
        "setup",
        "fmt",
        "lint",
        "test",
        "test-all",
        "test-sdk",
        "demo",
        "recording",
        "faults",
        "bench",
        "build",
        "docs",
        "generate",
        "lock",
    ]
)


def targets():
    """Each documented target of the Makefile, with its recipe."""
    parts = re.split(r"^([a-z-]+):.*##.*$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(lock):
    """Each locked requirement, with its hashes."""
    found = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            words, *hashes = re.split(r"\s+--hash=", entry.strip())
            found[canonicalize_name(Requirement(words).name)] = Requirement(words), hashes
    return found


def declared(lock):
    """What a lock must cover: the real clients have one of their own, and so has what builds the site."""
    project = pyproject()
    groups = project["dependency-groups"]
    own = {CLIENTS: "clients", SITE: "docs"}.get(lock)
    if own:
        return [Requirement(text) for text in groups[own]]
    extras = [entry for group in project["project"]["optional-dependencies"].values() for entry in group]
    return [Requirement(text) for text in [*project["project"]["dependencies"], *extras, *groups["dev"]]]


def test_the_gate_lints_and_then_tests_and_stops_at_the_first_failure():
    gate = ROOT / ".ci/run"
    lines = [line for line in gate.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert lines[-3:] == ["make lint", ".venv/bin/python -m tools.versions pythons host", "make test"]
    assert gate.stat().st_mode & stat.S_IXUSR


def test_the_makefile_has_the_documented_targets_and_no_others():
    assert set(targets()) == TARGETS


def test_every_target_that_needs_the_environment_makes_it_first():
    rules = dict(re.findall(r"^([a-z-]+):(.*)##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    without = {name for name, needed in rules.items() if "$(READY)" not in needed and needed.strip() not in rules}
    assert without == {"help", "lock"}


def test_lint_covers_style_types_contracts_and_generated_files():
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "tools.generate --check"):
        assert tool in targets()["lint"]
    assert "pytest" in targets()["test"]


@each_lock
def test_every_locked_package_is_pinned_with_hashes(lock):
    packages = locked(lock)
    assert len(packages) > LOCKS[lock]
    for name, (requirement, hashes) in packages.items():
        assert [entry.operator for entry in requirement.specifier] == ["=="], name
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", entry.strip()) for entry in hashes), name


@each_lock
def test_the_lock_names_no_package_index(lock):
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links|--trusted-host", lock.read_text())


@each_lock
def test_the_lock_covers_every_declared_dependency_in_a_version_that_fits(lock):
    packages = locked(lock)
    for requirement in declared(lock):
        pinned, _ = packages[canonicalize_name(requirement.name)]
        (version,) = (entry.version for entry in pinned.specifier)
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_only_the_tests_need_the_real_clients():
    makes = {name for name, recipe in targets().items() if "tests.support.running.real_clients" in recipe}
    assert makes == {"test"}


def test_only_the_site_needs_what_builds_it():
    makefile = (ROOT / "Makefile").read_text()
    needing = re.findall(r"^(\S+):.*\.venv-docs/ready", makefile, flags=re.MULTILINE)
    assert needing == ["docs"]
    assert "--strict" in targets()["docs"]


def test_the_lowest_python_is_the_same_everywhere():
    project = pyproject()
    lowest = project["project"]["requires-python"].removeprefix(">=")
    assert project["tool"]["mypy"]["python_version"] == lowest
    assert project["tool"]["ruff"]["target-version"] == "py" + lowest.replace(".", "")
    assert f"--python-version {lowest}" in (ROOT / "Makefile").read_text()
    assert f"Programming Language :: Python :: {lowest}" in project["project"]["classifiers"]


def test_the_range_of_pulumis_sdk_ends_where_the_tests_end():
    pinned, _ = locked(ROOT / "requirements.lock")["pulumi"]
    (tested,) = (Version(entry.version) for entry in pinned.specifier)
    (needed,) = (need for need in map(Requirement, pyproject()["project"]["dependencies"]) if need.name == "pulumi")
    assert needed.specifier.contains(tested)
    # The next release is allowed in the commit that locks it, after `make test-sdk` with the wider range.
    assert not needed.specifier.contains(f"{tested.major}.{tested.minor + 1}.0")
    # Both ends are tested, and nothing beyond.
    oldest, newest = map(Requirement, versions.sdks().values())
    (lowest,) = (entry.version for entry in oldest.specifier)
    assert needed.specifier.contains(lowest)
    assert not needed.specifier.contains(f"{Version(lowest).major}.{Version(lowest).minor - 1}.999")
    assert newest.specifier == needed.specifier


def test_every_python_that_is_claimed_is_tested_where_it_is_there(tmp_path, monkeypatch, capsys):
    assert versions.minors() == ["3.11", "3.12", "3.13"]
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert versions.find_python("3.13") is None
    there = tmp_path / ".pyenv/versions/3.13.9/bin/python"
    there.parent.mkdir(parents=True)
    there.write_text("#!/bin/sh\nexit 0\n")
    there.chmod(0o755)
    assert versions.find_python("3.13") == str(there)
    monkeypatch.setattr(versions, "minors", lambda: ["3.99"])
    assert versions.main(["pythons", "host"]) == 0
    assert capsys.readouterr().out == "versions: there is no Python 3.99 on this machine, so nothing ran on it\n"


def test_the_tests_of_other_versions_are_there():
    assert [path for path in (*versions.HOST, *versions.SLICES) if not (ROOT / path).exists()] == []
