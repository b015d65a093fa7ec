"""A whole gateway behind the REST interface: real flows, real tables, a real SQLite store.

Nothing is delivered: no worker runs, and the link has nowhere to post to.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uuid_utils
from edge_tls import Identity
from prometheus_client import CollectorRegistry

from gateway import store as stores
from gateway.api import agencies
from gateway.api.admission import Admission, Capacity
from gateway.api.health import Readiness
from gateway.api.listener import App
from gateway.api.metrics import Metrics
from gateway.api.threads import Threads
from gateway.codec.formats import Formats
from gateway.codec.gates import Gates
from gateway.errors import CounterpartError
from gateway.flows.ports import LinkAnswer
from gateway.flows.routes import Routes
from gateway.flows.services import Agency, Counterpart, Delivery, Services
from gateway.resources import folder
from gateway.signing.demo_keys import DemoKeys, generate
from gateway.signing.keys import Signer, load_certificate, load_signer
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.store import Store

SAMPLES = Path(__file__).parents[1] / "samples"
TABLES_OF = datetime(2026, 5, 14, tzinfo=UTC).date()
VN_FORMATS = frozenset({"vn.vnaccs.tor", "vn.vnaccs.eda", "vn.langson.registration"})
PROFILE = {
    "senderId": "7208990000001_DXPESW0000000001",
    "receiverId": "EPORT",
    "representative": "凭祥示例物流有限公司",
    "submitImmigration": "1",
    "submitQuarantine": "1",
}


class Nowhere:
    """A link without destinations."""

    def post(
        self, destination: str, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> LinkAnswer:
        raise CounterpartError("unreachable")


def trust(keys: DemoKeys, side: str, usage: Usage) -> TrustPolicy:
    certificate = load_certificate(keys.leaves[f"{side}/{usage}"].certificate.read_bytes())
    party = "cn-gateway" if side == "cn" else "vn-gateway"
    return TrustPolicy.of(profile("demo"), usage, [PinnedKey(certificate, party, usage)])


def signer(keys: DemoKeys, name: str) -> Signer:
    files = keys.leaves[name]
    return load_signer(files.key, files.certificate, None)


@dataclass(frozen=True)
class House:
    """Services over one SQLite file, with the application in front."""

    services: Services
    store: Store
    threads: Threads
    registry: CollectorRegistry
    keys: DemoKeys

    def app(self, capacity: Capacity | None = None) -> tuple[App, Readiness]:
        readiness = Readiness(self.store.check, self.threads)
        app = agencies.create(
            self.services,
            threads=self.threads,
            admission=Admission(capacity or Capacity()),
            readiness=readiness,
            metrics=Metrics(self.registry),
        )
        return app, readiness

    def close(self) -> None:
        assert self.threads.close(20)
        self.store.close()


def build(
    folder_: Path, template: Path, keys: DemoKeys, identities: Mapping[str, Identity]
) -> House:
    """Open a house. identities: agency name -> its client certificate."""
    path = folder_ / "store.db"
    path.write_bytes(template.read_bytes())
    store = stores.open(f"sqlite:///{path}")
    services = Services(
        side="vn",
        name="vn-gateway",
        store=store,
        link=Nowhere(),
        formats=formats(),
        gates=Gates.load(folder("mappings"), TABLES_OF),
        routes=Routes.load(folder("mappings")),
        clock=lambda: datetime.now(UTC),
        ids=lambda: str(uuid_utils.uuid7()),
        randomness=os.urandom,
        message_signer=signer(keys, "vn/message"),
        receipt_signer=signer(keys, "vn/receipt"),
        statement_signer=signer(keys, "vn/statement"),
        head_signer=signer(keys, "vn/head"),
        pack_signer=signer(keys, "vn/pack"),
        counterparts={
            "cn-gateway": Counterpart(
                name="cn-gateway",
                destination="counterpart",
                messages=trust(keys, "cn", Usage.MESSAGE),
                receipts=trust(keys, "cn", Usage.RECEIPT),
                profile=PROFILE,
                disclose=frozenset({"crew.names", "crew.filing", "communications"}),
            )
        },
        agencies=agencies_of(identities),
        test=True,
    )
    return House(services, store, Threads(16), CollectorRegistry(), keys)


_FORMATS: list[Formats] = []


def formats() -> Formats:
    """Load the tables once for all tests."""
    if not _FORMATS:
        _FORMATS.append(Formats.load(TABLES_OF))
    return _FORMATS[0]


def agencies_of(identities: Mapping[str, Identity]) -> dict[str, Agency]:
    roles = {
        "customs": Agency("customs", "customs", VN_FORMATS, disclose=frozenset({"crew"})),
        "other": Agency("other", "customs", VN_FORMATS),
        "quarantine": Agency(
            "quarantine", "quarantine", deliver=Delivery(None, frozenset({"canonical.manifest"}))
        ),
        "operator": Agency("operator", "operator"),
    }
    return {
        name: Agency(
            agency.name,
            agency.role,
            agency.formats,
            frozenset({identities[name].fingerprint}),
            agency.deliver,
            agency.disclose,
        )
        for name, agency in roles.items()
    }


def demo_keys(target: Path) -> DemoKeys:
    return generate(target, datetime.now(UTC), None)
