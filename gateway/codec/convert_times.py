"""Converters of moments. The offset is applied first, then the text is cut; a day is copied,
never shifted, and never becomes midnight.

A wire form is named by its letters: yyyy MM dd HH mm ss SSS, `_` for a blank, `+` between the
texts of two leaves (the second may be absent: then only the day is known). Two forms are ISO
8601 of JSON: `iso-local`, and `iso-date+HH:mm`, a date whose T00:00:00 is no time.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from gateway.codec.convert_kinds import ConversionError, Converter, Factory, Quick
from gateway.model.values import Moment, Precision, moment_of

_FIELDS = {
    "yyyy": ("year", 4, Precision.DAY),
    "MM": ("month", 2, Precision.DAY),
    "dd": ("day", 2, Precision.DAY),
    "HH": ("hour", 2, Precision.HOUR),
    "mm": ("minute", 2, Precision.MINUTE),
    "ss": ("second", 2, Precision.SECOND),
    "SSS": ("microsecond", 3, Precision.MILLISECOND),
}
_TOKENS = re.compile("yyyy|MM|dd|HH|mm|ss|SSS|.")
_ORDER = list(Precision)
_LIKELY = ("yyyyMMdd", "MMddyyyy", "ddMMyyyy")
_YEARS = range(1900, 3000)
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,7})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_LOCAL = re.compile(
    r"(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{3})?)?)?)?"
).fullmatch
_MARKS = str.maketrans("", "", "-T:.")
_COMPACT = ("yyyyMMdd", "yyyyMMddHHmmss", "yyyyMMddHHmmssSSS")
_CLOCK = re.compile(r"([0-9]{2}:[0-9]{2})(?::[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class Part:
    """The text of one leaf. name: its letters. fields: of datetime."""

    name: str
    pattern: re.Pattern[str]
    template: str
    precision: Precision

    def fields(self, text: str) -> dict[str, int] | None:
        """Return the numbers in a text, None when it does not have the form."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        numbers = {name: int(digits) for name, digits in found.groupdict().items()}
        if "microsecond" in numbers:
            numbers["microsecond"] *= 1000
        return numbers

    def text(self, moment: datetime) -> str:
        """Write a moment, cut at what the form has."""
        return self.template.format(m=moment, millis=moment.microsecond // 1000)


@lru_cache(maxsize=64)
def _part(name: str) -> Part:
    pattern, template, precision = "", "", Precision.DAY
    for letters in _TOKENS.findall(name):
        if letters not in _FIELDS:
            literal = " " if letters == "_" else letters
            if literal.isalnum():
                raise ValueError(name)
            pattern, template = pattern + re.escape(literal), template + literal
            continue
        field, width, exact = _FIELDS[letters]
        source = "millis" if letters == "SSS" else f"m.{field}"
        pattern += f"(?P<{field}>[0-9]{{{width}}})"
        template += f"{{{source}:0{width}}}"
        precision = max(precision, exact, key=_ORDER.index)
    return Part(name, re.compile(pattern), template, precision)


def _moment(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    form, offset = arguments[0], int(arguments[1])
    if form == "iso-local":
        return _iso(name, offset)
    if form == "iso-date+HH:mm":
        return _iso_pair(name, offset)
    parts = tuple(_part(each) for each in form.split("+"))
    if form in _COMPACT:
        return _compact(name, parts[0], offset)

    def decode(*texts: str) -> Moment:
        if not texts[0]:
            raise ConversionError("schema-invalid", "date", "", parts[0].name)
        given = [part for part, text in zip(parts, texts, strict=True) if text]
        local = _read(given, [text for text in texts if text])
        precision = given[-1].precision
        return moment_of(local, precision, None if precision is Precision.DAY else offset)

    def encode(value: Moment) -> str | tuple[str, ...]:
        return _written(value, parts, offset)

    return Converter(name, len(parts), Moment, decode, encode, narrows=True)


def _compact(name: str, part: Part, offset: int) -> Converter:
    """Digits from the year down: what is plain goes by slices, anything else by the parts."""
    length = len(part.name)
    written = {8: 10, 14: 19, 17: 23}[length]
    stated = None if part.precision is Precision.DAY else offset

    def decode(text: str) -> Moment:
        return _slices(text, part, length, stated)

    def plain(value: Moment) -> bool:
        here = value.precision is Precision.DAY or value.offset == offset
        return here and len(value.local) == written and _real(value.local)

    def encode(value: Moment) -> str:
        if value.precision is part.precision and plain(value):
            return value.local.translate(_MARKS)
        return str(_written(value, (part,), offset))

    def keeps(value: Moment) -> bool:
        same = value.precision is part.precision and value.offset == stated
        return same and not value.offset_assumed and plain(value)

    def exact(value: Moment) -> str:
        if not keeps(value):
            raise LookupError
        return value.local.translate(_MARKS)

    quick = Quick("{slow}", ("",), ("{write}({v})",), write=exact)
    return Converter(name, 1, Moment, decode, encode, narrows=True, keeps=keeps, quick=quick)


def _slices(text: str, part: Part, length: int, stated: int | None) -> Moment:
    local = _spread(text) if len(text) == length else None
    if local is None:
        return moment_of(_read([part], [text]), part.precision, stated)
    return Moment(precision=part.precision, local=local, offset=stated)


def _spread(text: str) -> str | None:
    """Return digits as ISO local time, None when they are no real time."""
    if not (text.isascii() and text.isdigit() and (text[0] == "2" or text[:2] == "19")):
        return None
    local = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    if len(text) > 8:
        local += f"T{text[8:10]}:{text[10:12]}:{text[12:14]}"
        local += f".{text[14:]}" if len(text) > 14 else ""
    try:
        datetime.fromisoformat(local)
    except ValueError:
        return None
    return local


def _real(local: str) -> bool:
    """True for a time that exists, written as `Moment.local` is."""
    if not _LOCAL(local):
        return False
    try:
        datetime.fromisoformat(local)
    except ValueError:
        return False
    return True


def _read(parts: list[Part], texts: list[str]) -> datetime:
    fields: dict[str, int] = {}
    for part, text in zip(parts, texts, strict=True):
        found = part.fields(text)
        if found is None or _local(found) is None:
            raise ConversionError("schema-invalid", "date", text, _expected(part, text))
        fields |= found
    local = _local(fields)
    if local is None:
        raise ConversionError("schema-invalid", "date", " ".join(texts), parts[0].name)
    return local


def _local(fields: dict[str, int]) -> datetime | None:
    """Return the local time of these numbers, None when there is no such time."""
    whole = {"year": 2000, "month": 1, "day": 1} | fields
    try:
        local = datetime(**whole)  # type: ignore[arg-type]  # noqa: DTZ001  offset beside it
    except ValueError:
        return None
    return local if local.year in _YEARS else None


def _expected(part: Part, text: str) -> str:
    """Name the form, and the form that the text is likely in."""
    for name in _LIKELY:
        found = _part(name).fields(text)
        if name != part.name and found is not None and _local(found) is not None:
            return f"{part.name} (this looks like {name})"
    return part.name


def _moved(value: Moment, offset: int) -> tuple[Moment, datetime]:
    """Return a moment at another offset, and its local time."""
    try:
        moved = value.at_offset(offset)
        return moved, moved.naive()
    except (ValueError, OverflowError) as error:
        raise ConversionError("schema-invalid", "date", value.local, "a real date") from error


def _written(value: Moment, parts: tuple[Part, ...], offset: int) -> str | tuple[str, ...]:
    moved, local = _moved(value, offset)
    texts = tuple(part.text(local) for part in parts)
    day_only = moved.precision is Precision.DAY
    if day_only and len(parts) > 1:
        return (texts[0], *("" for _ in parts[1:]))
    if day_only and parts[0].precision is not Precision.DAY:
        raise ConversionError("rule-broken", "precision", moved.local, "a time of day")
    return texts if len(texts) > 1 else texts[0]


def _iso(name: str, offset: int) -> Converter:
    """ISO 8601 without a zone: the offset is assumed and marked; a stated zone is honoured."""

    def encode(value: Moment) -> str:
        moved, local = _moved(value, offset)
        if moved.precision is Precision.DAY:
            raise ConversionError("rule-broken", "precision", moved.local, "a time of day")
        return local.isoformat(timespec="seconds")

    return Converter(name, 1, Moment, lambda t: _iso_moment(t, offset), encode, narrows=True)


def _iso_moment(text: str, offset: int) -> Moment:
    found = _ISO.fullmatch(text)
    if found is None:
        raise ConversionError("schema-invalid", "date", text, "yyyy-MM-ddTHH:mm:ss")
    day, clock, seconds, zone = found.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock or '00:00'}{(seconds or ':00')[:10]}")
    except ValueError as error:
        raise ConversionError("schema-invalid", "date", text, "a real date and time") from error
    if local.year not in _YEARS or abs(_minutes(zone, offset)) > 14 * 60:
        raise ConversionError("schema-invalid", "date", text, "a real date and time")
    if clock is None:
        return moment_of(local, Precision.DAY, None)
    precision = Precision.SECOND if seconds else Precision.MINUTE
    precision = Precision.MILLISECOND if local.microsecond else precision
    return moment_of(local, precision, _minutes(zone, offset), assumed=zone is None)


def _minutes(zone: str | None, assumed: int) -> int:
    """Return the offset that a zone states."""
    if zone is None:
        return assumed
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _iso_pair(name: str, offset: int) -> Converter:
    def decode(day: str, clock: str) -> Moment:
        stated = _iso_moment(day, offset).naive()
        if not clock:
            return moment_of(stated, Precision.DAY, None)
        found = _CLOCK.fullmatch(clock)
        if found is None:
            raise ConversionError("schema-invalid", "time", clock, "HH:mm")
        local = _iso_moment(f"{stated:%Y-%m-%d}T{found[1]}", offset).naive()
        return moment_of(local, Precision.MINUTE, offset, assumed=True)

    def encode(value: Moment) -> tuple[str, str]:
        moved, local = _moved(value, offset)
        day = f"{local:%Y-%m-%d}T00:00:00"
        return day, "" if moved.precision is Precision.DAY else f"{local:%H:%M}"

    return Converter(name, 2, Moment, decode, encode, narrows=True)


FACTORIES: dict[str, Factory] = {"moment": _moment}
