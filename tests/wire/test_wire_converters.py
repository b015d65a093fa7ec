"""Texts, identifiers, quantities, amounts and plates: there and back, and what is refused."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codec.convert import ConversionError, Converter, converter, names
from gateway.errors import CODES, MappingError
from gateway.model.manifest import Audience, Direction, Function, Remark
from gateway.model.values import (
    Code,
    Communication,
    Identifier,
    Measure,
    Money,
    PackageQuantity,
    Plate,
    Text,
    plate_of,
)

AT = date(2026, 5, 14)
_QUICK = settings(max_examples=60, deadline=None)
_LINE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)


def take(expression: str) -> Converter:
    return converter(expression, AT)


def refused(expression: str, *texts: str) -> ConversionError:
    with pytest.raises(ConversionError) as caught:
        take(expression).decode(*texts)
    assert caught.value.code in CODES
    return caught.value


def unwritable(expression: str, value: Any) -> ConversionError:
    with pytest.raises(ConversionError) as caught:
        take(expression).encode(value)
    assert caught.value.code in CODES
    return caught.value


# expression, wire texts, canonical value, wire texts written back
PAIRS: list[tuple[str, tuple[str, ...], Any, tuple[str, ...]]] = [
    ("string", ("WHITE",), "WHITE", ("WHITE",)),
    ("text:vi", ("Sầu riêng",), Text(value="Sầu riêng", lang="vi"), ("Sầu riêng",)),
    ("int", ("007",), 7, ("7",)),
    ("decimal", (".50",), Decimal("0.5"), ("0.5",)),
    ("bool", ("true",), True, ("true",)),
    ("bool", ("false",), False, ("false",)),
    ("country", ("VN",), "VN", ("VN",)),
    ("identifier:vn.ecn", ("000123456789",), Identifier(scheme="vn.ecn", value="000123456789"),
     ("000123456789",)),
    ("party-id", ("91450000TEST000001",),
     Identifier(scheme="cn.uscc", value="91450000TEST000001"), ("91450000TEST000001",)),
    ("party-id", ("0109999999",), Identifier(scheme="vn.tax", value="0109999999"),
     ("0109999999",)),
    ("party-id", ("0109999999001",), Identifier(scheme="vn.tax", value="0109999999001"),
     ("0109999999001",)),
    ("party-id", ("A-1",), Identifier(scheme="text", value="A-1"), ("A-1",)),
    ("equipment-id", ("gwtu 000001 0",), "GWTU0000010", ("GWTU0000010",)),
    ("phone", ("0252000000",), Communication(type="TE", value="0252000000"), ("0252000000",)),
    ("email", ("a@b.example",), Communication(type="EM", value="a@b.example"), ("a@b.example",)),
    ("communication", ("123", "FX"), Communication(type="FX", value="123"), ("123", "FX")),
    ("remark:own-side", ("LANE 2",),
     Remark(text=Text(value="LANE 2"), audience=Audience.OWN_SIDE), ("LANE 2",)),
    ("mass", ("19500.0",), Measure(value=Decimal(19500), unit="KGM"), ("19500",)),
    ("measure:rec20-cn", ("1.5", "MTQ"), Measure(value=Decimal("1.5"), unit="MTQ"),
     ("1.5", "MTQ")),
    ("measure:mass-vn", ("19.2", "TNE"), Measure(value=Decimal(19200), unit="KGM"),
     ("19200", "KGM")),
    ("measure:mass-vn", ("3", "HKGM"), Measure(value=Decimal(300), unit="KGM"), ("300", "KGM")),
    ("measure:mass-vn", ("5", "KGS"), Measure(value=Decimal(5), unit="KGM"), ("5", "KGM")),
    ("measure:mass-langson", ("19200", ""), Measure(value=Decimal(19200), unit="KGM"),
     ("19200", "KGM")),
    ("measure:units-vn", ("3", "CT"), Measure(value=Decimal(3), unit="CTM"), ("3", "CT")),
    ("measure:units-vn", ("4", "HKGM"), Measure(value=Decimal(4), unit="DTN"), ("4", "HKGM")),
    ("packages:rec21-vn", ("1200", "CT"), PackageQuantity(count=1200, kind="CT"), ("1200", "CT")),
    ("packages:rec21-cn", ("00012", "PX"), PackageQuantity(count=12, kind="PX"), ("12", "PX")),
    ("money", ("216000.00", "VND"), Money(amount=Decimal(216000), currency="VND"),
     ("216000", "VND")),
    ("money:XXX", ("12", ""), Money(amount=Decimal(12), currency="XXX"), ("12", "")),
    ("code:cn.transport-mode", ("3",), Code(list="un.rec19", value="3"), ("3",)),
    ("code:vn.transport-mode", ("4",), Code(list="un.rec19", value="3"), ("4",)),
    ("code:vn.langson-gate", ("CKHN",), Code(list="vn.border-gate", value="VNHUGT"), ("CKHN",)),
    ("code:cn.cc020", ("01",), Code(list="cn.cc020", value="01"), ("01",)),
    ("code:cn.cc020", ("1",), Code(list="cn.cc020", value="1", raw="1"), ("1",)),
    ("codestr:un.3155", ("TE",), "TE", ("TE",)),
    ("open:cn.clearance", ("RD06",), Code(list="cn.clearance", value="RD06"), ("RD06",)),
    ("function:vn.processing-type", ("1",), Function.CANCEL, ("1",)),
    ("function:cn.function-manifest", ("3",), Function.CANCEL, ("3",)),
    ("function:cn.function-confirmation", ("2",), Function.ORIGINAL, ("2",)),
    ("direction:vn.langson.type", ("1",), Direction.VN_CN, ("1",)),
    ("size-type", ("45R1",), Code(list="iso6346.size-type", value="45R1"), ("45R1",)),
    ("size-type:vn.size-type", ("45", "RT"), Code(list="iso6346.size-type", value="45RT"),
     ("45", "RT")),
    ("plate", ("29H-123.45",), plate_of("29H12345"), ("29H-123.45",)),
    ("plate-plain", ("桂F·12345",), plate_of("桂F12345"), ("桂F12345",)),
    ("plate-country", ("29H-123.45", "VN"), plate_of("29H12345", "VN"), ("29H-123.45", "VN")),
    ("plate-roman-country", ("29H-123.45", "VN"), plate_of("29H12345", "VN"),
     ("29H-123.45", "VN")),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "wire", "value", "written"), PAIRS)
def test_there_and_back(
    expression: str, wire: tuple[str, ...], value: Any, written: tuple[str, ...]
) -> None:
    convert = take(expression)
    assert convert.parts == len(wire)
    decoded = convert.decode(*wire)
    assert decoded == value
    assert isinstance(decoded, convert.canonical)
    out = convert.encode(decoded)
    assert (out if isinstance(out, tuple) else (out,)) == written
    assert convert.decode(*written) == value


def test_every_converter_has_a_pair_here() -> None:
    tried = {expression.split(":")[0] for expression, *_ in PAIRS}
    assert set(names()) - tried == {"moment", "hs"}  # moments have their own module
    assert take("hs:VN").decode("08109092").code == "08109092"


@pytest.mark.parametrize(
    "expression", ["", "nothing", "text:fr", "code:no-list", "measure", "text"]
)
def test_expressions_that_are_none(expression: str) -> None:
    with pytest.raises(MappingError) as caught:
        take(expression)
    assert caught.value.code == "not-mapped"


@pytest.mark.parametrize(
    ("expression", "texts", "code"),
    [
        ("int", ("1.5",), "schema-invalid"),
        ("int", ("-1",), "schema-invalid"),
        ("int", ("１２",), "schema-invalid"),
        ("decimal", ("1,5",), "schema-invalid"),
        ("decimal", ("1e3",), "schema-invalid"),
        ("decimal", ("NaN",), "schema-invalid"),
        ("decimal", ("5.",), "schema-invalid"),
        ("bool", ("1",), "schema-invalid"),
        ("country", ("vn",), "code-unknown"),
        ("country", ("VNM",), "code-unknown"),
        ("country", ("XX",), "code-unknown"),
        ("country", ("AN",), "code-outdated"),
        ("hs:VN", ("0810.90",), "schema-invalid"),
        ("communication", ("123", ""), "rule-broken"),
        ("money", ("12", ""), "rule-broken"),
        ("money", ("12", "vnd"), "code-unknown"),
        ("money", ("12", "XTS"), "code-unknown"),
        ("money", ("1.95E4", "CNY"), "schema-invalid"),
        ("packages:rec21-vn", ("12", ""), "rule-broken"),
        ("packages:rec21-vn", ("1.5", "CT"), "schema-invalid"),
        ("packages:rec21-vn", ("12", "KGM"), "code-unknown"),
        ("measure:rec20-cn", ("12", ""), "rule-broken"),
        ("measure:rec20-cn", ("12", "kgm"), "code-unknown"),
        ("measure:rec20-cn", ("1.95E4", "KGM"), "schema-invalid"),
        ("code:cn.transport-mode", ("9",), "code-unknown"),
        ("code:vn.border-gate", ("VNXXXX",), "code-unknown"),
        ("function:cn.function-manifest", ("2",), "code-unknown"),
        ("size-type:vn.size-type", ("45", ""), "rule-broken"),
    ],
)
def test_refused(expression: str, texts: tuple[str, ...], code: str) -> None:
    assert refused(expression, *texts).code == code


@pytest.mark.parametrize("unit", ["KIC", "KII", "GRO", "UNK", "kgm"])
def test_trap_21_and_23_other_quantities_are_no_mass(unit: str) -> None:
    assert refused("measure:mass-vn", "19200", unit).code == "code-unknown"
    assert refused("measure:units-vn", "19200", unit).code == "code-unknown"


def test_trap_21_masses_are_exact() -> None:
    tonnes = take("measure:mass-vn").decode("19.2", "TNE")
    assert (tonnes.value, tonnes.unit) == (Decimal(19200), "KGM")
    assert (tonnes.raw.value, tonnes.raw.unit) == ("19.2", "TNE")
    pounds = take("measure:mass-vn").decode("101", "LBR")
    assert pounds.value == Decimal("45.81282937")  # all eight decimals
    convert = take("measure:rec20-cn")
    assert convert.encode(pounds) == ("45.812829", "KGM")  # six are written ...
    assert convert.loses is not None
    assert convert.loses(pounds)  # ... and the report says so
    assert not convert.loses(tonnes)
    assert not convert.loses(take("measure:mass-vn").decode("100", "LBR"))


def test_trap_21_digits_beyond_all_measure_are_refused() -> None:
    assert refused("measure:mass-vn", "1" * 200, "LBR").rule == "digits"


def test_trap_22_ct_is_a_carton_and_a_carat() -> None:
    assert take("packages:rec21-vn").decode("5", "CT").kind == "CT"
    assert take("measure:units-vn").decode("5", "CT").unit == "CTM"
    assert unwritable("measure:units-vn", Measure(value=Decimal(1), unit="CT")).code


def test_trap_24_a_kind_that_the_target_lacks() -> None:
    baskets = take("packages:rec21-vn").decode("5", "BK")
    error = unwritable("packages:rec21-cn", baskets)
    assert (error.code, error.found) == ("code-unknown", "BK")
    assert "CT" in error.expected


def test_trap_04_one_look_is_one_text() -> None:
    composed = take("text:vi").decode("M\u1eaaU")
    assert take("text:vi").decode("MA\u0302\u0303U") == composed
    assert take("text:vi").decode("MA\u0302\u0301U") != composed  # another letter


def test_trap_47_plain_decimals() -> None:
    for text in ("19500", "19500.0", "019500.000"):
        assert take("mass").encode(take("mass").decode(text)) == "19500"
    assert take("mass").encode(Measure(value=Decimal("1.95E4"), unit="KGM")) == "19500"
    assert unwritable("mass", Measure(value=Decimal(1), unit="MTQ")).code == "code-unknown"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1E+999999"])
def test_numbers_that_are_none_are_not_written(number: str) -> None:
    assert unwritable("measure:rec20-cn", Measure(value=Decimal(number), unit="KGM"))
    assert unwritable("money", Money(amount=Decimal(number), currency="CNY"))


ROMAN = [
    ("桂F12345", "GUI-F12345"),
    ("桂F·12345", "GUI-F12345"),
    ("桂Ｆ－１２３４５", "GUI-F12345"),
    ("粤Z1234港", "YUE-Z1234-GANG"),
    ("桂F1234挂", "GUI-F1234-GUA"),
    ("29h 123 45", "29H 123 45"),
    ("VN-29H12345", "VN-29H12345"),
]


@pytest.mark.parametrize(("raw", "written"), ROMAN)
def test_trap_06_plates_in_letters_that_vnaccs_takes(raw: str, written: str) -> None:
    plate = plate_of(raw)
    text, country = take("plate-roman-country").encode(plate)
    assert text == written
    assert country == ("CN" if written[:3] in ("GUI", "YUE") else "VN")
    assert plate.raw == raw  # the original stays


def test_trap_06_characters_that_are_no_province() -> None:
    error = unwritable("plate-roman-country", plate_of("鬼F12345"))
    assert (error.code, error.rule, error.found) == ("code-unknown", "plate-province", "鬼")
    assert unwritable("plate-roman-country", plate_of("桂É12345")).code == "code-unknown"


def test_a_given_romanised_form_wins() -> None:
    plate = Plate(raw="桂F12345", normalised="桂F12345", country="CN", romanised="GX-F12345")
    assert take("plate-roman-country").encode(plate) == ("GX-F12345", "CN")


def test_trap_07_one_plate_in_four_forms() -> None:
    forms = ["29H-123.45", "29H12345", "VN-29H12345", "29h 123 45"]
    plates = [take("plate").decode(form) for form in forms]
    assert len(set(plates)) == 1
    assert [plate.raw for plate in plates] == forms


def test_country_of_a_plate_that_states_none() -> None:
    assert take("plate-country").encode(plate_of("桂F12345")) == ("桂F12345", "CN")
    assert take("plate-country").encode(plate_of("29H12345")) == ("29H12345", "VN")


@_QUICK
@given(_LINE)
def test_texts_come_back(text: str) -> None:
    for expression in ("string", "text:und", "identifier:cn.waybill", "phone", "remark:both"):
        convert = take(expression)
        value = convert.decode(text)
        assert convert.decode(convert.encode(value)) == value


@_QUICK
@given(st.decimals(0, 10**12, places=6), st.sampled_from(["KGM", "MTQ"]))
def test_measures_come_back(value: Decimal, unit: str) -> None:
    measure = Measure(value=value, unit=unit)
    convert = take("measure:rec20-cn")
    assert convert.decode(*convert.encode(measure)) == measure
    money = Money(amount=value, currency="VND")
    assert take("money").decode(*take("money").encode(money)) == money


@_QUICK
@given(st.decimals(0, 10**7, places=3))
def test_pounds_are_exact_whatever_their_digits(value: Decimal) -> None:
    text = format(value, "f")
    measure = take("measure:mass-vn").decode(text, "LBR")
    digits = int(text.replace(".", "")) * 45359237
    assert measure.value == Decimal(digits).scaleb(-3 - 8)
    written = Decimal(take("measure:rec20-cn").encode(measure)[0])
    assert abs(written - measure.value) <= Decimal("0.0000005")


@_QUICK
@given(st.text(max_size=12), st.text(max_size=6))
def test_no_text_breaks_a_converter(text: str, second: str) -> None:
    for expression, wire, *_ in PAIRS:
        with suppress(ConversionError):
            take(expression).decode(*(text, second)[: len(wire)])
