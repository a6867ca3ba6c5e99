"""The HTML of a review in a real browser: what a person would see of it."""

import http.server
import itertools
import threading

import pytest

from mg_provider import review
from mg_provider.review.formats.page import page
from tests.review.build import A100, endpoint, model, preview, rule, step
from tests.review.sample import refused
from tests.review.test_bad_input import EVIL
from tests.support.running import browser

PHONE = 360


@pytest.fixture(scope="module")
def seen():
    opened = browser.Browser(browser.find())
    yield opened
    opened.close()


def written(tmp_path, content):
    file = tmp_path / "review.html"
    file.write_text(page(review.of(content)), encoding="utf-8")
    return file


def hostile():
    name = f"{EVIL}{'x' * 300}"
    served = model(name, name, **{"gcs_uri": f"gs://w/{EVIL}", "labels": {EVIL: EVIL}})
    more = {**served, "machine_spec": A100, "gcs_uri": "gs://" + "y" * 900, "labels": {EVIL: '"><img src=x onerror=1>'}}
    chat = endpoint(name)
    chat["deployed_models"] = {EVIL: chat["deployed_models"]["stable"], "b": chat["deployed_models"]["canary"]}
    chat["traffic_split"] = {EVIL: 60, "b": 40}
    way = rule(name, endpoint=chat["endpoint"])
    return preview(
        step("update", "CustomWeightsModel", name, served, more, stack=EVIL),
        step("update", "DedicatedEndpoint", name, chat, {**chat, "traffic_split": {EVIL: 50, "b": 50}}, stack=EVIL),
        step("create", "PscForwardingRule", name, None, way, stack=EVIL),
        step("delete", f"gcp:{EVIL}:X", name, {EVIL: EVIL}, stack=EVIL),
        diagnostics=[{"severity": "error", "message": EVIL * 50}],
    )


CHANGES = pytest.mark.parametrize("content", [refused(), hostile(), preview()], ids=["refused", "hostile", "nothing"])


@pytest.mark.parametrize(("width", "height"), [(PHONE, 640), (1280, 800)])
def test_the_verdict_and_its_reason_are_the_first_thing_on_the_screen(seen, tmp_path, width, height):
    seen.open(written(tmp_path, refused()), width=width, height=height)
    assert seen.see("document.body.innerText").startswith("Stop")
    box = seen.see("(b => [b.top, b.bottom])(document.querySelector('h1').getBoundingClientRect())")
    assert box[0] < 60
    assert box[1] < height / 2
    assert "becomes PUBLIC" in seen.see("document.querySelector('h1').innerText")


@CHANGES
@pytest.mark.parametrize("width", [PHONE, 768, 1600])
def test_nothing_is_wider_than_the_screen(seen, tmp_path, content, width):
    seen.open(written(tmp_path, content), width=width)
    seen.see("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert seen.see("document.documentElement.scrollWidth") <= width
    wider = (
        "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && !e.closest('svg') && "
        f"e.getBoundingClientRect().right > {width} + 0.5).map(e => e.outerHTML.slice(0, 80))"
    )
    assert seen.see(wider) == []


@CHANGES
def test_no_word_of_a_picture_is_cut_off_by_its_edge(seen, tmp_path, content):
    seen.open(written(tmp_path, content), width=PHONE)
    outside = (
        "[...document.querySelectorAll('svg text')].filter(t => { const b = t.getBBox(), v = "
        "t.ownerSVGElement.viewBox.baseVal; return b.x < -1 || b.x + b.width > v.width + 1 || b.y + b.height > v.height"
        " + 1 }).map(t => t.textContent)"
    )
    assert seen.see(outside) == []


_CONTRAST = """(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = rgb => rgb.map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const paper = light(numbers(getComputedStyle(document.body).backgroundColor));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const bad = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('title,desc')) continue;
    const style = getComputedStyle(element);
    const ink = light(numbers(element.closest('svg') ? style.fill : style.color));
    const contrast = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
    if (contrast < 4.5) bad.add(`${element.tagName} ${element.className} ${contrast.toFixed(2)}`);
  }
  return [...bad];
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_word_stands_out_from_the_paper(seen, tmp_path, dark):
    seen.open(written(tmp_path, refused()), dark=dark)
    assert seen.see(_CONTRAST) == []


def test_the_paper_is_dark_where_a_person_wants_it_dark(seen, tmp_path):
    file, colours = written(tmp_path, refused()), []
    for dark in (False, True):
        seen.open(file, dark=dark)
        colours.append(seen.see("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
    assert min(colours[0]) > 230
    assert max(colours[1]) < 40


def test_a_difference_folds_and_unfolds_by_mouse_and_by_keyboard(seen, tmp_path):
    seen.open(written(tmp_path, refused()))
    shown = "document.querySelector('.changes dl').checkVisibility()"
    assert seen.see(shown) is False
    seen.click(".changes summary")
    assert seen.see(shown) is True
    assert "stable" in seen.see("document.querySelector('.changes details').innerText")
    seen.see("document.querySelector('.changes summary').focus()")
    seen.press("Enter")
    assert seen.see(shown) is False


def test_no_request_leaves_even_when_something_in_the_page_asks_for_one(seen, tmp_path):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        file = written(tmp_path, hostile())
        seen.open(file)
        assert seen.requested() == [file.as_uri()]
        refusals = seen.see(
            f"""new Promise(done => {{
              const seen = new Set();
              addEventListener('securitypolicyviolation', e => {{ seen.add(e.effectiveDirective);
                if (seen.size === 3) done([...seen].sort()) }});
              for (const [tag, key] of [['img', 'src'], ['script', 'src'], ['link', 'href']]) {{
                const made = document.createElement(tag);
                if (tag === 'link') made.rel = 'stylesheet';
                made[key] = 'http://127.0.0.1:{server.server_port}/' + tag;
                document.body.append(made);
              }}
            }})"""
        )
    finally:
        server.shutdown()
        server.server_close()
    assert refusals == ["img-src", "script-src-elem", "style-src-elem"]
    assert asked == []


def test_a_name_is_text_wherever_it_stands(seen, tmp_path):
    seen.open(written(tmp_path, hostile()))
    assert seen.see("document.querySelectorAll('script, img, iframe, a, object, form, [onerror], [style]').length") == 0
    assert "<script>alert(1)</script>" in seen.see("document.querySelector('h1').innerText")
    assert "<script>" in seen.see("[...document.querySelectorAll('svg text')].map(t => t.textContent).join()")
    hidden = (
        "[...document.documentElement.outerHTML].filter(c => /[\\u202a-\\u202e\\u2066-\\u2069\\x1b]/.test(c)).length"
    )
    assert seen.see(hidden) == 0


def test_headings_are_in_order_and_pictures_say_what_they_show(seen, tmp_path):
    seen.open(written(tmp_path, refused()))
    levels = seen.see("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    nodes = seen.call("Accessibility.getFullAXTree")["nodes"]
    pictures = [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") in ("image", "img")]
    assert len(pictures) == seen.see("document.querySelectorAll('svg').length") >= 4
    told = " ".join(pictures)
    for words in ("llama-us-central1, changed, public, from the internet; was private", "search, deleted", "GPUs: 5"):
        assert words in told
