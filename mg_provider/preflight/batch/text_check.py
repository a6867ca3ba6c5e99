"""Checks JSON lines that come in pieces, in the memory of a few pieces, at several times the speed of reading them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import NoneType
from typing import Any

import msgspec

from mg_provider.api.storage.lines import are_objects
from mg_provider.preflight.batch.custom_ids import CustomIds
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.row_rules import DEEPEST, kind_of_id, may_be_deep, read_row
from mg_provider.preflight.batch.row_shapes import IGNORED, Kind, lines_decoder

LONGEST_LINE = 10_000_000
"""Bytes. No source says how long a row may be; a dedicated endpoint takes requests of 10 MB."""

_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16 = "not_utf8", "the file is UTF-16: write it in UTF-8, without a byte order mark"
_NOT_TEXT = {
    b"\x1f\x8b": ("gzip", "the file is compressed with gzip: decompress it, a job reads plain JSON lines"),
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"PAR1": ("not_lines", "the file is Parquet: make JSON lines of it with `mg batch prepare`"),
    b"PK\x03\x04": (
        "not_lines",
        "the file is a ZIP archive or a spreadsheet: unpack it, or export it as JSON lines",
    ),
}
_SPREAD_OUT = {
    b"{": "the row goes on over several lines: write each row on one, as `jq -c . FILE` does",
    b"[": "the file is one JSON array over several lines: write each row on one, as `jq -c '.[]' FILE` does",
}
"""What the first line of such a file is."""

_BLANK = b" \t\r"

PARTS, MANY, FEW = 16, 200, 8
"""Rows that are not all sound are looked at in so many parts each time, until there are few."""

Names = list[Any]
"""The custom_id of each row; None without one."""


def why_not_text(start: bytes) -> tuple[str, str] | None:
    """Code and message of a finding where a file that begins so is not text in UTF-8; None where it may be."""
    return next((problem for mark, problem in _NOT_TEXT.items() if start.startswith(mark)), None)


class TextCheck:
    """Checks files one after the other and notes what it finds in a report.

    Args:
        report: Takes rows, bytes and findings.
        ids: Finds custom_ids that come again, in whichever file.
        longest_line: Bytes that a line may have.
    """

    def __init__(self, report: InputReport, ids: CustomIds | None = None, longest_line: int = LONGEST_LINE) -> None:
        self._report = report
        self._ids = ids or CustomIds()
        self._longest = longest_line
        self._ignored: frozenset[str] = frozenset()
        self._kinds: tuple[Kind, ...] = ("chat", "prompt", "any")
        self._once: set[str] = set()
        self._repeat: tuple[str, int] | None = None
        self._first_not_text: tuple[str, int, str] | None = None
        self._times_not_text = 0
        self._blank = Counter[str]()

    def file(self, source: str, pieces: Iterable[bytes]) -> None:
        """Check one file."""
        _File(self, source).read(pieces)

    def begins_as_text(self, source: str, size: int, pieces: Callable[[], Iterable[bytes]]) -> bool:
        """Whether a file is one that can be read by lines; notes why not. Only its beginning is read."""
        if not size:
            self.complain("empty", "the file is empty: a job needs at least one row", source, None)
            return False
        return _File(self, source).is_text(next(iter(pieces()), b""))

    def finish(self) -> None:
        """Note what is only known when all files were read."""
        if self._repeat is not None:
            source, line = self._repeat
            message = "the custom_id is that of an earlier row: answers to the two cannot be distinguished by it"
            self._report.add("warning", "duplicate_custom_id", message, source, line, times=self._ids.repeated)
        if self._first_not_text is not None:
            source, line, kind = self._first_not_text
            more = self._times_not_text - 1
            others = f" in this row and {more:,} more" if more else ""
            message = f"custom_id is {kind}{others}: write text, so that answers are found by it"
            self._report.add("warning", "custom_id_not_text", message, source, line, times=self._times_not_text)
        self._report.not_compared = self._ids.not_remembered

    # What a file needs of the whole

    def accept(self, block: memoryview, lines: int) -> Names | None:
        """The custom_ids of these whole lines, or None if they are not all beyond doubt."""
        # Another kind is tried on few lines: in many, it is likelier that one is wrong.
        for kind in self._kinds if lines <= MANY else self._kinds[:1]:
            try:
                rows: list[Any] = lines_decoder(kind, self._ignored)(block)
            except (msgspec.MsgspecError, RecursionError):
                continue
            if len(rows) != lines:
                return None
            if kind != self._kinds[0]:
                # What one block has, the next one will have too.
                self._kinds = (kind, *(each for each in self._kinds if each != kind))
            return [row.custom_id for row in rows]
        return None

    def explain(self, line: bytes, source: str, number: int) -> Any:
        """Note what is wrong with a line; returns its custom_id."""
        row = read_row(line)
        for problem in row.problems:
            self._report.add(problem.severity, problem.code, problem.message, source, number)
        if errors := sum(problem.severity == "error" for problem in row.problems):
            self._report.wrong_row(errors)
        for name in sorted(row.ignored - self._ignored):
            place = "body.model" if name == "model" else name
            message = f"{place} is there, in this row or more: the job ignores it and uses its own"
            self._report.add("warning", "ignored_field", message, source, number)
        self._ignored |= row.ignored & frozenset(IGNORED)
        return row.custom_id

    def named(self, names: Names, source: str, line: int) -> None:
        """Take the custom_ids of rows from ``line`` on."""
        kinds = set(map(type, names))
        if kinds == {NoneType}:
            return
        if kinds == {str} and "" not in names:
            self._compare(names, source, line, None)
            return
        if kinds == {int}:
            self._not_text(names, range(len(names)), source, line)
            self._compare(list(map(str, names)), source, line, None)
            return
        # An empty custom_id counts as none.
        places = [place for place, name in enumerate(names) if name is not None and name != ""]
        given = [names[place] for place in places]
        if given and not kinds <= {str, NoneType}:
            self._not_text(given, places, source, line)
            given = list(map(_as_text, given))
        if given:
            self._compare(given, source, line, places)

    def _compare(self, names: list[str], source: str, line: int, places: list[int] | None) -> None:
        """Look for custom_ids that come again. ``places`` says where the rows are, if not one after the other."""
        place = self._ids.add(names)
        if place is not None and self._repeat is None:
            self._repeat = source, line + (places[place] if places else place)

    def _not_text(self, names: Names, places: Sequence[int], source: str, line: int) -> None:
        """Count custom_ids that are not text; the first one's place is kept."""
        wrong = [place for place, name in zip(places, names, strict=True) if not isinstance(name, str)]
        if wrong and self._first_not_text is None:
            first = next(name for name in names if not isinstance(name, str))
            self._first_not_text = source, line + wrong[0], kind_of_id(first)
        self._times_not_text += len(wrong)

    def count(self, rows: int, size: int) -> None:
        """Rows and bytes that were checked."""
        self._report.rows += rows
        self._report.bytes += size

    def complain(self, code: str, message: str, source: str, line: int | None, *, warning: bool = False) -> None:
        """Note what is wrong with the text; a warning once a file."""
        if warning and f"{code} {source}" in self._once:
            return
        if warning:
            self._once.add(f"{code} {source}")
        self._report.add("warning" if warning else "error", code, message, source, line)

    def wrong_row(self) -> None:
        """A row has an error."""
        self._report.wrong_row(1)

    @property
    def longest(self) -> int:
        """Bytes that a line may have."""
        return self._longest


class _File:
    """One file on its way through the check."""

    def __init__(self, check: TextCheck, source: str) -> None:
        self._check = check
        self._source = source
        self._line = 1
        self._rows = 0
        self._skipping = 0
        self._careful = False
        self._seen, self._ascii = b"", True

    def read(self, pieces: Iterable[bytes]) -> None:
        held = b""
        size = 0
        for piece in pieces:
            if not size:
                if not self.is_text(piece):
                    return
                piece = piece.removeprefix(_UTF_8_MARK)
            size += len(piece)
            held = self._piece(held, piece)
        if self._skipping or held:
            self._end_line(held)
        self._check.count(0, size)
        if not self._rows and not self._skipping:
            what = "is empty" if not size else "has no rows"
            self._check.complain("empty", f"the file {what}: a job needs at least one row", self._source, None)

    def is_text(self, start: bytes) -> bool:
        """Whether the file can be read on; notes why not."""
        if problem := why_not_text(start):
            self._check.complain(*problem, self._source, 1 if problem is _UTF_16 else None)
            return False
        if start.startswith(_UTF_8_MARK):
            message = "the file begins with a byte order mark, which is not JSON: save it as UTF-8 without one"
            self._check.complain("bom", message, self._source, 1)
        return True

    def _piece(self, held: bytes, piece: bytes) -> bytes:
        """Check the lines that end in this piece; returns the beginning of the next one."""
        first = piece.find(b"\n")
        if first < 0:
            return self._hold(held + piece)
        self._end_line(held + piece[:first])
        last = piece.rfind(b"\n")
        if last > first:
            self._lines(piece, first + 1, last)
        return self._hold(piece[last + 1 :])

    def _hold(self, held: bytes) -> bytes:
        """Keep the beginning of a line; of one that is too long only its length."""
        if self._skipping or len(held) > self._check.longest:
            self._skipping += len(held)
            return b""
        return held

    def _end_line(self, line: bytes) -> None:
        """Check a line that came in more than one piece."""
        if self._skipping:
            length = self._skipping + len(line)
            self._skipping = 0
            message = f"the line has {length:,} bytes, more than {self._check.longest:,}: shorten the prompt"
            self._check.complain("line_too_long", message, self._source, self._line)
            self._check.wrong_row()
            self._rows += 1
            self._check.count(1, 0)
            self._line += 1
        else:
            self._slowly(line)

    def _lines(self, piece: bytes, start: int, end: int) -> None:
        """Check the whole lines from ``start`` on; ``end`` is the last one's line feed."""
        lines = piece.count(b"\n", start, end) + 1
        whole = lines > MANY
        # Where one piece has a wrong row, the next one is likely to.
        names = None if whole and self._careful else self._accepted(piece, start, end, lines)
        if whole:
            self._careful = False
        if names is not None:
            self._check.named(names, self._source, self._line)
            self._took(lines, lines)
            return
        self._careful = self._careful or lines <= MANY
        if lines <= FEW:
            for line in piece[start:end].split(b"\n"):
                self._slowly(line)
        else:
            for first, last in _parts(piece, start, end):
                self._lines(piece, first, last)

    def _accepted(self, piece: bytes, start: int, end: int, lines: int) -> Names | None:
        """The custom_ids if all these lines are sound beyond doubt, by the quickest way that is sure."""
        if not are_objects(piece, lines, start, end):
            return None
        if _may_be_deep(piece, start, end):
            # The decoder takes a few levels more.
            return None
        block = memoryview(piece)[start:end]
        if piece is not self._seen:
            self._seen, self._ascii = piece, piece.isascii()
        if not self._ascii:
            # What the decoder skips it does not look at closely.
            try:
                str(block, "utf-8")
            except UnicodeDecodeError:
                return None
        return self._check.accept(block, lines)

    def _slowly(self, line: bytes) -> None:
        """Check one line, with all its problems."""
        plain = line.strip(_BLANK)
        if line.endswith(b"\r"):
            message = "the lines end with CR LF: JSON takes the CR as a space, but save the file with LF to be sure"
            self._check.complain("crlf", message, self._source, self._line, warning=True)
        if not plain:
            message = "there is a blank line, in this place or more: it is skipped, and does not count as a row"
            self._check.complain("blank_line", message, self._source, self._line, warning=True)
        elif self._line == 1 and plain in _SPREAD_OUT:
            self._check.complain("not_json", _SPREAD_OUT[plain], self._source, 1)
            self._check.wrong_row()
        elif (names := self._accepted(plain, 0, len(plain), 1)) is not None:
            self._check.named(names, self._source, self._line)
        else:
            self._check.named([self._check.explain(plain, self._source, self._line)], self._source, self._line)
        self._took(1, 1 if plain else 0)

    def _took(self, lines: int, rows: int) -> None:
        self._line += lines
        self._rows += rows
        self._check.count(rows, 0)


def _as_text(name: Any) -> str:
    return name if isinstance(name, str) else json.dumps(name, sort_keys=True)


def _parts(piece: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Whole lines in parts of about one size; each ends at its last line feed, as the whole does."""
    step = max(1, (end - start) // PARTS)
    while start < end:
        last = piece.find(b"\n", start + step, end)
        last = end if last < 0 else last
        yield start, last
        start = last + 1


def _may_be_deep(piece: bytes, start: int, end: int) -> bool:
    """Whether a row of these may be too deep. A shorter one than all its brackets is not: such are passed over."""
    while end - start > 2 * DEEPEST:
        last = piece.rfind(b"\n", start, start + 2 * DEEPEST)
        if last < 0:
            last = piece.find(b"\n", start, end)
            last = end if last < 0 else last
            if may_be_deep(piece, start, last):
                return True
        start = last + 1
    return False
