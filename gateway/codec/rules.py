"""The registry of named checks: what no schema and no layout can say.

A mapping table lists the checks of its format by name; an argument follows a colon
(`sum-gross-mass:0.5`, `iso6346:allow`). Findings carry canonical paths with indexes; the engine
turns them into the sender's terms. (Result rules of VNACCS stand in the layouts.)
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from gateway.codec import rules_crossing, rules_goods, rules_linked
from gateway.errors import Finding
from gateway.model.manifest import Manifest

Rule = Callable[[Manifest, str], list[Finding]]

RULES: Mapping[str, Rule] = {
    "batch-format": rules_crossing.batch_format,
    "batch-required": rules_crossing.batch_required,
    "container-without-goods": rules_crossing.container_without_goods,
    "container-without-truck": rules_crossing.container_without_truck,
    "credit-code-cut": rules_goods.credit_code_cut,
    "descriptions-fit": rules_goods.descriptions_fit,
    "direction": rules_crossing.direction,
    "four-containers": rules_crossing.four_containers,
    "iso6346": rules_crossing.iso6346,
    "item-sequence": rules_goods.item_sequence,
    "linked-elements": rules_linked.linked_elements,
    "loading-before-arrival": rules_crossing.loading_before_arrival,
    "mode-road": rules_crossing.mode_road,
    "names-fit": rules_goods.names_fit,
    "net-within-gross": rules_goods.net_within_gross,
    "not-negative": rules_goods.not_negative,
    "original-only": rules_crossing.original_only,
    "sum-gross-mass": rules_goods.sum_gross_mass,
    "sum-packages": rules_goods.sum_packages,
    "un-number": rules_goods.un_number,
    "waybill-unique": rules_crossing.waybill_unique,
}


def known(name: str) -> bool:
    """Return whether a table may use this name, with or without an argument."""
    return name.partition(":")[0] in RULES


def run(names: Sequence[str], document: Manifest) -> list[Finding]:
    """Return all findings of the named checks, in the order of the names.

    KeyError for an unknown name: the table check refuses it before (`known`).
    """
    findings: list[Finding] = []
    for rule, argument in _bound(tuple(names)):
        findings += rule(document, argument)
    return findings


@lru_cache(maxsize=128)
def _bound(names: tuple[str, ...]) -> tuple[tuple[Rule, str], ...]:
    split = (name.partition(":") for name in names)
    return tuple((RULES[rule], argument) for rule, _, argument in split)
