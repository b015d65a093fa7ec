"""Converters of codes and of vehicle plates."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from gateway.codec import codelist
from gateway.codec.codelist import CodeList
from gateway.codec.convert_kinds import ConversionError, Converter, Factory, Quick
from gateway.model.manifest import Direction, Function
from gateway.model.values import Code, Plate, plate_of

_ROMANISED = re.compile(r"[A-Z0-9-]{2,35}")
_PROVINCES = "cn.plate-province"


def canonical_of(codes: CodeList, text: str) -> str | None:
    """Return the canonical code, None for an unlisted one that is kept raw."""
    value = codes.decode.get(text)
    if value is not None:
        return value
    if text in codes.outdated:
        raise ConversionError("code-outdated", codes.name, text, "a code that holds today")
    if codes.header.unknown == "raw":
        return None
    raise ConversionError("code-unknown", codes.name, text, _some(codes.decode))


def wire_of(codes: CodeList, value: str) -> str:
    """Return the wire code of a canonical one."""
    found = codes.encode.get(value)
    if found is None:
        raise ConversionError("code-unknown", codes.name, value, _some(codes.encode))
    return found


def written(codes: CodeList) -> frozenset[str]:
    """Return all texts that `wire_of` can return."""
    return frozenset(codes.encode.values())


def returning(codes: CodeList) -> dict[str, str]:
    """Return wire codes by canonical code, as far as they come back as what they were."""
    back = codes.decode.get
    return {value: wire for value, wire in codes.encode.items() if wire and back(wire) == value}


def _some(codes: dict[str, str]) -> str:
    """List the codes when they are few."""
    return " ".join(sorted(codes)) if len(codes) <= 20 else f"one of {len(codes)} codes"


def _code(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    codes = codelist.load(arguments[0], at)
    canonical_list = codes.header.canonical

    def decode(text: str) -> Code:
        value = canonical_of(codes, text)
        if value is None:
            return Code(list=canonical_list, value=text, raw=text)
        return Code(list=canonical_list, value=value)

    def encode(value: Code) -> str:
        if value.raw is not None and codes.header.unknown == "raw":
            return value.raw
        return wire_of(codes, value.value)

    closed = (None if codes.header.unknown == "raw" else written(codes),)
    quick = Quick(
        f"Code(list={canonical_list!r}, value={{known}}[{{x}}]) "
        "if {x} in {known} else {slow}",
        ("",),
        (
            "{wires}[{v}.value] if {v}.raw is None "
            f"and {{v}}.list == {canonical_list!r} else unusual()",
        ),
        codes.decode,
        returning(codes),
    )
    return Converter(
        name, 1, Code, decode, encode, codes.narrows, (codes.name,), closed=closed, quick=quick
    )


def _codestr(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    codes = codelist.load(arguments[0], at)

    def decode(text: str) -> str:
        return canonical_of(codes, text) or text

    return Converter(
        name,
        1,
        str,
        decode,
        lambda v: wire_of(codes, v),
        codes.narrows,
        (codes.name,),
        closed=(written(codes),),
        quick=Quick(
            "{known}[{x}] if {x} in {known} else {slow}",
            ("",),
            ("{wires}[{v}]",),
            {wire: value for wire, value in codes.decode.items() if value},
            returning(codes),
        ),
    )


def _country(name: str, _: tuple[str, ...], at: date) -> Converter:
    return _codestr(name, ("iso.country",), at)


def _open(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    """A table that is not public: the code travels as it is."""
    (listed,) = arguments
    return Converter(
        name,
        1,
        Code,
        lambda t: Code(list=listed, value=t),
        lambda v: v.value,
        reads=f"Code(list={listed!r}, value={{x}})",
        writes="{v}.value",
        quick=Quick(f"Code(list={listed!r}, value={{x}})", ("",), ("{v}.value",)),
    )


def _enumerated(kind: type[Any]) -> Factory:
    def factory(name: str, arguments: tuple[str, ...], at: date) -> Converter:
        codes = codelist.load(arguments[0], at)

        def decode(text: str) -> Any:
            return kind(canonical_of(codes, text))

        members = kind.__members__.values()
        known = {w: m for w, v in codes.decode.items() for m in members if m.value == v}
        quick = Quick(
            "{known}[{x}] if {x} in {known} else {slow}",
            ("",),
            ("{wires}[{v}.value]",),
            known,
            returning(codes),
        )

        def encode(value: Any) -> str:
            return wire_of(codes, value.value)

        return Converter(name, 1, kind, decode, encode, codes.narrows, (codes.name,), quick=quick)

    return factory


def _size_type(name: str, arguments: tuple[str, ...], at: date) -> Converter:
    """One part: an ISO 6346 size type as it is. With a list: size and type group apart."""
    listed = "iso6346.size-type"
    if not arguments:
        return Converter(name, 1, Code, lambda t: Code(list=listed, value=t), lambda v: v.value)
    codes = codelist.load(arguments[0], at)

    def decode(size: str, group: str) -> Code:
        if not group:
            raise ConversionError("rule-broken", "linked-elements", size, "size and type")
        text = size + group
        return Code(list=listed, value=codes.decode.get(text, text))

    def encode(value: Code) -> tuple[str, str]:
        text = codes.encode.get(value.value, value.value)
        if len(text) != 4:
            raise ConversionError("code-unknown", codes.name, value.value, "size and type group")
        return text[:2], text[2:]

    return Converter(name, 2, Code, decode, encode, True, (codes.name,))


def _plate(write: Callable[[Plate], str], *, narrows: bool, country: bool = False) -> Factory:
    def factory(name: str, arguments: tuple[str, ...], at: date) -> Converter:
        fixed = arguments[0] if arguments else None
        if country:
            return Converter(
                name,
                2,
                Plate,
                lambda t, c: plate_of(t, c or None),
                lambda v: (write(v), v.country or shape_country(v)),
                narrows,
            )
        return Converter(name, 1, Plate, lambda t: plate_of(t, fixed), write, narrows)

    return factory


def shape_country(plate: Plate) -> str:
    """Tell the country by the plate's shape: a Chinese one begins with a character."""
    return "VN" if plate.normalised.isascii() else "CN"


def _roman(name: str, _: tuple[str, ...], at: date) -> Converter:
    provinces = codelist.load(_PROVINCES, at)

    def encode(plate: Plate) -> tuple[str, str]:
        return romanised(plate, provinces), plate.country or shape_country(plate)

    def decode(text: str, country: str) -> Plate:
        return plate_of(text, country or None)

    return Converter(name, 2, Plate, decode, encode, True, (_PROVINCES,))


def romanised(plate: Plate, provinces: CodeList) -> str:
    """Return the plate in A-Z, 0-9 and hyphen: `桂F12345` becomes `GUI-F12345`.

    A plate that is ASCII already stays as it was written. A character that the table does not
    have refuses (ConversionError `code-unknown`).
    """
    if plate.romanised:
        return plate.romanised
    if plate.normalised.isascii():
        return plate.raw.upper() if plate.raw.isascii() else plate.normalised
    parts = []
    for character in plate.normalised:
        if character.isascii():
            parts.append(character)
        elif character in provinces.decode:
            parts.append(f"-{provinces.decode[character]}-")
        else:
            raise ConversionError("code-unknown", "plate-province", character, "a known province")
    text = "".join(parts).strip("-").replace("--", "-")
    if not _ROMANISED.fullmatch(text):
        raise ConversionError("rule-broken", "plate-shape", text, "A-Z, 0-9 and hyphen")
    return text


FACTORIES: dict[str, Factory] = {
    "code": _code,
    "codestr": _codestr,
    "country": _country,
    "open": _open,
    "function": _enumerated(Function),
    "direction": _enumerated(Direction),
    "size-type": _size_type,
    "plate": _plate(lambda v: v.raw, narrows=False),
    "plate-plain": _plate(lambda v: v.normalised, narrows=False),
    "plate-country": _plate(lambda v: v.raw, narrows=False, country=True),
    "plate-roman-country": _roman,
}
