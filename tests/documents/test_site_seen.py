"""The site as `make docs` builds it, in a real browser at the width of a phone and of a desk."""

import http.server
import json
import os
import subprocess
import threading
from functools import partial

import pytest

from tests.documents.markdown import ROOT
from tests.support import browser

MKDOCS = ROOT / ".venv-docs" / "bin" / "mkdocs"
WIDTHS = [(360, 640), (1280, 800)]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_):
        """Nobody reads it."""


class Address:
    """A page of the served site, as a browser of files takes it."""

    def __init__(self, address):
        self.address = address

    def as_uri(self):
        return self.address


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; building it fails on a link or anchor that leads nowhere."""
    if not MKDOCS.exists():
        pytest.skip(
            "`make docs` has not run here, so the built site is not looked at; its sources are, in test_site.py"
        )
    folder = tmp_path_factory.mktemp("site")
    command = [str(MKDOCS), "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def served(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def seen(served):
    opened = browser.Browser(browser.find())
    yield opened
    opened.close()


@pytest.mark.parametrize(("width", "height"), WIDTHS)
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_a_page_fits_its_screen_and_asks_nobody_else(seen, served, width, height, dark):
    for page in ("index", "custom-weights-model", "troubleshooting"):
        seen.open(Address(f"{served}/{page}.html"), width=width, height=height, dark=dark)
        seen.see("localStorage.clear()")
        assert seen.see("document.documentElement.scrollWidth") <= width, page
        assert [url for url in seen.requested() if not url.startswith((served, "data:"))] == []


def test_the_site_is_dark_where_the_reader_wants_it_dark(seen, served):
    seen.open(Address(f"{served}/faq.html"), dark=True)
    seen.see("localStorage.clear()")
    seen.open(Address(f"{served}/glossary.html"), dark=True)
    assert seen.see("document.body.dataset.mdColorScheme") == "slate"


def test_the_search_knows_an_error_by_its_words(site):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"] if "never became ready" in entry["text"]}
    assert "troubleshooting.html" in found
    assert any("Gemini Enterprise Agent Platform" in entry["text"] for entry in index["docs"])
