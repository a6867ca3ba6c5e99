"""The site as `make docs` builds it, in a real browser at the width of a phone and of a desk."""

import http.server
import json
import os
import subprocess
import threading
from functools import partial

import pytest

from tests.documents.markdown import ROOT
from tests.documents.test_site import PAGES
from tests.support.running import browser

MKDOCS = ROOT / ".venv-docs" / "bin" / "mkdocs"
SCREENS = [pytest.param(360, 640, True, id="phone, dark"), pytest.param(1280, 800, False, id="desk, light")]
# What of the text lies beyond the right edge of the screen, and not in a part that scrolls by itself.
BEYOND = """
[...document.querySelectorAll('.md-content *')]
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([_, at]) => at.width && at.right > document.documentElement.clientWidth + 1)
  .map(([e, _]) => e)
  .filter(e => { for (let p = e; p && !p.matches('.md-content'); p = p.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) return false;
    return true })
  .map(e => e.tagName + ' ' + e.textContent.trim().slice(0, 40))
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_):
        """Nobody reads it."""


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


@pytest.mark.parametrize(("width", "height", "dark"), SCREENS)
def test_every_page_fits_its_screen_and_asks_nobody_else(seen, served, site, width, height, dark):
    pages = sorted(path.name for path in site.glob("*.html"))
    assert len(pages) >= len(PAGES)
    for page in pages:
        seen.open(f"{served}/{page}", width=width, height=height, dark=dark)
        assert seen.see("document.documentElement.scrollWidth") <= width, page
        assert seen.see(BEYOND) == [], f"{page}: this is cut, and nothing around it scrolls"
        assert seen.see("document.querySelectorAll('.mermaid, .language-mermaid').length") == 0, page
        assert [url for url in seen.requested() if not url.startswith((served, "data:"))] == []


def test_what_is_cut_is_found(seen, tmp_path):
    page = tmp_path / "cut.html"
    wide = '<div style="width: 900px">wide</div>'
    parts = f'{wide}<div style="overflow-x: auto">{wide}</div>'
    page.write_text(f'<meta name="viewport" content="width=device-width"><div class="md-content">{parts}</div>')
    seen.open(page, width=360, height=640)
    assert seen.see(BEYOND) == ["DIV wide"]


def test_a_row_of_a_wide_table_is_read_whole_on_a_phone_each_cell_under_its_heading(seen, served):
    seen.open(f"{served}/custom-weights-model.html", width=360, height=640)
    row = "document.querySelector('.md-typeset__table tbody tr')"
    cells = seen.see(
        f"[...{row}.cells].map(e => [e.getBoundingClientRect().right, getComputedStyle(e, '::before').content])"
    )
    assert [heading for _, heading in cells] == ['"argument"', '"a change"', '"what it is"']
    assert all(right <= 360 for right, _ in cells)


def test_the_site_is_dark_where_the_reader_wants_it_dark(seen, served):
    for dark, scheme in ((True, "slate"), (False, "default")):
        # What a page has stored of an earlier choice goes, once no page is there that could store it again.
        seen.open("about:blank")
        seen.call("Storage.clearDataForOrigin", origin=served, storageTypes="local_storage")
        seen.open(f"{served}/glossary.html", dark=dark)
        assert seen.see("document.body.dataset.mdColorScheme") == scheme


def test_the_search_knows_an_error_by_its_words(site):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"] if "never became ready" in entry["text"]}
    assert "troubleshooting.html" in found
    assert any("Gemini Enterprise Agent Platform" in entry["text"] for entry in index["docs"])
