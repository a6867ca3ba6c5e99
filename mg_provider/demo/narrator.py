"""How the story is shown: one screen by default, everything with ``-v``; rich on a terminal, plain lines elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from mg_provider.clock import Clock
from mg_provider.demo.running import Running

WIDTH: Final = 80
"""Columns of the story without ``-v``."""

_BEFORE_AN_ANSWER: Final = "] "


class NotAsClaimedError(Exception):
    """A step of the demo did not show what it says it shows."""


class Narrator:
    """Prints chapters, facts and checks, and remembers how long it took.

    Args:
        console: Where to.
        clock: Measures.
        verbose: Whether every line of the engine, every difference and every id is shown.
    """

    def __init__(self, console: Console, clock: Clock, *, verbose: bool = False) -> None:
        self._console = console
        self._clock = clock
        self._began = clock.monotonic()
        self._chapter = 0
        self.verbose = verbose

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return self._clock.monotonic() - self._began

    def chapter(self, title: str) -> None:
        """Begin the next part of the story."""
        self._chapter += 1
        self.heading(f"{self._chapter}. {title}")

    def heading(self, title: str) -> None:
        """A line with an empty one before it."""
        self._console.print(f"\n[bold cyan]{escape(title)}[/]", highlight=False)

    def say(self, text: str) -> None:
        """A line of the story."""
        self._console.print(f"   {escape(text)}", soft_wrap=True, highlight=False)

    def wrapped(self, text: str) -> None:
        """A text that may take several lines, the later ones further in."""
        for line in textwrap.wrap(text, WIDTH - 3, subsequent_indent="   ", break_on_hyphens=False):
            self.say(line)

    def detail(self, text: str) -> None:
        """A line of the long story."""
        if self.verbose:
            self.say(text)

    def line(self, text: str) -> None:
        """A line to copy: nothing before it that a shell would trip over."""
        self._console.print(f"     {text}", soft_wrap=True, highlight=False, markup=False)

    def quote(self, who: str, text: str) -> None:
        """What a model answered; who it says it is belongs to the long story."""
        shown = text if self.verbose else text.rpartition(_BEFORE_AN_ANSWER)[2]
        self._console.print(f"   [magenta]{escape(who)}[/]: {escape(shown)}", soft_wrap=True, highlight=False)

    @contextmanager
    def watching(self) -> Iterator[Callable[[str], None]]:
        """What takes the output of a running deployment, and says in one line what it did.

        A terminal shows below the story what runs now, its age and its stage; the long story has each line as well.
        What was not shown is shown if the deployment fails.
        """
        running, unseen, began = Running(self._clock.monotonic), list[str](), self._clock.monotonic()

        def take(text: str) -> None:
            for line in text.splitlines():
                if running.take(line) and self._console.is_terminal:
                    continue
                if self.verbose:
                    self._progress(line)
                else:
                    unseen.append(line)

        try:
            if self._console.is_terminal:
                with Live(running, console=self._console, refresh_per_second=8, transient=True):
                    yield take
                    running.clear()
            else:
                yield take
        except NotAsClaimedError:
            for line in unseen:
                self._progress(line)
            raise
        if running.done:
            self.say(f"{running.summary()} in {self._clock.monotonic() - began:.0f} s")

    def _progress(self, line: str) -> None:
        if line.strip():
            self._console.print(f"   [dim]│[/] {escape(line.rstrip())}", soft_wrap=True, highlight=False)

    def unchanged(self, what: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """State that names are what they were; the long story shows them side by side.

        Raises:
            NotAsClaimedError: One of them changed.
        """
        rows = [("", "before", "after"), *((name, value, after.get(name, "")) for name, value in before.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            self.detail("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        moved = {name: after.get(name) for name, value in before.items() if after.get(name) != value}
        self.check(f"unchanged: {len(before)} {what}", not moved, moved)

    def check(self, claim: str, holds: bool, found: object = "") -> None:
        """State a claim.

        Raises:
            NotAsClaimedError: It does not hold.
        """
        if not holds:
            raise NotAsClaimedError(f"not as claimed: {claim}" + (f" (found: {found})" if found != "" else ""))
        self._console.print(f"   [green]✓[/] {escape(claim)}", soft_wrap=True, highlight=False)
