"""What an agency signs: opened first, decoded from what was signed, kept as it came."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from flow_sides import NOW, SAMPLES, Side

from gateway.errors import DocumentError, TrustError
from gateway.flows import query
from gateway.flows.intake import Upload
from gateway.flows.services import SignedForm
from gateway.flows.submit import Submitted, submit
from gateway.model.parameters import Parameters
from gateway.safexml import parse
from gateway.signing.algorithms import RSA_SHA256
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.smime import sign_smime
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.xades import sign_xades

FOLDER = SAMPLES / "dragon-fruit"
TOR, EDA = ((FOLDER / name).read_bytes() for name in ("tor.edi", "eda-1.edi"))
EDA_2 = (FOLDER / "eda-2.edi").read_bytes()
STATED = msgspec.json.decode((FOLDER / "parameters.json").read_bytes(), type=Parameters)
EDI = frozenset({"vn.vnaccs.tor", "vn.vnaccs.eda"})
ISSUED = leaf(
    Subject("VN", "Test", "", "customs"),
    Purpose.MESSAGE,
    NOW - timedelta(days=30),
    90,
    kind=KeyKind.RSA3072,
)
SIGNER = key_signer(ISSUED.key, ISSUED.der, RSA_SHA256)


def form(name: str, formats: frozenset[str]) -> SignedForm:
    pins = [PinnedKey(ISSUED.der, "customs", Usage.MESSAGE)]
    return SignedForm(TrustPolicy.of(profile(name), Usage.MESSAGE, pins), formats)


def signing(side: Side, *forms: SignedForm) -> Side:
    """Tell a side how its customs system signs."""
    told = replace(side.services.agencies["customs"], signed=forms)
    side.services = replace(side.services, agencies={"customs": told})
    return side


@pytest.fixture
def vn(sides: dict[str, Side]) -> Side:
    return signing(sides["vn"], form("vnaccs-smime", EDI))


def mime(content: bytes, at: datetime = NOW) -> bytes:
    return sign_smime(content, SIGNER, at, "=_test_boundary")


def hand_in(side: Side, *contents: bytes, stated: str | None = None) -> Submitted:
    uploads = [Upload(f"document-{n}", content, stated) for n, content in enumerate(contents, 1)]
    agency = side.services.agencies["customs"]
    return submit(side.services, agency, uploads, STATED)


def document(side: Side, message: str, role: str) -> tuple[str, bytes | None]:
    def work(tx):
        (found,) = [d for d in tx.documents(message) if d.role == role]
        return found.media_type, tx.content(message, role)

    return side.services.store.read(work)


def refusal(side: Side, *contents: bytes, stated: str | None = None) -> tuple[str, str]:
    with pytest.raises(TrustError) as caught:
        hand_in(side, *contents, stated=stated)
    return caught.value.code, caught.value.findings[0].rule


def test_a_truck_crosses_whose_documents_are_signed(sides: dict[str, Side], vn: Side) -> None:
    done = hand_in(vn, mime(TOR), mime(EDA), mime(EDA_2))
    assert done.state == "translated"
    while sides["vn"].work() + sides["cn"].work():
        pass
    agency = vn.services.agencies["customs"]
    crossing = query.crossing(vn.services, agency, done.conversation_id)
    out = {str(m.state) for m in crossing.messages if str(m.kind) == "outbound"}
    assert out == {"receipted"}


def test_what_is_kept_is_what_came(vn: Side) -> None:
    octets = mime(TOR)
    (message,) = hand_in(vn, octets).messages
    assert document(vn, message, "original") == ("multipart/signed", octets)
    events = vn.services.store.read(lambda tx: tx.events(message))
    (received,) = [event for event in events if event.code == "received"]
    assert received.detail["signer"] == SIGNER.key_id
    assert received.detail["signing-time"] == "claimed"
    assert received.detail["signed-at"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.proves(
    attack="an agency's document without the signature that its formats need",
    code="signature-missing",
    behaviour="Refused with evidence of it, whether the format is stated or detected.",
)
@pytest.mark.parametrize("stated", [None, "vn.vnaccs.tor"])
def test_unsigned_documents_are_refused(vn: Side, stated: str | None) -> None:
    assert refusal(vn, TOR, stated=stated)[0] == "signature-missing"


def test_a_changed_document_is_refused_and_leaves_evidence(vn: Side) -> None:
    before = rows(vn)
    assert refusal(vn, mime(TOR).replace(b"TOR", b"TOX", 1))[0] == "signature-invalid"
    assert [row for row in rows(vn) if row not in before] == [
        ("refused", "signature-invalid"),
    ]
    assert hand_in(vn, mime(TOR)).messages


def rows(side: Side) -> list[tuple[str, str]]:
    kept = side.services.store.read(lambda tx: tx.evidence_of(""))
    read = [json.loads(row.entry) for row in kept]
    return [(entry["kind"], entry.get("code", "")) for entry in read]


def test_the_finding_names_the_document(vn: Side) -> None:
    with pytest.raises(TrustError) as caught:
        hand_in(vn, mime(TOR), mime(EDA).replace(b"8bit", b"7bit"))
    assert caught.value.findings[0].path.startswith("document-2: ")


@pytest.mark.proves(
    attack="a signed envelope of one form around a document that must be signed in another",
    code="signature-scope",
    rule="signed-form",
    behaviour="Refused: the format found inside says how it must be signed.",
)
def test_a_document_in_the_form_of_another(sides: dict[str, Side]) -> None:
    vn = signing(
        sides["vn"],
        form("vnaccs-smime", frozenset({"vn.vnaccs.tor"})),
        form("vn-2025", frozenset({"vn.vnaccs.eda"})),
    )
    assert hand_in(vn, mime(TOR)).messages
    assert refusal(vn, mime(EDA)) == ("signature-scope", "signed-form")


def test_formats_that_are_not_signed_stay_as_they_are(sides: dict[str, Side]) -> None:
    vn = signing(sides["vn"], form("vnaccs-smime", frozenset({"vn.vnaccs.eda"})))
    assert hand_in(vn, TOR).messages
    assert refusal(vn, EDA)[0] == "signature-missing"


def test_an_agency_that_signs_nothing_cannot_send_signed_text(sides: dict[str, Side]) -> None:
    with pytest.raises(DocumentError):
        hand_in(sides["vn"], mime(TOR))


def test_xades_around_a_document_of_the_other_side(sides: dict[str, Side]) -> None:
    """What travels is what was signed; the signed original stays, as it came."""
    cn = signing(sides["cn"], form("vn-2025", frozenset()))
    plain = (SAMPLES / "electronics" / "mt2401.xml").read_bytes()
    octets = sign_xades(parse(plain), SIGNER, NOW, "t")
    done = hand_in(cn, octets)
    assert done.state == "forwarded"
    (message,) = done.messages
    assert document(cn, message, "original") == ("application/xml", octets)
    while sides["vn"].work() + sides["cn"].work():
        pass
    sent = [body for destination, body in cn.wire.sent if destination == "vn"]
    assert b"SignatureValue" in sent[0]  # our own, of the message
    assert b"QualifyingProperties" not in sent[0]
    assert refusal(cn, octets.replace(b"<ds:Object", b"<ds:Object x='1'"))[0] == "signature-scope"


def test_an_old_submission_is_stale(vn: Side) -> None:
    assert refusal(vn, mime(TOR, NOW - timedelta(hours=25))) == ("stale", "signing-time")
