"""Submission parameters that do not fit the documents they were given for."""

from collections import Counter
from collections.abc import Iterator

from gateway.codec.declared import line_numbers, matches, names
from gateway.errors import Finding
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters


def find(given: Parameters, document: Manifest) -> list[Finding]:
    """Return findings for parameters that do not fit the documents.

    They name no declaration, several, or a line that is not there; they say the same thing
    twice; the batch number is that of a Lang Son registration (TRAPS 15); short
    descriptions are neither one per waybill nor one per line.
    """
    return [
        *_unresolved(given, document),
        *_repeated(given, document),
        *_wrong_scheme(given, document),
        *_uncounted(given, document),
    ]


def _stated(given: Parameters) -> Iterator[tuple[str, str, int | None]]:
    """Yield (path, declaration, line) of every parameter that names one."""
    for index, waybill in enumerate(given.waybills):
        yield f"waybills[{index}]", waybill.declaration, None
    for index, packing in enumerate(given.packing):
        yield f"packing[{index}]", packing.declaration, packing.line
    for index, dangerous in enumerate(given.dangerous_goods):
        yield f"dangerousGoods[{index}]", dangerous.declaration, dangerous.line


def _unresolved(given: Parameters, document: Manifest) -> Iterator[Finding]:
    for path, declaration, line in _stated(given):
        meant = matches(document, declaration)
        if len(meant) != 1:
            yield Finding(
                "reference-unknown",
                "parameter-declaration",
                f"parameters.{path}.declaration",
                declaration,
                "the name of one declaration",
            )
            continue
        lines = line_numbers(document.consignments[meant[0]])
        if line is not None and line not in lines:
            expected = f"1 to {len(lines)}"
            where = f"parameters.{path}.line"
            yield Finding("reference-unknown", "parameter-line", where, str(line), expected)


def _repeated(given: Parameters, document: Manifest) -> Iterator[Finding]:
    named = Counter(
        (path.partition("[")[0], names(document, declaration) or declaration, line)
        for path, declaration, line in _stated(given)
    )
    for (group, _, _), count in named.items():
        if count > 1:
            path, found = f"parameters.{group}", f"{count} times"
            yield Finding("rule-broken", "parameter-repeated", path, found, "once")


def _wrong_scheme(given: Parameters, document: Manifest) -> Iterator[Finding]:
    batch = given.batch_number
    registrations = (i.value for i in document.identifiers if i.scheme == "vn.langson.registration")
    if batch is not None and batch in registrations:
        expected = "a number of the scheme cn.road-batch"
        path, found = "parameters.batchNumber", "vn.langson.registration"
        yield Finding("rule-broken", "batch-scheme", path, found, expected)


def _uncounted(given: Parameters, document: Manifest) -> Iterator[Finding]:
    count = len(given.short_descriptions)
    waybills = len(document.consignments)
    lines = sum(len(waybill.items) for waybill in document.consignments)
    if count not in (0, waybills, lines):
        path, expected = "parameters.shortDescriptions", f"{waybills} or {lines}"
        yield Finding("rule-broken", "parameter-count", path, str(count), expected)
