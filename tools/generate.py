"""Make the generated files, or with ``--check`` say which are not current."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Each has ``outputs() -> dict[str, str]``: path below the root to content.
GENERATORS: list[str] = [
    "tools.cloud.discovery_schemas",
    "tools.cloud.emulator_coverage",
    "tools.code.input_types",
    "tools.code.constructors",
    "tools.pages.documents",
    "tools.pages.review_example",
    "tools.pages.help_topics",
    "tools.code.templates",
]


def main() -> int:
    """Write or check every generated file; the exit code is the number of stale ones."""
    check = "--check" in sys.argv[1:]
    stale = 0
    for generator in GENERATORS:
        for path, content in importlib.import_module(generator).outputs().items():
            target = ROOT / path
            if target.exists() and target.read_text(encoding="utf-8") == content:
                continue
            stale += 1
            if check:
                print(f"{path} is not current: run `make generate` and commit the result ({generator})")
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content, encoding="utf-8")
                print(f"wrote {path}")
    return stale if check else 0


if __name__ == "__main__":
    sys.exit(main())
