"""Converters of quantities, packages and amounts. Exact: Decimal, no rounding."""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact

from gateway.codec import codelist
from gateway.codec.convert_codes import canonical_of, returning, wire_of, written
from gateway.codec.convert_kinds import DECIMAL, ConversionError, Converter, Factory, Quick
from gateway.codec.convert_texts import decimal_of, plain
from gateway.model.values import Measure, Money, PackageQuantity, RawMeasure

MOST_DECIMALS = 6
"""Decimals of a written measure (the manifests' 16,6, recalled): 101 pounds have eight."""

_PLAIN_LENGTH = 30
SHORT = 16
"""Characters that `short` writes at most."""
_COUNT = "[0-9]{1,18}+"
_UNUSUAL = re.compile(rf"[^0-9.]|\.[0-9]{{{MOST_DECIMALS + 1}}}|.{{{SHORT + 1}}}").search
_STEP = Decimal(1).scaleb(-MOST_DECIMALS)
_EXACT = Context(prec=100, traps=[Inexact])
_EXACT_OR_ROUNDED = Context(prec=100)


def _measure(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    codes = codelist.load(arguments[0], at)
    plain_units = {wire for wire, canonical in codes.decode.items() if wire == canonical}

    def decode(value: str, unit: str) -> Measure:
        amount = decimal_of(value)
        if unit in plain_units:
            return Measure(value=amount, unit=unit)
        stated = unit or codes.header.empty
        if not stated:
            raise ConversionError("rule-broken", "linked-elements", value, "value and unit")
        canonical = canonical_of(codes, stated) or stated
        return _exact(amount, canonical, RawMeasure(value=value, unit=unit))

    def encode(value: Measure) -> tuple[str, str]:
        return _written(value), codes.encode.get(value.unit) or wire_of(codes, value.unit)

    return Converter(
        name,
        2,
        Measure,
        decode,
        encode,
        codes.narrows,
        (codes.name,),
        loses=_loses,
        closed=(None, written(codes)),
        quick=Quick(
            "Measure(value=Decimal({x}), unit={a}) if {a} in {known} else {slow}",
            (DECIMAL, ""),
            ("short({v}.value)", "{wires}[{v}.unit]"),
            dict.fromkeys(plain_units, ""),
            returning(codes),
        ),
    )


def _exact(amount: Decimal, canonical: str, raw: RawMeasure) -> Measure:
    """Apply `UNIT*factor` of a list. The figures as they stood stay beside it."""
    unit, _, factor = canonical.partition("*")
    if not factor:
        return Measure(value=amount, unit=unit, raw=raw if raw.unit != unit else None)
    try:
        product = _EXACT.multiply(amount, Decimal(factor))
    except Inexact as error:
        raise ConversionError("rule-broken", "digits", raw.value, "fewer digits") from error
    return Measure(value=Decimal(plain(product)), unit=unit, raw=raw)


def _loses(value: Measure) -> bool:
    text = str(value.value)
    short = "E" not in text and len(text.partition(".")[2]) <= MOST_DECIMALS
    if short or not value.value.is_finite():
        return False
    exponent = value.value.as_tuple().exponent
    return (
        isinstance(exponent, int) and exponent < -MOST_DECIMALS and _rounded(value) != value.value
    )


def _rounded(value: Measure) -> Decimal:
    return value.value.quantize(_STEP, rounding=ROUND_HALF_UP, context=_EXACT_OR_ROUNDED)


def _written(value: Measure) -> str:
    """Write the number with at most six decimals; the report says so when that loses some."""
    text = str(value.value)
    whole, _, decimals = text.partition(".")
    plainly = whole.isdigit() and decimals.isdigit() and len(text) <= _PLAIN_LENGTH
    if plainly and len(decimals) <= MOST_DECIMALS and decimals[-1] != "0":
        return text
    return plain(_rounded(value) if _loses(value) else value.value)


def short(value: Decimal) -> str:
    """Return what `_written` writes of a number with few digits; LookupError for another."""
    text = str(value)
    if _UNUSUAL(text):
        raise LookupError
    if text[-1] == "0" and "." in text:
        return text.rstrip("0").rstrip(".")
    return text


def _mass(name: str, _: tuple[str, ...], __: date) -> Converter:
    """Kilograms by the definition of the field."""

    def decode(value: str) -> Measure:
        return Measure(value=decimal_of(value), unit="KGM")

    def encode(value: Measure) -> str:
        if value.unit != "KGM":
            raise ConversionError("code-unknown", "unit", value.unit, "KGM")
        return _written(value)

    quick = Quick(
        "Measure(value=Decimal({x}), unit='KGM')",
        (DECIMAL,),
        ("short({v}.value) if {v}.unit == 'KGM' else unusual()",),
    )
    return Converter(name, 1, Measure, decode, encode, loses=_loses, quick=quick)


def _packages(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    codes = codelist.load(arguments[0], at)

    def decode(count: str, kind: str) -> PackageQuantity:
        if not kind:
            raise ConversionError("rule-broken", "linked-elements", count, "count and kind")
        if not count.isascii() or not count.isdigit():
            raise ConversionError("schema-invalid", "package-count", count, "digits")
        canonical = codes.decode.get(kind) or canonical_of(codes, kind) or kind
        return PackageQuantity(count=int(count), kind=canonical)

    def encode(value: PackageQuantity) -> tuple[str, str]:
        return str(value.count), codes.encode.get(value.kind) or wire_of(codes, value.kind)

    closed = (None, written(codes))
    quick = Quick(
        "PackageQuantity(count=int({x}), kind={known}[{a}]) if {a} in {known} else {slow}",
        (_COUNT, ""),
        ("str({v}.count)", "{wires}[{v}.kind]"),
        {wire: value for wire, value in codes.decode.items() if wire and value},
        returning(codes),
    )
    return Converter(
        name,
        2,
        PackageQuantity,
        decode,
        encode,
        codes.narrows,
        (codes.name,),
        closed=closed,
        quick=quick,
    )


def _money(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    """money:XXX takes an amount without currency (ISO 4217 XXX: none)."""
    absent = arguments[0] if arguments else ""
    codes = codelist.load("iso.currency", at)

    def decode(amount: str, currency: str) -> Money:
        if not currency and not absent:
            raise ConversionError("rule-broken", "linked-elements", amount, "value and currency")
        stated = canonical_of(codes, currency) if currency else absent
        return Money(amount=decimal_of(amount), currency=stated or currency)

    def encode(value: Money) -> tuple[str, str]:
        if value.currency == absent:
            return plain(value.amount), ""
        return plain(value.amount), wire_of(codes, value.currency)

    quick = Quick(
        "Money(amount=Decimal({x}), currency={known}[{a}]) if {a} in {known} else {slow}",
        (DECIMAL, ""),
        (
            "plain({v}.amount)",
            f"{{wires}}[{{v}}.currency] if {{v}}.currency != {absent!r} else ''",
        ),
        {wire: value for wire, value in codes.decode.items() if wire and value},
        returning(codes),
    )
    return Converter(name, 2, Money, decode, encode, lists=(codes.name,), quick=quick)


FACTORIES: dict[str, Factory] = {
    "measure": _measure,
    "mass": _mass,
    "packages": _packages,
    "money": _money,
}
