"""Every leaf filled with a value of its own: each lands where the crosswalk says, and returns."""

import re
from decimal import Decimal
from pathlib import Path

from mapping_desk import Desk, Record, edi, registration, xml

from gateway.model.manifest import (
    Audience,
    BorderTransportMeans,
    Consignment,
    ConsignmentItem,
    Direction,
    Document,
    Manifest,
    PlaceAndTime,
    PreviousDocument,
    Remark,
    TransportContractDocument,
    TransportEquipment,
)
from gateway.model.response import Response, Statement, SubjectStatement
from gateway.model.values import (
    Code,
    Communication,
    Contact,
    Identifier,
    Location,
    Measure,
    Moment,
    Money,
    PackageQuantity,
    Party,
    Plate,
    Precision,
    Text,
)

FULL = Path(__file__).parent / "full"


def full(name: str) -> bytes:
    return re.sub(rb">\s+<", b"><", (FULL / name).read_bytes()).strip()


def phone(value: str) -> tuple[Communication, ...]:
    return (Communication(type="TE", value=value),)


def words(value: str) -> tuple[Text, ...]:
    return (Text(value=value),)


def one(scheme: str, value: str) -> tuple[Identifier, ...]:
    return (Identifier(scheme=scheme, value=value),)


def code(name: str, value: str) -> Code:
    return Code(list=name, value=value)


WAYBILL = Consignment(
    contract=TransportContractDocument(
        id=Identifier(scheme="cn.waybill", value="WAYBILL-5"), condition=code("cn.condition", "10")
    ),
    consignor=Party(
        ids=one("vn.tax", "0109999996"),
        names=words("consignor name"),
        communications=phone("0205-3"),
    ),
    consignee=Party(
        ids=one("text", "CONSIGNEE-CODE"),
        names=words("consignee name"),
        communications=(*phone("0771-1"), Communication(type="FX", value="0771-2")),
        contact=Contact(
            names=words("contact name"),
            communications=(Communication(type="EM", value="contact@example.test"),),
        ),
    ),
    notify=Party(
        ids=one("text", "NOTIFY-CODE"),
        names=words("notify name"),
        address=words("notify address"),
        communications=phone("0771-4"),
    ),
    deconsolidator=Party(ids=one("cn.organisation", "990000025")),
    total_packages=PackageQuantity(count=12, kind="BX"),
    gross_mass=Measure(value=Decimal("600.5"), unit="KGM"),
    volume=Measure(value=Decimal("40.25"), unit="MTQ"),
    value=Money(amount=Decimal(987654321), currency="VND"),
    procedure=code("cn.clearance", "RD09"),
    itinerary=("LA", "VN"),
    transit_office=code("cn.customs-office", "7201"),
    freight_payment=code("cn.freight-payment", "2"),
    undg_contact=Contact(names=words("emergency name"), communications=phone("0771-6")),
    equipment_refs=("GWTU6000065",),
    items=(
        ConsignmentItem(
            sequence=1,
            descriptions=(*words("short description"), *words("supplementary description")),
            undg=Identifier(scheme="un.dg", value="3480"),
            packages=PackageQuantity(count=12, kind="BX"),
            gross_mass=Measure(value=Decimal("600.5"), unit="KGM"),
        ),
    ),
)
MT1401 = Manifest(
    direction=Direction.VN_CN,
    identifiers=one("cn.road-batch", "5100260520001"),
    issued_at=Moment(precision=Precision.MILLISECOND, local="2026-05-20T10:11:12.013", offset=480),
    entry_office=Location(office=code("cn.customs-office", "7208")),
    mode=code("un.rec19", "3"),
    agent=Party(ids=one("cn.sender", "7208990000022")),
    carrier=Party(ids=one("cn.carrier", "CARRIER/23")),
    representative=Party(names=words("representative name")),
    loading=PlaceAndTime(
        at=Moment(precision=Precision.SECOND, local="2026-05-20T08:09:10", offset=480)
    ),
    unloading=PlaceAndTime(
        location=Location(code=code("cn.place", "CNPIN/7208")),
        at=Moment(precision=Precision.DAY, local="2026-05-21"),
    ),
    remarks=(Remark(text=Text(value="remark"), audience=Audience.BOTH),),
    equipment=(TransportEquipment(id="GWTU6000065", check_digit="valid"),),
    consignments=(WAYBILL,),
)


def test_mt1401_every_leaf(desk: Desk) -> None:
    decoded = desk.formats.decode("cn.mt1401", full("mt1401.xml"))
    assert decoded.document == MT1401
    assert decoded.head == {
        "messageId": "CN_MT1401_1p0_7208990000021_20260520101112013",
        "senderId": "7208990000021_DXPESW0000000021",
        "receiverId": "7208",
    }
    assert desk.formats.encode("cn.mt1401", MT1401, decoded.head).content == full("mt1401.xml")


def said(list_: str, value: str, text: str) -> Statement:
    return Statement(code=code(list_, value), texts=words(text))


def test_response_every_leaf(desk: Desk) -> None:
    decoded = desk.formats.decode("cn.response", full("response.xml"))
    assert decoded.document == Response(
        refers=(
            *one("cn.message", "CN_MT4401_1p0_7208990000021_20260520101112014"),
            *one("cn.road-batch", "5100260520001"),
        ),
        sent_at=Moment(
            precision=Precision.MILLISECOND, local="2026-05-20T10:12:13.014", offset=480
        ),
        overall=said("cn.cc020", "02", "overall"),
        transmission=said("cn.transmission", "E3", "transmission"),
        equipment=(
            SubjectStatement(id="GWTU6000065", statement=said("cn.cc020", "13", "container")),
        ),
        waybills=(SubjectStatement(id="WAYBILL-5", statement=said("cn.cc020", "01", "waybill")),),
    )
    again = desk.formats.encode("cn.response", decoded.document, decoded.head)
    assert again.content == full("response.xml")


def test_mt4401_leaves_that_no_sample_fills(desk: Desk) -> None:
    content = xml(
        "durian/mt4401.xml",
        (
            "    <Consignment>\n",
            "<AdditionalInformation><Content>remark</Content></AdditionalInformation>"
            "<Carrier><ID>CARRIER/23</ID></Carrier><Consignment>",
        ),
        (
            "<ID>12R00456</ID>",
            '<ID>12R00456</ID><TareWeight unitCode="KGM">6500</TareWeight><TypeCode>1</TypeCode>',
        ),
        (
            "<ID>GWTU2000025</ID>",
            '<ID>GWTU2000025</ID><TareWeight unitCode="KGM">3900.5</TareWeight>',
        ),
    )
    document = desk.decode(content)
    (trailer,) = document.means[0].trailers
    assert document.remarks[0].text == Text(value="remark")
    assert document.carrier == Party(ids=one("cn.carrier", "CARRIER/23"))
    assert trailer.tare == Measure(value=Decimal(6500), unit="KGM")
    assert trailer.type == code("cn.trailer-type", "1")
    assert document.equipment[0].tare == Measure(value=Decimal("3900.5"), unit="KGM")


def test_eda_leaves_that_no_sample_fills(desk: Desk) -> None:
    def change(record: Record) -> None:
        record |= {
            "ECN": "300000000099", "FIC": "300000000098", "BNO": "2", "DNO": "3", "CCC": "K",
            "EPP": "77000", "EXC": "0109999997", "EXN": "nhà thầu", "CGC": "CGC-CODE",
            "CGP": "532600", "CAT": "ADDRESS 2", "CAC": "ADDRESS 3", "CAS": "ADDRESS 4",
            "EKN": "CARGO-1", "IV2": "000000000077",
        }  # fmt: skip
        record["lines"][0] |= {"QN2": "12", "QT2": "PCE"}

    (waybill,) = desk.decode(edi("dragon-fruit/eda-2.edi", change)).consignments
    assert waybill.previous == (
        PreviousDocument(
            id=Identifier(scheme="vn.ecn", value="300000000099"),
            kind=code("vn.declaration-kind", "B11"),
            office=code("vn.customs-office", "15BB"),
            section="00",
            first=Identifier(scheme="vn.first-declaration", value="300000000098"),
            branch=2,
            branches=3,
        ),
    )
    assert waybill.cargo_class == code("vn.cargo-class", "K")
    assert waybill.consignor is not None
    assert waybill.consignor.postcode == "77000"
    assert waybill.contractor == Party(
        ids=one("vn.tax", "0109999997"), names=(Text(value="nhà thầu", lang="vi"),)
    )
    assert waybill.consignee == Party(
        ids=one("text", "CGC-CODE"),
        names=words("GUANGXI SAMPLE FRUIT TRADING CO LTD"),
        address=(
            *words("PINGXIANG"), *words("ADDRESS 2"), *words("ADDRESS 3"), *words("ADDRESS 4"),
        ),
        postcode="532600",
        country="CN",
    )  # fmt: skip
    assert waybill.contract is not None
    assert waybill.contract.id == Identifier(scheme="cn.waybill", value="CARGO-1")
    assert waybill.invoice is not None
    assert waybill.invoice.electronic == "000000000077"
    assert waybill.items[0].quantities[1] == Measure(value=Decimal(12), unit="H87")
    assert waybill.lpco == (Document(type=code("vn.permit-type", "KD01"), number="26KD000002"),)
    assert waybill.destination == Location(
        code=code("un.locode", "CNPIN"), names=words("PINGXIANG")
    )


def test_tir_has_the_places_of_tor(desk: Desk) -> None:
    """Their rows are the same but for sources, the plate and the time."""
    shared = {"AND", "EDT", "EMT", "ADT", "AMT", "TON", "TOK", "LPN"}
    rows = {
        name: {
            row.path: (row.canonical, row.convert, row.primary)
            for row in desk.table(name).rows
            if row.path not in shared
        }
        for name in ("vn.vnaccs.tor", "vn.vnaccs.tir")
    }
    assert rows["vn.vnaccs.tor"] == rows["vn.vnaccs.tir"]


def test_tor_leaves_that_no_sample_fills(desk: Desk) -> None:
    def change(record: Record) -> None:
        record |= {"KBN": "5", "AND": "700000000001", "RDN": "700000000002"}
        record["crew"][0]["DG"] = "B"

    document = desk.decode(edi("dragon-fruit/tor.edi", change))
    (truck,) = document.means
    assert document.function == "replace"
    assert truck.ids == one("vn.vehicle-declaration", "700000000001")
    assert truck.temporary_admission is not None
    assert truck.temporary_admission.previous == Identifier(
        scheme="vn.vehicle-declaration", value="700000000002"
    )
    assert truck.crew[0].change == code("vn.crew-change", "B")


def test_registration_leaves_that_the_sample_does_not_fill(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["parkingPlace"] = {"name": "Bãi Mẫu"}
        record["registrationTransportDetails"][0] |= {
            "accompanyingPersonName": "PHU XE MAU",
            "numberOfTrailer": "12R-077.88",
            "customsVehicleDeclNo": "700000000003",
        }

    document = desk.decode(registration(change))
    truck: BorderTransportMeans = document.means[0]
    assert document.loading is not None
    assert document.loading.location == Location(names=(Text(value="Bãi Mẫu", lang="vi"),))
    assert [member.role for member in truck.crew] == ["driver", "accompanying"]
    assert [trailer.plate for trailer in truck.trailers] == [
        Plate(raw="12R-004.56", normalised="12R00456"),
        Plate(raw="12R-077.88", normalised="12R07788"),
    ]
    assert Identifier(scheme="vn.vehicle-declaration", value="700000000003") in truck.ids
