"""Samples decoded: the facts that the canonical document must hold."""

from decimal import Decimal

from mapping_desk import Desk

from gateway.model.manifest import (
    CommodityCode,
    CrewMember,
    Document,
    Manifest,
    PreviousDocument,
    TemporaryAdmission,
    Trailer,
    TransportEquipment,
)
from gateway.model.response import Answer, AnswerError, AnswerParty, Response, SubjectStatement
from gateway.model.response import Statement as Said
from gateway.model.values import (
    Code,
    Communication,
    Identifier,
    Measure,
    Moment,
    Money,
    PackageQuantity,
    Plate,
    Precision,
    Text,
)


def day(local: str) -> Moment:
    return Moment(precision=Precision.DAY, local=local)


def words(value: str, lang: str = "und") -> Text:
    return Text(value=value, lang=lang)


def test_tor(desk: Desk) -> None:
    document = desk.decode("dragon-fruit/tor.edi")
    assert document.direction == "VN-CN"
    assert document.consignments == ()
    assert document.identifiers == (Identifier(scheme="vn.declarant-ref", value="GW-DF-0001"),)
    assert document.exit_at == Moment(
        precision=Precision.MINUTE, local="2026-05-14T08:30", offset=420
    )
    assert document.border_gate is not None
    assert document.border_gate.gate == Code(list="vn.border-gate", value="VNHUGT")
    (truck,) = document.means
    assert truck.plate == Plate(raw="12C-086.31", normalised="12C08631", country="VN")
    assert (truck.seats, truck.colour, truck.chassis) == (2, "WHITE", "MAUCHASSIS0000001")
    assert truck.equipment_refs == ("GWTU1000015",)
    assert truck.permits == (
        Document(
            kind="border-pass",
            number="VC-C-2026-00001",
            issued=day("2026-03-01"),
            issuer="SO XD LANG SON",
        ),
    )
    assert truck.temporary_admission == TemporaryAdmission(
        indication="1",
        days=1,
        area=words("Lạng Sơn - Bằng Tường", "vi"),
        return_by=day("2026-05-15"),
        return_gate=Code(list="vn.border-gate", value="VNHUGT"),
        purpose=Code(list="vn.entry-purpose", value="V"),
        circulation=Code(list="vn.circulation", value="1"),
    )


def test_tor_crew_and_container(desk: Desk) -> None:
    document = desk.decode("dragon-fruit/tor.edi")
    first, second = document.means[0].crew
    passport = Code(list="vn.person-document", value="P")
    assert first == CrewMember(
        names=(words("NGUYEN VAN MAU"),),
        nationality="VN",
        documents=(
            Document(kind="identity", type=passport, number="C0000001"),
            Document(
                kind="border-pass",
                number="LS2026-000001",
                issued=day("2026-01-02"),
                issuer="LANG SON",
            ),
        ),
        address=(words("1 PHO MAU, DONG DANG, LANG SON"),),
    )
    assert second.names == (words("TRAN VAN MAU"),)
    (container,) = document.equipment
    assert isinstance(container, TransportEquipment)
    assert (container.id, container.check_digit) == ("GWTU1000015", "valid")
    assert container.size_type == Code(list="iso6346.size-type", value="45RT")
    assert [seal.number for seal in container.seals] == ["VN00000123", "GPS0000456"]


def test_eda(desk: Desk) -> None:
    document = desk.decode("dragon-fruit/eda-1.edi")
    assert document.means == ()
    assert document.exit_at == day("2026-05-14")
    assert document.mode == Code(list="un.rec19", value="3")
    (waybill,) = document.consignments
    assert waybill.contract is None
    assert waybill.previous == (
        PreviousDocument(
            kind=Code(list="vn.declaration-kind", value="B11"),
            office=Code(list="vn.customs-office", value="15BB"),
            section="00",
        ),
    )
    assert waybill.references == (
        Identifier(scheme="vn.planned-vehicle", value="12C08631"),
        Identifier(scheme="vn.declarant-ref", value="GW-DF-0001-A"),
    )
    assert waybill.consignor is not None
    assert waybill.consignor.ids == (Identifier(scheme="vn.tax", value="0109999991"),)
    assert waybill.consignor.names == (words("CÔNG TY TNHH THANH LONG MẪU", "vi"),)
    assert waybill.consignor.communications == (Communication(type="TE", value="0252000001"),)
    assert waybill.total_packages == PackageQuantity(count=1200, kind="CT")
    assert waybill.gross_mass == Measure(value=Decimal(10200), unit="KGM")
    assert waybill.value == Money(amount=Decimal(81600), currency="CNY")
    first, second = waybill.items
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.hs == CommodityCode(code="08109092", edition="VN")
    assert first.gross_mass is None
    assert first.packages is None
    assert first.quantities == (Measure(value=Decimal(5400), unit="KGM"),)
    assert second.control_hints == (Code(list="vn.other-law", value="MO"),)


def test_eda_in_tonnes(desk: Desk) -> None:
    (waybill,) = desk.decode("dragon-fruit/eda-2.edi").consignments
    assert waybill.gross_mass == Measure(value=Decimal(5440), unit="KGM")


def test_registration(desk: Desk) -> None:
    document = desk.decode("durian/registration.json")
    (waybill,) = document.consignments
    (truck,) = document.means
    assert document.identifiers == (
        Identifier(scheme="vn.langson.registration", value="2026051600007"),
    )
    assert document.border_gate is not None
    assert document.border_gate.gate == Code(list="vn.border-gate", value="VNHUGT")
    assert document.exit_at is not None
    assert document.exit_at.local == "2026-05-16T14:20"
    assert waybill.previous[0].id == Identifier(scheme="vn.ecn", value="300000000017")
    assert waybill.equipment_refs == ("GWTU2000025",)
    assert waybill.items[0].gross_mass == Measure(value=Decimal(19500), unit="KGM")
    assert truck.trailers == (Trailer(plate=Plate(raw="12R-004.56", normalised="12R00456")),)
    assert truck.crew[0].names == (words("LE VAN MAU", "vi"),)
    assert truck.crew[0].communications == (Communication(type="TE", value="0900000003"),)
    assert [e.id for e in document.equipment] == ["GWTU2000025"]
    assert document.control_results == ()  # gate events are not part of a manifest


def test_mt2401(desk: Desk) -> None:
    document = desk.decode("electronics/mt2401.xml")
    assert document.direction == "CN-VN"
    assert document.issued_at == Moment(
        precision=Precision.MILLISECOND, local="2026-05-18T07:01:02.003", offset=480
    )
    (waybill,) = document.consignments
    assert waybill.volume == Measure(value=Decimal("31.5"), unit="MTQ")
    assert waybill.consignee is not None
    assert waybill.consignee.contact is not None
    assert waybill.consignee.contact.communications[0].type == "EM"
    assert [d.value for d in waybill.items[0].descriptions] == [
        "印刷电路组件",
        "PRINTED CIRCUIT ASSEMBLIES",
    ]
    assert waybill.items[1].undg == Identifier(scheme="un.dg", value="3480")
    assert waybill.transit_office == Code(list="cn.customs-office", value="5300")
    assert waybill.consolidator is not None
    assert waybill.consolidator.ids == (Identifier(scheme="cn.organisation", value="990000015"),)


def test_mt4402_joined_with_mt2401(desk: Desk) -> None:
    document = desk.joined("electronics/mt4402.xml", "electronics/mt2401.xml")
    (truck,) = document.means
    assert truck.plate == Plate(raw="桂F12345", normalised="桂F12345")
    assert truck.ids == (Identifier(scheme="cn.vehicle-filing", value="7208000000458"),)
    assert truck.trailers[0].tare == Measure(value=Decimal(6500), unit="KGM")
    (container,) = document.equipment  # once, though both messages name it
    assert container.fullness == Code(list="un.8169", value="8")
    assert document.consignments[0].equipment_refs == truck.equipment_refs == (container.id,)


def test_response(desk: Desk) -> None:
    content = desk.sample("dragon-fruit/response.xml")
    document = desk.formats.decode("cn.response", content).document
    assert document == Response(
        refers=(
            Identifier(scheme="cn.message", value="CN_MT1401_1p0_7208990000001_20260514091512345"),
            Identifier(scheme="cn.road-batch", value="5100260514001"),
        ),
        sent_at=Moment(
            precision=Precision.MILLISECOND, local="2026-05-14T09:30:03.123", offset=480
        ),
        waybills=(
            _said("VN260514000101", "01", "接受申报"),
            _said("VN260514000102", "03", "退单：示例原因"),
        ),
    )


def _said(waybill: str, code: str, said: str) -> SubjectStatement:
    statement = Said(code=Code(list="cn.cc020", value=code), texts=(words(said),))
    return SubjectStatement(id=waybill, statement=statement)


def _answer(function: str, reference: str, number: int) -> Answer:
    window = AnswerParty(
        name="GATEWAY", identity="GATEWAY", ministry="BTC", organization="TCHQ", unit="NSW"
    )
    sender = AnswerParty(name="VNACCS", identity="VNACCS", ministry="BTC", organization="TCHQ")
    return Answer(
        message_id=f"00000000-0000-4000-8000-00000000000{number}",
        sender=window,
        recipient=sender,
        document_type="EDA",
        type="1",
        function=function,
        reference=reference,
        document_year=2026,
        pre_reference=reference,
        pre_document_year=2026,
        sent_at=Moment(precision=Precision.SECOND, local="2026-05-14T08:30:10", offset=420),
        received_at=Moment(precision=Precision.SECOND, local="2026-05-14T08:30:03", offset=420)
        if function == "99"
        else None,
        errors=(
            AnswerError(code="CC020_03", name="VN260514000102: 退单：示例原因 (Hải quan trả lại)"),
        )
        if function == "00"
        else (),
    )


def test_answers_both_ways(desk: Desk) -> None:
    for name, answer in (
        ("dragon-fruit/answer-99.xml", _answer("99", "GW-DF-0001-A", 1)),
        ("dragon-fruit/answer-00.xml", _answer("00", "GW-DF-0001-B", 2)),
    ):
        assert desk.formats.decode("vn.vnsw.answer", desk.sample(name)).document == answer
        encoded = desk.formats.encode("vn.vnsw.answer", answer, {})
        assert encoded.content == desk.expected(name)


def test_manifests_come_back_as_they_went(desk: Desk) -> None:
    for name, format_ in (
        ("dragon-fruit/mt1401.xml", "cn.mt1401"),
        ("dragon-fruit/mt4401.xml", "cn.mt4401"),
        ("durian/mt1401.xml", "cn.mt1401"),
        ("durian/mt4401.xml", "cn.mt4401"),
        ("electronics/tir.edi", "vn.vnaccs.tir"),
    ):
        decoded = desk.formats.decode(format_, desk.sample(name))
        assert isinstance(decoded.document, Manifest)
        again = desk.formats.encode(format_, decoded.document, decoded.head).content
        wanted = desk.sample(name) if name.endswith(".edi") else desk.expected(name)
        assert again == wanted
