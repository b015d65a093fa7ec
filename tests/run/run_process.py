"""A real gateway process for a test, and two of them that know each other."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds; two busy cores start two processes


@dataclass
class Process:
    """`gateway ...` with its log as it comes."""

    words: tuple[str, ...]
    environ: dict[str, str]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._new = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *self.words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.environ},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stderr:
            for line in stderr:
                with self._new:
                    self.lines.append(_parsed(line))
                    self._new.notify_all()
        with self._new:
            self._new.notify_all()

    def wait_for(self, event: str, **values: object) -> dict[str, Any]:
        """Return the first line of the log that fits."""

        def found() -> dict[str, Any] | None:
            fits = (
                line
                for line in self.lines
                if line.get("event") == event
                and all(line.get(name) == value for name, value in values.items())
            )
            return next(fits, None)

        with self._new:
            self._new.wait_for(lambda: found() or not self._reader.is_alive(), PATIENCE)
            line = found()
        assert line is not None, self.lines
        return line

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join()
        return code


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"event": "", "text": line.decode(errors="replace")}
    return found


def exchanged(folder: Path, other: Path) -> None:
    """Follow the three steps of the settings file: take the other side's certificates, then
    take the comment signs away."""
    taken = folder / "counterpart"
    taken.mkdir()
    for name in ("link-authority", "link-client", "message", "receipt", "head", "pack"):
        certificate = other / "keys" / f"{name}.cert.pem"
        (taken / certificate.name).write_bytes(certificate.read_bytes())
    file = folder / "gateway.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(_uncommented(lines)) + "\n", encoding="utf-8")


def _uncommented(lines: list[str]) -> Iterator[str]:
    within = False
    for line in lines:
        within = (within or line == "# [listen.counterpart]") and "# --- domestic" not in line
        yield line.removeprefix("#").removeprefix(" ") if within else line
