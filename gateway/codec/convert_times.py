"""Converters of moments. The offset is applied first, then the text is cut; a day is copied,
never shifted, and never becomes midnight."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from gateway.codec.convert_kinds import ConversionError, Converter, Factory
from gateway.model.values import Moment, Precision, moment_of

_ORDER = list(Precision)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d(?:\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Form:
    """One wire form. parts: (strptime format, length) of each wire text."""

    parts: tuple[tuple[str, int], ...]
    precision: Precision


FORMS = {
    "yyyyMMddHHmmssSSS": Form((("%Y%m%d%H%M%S%f", 17),), Precision.MILLISECOND),
    "yyyyMMddHHmmss": Form((("%Y%m%d%H%M%S", 14),), Precision.SECOND),
    "yyyyMMdd": Form((("%Y%m%d", 8),), Precision.DAY),
    "ddMMyyyy": Form((("%d%m%Y", 8),), Precision.DAY),
    "ddMMyyyy+HHmm": Form((("%d%m%Y", 8), ("%H%M", 4)), Precision.MINUTE),
    "ddMMyyyy+HH": Form((("%d%m%Y", 8), ("%H", 2)), Precision.HOUR),
    "yyyy-MM-dd_HH:mm:ss": Form((("%Y-%m-%d %H:%M:%S", 19),), Precision.SECOND),
    "dd/MM/yyyy": Form((("%d/%m/%Y", 10),), Precision.DAY),
}
_LIKELY = (("%Y%m%d", "yyyyMMdd"), ("%m%d%Y", "MMddyyyy"), ("%d%m%Y", "ddMMyyyy"))


def _moment(name: str, arguments: tuple[str, ...], _: date) -> Converter:
    form_name, offset_text = arguments
    offset = int(offset_text)
    if form_name == "iso-local":
        return _iso(name, offset)
    if form_name == "iso-date+HH:mm":
        return _iso_pair(name, offset)
    form = FORMS[form_name]

    def decode(*texts: str) -> Moment:
        given = [text for text in texts if text]
        joined = "".join(_checked(t, *p) for t, p in zip(given, form.parts, strict=False))
        if len(given) < len(form.parts):
            return _day(joined, form.parts[0][0])
        wire = "".join(part for part, _ in form.parts)
        local = datetime.strptime(joined, wire)  # noqa: DTZ007  the offset stands beside it
        day = form.precision is Precision.DAY
        return moment_of(local, form.precision, None if day else offset)

    def encode(value: Moment) -> str | tuple[str, ...]:
        return _written(value, form, offset)

    return Converter(name, len(form.parts), Moment, decode, encode, narrows=True)


def _day(text: str, form: str) -> Moment:
    return moment_of(datetime.strptime(text, form), Precision.DAY, None)  # noqa: DTZ007


def _checked(text: str, form: str, length: int) -> str:
    """Return the text when it is a real date or time of its form."""
    if len(text) == length and text.isascii():
        try:
            datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            pass
        else:
            return text
    raise ConversionError("schema-invalid", "date", text, _expected(text, form))


def _expected(text: str, form: str) -> str:
    """Name the form, and the form that the text is likely in."""
    for other, name in _LIKELY:
        if other == form:
            continue
        try:
            datetime.strptime(text, other)  # noqa: DTZ007
        except ValueError:
            continue
        return f"{form} (this looks like {name})"
    return form


def _written(value: Moment, form: Form, offset: int) -> str | tuple[str, ...]:
    moved = value.at_offset(offset)
    wanted, stated = _ORDER.index(form.precision), _ORDER.index(moved.precision)
    texts = [moved.naive().strftime(part)[:length] for part, length in form.parts]
    if stated < wanted and len(form.parts) > 1 and moved.precision is Precision.DAY:
        return texts[0], ""
    if moved.precision is Precision.DAY and wanted > 0:
        raise ConversionError("rule-broken", "precision", moved.local, "a time of day")
    return texts[0] if len(texts) == 1 else tuple(texts)


def _iso(name: str, offset: int) -> Converter:
    """ISO 8601 without a zone: the offset is assumed and marked; a stated zone is honoured."""

    def encode(value: Moment) -> str:
        moved = value.at_offset(offset)
        if moved.precision is Precision.DAY:
            raise ConversionError("rule-broken", "precision", moved.local, "a time of day")
        return moved.naive().strftime("%Y-%m-%dT%H:%M:%S")

    return Converter(name, 1, Moment, lambda t: _iso_moment(t, offset), encode, narrows=True)


def _iso_moment(text: str, offset: int) -> Moment:
    found = _ISO.fullmatch(text)
    if found is None:
        raise ConversionError("schema-invalid", "date", text, "yyyy-MM-ddTHH:mm:ss")
    day, clock, seconds, zone = found.groups()
    try:
        if clock is None:
            return _day(day, "%Y-%m-%d")
        stated = datetime.fromisoformat(f"{day}T{clock}{(seconds or ':00')[:10]}")
    except ValueError as error:
        raise ConversionError("schema-invalid", "date", text, "a real date and time") from error
    millis = bool(stated.microsecond)
    precision = Precision.MILLISECOND if millis else Precision.SECOND
    return moment_of(stated, precision, _minutes(zone, offset), assumed=zone is None)


def _minutes(zone: str | None, assumed: int) -> int:
    if zone is None:
        return assumed
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _iso_pair(name: str, offset: int) -> Converter:
    """A date (its T00:00:00 is no time) and an optional HH:mm."""

    def decode(day: str, clock: str) -> Moment:
        stated = _ISO.fullmatch(day)
        if stated is None:
            raise ConversionError("schema-invalid", "date", day, "yyyy-MM-ddT00:00:00")
        if not clock:
            return _day(_checked(stated.group(1), "%Y-%m-%d", 10), "%Y-%m-%d")
        if not re.fullmatch(r"\d\d:\d\d(:\d\d)?", clock):
            raise ConversionError("schema-invalid", "time", clock, "HH:mm")
        local = _iso_moment(f"{stated.group(1)}T{clock[:5]}", offset).naive()
        return moment_of(local, Precision.MINUTE, offset, assumed=True)

    def encode(value: Moment) -> tuple[str, str]:
        moved = value.at_offset(offset)
        day = f"{moved.local[:10]}T00:00:00"
        if moved.precision is Precision.DAY:
            return day, ""
        return day, moved.naive().strftime("%H:%M")

    return Converter(name, 2, Moment, decode, encode, narrows=True)


FACTORIES: dict[str, Factory] = {"moment": _moment}
