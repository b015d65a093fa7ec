"""The formats of a day in May 2026, the samples, and the sources of a submission."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.codec.edi import decode as read_edi
from gateway.codec.edi import encode as write_edi
from gateway.codec.formats import Encoded, Formats
from gateway.codec.gates import Gates
from gateway.codec.layout import edi_layout
from gateway.codec.merge import merge
from gateway.codec.sources import SubmissionSources
from gateway.codec.table import Table, load_all
from gateway.errors import Finding, GatewayError, Severity
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters

DAY = date(2026, 5, 14)
MAPPINGS = Path("mappings")
XSD = Path("xsd")
SAMPLES = Path("tests/samples")
SENDER = "7208990000001_DXPESW0000000001"
PROFILE = {
    "senderId": SENDER,
    "receiverId": "EPORT",
    "representative": "凭祥示例物流有限公司",
    "procedureCode": "RD06",
    "submitImmigration": "1",
    "submitQuarantine": "1",
}
NOWHERE = Parameters()
NUMBERS = {
    "messageId": "CN_MT1401_1p0_7208990000001_20260514091512345",
    "sendTime": "20260514091512345",
    "batchNumber": "5100260514009",
    "waybill": "VN260514000900",
}


@dataclass(frozen=True)
class Desk:
    """What a submission needs: formats, samples, sources with numbers that are given."""

    formats: Formats

    def table(self, name: str) -> Table:
        return load_all(MAPPINGS, DAY)[name]

    def sample(self, name: str) -> bytes:
        return (SAMPLES / name).read_bytes()

    def parameters(self, name: str) -> Parameters:
        return msgspec.json.decode(self.sample(name), type=Parameters)

    def expected(self, name: str) -> bytes:
        """An expected XML document as it is on the wire: without the white space for readers."""
        return re.sub(rb">\s+<", b"><", self.sample(name)).strip()

    def joined(self, *samples: str | bytes) -> Manifest:
        merged = merge([self.decode(sample) for sample in samples])
        assert merged.findings == ()
        return merged.manifest

    def decode(self, sample: str | bytes) -> Manifest:
        content = sample if isinstance(sample, bytes) else self.sample(sample)
        document = self.formats.decode(self.formats.detect(content), content).document
        assert isinstance(document, Manifest)
        return document

    def refuses(self, content: bytes) -> list[Finding]:
        """Return the findings with which a document is refused."""
        with pytest.raises(GatewayError) as caught:
            self.formats.decode(self.formats.detect(content), content)
        return list(caught.value.findings)

    def sources(
        self,
        parameters: Parameters = NOWHERE,
        numbers: Mapping[str, str] | None = None,
        profile: Mapping[str, str] = PROFILE,
        register: Callable[[str], Mapping[str, str] | None] = lambda _: None,
        allocate: Callable[[str, str], str | None] | None = None,
    ) -> SubmissionSources:
        return SubmissionSources(
            parameters,
            profile=profile,
            gates=Gates.load(MAPPINGS, DAY),
            allocate=allocate or (lambda what, key: (numbers or NUMBERS).get(what)),
            register=register,
        )

    def translate(
        self, target: str, document: Manifest, sources: SubmissionSources, *, draft: bool = False
    ) -> Encoded:
        supplied = self.formats.supply(target, document, sources)
        return self.formats.encode(target, supplied.document, supplied.head, draft=draft)

    def refused(self, target: str, document: Manifest, sources: SubmissionSources) -> list[Finding]:
        """Return the findings that refuse a translation."""
        with pytest.raises(GatewayError) as caught:
            self.translate(target, document, sources)
        return [f for f in caught.value.findings if f.severity is Severity.REFUSE]


def numbers_of(kind: str, at: str) -> dict[str, str]:
    """The message id and time that an expected document of this kind carries."""
    return {
        "messageId": f"CN_{kind}_1p0_7208990000001_{at}",
        "sendTime": at,
    }


Record = dict[str, Any]


def edi(name: str, change: Callable[[Record], None]) -> bytes:
    """Return an EDI sample with a change in its record, its length and padding right."""
    content = (SAMPLES / name).read_bytes()
    procedure = content[3:8].decode().strip().lower()
    layout = edi_layout(MAPPINGS / "layouts" / f"vn.vnaccs.{procedure}.csv")
    record, findings = read_edi(layout, content)
    assert not findings
    change(record)
    head: Any = record.pop("_header")
    written, _ = write_edi(layout, record, head, bytes_only=True)
    return written


def xml(name: str, *changes: tuple[str, str]) -> bytes:
    """Return an XML sample with texts replaced; each must occur."""
    text = (SAMPLES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def registration(change: Callable[[Record], None]) -> bytes:
    """Return the Lang Son sample with a change."""
    document = msgspec.json.decode((SAMPLES / "durian/registration.json").read_bytes())
    change(document)
    return msgspec.json.encode(document)
