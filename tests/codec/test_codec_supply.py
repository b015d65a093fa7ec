"""Completing a document from sources: order of words, lists, refusals, allocation last."""

from decimal import Decimal

import msgspec
import pytest
from crates import ITEM, LOT_VALUE, SENT, kilograms, manifest, owner, vi

from gateway.codec.formats import Formats
from gateway.errors import DocumentError, Finding, GatewayError
from gateway.model.manifest import Manifest
from gateway.model.values import Identifier, Measure, Party

replace = msgspec.structs.replace


class Given:
    """Sources with fixed values; remembers what was asked."""

    def __init__(self, **values: object) -> None:
        self.values = {
            name.replace("__", ":").replace("_", "."): value for name, value in values.items()
        }
        self.asked: list[tuple[str, tuple[int, ...]]] = []
        self.documents: list[Manifest] = []

    def take(self, source: str, scope: tuple[int, ...], document: Manifest) -> object | None:
        self.asked.append((source, scope))
        self.documents.append(document)
        value = self.values.get(source)
        return value.get(scope) if isinstance(value, dict) else value


def test_absent_values_are_filled_and_named(formats: Formats) -> None:
    given = Given(
        alloc__messageId="M7", alloc__sendTime="20260514083000", param__batchNumber="0000000000001"
    )
    document = manifest(identifiers=(), issued_at=None)
    supplied = formats.supply("zz.crate", document, given)
    assert supplied.document == manifest()
    assert supplied.head == {"messageId": "M7"}
    assert supplied.origins == {
        "head.messageId": "alloc:messageId",
        "issued_at": "alloc:sendTime",
        "identifiers[cn.road-batch]": "param:batchNumber",
    }


def test_the_document_comes_first_where_it_says_so(formats: Formats) -> None:
    given = Given(param__batchNumber="9" * 13)
    assert formats.supply("zz.crate", manifest(), given).document == manifest()
    assert ("param:batchNumber", ()) not in given.asked


def test_a_source_before_the_document_overrides_it(formats: Formats) -> None:
    lots = (replace(LOT_VALUE, consignor=owner("Cũ", "1")), LOT_VALUE)
    given = Given(param__consignee_name={(0,): "Mới"})
    supplied = formats.supply("zz.crate", manifest(consignments=lots), given)
    first = supplied.document.consignments[0].consignor
    assert first is not None
    assert first.names == (vi("Mới"),)
    assert [c.value for c in first.communications] == ["1"]
    assert supplied.document.consignments[1].consignor is None
    assert supplied.origins["consignments[0].consignor.names[0]"] == "param:consignee.name"


def test_values_per_element(formats: Formats) -> None:
    bare = replace(ITEM, gross_mass=None)
    lots = (replace(LOT_VALUE, items=(bare, ITEM)), replace(LOT_VALUE, items=(bare,)))
    mass = Measure(value=Decimal("2"), unit="KGM")
    supplied = formats.supply(
        "zz.crate",
        manifest(consignments=lots),
        Given(param__packing_grossMass={(0, 0): mass, (0, 1): mass}),
    )
    masses = [[i.gross_mass for i in c.items] for c in supplied.document.consignments]
    assert masses == [[mass, kilograms("5")], [None]]
    assert "consignments[0].items[0].gross_mass" in supplied.origins


def test_a_list_of_values_is_filled_whole(formats: Formats) -> None:
    lots = (replace(LOT_VALUE, itinerary=()),)
    given = Given(param__route=("VN", "LA"))
    supplied = formats.supply("zz.crate", manifest(consignments=lots), given)
    assert supplied.document.consignments[0].itinerary == ("VN", "LA")


def test_a_way_to_reach_somebody_is_started(formats: Formats) -> None:
    supplied = formats.supply("zz.crate", manifest(), Given(param__consignee_phone="123"))
    consignor = supplied.document.consignments[0].consignor
    assert consignor == Party(communications=owner(None, "123").communications)
    assert (
        supplied.origins["consignments[0].consignor.communications[0].value"]
        == "param:consignee.phone"
    )


def test_no_consignment_is_made_up(formats: Formats) -> None:
    given = Given(param__consignee_name="N", param__consignee_phone="1", param__route=("VN",))
    assert formats.supply("zz.crate", manifest(consignments=()), given).document.consignments == ()


def test_what_the_target_cannot_take_refuses(formats: Formats) -> None:
    given = Given(alloc__messageId="M", alloc__sendTime="yesterday")
    with pytest.raises(GatewayError) as caught:
        formats.supply("zz.crate", manifest(issued_at=None), given)
    (finding,) = caught.value.findings
    assert (finding.path, finding.rule) == ("issued_at", "date")
    assert "alloc:sendTime" in finding.expected


def test_a_source_that_refuses_is_one_finding_among_all(formats: Formats) -> None:
    class Refusing(Given):
        def take(self, source: str, scope: tuple[int, ...], document: Manifest) -> object | None:
            if source.startswith("param:consignee"):
                raise DocumentError("rule-broken", Finding("rule-broken", "ambiguous", source))
            return super().take(source, scope, document)

    with pytest.raises(GatewayError) as caught:
        formats.supply("zz.crate", manifest(), Refusing(alloc__messageId="M"))
    places = {f.path for f in caught.value.findings}
    assert places == {"param:consignee.name", "param:consignee.phone"}


def test_nothing_is_allocated_once_something_is_missing(formats: Formats) -> None:
    given = Given(alloc__sendTime="20260514083000")
    formats.supply("zz.crate", manifest(issued_at=None), given)
    assert ("alloc:sendTime", ()) not in given.asked  # the message id before it was not given
    given = Given(alloc__messageId="M", alloc__sendTime="20260514083000")
    formats.supply("zz.crate", manifest(issued_at=None), given)
    assert ("alloc:sendTime", ()) in given.asked


def test_sources_see_what_was_filled_before(formats: Formats) -> None:
    given = Given(alloc__messageId="M", param__batchNumber="1" * 13)
    formats.supply("zz.crate", manifest(identifiers=()), given)
    seen = dict(zip((s for s, _ in given.asked), given.documents, strict=True))
    batch = Identifier(scheme="cn.road-batch", value="1" * 13)
    assert seen["param:consignee.name"].identifiers == (batch,)


def test_an_untouched_document_is_the_same_object(formats: Formats) -> None:
    document = manifest()
    assert formats.supply("zz.crate", document, Given()).document is document
    assert document.issued_at is SENT
    assert formats.supply("canonical.manifest", document, Given()).document is document
