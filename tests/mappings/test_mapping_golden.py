"""Documents translated against documents written by hand from the facts."""

from mapping_desk import Desk, numbers_of


def test_dragon_fruit_to_mt1401(desk: Desk) -> None:
    document = desk.joined(
        "dragon-fruit/tor.edi", "dragon-fruit/eda-1.edi", "dragon-fruit/eda-2.edi"
    )
    parameters = desk.parameters("dragon-fruit/parameters.json")
    numbers = numbers_of("MT1401", "20260514091512345")
    encoded = desk.translate("cn.mt1401", document, desk.sources(parameters, numbers))
    assert encoded.content == desk.expected("dragon-fruit/mt1401.xml")


def test_dragon_fruit_to_mt4401(desk: Desk) -> None:
    document = desk.joined(
        "dragon-fruit/tor.edi", "dragon-fruit/eda-1.edi", "dragon-fruit/eda-2.edi"
    )
    parameters = desk.parameters("dragon-fruit/parameters.json")
    numbers = numbers_of("MT4401", "20260514091512346")
    encoded = desk.translate("cn.mt4401", document, desk.sources(parameters, numbers))
    assert encoded.content == desk.expected("dragon-fruit/mt4401.xml")


def test_durian_to_mt1401(desk: Desk) -> None:
    document = desk.joined("durian/registration.json")
    numbers = numbers_of("MT1401", "20260516111500001")
    sources = desk.sources(desk.parameters("durian/parameters.json"), numbers)
    encoded = desk.translate("cn.mt1401", document, sources)
    assert encoded.content == desk.expected("durian/mt1401.xml")


def test_durian_to_mt4401(desk: Desk) -> None:
    document = desk.joined("durian/registration.json")
    numbers = numbers_of("MT4401", "20260516111500002")
    sources = desk.sources(desk.parameters("durian/parameters.json"), numbers)
    encoded = desk.translate("cn.mt4401", document, sources)
    assert encoded.content == desk.expected("durian/mt4401.xml")


def test_electronics_to_tir(desk: Desk) -> None:
    document = desk.joined("electronics/mt4402.xml", "electronics/mt2401.xml")
    sources = desk.sources(desk.parameters("electronics/parameters.json"))
    encoded = desk.translate("vn.vnaccs.tir", document, sources)
    assert encoded.content == desk.sample("electronics/tir.edi")
    assert not encoded.draft
