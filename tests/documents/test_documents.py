"""The documents are true of the repository that they stand in."""

import inspect
import re

import pulumi
import pytest
import yaml

from mg_provider import components
from mg_provider.version import __version__
from tests.documents.markdown import ROOT, anchors, code_blocks, part, read, relative_links
from tools.pages.documents import PARTS, PARTS_OF_A_RESOURCE, parts, render
from tools.pages.reference import PAGES

PAGES_BY_HAND = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "mg_provider/emulator/COVERAGE.md", *PAGES_BY_HAND)
KEPT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".lock", ""}
FOLDERS = ("mg_provider", "stacks", "tests", "tools", "benchmarks", "docs", ".ci")


def text_files():
    found = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in found if path.suffix in KEPT and "__pycache__" not in path.parts]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_relative_link_leads_somewhere(name):
    text = read(name)
    for link in relative_links(text):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), f"{name} links to {link}"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{name} links to {link}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_that_is_named_exists(name):
    known = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    text = read(name)
    inline = re.findall(r"`make ([a-z-]+)`", text)
    in_blocks = [name for block in code_blocks(text, "sh") for name in re.findall(r"^make ([a-z-]+)", block, re.M)]
    assert set(inline + in_blocks) <= known


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_of_the_repository_that_is_named_exists(name):
    named = re.findall(r"`((?:mg_provider|stacks|tests|tools)/[\w./-]*)`", read(name))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_is_short_enough_to_be_read():
    assert len(read("README.md").splitlines()) <= 150


def test_the_page_of_the_stacks_names_every_stack_that_is_there():
    there = {path.name.split(".")[1] for path in (ROOT / "stacks/config").glob("Pulumi.*.yaml")}
    table = read("docs/stacks.md").partition("| stack | what it creates |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, flags=re.MULTILINE)) == there


def test_the_page_of_the_configuration_names_the_keys_that_the_provider_reads():
    from mg_provider.api.http import settings
    from mg_provider.resources.dynamic.host import HOST_THREADS_KEY

    keys = {f"mg:{key}" for key in settings.KEYS} | {HOST_THREADS_KEY}
    assert set(re.findall(r"`(mg:\w+)`", read("docs/configuration.md"))) == keys


def test_every_generated_part_is_in_a_document_and_every_resource_has_its_page():
    found = set().union(*(parts(read(name)) for name in DOCUMENTS))
    assert set(PARTS) <= found
    for resource, page in PAGES.items():
        assert parts(read(page)) >= {f"{kind} {resource}" for kind in PARTS_OF_A_RESOURCE}


def test_every_component_is_on_their_page_with_all_that_it_takes_and_has():
    page = read("docs/components.md")
    own = {name for name in components.__all__ if issubclass(getattr(components, name), pulumi.ComponentResource)}
    assert parts(page) == {f"component {name}" for name in own}
    for name in own:
        cls = getattr(components, name)
        section = page.partition(f"<!-- generated: component {name} -->")[2].partition("<!-- end -->")[0]
        told = set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))
        assert {*inspect.signature(cls.__init__).parameters} - {"self"} <= told, name
        assert set(cls.__annotations__) <= told, name


def test_the_generated_parts_of_a_document_are_found_by_name_and_the_rest_is_left_alone():
    text = "before\n" + "".join(f"<!-- generated: {name} -->\nOUTDATED\n<!-- end -->\nkept\n" for name in PARTS)
    made = render(text)
    assert "OUTDATED" not in made
    assert made.startswith("before\n")
    assert made.count("kept\n") == len(PARTS)
    assert render(made) == made
    with pytest.raises(KeyError, match="nonsense"):
        render("<!-- generated: nonsense -->\n<!-- end -->")


def test_the_page_of_a_resource_tells_each_argument_and_output_with_what_a_change_does():
    text = read(PAGES["CustomWeightsModel"])
    arguments = part(text, "generated: inputs CustomWeightsModel")
    assert re.search(r"^\| `min_replica_count`<br>int \| in place: endpoints.mutateDeployedModel \|", arguments, re.M)
    assert re.search(r"^\| `region`<br>str \| \*\*replaces\*\*: ", arguments, re.M)
    assert "Kept as a Pulumi secret." in arguments.split("`hugging_face_access_token`")[1].partition("\n")[0]
    outputs = part(text, "generated: outputs CustomWeightsModel")
    assert re.search(r"^\| `endpoint_id` \| yes \|", outputs, re.M)
    assert re.search(r"^\| `service_attachment` \| no \|", outputs, re.M)


EXAMPLES = {
    "CustomWeightsModel": [
        "Private",
        "Autoscaled",
        "Spot",
        "Your own container",
        "A model of Hugging Face",
        "An endpoint that exists",
    ],
    "DedicatedEndpoint": ["Private", "Autoscaled, on spot machines", "An endpoint that exists"],
    "PscForwardingRule": ["A name for the address, and clients of other regions", "Several clients' networks"],
    "BatchJob": ["Tables of BigQuery", "Your own weights", "Spot machines, many replicas, some failures allowed"],
}


@pytest.mark.parametrize("resource", PAGES)
def test_the_page_of_a_resource_opens_with_a_program_and_has_its_parts_in_one_order(resource):
    page = read(PAGES[resource])
    opening, _, _ = page.partition("\n## ")
    assert code_blocks(opening, "python"), "a program comes before the first heading"
    outside_code = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^##+ (.*)$", outside_code, flags=re.MULTILINE)
    parts = ["Arguments", "Required", "Common", "The rest", "Examples", "Outputs", "Import", "Timeouts", "Permissions"]
    assert headings[:5] == parts[:5]
    assert [heading for heading in headings if heading in parts] == parts
    examples = headings[headings.index("Examples") + 1 : headings.index("Outputs")]
    assert [heading for heading in EXAMPLES[resource] if heading not in examples] == []
    assert "```sh\nmg import " in page.partition("\n## Import\n")[2]


def test_a_page_names_how_long_its_resource_waits():
    from mg_provider.resources.batch_job import lifecycle as batch
    from mg_provider.resources.custom_weights_model.first_deployment import CREATE_SECONDS
    from mg_provider.resources.psc_forwarding_rule import lifecycle as rule

    limits = {"PscForwardingRule": rule, "BatchJob": batch}
    for name, seconds in limits.items():
        words = " ".join(read(PAGES[name]).split())
        assert f"else {seconds.CREATE_SECONDS:.0f} s for a creation" in words
        assert f"and {seconds.DELETE_SECONDS:.0f} s for a removal" in words
    for name in ("CustomWeightsModel", "DedicatedEndpoint"):
        assert f"else {CREATE_SECONDS:.0f} s for a creation" in " ".join(read(PAGES[name]).split())


def test_the_newest_version_of_the_changelog_is_the_version_of_the_package():
    (newest, *_) = re.findall(r"^## (\S+?),? ", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert newest == __version__


def test_the_changelog_is_written_in_its_own_manner():
    lines = [line for line in read("CHANGELOG.md").splitlines() if line.startswith("* ")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"\* [\w ]+: [^ ].*[^.]", line)] == []


# Put together from pieces, so that this file does not hold them.
FORBIDDEN = {
    "the path of somebody's machine": re.compile(
        "|".join("(?<![\\w.}])/" + name for name in ("work/", "root/", "Users/"))
    ),
    "work that was left undone": re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b"),
    "an item of a tracker that readers cannot see": re.compile(r"\biss" + r"ue #?\d\b", re.IGNORECASE),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what):
    files = text_files()
    assert len(files) > 100
    found = []
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert found == []


def test_the_project_file_of_pulumi_points_at_the_stacks():
    project = yaml.safe_load(read("Pulumi.yaml"))
    assert (ROOT / project["main"]).is_dir()
    assert (ROOT / project["stackConfigDir"]).is_dir()
