"""The emulator's page: what a person sees of it in a real browser, and what no other page may do with it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import requests

from tests.emulator.client import LOCATION
from tests.support.running import browser

EVIL = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def seen():
    opened = browser.Browser(browser.find())
    yield opened
    opened.close()


def until(seen, expression):
    """What an expression says once it says something; the page asks the emulator again and again."""
    return seen.see(
        "new Promise((done, late) => { const end = Date.now() + 20000; (function look() { "
        f"const found = {expression}; "
        "found ? done(found) : Date.now() > end ? late('it never came') : setTimeout(look, 50) })() })"
    )


def text_has(words):
    return f"document.body.innerText.includes({words!r}) && document.body.innerText"


def rows(seen):
    return seen.see("[...document.querySelectorAll('tbody tr')].map(row => row.innerText.replace(/\\s+/g, ' '))")


def test_a_person_sees_what_exists_what_it_holds_and_what_was_asked(client, emulator, seen, tmp_path):
    endpoint = client.deployed()
    client.call("GET", f"{LOCATION}/endpoints/{EVIL}")
    seen.open(f"{emulator.url}/")
    text = until(seen, text_has("1 serve, of 1 to 3"))
    for words in ("2 NVIDIA_L4", "g2-standard-24, 2 NVIDIA_L4", "gs://weights", "gs://weights/llama"):
        assert words in text
    assert endpoint["dedicatedEndpointDns"] in text
    assert "2026-11-01" in text

    assert any(EVIL.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E") in row for row in rows(seen))
    assert seen.see("document.title") == "mg emulator"
    assert seen.see("document.querySelectorAll('img').length") == 0

    everything = len(rows(seen))
    seen.see(
        "(f => { f.value = ':deploy post'; f.dispatchEvent(new Event('input')) })(document.querySelector('#filter'))"
    )
    (found,) = rows(seen)
    assert "POST 200" in found
    seen.see("(f => { f.value = ''; f.dispatchEvent(new Event('input')) })(document.querySelector('#filter'))")
    seen.see("(k => { k.value = 'errors'; k.dispatchEvent(new Event('input')) })(document.querySelector('#kind'))")
    assert 0 < len(rows(seen)) < everything
    assert all(" 40" in row for row in rows(seen))

    client.put_weights("gs://later/llama")
    assert "gs://later" in until(seen, text_has("gs://later"))
    assert all(url.startswith((f"{emulator.url}/", "data:")) for url in seen.requested())

    for name, width, dark in (("wide-light", 1280, False), ("wide-dark", 1280, True), ("phone-dark", 360, True)):
        seen.open(f"{emulator.url}/", width=width, height=900, dark=dark)
        until(seen, text_has("1 serve, of 1 to 3"))
        assert seen.see("document.documentElement.scrollWidth") <= width, name
        ground = seen.see("getComputedStyle(document.body).backgroundColor")
        assert (int(ground.partition("(")[2].split(",")[0]) < 128) is dark
        shot = seen.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (Path(tmp_path) / f"{name}.png").write_bytes(base64.b64decode(shot))


def test_only_the_page_itself_may_show_it_or_ask_for_what_it_shows(emulator):
    answer = requests.get(f"{emulator.url}/", timeout=5)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    for path in ("/", "/_mg/overview"):
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Host": "evil.example"},
        ):
            assert requests.get(f"{emulator.url}{path}", headers=headers, timeout=5).status_code == 403
    assert requests.post(f"{emulator.url}/", timeout=5).status_code == 404
