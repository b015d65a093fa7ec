"""The registry of named transforms of canonical documents: pure, and each says what it changed.

A mapping table lists them in `after_decode` or `before_encode`. None invents a fact: totals,
masses and counts come out as they went in.
"""

from collections.abc import Callable, Mapping, Sequence

from gateway.codec import transform_equipment, transform_goods
from gateway.codec.notes import Note
from gateway.model.manifest import Manifest

Transform = Callable[[Manifest], tuple[Manifest, list[Note]]]

TRANSFORMS: Mapping[str, Transform] = {
    "check-digits": transform_equipment.check_digits,
    "collapse-lines": transform_goods.collapse_lines,
    "drop-cut-ids": transform_goods.drop_cut_ids,
    "drop-repeated-trailers": transform_equipment.drop_repeated_trailers,
    "equipment-from-refs": transform_equipment.equipment_from_refs,
    "equipment-of-truck": transform_equipment.equipment_of_truck,
    "join-containers": transform_equipment.join_containers,
    "number-lines": transform_goods.number_lines,
    "omit-unlinked": transform_goods.omit_unlinked,
    "refs-from-equipment": transform_equipment.refs_from_equipment,
    "refs-to-consignments": transform_equipment.refs_to_consignments,
    "split-containers": transform_equipment.split_containers,
}


def known(name: str) -> bool:
    """Return whether a table may use this name."""
    return name in TRANSFORMS


def apply(names: Sequence[str], document: Manifest) -> tuple[Manifest, list[Note]]:
    """Run the named transforms in their order. KeyError for an unknown name (see `known`)."""
    notes: list[Note] = []
    for name in names:
        document, said = TRANSFORMS[name](document)
        notes += said
    return document, notes
