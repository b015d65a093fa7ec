"""The audit of the log itself: leaves, nodes, heads."""

from collections.abc import Iterable, Iterator, Sequence

from gateway.errors import GatewayError
from gateway.evidence.audit import Flaw
from gateway.evidence.heads import HEAD_TYPE, HeadFacts, read_head, signature_octets
from gateway.flows.ports import Transaction
from gateway.flows.ports_log import Head, Leaf
from gateway.flows.services import Services
from gateway.merkle import node_hash, subtree
from gateway.signing import timestamp
from gateway.signing.dsse import verify_statement
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import SignatureProfile, profile
from gateway.signing.rolling import RollingSigner
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

PAGE = 1000

_SHAPE = "link-ecdsa-p256"
"""How a gateway signs that has no counterpart yet."""


def leaf_flaws(leaves: Iterable[Leaf]) -> tuple[int, list[Flaw]]:
    """Return the size of the log, and what is wrong with its leaves: one missing, one whose row
    is gone or has another hash."""
    flaws: list[Flaw] = []
    size = 0
    for leaf in leaves:
        flaws += [Flaw("log-missing", f"leaf {index}") for index in range(size, leaf.index)]
        size = leaf.index + 1
        if leaf.of_row is None:
            flaws.append(Flaw("evidence-lost", f"leaf {leaf.index}"))
        elif leaf.of_row != leaf.hash:
            flaws.append(Flaw("log-leaf", f"leaf {leaf.index}", leaf.hash.hex(), leaf.of_row.hex()))
    return size, flaws


def node_flaws(tx: Transaction, size: int) -> tuple[int, list[Flaw]]:
    """Return how many nodes there are, and which are wrong, missing or too many."""
    flaws: list[Flaw] = []
    count = level = 0
    while size >> (level + 1):
        level += 1
        found, wrong = _level(tx, level, size >> level)
        count += found
        flaws += wrong
    above = [name for name in tx.node_levels() if not 0 < name <= level]
    return count, flaws + [Flaw("log-node", f"node level {name}") for name in above]


def _level(tx: Transaction, level: int, due: int) -> tuple[int, list[Flaw]]:
    """Compare a level with the one below it, two of which make one."""
    flaws: list[Flaw] = []
    below = _nodes(tx, level - 1)
    above = _nodes(tx, level)
    for index in range(due):
        halves = next(below, None), next(below, None)
        stored = next(above, None)
        place = f"node {level} {index}"
        if stored is None or stored[0] != index:
            return index, [*flaws, Flaw("log-missing", place)]
        if None in halves or stored[1] != node_hash(*(half[1] for half in halves if half)):
            flaws.append(Flaw("log-node", place, stored[1].hex()))
    flaws += [Flaw("log-node", f"node {level} {index}", value.hex()) for index, value in above]
    return due, flaws


def _nodes(tx: Transaction, level: int) -> Iterator[tuple[int, bytes]]:
    after = -1
    while True:
        if level == 0:
            page = tuple((leaf.index, leaf.hash) for leaf in tx.scan_leaves(after, PAGE))
        else:
            page = tx.scan_nodes(level, after, PAGE)
        if not page:
            return
        yield from page
        after = page[-1][0]


def head_flaws(services: Services, tx: Transaction, head: Head, size: int) -> list[Flaw]:
    """Return what is wrong with a head: root, what it says, who signed it, its timestamp."""
    place = f"head {head.size}"
    if head.size > size:
        return [Flaw("head-root", place, str(head.size), str(size))]
    try:
        root = subtree(0, head.size, tx.log_node)
    except KeyError:
        return [Flaw("head-root", place, head.root.hex())]
    flaws = []
    if root != head.root:
        flaws.append(Flaw("head-root", place, head.root.hex(), root.hex()))
    return [*flaws, *_statement_flaws(services, head, place), *_stamp_flaws(services, head, place)]


def _statement_flaws(services: Services, head: Head, place: str) -> list[Flaw]:
    try:
        kind, payload = verify_statement(head.statement, own_heads(services), head.at)
        said = read_head(payload)
    except GatewayError as fault:
        return [Flaw("head-signature", place, fault.code)]
    meant = HeadFacts(services.name, services.side, said.epoch, head.size, head.root, head.at)
    if kind != HEAD_TYPE or said != meant:
        return [Flaw("head-differs", place)]
    return []


def _stamp_flaws(services: Services, head: Head, place: str) -> list[Flaw]:
    """A token must be over the signature, of an authority of ours, from after the head."""
    if (head.token is None) != (head.state != "stamped") or (
        (head.stamped_at is None) != (head.token is None)
    ):
        return [Flaw("head-state", place, head.state)]
    if head.token is None:
        known = ("pending", "overdue", "unasked")
        return [] if head.state in known else [Flaw("head-state", place, head.state)]
    try:
        stamp = timestamp.verify(
            head.token, signature_octets(head.statement), services.timestamp_anchors
        )
    except GatewayError as fault:
        return [Flaw("head-timestamp", place, fault.code)]
    apart = stamp.time + timestamp.SKEW < head.at
    return [Flaw("head-timestamp", place, stamp.time.isoformat())] if apart else []


def own_heads(services: Services) -> TrustPolicy:
    """Return who may sign our heads: the head key, and those that we used before."""
    signer = services.head_signer
    signers = (signer.present, signer.following) if isinstance(signer, RollingSigner) else (signer,)
    ours = [each.certificate for each in signers if each is not None]
    shapes = [counterpart.ours for counterpart in services.counterparts.values()]
    return head_policy([*ours, *services.earlier_heads], shapes[0] if shapes else None)


def head_policy(
    certificates: Sequence[bytes], shape: SignatureProfile | None = None
) -> TrustPolicy:
    """Return the policy that takes heads of these signers (DER). shape: how they sign."""
    pinned = [PinnedKey(each, fingerprint(each), Usage.HEAD) for each in certificates]
    return TrustPolicy.of(shape or profile(_SHAPE), Usage.HEAD, pinned)
