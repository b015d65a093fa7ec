"""Converters: one pair of functions between wire text and a canonical value.

A mapping table names them by an expression, `name` or `name:argument:argument`. What cannot
be converted is a ConversionError; nothing is guessed, cut or rounded.

    string  text:LANG  int  decimal  bool  country  code:LIST  codestr:LIST  open:NAME
    function:LIST  direction:LIST  identifier:SCHEME  party-id  equipment-id  hs:EDITION
    phone  email  communication  remark:AUDIENCE
    measure:LIST  mass  packages:LIST  money[:CURRENCY]
    plate[:COUNTRY]  plate-plain  plate-country  plate-roman-country
    moment:FORMAT:OFFSET  size-type[:LIST]
"""

from datetime import date
from functools import lru_cache

from gateway.codec import convert_codes, convert_quantities, convert_texts, convert_times
from gateway.codec.convert_kinds import ConversionError, Converter, Factory
from gateway.errors import Finding, MappingError

__all__ = ["ConversionError", "Converter", "converter", "names"]


_FACTORIES: dict[str, Factory] = {
    **convert_texts.FACTORIES,
    **convert_codes.FACTORIES,
    **convert_quantities.FACTORIES,
    **convert_times.FACTORIES,
}


@lru_cache(maxsize=4096)
def converter(expression: str, at: date) -> Converter:
    """Return the converter of an expression, with code lists as they hold on a day.

    MappingError `not-mapped` for an unknown name or a wrong argument.
    """
    name, *arguments = expression.split(":")
    if name == "moment" and len(arguments) > 2:  # a format may hold colons
        arguments = [":".join(arguments[:-1]), arguments[-1]]
    factory = _FACTORIES.get(name)
    if factory is None:
        raise MappingError("not-mapped", Finding("not-mapped", "converter", "", expression))
    try:
        return factory(expression, tuple(arguments), at)
    except (ValueError, KeyError, IndexError) as error:
        finding = Finding("not-mapped", "converter-argument", "", expression)
        raise MappingError("not-mapped", finding) from error


def names() -> tuple[str, ...]:
    """Return the names of all converters."""
    return tuple(sorted(_FACTORIES))
