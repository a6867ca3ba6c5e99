"""What mkdocs calls while it builds the site: pages that lie outside of docs/, and links to them."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from posixpath import normpath
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Path below the root to page of the site.
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "mg_provider/emulator/COVERAGE.md": "coverage.md",
}
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[\w-]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Put the pages from outside among the others."""
    from mkdocs.structure.files import File

    for path, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """What the repository's pages mean on GitHub, in the words of the site's Markdown: links, escapes and lists."""
    return "".join(
        part if part.startswith("```") else written(linked(part, page.file.src_uri)) for part in _FENCED.split(markdown)
    )


def written(markdown: str) -> str:
    """A text outside of code: a list within a list stands four columns in, and a dollar needs no escape."""
    return re.sub(r"^  (?=[-*] )", "    ", markdown, flags=re.MULTILINE).replace("\\$", "$")


def on_page_content(html: str, **_: Any) -> str:
    """Each cell of a table knows its heading, which a phone shows above it."""
    return _TABLE.sub(lambda match: _headed(match[0]), html)


def _headed(table: str) -> str:
    head, tag, body = table.partition("<tbody>")
    headings = [re.sub(r"<[^>]*>", "", text) for text in re.findall(r"<th[^>]*>(.*?)</th>", head)]

    def row(match: re.Match[str]) -> str:
        numbers = count()
        return re.sub(r"<td", lambda _: f'<td data-heading="{headings[next(numbers)]}"', match[0])

    return head + tag + re.sub(r"<tr>.*?</tr>", row, body, flags=re.DOTALL)


def linked(markdown: str, page: str) -> str:
    """The text of a page with the links that it has on the site; what the site has not is named without a link."""
    path = next((path for path, name in OUTSIDE.items() if name == page), f"docs/{page}")
    folder = Path(path).parent.as_posix()

    def on_site(match: re.Match[str]) -> str:
        text, link, anchor = match.groups()
        there = normpath(f"{folder}/{link}")
        if there in OUTSIDE or there.startswith("docs/"):
            return f"[{text}]({OUTSIDE.get(there, there.removeprefix('docs/'))}{anchor or ''})"
        return text

    return _LINK.sub(on_site, markdown)
