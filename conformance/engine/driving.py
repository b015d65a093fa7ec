"""Steps that drive the target: make it send, watch what comes, restart it, let time pass."""

import asyncio
import json
import re
from urllib.parse import urlsplit

from conformance.engine import case as words
from conformance.engine import checks
from conformance.engine.building import Bench
from conformance.engine.results import FailedError, UnavailableError, UndecidedError
from conformance.engine.target import Pair
from conformance.engine.watching import Watch, open_partner
from conformance.partner.server import said
from conformance.wire.http import Place, Reply, client_context, exchange, request

LAST = re.compile(rb"@last-(\d+)@")
"""So many last digits of the batch number, for fields that are shorter."""

DESK_DEADLINE = 20.0
"""Seconds for the target's agency interface."""


async def perform(bench: Bench, step: words.Step) -> None:
    """Do one of the steps that are not about a message of ours."""
    match step:
        case words.Pause():
            await asyncio.sleep(checks.seconds(bench, bench.text(step.seconds)))
        case words.Restart():
            await _restart(bench, step.hard)
        case words.Serve():
            partner = (await watch(bench)).partner
            partner.serve([bench.text(word) for word in step.behaviours])
        case words.Trigger():
            await _trigger(bench, step)
        case words.Await():
            await _await(bench, step)
        case words.Query():
            await _query(bench, step)
        case _:
            raise TypeError(f"no step {step}")


async def watch(bench: Bench) -> Watch:
    """Return what the case sees of the partner; it listens from the first use on."""
    if bench.watch is None:
        bench.watch = Watch(await open_partner(bench.session))
    seen: Watch = bench.watch
    return seen


async def _restart(bench: Bench, hard: bool) -> None:
    if bench.session.restarter is not None:
        await bench.session.restarter(hard)
        return
    hook = bench.session.target.hook
    command = hook.kill if hard else hook.restart
    if not command:
        raise UnavailableError("no restart hook")
    process = await asyncio.create_subprocess_shell(command, cwd=bench.session.home)
    status = await process.wait()
    if status:
        raise RuntimeError(f"the restart hook ended with {status}")


async def _trigger(bench: Bench, step: words.Trigger) -> None:
    """Hand documents in at the target, as an agency does."""
    seen = await watch(bench)
    trigger = bench.session.target.trigger
    if trigger.kind == "none":
        raise UnavailableError("the target file has no [trigger]")
    batch = bench.text(step.batch) if step.batch else bench.session.batch()
    seen.batches[step.name] = batch
    seen.partner.batches.add(batch)
    for number in range(step.count):
        body, media = _form(bench, step.document, batch, number)
        reply = await _desk(bench, trigger.url, (trigger.client, trigger.anchors), body, media)
        if reply.status != 202:
            shown = reply.fault or reply.body[:200].decode(errors="replace")
            raise UndecidedError(f"the target took no document: HTTP {reply.status} {shown}")


def _form(bench: Bench, kind: str, batch: str, number: int) -> tuple[bytes, str]:
    """Return a multipart form with the documents of a kind. RFC 7578."""
    files = bench.session.target.trigger.documents.get(kind)
    if files is None:
        raise UnavailableError(f"the target file has no trigger documents `{kind}`")
    boundary = f"conformance-{bench.session.run}-{bench.session.number()}"
    parts = []
    for file in files:
        path = bench.session.home / file
        content = path.read_bytes().replace(b"@batch@", batch.encode())
        content = content.replace(b"@number@", str(number + 1).encode())
        content = LAST.sub(lambda found: batch[-int(found[1]) :].encode(), content)
        name = "parameters" if path.stem == "parameters" else "document"
        named = "" if name == "parameters" else f'; filename="{path.name}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    whole = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return whole, f"multipart/form-data; boundary={boundary}"


async def _await(bench: Bench, step: words.Await) -> None:
    """Wait until a triggered message came so often, or see that nothing comes."""
    seen = await watch(bench)
    limit = checks.seconds(bench, bench.text(step.within), step.attempts)
    ending = asyncio.get_running_loop().time() + limit
    came = 0
    while asyncio.get_running_loop().time() < ending:
        came = max((len(group) for group in seen.by_type(step.name)), default=0)
        if came >= step.attempts and not step.silence:
            return
        await seen.partner.wait(len(seen.partner.arrivals) + 1, 0.05)
    if step.silence and came > step.attempts:
        raise FailedError(f"{came} attempts, expected no more than {step.attempts}")
    if not step.silence and came < step.attempts:
        raise FailedError(f"{came} attempts in {limit:g} s, expected {step.attempts}")


async def _query(bench: Bench, step: words.Query) -> None:
    """Ask where a triggered message stands; the answer is kept under `name`. The target
    knows it by the id under which it came."""
    seen = await watch(bench)
    query = bench.session.target.query
    if query.kind == "none":
        raise UnavailableError("the target has no query interface")
    arrivals = seen.of(step.of)
    if not arrivals:
        raise FailedError("nothing came")
    url = f"{query.url}/{said(arrivals[0], 'MessageID')}"
    ending = asyncio.get_running_loop().time() + checks.seconds(bench, step.within)
    while True:
        reply = await _desk(bench, url, (query.client, query.anchors))
        state = str(json.loads(reply.body or b"{}").get("state", ""))
        seen.states[step.name] = state
        if state in step.until or asyncio.get_running_loop().time() > ending:
            return
        await asyncio.sleep(0.05)


async def _desk(
    bench: Bench, url: str, who: tuple[Pair | None, str], body: bytes | None = None, media: str = ""
) -> Reply:
    """Speak to the target's agency interface. who: client keys, and anchors of its server."""
    home = bench.session.home
    client, anchors = who
    context = None
    if urlsplit(url).scheme == "https":
        pair = (str(home / client.certificate), str(home / client.key)) if client else (None, None)
        context = client_context(str(home / anchors) if anchors else None, *pair)
    place = Place.of(url, context)
    whole = request(place, body or b"", {"Content-Type": media}, "GET" if body is None else "POST")
    return await exchange(place, whole, DESK_DEADLINE)
