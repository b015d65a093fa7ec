"""`python -m benchmarks [--json FILE]`: the table of docs/performance.md, measured here."""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from benchmarks import bundle, journal, log, recognition, sm2
from benchmarks.documents import HEAD, NOW, manifest, message, turned
from benchmarks.front import front
from benchmarks.measure import Ratio, compare
from benchmarks.stacks import PROFILE, Keys, Naive, Ours, XmlSec, Xslt
from gateway.codec.formats import Formats
from gateway.signing.sign import sign_document

SMALL, LARGE, LARGEST = 22, 1300, 19_500
"""Goods lines of the documents: some 14 KB, 620 KB and 9.3 MB as signed messages."""


@dataclass(frozen=True)
class Row:
    """One line of the table. better: whether more is better or less."""

    number: int
    what: str
    ratio: Ratio
    floor: float
    goal: float
    more: bool = True

    @property
    def verdict(self) -> str:
        """goal, floor or BELOW."""
        value = self.ratio.median
        for name, bound in (("goal", self.goal), ("floor", self.floor)):
            if value >= bound if self.more else value <= bound:
                return name
        return "BELOW"


class Bench:
    """The stacks and documents, made once."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.formats = Formats.load(NOW.date())
        self.ours = Ours(self.keys, self.formats)
        self.xmlsec = XmlSec(self.keys)
        self.small, self.large = (self.signed(lines) for lines in (SMALL, LARGE))

    def signed(self, lines: int) -> bytes:
        """Return a signed link message with so many goods lines."""
        return sign_document(message(manifest(lines), "cn.mt2401"), self.keys.signer, PROFILE)

    def rows(self) -> Iterator[Row]:
        """Measure one row after the other."""
        small, large, ours, y = self.small, self.large, self.ours, self.xmlsec
        naive = Naive(self.keys)
        each = journal.commits_per_message(small, b"r" * 2000)
        whole = compare(lambda: ours.path(small), lambda: y.path(small), 60)
        yield Row(1, "whole path / Y, 14 KB", whole, 1.5, 1.9)
        whole = compare(lambda: ours.path(large), lambda: y.path(large), 2)
        yield Row(2, "whole path / Y, 620 KB", whole, 1.25, 1.5)
        yield Row(3, "path + durable journal / Y", self._journalled(), 1.5, 1.8)
        against = compare(lambda: ours.path(small), lambda: naive.path(small), 5)
        yield Row(4, "whole path / naive stack", against, 20, 30)
        verified = compare(lambda: ours.verify(small), lambda: y.verify(small), 100)
        yield Row(5, "verify / (parse + xmlsec verify)", verified, 2, 3)
        yield Row(6, "translation / XSLT in lxml", self._translation(), 2, 3)
        shared = Ratio(each, each, each)
        yield Row(7, "commits per message, 32 submitters", shared, 1 / 8, 1 / 16, more=False)
        yield Row(8, "CPU of the link endpoint / bare ASGI", front(), 2.5, 1.3, more=False)
        yield Row(9, "two processes / one", self._processes(), 1.7, 1.85)
        yield Row(10, "peak memory of the path / 9.3 MB", _memory(), 8, 4, more=False)
        chinese = sm2.whole_path(self.formats, y, small, SMALL)
        yield Row(11, "SM2 whole path / Y, 14 KB", chinese, 0.5, 0.8)
        appended, proven = log.costs(lambda: ours.verify(small))
        yield Row(12, "log: append a row / verify 14 KB", appended, 0.5, 0.1, more=False)
        yield Row(13, "log: proof at 20,000 / verify 14 KB", proven, 4, 1, more=False)
        linked, folded = recognition.costs()
        yield Row(14, "linking, 4,000 records a second / it", linked, 1, 0.5, more=False)
        yield Row(15, "fold of 50 statements / 5 ms", folded, 1, 0.4, more=False)
        proven = bundle.seconds(self.formats)
        yield Row(16, "verify a bundle of 5 messages, s", proven, 1, 0.1, more=False)

    def _journalled(self) -> Ratio:
        """The path for 64 messages and one group commit of them, against 64 times Y."""
        with journal.journal() as opened:

            def with_journal() -> None:
                for _ in range(64):
                    signed = self.ours.path(self.small)
                journal.batch(opened, self.small, signed[-2000:], 64)

            def without() -> None:
                for _ in range(64):
                    self.xmlsec.path(self.small)

            return compare(with_journal, without, 1)

    def _translation(self) -> Ratio:
        octets = manifest(SMALL)
        root = etree.fromstring(octets)
        tree, xslt = etree.ElementTree(root), Xslt()
        engine = self.formats._format("cn.mt2401")
        self.target = self.formats._format("cn.mt1401")
        ours = lambda: self._translated(engine, root, octets)  # noqa: E731
        return compare(ours, lambda: xslt.translate(tree), 60)

    def _translated(self, made, root: etree._Element, octets: bytes) -> bytes:
        """Decode and encode without schema, rules and findings, as the style sheet has none.

        Both begin with what the steps before leave: the tree, and the canonical octets.
        """
        document, _, _ = made.compiled.decode(root, octets)
        parts, _ = self.target.compiled.encode(turned(document), HEAD)
        return self.target.engine.write(parts, HEAD)[0]

    def _processes(self, rounds: int = 9, seconds: float = 0.6) -> Ratio:
        context = multiprocessing.get_context("fork")
        ratios = []
        for _ in range(rounds):
            one = _throughput(context, self, 1, seconds)
            ratios.append(_throughput(context, self, 2, seconds) / one)
        return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def _throughput(context, bench: Bench, processes: int, seconds: float) -> float:
    """Return paths per second over so many processes."""
    start = context.Barrier(processes)
    counts = context.Array("i", processes)

    def work(index: int) -> None:
        start.wait()
        end, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            bench.ours.path(bench.small)
            done += 1
        counts[index] = done

    workers = [context.Process(target=work, args=(n,)) for n in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / seconds


def _memory() -> Ratio:
    """Peak memory of a fresh process that takes the largest document, above its idle size."""
    code = "from benchmarks.__main__ import peak; peak()"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    value = float(said.stdout.decode().split()[-1])
    return Ratio(value, value, value)


def peak() -> None:
    """Print (peak - idle) / size for the whole path of the largest document that is allowed.

    The document is made in a process of its own: memory that was freed here would hide it.
    """
    bench = Bench.__new__(Bench)
    bench.keys, bench.formats = Keys(), Formats.load(NOW.date())
    ours = Ours(bench.keys, bench.formats)
    ours.path(bench.signed(SMALL))
    with tempfile.NamedTemporaryFile() as file:
        maker = os.fork()
        if maker == 0:
            Path(file.name).write_bytes(bench.signed(LARGEST))
            os._exit(0)
        os.waitpid(maker, 0)
        raw = Path(file.name).read_bytes()
    idle = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    ours.path(raw)
    print((_status("VmHWM") - idle) / len(raw))


def _status(name: str) -> int:
    """Return a size of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def _show(rows: list[Row]) -> None:
    print(f"{'#':>2}  {'ratio':<38} {'median':>7} {'low':>7} {'high':>7} {'floor':>6} {'goal':>6}")
    for row in rows:
        r = row.ratio
        print(
            f"{row.number:>2}  {row.what:<38} {r.median:>7.2f} {r.low:>7.2f} {r.high:>7.2f}"
            f" {row.floor:>6.2f} {row.goal:>6.2f}  {row.verdict}"
        )


def main() -> int:
    """Measure, print, and exit with 1 when a floor is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    options = parser.parse_args()
    rows = []
    for row in Bench().rows():
        print(f"measured {row.number}: {row.what}", file=sys.stderr)
        rows.append(row)
    _show(rows)
    if options.json:
        figures = [{**vars(r), "ratio": vars(r.ratio), "verdict": r.verdict} for r in rows]
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        options.json.write_text(json.dumps({**machine, "rows": figures}, indent=2))
    return int(any(row.verdict == "BELOW" for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
