"""Documents of the invented formats."""

from decimal import Decimal

from gateway.model.manifest import (
    Audience,
    Consignment,
    ConsignmentItem,
    Direction,
    Manifest,
    Remark,
)
from gateway.model.values import (
    Communication,
    Identifier,
    Measure,
    Moment,
    Party,
    Precision,
    Text,
)

NAMESPACE = "urn:test:crate:1"
LINE = '<Line><No>1</No><Goods><Text>Cam</Text></Goods><Weight unit="KGM">5</Weight></Line>'
LOT = f'<Lot><Weight unit="KGM">5</Weight><Via>VN</Via>{LINE}</Lot>'
HEAD = "<Head><MessageID>M1</MessageID><Kind>CRATE</Kind><SentAt>20260514083000</SentAt></Head>"


def crate(
    *, head: str = HEAD, before: str = "", lots: str = LOT, after: str = "", start: str = "Crate"
) -> bytes:
    """A document on the wire. before, after: in the body, beside the lots."""
    body = f"<Body><ID>0000000000001</ID>{before}{lots}{after}</Body>"
    return f'<{start} xmlns="{NAMESPACE}">{head}{body}</Crate>'.encode()


def kilograms(value: str) -> Measure:
    return Measure(value=Decimal(value), unit="KGM")


def vi(value: str) -> Text:
    return Text(value=value, lang="vi")


ITEM = ConsignmentItem(sequence=1, descriptions=(vi("Cam"),), gross_mass=kilograms("5"))
LOT_VALUE = Consignment(gross_mass=kilograms("5"), itinerary=("VN",), items=(ITEM,))
SENT = Moment(precision=Precision.SECOND, local="2026-05-14T08:30:00", offset=480)
BATCH = Identifier(scheme="cn.road-batch", value="0000000000001")


def manifest(**changes: object) -> Manifest:
    """The document that `crate()` decodes to, with changes."""
    values: dict[str, object] = {
        "direction": Direction.VN_CN,
        "issued_at": SENT,
        "identifiers": (BATCH,),
        "consignments": (LOT_VALUE,),
    }
    return Manifest(**(values | changes))  # type: ignore[arg-type]


def remark(value: str) -> Remark:
    return Remark(text=Text(value=value), audience=Audience.BOTH)


def owner(name: str | None, *numbers: str) -> Party:
    reach = tuple(Communication(type="TE", value=number) for number in numbers)
    return Party(names=(vi(name),) if name else (), communications=reach)
