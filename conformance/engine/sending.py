"""The step that posts a message, once, again, or many at once."""

import asyncio

from conformance.engine import case as words
from conformance.engine.building import Bench
from conformance.engine.session import Exchange
from conformance.wire.http import exchange, request
from conformance.wire.message import Draft

SLACK = 5.0
"""Seconds beyond the declared T1 that an answer is waited for."""


async def send(bench: Bench, step: words.Send) -> None:
    """Post what was built; the answers are kept under the step's name."""
    octets = step.raw.encode() if step.raw else bench.ready()
    place = bench.session.place(bench.text(step.tls), bench.text(step.path))
    headers = {name: bench.text(value) for name, value in step.headers.items()}
    if step.chunked:
        octets = b"".join((f"{len(octets):x}\r\n".encode(), octets, b"\r\n0\r\n\r\n"))
    whole = request(place, octets, headers, bench.text(step.method))
    deadline = bench.session.target.limits.receipt + SLACK
    sent = Exchange(bench.signed_draft or bench.draft or Draft({}, ""), octets, bench.digest)
    for _ in range(step.times):
        copies = [exchange(place, whole, deadline) for _ in range(step.parallel)]
        sent.replies += await asyncio.gather(*copies)
    bench.sent[step.name] = bench.sent["last"] = sent
    bench.octets = None if step.raw else octets
