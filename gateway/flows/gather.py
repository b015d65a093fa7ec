"""A half meets the others of its crossing.

1 ask        the open halves that share a key
2 decide     join, wait, ambiguous (shown, never picked) or conflict (refused)
3 unite      the sets become one conversation
4 closed?    complete, or a reason to wait that everybody can see
5 translate  into the documents that the route names
6 hand on    outbound: to the link; inbound: to the agencies that want them
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
from msgspec.structs import replace as changed

from gateway.codec import join
from gateway.codec import report as reports
from gateway.codec.formats import Decoded
from gateway.codec.join import Decision
from gateway.codec.merge import merge_parameters
from gateway.codec.notes import Note
from gateway.errors import DocumentError
from gateway.evidence.rows import SALT_SIZE
from gateway.flows.domestic import Product, hand_out
from gateway.flows.holds import follow
from gateway.flows.intake import content_of
from gateway.flows.numbers import allocate
from gateway.flows.outgoing import Parts, queue_message
from gateway.flows.ports import Half, Message, Transaction
from gateway.flows.record import step
from gateway.flows.services import Services
from gateway.flows.translate import PER_DOCUMENT, Made, Setting, translate
from gateway.model.manifest import Function
from gateway.model.parameters import Parameters
from gateway.model.states import MessageKind, MessageState


def meet(services: Services, tx: Transaction, half: Half) -> MessageState:
    """Join a half, translate its set when that is closed; return the message's state.

    Raises GatewayError when the half contradicts the others or the whole breaks a rule: the
    transaction is rolled back then, and the others wait as before.
    """
    facts = join.HalfFacts(half.role, half.day, half.keys)
    submitters = _submitters(services, tx, half)
    others = _candidates(tx, half, tx.halves_with(submitters, facts.asked))
    decision = join.decide(half, others, window_days=services.limits.window_days)
    if decision.state == "conflict":
        raise DocumentError("rule-broken", *decision.findings)
    if decision.state == "ambiguous":
        return _wait(services, tx, half, "ambiguous", " ".join(decision.message_ids))
    if decision.state == "join":
        half = _unite(services, tx, half, decision)
    return advance(services, tx, half, decision.rule, decision.reason)


def _candidates(tx: Transaction, half: Half, sharing: Sequence[Half]) -> list[Half]:
    """Return the halves that share a key, and those that stand in a set with one of them."""
    sets = dict.fromkeys(each.set_id for each in sharing)
    found = {each.message_id: each for set_id in sets for each in tx.halves_of(set_id)}
    found |= {each.message_id: each for each in sharing}
    found.pop(half.message_id, None)
    return list(found.values())


def meet_again(
    services: Services, tx: Transaction, half: Half, parameters: Parameters
) -> MessageState:
    """Let a half that stands alone look for its others by what was stated since: a joinRef
    decides what was ambiguous."""
    decoded = _decoded(services, tx, half)
    roles = services.formats.header(decoded.format).roles
    facts = join.half_of(decoded.document, parameters, roles, decoded.head)
    return meet(services, tx, replace(half, keys=facts.keys))


def _submitters(services: Services, tx: Transaction, half: Half) -> tuple[str, ...]:
    """Halves of one side join with each other, never a domestic with an inbound one."""
    message = tx.message(half.message_id)
    inbound = message is not None and message.kind is MessageKind.INBOUND
    return tuple(services.counterparts if inbound else services.agencies)


def _unite(services: Services, tx: Transaction, half: Half, decision: Decision) -> Half:
    """Put all halves of the sets that met into the oldest of their conversations."""
    sets = {half.set_id}
    for message_id in decision.message_ids:
        if known := tx.half(message_id):
            sets.add(known.set_id)
    chosen = min(sets)
    for set_id in sets - {chosen}:
        follow(services, tx, set_id, chosen)
    for set_id in sets:
        for member in tx.halves_of(set_id):
            tx.set_half(member.message_id, state="waiting", set_id=chosen)
            if set_id != chosen:
                tx.move_to(member.message_id, chosen)
                facts = {"conversation": chosen}
                step(services, "joined", member.message_id, services.clock(), facts).write(tx)
    return replace(half, set_id=chosen)


def advance(
    services: Services, tx: Transaction, half: Half, rule: str, near: str = ""
) -> MessageState:
    """Translate the set of a half if it is closed, else wait.

    rule: by which it was joined. near: why another half that is alike was not joined.
    """
    halves = sorted(tx.halves_of(half.set_id), key=vehicle_first)
    decoded = [_decoded(services, tx, each) for each in halves]
    parameters = [stated_parameters(tx, each) for each in halves]
    stated, _ = merge_parameters(parameters)
    parts = [(h.role, d.document) for h, d in zip(halves, decoded, strict=True)]
    reason = join.closed(parts, stated)
    if reason is not None:
        return _wait(services, tx, half, reason, rule or near)
    notes = [Note("joined", "", f"by {rule}")] if rule else []
    message = tx.message(half.message_id)
    inbound = message is not None and message.kind is MessageKind.INBOUND
    if inbound:
        _hand_on(services, tx, halves, _as_one(decoded), parameters, notes)
    else:
        _send_on(services, tx, halves, decoded, parameters, notes)
    state = MessageState.DISTRIBUTED if inbound else MessageState.TRANSLATED
    for each in halves:
        tx.set_half(each.message_id, state="joined", set_id=half.set_id)
        told = ("joined", {"rule": rule, "with": str(len(halves) - 1)})
        now = services.clock()
        step(services, "united", each.message_id, now, state=state, event=told).write(tx)
    return state


def _as_one(decoded: list[Decoded]) -> list[Decoded]:
    """A set of which one half was stated anew replaces as a whole what was made before."""
    functions = {half.document.function for half in decoded}
    if len(functions) < 2:
        return decoded
    return [
        replace(half, document=changed(half.document, function=Function.REPLACE))
        for half in decoded
    ]


def vehicle_first(half: Half) -> tuple[bool, str]:
    """Sort key of the halves of a set: the vehicle, then in the order of their coming."""
    return (half.role != "vehicle", half.message_id)


def _wait(
    services: Services, tx: Transaction, half: Half, reason: str, detail: str
) -> MessageState:
    seen = {"reason": reason, "deadline": half.deadline.isoformat(timespec="seconds")}
    if detail:
        seen["detail"] = detail[:400]
    now, state = services.clock(), MessageState.WAITING
    event = ("waiting", seen)
    step(services, "waiting", half.message_id, now, state=state, event=event).write(tx)
    return MessageState.WAITING


def _decoded(services: Services, tx: Transaction, half: Half) -> Decoded:
    """Decode a half again from its raw bytes, or what was signed of them: they are the truth."""
    message = tx.message(half.message_id)
    content = content_of(tx, half.message_id)
    return services.formats.decode(message.document_type if message else "", content)


def stated_parameters(tx: Transaction, half: Half) -> Parameters:
    """Return the parameters that came with a half."""
    stated = tx.content(half.message_id, "parameters") or b"{}"
    return msgspec.json.decode(stated, type=Parameters)


def _setting(
    services: Services,
    tx: Transaction,
    halves: Sequence[Half],
    decoded: Sequence[Decoded],
    profile: Mapping[str, str],
    disclose: frozenset[str],
) -> Setting:
    set_id = halves[0].set_id
    identity = _identity(decoded)

    def number(target: str, what: str, key: str) -> str | None:
        """A repeat of the same declaration gets the same waybill and batch number."""
        bound = f"{set_id}|{key}" if what in PER_DOCUMENT else f"{halves[0].submitter}|{key}"
        if not key or key.startswith("position="):
            bound = f"{bound}|{identity}"
        return allocate(services.clock, tx, profile, (target, what, bound))

    return Setting(
        formats=services.formats,
        gates=services.gates,
        profile=profile,
        register=services.register.get,
        allocate=number,
        disclose=disclose,
        salt=services.randomness(SALT_SIZE),
        draft=True,
    )


def _identity(decoded: Sequence[Decoded]) -> str:
    """Digest of what the documents say, whatever their transport headers were."""
    said = sorted(msgspec.json.encode(half.document) for half in decoded)
    return hashlib.sha256(b"\0".join(said)).hexdigest()


def _send_on(
    services: Services,
    tx: Transaction,
    halves: Sequence[Half],
    decoded: Sequence[Decoded],
    parameters: Sequence[Parameters],
    notes: Sequence[Note],
) -> None:
    """Outbound: the products become link messages of one conversation."""
    counterpart = services.counterpart()
    set_id = halves[0].set_id
    setting = _setting(services, tx, halves, decoded, counterpart.profile, counterpart.disclose)
    targets = services.routes.targets(services.side, "outbound", decoded[0].format)
    originals = tuple(tx.content(h.message_id, "original") or b"" for h in halves)
    stated = _stated(parameters)
    for made in translate(setting, decoded, parameters, targets, notes):
        queue_message(
            services,
            tx,
            Parts(
                conversation_id=set_id,
                document_type=made.encoded.format,
                content=made.encoded.content,
                document=made.document,
                head=made.head,
                report=made.report,
                originals=originals,
                parameters=stated,
            ),
        )
    for half in halves:
        event = ("translated", {"to": " ".join(targets)})
        step(services, "translated", half.message_id, services.clock(), event=event).write(tx)


def _stated(parameters: Sequence[Parameters]) -> bytes:
    """Return what was stated for a whole crossing, to be committed to with the originals."""
    merged, _ = merge_parameters(parameters)
    return b"" if merged == Parameters() else msgspec.json.encode(merged)


def _hand_on(
    services: Services,
    tx: Transaction,
    halves: Sequence[Half],
    decoded: Sequence[Decoded],
    parameters: Sequence[Parameters],
    notes: Sequence[Note],
) -> None:
    """Inbound: the products go to the agencies that want them."""
    wanted = services.routes.targets(services.side, "inbound", decoded[0].format)
    targets = [name for name in wanted if services.takers(name)]
    cause = tx.message(halves[0].message_id)
    if cause is None or not targets:
        return
    counterpart = services.counterparts[cause.party]
    everything = frozenset({"crew", "contact", "communications"})
    setting = _setting(services, tx, halves, decoded, counterpart.profile, everything)
    for made in translate(setting, decoded, parameters, targets, notes):
        product = _product(cause, made)
        hand_out(services, tx, product, services.takers(made.encoded.format))


def _product(cause: Message, made: Made) -> Product:
    return Product(
        cause=cause,
        document_type=made.encoded.format,
        content=made.encoded.content,
        media_type=made.encoded.media_type,
        document=made.document,
        report=made.report,
        draft=made.encoded.draft,
        findings=made.encoded.findings if made.encoded.draft else (),
    )


def passing_report(services: Services, decoded: Decoded) -> bytes:
    """Return the report of a document that travels as it is."""
    note = Note("as-it-is", "", "the document travels unchanged")
    salt = services.randomness(SALT_SIZE)
    return reports.build([decoded], None, [], salt=salt, notes=[note]).to_bytes()
