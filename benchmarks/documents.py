"""The documents that are measured: a pre-loading manifest with n lines, and its link message."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import uuid_utils
from msgspec.structs import replace

from gateway.codec import envelope
from gateway.codec.formats import Decoded, Formats
from gateway.model.manifest import Direction, Manifest, PlaceAndTime
from gateway.model.values import Code, Location, Moment, Precision
from gateway.safexml import c14n, parse

NOW = datetime(2026, 5, 14, 1, 15, tzinfo=UTC)
SAMPLE = Path(__file__).parent.parent / "tests" / "samples" / "electronics" / "mt2401.xml"
DESCRIPTION = (
    "PRINTED CIRCUIT ASSEMBLIES, MODEL SAMPLE-{0:05d}, FOR INDUSTRIAL CONTROLLERS, 100% NEW, "
    "PACKED IN ANTISTATIC BAGS ON PALLETS, LOT {0:05d}"
)
NAMESPACE = "urn:Declaration:datamodel:standard:CN:MT2401:1"


def manifest(lines: int) -> bytes:
    """Return canonical MT2401 octets with that many goods lines (20 are some 13 KB in all)."""
    root = parse(SAMPLE.read_bytes())
    for element in root.iter():
        element.tail = None
        if len(element):
            element.text = None
    consignment = root.find(f"{{{NAMESPACE}}}Declaration/{{{NAMESPACE}}}Consignment")
    items = consignment.findall(f"{{{NAMESPACE}}}ConsignmentItem")
    first, place = items[0], consignment.index(items[0])
    for item in items:
        consignment.remove(item)
    for number in range(1, lines + 1):
        item = deepcopy(first)
        item.find(f"{{{NAMESPACE}}}SequenceNumeric").text = str(number)
        item.find(f".//{{{NAMESPACE}}}Description").text = DESCRIPTION.format(number)
        consignment.insert(place + number - 1, item)
    _total(consignment, lines)
    for contact in consignment.findall(f"{{{NAMESPACE}}}UNDGContact"):
        consignment.remove(contact)
    return c14n(parse(c14n(root)))


def _total(consignment, lines: int) -> None:
    """Make the stated totals agree with the lines."""
    item = consignment.find(f"{{{NAMESPACE}}}ConsignmentItem")
    count = int(item.find(f".//{{{NAMESPACE}}}QuantityQuantity").text)
    mass = Decimal(item.find(f".//{{{NAMESPACE}}}GrossMassMeasure").text)
    consignment.find(f"{{{NAMESPACE}}}TotalPackageQuantity").text = str(count * lines)
    goods = consignment.find(f"{{{NAMESPACE}}}GovernmentAgencyGoodsItem")
    goods.find(f".//{{{NAMESPACE}}}GrossMassMeasure").text = str(mass * lines)


def message(body: bytes, document_type: str) -> bytes:
    """Return an unsigned link message around a document."""
    stated = envelope.Envelope(
        message_id=str(uuid_utils.uuid7()),
        conversation_id=str(uuid_utils.uuid7()),
        ref_to=None,
        sender="cn",
        recipient="vn",
        document_type=document_type,
        document_type_version="1.0",
        function="original",
        document_version=1,
        order_key="5100260518001",
        sequence=1,
        created=NOW,
        expires=NOW + timedelta(days=7),
        test=False,
        commitment="0" * 64,
    )
    return envelope.build_message(stated, body)


HEAD = {
    "messageId": "CN_MT1401_1p0_7208990000001_20260514091512345",
    "senderId": "7208990000001_DXPESW0000000001",
    "receiverId": "EPORT",
}


def turned(document: Manifest) -> Manifest:
    """Address the pre-loading manifest to the other side as an original manifest: the same
    goods, the other direction, a place of unloading."""
    office = document.exit_office.office if document.exit_office else None
    place = Location(code=Code(list="cn.place", value="CNPIN/7208"))
    day = Moment(precision=Precision.DAY, local="2026-05-18")
    return replace(
        document,
        direction=Direction.VN_CN,
        exit_office=None,
        entry_office=Location(office=office),
        unloading=PlaceAndTime(location=place, at=day),
        consignments=tuple(replace(c, itinerary=("CN",)) for c in document.consignments),
    )


def translated(formats: Formats, decoded: Decoded) -> bytes:
    """Translate to MT1401."""
    return formats.encode("cn.mt1401", turned(decoded.document), HEAD).content
