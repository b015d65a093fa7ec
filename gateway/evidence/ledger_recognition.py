"""What two gateways say to each other about inspected goods, over the path of their ledger
(exchange profile, XP-MRA)."""

from gateway.evidence.strict import Strict


class AskStatements(Strict, frozen=True, tag_field="type", tag="statements"):
    """Take these statements of inspected goods (DSSE); give me those that I name by digest."""

    given: tuple[bytes, ...]
    wanted: tuple[str, ...]


class Decided(Strict, frozen=True):
    """A claim as one side decided it. receipt: DSSE, empty for a claim that it does not know.
    digests: the shared statements that it has for it."""

    receipt: bytes
    digests: tuple[str, ...]


class AskReceipts(Strict, frozen=True, tag_field="type", tag="receipts"):
    """This is what I decided of these claims; and you?"""

    claims: tuple[Decided, ...]


class TellStatements(Strict, frozen=True, tag_field="type", tag="statements"):
    """taken: of each that was given its digest and a code: why it was not taken, or nothing.
    found: as many of the wanted as fit."""

    taken: tuple[tuple[str, str], ...]
    found: tuple[bytes, ...]


class TellReceipts(Strict, frozen=True, tag_field="type", tag="receipts"):
    """The same claims, as the one who answers decided them."""

    claims: tuple[Decided, ...]
