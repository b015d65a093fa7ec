"""Invented canonical documents, halves and responses, made short."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.codec.join_facts import half_of
from gateway.model.manifest import (
    BorderTransportMeans,
    Consignment,
    ConsignmentItem,
    CrewMember,
    Direction,
    Manifest,
    PlaceAndTime,
    PreviousDocument,
    TransportContractDocument,
    TransportEquipment,
)
from gateway.model.parameters import Parameters
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
    Precision,
    Text,
    plate_of,
)

C1, C2, C3, C4, C5 = "GWTU1000015", "GWTU2000025", "GWTU3000035", "GWTU4000045", "GWTU5000055"
HUU_NGHI, MONG_CAI = "VNHUGT", "VNMOCA"
NOTHING = Parameters()


def kg(value: str) -> Measure:
    return Measure(value=Decimal(value), unit="KGM")


def cartons(count: int) -> PackageQuantity:
    return PackageQuantity(count=count, kind="CT")


def text(value: str, lang: str = "vi") -> Text:
    return Text(value=value, lang=lang)


def code(list_: str, value: str) -> Code:
    return Code(list=list_, value=value)


def ident(scheme: str, value: str) -> Identifier:
    return Identifier(scheme=scheme, value=value)


def gate(value: str) -> Location:
    return Location(gate=code("vn.border-gate", value))


def minute(local: str, offset: int = 420) -> Moment:
    return Moment(precision=Precision.MINUTE, local=local, offset=offset)


def day(local: str) -> Moment:
    return Moment(precision=Precision.DAY, local=local)


def phone(value: str) -> Communication:
    return Communication(type="TE", value=value)


def contact(name: str = "TEST CONTACT", number: str = "0000000000") -> Contact:
    return Contact(names=(text(name),), communications=(phone(number),) if number else ())


def item(sequence: int = 1, **fields: Any) -> ConsignmentItem:
    made = {"descriptions": (text(f"hàng mẫu {sequence}"),)}
    return ConsignmentItem(sequence=sequence, **{**made, **fields})


def waybill(*items: ConsignmentItem, refs: tuple[str, ...] = (), **fields: Any) -> Consignment:
    return Consignment(items=items or (item(),), equipment_refs=refs, **fields)


def contract(number: str) -> TransportContractDocument:
    return TransportContractDocument(id=ident("cn.waybill", number))


def manifest(*waybills: Consignment, **fields: Any) -> Manifest:
    return Manifest(**{"direction": Direction.VN_CN, "consignments": waybills, **fields})


def container(number: str, **fields: Any) -> TransportEquipment:
    return TransportEquipment(id=number, check_digit="valid", **fields)


EMPTY = code("un.8169", "4")
FULL = code("un.8169", "5")


def truck(
    plate: str, *refs: str, driver: str = "NGUYEN VAN MAU", **fields: Any
) -> BorderTransportMeans:
    return BorderTransportMeans(
        plate=plate_of(plate),
        equipment_refs=refs,
        crew=(CrewMember(names=(text(driver, "und"),)),),
        **fields,
    )


def tor(
    plate: str = "29H-123.45",
    *containers: str,
    at: str = "2026-05-14T08:30",
    gate_code: str = HUU_NGHI,
    ref: str = "",
    empty: tuple[str, ...] = (),
    **fields: Any,
) -> Manifest:
    """A truck's departure as TOR decodes."""
    numbers = (*containers, *empty)
    return Manifest(
        direction=Direction.VN_CN,
        identifiers=(ident("vn.declarant-ref", ref),) if ref else (),
        border_gate=gate(gate_code) if gate_code else None,
        exit_at=minute(at) if at else None,
        means=(truck(plate, *numbers),),
        equipment=tuple(container(n, fullness=EMPTY if n in empty else FULL) for n in numbers),
        **fields,
    )


def eda(
    *containers: str,
    sym: str = "2026-05-14",
    plate: str = "",
    gate_code: str = HUU_NGHI,
    ref: str = "",
    number: str = "",
    branch: tuple[str, int, int] | None = None,
    lines: tuple[ConsignmentItem, ...] = (),
    **fields: Any,
) -> Manifest:
    """A goods declaration as EDA decodes."""
    references = []
    if plate:
        references.append(ident("vn.planned-vehicle", plate))
    if ref:
        references.append(ident("vn.declarant-ref", ref))
    previous = PreviousDocument(
        id=ident("vn.ecn", number) if number else None,
        first=ident("vn.first-declaration", branch[0]) if branch else None,
        branch=branch[1] if branch else None,
        branches=branch[2] if branch else None,
    )
    stated = {"total_packages": cartons(100), "gross_mass": kg("1000"), **fields}
    return Manifest(
        direction=Direction.VN_CN,
        mode=code("un.rec19", "3"),
        border_gate=gate(gate_code) if gate_code else None,
        exit_at=day(sym) if sym else None,
        equipment=tuple(container(n) for n in containers),
        consignments=(
            Consignment(
                previous=(previous,),
                references=tuple(references),
                items=lines or (item(),),
                equipment_refs=containers,
                **stated,
            ),
        ),
    )


def mt2401(*containers: str, batch: str = "5100260518001") -> Manifest:
    return Manifest(
        direction=Direction.CN_VN,
        identifiers=(ident("cn.road-batch", batch),),
        exit_office=Location(office=code("cn.customs-office", "7208")),
        loading=PlaceAndTime(at=minute("2026-05-18T06:30", 480)),
        equipment=tuple(container(n) for n in containers),
        consignments=(waybill(refs=containers, contract=contract("CN260518000301")),),
    )


def mt4402(plate: str, *containers: str, batch: str = "5100260518001") -> Manifest:
    return Manifest(
        direction=Direction.CN_VN,
        identifiers=(ident("cn.road-batch", batch),),
        exit_office=Location(office=code("cn.customs-office", "7208")),
        exit_at=minute("2026-05-18T08:00", 480),
        means=(truck(plate, *containers),),
        equipment=tuple(container(n) for n in containers),
    )


@dataclass(frozen=True)
class Half:
    """A half as a store keeps it."""

    message_id: str
    role: str
    day: str | None
    keys: tuple[tuple[str, str], ...]
    document: Manifest


def half(name: str, document: Manifest, parameters: Parameters = NOTHING, **head: str) -> Half:
    facts = half_of(document, parameters, (), head)
    return Half(name, facts.role, facts.day, facts.keys, document)


def sent(local: str = "2026-05-14T09:30:03.123") -> Moment:
    return Moment(precision=Precision.MILLISECOND, local=local, offset=480)


def statement(value: str, words: str = "") -> Statement:
    return Statement(code=code("cn.cc020", value), texts=(text(words, "zh"),) if words else ())


def response(
    at: str = "2026-05-14T09:30:03.123",
    *,
    overall: str = "",
    transmission: str = "",
    equipment: dict[str, str] | None = None,
    words: str = "",
    **waybills: str,
) -> Response:
    """A response; keyword arguments are waybill=code."""
    return Response(
        sent_at=sent(at),
        overall=statement(overall, words) if overall else None,
        transmission=Statement(code=code("cn.transmission", transmission))
        if transmission
        else None,
        equipment=tuple(
            SubjectStatement(id=n, statement=statement(c)) for n, c in (equipment or {}).items()
        ),
        waybills=tuple(
            SubjectStatement(id=n, statement=statement(c, words)) for n, c in waybills.items()
        ),
    )


def money(amount: str, currency: str) -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def party(*names: str, **fields: Any) -> Party:
    return Party(names=tuple(text(name) for name in names), **fields)
