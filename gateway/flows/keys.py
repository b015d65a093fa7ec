"""What a message is found by, and in which order it travels."""

from collections.abc import Iterator

from gateway.flows.services import Services
from gateway.model.manifest import Consignment, Manifest
from gateway.model.response import Response
from gateway.model.values import Canonical, Identifier

Keys = tuple[tuple[str, str], ...]

_SCHEMES = {
    "cn.road-batch": "batch",
    "cn.waybill": "waybill",
    "vn.ecn": "declaration",
    "vn.vehicle-declaration": "declaration",
    "vn.langson.registration": "declaration",
    "vn.declarant-ref": "reference",
    "cn.message": "reference",
}


def search_keys(document: Canonical) -> Keys:
    """Return the pairs that a search finds a document by, without doubles."""
    if isinstance(document, Manifest):
        found = _manifest_keys(document)
    elif isinstance(document, Response):
        found = _response_keys(document)
    else:
        found = iter(())
    return tuple(dict.fromkeys((kind, value) for kind, value in found if value))


def _named(identifiers: tuple[Identifier, ...]) -> Iterator[tuple[str, str]]:
    for identifier in identifiers:
        if kind := _SCHEMES.get(identifier.scheme):
            yield kind, identifier.value


def _manifest_keys(document: Manifest) -> Iterator[tuple[str, str]]:
    yield from _named(document.identifiers)
    for means in document.means:
        yield from _named(means.ids)
        plates = (means.plate, *(trailer.plate for trailer in means.trailers))
        yield from (("plate", plate.normalised) for plate in plates if plate)
    for equipment in document.equipment:
        yield "container", equipment.id
        yield from (("seal", seal.number) for seal in equipment.seals)
    for consignment in document.consignments:
        yield from _goods_keys(consignment)


def _goods_keys(consignment: Consignment) -> Iterator[tuple[str, str]]:
    yield from _named(consignment.references)
    yield from _named(tuple(p.id for p in consignment.previous if p.id))
    if consignment.contract and consignment.contract.id:
        yield "waybill", consignment.contract.id.value


def _response_keys(document: Response) -> Iterator[tuple[str, str]]:
    yield from _named(document.refers)
    yield from (("waybill", subject.id) for subject in document.waybills)
    yield from (("container", subject.id) for subject in document.equipment)


def order_key(services: Services, document_type: str, document: Canonical) -> str | None:
    """Return the value that keeps messages of one thing in order (the batch number ...).

    The mapping table names the canonical path; a document without that value has an order
    of its own.
    """
    path = services.formats.header(document_type).order_key or ""
    scheme = path.partition("[")[2].rstrip("]")
    identifiers: tuple[Identifier, ...] = ()
    if isinstance(document, Manifest):
        identifiers = document.identifiers
    elif isinstance(document, Response):
        identifiers = document.refers
    return next((i.value for i in identifiers if i.scheme == scheme), None)


def function(document: Canonical) -> str:
    """Return original, replace or cancel."""
    return str(document.function) if isinstance(document, Manifest) else "original"
