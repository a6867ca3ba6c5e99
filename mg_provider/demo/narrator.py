"""How the story is told: rich on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from mg_provider.clock import Clock
from mg_provider.demo.running import Running


class NotAsClaimedError(Exception):
    """A step of the demo did not show what it says it shows."""


class Narrator:
    """Prints chapters, facts and checks, and remembers how long it took."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._began = clock.monotonic()
        self._chapter = 0

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return self._clock.monotonic() - self._began

    def chapter(self, title: str) -> None:
        """Begin the next part of the story."""
        self._chapter += 1
        self._console.print(f"\n[bold cyan]{self._chapter}. {escape(title)}[/]")

    def say(self, text: str) -> None:
        """A line of the story."""
        self._console.print(f"   {escape(text)}", soft_wrap=True, highlight=False)

    def line(self, text: str) -> None:
        """A line to copy: nothing before it that a shell would trip over."""
        self._console.print(f"     {text}", soft_wrap=True, highlight=False, markup=False)

    def quote(self, who: str, text: str) -> None:
        """What a model answered."""
        self._console.print(f"   [magenta]{escape(who)}[/]: {escape(text)}", soft_wrap=True, highlight=False)

    @contextmanager
    def watching(self) -> Iterator[Callable[[str], None]]:
        """What takes the output of a running deployment.

        A terminal shows below the story what runs now, its stage and its age; elsewhere each stage is a line.
        """
        if not self._console.is_terminal:
            yield self._progress
            return
        running = Running(self._clock.monotonic)

        def take(text: str) -> None:
            for line in text.splitlines():
                if not running.take(line):
                    self._progress(line)

        with Live(running, console=self._console, refresh_per_second=8, transient=True):
            yield take
            running.clear()

    def _progress(self, text: str) -> None:
        for line in text.splitlines():
            if line.strip():
                self._console.print(f"   [dim]│[/] {escape(line.rstrip())}", soft_wrap=True, highlight=False)

    def table(self, rows: Iterable[tuple[str, str, str]], headings: tuple[str, str, str]) -> None:
        """Before and after, side by side."""
        content = [headings, *rows]
        widths = [max(len(row[column]) for row in content) for column in range(3)]
        for row in content:
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def check(self, claim: str, holds: bool, found: object = "") -> None:
        """State a claim.

        Raises:
            NotAsClaimedError: It does not hold.
        """
        if not holds:
            raise NotAsClaimedError(f"not as claimed: {claim}" + (f" (found: {found})" if found != "" else ""))
        self._console.print(f"   [green]✓[/] {escape(claim)}", soft_wrap=True, highlight=False)
