"""What flows need of the store for evidence: leases by name, the log, its heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Holds(Protocol):
    """Leases by name, for what only one node runs at a time."""

    def hold(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take or keep the lease of a name; False while another owner has it.

        It is free from `until` on; the owner gives it back with `until` = `now`. Inside the
        transaction that takes it nobody else can have it, whatever the clocks say.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of evidence. index: its leaf's number in the log; None: the log has not taken it
    yet. message_id: "" for what has no message row (something refused)."""

    id: int
    index: int | None
    message_id: str
    entry: bytes
    salt: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head of the log.

    statement: the DSSE envelope that we signed. token: an RFC 3161 timestamp over the octets
    of its signature. state: pending (waits for the timestamp), overdue (has waited too long,
    still waits), stamped, or unasked (no time-stamping authority is configured).
    """

    size: int
    root: bytes
    at: datetime
    statement: bytes
    state: str
    token: bytes | None = None
    stamped_at: datetime | None = None


class Log(Protocol):
    """The evidence log. Only the sequencer, which holds its lease, extends it."""

    def log_size(self) -> int:
        """Return how many leaves the log has."""
        ...

    def log_node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree (level 0: a leaf); KeyError if there is none."""
        ...

    def log_nodes(self, places: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """Return the hashes of subtrees (level, index) in one question; what is not there is
        not returned."""
        ...

    def waiting_evidence(self, limit: int) -> tuple[Kept, ...]:
        """Return rows that the log has not taken, the oldest first."""
        ...

    def untaken_evidence(self) -> int:
        """Return how many rows the log has not taken."""
        ...

    def extend_log(
        self,
        leaves: Sequence[tuple[int, int, bytes]],
        nodes: Sequence[tuple[int, int, bytes]],
    ) -> None:
        """Add leaves (number, evidence id, hash) and the nodes (level, index, hash) that they
        complete; the rows wait no longer."""
        ...

    def evidence_of(self, message_id: str) -> tuple[Kept, ...]:
        """Return the rows of a message, in the order in which they were appended."""
        ...

    def evidence_at(self, index: int) -> Kept | None:
        """Return the row that is leaf `index` of the log."""
        ...

    def add_head(self, head: Head) -> bool:
        """Store a head; False when there is one of that size."""
        ...

    def latest_head(self) -> Head | None:
        """Return the head of the greatest size."""
        ...

    def head_at(self, size: int) -> Head | None:
        """Return the head of a size."""
        ...

    def head_covering(self, index: int) -> Head | None:
        """Return the smallest head over a tree that has leaf `index`."""
        ...

    def unstamped_heads(self, limit: int) -> tuple[Head, ...]:
        """Return heads that wait for their timestamp, newest first."""
        ...

    def stamp_head(self, size: int, token: bytes, at: datetime) -> None:
        """Store the timestamp of a head."""
        ...

    def set_head_overdue(self, size: int) -> None:
        """Say that a head has waited too long for its timestamp."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """Which documents go: of messages created before; of a role, or of a class (retention)
    without the roles that have a time of their own (`but`)."""

    created_before: datetime
    retention: str = ""
    role: str | None = None
    but: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Nothing of this conversation is pruned. by: who ordered it. reason: a file number."""

    conversation_id: str
    at: datetime
    by: str
    reason: str


class Retention(Protocol):
    """What goes after its time, what may not, and payloads under a new key."""

    def due_documents(self, rules: Sequence[Due], limit: int) -> tuple[tuple[str, str], ...]:
        """Return (message id, role) of documents whose time is over, the oldest first. None of
        a conversation under legal hold, nor of a message that is still under way."""
        ...

    def drop_document(self, message_id: str, role: str) -> None:
        """Forget a document: its row, its salt, its bytes unless another document has them. An
        agency's message forgets the digest of its content with it."""
        ...

    def put_legal_hold(self, hold: LegalHold) -> None:
        """Keep all documents of a conversation until the hold is lifted."""
        ...

    def lift_legal_hold(self, conversation_id: str) -> bool:
        """End a hold; False when there is none."""
        ...

    def legal_holds(self) -> tuple[LegalHold, ...]:
        """Return the holds that stand."""
        ...

    def new_data_key(self) -> str | None:
        """Make a data key; from this commit on it encrypts. None: payloads lie in clear."""
        ...

    def rekey(self, current: str, limit: int) -> int:
        """Encrypt payloads that lie in clear or under another key; return how many."""
        ...

    def drop_data_keys(self, before: datetime) -> int:
        """Forget data keys that no payload needs and that had a follower before `before`: no
        transaction that began without it can still be under way. Return how many."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A payload. content: None where it cannot be opened; fault: the rule that says why."""

    digest: str
    size: int
    content: bytes | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the log. of_row: the leaf hash of its row of evidence; None: there is no row."""

    index: int
    hash: bytes
    of_row: bytes | None


class Scan(Protocol):
    """Everything that the audit looks at, in pages, by key."""

    def scan_payloads(self, after: str, limit: int) -> tuple[Stored, ...]:
        """Return payloads, opened; content None where they cannot be (the reason in `fault`)."""
        ...

    def scan_evidence(self, after: int, limit: int) -> tuple[Kept, ...]:
        """Return rows of evidence by id."""
        ...

    def scan_leaves(self, after: int, limit: int) -> tuple[Leaf, ...]:
        """Return leaves of the log, each with the leaf hash that its row of evidence has."""
        ...

    def scan_nodes(self, level: int, after: int, limit: int) -> tuple[tuple[int, bytes], ...]:
        """Return (index, hash) of the nodes of a level (1 and up)."""
        ...

    def node_levels(self) -> tuple[int, ...]:
        """Return the levels that have nodes."""
        ...

    def scan_heads(self, after: int, limit: int) -> tuple[Head, ...]:
        """Return heads by size."""
        ...

    def scan_messages(self, after: str, limit: int) -> tuple[str, ...]:
        """Return ids of messages."""
        ...

    def ownerless_evidence(self) -> tuple[str, ...]:
        """Return the messages that evidence names and that are not there."""
        ...

    def left_out_evidence(self) -> tuple[int, ...]:
        """Return the rows that are neither in the log nor waiting for it."""
        ...

    def nameless_payloads(self) -> tuple[str, ...]:
        """Return the digests of payloads that no document names."""
        ...

    def unusable_data_keys(self) -> tuple[str, ...]:
        """Return the data keys that cannot be unwrapped with the keys at hand."""
        ...
