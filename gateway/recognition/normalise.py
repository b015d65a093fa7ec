"""Comparable forms of texts, numbers, plates, seals and times. What was stated stays as it is.

text          NFKC, trimmed, blanks collapsed, upper case
weak name     also without diacritics and company words; a hint, never a proof
container     letters and digits; the ISO 6346 check digit is judged apart
plate         without separators and the trailer mark 挂; camera form without a Han character
seal          without label words; leading zeros stay
number        letters and digits of a certificate number
time          an instant is an interval of its precision; a day is the issuer's whole day
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gateway.model.inspection import DocKey
from gateway.model.values import Moment, Plate, Precision

Span = tuple[datetime, datetime]
"""Earliest and latest instant, UTC."""

DocId = tuple[str, str, str, str]
"""Country, issuer, type and number of a document, comparable."""

_CACHE = 4096
_NOT_ALNUM = re.compile(r"[\W_]+")
_COMPANY = re.compile(
    r"\b(CONG TY|CTY|TRACH NHIEM HUU HAN|TNHH|CO PHAN|CP|MTV|MOT THANH VIEN|XUAT NHAP KHAU|XNK"
    r"|COMPANY|CO|LTD|LIMITED|JSC|JOINT STOCK|INC|CORP|CORPORATION|IMPORT|EXPORT|AND)\b"
    r"|有限责任公司|股份有限公司|有限公司|公司"
)
_SEAL_LABEL = re.compile(
    r"^(ELECTRONIC SEAL|E-?SEAL|SEAL|SỐ SEAL|SỐ NIÊM PHONG|NIÊM PHONG|SỐ CHÌ|CHÌ"
    r"|封志号|封志|铅封号|铅封|关锁号)"
    r"\s*(NUMBER|NO|N[°º]|SỐ|号)?\s*[.:#：]*\s*(?=\S)"
)
_ISO6346 = re.compile(r"^[A-Z]{3}[UJZ]\d{7}$")
_LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (number for number in range(10, 39) if number % 11),
        strict=True,
    )
)
_COUNTRY = re.compile(r"^(VN|CN)([:\-\s/]+|(?=\d\d[A-Z])|(?=[\u4e00-\u9fff]))")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_OFFSETS = {"VN": 420, "CN": 480}
_STEPS = {
    Precision.DAY: timedelta(days=1),
    Precision.HOUR: timedelta(hours=1),
    Precision.MINUTE: timedelta(minutes=1),
    Precision.SECOND: timedelta(seconds=1),
    Precision.MILLISECOND: timedelta(milliseconds=1),
}


@lru_cache(_CACHE)
def text(raw: str) -> str:
    """Return words in one form: NFKC, blanks collapsed, upper case."""
    return " ".join(unicodedata.normalize("NFKC", raw).split()).upper()


@lru_cache(_CACHE)
def bare(raw: str) -> str:
    """Return letters and digits only, upper case, half width."""
    return _NOT_ALNUM.sub("", text(raw))


@lru_cache(_CACHE)
def plain(raw: str) -> str:
    """Return words without diacritics; Đ becomes D."""
    parts = unicodedata.normalize("NFD", text(raw).replace("Đ", "D"))
    return "".join(c for c in parts if not unicodedata.combining(c))


@lru_cache(_CACHE)
def weak_name(raw: str) -> str:
    """Return a company's name without diacritics, company words and punctuation."""
    words = " ".join(_NOT_ALNUM.sub(" ", plain(raw)).split())
    return " ".join(_COMPANY.sub(" ", words).split())


def container(raw: str) -> str:
    """Return a container number without separators."""
    return bare(raw)


@lru_cache(_CACHE)
def bad_check_digit(raw: str) -> bool:
    """Return True for a number of the ISO 6346 form whose check digit is wrong."""
    number = bare(raw)
    if not _ISO6346.match(number):
        return False
    total = sum(
        _LETTERS.get(c, int(c) if c.isdigit() else 0) << i for i, c in enumerate(number[:10])
    )
    return total % 11 % 10 != int(number[10])


def plate(stated: Plate) -> str:
    """Return a plate without separators, country prefix and trailer mark."""
    return plate_text(stated.raw)


@lru_cache(_CACHE)
def plate_text(raw: str) -> str:
    """Return the comparable form of a plate as written."""
    return bare(_COUNTRY.sub("", text(raw)).removesuffix("挂"))


def camera(plate_key: str) -> str:
    """Return what a camera reads that knows no Han characters."""
    return _HAN.sub("", plate_key)


@lru_cache(_CACHE)
def seal(raw: str) -> str:
    """Return a seal number without label words and separators; leading zeros stay."""
    return bare(_SEAL_LABEL.sub("", text(raw)))


@lru_cache(_CACHE)
def doc(key: DocKey) -> DocId:
    """Return what names a document; its number alone never does."""
    return (text(key.issuer.country), bare(key.issuer.code), bare(key.type), bare(key.number))


@lru_cache(_CACHE)
def span(moment: Moment, country: str = "") -> Span:
    """Return the interval in which a moment lies. country: of the issuer, for bare days.

    A day without a stated zone of an unknown country spans that day in both zones.
    """
    local = moment.naive()
    step = _STEPS[moment.precision]
    if moment.offset is not None:
        offsets: tuple[int, ...] = (moment.offset,)
    else:
        known = _OFFSETS.get(country)
        offsets = (known,) if known is not None else tuple(_OFFSETS.values())
    first = local - timedelta(minutes=max(offsets))
    last = (
        local
        - timedelta(minutes=min(offsets))
        + (step if step >= timedelta(hours=1) else timedelta())
    )
    return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)


def iso(at: datetime) -> str:
    """Return an instant in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
