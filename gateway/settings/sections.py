"""The sections of the settings file, as frozen values. Defaults are those of the exchange
profile. Paths are relative to the file; secrets stand in files of their own."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from gateway.settings.agencies import SignedDocuments
from gateway.settings.evidence import AtRestSection, EvidenceSection, RetentionSection
from gateway.settings.keys import Hsm, Keys, Pair
from gateway.settings.recognition import RecognitionSection
from gateway.settings.settlement import SettlementSection
from gateway.settings.timestamps import TimestampsSection
from gateway.settings.trust import PartyTrust, TrustSection
from gateway.settings.values import (
    Address,
    Duration,
    File,
    Fingerprint,
    FutureFile,
    Name,
    Port,
    Positive,
    Section,
    StoreUrl,
    is_loopback,
)
from gateway.signing.profiles import LINK_PROFILES, PROFILES


class House(Section):
    """[gateway] Who we are. name: our party id on the link. profile: `demo` trusts demo
    keys, `production` refuses them. test: our messages carry the test indicator."""

    side: Literal["vn", "cn"]
    name: Name
    profile: Literal["demo", "production"] = "production"
    test: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class StoreSection(Section):
    """[store] url: sqlite:///file or postgresql://user@host/database. password_file: of the
    database user."""

    url: StoreUrl = Field(default="sqlite:///gateway.db", validate_default=True)
    password_file: File | None = None


class Listen(Pair):
    """[listen.counterpart], [listen.agencies] A listener. anchors: PEM file of the only
    authorities whose client certificates may connect."""

    host: Address = "127.0.0.1"
    port: Port
    anchors: File


class ListenOperations(Section):
    """[listen.operations] Health and metrics. Without TLS it listens on loopback only."""

    host: Address = "127.0.0.1"
    port: Port
    key: File | None = None
    certificate: File | None = None
    password_file: File | None = None
    anchors: File | None = None

    @model_validator(mode="after")
    def _all_or_loopback(self) -> Self:
        parts = (self.key, self.certificate, self.anchors)
        if any(parts) and not all(parts):
            raise ValueError("TLS needs all three: key, certificate and anchors")
        if not any(parts) and not is_loopback(self.host):
            raise ValueError("without TLS only a loopback address is allowed")
        return self


class Listeners(Section):
    """[listen] What is absent is not opened."""

    counterpart: Listen | None = None
    agencies: Listen | None = None
    operations: ListenOperations | None = None


class LimitsSection(Section):
    """[limits] Bounds of the exchange profile (XP-LIM, XP-CLK, XP-DUP) and of the house.

    half_waits: how long half a crossing waits for the rest. window_days: how far two halves
    may lie apart. requests, per_peer: held at once by a listener.
    """

    document_bytes: Positive = 10_000_000
    answer_bytes: Positive = 1_048_576
    uploads: Positive = 20
    stale_after: Duration = timedelta(days=30)
    future: Duration = timedelta(minutes=5)
    lifetime: Duration = timedelta(days=8)
    half_waits: Duration = timedelta(hours=24)
    window_days: Annotated[int, Field(ge=0)] = 3
    requests: Positive = 256
    per_peer: Positive = 128


class WorkerSection(Section):
    """[worker] inside: `serve` runs one. places: sends to one destination at once. deadline:
    for one whole send. lease: longer than twice that. look_at_tls: how often TLS files are
    looked at. drain: what a stop waits for."""

    inside: bool = True
    places: Positive = 4
    deadline: Duration = timedelta(seconds=30)
    lease: Duration = timedelta(seconds=90)
    poll: Duration = timedelta(milliseconds=500)
    expire_every: Duration = timedelta(seconds=30)
    look_at_tls: Duration = timedelta(seconds=10)
    drain: Duration = timedelta(seconds=30)

    @model_validator(mode="after")
    def _lease_outlasts_a_send(self) -> Self:
        if self.lease <= 2 * self.deadline:
            raise ValueError("lease must be longer than twice the deadline")
        return self


class RetrySection(Section):
    """[retry] The schedule of the exchange profile (XP-RTY)."""

    first: Duration = timedelta(seconds=2)
    longest: Duration = timedelta(minutes=15)
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.5
    horizon: Duration = timedelta(days=7)


class BreakerSection(Section):
    """[breaker] After `threshold` failures a destination is left alone for `pause`, which
    doubles to `longest`."""

    threshold: Positive = 5
    pause: Duration = timedelta(seconds=15)
    longest: Duration = timedelta(minutes=5)


class Pinned(Section):
    """[[counterpart.NAME.pinned]] A certificate that may sign for the counterpart, in a
    window that may be narrower than its own."""

    certificate: File
    usage: Literal["message", "receipt", "statement", "head", "pack"]
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None


class Client(Section):
    """How we call somebody. anchors: the only authorities that are believed. certificate,
    key: who we are to it."""

    url: str
    anchors: File | None = None
    certificate: File | None = None
    key: File | None = None
    password_file: File | None = None

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        scheme, _, rest = self.url.partition("://")
        host = rest.split("/")[0].rsplit(":", 1)[0].strip("[]")
        if scheme != "https" and not (scheme == "http" and is_loopback(host)):
            raise ValueError("url must be https:// (http:// to a loopback address only)")
        return self


class CounterpartSection(Client):
    """[counterpart.NAME] The other side; NAME is its party id on the link.

    client_certificates, fingerprints: with what it connects to us. pinned: who signs.
    signature: how it signs, a profile of gateway.signing.profiles. sign_as: how we sign to it,
    where that is another one. legacy_signatures: the switch of both; SHA-1 needs it. trust:
    beside the pins. pack: the bilateral pack that `gateway pack apply` wrote; with one, its
    certificates, profile, limits and clients take the place of those here. disclose: personal
    subtrees that may cross. profile: identities and defaults that mapping tables take
    (`profile:NAME`).
    """

    client_certificates: tuple[File, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    pinned: tuple[Pinned, ...] = ()
    pack: FutureFile | None = None
    signature: str = "link-ecdsa-p256"
    sign_as: str | None = None
    legacy_signatures: bool = False
    trust: PartyTrust = Field(default={}, validate_default=True)
    accept_bare: bool = False
    disclose: frozenset[str] = frozenset()
    profile: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        usages = {pin.usage for pin in self.pinned}
        if self.pack is not None and "pack" not in usages:
            raise ValueError("a pack needs a certificate that is pinned for: pack")
        missing = {"message", "receipt"} - usages
        if missing and not self.trust.names and self.pack is None:
            raise ValueError(f"no certificate is pinned for: {', '.join(sorted(missing))}")
        for name in (self.signature, self.sign_as or self.signature):
            if name not in LINK_PROFILES:
                raise ValueError(f"signature must be one of: {', '.join(sorted(LINK_PROFILES))}")
            if not (PROFILES[name].methods or self.legacy_signatures):
                raise ValueError(f"{name} needs legacy_signatures = true")
        return self


class Deliver(Section):
    """[agency.NAME.deliver] documents: formats that it wants. to: where its own system
    takes them; without it the agency fetches them."""

    documents: frozenset[str]
    to: Client | None = None


class AgencySection(Section):
    """[agency.NAME] A domestic system, known by its client certificate. role: customs,
    quarantine, border-guard, operator ... formats: what it may submit."""

    role: Name
    certificates: tuple[File, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    formats: frozenset[str] = frozenset()
    disclose: frozenset[str] = frozenset()
    signed: tuple[SignedDocuments, ...] = ()
    deliver: Deliver | None = None

    @model_validator(mode="after")
    def _is_known_by_something(self) -> Self:
        if not self.certificates and not self.fingerprints:
            raise ValueError("an agency needs certificates or fingerprints to be known by")
        return self


class Register(Section):
    """[register] vehicles: CSV file, one vehicle a row, with a column `filing`."""

    vehicles: File | None = None


class Settings(Section):
    """The whole file. client: how the command line calls the agencies' interface."""

    gateway: House
    store: StoreSection = Field(default={}, validate_default=True)
    listen: Listeners = Listeners()
    keys: Keys
    hsm: Hsm | None = None
    limits: LimitsSection = LimitsSection()
    worker: WorkerSection = WorkerSection()
    retry: RetrySection = RetrySection()
    breaker: BreakerSection = BreakerSection()
    counterpart: dict[Name, CounterpartSection] = Field(default_factory=dict)
    agency: dict[Name, AgencySection] = Field(default_factory=dict)
    timestamps: TimestampsSection = TimestampsSection()
    trust: TrustSection = TrustSection()
    evidence: EvidenceSection = EvidenceSection()
    settlement: SettlementSection = SettlementSection()
    recognition: RecognitionSection | None = None
    retention: RetentionSection = RetentionSection()
    at_rest: AtRestSection = AtRestSection()
    registers: Register = Field(default=Register(), alias="register")
    client: Client | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.counterpart) > 1:
            raise ValueError("version 1 has one counterpart: keep one [counterpart.NAME]")
        if self.gateway.profile == "production":
            for name, section in self.counterpart.items():
                if PROFILES[section.signature].demo:
                    raise ValueError(f"counterpart.{name}.signature: demo keys in production")
            if self.recognition and self.recognition.allow_unsigned:
                raise ValueError("recognition.allow_unsigned: in production rules are signed")
        inside = [name for name, key in self.keys.all_of_them().items() if key.in_token]
        if inside and self.hsm is None:
            raise ValueError(f"{inside[0]} is in a token: [hsm] must say in which")
        return self
