"""Make the target documents of a whole crossing.

    1 merge      the halves and their parameters; contradictions are findings
    2 split      targets of the vehicle are made once per truck, of the goods once
    3 supply     what no document holds: parameters, profile, allocated numbers, gates, register
    4 project    personal subtrees that may not cross are taken out
    5 encode     checked against the target's rules, then its schema; all findings at once
    6 report     what became of every leaf, with salted digests

Nothing here is stored: the caller does that in the same transaction that allocates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from gateway.codec import report as reports
from gateway.codec.derive import READS
from gateway.codec.formats import Decoded, Encoded, Formats, Supplied, project
from gateway.codec.gates import Gates
from gateway.codec.merge import merge, merge_parameters
from gateway.codec.notes import Note
from gateway.codec.sources import Allocate, SubmissionSources
from gateway.errors import Finding, GatewayError, refusal
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters

PER_DOCUMENT = ("messageId", "sendTime")
"""Numbers that every document has of its own; others belong to the crossing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a translation needs beside the documents. allocate: (target, what, key) -> value.

    disclose: personal subtrees that the target may hold. salt: of the report's digests.
    """

    formats: Formats
    gates: Gates
    profile: Mapping[str, str]
    register: Callable[[str], Mapping[str, str] | None]
    allocate: Callable[[str, str, str], str | None]
    disclose: frozenset[str]
    salt: bytes
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """One target document. document: the completed canonical one. report: its bytes."""

    encoded: Encoded
    document: Manifest
    head: Mapping[str, str]
    report: bytes


def translate(
    setting: Setting,
    halves: Sequence[Decoded],
    parameters: Sequence[Parameters],
    targets: Sequence[str],
    notes: Sequence[Note] = (),
) -> tuple[Made, ...]:
    """Translate a closed set of halves. GatewayError with all findings of all targets, placed
    in the terms of the documents that were sent."""
    stated, differing = merge_parameters(parameters)
    merged = merge([half.document for half in halves], partial=stated.partial)
    _raise(setting, halves, [*merged.findings, *differing])
    remarks = (*notes, *merged.notes)
    document = merged.manifest
    made: list[Made] = []
    findings: list[Finding] = []
    for target in targets:
        for number, share in enumerate(_shares(setting.formats, target, document)):
            try:
                done = _make(setting, (target, number), share, stated, halves, remarks)
            except GatewayError as failure:
                findings += failure.findings
                continue
            made.append(done)
            document = _learn(document, done.document)
    _raise(setting, halves, findings)
    return tuple(made)


def _make(
    setting: Setting,
    share: tuple[str, int],
    document: Manifest,
    parameters: Parameters,
    halves: Sequence[Decoded],
    notes: Sequence[Note],
) -> Made:
    target, number = share

    def allocate(what: str, key: str) -> str | None:
        own = what in PER_DOCUMENT
        return setting.allocate(target, what, f"{number}|{key}" if own else key)

    sources = SubmissionSources(
        parameters,
        profile=setting.profile,
        gates=setting.gates,
        allocate=allocate,
        register=setting.register,
    )
    _raise(setting, halves, sources.problems(document) if document.consignments else [])
    supplied = setting.formats.supply(target, document, sources)
    shown = project(supplied.document, setting.disclose)
    encoded = setting.formats.encode(target, shown, supplied.head, draft=setting.draft)
    report = reports.build(halves, supplied, [encoded], salt=setting.salt, notes=notes, reads=READS)
    return Made(encoded, supplied.document, supplied.head, report.to_bytes())


def _shares(formats: Formats, target: str, document: Manifest) -> tuple[Manifest, ...]:
    """A vehicle document speaks of one truck; its containers are those that the truck names."""
    if formats.header(target).roles != ("vehicle",) or len(document.means) < 2:
        return (document,)
    return tuple(changed(document, means=(means,)) for means in document.means)


def _learn(document: Manifest, supplied: Manifest) -> Manifest:
    """Keep what was allocated or given once (batch number, waybills) for the next target."""
    return changed(document, identifiers=supplied.identifiers, consignments=supplied.consignments)


def _raise(setting: Setting, halves: Sequence[Decoded], findings: Sequence[Finding]) -> None:
    """Refuse with the places as the senders know them, as far as they have them."""
    placed: list[Finding] = []
    for finding in findings:
        path = finding.path
        for half in halves:
            path = setting.formats.sender_path(half.format, path)
            if path != finding.path:
                break
        placed.append(replace(finding, path=path))
    if failure := refusal(placed):
        raise failure


__all__ = ["Allocate", "Made", "Setting", "Supplied", "translate"]
