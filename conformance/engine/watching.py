"""The simulated partner of a session, and what a case has seen of it."""

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from conformance.crypto.keys import TLS, Wanted, make
from conformance.engine.results import UnavailableError
from conformance.engine.session import Session
from conformance.partner.answering import Answers
from conformance.partner.server import Arrival, Partner, Tls, said

EXPIRED = (timedelta(days=-9), timedelta(days=-1))


@dataclass(slots=True)
class Watch:
    """What one case sees. batches: the batch number of what it triggered, by its names. A
    target may make several messages of one document: they share the order key."""

    partner: Partner
    batches: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> list[Arrival]:
        """Return the arrivals of what was triggered under a name, oldest first."""
        batch = self.batches.get(name, "-")
        return [arrival for arrival in self.partner.arrivals if said(arrival, "OrderKey") == batch]

    def by_type(self, name: str) -> list[list[Arrival]]:
        """Return the same, apart by document type: each is attempts of one message or of the
        versions of one document."""
        found: dict[str, list[Arrival]] = {}
        for arrival in self.of(name):
            found.setdefault(said(arrival, "DocumentType"), []).append(arrival)
        return list(found.values())


async def open_partner(session: Session) -> Partner:
    """Start the partner at the address that the target sends to. UnavailableError."""
    stated = session.target.partner
    if stated.server is None or not stated.port:
        raise UnavailableError("the target file names no [partner]")
    answers = Answers(session.target.we, session.key("receipt"), session.key("stranger-receipt"))
    right = (str(session.home / stated.server.certificate), str(session.home / stated.server.key))
    tls = Tls(right, str(session.home / stated.anchors), _wrong(session))
    partner = Partner(answers, tls)
    await partner.start(stated.host, stated.port)
    return partner


def _wrong(session: Session) -> dict[str, tuple[str, str]]:
    """Certificates that no sender may talk to. Those that need the authority are made only
    when the target file lends its key."""
    home = Path(tempfile.mkdtemp(prefix="partner-", dir=session.home))
    leaf = Wanted("stranger", usages=TLS, hosts=("127.0.0.1", "localhost"))
    made = {"tls-unknown-ca": make(leaf)}
    if "authority" in session.target.keys:
        above = session.key("authority")
        expired = Wanted("partner", usages=TLS, hosts=("127.0.0.1",), lasts=EXPIRED)
        elsewhere = Wanted("elsewhere", usages=TLS, hosts=("elsewhere.example",))
        made |= {"tls-expired": make(expired, above), "tls-wrong-name": make(elsewhere, above)}
    pairs = {}
    for name, key in made.items():
        private, certificate = key.write(home / name)
        pairs[name] = (str(certificate), str(private))
    return pairs
