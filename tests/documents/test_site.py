"""The site has every page, and its links are right, as far as the sources tell without building it."""

import re

import pytest
import yaml

from tests.documents.markdown import ROOT, anchors, read
from tools.pages.site_hooks import OUTSIDE, linked


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without what only mkdocs can make."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
SITE = yaml.load(read("mkdocs.yml"), Loader)
PAGES = {path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md")}
PAGES |= {page: ROOT / path for path, page in OUTSIDE.items()}


def listed(entry):
    if isinstance(entry, str):
        return [entry]
    return [page for value in (entry.values() if isinstance(entry, dict) else entry) for page in listed(value)]


def test_every_page_is_in_the_navigation_once():
    assert sorted(listed(SITE["nav"])) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_page_of_the_site(page):
    text = linked(PAGES[page].read_text(encoding="utf-8"), page)
    outside_code = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\((?![a-z]+:)([^)\s]+)\)", outside_code):
        path, _, anchor = link.partition("#")
        if path.endswith(".svg"):
            assert (ROOT / "docs" / path).exists()
            continue
        assert (path or page) in PAGES, f"{page} links to {link}"
        assert not anchor or anchor in anchors(PAGES[path or page].read_text(encoding="utf-8")), f"{page}: {link}"


def test_a_link_to_what_the_site_has_not_is_named_without_a_link():
    assert (
        linked("[Apache 2.0](LICENSE) and [start](docs/start.md#a)", "index.md") == "Apache 2.0 and [start](start.md#a)"
    )
    assert linked("[calls](../mg_provider/emulator/COVERAGE.md)", "emulator.md") == "[calls](coverage.md)"


def test_nothing_of_the_site_comes_from_another_server():
    assert SITE["theme"]["font"] is False
    assert not {"extra_javascript"} & set(SITE)
    assert [path for path in SITE["extra_css"] if ":" in path] == []


def test_the_site_has_what_finds_and_reads_pages():
    assert "search" in SITE["plugins"]
    assert "navigation.tabs" in SITE["theme"]["features"]
    assert [palette["scheme"] for palette in SITE["theme"]["palette"]] == ["default", "slate"]
