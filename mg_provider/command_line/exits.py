"""The exit codes of every `mg` command, in one place."""

from __future__ import annotations

from typing import Final

FINE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
PREVIEW_FAILED: Final = 3
NEEDS_A_LOOK: Final = 4
INTERRUPTED: Final = 130
NOBODY_READS: Final = 141

EXIT_CODES: Final[dict[int, str]] = {
    FINE: "It went well.",
    FAILED: "It failed, or the result is bad: a program ended with an error, a check found errors, a gate failed, "
    "changes were not expected.",
    USAGE: "Nothing was begun: a mistake in the command, an argument, a file or a setting.",
    PREVIEW_FAILED: "`mg review` only: the preview has errors, or cannot be read.",
    NEEDS_A_LOOK: "`mg review --look-fails` only: the verdict is not safe.",
    INTERRUPTED: "Interrupted with Ctrl-C.",
    NOBODY_READS: "The reader of the output has ended, as `head` does.",
}
"""Exit code to its meaning."""
