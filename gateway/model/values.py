"""Value types of the canonical documents. Frozen, no I/O, no floats.

Names follow the WCO Data Model. Where a value came from (path, row, code-list version)
stands in the translation report, not here: two routes to the same facts give equal values.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec


class Canonical(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,  # frozen values in tuples cannot form cycles
):
    """Base of every canonical value: frozen, compared by value, JSON in camelCase."""


class Identifier(Canonical, frozen=True, kw_only=True):
    """A number or code that names one thing in one scheme.

    scheme: cn.road-batch, cn.waybill, cn.vehicle-filing, cn.driver-filing, cn.sender,
    cn.message, cn.carrier, cn.organisation, vn.ecn, vn.vehicle-declaration,
    vn.transport-declaration, vn.first-declaration, vn.planned-vehicle, vn.consignee-code,
    vn.langson.registration, vn.langson.goods, vn.langson.company, vn.nsw.dossier,
    vn.declarant-ref, vn.tax, cn.uscc, un.dg, iso6346, text.
    """

    scheme: str
    value: str
    issuer: str | None = None


class Code(Canonical, frozen=True, kw_only=True):
    """A value of a code list. `raw` keeps an unknown or narrower wire code."""

    list: str
    value: str
    raw: str | None = None


class TextForm(StrEnum):
    """How a text came to be."""

    ORIGINAL = "original"
    ROMANISED = "romanised"
    TRANSLATED = "translated"


class Text(Canonical, frozen=True, kw_only=True):
    """Words in a language (vi, zh, en, und). `value` is in Unicode NFC."""

    value: str
    lang: str = "und"
    form: TextForm = TextForm.ORIGINAL


class RawMeasure(Canonical, frozen=True, kw_only=True):
    """The figures as they stood on the wire."""

    value: str
    unit: str


class Measure(Canonical, frozen=True, kw_only=True, eq=False):
    """A quantity in a UN/ECE Rec 20 unit. Equal when value and unit are equal."""

    value: Decimal
    unit: str
    raw: RawMeasure | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measure) and (self.value, self.unit) == (other.value, other.unit)

    # With eq=False msgspec would compare `!=` by identity.
    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.value, self.unit))


class PackageQuantity(Canonical, frozen=True, kw_only=True, eq=False):
    """A count of packages of a UN/ECE Rec 21 kind. Equal when count and kind are equal."""

    count: int
    kind: str
    raw: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackageQuantity) and (self.count, self.kind) == (
            other.count,
            other.kind,
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.count, self.kind))


class Money(Canonical, frozen=True, kw_only=True):
    """An amount in an ISO 4217 alpha currency. Never converted."""

    amount: Decimal
    currency: str


class Precision(StrEnum):
    """How much of a moment is known."""

    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"
    MILLISECOND = "millisecond"


_SPECS = {
    # precision: (timespec of isoformat, characters)
    Precision.DAY: ("", 10),
    Precision.HOUR: ("hours", 13),
    Precision.MINUTE: ("minutes", 16),
    Precision.SECOND: ("seconds", 19),
    Precision.MILLISECOND: ("milliseconds", 23),
}


class Moment(Canonical, frozen=True, kw_only=True):
    """A point in local time, as precise as it was stated: a day never becomes midnight.

    local: ISO text cut at the precision (`2026-05-14`, `2026-05-14T08:30`,
    `2026-05-14T08:30:00.125`). offset: minutes east of UTC (+07:00 is 420), None for a day
    whose zone was not stated. offset_assumed: the wire form had no zone.
    """

    precision: Precision
    local: str
    offset: int | None = None
    offset_assumed: bool = False

    def naive(self) -> datetime:
        """Return the local time; the parts that are not known are zero.

        ValueError when `local` is not as precise as stated, or no real time.
        """
        if len(self.local) != _SPECS[self.precision][1]:
            raise ValueError("the local time is not as precise as stated")
        return datetime.fromisoformat(self.local)

    def instant(self) -> datetime:
        """Return the instant in UTC. A day has none: ValueError."""
        if self.precision is Precision.DAY or self.offset is None:
            raise ValueError("a day is not an instant")
        return (self.naive() - timedelta(minutes=self.offset)).replace(tzinfo=UTC)

    def at_offset(self, offset: int) -> "Moment":
        """Return the same instant at another offset. A day is returned as it is."""
        if self.precision is Precision.DAY or self.offset is None or self.offset == offset:
            return self
        moved = self.naive() + timedelta(minutes=offset - self.offset)
        return moment_of(moved, self.precision, offset, assumed=self.offset_assumed)


def moment_of(
    local: datetime, precision: Precision, offset: int | None, *, assumed: bool = False
) -> Moment:
    """Make a moment from a local time (its own zone information is not read)."""
    spec, length = _SPECS[precision]
    text = local.isoformat(timespec=spec)[:length] if spec else local.isoformat()[:length]
    return Moment(precision=precision, local=text, offset=offset, offset_assumed=assumed)


class Plate(Canonical, frozen=True, kw_only=True, eq=False):
    """A vehicle's registration plate. Equal when the normalised forms are equal.

    raw: as written. normalised: upper case, half width, without space . - and middle dot,
    without a country prefix. romanised: a form in A-Z0-9- where a target needs one.
    """

    raw: str
    normalised: str
    country: str | None = None
    romanised: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plate) and self.normalised == other.normalised

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.normalised)


_PLATE_NOISE = re.compile(r"[\s.\-·‧•・]")
_PLATE_PREFIX = re.compile(r"^(VN|CN)-(?=.)")


def plate_of(raw: str, country: str | None = None) -> Plate:
    """Read a plate. A country prefix (`VN-29H12345`) is taken off and kept as the country."""
    text = unicodedata.normalize("NFKC", raw).upper().strip()
    if prefix := _PLATE_PREFIX.match(text):
        country = country or prefix.group(1)
        text = text[prefix.end() :]
    return Plate(raw=raw, normalised=_PLATE_NOISE.sub("", text), country=country)


class Communication(Canonical, frozen=True, kw_only=True):
    """A way to reach somebody. type: UN/EDIFACT 3155 (TE, EM, FX). PERSONAL."""

    type: str
    value: str


class Contact(Canonical, frozen=True, kw_only=True):
    """A person to ask. PERSONAL."""

    names: tuple[Text, ...] = ()
    communications: tuple[Communication, ...] = ()


class Party(Canonical, frozen=True, kw_only=True):
    """Somebody who takes part."""

    ids: tuple[Identifier, ...] = ()
    names: tuple[Text, ...] = ()
    address: tuple[Text, ...] = ()
    postcode: str | None = None
    country: str | None = None
    communications: tuple[Communication, ...] = ()
    contact: Contact | None = None


class Location(Canonical, frozen=True, kw_only=True):
    """A place, a customs office and a gate: three code systems for one spot."""

    code: Code | None = None
    names: tuple[Text, ...] = ()
    address: tuple[Text, ...] = ()
    office: Code | None = None
    gate: Code | None = None
