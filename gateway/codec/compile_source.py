"""Writes generated Python, indented and with its names kept apart."""

from collections.abc import Iterator
from contextlib import contextmanager


class Source:
    """Python source that grows line by line."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def line(self, text: str = "") -> None:
        """Add a line at the current depth."""
        self._lines.append("    " * self._depth + text if text else "")

    def add(self, other: "Source") -> None:
        """Add all lines of another source."""
        self._lines += other._lines

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a line that opens a block; what is added inside is indented."""
        self.line(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    def text(self) -> str:
        """Return the whole source."""
        return "\n".join(self._lines) + "\n"


def plain(name: str) -> str:
    """Return a wire name as a Python name."""
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name)
