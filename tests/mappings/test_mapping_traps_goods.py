"""Traps of the goods: texts, masses, packages, lines, dangerous goods. Numbers are the traps'."""

import unicodedata
from decimal import Decimal

import pytest
from mapping_desk import NUMBERS, Desk, Record, edi, registration, xml
from msgspec.structs import replace

from gateway.codec.report import build
from gateway.errors import Finding
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters
from gateway.model.values import Measure, PackageQuantity

TOR, ONE, TWO = "dragon-fruit/tor.edi", "dragon-fruit/eda-1.edi", "dragon-fruit/eda-2.edi"
MT2401 = "electronics/mt2401.xml"
MASS = '<GrossMassMeasure unitCode="KGM">6200.5<'


def rules(findings: list[Finding]) -> set[str]:
    return {f.rule for f in findings}


def parameters(desk: Desk) -> Parameters:
    return desk.parameters("dragon-fruit/parameters.json")


def test_trap_03_long_name_is_never_cut(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["EPN"] = "CÔNG TY " + "X" * 63

    document = desk.joined(TOR, edi(ONE, change), TWO)
    findings = desk.refused("cn.mt1401", document, desk.sources(parameters(desk)))
    assert rules(findings) == {"name-length"}
    assert "recalled" in findings[0].expected


def test_trap_03_long_description_needs_a_short_one(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["lines"][0]["CMN"] = "Quả thanh long " + "x" * 250

    document = desk.joined(TOR, edi(ONE, change), TWO)
    given = parameters(desk)
    findings = desk.refused("cn.mt1401", document, desk.sources(given))
    assert rules(findings) == {"description-length"}
    assert "recalled" in findings[0].expected
    short = replace(given, short_descriptions=("Thanh long đỏ", "Thanh long trắng", "Thanh long"))
    encoded = desk.translate("cn.mt1401", document, desk.sources(short))
    assert "<CargoDescription>Thanh long đỏ</CargoDescription>" in encoded.content.decode()


def test_trap_04_decomposed_text_becomes_one_text(desk: Desk) -> None:
    composed = "HỢP TÁC XÃ THANH LONG MẪU SỐ HAI"

    def change(record: Record) -> None:
        record["EPN"] = unicodedata.normalize("NFD", composed)

    assert len(unicodedata.normalize("NFD", composed).encode()) > len(composed.encode())
    assert desk.decode(edi(TWO, change)) == desk.decode(TWO)


def test_trap_04_width_counts_the_bytes_on_the_wire(desk: Desk) -> None:
    text = unicodedata.normalize("NFD", "Ộ" * 100)  # 300 bytes composed, more decomposed

    def change(record: Record) -> None:
        record["EPN"] = text

    findings = desk.refuses(edi(TWO, change))
    assert ("width", f"{len(text.encode())} bytes", "300 bytes") in [
        (f.rule, f.found, f.expected) for f in findings
    ]


def test_trap_16_lines_without_packing_become_one_line(desk: Desk) -> None:
    def change(record: Record) -> None:
        line = record["lines"][0]
        record["lines"] = [{**line, "CMN": f"Hàng {n % 4}"} for n in range(50)]

    document = desk.joined(TOR, edi(TWO, change))
    assert len(document.consignments[0].items) == 50
    encoded = desk.translate("cn.mt1401", document, desk.sources())
    back = desk.formats.decode("cn.mt1401", encoded.content).document
    (item,) = back.consignments[0].items
    assert item.descriptions[0].value == "Hàng 0; Hàng 1; Hàng 2; Hàng 3"
    assert item.gross_mass == Measure(value=Decimal(5440), unit="KGM")
    assert item.packages == PackageQuantity(count=640, kind="CT")
    assert [n.code for n in encoded.notes] == ["narrowed"]
    assert "50 lines" in encoded.notes[0].text


def test_trap_16_a_list_of_descriptions_that_is_too_long_is_refused(desk: Desk) -> None:
    def change(record: Record) -> None:
        line = record["lines"][0]
        record["lines"] = [{**line, "CMN": f"Mặt hàng thứ {n}"} for n in range(50)]

    document = desk.joined(TOR, edi(TWO, change))
    findings = desk.refused("cn.mt1401", document, desk.sources())
    assert rules(findings) == {"description-length"}
    short = Parameters(short_descriptions=("Hàng tổng hợp",))
    encoded = desk.translate("cn.mt1401", document, desk.sources(short))
    assert encoded.content.decode().count("<CargoDescription>Hàng tổng hợp<") == 1


def test_trap_18_many_items_do_not_matter_where_there_are_no_lines(desk: Desk) -> None:
    document = desk.joined("electronics/mt4402.xml", MT2401)
    waybill = document.consignments[0]
    item = replace(waybill.items[0], gross_mass=None, packages=None)
    items = tuple(replace(item, sequence=n) for n in range(1, 121))
    full = replace(document, consignments=(replace(waybill, items=items),))
    sources = desk.sources(desk.parameters("electronics/parameters.json"))
    encoded = desk.translate("vn.vnaccs.tir", full, sources)
    assert encoded.content == desk.sample("electronics/tir.edi")


def packed(desk: Desk, mass: str, count: int) -> Parameters:
    given = parameters(desk)
    first, second = given.packing
    changed = replace(
        second,
        gross_mass=Measure(value=Decimal(mass), unit="KGM"),
        packages=PackageQuantity(count=count, kind="CT"),
    )
    return replace(given, packing=(first, changed))


def test_trap_19_masses_must_add_up(desk: Desk) -> None:
    document = desk.joined(TOR, ONE, TWO)
    findings = desk.refused("cn.mt1401", document, desk.sources(packed(desk, "4249.9", 500)))
    assert [(f.rule, f.found) for f in findings] == [("sum-gross-mass", "10200.000")]
    assert "10199.9" in findings[0].expected


def test_trap_20_packages_must_add_up(desk: Desk) -> None:
    document = desk.joined(TOR, ONE, TWO)
    findings = desk.refused("cn.mt1401", document, desk.sources(packed(desk, "4250", 499)))
    assert [(f.rule, f.found) for f in findings] == [("sum-packages", "1200")]


def weighed(value: str, unit: str) -> bytes:
    def change(record: Record) -> None:
        record["GW"], record["GWT"] = value, unit

    return edi(TWO, change)


@pytest.mark.parametrize(
    ("value", "unit", "kilograms"),
    [("19.2", "TNE", "19200"), ("100", "LBR", "45.359237"), ("12", "KGS", "12")],
)
def test_trap_21_masses_convert_exactly(desk: Desk, value: str, unit: str, kilograms: str) -> None:
    mass = desk.decode(weighed(value, unit)).consignments[0].gross_mass
    assert mass == Measure(value=Decimal(kilograms), unit="KGM")
    assert mass is not None
    assert mass.raw is not None
    assert (mass.raw.value, mass.raw.unit) == (value, unit)


@pytest.mark.parametrize("unit", ["KIC", "KII"])
def test_trap_21_mass_with_container_is_another_quantity(desk: Desk, unit: str) -> None:
    (finding,) = desk.refuses(weighed("100", unit))
    assert (finding.code, finding.path) == ("code-unknown", "EDA.GW")


def test_trap_22_carton_and_carat_are_two_lists(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["lines"][0]["QT1"] = "CT"

    waybill = desk.decode(edi(TWO, change)).consignments[0]
    assert waybill.total_packages == PackageQuantity(count=640, kind="CT")
    assert waybill.items[0].quantities[0].unit == "CTM"


def test_trap_22_lang_son_ct_is_a_carton(desk: Desk) -> None:
    packages = desk.decode("durian/registration.json").consignments[0].items[0].packages
    assert packages == PackageQuantity(count=1000, kind="CT")


@pytest.mark.parametrize(("wire", "unit"), [("HKGM", "DTN"), ("KGS", "KGM")])
def test_trap_23_units_of_trade(desk: Desk, wire: str, unit: str) -> None:
    def change(record: Record) -> None:
        record["lines"][0]["QT1"] = wire

    quantity = desk.decode(edi(TWO, change)).consignments[0].items[0].quantities[0]
    assert (quantity.value, quantity.unit) == (Decimal(5120), unit)


def test_trap_23_gro_is_total_weight_and_not_a_gross(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["lines"][0]["QT1"] = "GRO"

    (finding,) = desk.refuses(edi(TWO, change))
    assert (finding.code, finding.path, finding.found) == ("code-unknown", "EDA.QN1(1)", "GRO")


def test_trap_23_a_package_of_unknown_kind_is_refused(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["NOT"] = "UNK"

    (finding,) = desk.refuses(edi(TWO, change))
    assert (finding.code, finding.path, finding.found) == ("code-unknown", "EDA.NO", "UNK")


def test_trap_24_a_package_kind_that_china_does_not_list(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["NOT"] = "BK"

    document = desk.joined(TOR, edi(TWO, change))
    findings = desk.refused("cn.mt1401", document, desk.sources())
    assert {(f.code, f.found) for f in findings} == {("code-unknown", "BK")}


def test_trap_43_only_a_un_number_fits_the_classification(desk: Desk) -> None:
    document = desk.joined(TOR, ONE, TWO)
    encoded = desk.translate("cn.mt1401", document, desk.sources(parameters(desk)))
    assert document.consignments[0].items[0].hs is not None
    assert b"Classification" not in encoded.content
    assert b"08109092" not in encoded.content


def test_trap_44_dangerous_goods_need_a_contact(desk: Desk) -> None:
    text = xml(MT2401).decode()
    start, end = text.index("<UNDGContact>"), text.index("</UNDGContact>") + len("</UNDGContact>")
    findings = desk.refuses((text[:start] + text[end:]).encode())
    assert [(f.code, f.rule) for f in findings] == [("rule-broken", "linked-elements")]


def test_trap_44_leading_zeros_of_a_un_number_stay(desk: Desk) -> None:
    document = desk.decode(xml(MT2401, (">3480<", ">0004<")))
    undg = document.consignments[0].items[1].undg
    assert undg is not None
    assert undg.value == "0004"
    again = desk.formats.encode("cn.mt2401", document, head(desk, MT2401)).content
    assert b"<ID>0004</ID>" in again


def head(desk: Desk, sample: str) -> dict[str, str]:
    content = desk.sample(sample)
    return desk.formats.decode(desk.formats.detect(content), content).head


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' currencyID="CNY"', ""),
        ("<TypeID>EM</TypeID>", ""),
        ("<ID>+842050000005</ID>", ""),
    ],
)
def test_trap_45_half_a_pair_is_refused(desk: Desk, old: str, new: str) -> None:
    assert {f.code for f in desk.refuses(xml(MT2401, (old, new)))} == {"schema-invalid"}


def test_trap_45_three_of_four_parts_of_a_notify_party_are_refused(desk: Desk) -> None:
    address = "<Address>\n          <Line>7 DUONG MAU, LANG SON</Line>\n        </Address>"
    (finding,) = desk.refuses(xml(MT2401, (address, "")))
    assert finding.rule == "linked-elements"
    assert "NotifyParty" in finding.path


def test_trap_45_an_incomplete_group_is_not_sent_and_reported(desk: Desk) -> None:
    document = desk.decode(MT2401)
    waybill = document.consignments[0]
    assert waybill.notify is not None
    notify = replace(waybill.notify, address=())
    document = replace(document, consignments=(replace(waybill, notify=notify),))
    encoded = desk.formats.encode("cn.mt2401", document, head(desk, MT2401))
    assert b"NotifyParty" not in encoded.content
    assert [(n.code, n.path) for n in encoded.notes] == [("left-out", "consignments[0].notify")]


def test_trap_46_dong_travels_as_dong(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["IP3"], record["IP4"] = "VND", "152320000"

    encoded = desk.translate("cn.mt1401", desk.joined(TOR, edi(TWO, change)), desk.sources())
    assert b'<ValueAmount currencyID="VND">152320000</ValueAmount>' in encoded.content


@pytest.mark.parametrize("written", ["6200.5", "6200.50", "06200.5"])
def test_trap_47_equal_masses_are_equal(desk: Desk, written: str) -> None:
    document = desk.decode(xml(MT2401, (MASS, f'<GrossMassMeasure unitCode="KGM">{written}<')))
    assert document == desk.decode(MT2401)
    again = desk.formats.encode("cn.mt2401", document, head(desk, MT2401)).content
    assert MASS.encode() in again


@pytest.mark.parametrize(
    "written",
    ['unitCode="KGM">6.2005E3<', 'unitCode="kgm">6200.5<', 'unitCode="KGM">6,200.5<'],
)
def test_trap_47_exponent_comma_and_lower_case_are_refused(desk: Desk, written: str) -> None:
    findings = desk.refuses(xml(MT2401, (MASS, f"<GrossMassMeasure {written}")))
    assert {f.code for f in findings} == {"schema-invalid"}


def test_trap_82_a_mass_with_a_fraction_does_not_become_an_integer(desk: Desk) -> None:
    document = desk.decode("durian/registration.json")
    waybill = document.consignments[0]
    heavy = Measure(value=Decimal("6200.5"), unit="KGM")
    item = replace(waybill.items[0], gross_mass=heavy)
    document = replace(document, consignments=(replace(waybill, gross_mass=heavy, items=(item,)),))
    findings = desk.refused("vn.langson.registration", document, desk.sources())
    assert {f.path for f in findings} == {
        "consignments[0].gross_mass",
        "consignments[0].items[0].gross_mass",
    }


def test_trap_82_on_the_way_in_a_fraction_is_kept(desk: Desk) -> None:
    def change(record: Record) -> None:
        goods = record["registrationTransportGoods"][0]
        goods["weight"] = goods["registrationTransportGoodsDetails"][0]["weight"] = 6200.5

    decoded = desk.formats.decode("vn.langson.registration", registration(change))
    waybill = decoded.document.consignments[0]
    assert waybill.gross_mass == Measure(value=Decimal("6200.5"), unit="KGM")
    assert [f.rule for f in decoded.findings] == ["type", "type"]  # integers were observed


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "<script>x</script>", "a ]]> b & c"])
def test_trap_84_markup_is_text(desk: Desk, text: str) -> None:
    def change(record: Record) -> None:
        record["lines"][0]["CMN"] = text

    document = desk.joined(TOR, edi(TWO, change))
    encoded = desk.translate("cn.mt1401", document, desk.sources())
    back: Manifest = desk.formats.decode("cn.mt1401", encoded.content).document
    assert back.consignments[0].items[0].descriptions[0].value == text


def test_trap_76_what_is_for_customs_stays_at_home(desk: Desk) -> None:
    document = desk.joined(TOR, ONE, TWO)
    sources = desk.sources(parameters(desk), NUMBERS)
    numbers = {**NUMBERS, "messageId": NUMBERS["messageId"].replace("MT1401", "MT4401")}
    sent = [
        desk.translate("cn.mt1401", document, sources),
        desk.translate("cn.mt4401", document, desk.sources(parameters(desk), numbers)),
    ]
    decoded = [
        desk.formats.decode(desk.formats.detect(desk.sample(name)), desk.sample(name))
        for name in (TOR, ONE, TWO)
    ]
    leaves = [*(encoded.content for encoded in sent)]
    leaves.append(build(decoded, None, sent, salt=b"salt").to_bytes())
    for secret in (
        "LANE 2, CALL GATE OFFICE",  # KIJ
        "Ghi chú nội bộ",  # NT2
        "BANKMAU",  # BRC
        "285600000",  # FKK
        "C0000001",  # passport
        "LS2026-000001",  # border pass
        "DONG DANG",  # driver's address
        "TRAN VAN MAU",  # the second driver: Master is one
        "VN00000123",  # a seal
        "MAUCHASSIS",
    ):
        assert all(secret.encode() not in content for content in leaves), secret
