"""Converters of texts, identifiers and plain values."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.codec.convert_kinds import DECIMAL, ConversionError, Converter, Factory, Quick
from gateway.model.manifest import Audience, CommodityCode, Remark
from gateway.model.values import Communication, Identifier, Text

_MOST_DIGITS = 18
_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)").fullmatch
_LARGEST_EXPONENT = 40
NFC = "{x} if {x}.isascii() else nfc({x})"
VALUE = "{v}.value"
_HS = re.compile(r"[0-9]{4,13}")
_USCC = re.compile(r"[0-9A-Z]{18}")
_VN_TAX = re.compile(r"[0-9]{10}(?:-?[0-9]{3})?")


def nfc(text: str) -> str:
    """Return the text in Unicode NFC, so that one look is one text."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def decimal_of(text: str) -> Decimal:
    """Read a plain decimal. Exponents, grouping and infinities refuse."""
    if not _DECIMAL(text):
        raise ConversionError("schema-invalid", "decimal", text, "digits with at most one point")
    return Decimal(text)


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without zeros that say nothing."""
    text = str(value)
    if text.isdigit():
        return text
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise ConversionError("schema-invalid", "decimal", "", "a number of a manifest")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _string(name: str, _: tuple[str, ...], __: date) -> Converter:
    quick = Quick(NFC, ("",), ("{v}",))
    return Converter(name, 1, str, nfc, str, reads=NFC, writes="{v}", quick=quick)


def _text(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    (lang,) = arguments
    if lang not in ("vi", "zh", "en", "und"):
        raise ValueError(lang)
    return Converter(
        name,
        1,
        Text,
        lambda t: Text(value=nfc(t), lang=lang),
        lambda v: v.value,
        reads=f"Text(value={NFC}, lang={lang!r})",
        writes=VALUE,
        quick=Quick(f"Text(value={NFC}, lang={lang!r})", ("",), (VALUE,)),
    )


def _int(name: str, _: tuple[str, ...], __: date) -> Converter:
    def decode(text: str) -> int:
        if not (text.isdigit() and text.isascii() and len(text) <= _MOST_DIGITS):
            raise ConversionError("schema-invalid", "integer", text, "digits")
        return int(text)

    quick = Quick("int({x})", (f"[0-9]{{1,{_MOST_DIGITS}}}+",), ("str({v})",))
    return Converter(name, 1, int, decode, str, quick=quick)


def _decimal(name: str, _: tuple[str, ...], __: date) -> Converter:
    quick = Quick("Decimal({x})", (DECIMAL,), ("plain({v})",))
    return Converter(name, 1, Decimal, decimal_of, plain, quick=quick)


def _bool(name: str, _: tuple[str, ...], __: date) -> Converter:
    def decode(text: str) -> bool:
        if text not in ("true", "false"):
            raise ConversionError("schema-invalid", "boolean", text, "true or false")
        return text == "true"

    return Converter(name, 1, bool, decode, lambda v: "true" if v else "false")


def _identifier(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    (scheme,) = arguments
    return Converter(
        name,
        1,
        Identifier,
        lambda t: Identifier(scheme=scheme, value=nfc(t)),
        lambda v: v.value,
        reads=f"Identifier(scheme={scheme!r}, value={NFC})",
        writes=VALUE,
        quick=Quick(f"Identifier(scheme={scheme!r}, value={NFC})", ("",), (VALUE,)),
    )


def _party_id(name: str, _: tuple[str, ...], __: date) -> Converter:
    """The scheme of a party's code is known by its shape alone."""

    def decode(text: str) -> Identifier:
        scheme = "text"
        if _USCC.fullmatch(text):
            scheme = "cn.uscc"
        elif _VN_TAX.fullmatch(text):
            scheme = "vn.tax"
        return Identifier(scheme=scheme, value=nfc(text))

    quick = Quick("{slow}", ("",), (VALUE,))
    return Converter(name, 1, Identifier, decode, lambda v: v.value, writes=VALUE, quick=quick)


def _equipment_id(name: str, _: tuple[str, ...], __: date) -> Converter:
    def decode(text: str) -> str:
        return "".join(unicodedata.normalize("NFKC", text).upper().split())

    return Converter(name, 1, str, decode, str)


def _hs(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    (edition,) = arguments

    def decode(text: str) -> CommodityCode:
        if not _HS.fullmatch(text):
            raise ConversionError("schema-invalid", "hs-code", text, "4 to 13 digits")
        return CommodityCode(code=text, edition=edition)

    return Converter(name, 1, CommodityCode, decode, lambda v: v.code)


def _reach(kind: str) -> Factory:
    def factory(name: str, _: tuple[str, ...], __: date) -> Converter:
        return Converter(
            name,
            1,
            Communication,
            lambda t: Communication(type=kind, value=nfc(t)),
            lambda v: v.value,
            reads=f"Communication(type={kind!r}, value={NFC})",
            writes=VALUE,
            quick=Quick(f"Communication(type={kind!r}, value={NFC})", ("",), (VALUE,)),
        )

    return factory


def _communication(name: str, _: tuple[str, ...], __: date) -> Converter:
    def decode(value: str, kind: str) -> Communication:
        if not kind:
            raise ConversionError("rule-broken", "linked-elements", "no type", "number and type")
        return Communication(type=kind, value=nfc(value))

    return Converter(name, 2, Communication, decode, lambda v: (v.value, v.type))


def _remark(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    audience = Audience(arguments[0])

    def decode(text: str) -> Remark:
        return Remark(text=Text(value=nfc(text)), audience=audience)

    def encode(value: Any) -> str:
        return str(value.text.value)

    return Converter(name, 1, Remark, decode, encode)


FACTORIES: dict[str, Factory] = {
    "string": _string,
    "text": _text,
    "int": _int,
    "decimal": _decimal,
    "bool": _bool,
    "identifier": _identifier,
    "party-id": _party_id,
    "equipment-id": _equipment_id,
    "hs": _hs,
    "phone": _reach("TE"),
    "email": _reach("EM"),
    "communication": _communication,
    "remark": _remark,
}
