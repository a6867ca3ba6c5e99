"""What mkdocs calls while it builds the site: pages that lie outside of docs/, and links to them."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Path below the root to page of the site.
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "mg_provider/emulator/COVERAGE.md": "coverage.md",
}
_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[\w-]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Put the pages from outside among the others."""
    from mkdocs.structure.files import File

    for path, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as the repository has them, turned into links of the site."""
    return linked(markdown, page.file.src_uri)


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
