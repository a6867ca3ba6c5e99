"""The wheel holds what users need and works where the repository is not."""

import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from mg_provider.version import __version__
from tests.packaging.clean_environment import CleanEnvironment, build_wheel

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ("BatchJob", "CustomWeightsModel", "DedicatedEndpoint", "PscForwardingRule")

IMPORT_ALL = """
import importlib, pkgutil, sys, mg_provider
for module in pkgutil.walk_packages(mg_provider.__path__, "mg_provider."):
    of_the_demo = module.name.startswith("mg_provider.demo") or module.name == "mg_provider.cloud.toy_model"
    if of_the_demo == (sys.argv[1] == "demo"):
        importlib.import_module(module.name)
        print(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(contents):
    (name,) = (name for name in contents if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(contents[name].decode())


def test_the_wheel_holds_every_file_of_the_package(contents):
    package = ROOT / "mg_provider"
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len([name for name in expected if name.endswith(".json")]) >= 7, "data and schemas are part of the package"
    assert "mg_provider/py.typed" in expected
    assert expected - set(contents) == set()


def test_the_wheel_holds_nothing_but_the_package_and_its_metadata(contents):
    tops = {name.split("/")[0] for name in contents}
    assert tops == {"mg_provider", f"mg_provider-{__version__}.dist-info"}
    assert not [name for name in contents if "__pycache__" in name]


def test_the_metadata_names_version_licence_and_the_project_description(contents):
    found = metadata(contents)
    assert found["Name"] == "mg-provider"
    assert found["Version"] == __version__
    assert found["License-Expression"] == "Apache-2.0"
    assert any(name.endswith("/licenses/LICENSE") for name in contents)
    assert found.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    environment = CleanEnvironment(tmp_path_factory.mktemp("clean") / "environment")
    environment.install(wheel)
    return environment


def test_what_the_wheel_declares_is_enough_to_import_every_module_but_the_demo(clean, tmp_path):
    assert "All installed packages are compatible" in clean.check()
    imported = set(clean.run("python", "-c", IMPORT_ALL, "all but demo", folder=tmp_path).split())
    assert len(imported) > 80
    assert {f"mg_provider.resources.{name}" for name in ("batch_job", "psc_forwarding_rule")} <= imported


def test_the_demo_needs_the_extra_of_its_name_and_no_more(wheel, tmp_path):
    with_demo = CleanEnvironment(tmp_path / "environment")
    with_demo.install(wheel, "demo")
    imported = with_demo.run("python", "-c", IMPORT_ALL, "demo", folder=tmp_path).split()
    assert "mg_provider.demo.story" in imported
    there = "from mg_provider.demo.story import PROJECT; print(*sorted(p.name for p in PROJECT.rglob('*.*')))"
    assert with_demo.run("python", "-c", there, folder=tmp_path).split() == [
        "Pulumi.demo.yaml",
        "Pulumi.yaml",
        "__main__.py",
    ]


def test_the_command_runs_in_a_clean_environment(clean, tmp_path):
    assert __version__ in clean.run("mg", "--version", folder=tmp_path)


def test_a_new_project_has_the_wheel_so_that_its_requirements_are_met_without_an_index(clean, wheel, tmp_path):
    clean.run("mg", "init", "shop", folder=tmp_path)
    assert (tmp_path / "shop" / "wheels" / wheel.name).read_bytes() == wheel.read_bytes()
    other = CleanEnvironment(tmp_path / "other")
    other.require(tmp_path / "shop" / "requirements.txt")
    assert (other.site_packages / "mg_provider" / "cli.py").is_file()


def test_the_four_resources_come_from_the_clean_environment_and_not_from_the_repository(clean, tmp_path):
    program = "import inspect, mg_provider\n" + "".join(
        f"print({name!r}, inspect.getfile(mg_provider.{name}))\n" for name in RESOURCES
    )
    files = dict(line.split(" ", 1) for line in clean.run("python", "-c", program, folder=tmp_path).splitlines())
    assert set(files) == set(RESOURCES)
    for name, file in files.items():
        assert Path(file).is_relative_to(clean.site_packages), f"{name} comes from {file}"
