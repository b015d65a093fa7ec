"""What every flow is given: the ports, the keys, the tables and who is who.

`bootstrap` fills it once from the settings. Nothing here does I/O by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.codec.formats import Formats
from gateway.codec.gates import Gates
from gateway.errors import UnavailableError
from gateway.evidence.heads import Pace
from gateway.evidence.pack import Pack
from gateway.flows.ports import Clock, IdMaker, Link, Randomness, Store
from gateway.flows.retry import Schedule
from gateway.flows.revocation import StatusDesk
from gateway.flows.routes import Routes
from gateway.recognition.link_model import LinkModel
from gateway.recognition.ruleset import RuleSet
from gateway.signing.keys import Signer
from gateway.signing.profiles import SignatureProfile
from gateway.signing.timestamp import TimestampAuthority
from gateway.signing.trust import TrustPolicy

PROFILE_VERSION = "1"
"""Version of the exchange profile that we speak (docs/exchange-profile.md, XP-VER)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an agency takes documents. destination: a name of the link's; None: it fetches
    them itself. documents: format names it wants."""

    destination: str | None
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class SignedForm:
    """How documents of an agency are signed, and by whom. formats: which; none: all of them."""

    policy: TrustPolicy
    formats: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Agency:
    """A domestic system. role: customs, quarantine, border-guard, operator ...

    formats: what it may submit. disclose: personal subtrees that it may read. signed: what it
    signs; a document of these formats without a valid signature is refused.
    """

    name: str
    role: str
    formats: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()
    deliver: Delivery | None = None
    disclose: frozenset[str] = frozenset()
    signed: tuple[SignedForm, ...] = ()

    def form_of(self, document_format: str) -> SignedForm | None:
        """Return how documents of a format are signed; None: they are not."""
        fits = (form for form in self.signed if not form.formats or document_format in form.formats)
        return next(fits, None)

    @property
    def sees_all(self) -> bool:
        """True for the operator, who sees every message (not its personal values)."""
        return self.role == "operator"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The other side.

    destination: its name in the link. messages, receipts: who may sign what, and how; heads:
    of the mutual ledger, None when no such key is pinned.
    sign_as: how we sign to it; None: as it signs. profile: identities and defaults that the
    tables take (`profile:NAME`). disclose: personal subtrees that may cross. accept_bare:
    documents without our envelope are taken.
    """

    name: str
    destination: str
    messages: TrustPolicy
    receipts: TrustPolicy
    profile: Mapping[str, str] = field(default_factory=dict)
    disclose: frozenset[str] = frozenset()
    accept_bare: bool = False
    sign_as: SignatureProfile | None = None
    heads: TrustPolicy | None = None

    @property
    def ours(self) -> SignatureProfile:
        """The shape of what we sign to it."""
        return self.sign_as or self.messages.profile


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the exchange profile (XP-LIM, XP-CLK, XP-DUP)."""

    document_bytes: int = 10_000_000
    uploads: int = 20
    stale_after: timedelta = timedelta(days=30)
    future: timedelta = timedelta(minutes=5)
    lifetime: timedelta = timedelta(days=8)
    half_waits: timedelta = timedelta(hours=24)
    window_days: int = 3


@dataclass(frozen=True, slots=True)
class Recognition:
    """Mutual recognition: the rule set in force, and the table of linking."""

    rules: RuleSet
    model: LinkModel


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that flows work with. side: vn or cn. name: our party id on the link.

    head_signer, pack_signer: None when no such key is configured. timestamps: who stamps;
    timestamp_anchors: certificates (DER) that tokens must lead to. pace: of heads. earlier_heads:
    certificates (DER) of head keys that we used before. sealed_types: formats whose documents
    have their fields sealed. revocation: who knows the
    status of certificates; without it a party whose rule asks for one is refused. pack: the
    bilateral pack in force, None without one. recognition: None where inspection results are
    not recognised.
    """

    side: str
    name: str
    store: Store
    link: Link
    formats: Formats
    gates: Gates
    routes: Routes
    clock: Clock
    ids: IdMaker
    randomness: Randomness
    message_signer: Signer
    receipt_signer: Signer
    statement_signer: Signer
    counterparts: Mapping[str, Counterpart]
    agencies: Mapping[str, Agency]
    register: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)
    limits: Limits = field(default_factory=Limits)
    test: bool = False
    head_signer: Signer | None = None
    pack_signer: Signer | None = None
    timestamps: TimestampAuthority | None = None
    timestamp_anchors: tuple[bytes, ...] = ()
    pace: Pace = field(default_factory=Pace)
    earlier_heads: tuple[bytes, ...] = ()
    sealed_types: frozenset[str] = frozenset()
    revocation: StatusDesk | None = None
    pack: Pack | None = None
    recognition: Recognition | None = None

    def counterpart(self) -> Counterpart:
        """Return the counterpart that our documents go to: version 1 has exactly one."""
        for counterpart in self.counterparts.values():
            return counterpart
        raise UnavailableError("unavailable")

    def agency_of(self, fingerprint: str) -> Agency | None:
        """Return the agency whose client certificate this is (hex SHA-256)."""
        return next((a for a in self.agencies.values() if fingerprint in a.fingerprints), None)

    def takers(self, document_type: str) -> tuple[Agency, ...]:
        """Return the agencies that want documents of a type."""
        return tuple(
            agency
            for agency in self.agencies.values()
            if agency.deliver is not None and document_type in agency.deliver.documents
        )
