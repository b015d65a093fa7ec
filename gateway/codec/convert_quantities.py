"""Converters of quantities, packages and amounts. Exact: Decimal, no rounding."""

from datetime import date
from decimal import Decimal

from gateway.codec import codelist
from gateway.codec.codelist import CodeList
from gateway.codec.convert_codes import canonical_of, wire_of
from gateway.codec.convert_kinds import ConversionError, Converter, Factory
from gateway.codec.convert_texts import currency_of, decimal_of, plain
from gateway.model.values import Measure, Money, PackageQuantity, RawMeasure

MOST_DECIMALS = 6
"""Decimals of a converted mass (formats: recalled 16,6); a longer product refuses."""


def _measure(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    codes = codelist.load(arguments[0], at)

    def decode(value: str, unit: str) -> Measure:
        amount = decimal_of(value)
        stated = unit or codes.header.empty
        if not stated:
            raise ConversionError("rule-broken", "linked-elements", value, "value and unit")
        canonical = canonical_of(codes, stated) or stated
        return _exact(amount, canonical, RawMeasure(value=value, unit=unit), codes)

    def encode(value: Measure) -> tuple[str, str]:
        return plain(value.value), wire_of(codes, value.unit)

    return Converter(name, 2, Measure, decode, encode, codes.narrows, (codes.name,))


def _exact(amount: Decimal, canonical: str, raw: RawMeasure, codes: CodeList) -> Measure:
    """Apply `UNIT*factor` of a list. The figures as they stood stay beside it."""
    unit, _, factor = canonical.partition("*")
    if not factor:
        return Measure(value=amount, unit=unit, raw=raw if raw.unit != unit else None)
    product = amount * Decimal(factor)
    exact = product.normalize()
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        raise ConversionError(
            "rule-broken",
            f"{codes.name}-exact",
            plain(product),
            f"at most {MOST_DECIMALS} decimals",
        )
    return Measure(value=exact, unit=unit, raw=raw)


def _mass(name: str, _: tuple[str, ...], __: date) -> Converter:
    """Kilograms by the definition of the field."""

    def decode(value: str) -> Measure:
        return Measure(value=decimal_of(value), unit="KGM")

    def encode(value: Measure) -> str:
        if value.unit != "KGM":
            raise ConversionError("code-unknown", "unit", value.unit, "KGM")
        return plain(value.value)

    return Converter(name, 1, Measure, decode, encode)


def _packages(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    codes = codelist.load(arguments[0], at)

    def decode(count: str, kind: str) -> PackageQuantity:
        if not kind:
            raise ConversionError("rule-broken", "linked-elements", count, "count and kind")
        if not count.isascii() or not count.isdigit():
            raise ConversionError("schema-invalid", "package-count", count, "digits")
        canonical = canonical_of(codes, kind) or kind
        return PackageQuantity(count=int(count), kind=canonical)

    def encode(value: PackageQuantity) -> tuple[str, str]:
        return str(value.count), wire_of(codes, value.kind)

    return Converter(name, 2, PackageQuantity, decode, encode, codes.narrows, (codes.name,))


def _money(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    """money:XXX takes an amount without currency (ISO 4217 XXX: none)."""
    absent = arguments[0] if arguments else ""

    def decode(amount: str, currency: str) -> Money:
        stated = currency or absent
        if not stated:
            raise ConversionError("rule-broken", "linked-elements", amount, "value and currency")
        return Money(amount=decimal_of(amount), currency=currency_of(stated))

    def encode(value: Money) -> tuple[str, str]:
        return plain(value.amount), "" if value.currency == absent else value.currency

    return Converter(name, 2, Money, decode, encode)


FACTORIES: dict[str, Factory] = {
    "measure": _measure,
    "mass": _mass,
    "packages": _packages,
    "money": _money,
}
