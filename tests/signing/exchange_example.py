"""Makes the worked example of docs/exchange-profile.md. Run it to make it anew:

    python tests/signing/exchange_example.py

Keys are new each time and are thrown away, so nobody can sign as the example's parties.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lxml import etree

from gateway.codec.envelope import (
    Envelope,
    Receipt,
    Refusal,
    build_message,
    build_receipt,
    build_refusal,
    digest_of,
)
from gateway.codec.exchange import NAMESPACE
from gateway.errors import Finding
from gateway.evidence.rows import commitment
from gateway.safexml import c14n, parse
from gateway.signing.issue import Issued, Purpose, Subject, leaf
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import DEMO_UNIT

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "docs" / "exchange-profile.md"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
FOLDER = ROOT / "docs" / "exchange-example"
CREATED = datetime(2026, 5, 14, 1, 30, 0, 125000, tzinfo=UTC)
MESSAGE_ID = "019e2459-7c7d-7000-8000-000000000002"
SALT = bytes(range(32))
"""Of the example. A real salt is random and stays secret until it is asked for."""

ENVELOPE = Envelope(
    message_id=MESSAGE_ID,
    conversation_id="019e2459-7c00-7000-8000-0000000000aa",
    ref_to=None,
    sender="vn",
    recipient="cn",
    document_type="cn.mt4401",
    document_type_version="1.0",
    function="original",
    document_version=1,
    order_key="5100260514001",
    sequence=2,
    created=CREATED,
    expires=CREATED + timedelta(days=8),
    test=True,
    commitment=commitment(SALT, ((ROOT / "tests/samples/dragon-fruit/tor.edi").read_bytes(),)),
)


def body() -> bytes:
    """Return the sample document without the white space that is there for reading."""
    root = parse((ROOT / "tests/samples/dragon-fruit/mt4401.xml").read_bytes())
    for element in root.iter():
        if len(element):
            element.text = None
        element.tail = None
    return c14n(root)


def key(country: str, name: str, purpose: Purpose) -> Issued:
    subject = Subject(country, "Example of the exchange profile", DEMO_UNIT, name)
    return leaf(subject, purpose, datetime(2026, 1, 1, tzinfo=UTC), 365 * 30)


def signed(unsigned: bytes, issued: Issued) -> bytes:
    chosen = profile("demo")
    return sign_document(unsigned, key_signer(issued.key, issued.der), chosen)


def write() -> None:
    """Make all files of the example."""
    sender = key("VN", "vn message", Purpose.MESSAGE)
    receiver = key("CN", "cn receipt", Purpose.RECEIPT)
    unsigned = build_message(ENVELOPE, body())
    message = signed(unsigned, sender)
    received = CREATED + timedelta(seconds=2, milliseconds=401)
    receipt = build_receipt(Receipt(MESSAGE_ID, digest_of(unsigned), "cn", "vn", received, (1,)))
    finding = Finding(
        "code-unknown",
        "code-list",
        "Manifest/Declaration/DeclarationOfficeID",
        found="9999",
        expected="a customs office",
    )
    refusal = build_refusal(
        Refusal(MESSAGE_ID, digest_of(unsigned), "cn", "vn", received, "code-unknown", (finding,))
    )
    info = parse(message).find(f".//{DS}SignedInfo")
    assert isinstance(info, etree._Element)
    for name, content in {
        "message.unsigned.xml": unsigned,
        "message.signedinfo.xml": c14n(info),
        "message.xml": message,
        "receipt.xml": signed(receipt, receiver),
        "refusal.xml": signed(refusal, receiver),
        "vn-message.cert.pem": sender.pem,
        "cn-receipt.cert.pem": receiver.pem,
    }.items():
        (FOLDER / name).write_bytes(content)


def blocks() -> dict[str, str]:
    """Return what the text shows of the files, by the comment that stands before it."""
    message = (FOLDER / "message.xml").read_bytes()
    digest = digest_of((FOLDER / "message.unsigned.xml").read_bytes())
    head = (
        "POST /exchange/v1 HTTP/1.1",
        "Host: gateway.example.cn",
        "Content-Type: application/xml",
        f"Content-Length: {len(message)}",
        "",
        f'<xp:Message xmlns:xp="{NAMESPACE}"> ...',
        "",
        "HTTP/1.1 200 OK",
        "Content-Type: application/xml",
        "",
        f'<xp:Receipt xmlns:xp="{NAMESPACE}"> ...',
    )
    return {
        "digest": digest,
        "message": indented("message.xml", signature=True),
        "receipt": indented("receipt.xml", signature=False),
        "refusal": indented("refusal.xml", signature=False),
        "exchange": "\n".join(head),
    }


def indented(name: str, *, signature: bool) -> str:
    root = parse((FOLDER / name).read_bytes())
    if signature:
        for value in root.iter(f"{DS}SignatureValue", f"{DS}X509Certificate"):
            value.text = f"{(value.text or '')[:32]}..."
    else:
        root.remove(root[-1])
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def shown(text: str) -> str:
    """Return the text of the profile with the blocks of the files."""
    for name, block in blocks().items():
        pattern = rf"(<!-- {name} -->\n```\w*\n).*?(\n```\n)"
        text = re.sub(pattern, lambda m, b=block: m[1] + b + m[2], text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    write()
    PROFILE.write_text(shown(PROFILE.read_text(encoding="utf-8")), encoding="utf-8")
