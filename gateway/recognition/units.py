"""Quantities in one unit, by exact Decimal factors. Rec 20 codes, local units, customs codes.

Local units: VN `tạ` 100 kg, `yến` 10 kg; CN `斤` 0.5 kg; CN customs 035 kg, 036 g, 070 t.
"""

from decimal import Decimal
from functools import lru_cache

from gateway.model.values import Measure
from gateway.recognition.normalise import text

_FACTORS: dict[str, tuple[str, Decimal]] = {
    # stated unit: (kind of quantity, factor to its unit)
    **{
        unit: ("KGM", Decimal(factor))
        for units, factor in (
            ("KGM KG KGS 035 公斤 千克", "1"),
            ("GRM G 036 克", "0.001"),
            ("TNE T TẤN 070 吨", "1000"),
            ("DTN TẠ", "100"),
            ("YẾN", "10"),
            ("斤", "0.5"),
            ("LBR LB LBS", "0.45359237"),
            ("ONZ OZ", "0.028349523125"),
            ("MGM", "0.000001"),
        )
        for unit in units.split()
    },
    **{
        unit: ("SEC", Decimal(factor))
        for units, factor in (
            ("SEC S", "1"),
            ("MIN PHÚT 分钟", "60"),
            ("HUR H GIỜ 小时", "3600"),
            ("DAY D NGÀY 天", "86400"),
            ("WEE TUẦN 周", "604800"),
        )
        for unit in units.split()
    },
    **{
        unit: ("MG/KG", Decimal(factor))
        for units, factor in (("MG/KG PPM NA", "1"), ("UG/KG PPB", "0.001"), ("G/KG", "1000"))
        for unit in units.split()
    },
    **{unit: ("G/M3", Decimal(1)) for unit in ("G/M3", "A93", "MG/L")},
}
_CELSIUS = ("CEL", "C", "°C")
_FAHRENHEIT = ("FAH", "F", "°F")
_KELVIN = ("KEL", "K")


@lru_cache(4096)
def amount(stated: Measure) -> tuple[Decimal, str]:
    """Return value and unit in the one unit of its kind; an unknown unit stays as it is.

    Temperatures are in CEL; Fahrenheit is cut at four decimals.
    """
    unit = text(stated.unit)
    if unit in _FACTORS:
        kind, factor = _FACTORS[unit]
        return (stated.value * factor).normalize(), kind
    if unit in _CELSIUS:
        return stated.value.normalize(), "CEL"
    if unit in _KELVIN:
        return (stated.value - Decimal("273.15")).normalize(), "CEL"
    if unit in _FAHRENHEIT:
        celsius = (stated.value - 32) * 5 / 9
        return celsius.quantize(Decimal("0.0001")).normalize(), "CEL"
    return stated.value.normalize(), unit


def kilograms(stated: Measure | None) -> Decimal | None:
    """Return a mass in kilograms, or None when nothing, or no mass, is stated."""
    return _of_kind(stated, "KGM")


def celsius(stated: Measure | None) -> Decimal | None:
    """Return a temperature in degrees Celsius."""
    return _of_kind(stated, "CEL")


def seconds(stated: Measure | None) -> Decimal | None:
    """Return a duration in seconds."""
    return _of_kind(stated, "SEC")


def _of_kind(stated: Measure | None, kind: str) -> Decimal | None:
    if stated is None or not stated.value.is_finite():
        return None
    value, unit = amount(stated)
    return value if unit == kind else None


def shown(value: Decimal | None) -> str:
    """Return a number without exponent and trailing zeros."""
    return "" if value is None else format(value.normalize(), "f")
