"""What generated code calls."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from gateway.codec.compile_trace import Problem, Trace
from gateway.codec.convert import ConversionError, Converter
from gateway.codec.wire import Base, Value, text_of, value_of
from gateway.errors import MOST_FINDINGS

NOTHING: dict[str, Any] = {}
odd_text = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
odd_attribute = re.compile('[&<"\x00-\x1f\ud800-\udfff\ufffe\uffff]').search
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)

_MEANT = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#x9;", "\t"),
    ("&#xA;", "\n"),
    ("&#xD;", "\r"),
    ("&amp;", "&"),
)


def unlike(number: int, t: Trace) -> None:
    """A constant of the table stands otherwise in the document."""
    t.problems.append(Problem("unlike", number, len(t), "another value"))


def lack(number: int, t: Trace) -> None:
    """Something is there, but not what the model requires with it."""
    t.problems.append(Problem("lack", number, len(t), "absent"))


def miss(number: int, t: Trace) -> None:
    """A leaf that must be sent has no value."""
    t.problems.append(Problem("miss", number, len(t), "absent"))


def many(number: int, t: Trace, count: int) -> None:
    """A list is longer than its group may repeat."""
    t.problems.append(Problem("many", number, len(t), str(count)))


def long(number: int, t: Trace, length: int) -> None:
    """A text is longer than a confirmed length."""
    t.problems.append(Problem("long", number, len(t), str(length)))


def recalled(number: int, t: Trace, length: int) -> None:
    """A text is longer than a length that is only recalled."""
    t.problems.append(Problem("recalled", number, len(t), str(length)))


def form(number: int, t: Trace, text: str) -> None:
    """A text does not have the form that the schema asks for."""
    t.problems.append(Problem("form", number, len(t), f"{len(text)} characters"))


def typed(number: int, t: Trace, text: str, base: Base) -> Value:
    """Return a wire text as a JSON value of its type."""
    try:
        return value_of(text, base)
    except ValueError:
        form(number, t, text)
        return text


def as_text(value: Value | None) -> str:
    """Return a JSON value as wire text, "" when it is absent."""
    return "" if value is None else text_of(value)


def leave(number: int, t: Trace, value: Any) -> None:
    """Note what decoding leaves out: a text, a part of a record, or an element."""
    t.left.setdefault(number, []).extend(filter(None, _texts(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str | int | Decimal):
        yield text_of(value)
    elif value is not None:
        for element in value.iter():
            yield (element.text or "").strip()
            yield from element.attrib.values()


def left(number: int, t: Trace) -> None:
    """A group is not sent because this leaf, which it needs, has no value."""
    t.problems.append(Problem("left", number, len(t), "absent"))


def compare(number: int, t: Trace, converter: Converter, value: Any, texts: Sequence[str]) -> None:
    """Note a row whose wire texts no longer say the whole value."""
    try:
        same = converter.decode(*texts) == value
    except ConversionError:
        same = False
    if not same:
        t.narrowed.append(number)


def digits(text: str, total: int, fraction: int | None) -> bool:
    """True when a plain decimal has no more digits than allowed."""
    whole, _, decimals = text.lstrip("-").partition(".")
    decimals = decimals.rstrip("0")
    fits = len(whole.lstrip("0")) + len(decimals) <= total
    return fits and (fraction is None or len(decimals) <= fraction)


def text(number: int, t: Trace, value: str) -> str:
    """Escape element text as canonical XML does."""
    if odd_text(value) is None:
        return value
    _allowed(number, t, value)
    return value.translate(_TEXT)


def attribute(number: int, t: Trace, value: str) -> str:
    """Escape an attribute value as canonical XML does."""
    if odd_attribute(value) is None:
        return value
    _allowed(number, t, value)
    return value.translate(_ATTRIBUTE)


def _allowed(number: int, t: Trace, value: str) -> None:
    if found := _FORBIDDEN(value):
        t.problems.append(Problem("character", number, len(t), f"U+{ord(found.group()):04X}"))


def present(*values: Any) -> tuple[Any, ...]:
    """Return what is there, in order."""
    return tuple([value for value in values if value is not None])


def by(values: Iterable[Any], discriminator: str, key: str) -> Any:
    """Return the first element whose discriminator is the key."""
    for value in values:
        if getattr(value, discriminator) == key:
            return value
    return None


class UnusualError(LookupError):
    """The quick code meets what only the whole code handles."""


def unusual() -> NoReturn:
    """Leave the quick code."""
    raise UnusualError


Texts = TypeVar("Texts", str, tuple[str, ...])


def unescaped(texts: Texts) -> Texts:
    """Return what canonical octets mean: a text, or each of several."""
    if isinstance(texts, tuple):
        return tuple([unescaped(each) for each in texts])
    if "&" in texts:
        for written, meant in _MEANT:
            texts = texts.replace(written, meant)
    return texts


def meant(found: list[Any]) -> list[Any]:
    """Return what canonical octets mean: of each element of a list."""
    return [unescaped(each) for each in found]


_ENOUGH = 4 * MOST_FINDINGS
"""Problems, of which some only follow from others, that surely make as many findings as told."""


class EnoughError(Exception):
    """As many problems are noted as anybody will be told."""


def collecting(
    convert: Callable[..., Any], number: int, t: Trace, failed: Any
) -> Callable[..., Any]:
    """Wrap one side of a converter: what it refuses is noted and `failed` returned.

    Raises EnoughError when there are more problems than are told.
    """

    def converted(*values: Any) -> Any:
        try:
            return convert(*values)
        except ConversionError as error:
            t.problems.append(Problem("convert", number, len(t), cause=error))
            if len(t.problems) > _ENOUGH:
                raise EnoughError from error
            return failed

    return converted
